//! What follows from what a repository said: plain functions over plain values.

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

/// The manifests of a tag that may be the image with a bare id: the platform's own, or all of
/// them where the platform is not settled. `None` where not all of them can be named: then what
/// is left proves nothing against the id.
pub(crate) fn candidates(
    digest: &Digest,
    content: &Manifest,
    platform: Option<&Platform>,
) -> Option<Vec<Digest>> {
    match (child(digest, Some(content), platform), content) {
        (Child::Is(one), _) => Some(vec![one]),
        (Child::None, _) => Some(Vec::new()),
        (Child::Unknown, Manifest::Index(index)) => {
            // Entries that name no platform may be it as well.
            let entries = index.manifests.iter().filter(|entry| !is_attestation(entry));
            entries.map(|entry| entry.digest.parse().ok()).collect()
        }
        (Child::Unknown, Manifest::Image(_)) => Some(vec![digest.clone()]),
    }
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
}
