//! How old an image is, by its own word.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use records::{Digest, Platform};
use registry::platform::{is_attestation, select};
use registry::{Descriptor, Error, Manifest, Registry, Repository, Selection, Tag};
use serde::Deserialize;

/// How large an image's configuration may be, in bytes.
const MAX_CONFIG: u64 = 8 * 1024 * 1024;

/// Images that say they are older were built reproducibly, with a time that means nothing.
const EARLIEST: i64 = 946_684_800; // 2000-01-01

/// The part of an image's configuration that says when it was built (OCI image specification,
/// config.md, `created`).
#[derive(Deserialize)]
struct Config {
    created: Option<String>,
}

/// When the image of a tag was built; nothing where it does not say so. Of an index, the image for
/// linux/amd64 counts, or the first.
pub(crate) async fn built(
    registry: &Registry,
    repository: &Repository,
    tag: &str,
) -> Result<Option<Timestamp>, Error> {
    let Ok(tag) = tag.parse::<Tag>() else { return Ok(None) };
    let Some(found) = registry.head(repository, &tag).await? else { return Ok(None) };
    let digest = found.value.digest;
    let image = match registry.manifest(repository, &digest).await?.as_deref() {
        Some(Manifest::Image(_)) => Some(digest),
        Some(Manifest::Index(index)) => {
            let amd64: Option<Platform> = "linux/amd64".parse().ok();
            match amd64.map(|platform| select(index, &platform)) {
                Some(Selection::One(digest)) => Some(digest),
                _ => {
                    let mut images = index.manifests.iter().filter(|entry| !is_attestation(entry));
                    images.find_map(|entry| entry.digest.parse::<Digest>().ok())
                }
            }
        }
        None => None,
    };
    let Some(image) = image else { return Ok(None) };
    let Some(digest) = registry.config_digest(repository, &image).await? else { return Ok(None) };
    let config = Descriptor { digest, media_type: None, size: None };
    let Some(config) = registry.blob(repository, &config, MAX_CONFIG).await? else {
        return Ok(None);
    };
    Ok(time(&config))
}

/// The time in a configuration, where it means something.
fn time(config: &[u8]) -> Option<Timestamp> {
    let Config { created } = serde_json::from_slice(config).ok()?;
    created?.parse::<Timestamp>().ok().filter(|time| time.as_second() >= EARLIEST)
}

/// Whether something that was built then is younger than this.
pub(crate) fn is_younger(built: Timestamp, now: Timestamp, minimum: Duration) -> bool {
    SignedDuration::try_from(minimum).is_ok_and(|minimum| now.duration_since(built) < minimum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_means_nothing_is_none() {
        let read = |text: &str| time(text.as_bytes()).map(|time| time.to_string());
        let some = read(r#"{"created":"2026-11-20T10:00:00.5+01:00"}"#);
        assert_eq!(some.as_deref(), Some("2026-11-20T09:00:00.5Z"));
        for none in [
            r#"{"created":"1970-01-01T00:00:00Z"}"#,
            r#"{"created":"0001-01-01T00:00:00Z"}"#,
            r#"{"created":"yesterday"}"#,
            r#"{"created":null}"#,
            "{}",
            "[]",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn an_age_is_compared() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let week = Duration::from_secs(7 * 86_400);
        let now = at("2026-11-24T06:00:00Z");
        assert!(is_younger(at("2026-11-20T00:00:00Z"), now, week));
        assert!(!is_younger(at("2026-11-17T00:00:00Z"), now, week));
        assert!(is_younger(at("2027-01-01T00:00:00Z"), now, week));
    }
}
