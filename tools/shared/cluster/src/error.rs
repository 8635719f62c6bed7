//! Questions that got no answer, and why.

use std::error::Error;
use std::io;

use records::FailureCode;
use records::text::shown;

use crate::config::ConfigError;
use crate::decode::IDLE_TIMEOUT;
use crate::resource::Question;

/// What is said of a credential plugin that is not there.
const NOT_STARTED: &str = "cannot be started";

/// The remedy where a credential plugin fails.
pub(crate) const LOG_IN_FIRST: &str = "credential plugins run without a terminal here: log in \
    first, for example by `kubectl get namespaces`";

/// A question to the API server that got no answer.
#[derive(Debug, thiserror::Error)]
#[error("cannot {question}")]
pub struct AskError {
    /// What was asked.
    pub question: Box<Question>,
    /// Why there is no answer.
    #[source]
    pub why: Why,
}

/// Why the API server gave no answer. No text here holds any part of an answer's body, save the
/// server's own message for people, cleaned.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// 401.
    #[error("`{host}` does not accept the credentials: {message}")]
    Unauthorized {
        /// Who was asked.
        host: String,
        /// What it said.
        message: String,
    },
    /// 403.
    #[error("forbidden by `{host}`: {message}")]
    Forbidden {
        /// Who was asked.
        host: String,
        /// What it said: who may not do what.
        message: String,
    },
    /// 404.
    #[error("`{host}` has no such thing")]
    NotFound {
        /// Who was asked.
        host: String,
    },
    /// 410: the snapshot that the list was read from is gone.
    #[error("the list expired on `{host}` while it was read")]
    Expired {
        /// Who was asked.
        host: String,
    },
    /// Any other status.
    #[error("`{host}` answered {status}: {message}")]
    Status {
        /// Who was asked.
        host: String,
        /// The HTTP status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// No connection, or one that broke.
    #[error("no answer from `{host}`: {message}")]
    Connection {
        /// Who was asked.
        host: String,
        /// In which way it failed.
        how: Broken,
        /// The cause in words.
        message: String,
    },
    /// The credentials could not be had: a credential plugin or token file failed.
    #[error("no credentials for `{host}`: {message}")]
    Credentials {
        /// For whom.
        host: String,
        /// What failed.
        message: String,
    },
    /// The answer is not what was asked for.
    #[error("`{host}` answered something else than was asked for: {message}")]
    Malformed {
        /// Who was asked.
        host: String,
        /// What is wrong with it, and where.
        message: String,
    },
}

/// In which way a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Nobody listens there.
    Refused,
    /// The host's name has no address.
    Name,
    /// It took too long.
    Timeout,
    /// TLS failed, an unknown authority above all.
    Tls,
    /// It broke in the middle, or was never made.
    Other,
}

impl AskError {
    /// The stable word for a `failure` record.
    #[must_use]
    pub fn code(&self) -> FailureCode {
        match &self.why {
            Why::Unauthorized { .. } => FailureCode::Unauthorized,
            Why::Forbidden { .. } => FailureCode::Forbidden,
            Why::NotFound { .. } => FailureCode::NotFound,
            Why::Status { status: 429, .. } => FailureCode::RateLimited,
            Why::Expired { .. } | Why::Status { status: 500.., .. } => FailureCode::ServerError,
            Why::Status { .. } | Why::Malformed { .. } => FailureCode::BadResponse,
            Why::Credentials { .. } => FailureCode::Credentials,
            Why::Connection { how, .. } => match how {
                Broken::Refused | Broken::Other => FailureCode::HostUnreachable,
                Broken::Name => FailureCode::NameNotResolved,
                Broken::Timeout => FailureCode::Timeout,
                Broken::Tls => FailureCode::Tls,
            },
        }
    }

