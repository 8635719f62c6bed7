//! Attacks on what reads the answers of registries, references and credentials; see
//! `testkit::fuzz`.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, LINK, WWW_AUTHENTICATE};
use http_asking::Address;
use records::Platform;

use crate::auth::challenge::{self, Challenge};
use crate::pages::Pages;
use crate::tags::Tags;
use crate::{AnyReference, Manifest, OciImageIndex, Reference, platform};

pub use crate::keychain::fuzz::docker_config;

/// A manifest or an index. The first line is the content type that came with it.
pub fn manifest(bytes: &[u8]) {
    let (content_type, body) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) if !bytes.starts_with(b"{") => (Some(&bytes[..at]), &bytes[at + 1..]),
        _ => (None, bytes),
    };
    let content_type = content_type.and_then(|text| std::str::from_utf8(text).ok());
    let Ok(manifest) = Manifest::parse(body, content_type) else { return };
    assert!(!manifest.media_type().is_empty());
    let Manifest::Index(index) = manifest else { return };
    let listed = platform::platforms(&index);
    assert!(listed.len() <= index.manifests.len());
    let wanted: Platform = "linux/arm64".parse().expect("a platform");
    let _ = platform::select(&index, &wanted);
    for (_, digest) in listed {
        assert!(index.manifests.iter().any(|entry| entry.digest == digest.to_string()));
    }
}

/// The body of a list of tags, and of a list of referrers.
pub fn list(body: &[u8]) {
    let mut tags = Tags::default();
    if tags.read_page(body).is_ok() {
        // What is no tag is counted and not kept.
        assert!(tags.iter().count() <= tags.len());
    }
    let _ = serde_json::from_slice::<OciImageIndex>(body);
}

/// The value of a `WWW-Authenticate`: no realm but one that is written there.
pub fn challenge(value: &[u8]) {
    let Some(headers) = header(WWW_AUTHENTICATE, value) else { return };
    let Some(Challenge::Bearer(bearer)) = challenge::of(&headers) else { return };
    let scheme = bearer.realm.url().scheme().to_owned();
    assert!(matches!(scheme.as_str(), "http" | "https"), "{scheme}");
    for text in [bearer.service, bearer.scope].into_iter().flatten() {
        assert!(text.len() <= value.len());
    }
}

/// The value of a `Link`: the page after stays at its host, and pages end.
pub fn link(value: &[u8]) {
    let Some(headers) = header(LINK, value) else { return };
    let mut here: Address =
        "https://registry.example.com/v2/acme/web/tags/list?n=2".parse().expect("an address");
    let mut pages = Pages::default();
    // A host may lengthen each address by what it sends, a thousand times.
    let most = if value.len() > 512 { 3 } else { 1000 };
    let mut count = 0;
    while let Ok(Some(next)) = pages.next(&here, &headers) {
        assert_eq!((next.host(), next.scheme()), (here.host(), here.scheme()));
        here = next;
        count += 1;
        if count == most {
            break;
        }
    }
}

fn header(name: HeaderName, value: &[u8]) -> Option<HeaderMap> {
    let value = HeaderValue::from_bytes(value).ok()?;
    Some(HeaderMap::from_iter([(name, value)]))
}

/// An image reference: one that is read prints in full to one that is read as the same.
pub fn reference(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(AnyReference::Digest(digest)) = Reference::parse_any(text) {
        assert!(text.ends_with(digest.hex()) || text == digest.to_string());
    }
    let Ok(reference) = text.parse::<Reference>() else { return };
    let repository = reference.repository();
    let printed = full(&reference);
    let again: Reference = printed.parse().expect(&printed);
    assert_eq!(again.repository(), repository, "{printed}");
    assert_eq!(again.digest(), reference.digest(), "{printed}");
    assert_eq!(again.tag(), reference.tag(), "{printed}");
    // The short form is Go's, with its ambiguities (`docker.io/a.b/c` is short for another
    // registry's): it is for people's eyes.
    let short = reference.familiar();
    assert!(printed.ends_with(&short) || reference.tag_defaulted(), "{short} of {printed}");
    let printed = repository.to_string();
    assert!(!printed.contains([' ', '?', '#', '%', '\\', '@']), "{printed}");
    assert!(!printed.contains("..") && !printed.contains("//"), "{printed}");
}

fn full(reference: &Reference) -> String {
    let mut text = reference.repository().to_string();
    if let Some(tag) = reference.tag() {
        text.push_str(&format!(":{tag}"));
    }
    if let Some(digest) = reference.digest() {
        text.push_str(&format!("@{digest}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use testkit::fuzz::{Target, attack};

    const HERE: &str = env!("CARGO_MANIFEST_DIR");

    #[test]
    fn manifests_under_attack() {
        let words = &[
            "mediaType",
            "application/vnd.oci.image.index.v1+json\n",
            "application/vnd.oci.image.manifest.v1+json",
            "manifests",
            "layers",
            "platform",
            "schemaVersion",
        ];
        attack(Target::new(HERE, "manifest", super::manifest, words), Vec::new());
    }

    #[test]
    fn lists_under_attack() {
        let words = &["tags", "name", "manifests", "artifactType", "null"];
        attack(Target::new(HERE, "list", super::list, words), Vec::new());
    }

    #[test]
    fn challenges_under_attack() {
        let words =
            &["Bearer ", "realm=\"", "service=", "scope=", "Basic ", ", ", "https://", "\\\""];
        attack(Target::new(HERE, "challenge", super::challenge, words), Vec::new());
    }

    #[test]
    fn links_under_attack() {
        let words = &["<", ">", "; rel=\"next\"", "; rel=next", "/v2/", "https://", "?n=1&last="];
        attack(Target::new(HERE, "link", super::link, words), Vec::new());
    }

    #[test]
    fn references_under_attack() {
        let words =
            &["docker.io/", "library/", ":", "@sha256:", "localhost", ":5000/", "[::1]", "."];
        attack(Target::new(HERE, "reference", super::reference, words).share(500), Vec::new());
    }

    #[test]
    fn docker_configurations_under_attack() {
        let words =
            &["auths", "credHelpers", "credsStore", "auth", "identitytoken", "*.", "https://"];
        attack(Target::new(HERE, "docker_config", super::docker_config, words), Vec::new());
    }
}
