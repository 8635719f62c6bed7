//! Clients of the HTTP library: how connections are made.

use std::sync::Arc;

use tracing::warn;

use crate::guard::Guard;
use crate::{HostSettings, Settings, SettingsError};

/// How much of one answer a host may send by HTTP/2 before we take it (RFC 9113, section 5.2).
const HTTP2_STREAM_WINDOW: u32 = 256 * 1024;

/// How much of all answers together.
const HTTP2_CONNECTION_WINDOW: u32 = 2 * 1024 * 1024;

/// Two clients with the same certificates.
#[derive(Debug)]
pub(crate) struct Speaker {
    /// Speaks HTTP/2 where the host does.
    pub(crate) whatever: reqwest::Client,
    /// Speaks HTTP/1.1 alone.
    pub(crate) http1: reqwest::Client,
}

/// Which versions of HTTP a client speaks.
#[derive(Debug, Clone, Copy)]
enum Versions {
    All,
    Http1,
}

impl Speaker {
    /// Clients for all hosts, or for those of one entry of the hosts file.
    pub(crate) fn new(
        settings: &Settings,
        guard: &Guard,
        own: Option<&HostSettings>,
    ) -> Result<Self, SettingsError> {
        let client = |versions| build(settings, guard, own, versions);
        Ok(Self { whatever: client(Versions::All)?, http1: client(Versions::Http1)? })
    }
}

fn build(
    settings: &Settings,
    guard: &Guard,
    own: Option<&HostSettings>,
    versions: Versions,
) -> Result<reqwest::Client, SettingsError> {
    let more = own.map(|own| own.authorities.clone()).unwrap_or_default();
    let authorities = || [settings.authorities.clone(), more.clone()].concat();
    let builder = || {
        let builder = builder(settings, guard);
        let builder = match versions {
            Versions::All => builder,
            Versions::Http1 => builder.http1_only(),
        };
        match own.and_then(|own| own.identity.clone()) {
            Some(identity) => builder.identity(identity),
            None => builder,
        }
    };
    match builder().tls_certs_merge(authorities()).build() {
        Ok(client) => Ok(client),
        // A machine (or an image) without authorities of its own: hosts with a certificate from
        // `--ca-file`, and plain http, can still be asked; the others fail by their own message.
        Err(error) => {
            warn!(%error, "no authorities of this machine; only those of `--ca-file` are known");
            let only = builder().tls_certs_only(authorities());
            only.build().map_err(SettingsError::Client)
        }
    }
}

fn builder(settings: &Settings, guard: &Guard) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .dns_resolver(Arc::new(guard.clone()))
        .user_agent(concat!("provenance-collector/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(settings.connect_timeout)
        .read_timeout(settings.idle_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // Bodies are unpacked here, where there are limits on both sides of that.
        .no_gzip()
        .no_zstd()
        // What a host may send before we have looked at it.
        .http2_initial_stream_window_size(HTTP2_STREAM_WINDOW)
        .http2_initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
}