    /// The HTTP status, where one was answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.why {
            Why::Unauthorized { .. } => Some(401),
            Why::Forbidden { .. } => Some(403),
            Why::NotFound { .. } => Some(404),
            Why::Expired { .. } => Some(410),
            Why::Status { status, .. } => Some(status),
            Why::Connection { .. } | Why::Credentials { .. } | Why::Malformed { .. } => None,
        }
    }

    /// What would mend it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match &self.why {
            Why::Forbidden { .. } => Some(format!("allow it by the rule {}", self.question.rule())),
            Why::Unauthorized { .. } => Some(
                "the token or certificate may have expired: log in again, or choose another \
                 --kubeconfig or --context"
                    .to_owned(),
            ),
            Why::Connection { how, .. } => how.hint().map(str::to_owned),
            Why::Credentials { message, .. } if message.contains(NOT_STARTED) => Some(
                "install the program that the user's `exec.command` in the kubeconfig names, or \
                 give its whole path there"
                    .to_owned(),
            ),
            Why::Credentials { .. } => Some(LOG_IN_FIRST.to_owned()),
            _ => None,
        }
    }

    /// Error, cause and remedy in one sentence, for a `failure` record.
    #[must_use]
    pub fn message(&self) -> String {
        let hint = self.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{self}: {}{hint}", self.why)
    }
}

impl Broken {
    fn hint(self) -> Option<&'static str> {
        match self {
            Self::Refused => Some(
                "is the cluster running, and is `server` in the kubeconfig right? Without a \
                 cluster, read what kubectl printed by --from FILE",
            ),
            Self::Name => Some("check `server` in the kubeconfig, and the name servers"),
            Self::Timeout => Some("a firewall or a missing proxy setting may swallow the packets"),
            Self::Tls => Some(
                "set `certificate-authority` in the kubeconfig to the authority that signed the \
                 API server's certificate",
            ),
            Self::Other => None,
        }
    }
}

impl Why {
    /// Whether the same question may be answered a moment later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 429 | 502 | 503 | 504),
            // An API server that starts anew refuses connections for some seconds.
            Self::Connection { how, .. } => {
                matches!(how, Broken::Refused | Broken::Timeout | Broken::Other)
            }
            _ => false,
        }
    }

    /// The server sends nothing.
    pub(crate) fn silent(host: &str) -> Self {
        Self::Connection {
            host: host.to_owned(),
            how: Broken::Timeout,
            message: format!("it is silent for {} s", IDLE_TIMEOUT.as_secs()),
        }
    }

    /// The server is not asked any more.
    pub(crate) fn given_up(host: &str, unanswered: u32) -> Self {
        Self::Connection {
            host: host.to_owned(),
            how: Broken::Other,
            message: format!("not asked any more after {unanswered} questions without an answer"),
        }
    }

    /// What a failed connection, or the layers above it, report.
    pub(crate) fn from_client(host: &str, error: &(dyn Error + 'static)) -> Self {
        let host = host.to_owned();
        if let Some(message) = links(error).find_map(credentials) {
            return Self::Credentials { host, message };
        }
        let (how, message) =
            links(error).find_map(broken).unwrap_or_else(|| (Broken::Other, deepest(error)));
        Self::Connection { host, how, message }
    }
}

/// Why no client could be set up.
pub(crate) fn set_up_failed(host: &str, error: &kube::Error) -> ConfigError {
    let host = host.to_owned();
    match credentials(error) {
        Some(message) => ConfigError::Credentials { host, message },
        None => ConfigError::Client { host, message: deepest(error) },
    }
}

/// The error and its causes, outermost first; what an `io::Error` wraps is a link too, which its
/// own `source` skips.
fn links<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&link: &&'a (dyn Error + 'static)| {
        match link.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => link.source(),
        }
    })
    .take(32)
}

