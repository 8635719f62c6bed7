//! Attacks on what reads credentials; see `testkit::fuzz`.

use super::config::ConfigFile;
use crate::Reference;

/// A secret as the corpus has it.
const SECRET: &str = "hunter2hunter2";

/// A Docker configuration file: its secrets are in no message.
pub fn docker_config(bytes: &[u8]) {
    match ConfigFile::parse(bytes) {
        Err(fault) => assert!(!format!("{fault} {fault:?}").contains(SECRET)),
        Ok(config) => {
            for image in ["nginx", "ghcr.io/acme/web", "registry.example.com:5000/a/b/c"] {
                let reference: Reference = image.parse().expect("a reference");
                let _ = config.sources(reference.repository());
            }
        }
    }
    if let Err(fault) = ConfigFile::parse_auths(bytes).map(ConfigFile::into_stored) {
        assert!(!format!("{fault} {fault:?}").contains(SECRET));
    }
}
