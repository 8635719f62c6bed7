//! The settings of the doors. Half of a login is none, and refuses to start.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum_extra::extract::cookie::Key;
use clap::Args;
use openidconnect::ClientSecret;
use url::Url;

use super::Doors;
use super::caller::Bearer;
use super::oidc::{Oidc, OidcSettings};

/// Who may read, and how they prove who they are.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Doors")]
pub struct DoorArgs {
    /// Let everybody who reaches the listener read, without any login
    #[arg(long, env = "PROVENANCE_NO_LOGIN", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    pub no_login: bool,
    /// The OpenID Connect issuer, as tokens name it
    #[arg(long, env = "PROVENANCE_OIDC_ISSUER", value_name = "URL")]
    pub oidc_issuer: Option<Url>,
    /// Where the issuer is reached from here, where that is not its own URL
    #[arg(long, env = "PROVENANCE_OIDC_BACKCHANNEL", value_name = "URL")]
    pub oidc_backchannel: Option<Url>,
    /// The client's name at the issuer; tokens must be for it
    #[arg(long, env = "PROVENANCE_OIDC_CLIENT_ID", value_name = "ID")]
    pub oidc_client_id: Option<String>,
    /// The file with the client's secret; a public client has none
    #[arg(long, env = "PROVENANCE_OIDC_CLIENT_SECRET_FILE", value_name = "FILE")]
    pub oidc_client_secret_file: Option<PathBuf>,
    /// What is asked for at the login, beside `openid`
    #[arg(
        long,
        env = "PROVENANCE_OIDC_SCOPES",
        value_name = "SCOPE",
        value_delimiter = ',',
        default_value = "profile,email,groups"
    )]
    pub oidc_scopes: Vec<String>,
    /// The claim with the groups of who logs in
    #[arg(
        long,
        env = "PROVENANCE_OIDC_GROUPS_CLAIM",
        value_name = "NAME",
        default_value = "groups"
    )]
    pub oidc_groups_claim: String,
    /// Another audience whose tokens are taken from scripts
    #[arg(long, env = "PROVENANCE_OIDC_AUDIENCE", value_name = "AUDIENCE", value_delimiter = ',')]
    pub oidc_audience: Vec<String>,
    /// Where browsers reach this server; the login comes back to `/oauth2/callback` below it
    #[arg(long, env = "PROVENANCE_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,
    /// Groups that may read; without any, everybody who logs in
    #[arg(long, env = "PROVENANCE_READ_GROUPS", value_name = "GROUP", value_delimiter = ',')]
    pub read_groups: Vec<String>,
    /// Groups that may start a scan
    #[arg(long, env = "PROVENANCE_ADMIN_GROUPS", value_name = "GROUP", value_delimiter = ',')]
    pub admin_groups: Vec<String>,
    /// How long a login lasts; then groups are asked for anew
    #[arg(long, env = "PROVENANCE_SESSION_LIFETIME", value_name = "DURATION", default_value = "1h", value_parser = records::duration::parse)]
    pub session_lifetime: Duration,
    /// The file with the secret that seals cookies, at least 32 bytes; without one, a restart ends
    /// all sessions
    #[arg(long, env = "PROVENANCE_SESSION_KEY_FILE", value_name = "FILE")]
    pub session_key_file: Option<PathBuf>,
    /// The file with the token by which machines read
    #[arg(long, env = "PROVENANCE_READ_TOKEN_FILE", value_name = "FILE")]
    pub read_token_file: Option<PathBuf>,
    /// Certificates of authorities to trust for the issuer, beside the machine's
    #[arg(long, value_name = "FILE", env = "PROVENANCE_CA_FILE", value_delimiter = ',')]
    pub ca_file: Vec<std::ffi::OsString>,
}

