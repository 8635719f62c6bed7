//! What a layout's `index.json` calls its images.

use std::path::Path;

use oci_client::manifest::{ImageIndexEntry, OciImageIndex};
use records::Digest;

use super::LayoutError;
use crate::lists::fallback_tag;
use crate::{Reference, Repository, Tag};

/// The name of an image: a tag, or (by some tools) a full reference.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// What `cosign save` says of each manifest, in place of names: which is the image, and which its
/// signatures and attestations.
const COSIGN_KIND: &str = "kind";
const COSIGN_IMAGES: [&str; 2] =
    ["dev.cosignproject.cosign/image", "dev.cosignproject.cosign/imageIndex"];
/// Kinds of evidence, and how the tags of such end in a registry.
const COSIGN_EVIDENCE: [(&str, &str); 2] =
    [("dev.cosignproject.cosign/sigs", ".sig"), ("dev.cosignproject.cosign/atts", ".att")];
/// The full reference, as containerd and BuildKit write it.
const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// A manifest that `index.json` lists.
#[derive(Debug, PartialEq)]
pub(super) struct Named {
    pub(super) digest: Digest,
    pub(super) media_type: String,
    name: Option<Name>,
}

#[derive(Debug, PartialEq)]
enum Name {
    /// A tag of a repository that is said.
    Full(Repository, Tag),
    /// A tag of a repository that is not.
    Bare(Tag),
}

/// All manifests that `index.json` lists, in its order.
#[derive(Debug)]
pub(super) struct Names {
    listed: Vec<Named>,
    images: Images,
}

/// Whether the images of a layout have names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Images {
    Named,
    /// None has. Whether a tag is one of them cannot be told.
    Unnamed,
    /// None has, but what signs the one image there is, is all there.
    OfCosign,
}

/// Why a tag stands for nothing certain.
#[derive(Debug, PartialEq)]
pub(super) enum Fault {
    Twice(Tag),
    Nameless(Tag),
    Unnamed(Tag),
    /// What tags there are cannot be told.
    NoTags,
}

impl Fault {
    pub(super) fn at(self, folder: &Path) -> LayoutError {
        let path = folder.to_owned();
        match self {
            Self::Twice(tag) => LayoutError::Twice { path, tag },
            Self::Nameless(tag) => LayoutError::Nameless { path, tag },
            Self::Unnamed(tag) => LayoutError::Unnamed { path, tag },
            Self::NoTags => LayoutError::NoTags { path },
        }
    }
}

