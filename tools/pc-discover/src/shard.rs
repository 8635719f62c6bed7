//! Which images belong to which part of a cluster that is collected in parts.

use std::hash::Hasher;
use std::str::FromStr;

use records::{Shard, ShardError};
use registry::Reference;
use siphasher::sip::SipHasher13;

/// The word that stands for the number of an Indexed Job's pod, which Kubernetes counts from 0.
pub(crate) const JOB_INDEX: &str = "JOB_COMPLETION_INDEX";

/// Reads `I/N`, or `JOB_COMPLETION_INDEX/N` in a pod of an Indexed Job.
///
/// # Errors
/// [`ShardError`].
pub(crate) fn parse(text: &str) -> Result<Shard, ShardError> {
    let job = text.strip_prefix(JOB_INDEX).and_then(|rest| {
        let index: u32 = std::env::var(JOB_INDEX).ok()?.parse().ok()?;
        Some(format!("{}{rest}", index.checked_add(1)?))
    });
    Shard::from_str(job.as_deref().unwrap_or(text))
}

/// Whether `image` belongs to `shard`.
///
/// All images of a repository belong to one shard, so that no registry is asked twice; the hash
/// has a fixed key, so that all pods of a Job agree.
#[must_use]
pub(crate) fn holds(shard: Shard, image: &str) -> bool {
    let mut hasher = SipHasher13::new();
    match image.parse::<Reference>() {
        Ok(reference) => hasher.write(reference.repository().to_string().as_bytes()),
        Err(_) => hasher.write(image.as_bytes()),
    }
    hasher.finish() % u64::from(shard.count) == u64::from(shard.index - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_belongs_to_one_shard_and_repositories_stay_together() {
        let mut sizes = [0; 3];
        for number in 0..300 {
            let image = format!("ghcr.io/acme/app-{number}:1");
            let owners: Vec<u32> =
                (1..=3).filter(|index| holds(Shard { index: *index, count: 3 }, &image)).collect();
            assert_eq!(owners.len(), 1, "{image}");
            sizes[owners[0] as usize - 1] += 1;
            let shard = Shard { index: owners[0], count: 3 };
            assert!(holds(shard, &format!("ghcr.io/acme/app-{number}:2")));
        }
        assert!(sizes.iter().all(|size| (60..140).contains(size)), "{sizes:?}");
    }

    #[test]
    fn the_hash_never_changes() {
        let two = |image| holds(Shard { index: 1, count: 2 }, image);
        assert_eq!(two("nginx"), two("docker.io/library/nginx:1.27"));
        assert_eq!(
            ["nginx", "redis", "ghcr.io/acme/web", "!! no reference"].map(two),
            [true, false, true, false],
            "pods of different versions must agree"
        );
    }

    #[test]
    fn shards_are_counted_from_one() {
        assert_eq!(parse("2/3"), Ok(Shard { index: 2, count: 3 }));
        assert!(parse("0/3").is_err() && parse("JOB_COMPLETION_INDEX/3").is_err());
    }
}
