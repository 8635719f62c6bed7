//! Why a question got no answer that may be used.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use records::FailureCode;
use records::text::shown;

use crate::{Host, Kind};

/// A question that got no usable answer: whom it was put to, what it asked for, and the problem.
///
/// Cheap to clone, since one failed answer serves everybody who asked the same.
#[derive(Debug, Clone)]
pub struct AskError(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    host: Host,
    kind: Kind,
    problem: Problem,
}

/// What went wrong. The message says what would mend it, where something would.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Problem {
    /// The name has no address.
    #[error("the name does not resolve; check its spelling, and the DNS of this machine")]
    NameNotResolved(#[source] Cause),
    /// Nobody listens there.
    #[error("connection refused; check host and port, and whether a firewall or proxy is between")]
    Refused,
    /// No connection came about, for another reason.
    #[error("cannot connect")]
    Unreachable(#[source] Cause),
    /// The proxy wants to know who asks.
    #[error(
        "the proxy between wants a user name and password, or others; write them into `HTTPS_PROXY`, as in `http://USER:PASSWORD@proxy.example.com:3128`"
    )]
    ProxyAuthorization,
    /// The proxy itself cannot be had.
    #[error(
        "no connection to the proxy between; check `HTTPS_PROXY`, or name the host in `NO_PROXY`"
    )]
    NoProxy(#[source] Cause),
    /// The proxy leads nowhere.
    #[error(
        "the proxy between opens no way to it; the proxy does not allow it, or cannot reach it"
    )]
    NoTunnel(#[source] Cause),
    /// No connection in time.
    #[error("no connection within {0:?}; check host and port, and whether a firewall is between")]
    ConnectTimeout(Duration),
    /// The host fell silent.
    #[error("nothing was received for {0:?}")]
    Silent(Duration),
    /// The operation took too long.
    #[error("no whole answer within {0:?}, the limit of `--registry-timeout`")]
    Timeout(Duration),
    /// The connection ended before the answer did.
    #[error("the connection broke")]
    Broken(#[source] Cause),
    /// The host's certificate comes from an authority that is not known here.
    #[error(
        "its certificate is signed by an unknown authority; give that authority's certificate with `--ca-file`"
    )]
    UnknownAuthority,
    /// The host's certificate is not valid for another reason.
    #[error("its certificate {0}")]
    Certificate(&'static str, #[source] Cause),
    /// The host answers something that is not TLS.
    #[error(
        "it does not speak https; if it is meant to be asked over plain http, give `--plain-http {0}`"
    )]
    NotTls(Host),
    /// The host wants to know us by a certificate, and does not by this one, if there was one.
    #[error(
        "it wants to see a certificate of ours that it accepts; give one with `clientCertificate` in the hosts file"
    )]
    ClientCertificate(#[source] Cause),
    /// TLS failed in another way.
    #[error("no TLS connection")]
    Tls(#[source] Cause),
    /// A host on the plain-http list speaks https.
    #[error("it speaks https; take it out of `--plain-http`")]
    NotPlainHttp,
    /// The answer is not HTTP.
    #[error(
        "the answer is not well-formed HTTP; if the host speaks https, take it out of `--plain-http`"
    )]
    NotHttp(#[source] Cause),
    /// The body is coded in a way that was not asked for, or several times over.
    #[error("its body is coded as `{}`, where gzip or zstd, once, is all that is understood", shown(.0))]
    UnknownCoding(String),
    /// The body is not of the coding that the answer says.
    #[error("its body is not the {0} that it is said to be")]
    NotDecoded(&'static str, #[source] Cause),
    /// The body is larger than its limit, in bytes.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(u64),
    /// A redirect from https to plain http, or to a host that is not listed for plain http.
    #[error("redirected to `{to}` over plain http, which is refused")]
    RedirectToPlainHttp {
        /// The host that would be asked.
        to: Host,
    },
    /// A redirect to what is no http address, or one that carries a user name.
    #[error("redirected to `{}`, which is no address to follow", shown(.location))]
    BadRedirect {
        /// What the answer named.
        location: String,
    },
    /// One redirect after another.
    #[error("redirected more than {0} times")]
    TooManyRedirects(usize),
    /// The host failed so often that it is not asked any more in this run.
    #[error("not asked any more after {failures} failures in a row; the last: {last}")]
    LeftAlone {
        /// How many.
        failures: u32,
        /// What the last one was.
        last: Arc<str>,
        /// The code that all further questions to the host get.
        code: FailureCode,
    },
    /// The time of the whole run was over.
    #[error("the time of the run was over; give it more with `--deadline`")]
    Deadline,
    /// An address that images may not make us ask.
    #[error(
        "its address `{address}` is {kind}, which an image's name may not make us ask; if it is meant, give `--allow-address {address}`"
    )]
    AddressRefused {
        /// The address.
        address: IpAddr,
        /// What kind of address it is.
        kind: &'static str,
    },
    /// A host that is not on the list of those that may be asked.
    #[error("`{0}` is not among the hosts that may be asked; add it with `--allow-host`")]
    HostNotAllowed(Host),
    /// A request that cannot be made; its parts are foreign.
    #[error("not a request that can be sent")]
    BadRequest(#[source] Cause),
    /// The host answered that it will not or cannot.
    #[error("answered {status}{}", said.as_ref().map(|said| format!(" ({said})")).unwrap_or_default())]
    Status {
        /// The HTTP status.
        status: StatusCode,
        /// What the body said of it, cleaned and cut.
        said: Option<String>,
    },
}