impl Names {
    /// Reads an `index.json`. Entries whose digest is none that can be checked are left out: they
    /// can be asked for by nobody.
    pub(super) fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        let index: OciImageIndex = serde_json::from_slice(text)?;
        let signed = signed_image(&index.manifests);
        let is_named = index.manifests.iter().any(|entry| name(entry).is_some());
        let images = match &signed {
            _ if is_named || index.manifests.is_empty() => Images::Named,
            Some(_) => Images::OfCosign,
            None => Images::Unnamed,
        };
        let named = |entry: ImageIndexEntry| {
            let evidence = || evidence_tag(&entry, signed.as_ref()?).map(Name::Bare);
            let name = name(&entry).or_else(evidence);
            Some(Named { digest: entry.digest.parse().ok()?, media_type: entry.media_type, name })
        };
        let listed = index.manifests.into_iter().filter_map(named).collect();
        Ok(Self { listed, images })
    }

    /// The manifest of a digest.
    pub(super) fn digest(&self, digest: &Digest) -> Option<&Named> {
        self.listed.iter().find(|named| named.digest == *digest)
    }

    /// All manifests.
    pub(super) fn all(&self) -> impl Iterator<Item = &Named> {
        self.listed.iter()
    }

    /// The tags of a repository, in the order of `index.json`, each once. `own` as in
    /// [`Self::tagged`].
    pub(super) fn tags(
        &self,
        repository: &Repository,
        own: Option<&Repository>,
    ) -> Result<Vec<String>, Fault> {
        let mut tags: Vec<String> = Vec::new();
        for named in &self.listed {
            let tag = match &named.name {
                Some(Name::Full(of, tag)) if of == repository => tag,
                Some(Name::Bare(tag)) if own == Some(repository) => tag,
                Some(Name::Bare(tag)) if own.is_none() => return Err(Fault::Nameless(tag.clone())),
                _ => continue,
            };
            if !tags.iter().any(|known| known == tag.as_str()) {
                tags.push(tag.to_string());
            }
        }
        match self.images {
            Images::Named => Ok(tags),
            Images::Unnamed | Images::OfCosign => Err(Fault::NoTags),
        }
    }

    /// The manifest of a tag. `own` is the repository that this layout is of, where its place
    /// says so: a mere tag is of that one. Elsewhere a mere tag may be anybody's.
    pub(super) fn tagged(
        &self,
        repository: &Repository,
        tag: &Tag,
        own: Option<&Repository>,
    ) -> Result<Option<&Named>, Fault> {
        let is_meant = |named: &&Named| match &named.name {
            Some(Name::Full(of, called)) => of == repository && called == tag,
            Some(Name::Bare(called)) => own == Some(repository) && called == tag,
            None => false,
        };
        let mut meant = self.listed.iter().filter(is_meant);
        if let Some(first) = meant.next() {
            let contradicted = meant.any(|other| other.digest != first.digest);
            return if contradicted { Err(Fault::Twice(tag.clone())) } else { Ok(Some(first)) };
        }
        let is_bare =
            |named: &Named| matches!(&named.name, Some(Name::Bare(called)) if called == tag);
        let is_evidence = || COSIGN_EVIDENCE.iter().any(|(_, end)| tag.as_str().ends_with(end));
        match self.images {
            _ if own.is_none() && self.listed.iter().any(is_bare) => {
                Err(Fault::Nameless(tag.clone()))
            }
            Images::Unnamed => Err(Fault::Unnamed(tag.clone())),
            Images::OfCosign if !is_evidence() => Err(Fault::Unnamed(tag.clone())),
            Images::Named | Images::OfCosign => Ok(None),
        }
    }
}

/// What `cosign save` says of a manifest.
fn cosign_kind(entry: &ImageIndexEntry) -> Option<&str> {
    entry.annotations.as_ref()?.get(COSIGN_KIND).map(String::as_str)
}

/// The one image of a layout that `cosign save` made.
fn signed_image(entries: &[ImageIndexEntry]) -> Option<Digest> {
    let is_image = |entry: &&ImageIndexEntry| {
        cosign_kind(entry).is_some_and(|kind| COSIGN_IMAGES.contains(&kind))
    };
    let mut images = entries.iter().filter(is_image);
    match (images.next(), images.next()) {
        (Some(image), None) => image.digest.parse().ok(),
        _ => None,
    }
}

/// The tag that a registry would have for a manifest of signatures or attestations of `image`.
fn evidence_tag(entry: &ImageIndexEntry, image: &Digest) -> Option<Tag> {
    let kind = cosign_kind(entry)?;
    let (_, end) = COSIGN_EVIDENCE.iter().find(|(known, _)| *known == kind)?;
    format!("{}{end}", fallback_tag(image)).parse().ok()
}