fn deepest(error: &(dyn Error + 'static)) -> String {
    links(error).last().map_or_else(String::new, |link| shown(&link.to_string()))
}

fn broken(link: &(dyn Error + 'static)) -> Option<(Broken, String)> {
    if let Some(tls) = link.downcast_ref::<rustls::Error>() {
        return Some((Broken::Tls, shown(&tls.to_string())));
    }
    let text = link.to_string();
    if text.starts_with("dns error") || text.starts_with("failed to lookup address") {
        return Some((Broken::Name, deepest(link)));
    }
    let io = link.downcast_ref::<io::Error>()?;
    match io.kind() {
        io::ErrorKind::ConnectionRefused => {
            Some((Broken::Refused, "connection refused".to_owned()))
        }
        io::ErrorKind::TimedOut => Some((Broken::Timeout, "it takes too long".to_owned())),
        // A wrapper: what it wraps says more.
        _ if io.get_ref().is_some() => None,
        _ => Some((Broken::Other, shown(&text))),
    }
}

/// The message of a credentials error. Of a plugin that failed only what it wrote to its standard
/// error is shown: its output, arguments and environment may hold a token.
fn credentials(link: &(dyn Error + 'static)) -> Option<String> {
    use kube::client::AuthError;
    let auth = match link.downcast_ref::<kube::Error>() {
        Some(kube::Error::Auth(auth)) => auth,
        _ => link.downcast_ref::<AuthError>()?,
    };
    Some(match auth {
        AuthError::AuthExecRun { out, .. } => {
            format!("the credential plugin failed with {}: {}", out.status, last_words(&out.stderr))
        }
        AuthError::AuthExecStart(source) => {
            format!("the credential plugin {NOT_STARTED}: {source}")
        }
        AuthError::AuthExecParse(_) => {
            "the credential plugin printed something that is no ExecCredential".to_owned()
        }
        AuthError::ReadTokenFile(source, path) => {
            format!("token file `{}` cannot be read: {source}", path.display())
        }
        other => shown(&other.to_string()),
    })
}

fn last_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let mut lines: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines.split_off(lines.len().saturating_sub(2));
    if last.is_empty() { "it gave no reason".to_owned() } else { shown(&last.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{DEPLOYMENTS, Scope, Which};

    fn failed(why: Why) -> AskError {
        let question = Question {
            resource: DEPLOYMENTS,
            scope: Scope::Namespace("shop".into()),
            which: Which::All,
        };
        AskError { question: Box::new(question), why }
    }

    #[test]
    fn a_refusal_says_what_where_and_how_to_mend_it() {
        let error = failed(Why::Forbidden {
            host: "api:6443".into(),
            message: "User \"u\" cannot list resource".into(),
        });
        assert_eq!(
            error.message(),
            "cannot list `deployments.apps` in namespace `shop`: forbidden by `api:6443`: User \"u\" \
             cannot list resource (allow it by the rule {apiGroups: [\"apps\"], resources: \
             [\"deployments\"], verbs: [\"list\"]} in a ClusterRole, or a Role in namespace `shop`)"
        );
        assert_eq!((error.code(), error.status()), (FailureCode::Forbidden, Some(403)));
    }

    #[test]
    fn causes_are_found_inside_io_errors() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls));
        let why = Why::from_client("api", &wrapped);
        assert!(matches!(why, Why::Connection { how: Broken::Tls, .. }), "{why:?}");
        assert_eq!(failed(why).code(), FailureCode::Tls);

        let refused = io::Error::other(io::Error::from(io::ErrorKind::ConnectionRefused));
        assert!(matches!(
            Why::from_client("api", &refused),
            Why::Connection { how: Broken::Refused, .. }
        ));
    }

    #[test]
    fn a_plugins_output_is_never_shown() {
        let output = std::process::Output {
            status: std::process::ExitStatus::default(),
            stdout: b"s3cret-token".to_vec(),
            stderr: b"trace\nsession expired\n\nlog in\n".to_vec(),
        };
        let auth = kube::client::AuthError::AuthExecRun {
            cmd: "aws eks get-token --with s3cret-argument".into(),
            out: Box::new(output),
        };
        let why = Why::from_client("api", &kube::Error::Auth(auth));
        let text = failed(why).message();
        assert!(text.contains("session expired; log in ("), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}
