//! Hosts that failed too often are left in peace for the rest of the run.
//!
//! Three operations in a row, each with its retries, that ended in no answer, a 5xx or a 429 open
//! a host's breaker: whatever else it would be asked is answered at once by the reason. What is on
//! its way is waited for, and an answer closes the breaker again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use records::FailureCode;

use crate::{Answer, AskError, Host, Problem};

/// So many failures in a row open a breaker.
pub(crate) const FAILURES: u32 = 3;

/// The breakers of all hosts.
#[derive(Debug, Default)]
pub(crate) struct Breakers(Mutex<HashMap<Host, Failures>>);

#[derive(Debug)]
struct Failures {
    in_a_row: u32,
    code: FailureCode,
    last: Arc<str>,
}

impl Breakers {
    /// Why this host is not asked any more, if it is not.
    pub(crate) fn open(&self, host: &Host) -> Option<Problem> {
        let hosts = self.hosts();
        let failures = hosts.get(host).filter(|failures| failures.in_a_row >= FAILURES)?;
        Some(Problem::LeftAlone {
            failures: FAILURES,
            last: Arc::clone(&failures.last),
            code: failures.code,
        })
    }

    /// Takes note that a host answered in the middle of an operation: it redirected.
    pub(crate) fn answered(&self, host: &Host) {
        self.hosts().remove(host);
    }

    /// Takes note of how an operation ended, and says whose failure it was, if it was one: the
    /// host's that was asked last, behind a redirect another than the first.
    pub(crate) fn note<'o>(&self, outcome: &'o Result<Answer, AskError>) -> Option<&'o Host> {
        let (host, failure) = match outcome {
            Ok(answer) => {
                (&answer.host, of_status(answer.status).map(|code| (code, answer.refusal())))
            }
            Err(error) => match of_problem(error.problem()) {
                Verdict::Failed(code) => (error.host(), Some((code, error.clone()))),
                Verdict::Answered => (error.host(), None),
                Verdict::Silent => return None,
            },
        };
        let mut hosts = self.hosts();
        let Some((code, error)) = failure else {
            hosts.remove(host);
            return None;
        };
        let last = error.problem().to_string().into();
        let in_a_row = hosts.get(host).map_or(0, |failures| failures.in_a_row).saturating_add(1);
        hosts.insert(host.clone(), Failures { in_a_row, code, last });
        Some(host)
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<Host, Failures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an error says of its host.
enum Verdict {
    /// It does not work.
    Failed(FailureCode),
    /// It answered, though not what was wanted.
    Answered,
    /// Nothing: it was not asked.
    Silent,
}

fn of_status(status: StatusCode) -> Option<FailureCode> {
    match status.as_u16() {
        429 => Some(FailureCode::RateLimited),
        500.. => Some(FailureCode::HostUnreachable),
        _ => None,
    }
}

fn of_problem(problem: &Problem) -> Verdict {
    match problem {
        Problem::NameNotResolved(_) => Verdict::Failed(FailureCode::NameNotResolved),
        Problem::Refused
        | Problem::Unreachable(_)
        | Problem::Broken(_)
        | Problem::NoTunnel(_)
        | Problem::ConnectTimeout(_)
        | Problem::Silent(_)
        | Problem::Timeout(_) => Verdict::Failed(FailureCode::HostUnreachable),
        Problem::UnknownAuthority
        | Problem::Certificate(..)
        | Problem::ClientCertificate(_)
        | Problem::NotTls(_)
        | Problem::Tls(_)
        | Problem::NotPlainHttp => Verdict::Failed(FailureCode::Tls),
        Problem::ProxyAuthorization | Problem::NoProxy(_) => Verdict::Failed(FailureCode::Proxy),
        Problem::LeftAlone { .. }
        | Problem::Deadline
        | Problem::AddressRefused { .. }
        | Problem::HostNotAllowed(_)
        | Problem::BadRequest(_) => Verdict::Silent,
        Problem::NotHttp(_)
        | Problem::UnknownCoding(_)
        | Problem::NotDecoded(..)
        | Problem::TooLarge(_)
        | Problem::RedirectToPlainHttp { .. }
        | Problem::BadRedirect { .. }
        | Problem::TooManyRedirects(_)
        | Problem::Status { .. } => Verdict::Answered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn host(text: &str) -> Host {
        text.parse().expect("a host")
    }

    fn failed(name: &str) -> Result<Answer, AskError> {
        Err(AskError::new(host(name), Kind::Head, Problem::Refused))
    }

    fn answered(name: &str, status: u16) -> Result<Answer, AskError> {
        let status = StatusCode::from_u16(status).expect("a status");
        let (headers, body) = (http::HeaderMap::new(), bytes::Bytes::new());
        Ok(Answer { host: host(name), kind: Kind::Head, status, headers, body })
    }

    #[test]
    fn three_in_a_row_open_it_for_that_host_alone() {
        let breakers = Breakers::default();
        for _ in 0..2 {
            breakers.note(&failed("a"));
        }
        assert!(breakers.open(&host("a")).is_none());
        breakers.note(&answered("a", 404));
        breakers.note(&failed("a"));
        breakers.note(&answered("a", 503));
        assert!(breakers.open(&host("a")).is_none());
        breakers.note(&answered("a", 429));
        let why = breakers.open(&host("a")).expect("open");
        assert_eq!(AskError::new(host("a"), Kind::Head, why).code(), FailureCode::RateLimited);
        assert!(breakers.open(&host("b")).is_none());
        breakers.note(&answered("a", 200));
        assert!(breakers.open(&host("a")).is_none());
    }

    #[test]
    fn what_was_not_asked_says_nothing() {
        let breakers = Breakers::default();
        for _ in 0..5 {
            let error = AskError::new(host("a"), Kind::Head, Problem::Deadline);
            breakers.note(&Err(error));
        }
        assert!(breakers.open(&host("a")).is_none());
    }
}
