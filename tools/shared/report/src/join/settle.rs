//! The same subject twice: one record of each subject, sorted.

use std::cmp::Ordering;

use records::{DigestRecord, Drift, Image, Release, Runtime, Update, UpdateStatus};

/// A record of which each subject has one in the report.
pub(crate) trait Subject {
    /// Compares subjects, and nothing else.
    fn order(&self, other: &Self) -> Ordering;

    /// How definite the answer is; of two about one subject the greater one counts.
    fn definite(&self) -> u8 {
        0
    }
}

/// Sorts records by subject, and leaves one of each: the most definite, then the first.
pub(crate) fn settle<T: Subject>(mut records: Vec<T>) -> Vec<T> {
    // Stable, so that the first of a subject stays the first.
    records.sort_by(|a, b| a.order(b).then_with(|| b.definite().cmp(&a.definite())));
    records.dedup_by(|later, first| later.order(first).is_eq());
    records
}

impl Subject for Image {
    fn order(&self, other: &Self) -> Ordering {
        fn key(image: &Image) -> impl Ord + '_ {
            (
                (&image.namespace, &image.workload),
                (image.container_type, &image.container),
                (&image.image, &image.image_id, &image.platform),
            )
        }
        key(self).cmp(&key(other))
    }
}

impl Subject for Runtime {
    fn order(&self, other: &Self) -> Ordering {
        fn key(runtime: &Runtime) -> impl Ord + '_ {
            ((&runtime.namespace, &runtime.workload), (runtime.container_type, &runtime.container))
        }
        key(self).cmp(&key(other))
    }
}

impl Subject for Release {
    fn order(&self, other: &Self) -> Ordering {
        (&self.namespace, &self.release_name).cmp(&(&other.namespace, &other.release_name))
    }
}

impl Subject for DigestRecord {
    fn order(&self, other: &Self) -> Ordering {
        (&self.image, &self.image_id, &self.platform).cmp(&(
            &other.image,
            &other.image_id,
            &other.platform,
        ))
    }

    fn definite(&self) -> u8 {
        let known = [self.present.is_some(), self.drift != Drift::Unknown, self.digest.is_some()];
        // The digest weighs most, whether it is present least.
        known.iter().rev().fold(0, |sum, k| sum * 2 + u8::from(*k))
    }
}

impl Subject for Update {
    fn order(&self, other: &Self) -> Ordering {
        fn key(update: &Update) -> impl Ord + '_ {
            (
                (&update.image, &update.namespace, &update.release_name),
                (&update.rule, &update.image_id, &update.platform),
            )
        }
        key(self).cmp(&key(other))
    }

    fn definite(&self) -> u8 {
        u8::from(self.status != UpdateStatus::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn digest(
        image: &str,
        digest: Option<char>,
        drift: &str,
        present: Option<bool>,
    ) -> DigestRecord {
        serde_json::from_value(json!({
            "image": image, "imageId": null, "platform": null, "repository": null, "tag": null,
            "digest": digest.map(|c| format!("sha256:{}", c.to_string().repeat(64))),
            "how": null, "present": present, "mediaType": null, "index": null, "manifest": null,
            "tagDigest": null, "drift": drift, "platforms": [],
        }))
        .expect("a digest record")
    }

    #[test]
    fn a_definite_answer_beats_unknown_then_the_first_counts() {
        let none = digest("a", None, "unknown", None);
        let first = digest("a", Some('1'), "same", Some(true));
        let second = digest("a", Some('2'), "moved", Some(true));
        let other = digest("b", None, "unknown", None);
        let settled = settle(vec![other.clone(), none, first.clone(), second, first.clone()]);
        assert_eq!(settled, [first, other]);
    }

    #[test]
    fn a_digest_weighs_more_than_whether_it_is_present() {
        let gone = digest("a", None, "unknown", Some(false));
        let known = digest("a", Some('1'), "unknown", None);
        assert_eq!(settle(vec![gone, known.clone()]), [known]);
    }
}
