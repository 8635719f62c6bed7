//! A request: what is asked, of whom, with which credential.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use url::form_urlencoded;

use crate::{Address, AskError, Kind, Problem, Sink};

/// The methods that asking needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `HEAD`: status and headers only.
    Head,
    /// `GET`.
    Get,
    /// `POST` of a body. It is never redirected.
    Post,
}

impl Method {
    pub(crate) fn to_reqwest(self) -> reqwest::Method {
        match self {
            Self::Head => reqwest::Method::HEAD,
            Self::Get => reqwest::Method::GET,
            Self::Post => reqwest::Method::POST,
        }
    }
}

/// One question. It has no `Debug`, since it may carry credentials.
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) address: Address,
    pub(crate) kind: Kind,
    pub(crate) accept: Option<HeaderValue>,
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) unless: Option<HeaderValue>,
    pub(crate) body: Option<(HeaderValue, Bytes)>,
    pub(crate) headers: HeaderMap,
    pub(crate) limit: u64,
    pub(crate) sink: Option<Arc<dyn Sink>>,
}

impl Request {
    /// A `GET` of `address`.
    #[must_use]
    pub fn get(kind: Kind, address: Address) -> Self {
        Self::new(Method::Get, kind, address)
    }

    /// A `HEAD` of `address`.
    #[must_use]
    pub fn head(address: Address) -> Self {
        Self::new(Method::Head, Kind::Head, address)
    }

    /// A `POST` of a form (`application/x-www-form-urlencoded`). It is never redirected.
    #[must_use]
    pub fn post_form(kind: Kind, address: Address, fields: &[(&str, &str)]) -> Self {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self::post(kind, address, "application/x-www-form-urlencoded", form)
    }

    /// A `POST` of a body of this media type. It is never redirected. It is put again as other
    /// questions are, so whoever takes it must be able to tell that it came twice.
    #[must_use]
    pub fn post(
        kind: Kind,
        address: Address,
        media_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Self {
        let body = Some((HeaderValue::from_static(media_type), body.into()));
        Self { body, ..Self::new(Method::Post, kind, address) }
    }

    /// Adds a header that says more of what is sent.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    fn new(method: Method, kind: Kind, address: Address) -> Self {
        let limit = kind.limit();
        Self {
            method,
            address,
            kind,
            accept: None,
            authorization: None,
            unless: None,
            body: None,
            headers: HeaderMap::new(),
            limit,
            sink: None,
        }
    }

    /// Sets the media types that are accepted.
    #[must_use]
    pub fn accept(self, types: &'static str) -> Self {
        Self { accept: Some(HeaderValue::from_static(types)), ..self }
    }

    /// Sets the credential. It goes to the origin of this request's address and nowhere else.
    #[must_use]
    pub fn authorization(self, value: Option<HeaderValue>) -> Self {
        let authorization = value.map(|mut value| {
            value.set_sensitive(true);
            value
        });
        Self { authorization, ..self }
    }

    /// Asks for the body only where it is another than the one with this `ETag` (RFC 9110, section
    /// 13.1.2); else the answer has the status 304.
    #[must_use]
    pub fn unless(self, etag: Option<HeaderValue>) -> Self {
        Self { unless: etag, ..self }
    }

    /// Gives the body of a successful answer to `sink` as it comes; the answer's own is empty then.
    /// A body that is packed for its way ([`Problem::UnknownCoding`]) is refused: what it unpacks
    /// to is in nobody's hands.
    #[must_use]
    pub fn into_sink(self, sink: Arc<dyn Sink>) -> Self {
        Self { sink: Some(sink), ..self }
    }

    /// Where it goes.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// This request as one that failed.
    pub(crate) fn failed(&self, problem: Problem) -> AskError {
        AskError::new(self.address.host().clone(), self.kind, problem)
    }

    /// Sets how large the body of a successful answer may be, in bytes, in place of the kind's
    /// own limit.
    #[must_use]
    pub fn limit(self, bytes: u64) -> Self {
        Self { limit: bytes, ..self }
    }
}
