//! What follows from what a repository said: plain functions over plain values.

use std::collections::HashSet;

use records::{Digest, Drift, Platform};
use registry::platform::{is_attestation, select};
use registry::{Manifest, Selection};

/// The manifest of a platform, below an index or as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Child {
    /// This one.
    Is(Digest),
    /// There is none for the platform.
    None,
    /// Not settled: the platform is unknown, several fit, or the content was not seen.
    Unknown,
}

/// The manifest that `content`, whose digest is `digest`, means on `platform`.
pub(crate) fn child(
    digest: &Digest,
    content: Option<&Manifest>,
    platform: Option<&Platform>,
) -> Child {
    match (content, platform) {
        (Some(Manifest::Image(_)), _) => Child::Is(digest.clone()),
        (Some(Manifest::Index(index)), Some(platform)) => match select(index, platform) {
            Selection::One(digest) => Child::Is(digest),
            Selection::None => Child::None,
            Selection::Ambiguous => Child::Unknown,
        },
        _ => Child::Unknown,
    }
}

/// What comparing two platform manifests leaves open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// Settled.
    Settled(Drift),
    /// The digests differ: only the images' configs can still show that both are one image.
    ByConfig(Digest, Digest),
}

/// Compares what runs with what the tag means, for one platform.
pub(crate) fn compare(running: &Child, tagged: &Child) -> Comparison {
    match (running, tagged) {
        (Child::Is(a), Child::Is(b)) if a == b => Comparison::Settled(Drift::Same),
        (Child::Is(a), Child::Is(b)) => Comparison::ByConfig(a.clone(), b.clone()),
        // The tag has nothing for this platform any more: it cannot mean what runs.
        (Child::Is(_), Child::None) => Comparison::Settled(Drift::Moved),
        _ => Comparison::Settled(Drift::Unknown),
    }
}

/// Two configs that could be read are proof either way; one that could not is none.
pub(crate) fn compare_configs(running: Option<&Digest>, tagged: Option<&Digest>) -> Drift {
    match (running, tagged) {
        (Some(a), Some(b)) if a == b => Drift::Same,
        (Some(_), Some(_)) => Drift::Moved,
        _ => Drift::Unknown,
    }
}

/// Whether a media type is that of a platform's manifest (OCI image specification, manifest.md;
/// Docker image manifest, version 2, schema 2): then the content need not be read to know it.
pub(crate) fn is_image(media_type: &str) -> bool {
    matches!(
        media_type,
        "application/vnd.oci.image.manifest.v1+json"
            | "application/vnd.docker.distribution.manifest.v2+json"
    )
}

/// Whether an index lists a manifest.
pub(crate) fn lists(content: &Manifest, digest: &Digest) -> bool {
    matches!(content, Manifest::Index(index) if index.manifests.iter().any(|entry| entry.digest == digest.as_str()))
}

/// How many manifests of an index are read at most to find the image with a bare id.
const MAX_CANDIDATES: usize = 32;

/// The manifests of a reference that may be the image with a bare id.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Candidates {
    /// These, each once, in the order in which to try them.
    pub(crate) digests: Vec<Digest>,
    /// How many more the index lists, which cannot be named, or are too many to be asked for:
    /// where there are any, that nothing was found proves nothing.
    pub(crate) left_out: usize,
}

/// Every manifest of a reference that may be the image with a bare id: that of the node's platform
/// first, and then all others, since a node may emulate another platform, and entries that name
/// none may be for any.
pub(crate) fn candidates(
    digest: &Digest,
    content: &Manifest,
    platform: Option<&Platform>,
) -> Candidates {
    let Manifest::Index(index) = content else {
        return Candidates { digests: vec![digest.clone()], left_out: 0 };
    };
    let mut digests: Vec<Digest> = match child(digest, Some(content), platform) {
        Child::Is(first) => vec![first],
        Child::None | Child::Unknown => Vec::new(),
    };
    let (mut seen, mut left_out) = (digests.iter().cloned().collect::<HashSet<_>>(), 0);
    for entry in index.manifests.iter().filter(|entry| !is_attestation(entry)) {
        match entry.digest.parse::<Digest>() {
            Ok(digest) if seen.insert(digest.clone()) => digests.push(digest),
            Ok(_) => {}
            Err(_) => left_out += 1,
        }
    }
    left_out += digests.len().saturating_sub(MAX_CANDIDATES);
    digests.truncate(MAX_CANDIDATES);
    Candidates { digests, left_out }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(letter: &str) -> Digest {
        format!("sha256:{}", letter.repeat(64)).parse().expect("a digest")
    }

    #[test]
    fn what_was_not_seen_proves_nothing() {
        let is = |letter| Child::Is(digest(letter));
        assert_eq!(compare(&is("a"), &is("a")), Comparison::Settled(Drift::Same));
        assert_eq!(compare(&is("a"), &Child::None), Comparison::Settled(Drift::Moved));
        for (a, b) in [
            (is("a"), Child::Unknown),
            (Child::Unknown, is("a")),
            (Child::None, Child::None),
            (Child::Unknown, Child::Unknown),
        ] {
            assert_eq!(compare(&a, &b), Comparison::Settled(Drift::Unknown));
        }
        let (a, b) = (digest("a"), digest("b"));
        assert_eq!(compare_configs(Some(&a), Some(&b)), Drift::Moved);
        assert_eq!(compare_configs(Some(&a), Some(&a)), Drift::Same);
        assert_eq!(compare_configs(Some(&a), None), Drift::Unknown);
        assert_eq!(compare_configs(None, None), Drift::Unknown);
    }

    /// An index of these platforms and digests.
    fn index(entries: &[(&str, &str)]) -> Manifest {
        let entries: Vec<_> = entries
            .iter()
            .map(|(arch, digest)| {
                serde_json::json!({
                    "mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 2,
                    "digest": digest, "platform": {"os": "linux", "architecture": arch},
                })
            })
            .collect();
        let index = serde_json::json!({"schemaVersion": 2, "manifests": entries});
        Manifest::Index(serde_json::from_value(index).expect("an index"))
    }

    #[test]
    fn every_manifest_is_a_candidate_once_and_the_platforms_first() {
        let [a, b, c] = ["a", "b", "c"].map(digest);
        let entries =
            [("amd64", a.as_str()), ("arm64", b.as_str()), ("arm64", b.as_str()), ("riscv64", "?")];
        let arm64 = "linux/arm64".parse().expect("a platform");
        let found = candidates(&c, &index(&entries), Some(&arm64));
        assert_eq!(found, Candidates { digests: vec![b.clone(), a.clone()], left_out: 1 });
        assert_eq!(candidates(&c, &index(&entries), None).digests, [a, b]);
        let many: Vec<String> = (0..40).map(|n| format!("sha256:{n:064x}")).collect();
        let many: Vec<_> = many.iter().map(|digest| ("arm", digest.as_str())).collect();
        let found = candidates(&c, &index(&many), None);
        assert_eq!((found.digests.len(), found.left_out), (MAX_CANDIDATES, 8));
    }
}
