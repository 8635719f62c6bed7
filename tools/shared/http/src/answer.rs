//! An answer: whatever the host said, its body within its limit.

use bytes::Bytes;
use http::header::AsHeaderName;
use http::{HeaderMap, StatusCode};

use crate::refusal::said;
use crate::{AskError, Host, Kind, Problem};

/// What a host answered, with any status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The host that answered: behind a redirect the last one.
    pub host: Host,
    /// What was asked for.
    pub kind: Kind,
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers. They are foreign text.
    pub headers: HeaderMap,
    /// The body, decompressed. Of an answer that is no success it may be cut off.
    pub body: Bytes,
}

impl Answer {
    /// The value of a header, if it is there and is visible ASCII.
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// This answer as a failure, for a status that has no own meaning for the question.
    #[must_use]
    pub fn refusal(&self) -> AskError {
        let said = said(&self.headers, &self.body);
        let problem = match self.status {
            status if speaks_https(status, said.as_deref()) => Problem::NotPlainHttp,
            // Over plain http proxies answer in the host's place.
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => Problem::ProxyAuthorization,
            status => Problem::Status { status, said },
        };
        AskError::new(self.host.clone(), self.kind, problem)
    }
}

/// How servers in Go answer plain http on a port for https.
fn speaks_https(status: StatusCode, said: Option<&str>) -> bool {
    status == StatusCode::BAD_REQUEST
        && said.is_some_and(|said| said.contains("HTTP request to an HTTPS server"))
}
