//! Settings of asking: what is typed, and what it means.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use records::duration;
use records::text::shown;

use crate::certificates;
use crate::{
    AllowedHosts, Deadline, Host, HostError, Hosts, HostsError, Network, NetworkError, PlainHttp,
};

/// How long making a connection may take, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a host may be silent. Registries that fetch from another on demand are slow to begin.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// The flags of asking, as they were typed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Asking")]
pub struct HttpArgs {
    /// How long one question may take, its tries and redirects included
    #[arg(
        long,
        value_name = "DURATION",
        env = "PROVENANCE_REGISTRY_TIMEOUT",
        default_value = "30s",
        value_parser = duration::parse
    )]
    pub registry_timeout: Duration,

    /// PEM file with certificates of authorities to trust beside the machine's own (repeatable,
    /// or separated by commas)
    #[arg(long, value_name = "FILE", env = "PROVENANCE_CA_FILE", value_delimiter = ',')]
    pub ca_file: Vec<OsString>,

    /// Hosts to ask over plain http, as HOST for all its ports or HOST:PORT (repeatable, or
    /// separated by commas); no host is by itself, loopback neither
    #[arg(long, value_name = "HOST", env = "PROVENANCE_PLAIN_HTTP", value_delimiter = ',')]
    pub plain_http: Vec<String>,

    /// How many requests may be in flight at a time
    #[arg(
        long,
        value_name = "N",
        env = "PROVENANCE_MAX_IN_FLIGHT",
        default_value_t = 32,
        value_parser = clap::value_parser!(u16).range(1..=1024)
    )]
    pub max_in_flight: u16,

    /// How many of them may be in flight to one host
    #[arg(
        long,
        value_name = "N",
        env = "PROVENANCE_MAX_IN_FLIGHT_PER_HOST",
        default_value_t = 8,
        value_parser = clap::value_parser!(u16).range(1..=1024)
    )]
    pub max_in_flight_per_host: u16,

    /// How many more may be in flight to hosts that have not answered yet
    #[arg(
        long,
        value_name = "N",
        env = "PROVENANCE_MAX_IN_FLIGHT_NEW",
        default_value_t = 256,
        value_parser = clap::value_parser!(u16).range(1..=1024)
    )]
    pub max_in_flight_new: u16,

    /// How often a question is put in all, when the host says that it is busy or the connection breaks
    #[arg(
        long,
        value_name = "N",
        env = "PROVENANCE_MAX_TRIES",
        default_value_t = 3,
        value_parser = clap::value_parser!(u8).range(1..=10)
    )]
    pub max_tries: u8,

    /// When no more is asked: after a DURATION, or at a time (RFC 3339) that all stages of a
    /// pipeline share; what is not known by then is unknown [default: never]
    #[arg(long, value_name = "TIME", env = "PROVENANCE_DEADLINE")]
    pub deadline: Option<Deadline>,

    /// Settings of single hosts: certificates, credentials, limits; docs/hosts.md tells of them
    #[arg(long, value_name = "FILE", env = "PROVENANCE_HOSTS_FILE")]
    pub hosts_file: Option<PathBuf>,

    /// Only these hosts may be asked: names, or `*.` and a domain [default: all]
    #[arg(long, value_name = "HOST", env = "PROVENANCE_ALLOW_HOST", value_delimiter = ',')]
    pub allow_host: Vec<String>,

    /// Addresses that may be asked although they are loopback, link-local or the like: addresses or networks
    #[arg(long, value_name = "ADDRESS", env = "PROVENANCE_ALLOW_ADDRESS", value_delimiter = ',')]
    pub allow_address: Vec<String>,
}

/// The settings of asking, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The longest that making a connection may take.
    pub connect_timeout: Duration,
    /// The longest that a host may be silent.
    pub idle_timeout: Duration,
    /// The longest that one question may take, its redirects included. Waiting for its turn under
    /// the limits on what is in flight does not count.
    pub operation_timeout: Duration,
    /// Certificates of authorities beside the machine's own.
    pub authorities: Vec<reqwest::Certificate>,
    /// The hosts that are asked over plain http.
    pub plain_http: PlainHttp,
    /// How many requests may be in flight in all.
    pub in_flight: usize,
    /// How many requests may be in flight to one host.
    pub in_flight_per_host: usize,
    /// Requests in flight to hosts that have not answered yet.
    pub in_flight_new: usize,
    /// Tries of one question.
    pub tries: u8,
    /// When the run is over.
    pub deadline: Option<Instant>,
    /// The settings of single hosts.
    pub hosts: Hosts,
    /// Which hosts may be asked.
    pub allowed_hosts: AllowedHosts,
    /// Which addresses may be asked whatever they are.
    pub allowed_addresses: Vec<Network>,
}

