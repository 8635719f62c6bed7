//! Manifests and configurations, read and kept.

use std::sync::Arc;

use records::{Digest, Platform};
use serde::Deserialize;

use crate::Repository;
use crate::error::Error;
use crate::manifest::Manifest;
use crate::remote::Fetched;

/// A manifest and the size of its JSON.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) size: usize,
}

impl Kept {
    /// Reads what was fetched.
    pub(crate) fn parse(
        repository: &Repository,
        digest: &Digest,
        fetched: &Fetched,
    ) -> Result<Self, Error> {
        let parsed = Manifest::parse(&fetched.bytes, fetched.media_type.as_deref());
        let manifest = parsed.map_err(|source| Error::Manifest {
            repository: repository.clone(),
            digest: digest.clone(),
            source,
        })?;
        Ok(Self { manifest: Arc::new(manifest), size: fetched.bytes.len() })
    }
}

/// What an image's configuration says of its platform (OCI image specification, config.md).
#[derive(Deserialize)]
struct Config {
    os: String,
    architecture: String,
    variant: Option<String>,
}

/// The platform that an image's configuration names; nothing if it is none of an image.
pub(crate) fn platform_of(config: &[u8]) -> Option<Platform> {
    let Config { os, architecture, variant } = serde_json::from_slice(config).ok()?;
    let variant = variant.filter(|variant| !variant.is_empty());
    let variant = variant.map_or(String::new(), |variant| format!("/{variant}"));
    format!("{os}/{architecture}{variant}").parse().ok()
}
