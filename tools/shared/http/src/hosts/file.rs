//! The hosts file as it is written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct File {
    /// The only hosts that may be asked.
    pub(super) allow_hosts: Option<Vec<String>>,
    pub(super) hosts: Option<BTreeMap<String, Entry>>,
}

/// One host, or `*.domain`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Entry {
    #[serde(default)]
    pub(super) plain_http: bool,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) client_certificate: Option<ClientCertificate>,
    pub(super) max_in_flight: Option<u16>,
    pub(super) requests_per_second: Option<f64>,
    #[serde(default)]
    pub(super) realms: Vec<String>,
    #[serde(default)]
    pub(super) allow_addresses: Vec<String>,
    pub(super) credentials: Option<Credentials>,
    #[serde(default)]
    pub(super) mirrors: Vec<String>,
    pub(super) upstream: Option<AfterMirrors>,
}

/// Whether the host itself is asked after its mirrors.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum AfterMirrors {
    Fallback,
    Never,
}

/// Who we are, in TLS.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ClientCertificate {
    pub(super) cert_file: PathBuf,
    pub(super) key_file: PathBuf,
}

/// Where credentials are to be had; none of them stands here itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Credentials {
    pub(super) username: Option<String>,
    pub(super) password_env: Option<String>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) identity_token_env: Option<String>,
    pub(super) identity_token_file: Option<PathBuf>,
}
