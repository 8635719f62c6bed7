//! Settings of single hosts, from one small file.
//!
//! YAML, `docs/hosts.md` documents it. What is said of a host in full counts; else the longest
//! `*.domain` that fits. Secrets stand in files or variables, never in this file.

mod file;
mod mirror;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use records::text::shown;

use crate::guard::embedded;
use crate::{AllowedHosts, Host, HostError, Network, NetworkError};
use file::{AfterMirrors, Credentials as FileCredentials, Entry, File};
pub use mirror::{Mirror, Upstream};

/// The names of Docker Hub, and the host that is asked for it: one entry is for all of them.
pub(crate) const DOCKER_HUB: [&str; 2] = ["docker.io", "index.docker.io"];
pub(crate) const DOCKER_HUB_HOST: &str = "registry-1.docker.io";

/// The settings of all hosts that have any.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    exact: BTreeMap<Host, HostSettings>,
    /// By the domain with its leading dot, longest first.
    below: Vec<(String, HostSettings)>,
    allowed: AllowedHosts,
}

/// What is set for one host.
#[derive(Debug, Clone, Default)]
pub struct HostSettings {
    /// Which entry of the file this is.
    pub(crate) entry: usize,
    /// Ask over plain http.
    pub plain_http: bool,
    /// Authorities that vouch for this host, beside those that vouch for all.
    pub authorities: Vec<reqwest::Certificate>,
    /// The certificate and key by which we tell this host who we are.
    pub identity: Option<reqwest::Identity>,
    /// Requests in flight to this host.
    pub in_flight: Option<usize>,
    /// The shortest time between two requests to this host.
    pub pace: Option<Duration>,
    /// Hosts where this one may send us for tokens, with its credentials.
    pub realms: Vec<Host>,
    /// Addresses that this host may have whatever they are.
    pub addresses: Vec<Network>,
    /// The credentials for this host.
    pub credentials: Option<HostCredentials>,
    /// What serves this host's repositories as well, in the order of asking.
    pub mirrors: Vec<Mirror>,
    /// Whether the host is asked for what its mirrors do not give.
    pub upstream: Upstream,
}

/// Credentials of the file, read from where it says.
#[derive(Clone, PartialEq, Eq)]
pub enum HostCredentials {
    /// A user and a password.
    Password {
        /// The user's name.
        user: String,
        /// The password.
        password: String,
    },
    /// A refresh token (OAuth 2.0, RFC 6749, section 6).
    IdentityToken(String),
}

/// Says that there are some, and never which.
impl std::fmt::Debug for HostCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Password(…)",
            Self::IdentityToken(_) => "IdentityToken(…)",
        })
    }
}

