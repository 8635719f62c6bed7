//! Which manifest of an index runs on a platform.
//!
//! Nodes report operating system and architecture, and no variant. Where that leaves several
//! candidates there is no answer: a guess could name evidence for something that does not run.

use oci_client::manifest::{ImageIndexEntry, OciImageIndex};
use records::{Digest, Platform};

/// BuildKit's mark of a manifest that holds attestations and runs nowhere.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";

/// What an index has for a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Exactly this manifest.
    One(Digest),
    /// Nothing.
    None,
    /// Several, or some of which the index does not say for what platform they are.
    Ambiguous,
}

/// The manifest of `index` for `wanted`.
#[must_use]
pub fn select(index: &OciImageIndex, wanted: &Platform) -> Selection {
    let (mut fitting, mut silent) = (Vec::new(), false);
    for entry in index.manifests.iter().filter(|entry| !is_attestation(entry)) {
        match platform(entry) {
            Some(offered) if fits(&offered, wanted) => fitting.push((offered, entry)),
            Some(_) => {}
            None => silent = true,
        }
    }
    prefer(&mut fitting, wanted);
    fitting.dedup_by(|(_, a), (_, b)| a.digest == b.digest);
    match (&fitting[..], silent) {
        ([], false) => Selection::None,
        ([(_, entry)], _) => entry.digest.parse().map_or(Selection::Ambiguous, Selection::One),
        _ => Selection::Ambiguous,
    }
}

/// Every platform of `index`, in its order, attestation manifests aside. Entries whose platform or
/// digest cannot be read are left out.
#[must_use]
pub fn platforms(index: &OciImageIndex) -> Vec<(Platform, Digest)> {
    let entries = index.manifests.iter().filter(|entry| !is_attestation(entry));
    entries.filter_map(|entry| Some((platform(entry)?, entry.digest.parse().ok()?))).collect()
}

/// Whether an entry is evidence about another, and nothing that runs.
#[must_use]
pub fn is_attestation(entry: &ImageIndexEntry) -> bool {
    let marked = entry.annotations.as_ref().is_some_and(|all| all.contains_key(REFERENCE_TYPE));
    let unknown =
        |platform: Platform| platform.os == "unknown" && platform.architecture == "unknown";
    marked || platform(entry).is_some_and(unknown)
}

/// The platform that an entry says; an empty variant is none.
fn platform(entry: &ImageIndexEntry) -> Option<Platform> {
    let said = entry.platform.as_ref()?;
    let variant = said.variant.as_deref().filter(|variant| !variant.is_empty());
    let variant = variant.map_or(String::new(), |variant| format!("/{variant}"));
    format!("{}/{}{variant}", said.os, said.architecture).parse().ok()
}

/// Whether what is offered may be what is wanted. A variant counts only where both say one.
fn fits(offered: &Platform, wanted: &Platform) -> bool {
    let same = offered.os == wanted.os && offered.architecture == wanted.architecture;
    let variants = (offered_variant(offered), wanted_variant(wanted));
    same && !matches!(variants, (Some(offered), Some(wanted)) if offered != wanted)
}

/// The variant, where something else than nothing means the same (OCI image specification,
/// image-index.md, "Platform Variants"; containerd normalises so too).
fn wanted_variant(platform: &Platform) -> Option<&str> {
    match (platform.architecture.as_str(), platform.variant.as_deref()) {
        ("arm64", None) => Some("v8"),
        ("amd64", Some("v1")) => None,
        (_, said) => said,
    }
}

/// As [`wanted_variant`]; besides, an image for 32-bit arm is for v7 when it does not say, while a
/// node of 32-bit arm that does not say may be any.
fn offered_variant(platform: &Platform) -> Option<&str> {
    match (platform.architecture.as_str(), platform.variant.as_deref()) {
        ("arm", None) => Some("v7"),
        _ => wanted_variant(platform),
    }
}

