//! Asking an OCI registry, or an OCI layout directory in its place.
//!
//! References are read as Docker and Kubernetes read them ([`Reference`]); credentials come from
//! the files that these keep ([`Keychain`]); questions go to a [`Registry`], which asks each once
//! and checks what comes back; [`platform`] decides which manifest of an index runs where. The
//! definitions of manifests and indexes are those of the `oci-client` crate; its
//! client is not used, since it takes refusals for empty answers.
//!
//! The one rule: `None` means that the registry said so. What could not be asked, was refused, or
//! came back as something else is an [`Error`].

mod answer;
mod apis;
mod args;
mod auth;
mod content;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod kept;
mod keychain;
mod layout;
mod lists;
mod manifest;
mod mirrors;
mod once;
mod pages;
pub mod platform;
mod reference;
mod registry;
mod remote;
mod secret;
mod stream;
mod tags;
mod view;

pub use answer::{Answer, Authority};
pub use args::{RegistryArgs, SetupError};
pub use content::Descriptor;
pub use error::{Denial, Error};
pub use http_asking::Sink;
pub use keychain::{
    Credential, HelperError, Keychain, KeychainError, PullSecret, PullSecrets, SecretForm,
    SecretName,
};
pub use layout::LayoutError;
pub use lists::{Referrers, fallback_tag};
pub use manifest::{Manifest, ManifestError};
pub use oci_client::manifest::{ImageIndexEntry, OciDescriptor, OciImageIndex, OciImageManifest};
pub use pages::PageError;
pub use platform::Selection;
pub use reference::{
    AnyReference, Reference, ReferenceError, Repository, Tag, TagError, TagOrDigest,
};
pub use registry::Registry;
pub use secret::Secret;
pub use tags::Tags;
