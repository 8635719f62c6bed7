//! Whether and when a question is put again.
//!
//! Again on 429, 502, 503, 504 and on connections that did not come about or broke: these pass.
//! Everything else is an answer, or will be the same the next time. One operation with its tries
//! has one time limit, so a host that says "come back in an hour" is believed, and left.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::{Answer, AskError, Problem};

/// The wait before the second try, where the host names none; doubled with every further one.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// The longest wait that a host may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How long to wait before the next try; `None` where there is none.
///
/// `tries` were made, of at most `most`; `left` is what is left of the operation's time.
pub(crate) fn wait(
    outcome: &Result<Answer, AskError>,
    tries: u8,
    most: u8,
    left: Duration,
) -> Option<Duration> {
    if tries >= most || !passes(outcome) {
        return None;
    }
    let own = FIRST_WAIT * 2_u32.saturating_pow(u32::from(tries.saturating_sub(1)));
    let asked = match outcome {
        Ok(answer) => retry_after(&answer.headers, Timestamp::now()).unwrap_or_default(),
        Err(_) => Duration::ZERO,
    };
    let wait = jittered(own).max(asked);
    (asked <= LONGEST_WAIT && wait < left).then_some(wait)
}

/// Whether asking again at once may help.
fn passes(outcome: &Result<Answer, AskError>) -> bool {
    match outcome {
        Ok(answer) => matches!(
            answer.status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        ),
        Err(error) => matches!(
            error.problem(),
            Problem::Refused
                | Problem::Unreachable(_)
                | Problem::Broken(_)
                | Problem::NoProxy(_)
                | Problem::NoTunnel(_)
        ),
    }
}

/// `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date. One that is neither, or past,
/// says nothing; one beyond all bounds says "never".
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    // HTTP writes the zone as GMT, which the parser of mail dates knows.
    let date = DateTimeParser::new().parse_timestamp(text).ok()?;
    Duration::try_from(date.duration_since(now)).ok()
}

/// Between half of `wait` and the whole of it, so that many do not come back at once.
fn jittered(wait: Duration) -> Duration {
    let random = RandomState::new().hash_one(0_u8) % 1024;
    wait / 2 + (wait / 2).mul_f64(random as f64 / 1024.0)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{Cause, Kind};

    fn answer(status: u16, after: Option<&str>) -> Result<Answer, AskError> {
        let mut headers = HeaderMap::new();
        if let Some(after) = after {
            headers.insert(RETRY_AFTER, after.parse().expect("a value"));
        }
        let status = StatusCode::from_u16(status).expect("a status");
        let host = "ghcr.io".parse().expect("a host");
        Ok(Answer { host, kind: Kind::Head, status, headers, body: Bytes::new() })
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_passes_is_asked_again_and_nothing_else() {
        for status in [429, 502, 503, 504] {
            assert!(wait(&answer(status, None), 1, 3, LONG).is_some(), "{status}");
        }
        for status in [200, 301, 400, 401, 403, 404, 500, 501] {
            assert!(wait(&answer(status, None), 1, 3, LONG).is_none(), "{status}");
        }
        let failed =
            |problem| Err(AskError::new("a".parse().expect("a host"), Kind::Head, problem));
        let broken = Cause::of(&std::io::Error::other("x"));
        assert!(wait(&failed(Problem::Broken(broken.clone())), 1, 3, LONG).is_some());
        assert!(wait(&failed(Problem::Refused), 1, 3, LONG).is_some());
        assert!(wait(&failed(Problem::NameNotResolved(broken)), 1, 3, LONG).is_none());
        assert!(wait(&failed(Problem::UnknownAuthority), 1, 3, LONG).is_none());
    }

    #[test]
    fn tries_and_time_are_bounded() {
        assert!(wait(&answer(503, None), 3, 3, LONG).is_none());
        assert!(wait(&answer(503, None), 1, 3, Duration::from_millis(100)).is_none());
        let second = wait(&answer(503, None), 2, 3, LONG).expect("a wait");
        assert!((FIRST_WAIT..=FIRST_WAIT * 2).contains(&second), "{second:?}");
    }

    #[test]
    fn a_host_that_names_a_time_is_believed_up_to_a_bound() {
        assert_eq!(wait(&answer(429, Some("2")), 1, 3, LONG), Some(Duration::from_secs(2)));
        for never in ["1000000000", "99999999999999999999999", "31"] {
            assert_eq!(wait(&answer(429, Some(never)), 1, 3, LONG), None, "{never}");
        }
        assert_eq!(wait(&answer(429, Some("20")), 1, 3, Duration::from_secs(10)), None);
        for nothing in ["", "soon", "-5", "Wed, 21 Oct 2015 07:28:00 GMT"] {
            assert!(wait(&answer(429, Some(nothing)), 1, 3, LONG).is_some(), "{nothing}");
        }
    }

    #[test]
    fn a_date_is_a_time_too() {
        let now: Timestamp = "2026-11-24T06:00:00Z".parse().expect("a time");
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "Tue, 24 Nov 2026 06:00:07 GMT".parse().expect("a value"));
        assert_eq!(retry_after(&headers, now), Some(Duration::from_secs(7)));
    }
}