/// A setting that cannot be used. All of these are faults of usage.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file of certificates cannot be read.
    #[error("cannot read the certificates in `{}` (`--ca-file`)", shown(&path.to_string_lossy()))]
    CertificatesUnreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file of certificates holds none, or holds something else.
    #[error(
        "`{}` (`--ca-file`) must hold certificates in PEM form, each between `-----BEGIN CERTIFICATE-----` and `-----END CERTIFICATE-----`",
        shown(&path.to_string_lossy())
    )]
    CertificatesMalformed {
        /// The file.
        path: PathBuf,
        /// What the parser says, where it is more than that there are none.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// An entry of the plain-http list is no host.
    #[error("`--plain-http`")]
    PlainHttp(#[source] HostError),
    /// The hosts file.
    #[error(transparent)]
    Hosts(#[from] HostsError),
    /// A pattern of `--allow-host` that is none.
    #[error("`--allow-host`")]
    AllowHost(#[source] HostError),
    /// A network of `--allow-address` that is none.
    #[error("`--allow-address`")]
    AllowAddress(#[source] NetworkError),
    /// No time at all.
    #[error("`--registry-timeout` must be longer than 0")]
    NoTime,
    /// The HTTP client cannot be made.
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

impl HttpArgs {
    /// Checks what was typed.
    ///
    /// # Errors
    /// A [`SettingsError`] for each value that cannot be used.
    pub fn settings(self) -> Result<Settings, SettingsError> {
        let Self {
            registry_timeout,
            ca_file,
            plain_http,
            max_in_flight,
            max_in_flight_per_host,
            max_in_flight_new,
            max_tries,
            deadline,
            hosts_file,
            allow_host,
            allow_address,
        } = self;
        if registry_timeout.is_zero() {
            return Err(SettingsError::NoTime);
        }
        // An empty variable is an empty list.
        let files = ca_file.iter().filter(|path| !path.is_empty()).map(Path::new);
        let authorities = files.map(certificates::read).collect::<Result<Vec<_>, _>>()?.concat();
        let hosts = match hosts_file.filter(|path| !path.as_os_str().is_empty()) {
            Some(path) => Hosts::read(&path)?,
            None => Hosts::default(),
        };
        let plain = listed(&plain_http).map(str::parse::<Host>).collect::<Result<Vec<_>, _>>();
        let plain = plain.map_err(SettingsError::PlainHttp)?;
        let allowed_hosts = AllowedHosts::parse(listed(&allow_host));
        let allowed_hosts = allowed_hosts.map_err(SettingsError::AllowHost)?;
        let allowed_addresses = listed(&allow_address).map(str::parse).collect::<Result<_, _>>();
        Ok(Settings {
            connect_timeout: CONNECT_TIMEOUT.min(registry_timeout),
            idle_timeout: IDLE_TIMEOUT.min(registry_timeout),
            operation_timeout: registry_timeout,
            authorities,
            plain_http: PlainHttp::new(plain.into_iter().chain(hosts.plain_http()).collect()),
            in_flight: usize::from(max_in_flight),
            in_flight_per_host: usize::from(max_in_flight_per_host),
            in_flight_new: usize::from(max_in_flight_new),
            tries: max_tries,
            deadline: deadline.map(Deadline::instant),
            allowed_hosts: allowed_hosts.and(hosts.allowed()),
            hosts,
            allowed_addresses: allowed_addresses.map_err(SettingsError::AllowAddress)?,
        })
    }
}

/// The entries of a list that are not empty, without blanks around them.
fn listed(entries: &[String]) -> impl Iterator<Item = &str> {
    entries.iter().map(|entry| entry.trim()).filter(|entry| !entry.is_empty())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        http: HttpArgs,
    }

    fn settings(args: &[&str]) -> Result<Settings, SettingsError> {
        let cli = Cli::try_parse_from([&["tool"], args].concat()).expect("parsed");
        cli.http.settings()
    }

    #[test]
    fn the_defaults_are_those_of_the_design() {
        let settings = settings(&[]).expect("settings");
        assert_eq!(settings.operation_timeout, Duration::from_secs(30));
        assert_eq!(settings.connect_timeout, Duration::from_secs(5));
        assert_eq!((settings.in_flight, settings.in_flight_per_host), (32, 8));
    }

    #[test]
    fn lists_may_be_empty_separated_or_repeated() {
        let settings = settings(&["--plain-http", "", "--plain-http", "a:1, b", "--ca-file", ""]);
        let plain_http = settings.expect("settings").plain_http;
        for host in ["a:1", "b:5000"] {
            assert!(plain_http.contains(&host.parse().expect("a host")), "{host}");
        }
    }

    #[test]
    fn a_short_limit_shortens_the_others() {
        let settings = settings(&["--registry-timeout", "2s"]).expect("settings");
        assert_eq!(settings.connect_timeout, Duration::from_secs(2));
        assert_eq!(settings.idle_timeout, Duration::from_secs(2));
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        assert!(matches!(settings(&["--registry-timeout", "0"]), Err(SettingsError::NoTime)));
        assert!(matches!(
            settings(&["--plain-http", "http://a"]),
            Err(SettingsError::PlainHttp(_))
        ));
        let missing = settings(&["--ca-file", "/nowhere/ca.pem"]);
        assert!(matches!(missing, Err(SettingsError::CertificatesUnreadable { .. })));
        assert!(Cli::try_parse_from(["tool", "--registry-timeout", "30"]).is_err());
        assert!(Cli::try_parse_from(["tool", "--max-in-flight", "0"]).is_err());
    }

    #[test]
    fn every_flag_has_help_and_a_variable() {
        use clap::CommandFactory;
        let command = Cli::command();
        let flags = command.get_arguments().filter(|arg| arg.get_id() != "help");
        for flag in flags {
            assert!(flag.get_help().is_some(), "{flag}");
            let variable = flag.get_env().and_then(|name| name.to_str()).unwrap_or_default();
            assert!(variable.starts_with("PROVENANCE_"), "{flag}");
        }
    }
}