/// Where some of the candidates say exactly what is wanted, the others are not meant: for amd64
/// without a variant those of its later levels (`v2`, `v3`).
fn prefer(fitting: &mut Vec<(Platform, &ImageIndexEntry)>, wanted: &Platform) {
    let exact = |offered: &Platform| offered_variant(offered) == wanted_variant(wanted);
    if fitting.iter().any(|(offered, _)| exact(offered)) {
        fitting.retain(|(offered, _)| exact(offered));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An index of entries `platform digest-letter`, `-` for no platform.
    fn index(entries: &[(&str, char)]) -> OciImageIndex {
        let manifests: Vec<String> = entries
            .iter()
            .map(|(platform, letter)| {
                let parts: Vec<&str> = platform.split('/').collect();
                let platform = match parts[..] {
                    [os, arch] => format!(r#","platform":{{"os":"{os}","architecture":"{arch}"}}"#),
                    [os, arch, v] => format!(
                        r#","platform":{{"os":"{os}","architecture":"{arch}","variant":"{v}"}}"#
                    ),
                    _ => String::new(),
                };
                let digest = digest(*letter);
                format!(r#"{{"mediaType":"m","digest":"{digest}","size":1{platform}}}"#)
            })
            .collect();
        let text = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, manifests.join(","));
        serde_json::from_str(&text).expect("an index")
    }

    fn digest(letter: char) -> Digest {
        format!("sha256:{}", letter.to_string().repeat(64)).parse().expect("a digest")
    }

    fn selected(entries: &[(&str, char)], wanted: &str) -> Selection {
        select(&index(entries), &wanted.parse().expect("a platform"))
    }

    #[test]
    fn one_fits() {
        let usual = [("linux/amd64", 'a'), ("linux/arm64/v8", 'b'), ("linux/arm/v7", 'c')];
        assert_eq!(selected(&usual, "linux/amd64"), Selection::One(digest('a')));
        assert_eq!(selected(&usual, "linux/arm64"), Selection::One(digest('b')));
        assert_eq!(selected(&usual, "linux/arm64/v8"), Selection::One(digest('b')));
        assert_eq!(selected(&usual, "linux/arm"), Selection::One(digest('c')));
        assert_eq!(selected(&usual, "linux/s390x"), Selection::None);
        assert_eq!(selected(&usual, "windows/amd64"), Selection::None);
        assert_eq!(
            selected(&[("linux/arm64", 'b')], "linux/arm64/v8"),
            Selection::One(digest('b'))
        );
    }

    #[test]
    fn plain_amd64_goes_before_its_levels() {
        let levels = [("linux/amd64/v3", 'c'), ("linux/amd64", 'a'), ("linux/amd64/v2", 'b')];
        assert_eq!(selected(&levels, "linux/amd64"), Selection::One(digest('a')));
        assert_eq!(selected(&levels, "linux/amd64/v2"), Selection::One(digest('b')));
        assert_eq!(selected(&levels[..1], "linux/amd64"), Selection::One(digest('c')));
        let two = [("linux/amd64/v3", 'c'), ("linux/amd64/v2", 'b')];
        assert_eq!(selected(&two, "linux/amd64"), Selection::Ambiguous);
    }

    #[test]
    fn several_are_never_guessed_at() {
        let arm = [("linux/arm/v6", 'a'), ("linux/arm/v7", 'b')];
        assert_eq!(selected(&arm, "linux/arm"), Selection::Ambiguous);
        assert_eq!(selected(&arm, "linux/arm/v7"), Selection::One(digest('b')));
        assert_eq!(selected(&[("linux/arm", 'a')], "linux/arm/v7"), Selection::One(digest('a')));
        assert_eq!(selected(&[("linux/arm", 'a')], "linux/arm/v6"), Selection::None);
        let unsaid = [("linux/arm", 'a'), ("linux/arm/v6", 'b')];
        assert_eq!(selected(&unsaid, "linux/arm"), Selection::Ambiguous);
        let windows = [("windows/amd64", 'a'), ("windows/amd64", 'b')];
        assert_eq!(selected(&windows, "windows/amd64"), Selection::Ambiguous);
        let same = [("linux/arm64", 'a'), ("linux/arm64/v8", 'a')];
        assert_eq!(selected(&same, "linux/arm64"), Selection::One(digest('a')));
        let both = [("linux/arm64", 'a'), ("linux/arm64/v8", 'b')];
        assert_eq!(selected(&both, "linux/arm64"), Selection::Ambiguous);
    }

    #[test]
    fn an_entry_without_platform_may_be_what_is_wanted() {
        assert_eq!(selected(&[("-", 'a')], "linux/amd64"), Selection::Ambiguous);
        let known = [("-", 'a'), ("linux/amd64", 'b')];
        assert_eq!(selected(&known, "linux/amd64"), Selection::One(digest('b')));
        assert_eq!(selected(&[], "linux/amd64"), Selection::None);
    }

    #[test]
    fn attestations_run_nowhere() {
        let mut index =
            index(&[("linux/amd64", 'a'), ("unknown/unknown", 'b'), ("linux/amd64", 'c')]);
        let mark = [(REFERENCE_TYPE.to_owned(), "attestation-manifest".to_owned())];
        index.manifests[2].annotations = Some(mark.into());
        let wanted = "linux/amd64".parse().expect("a platform");
        assert_eq!(select(&index, &wanted), Selection::One(digest('a')));
        assert_eq!(platforms(&index), [(wanted, digest('a'))]);
    }
}