/// Why doors cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// Nobody said who may read.
    #[error("nothing says who may read the reports")]
    Undecided,
    /// A login without a part that it needs.
    #[error("the login is half configured: `{0}` is missing")]
    Half(&'static str),
    /// A login, and none.
    #[error("`--no-login` and `{0}` exclude each other")]
    Both(&'static str),
    /// The issuer is not reached by TLS.
    #[error("the issuer `{0}` is not an https URL")]
    Issuer(Url),
    /// A file with a secret cannot be read.
    #[error("the secret in `{path}` cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file with a secret has too little in it.
    #[error("the secret in `{path}` is shorter than {least} bytes")]
    Short {
        /// The file.
        path: PathBuf,
        /// How long it must be.
        least: usize,
    },
    /// The client cannot be set up.
    #[error("the issuer cannot be asked")]
    Client(#[source] http_asking::SettingsError),
}

impl DoorError {
    /// What would mend it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Undecided => {
                "give `--oidc-issuer` (with `--oidc-client-id` and `--public-url`), `--read-token-file`, or `--no-login` where the network already decides who comes here"
            }
            Self::Half(_) => "a login needs `--oidc-issuer`, `--oidc-client-id` and `--public-url`",
            Self::Both(_) => "leave one of them out",
            Self::Issuer(_) => "only an issuer on the loopback address may be plain http",
            Self::Unreadable { .. } | Self::Short { .. } => {
                "mount the Secret there, readable by uid 65532"
            }
            Self::Client(_) => "see `--ca-file`",
        }
    }
}

/// The shortest token that is taken: 16 bytes are 128 bits at most.
const LEAST_TOKEN: usize = 16;
/// What sealing needs (cookie's `Key::derive_from`).
const LEAST_KEY: usize = 32;

impl DoorArgs {
    /// The doors that are asked for.
    ///
    /// # Errors
    /// When they are not decided, or half decided, and when a secret cannot be read.
    pub fn doors(self) -> Result<Doors, DoorError> {
        if self.no_login && self.oidc_issuer.is_some() {
            return Err(DoorError::Both("--oidc-issuer"));
        }
        let read_token =
            self.read_token_file.as_ref().map(|path| secret(path, LEAST_TOKEN)).transpose()?;
        if self.no_login && read_token.is_some() {
            return Err(DoorError::Both("--read-token-file"));
        }
        let key = match &self.session_key_file {
            Some(path) => Key::derive_from(secret(path, LEAST_KEY)?.as_bytes()),
            None => Key::generate(),
        };
        let oidc = self.oidc()?;
        if !self.no_login && oidc.is_none() && read_token.is_none() {
            return Err(DoorError::Undecided);
        }
        Ok(Doors {
            open: self.no_login,
            read_token: read_token.as_deref().map(Bearer::new),
            oidc: oidc.map(Arc::new),
            readers: self.read_groups,
            admins: self.admin_groups,
            key,
        })
    }

    fn oidc(&self) -> Result<Option<Oidc>, DoorError> {
        let Some(issuer) = self.oidc_issuer.clone() else {
            let parts = [
                (self.oidc_client_id.is_some(), "--oidc-issuer"),
                (!self.read_groups.is_empty(), "--oidc-issuer"),
                (!self.admin_groups.is_empty(), "--oidc-issuer"),
                (self.oidc_backchannel.is_some(), "--oidc-issuer"),
            ];
            return match parts.into_iter().find(|(there, _)| *there) {
                Some((_, missing)) => Err(DoorError::Half(missing)),
                None => Ok(None),
            };
        };
        if issuer.scheme() != "https" && !is_loopback(&issuer) {
            return Err(DoorError::Issuer(issuer));
        }
        let client_secret = self
            .oidc_client_secret_file
            .as_ref()
            .map(|path| secret(path, 1))
            .transpose()?
            .map(ClientSecret::new);
        let settings = OidcSettings {
            issuer,
            backchannel: self.oidc_backchannel.clone(),
            client_id: self.oidc_client_id.clone().ok_or(DoorError::Half("--oidc-client-id"))?,
            client_secret,
            scopes: self.oidc_scopes.clone(),
            groups_claim: self.oidc_groups_claim.clone(),
            audiences: self.oidc_audience.clone(),
            public_url: self.public_url.clone().ok_or(DoorError::Half("--public-url"))?,
            lifetime: self.session_lifetime,
            ca_file: self.ca_file.clone(),
        };
        Oidc::new(settings).map(Some).map_err(DoorError::Client)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A secret from a file, without the white space around it.
fn secret(path: &std::path::Path, least: usize) -> Result<String, DoorError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| DoorError::Unreadable { path: path.to_owned(), source })?;
    let text = text.trim();
    if text.len() < least {
        return Err(DoorError::Short { path: path.to_owned(), least });
    }
    Ok(text.to_owned())
}