fn name(entry: &ImageIndexEntry) -> Option<Name> {
    let annotations = entry.annotations.as_ref()?;
    let full = |text: &String| {
        let reference: Reference = text.parse().ok()?;
        let tag = reference.tag()?.clone();
        Some(Name::Full(reference.repository().clone(), tag))
    };
    let bare = |text: &String| text.parse().ok().map(Name::Bare);
    let of_containerd = annotations.get(CONTAINERD_NAME).and_then(full);
    let ref_name = annotations.get(REF_NAME);
    of_containerd.or_else(|| ref_name.and_then(bare)).or_else(|| ref_name.and_then(full))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(letter: char) -> Digest {
        format!("sha256:{}", letter.to_string().repeat(64)).parse().expect("a digest")
    }

    /// Entries of a digest's letter and annotations.
    fn names(entries: &[(char, &[(&str, &str)])]) -> Names {
        let manifests: Vec<_> = entries
            .iter()
            .map(|(letter, annotations)| {
                let annotations: serde_json::Map<_, _> = annotations
                    .iter()
                    .map(|(key, value)| ((*key).to_owned(), (*value).into()))
                    .collect();
                serde_json::json!({"mediaType": "m", "digest": digest(*letter), "size": 1, "annotations": annotations})
            })
            .collect();
        let index = serde_json::json!({"schemaVersion": 2, "manifests": manifests});
        Names::parse(index.to_string().as_bytes()).expect("an index")
    }

    fn tagged(names: &Names, image: &str, own: Option<&str>) -> Result<Option<Digest>, Fault> {
        let image: Reference = image.parse().expect("a reference");
        let own: Option<Repository> = own.map(|own| own.parse().expect("a repository"));
        let tag = image.tag().expect("a tag");
        let found = names.tagged(image.repository(), tag, own.as_ref())?;
        Ok(found.map(|named| named.digest.clone()))
    }

    #[test]
    fn full_names_say_all() {
        let names = names(&[
            ('a', &[(REF_NAME, "docker.io/library/nginx:1.27")]),
            ('b', &[(CONTAINERD_NAME, "ghcr.io/acme/web:2"), (REF_NAME, "2")]),
            ('c', &[]),
        ]);
        assert_eq!(tagged(&names, "nginx:1.27", None), Ok(Some(digest('a'))));
        assert_eq!(tagged(&names, "ghcr.io/acme/web:2", None), Ok(Some(digest('b'))));
        assert_eq!(tagged(&names, "nginx:2", None), Ok(None));
        assert_eq!(
            tagged(&names, "nginx:2", Some("nginx")),
            Ok(None),
            "`2` is of another repository"
        );
        assert!(names.digest(&digest('c')).is_some());
    }

    #[test]
    fn a_mere_tag_is_of_the_repository_whose_place_it_is() {
        let names = names(&[('a', &[(REF_NAME, "1.27")])]);
        assert_eq!(tagged(&names, "nginx:1.27", Some("nginx")), Ok(Some(digest('a'))));
        let tag = "1.27".parse().expect("a tag");
        assert_eq!(tagged(&names, "nginx:1.27", None), Err(Fault::Nameless(tag)));
        assert_eq!(tagged(&names, "nginx:1.28", None), Ok(None));
    }

    #[test]
    fn without_names_a_tag_cannot_be_told() {
        let tag = |text: &str| text.parse::<Tag>().expect("a tag");
        let unnamed = names(&[('a', &[])]);
        for own in [None, Some("nginx")] {
            assert_eq!(tagged(&unnamed, "nginx:1", own), Err(Fault::Unnamed(tag("1"))));
        }
        assert!(unnamed.digest(&digest('a')).is_some());
        assert_eq!(tagged(&names(&[]), "nginx:1", Some("nginx")), Ok(None));
    }

    #[test]
    fn what_cosign_saves_has_the_tags_of_a_registry() {
        let image = ("kind", "dev.cosignproject.cosign/imageIndex");
        let signatures = ("kind", "dev.cosignproject.cosign/sigs");
        let saved = names(&[('a', &[image]), ('b', &[signatures])]);
        let of = |end: &str| format!("nginx:sha256-{}{end}", "a".repeat(64));
        assert_eq!(tagged(&saved, &of(".sig"), Some("nginx")), Ok(Some(digest('b'))));
        assert_eq!(tagged(&saved, &of(".att"), Some("nginx")), Ok(None));
        let tag = "1".parse().expect("a tag");
        assert_eq!(tagged(&saved, "nginx:1", Some("nginx")), Err(Fault::Unnamed(tag)));
        // Of two images nobody says which is signed.
        let two = names(&[('a', &[image]), ('c', &[image]), ('b', &[signatures])]);
        assert!(tagged(&two, &of(".sig"), Some("nginx")).is_err());
    }

    #[test]
    fn one_name_for_two_is_no_name() {
        let twice = names(&[('a', &[(REF_NAME, "x")]), ('b', &[(REF_NAME, "x")])]);
        let tag = "x".parse().expect("a tag");
        assert_eq!(tagged(&twice, "nginx:x", Some("nginx")), Err(Fault::Twice(tag)));
        let same = names(&[('a', &[(REF_NAME, "x")]), ('a', &[(REF_NAME, "x")])]);
        assert_eq!(tagged(&same, "nginx:x", Some("nginx")), Ok(Some(digest('a'))));
    }
}