/// Why the file cannot be used. All of these are faults of configuration.
#[derive(Debug, thiserror::Error)]
pub enum HostsError {
    /// The file, or one that it names, cannot be read.
    #[error("cannot read `{}` ({what})", shown(&path.to_string_lossy()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Not YAML, or not of the form that `docs/hosts.md` describes.
    #[error("`{}` (`--hosts-file`) is not of the form of a hosts file: {why}", shown(&path.to_string_lossy()))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line, column and fault; the text itself is not repeated.
        why: String,
    },
    /// A host's settings do not fit together.
    #[error("`{host}` in the hosts file: {why}")]
    Setting {
        /// The host, as it is written.
        host: String,
        /// What is wrong, and what would be right.
        why: String,
    },
    /// A name that is no host.
    #[error("the hosts file")]
    Host(#[source] HostError),
    /// A list of hosts that may be asked, with none in it.
    #[error("`allowHosts` in the hosts file names no host; leave it out where all may be asked")]
    NobodyAllowed,
    /// An entry of that list that is none.
    #[error("`allowHosts` in the hosts file")]
    AllowHosts(#[source] HostError),
    /// An address that is none.
    #[error("`{host}` in the hosts file, `allowAddresses`")]
    Network {
        /// The host, as it is written.
        host: String,
        /// What is wrong.
        #[source]
        source: NetworkError,
    },
}

impl Hosts {
    /// Reads the file, and the files and variables that it names.
    ///
    /// # Errors
    /// A [`HostsError`] for whatever cannot be used.
    pub fn read(path: &Path) -> Result<Self, HostsError> {
        Self::parse(path, &read(path, "`--hosts-file`")?)
    }

    /// Reads what the file at `path` has.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, HostsError> {
        let malformed =
            |why: &str| HostsError::Malformed { path: path.to_owned(), why: shown(why) };
        let file: File = serde_saphyr::from_str(text)
            .map_err(|error| malformed(error.to_string().lines().next().unwrap_or_default()))?;
        if file.hosts.is_none() && file.allow_hosts.is_none() {
            return Err(malformed("it has neither `hosts` nor `allowHosts`"));
        }
        let allowed = file.allow_hosts.as_deref().map(allow_hosts).transpose()?;
        let mut hosts = Self { allowed: allowed.unwrap_or_default(), ..Self::default() };
        for (at, (name, entry)) in file.hosts.into_iter().flatten().enumerate() {
            let settings = HostSettings { entry: at, ..settings(&name, entry)? };
            match name.strip_prefix('*') {
                Some(domain) if domain.starts_with('.') && domain.len() > 1 => {
                    let in_full = [
                        ("plainHttp", settings.plain_http),
                        ("mirrors", !settings.mirrors.is_empty()),
                    ];
                    if let Some((key, _)) = in_full.iter().find(|(_, is_set)| *is_set) {
                        let why = format!("`{key}` is for a host in full, not for a whole domain");
                        return Err(HostsError::Setting { host: shown(&name), why });
                    }
                    hosts.below.push((domain.to_ascii_lowercase(), settings));
                }
                _ => {
                    let asked = if DOCKER_HUB.contains(&&*name) { DOCKER_HUB_HOST } else { &name };
                    let host = asked.parse().map_err(HostsError::Host)?;
                    if hosts.exact.insert(host, settings).is_some() {
                        let why = "an entry for this host is there already, by another name".into();
                        return Err(HostsError::Setting { host: shown(&name), why });
                    }
                }
            }
        }
        hosts.below.sort_by_key(|(domain, _)| std::cmp::Reverse(domain.len()));
        Ok(hosts)
    }

    /// What is set for a host, if anything is.
    #[must_use]
    pub fn of(&self, host: &Host) -> Option<&HostSettings> {
        let below = || {
            let fits = |domain: &str| host.name().ends_with(domain);
            self.below.iter().find(|(domain, _)| fits(domain)).map(|(_, settings)| settings)
        };
        self.exact.get(host).or_else(below)
    }

    /// The hosts that have mirrors, and their settings.
    pub fn mirrored(&self) -> impl Iterator<Item = (&Host, &HostSettings)> {
        self.exact.iter().filter(|(_, settings)| !settings.mirrors.is_empty())
    }

    /// The hosts that are asked over plain http.
    pub(crate) fn plain_http(&self) -> impl Iterator<Item = Host> + '_ {
        self.exact.iter().filter(|(_, settings)| settings.plain_http).map(|(host, _)| host.clone())
    }

    /// The hosts that may be asked, as far as the file says.
    pub(crate) fn allowed(&self) -> &AllowedHosts {
        &self.allowed
    }

    /// The settings of every entry.
    pub(crate) fn all(&self) -> impl Iterator<Item = &HostSettings> {
        self.exact.values().chain(self.below.iter().map(|(_, settings)| settings))
    }

    /// Whether anything is set for a host of this name, on whatever port, that allows an address.
    pub(crate) fn allows(&self, name: &str, address: IpAddr) -> bool {
        let exact = self.exact.iter().filter(|(host, _)| host.name() == name).map(|(_, s)| s);
        let below = self.below.iter().filter(|(domain, _)| name.ends_with(domain)).map(|(_, s)| s);
        exact.chain(below).any(|settings| settings.allows(address))
    }
}

impl HostSettings {
    /// Whether this host may have that address whatever it is.
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        let real = embedded(address);
        self.addresses.iter().any(|network| network.contains(address) || network.contains(real))
    }
}

/// The file's list of hosts that may be asked. An empty one would allow all, and says none.
fn allow_hosts(patterns: &[String]) -> Result<AllowedHosts, HostsError> {
    if patterns.is_empty() {
        return Err(HostsError::NobodyAllowed);
    }
    let patterns = patterns.iter().map(String::as_str);
    AllowedHosts::parse(patterns).map_err(HostsError::AllowHosts)
}

