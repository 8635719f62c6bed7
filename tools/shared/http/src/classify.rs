//! From the client library's errors to problems that a person can mend.

use std::error::Error;
use std::io;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError};

use crate::error::Cause;
use crate::guard::Refused;
use crate::{Host, Problem};

/// The limits that were in force, for the messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) connect: Duration,
    pub(crate) idle: Duration,
}

/// What `error` means. Its URL never enters a message: it may carry a signature.
pub(crate) fn problem(error: &reqwest::Error, host: &Host, limits: Limits) -> Problem {
    let cause = || Cause::of(error);
    if let Some(tls) = find::<rustls::Error>(error) {
        return tls_problem(tls, host);
    }
    if let Some(refused) = find::<Refused>(error) {
        return (*refused).into();
    }
    if let Some(problem) = proxy_problem(error) {
        return problem;
    }
    if error.is_dns() {
        return Problem::NameNotResolved(cause());
    }
    if error.is_timeout() {
        return match error.is_connect() {
            true => Problem::ConnectTimeout(limits.connect),
            false => Problem::Silent(limits.idle),
        };
    }
    if find::<io::Error>(error).is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused) {
        return Problem::Refused;
    }
    if error.is_connect() {
        return Problem::Unreachable(cause());
    }
    if error.is_builder() {
        return Problem::BadRequest(cause());
    }
    match find::<hyper::Error>(error) {
        Some(http) if http.is_parse() => Problem::NotHttp(cause()),
        _ => Problem::Broken(cause()),
    }
}

/// What went wrong at a proxy. The library's error can be told by its words alone.
fn proxy_problem(error: &reqwest::Error) -> Option<Problem> {
    let said = chain(error)
        .find_map(|error| error.to_string().strip_prefix("tunnel error: ").map(str::to_owned))?;
    let cause = Cause::of(error);
    Some(match said.as_str() {
        "proxy authorization required" => Problem::ProxyAuthorization,
        "failed to create underlying connection" => Problem::NoProxy(cause),
        _ => Problem::NoTunnel(cause),
    })
}

/// An error and its causes.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'e (dyn Error + 'static)| (*error).source())
}

fn tls_problem(error: &rustls::Error, host: &Host) -> Problem {
    let cause = || Cause::of(error);
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            Problem::UnknownAuthority
        }
        rustls::Error::InvalidCertificate(why) => Problem::Certificate(certificate(why), cause()),
        // RFC 8446, section 6.2; and what servers of older versions say when there is none.
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied,
        ) => Problem::ClientCertificate(cause()),
        rustls::Error::InvalidMessage(_) => Problem::NotTls(host.clone()),
        _ => Problem::Tls(cause()),
    }
}

fn certificate(why: &CertificateError) -> &'static str {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet; check this machine's clock"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another name; check how the host is called"
        }
        CertificateError::Revoked => "was revoked",
        _ => "is not accepted",
    }
}

/// The first error of type `E` in the chain, also inside an [`io::Error`], whose `source` leaves
/// out the very error that it was made of.
fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = inside.and_then(|inside| find::<E>(inside)) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_an_io_error_was_made_of() {
        let tls = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let io = io::Error::other(io::Error::other(tls));
        assert!(find::<rustls::Error>(&io).is_some());
        assert!(find::<rustls::Error>(&io::Error::other("x")).is_none());
    }

    #[test]
    fn certificates_fail_in_words() {
        let host: Host = "ghcr.io".parse().expect("a host");
        let text = |why| tls_problem(&rustls::Error::InvalidCertificate(why), &host).to_string();
        assert!(text(CertificateError::UnknownIssuer).contains("--ca-file"));
        assert_eq!(text(CertificateError::Expired), "its certificate has expired");
        assert!(text(CertificateError::NotValidForName).contains("another name"));
    }
}