/// The innermost cause of a failure: what the system or a library said last.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Cause(Arc<str>);

impl Cause {
    /// The innermost error under `error`, or `error` itself.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let mut innermost = error;
        while let Some(inner) = innermost.source() {
            innermost = inner;
        }
        Self(shown(&innermost.to_string()).into())
    }
}

impl AskError {
    /// A failed question.
    #[must_use]
    pub fn new(host: Host, kind: Kind, problem: Problem) -> Self {
        Self(Arc::new(Inner { host, kind, problem }))
    }

    /// The host that was asked (behind a redirect: the last one).
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    /// What it was asked for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What went wrong.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// The HTTP status, where there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self.problem() {
            Problem::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The stable word for scripts.
    #[must_use]
    pub fn code(&self) -> FailureCode {
        self.problem().code()
    }

    /// Whether asking again later may help without anybody changing anything.
    #[must_use]
    pub fn retryable(&self) -> bool {
        self.code().retryable()
    }
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.kind().words();
        write!(f, "asking `{}` for {what}: {}", self.host(), self.problem())
    }
}

/// The source is the problem's, since the problem stands in the message.
impl Error for AskError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.problem().source()
    }
}

impl Problem {
    fn code(&self) -> FailureCode {
        match self {
            Self::NameNotResolved(_) => FailureCode::NameNotResolved,
            Self::Refused | Self::Unreachable(_) | Self::Broken(_) | Self::NoTunnel(_) => {
                FailureCode::HostUnreachable
            }
            Self::ProxyAuthorization | Self::NoProxy(_) => FailureCode::Proxy,
            Self::ConnectTimeout(_) | Self::Silent(_) | Self::Timeout(_) => FailureCode::Timeout,
            Self::UnknownAuthority
            | Self::Certificate(..)
            | Self::ClientCertificate(_)
            | Self::NotTls(_)
            | Self::Tls(_) => FailureCode::Tls,
            Self::NotPlainHttp | Self::NotHttp(_) | Self::BadRequest(_) => FailureCode::BadResponse,
            Self::UnknownCoding(_) | Self::NotDecoded(..) => FailureCode::BadCoding,
            Self::LeftAlone { code, .. } => *code,
            Self::Deadline => FailureCode::Deadline,
            Self::AddressRefused { .. } => FailureCode::AddressRefused,
            Self::HostNotAllowed(_) => FailureCode::HostNotAllowed,
            Self::TooLarge(_) => FailureCode::TooLarge,
            Self::RedirectToPlainHttp { .. }
            | Self::BadRedirect { .. }
            | Self::TooManyRedirects(_) => FailureCode::RedirectRefused,
            Self::Status { status, .. } => code_of_status(*status),
        }
    }
}

/// What a status says that is no success and that the question has no own meaning for.
fn code_of_status(status: StatusCode) -> FailureCode {
    match status.as_u16() {
        401 => FailureCode::Unauthorized,
        407 => FailureCode::Proxy,
        403 => FailureCode::Forbidden,
        404 | 410 => FailureCode::NotFound,
        408 => FailureCode::Timeout,
        429 => FailureCode::RateLimited,
        500.. => FailureCode::ServerError,
        _ => FailureCode::BadResponse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(problem: Problem) -> AskError {
        AskError::new("ghcr.io".parse().expect("a host"), Kind::Manifest, problem)
    }

    fn status(status: u16) -> AskError {
        let status = StatusCode::from_u16(status).expect("a status");
        error(Problem::Status { status, said: Some("TOOMANYREQUESTS: slow down".into()) })
    }

    #[test]
    fn a_status_has_its_code_and_its_words() {
        let error = status(429);
        assert_eq!((error.code(), error.retryable()), (FailureCode::RateLimited, true));
        assert_eq!(
            error.to_string(),
            "asking `ghcr.io` for a manifest: answered 429 Too Many Requests (TOOMANYREQUESTS: slow down)"
        );
        assert_eq!(status(403).code(), FailureCode::Forbidden);
        assert_eq!(status(418).code(), FailureCode::BadResponse);
        assert_eq!(status(599).code(), FailureCode::ServerError);
    }

    #[test]
    fn the_cause_is_not_repeated() {
        let io = std::io::Error::other("no route to host");
        let error = error(Problem::Unreachable(Cause::of(&io)));
        assert!(!error.to_string().contains("no route"));
        assert_eq!(error.source().map(ToString::to_string), Some("no route to host".into()));
    }

    #[test]
    fn foreign_text_is_cleaned() {
        let error = error(Problem::BadRedirect { location: "\u{1b}[2Jx".into() });
        assert!(!error.to_string().contains('\u{1b}'));
    }
}
