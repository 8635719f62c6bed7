//! The flags of asking registries.

use std::ffi::OsString;
use std::path::Path;

use clap::Args;
use http_asking::{Client, HttpArgs, SettingsError};

use crate::keychain::{Keychain, KeychainError};
use crate::layout::{Layout, LayoutError};
use crate::registry::Registry;

/// The flags of asking registries, as they were typed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Registries")]
pub struct RegistryArgs {
    /// Credentials: a Docker config.json or .dockerconfigjson, or a folder that holds one
    /// [default: those of Docker and Podman, where they are]
    #[arg(long, value_name = "FILE", env = "PROVENANCE_REGISTRY_AUTH")]
    pub registry_auth: Option<OsString>,

    /// The layout directory in place of every registry.
    #[arg(
        long,
        value_name = "DIR",
        env = "PROVENANCE_LAYOUT",
        help = "Read this folder in place of every registry: one OCI image layout, or layouts at \
                <registry>/<repository>/"
    )]
    pub layout: Option<OsString>,

    /// How registries are asked.
    #[command(flatten)]
    pub http: HttpArgs,
}

/// Registries cannot be asked with these settings. All of these are faults of usage.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A setting of asking.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The credentials.
    #[error(transparent)]
    Keychain(#[from] KeychainError),
    /// The layout directory.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

impl Registry {
    /// The registries of these flags, or the layout directory in their place.
    ///
    /// # Errors
    /// A [`SetupError`] for what cannot be used, before anything is asked.
    pub fn new(args: RegistryArgs) -> Result<Self, SetupError> {
        let RegistryArgs { registry_auth, layout, http } = args;
        // An empty variable is an unset one.
        let set = |value: Option<OsString>| value.filter(|value| !value.is_empty());
        // What was typed is checked also where it will not be used.
        let settings = http.settings()?;
        if let Some(path) = set(layout) {
            return Ok(Self::of_layout(Layout::open(Path::new(&path))?));
        }
        let auth = set(registry_auth);
        let keychain = Keychain::load(auth.as_deref().map(Path::new))?;
        Ok(Self::remote(Client::new(settings)?, keychain))
    }
}