fn settings(host: &str, entry: Entry) -> Result<HostSettings, HostsError> {
    let wrong = |why: String| HostsError::Setting { host: shown(host), why };
    let pace = match entry.requests_per_second {
        None => None,
        Some(rate) if rate.is_finite() && rate > 0.0 => Some(Duration::from_secs_f64(1.0 / rate)),
        Some(_) => return Err(wrong("`requestsPerSecond` must be more than 0".into())),
    };
    if entry.max_in_flight == Some(0) {
        return Err(wrong("`maxInFlight` must be at least 1".into()));
    }
    let authorities = match &entry.ca_file {
        None => Vec::new(),
        Some(path) => crate::certificates::read(path)
            .map_err(|error| wrong(format!("`caFile`: {}", chain(&error))))?,
    };
    let identity = entry.client_certificate.map(|certificate| {
        let mut pem = read(&certificate.cert_file, "`certFile`")?;
        pem.push('\n');
        pem.push_str(&read(&certificate.key_file, "`keyFile`")?);
        reqwest::Identity::from_pem(pem.as_bytes()).map_err(|_| {
            wrong(
                "`clientCertificate` must name a certificate and its key, both in PEM form".into(),
            )
        })
    });
    let mirrors = entry.mirrors.iter().map(|text| Mirror::parse(text, host));
    let mirrors = mirrors.collect::<Result<Vec<_>, _>>()?;
    if mirrors.is_empty() && entry.upstream.is_some() {
        return Err(wrong(
            "`upstream` says what is asked after `mirrors`, and there are none".into(),
        ));
    }
    let network = |text: &String| {
        text.parse().map_err(|source| HostsError::Network { host: shown(host), source })
    };
    Ok(HostSettings {
        entry: 0,
        plain_http: entry.plain_http,
        authorities,
        identity: identity.transpose()?,
        in_flight: entry.max_in_flight.map(usize::from),
        pace,
        realms: entry
            .realms
            .iter()
            .map(|realm| realm.parse())
            .collect::<Result<_, _>>()
            .map_err(HostsError::Host)?,
        addresses: entry.allow_addresses.iter().map(network).collect::<Result<_, _>>()?,
        credentials: entry.credentials.map(|from| credentials(from, &wrong)).transpose()?,
        mirrors,
        upstream: match entry.upstream {
            Some(AfterMirrors::Never) => Upstream::Never,
            Some(AfterMirrors::Fallback) | None => Upstream::Fallback,
        },
    })
}

fn credentials(
    from: FileCredentials,
    wrong: &impl Fn(String) -> HostsError,
) -> Result<HostCredentials, HostsError> {
    let FileCredentials {
        username,
        password_env,
        password_file,
        identity_token_env,
        identity_token_file,
    } = from;
    let password = secret(password_env, password_file.as_deref(), wrong)?;
    let token = secret(identity_token_env, identity_token_file.as_deref(), wrong)?;
    match (username, password, token) {
        (Some(user), Some(password), None) => Ok(HostCredentials::Password { user, password }),
        (None, None, Some(token)) => Ok(HostCredentials::IdentityToken(token)),
        _ => Err(wrong(
            "`credentials` needs `username` with `passwordEnv` or `passwordFile`, or `identityTokenEnv` or `identityTokenFile`".into(),
        )),
    }
}

/// A secret from a variable or a file, without the line feed that editors leave behind it.
fn secret(
    variable: Option<String>,
    path: Option<&Path>,
    wrong: &impl Fn(String) -> HostsError,
) -> Result<Option<String>, HostsError> {
    let text = match (variable, path) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(wrong("a secret comes from a variable or a file, not both".into()));
        }
        (Some(name), None) => std::env::var(&name)
            .map_err(|_| wrong(format!("the variable `{}` is not set", shown(&name))))?,
        (None, Some(path)) => read(path, "a secret")?,
    };
    let text = text.trim_end_matches(['\r', '\n']).to_owned();
    if text.is_empty() { Err(wrong("a secret is empty".into())) } else { Ok(Some(text)) }
}

fn read(path: &Path, what: &'static str) -> Result<String, HostsError> {
    std::fs::read_to_string(path).map_err(|source| HostsError::Unreadable {
        path: path.to_owned(),
        what,
        source,
    })
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
