//! Attacks on what reads the configuration of trust; see `testkit::fuzz`.

use super::glob::ImageName;
use super::yaml::Text;
use super::{exception, pem, policy};
use crate::judge::Key;

/// Documents of policies and roots: those that are read can be asked about any image.
pub fn policies(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let texts = [Text::of("policies.yaml", text)];
    let Ok(read) = policy::read(&texts, &mut Vec::new()) else { return };
    let image = ImageName::new("ghcr.io/acme/web:1.4", []);
    for policy in &read.policies {
        assert!(!policy.name.is_empty());
        let _ = policy.is_about(&image);
    }
}

/// A file of exceptions: each that is read says why, who, and until when.
pub fn exceptions(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(read) = exception::read(&Text::of("exceptions.yaml", text)) else { return };
    for exception in &read {
        let _ = exception.until();
        assert!(!exception.text().chars().any(char::is_control));
    }
}

/// Public keys and certificates in PEM: a key that is taken is one that the judge can use.
pub fn keys(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = pem::public_keys(text);
    let _ = pem::certificates(text);
    if let Ok(key) = Key::from_pem("key", text) {
        assert!(key.id().0.starts_with("sha256:"));
    }
}
