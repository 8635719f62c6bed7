//! Redirects: whether one is followed, and what goes with it.

use http::{HeaderMap, StatusCode, header};

use crate::address::Scheme;
use crate::{Address, Method, PlainHttp, Problem, Request};

/// How many redirects one question follows.
pub(crate) const MAX_REDIRECTS: usize = 5;

/// Where an answer redirects the question to, if it does. A `POST` is never redirected: its body
/// is a credential.
pub(crate) fn location(method: Method, status: StatusCode, headers: &HeaderMap) -> Option<&[u8]> {
    let redirects = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = headers.get(header::LOCATION)?;
    (redirects && method != Method::Post).then_some(location.as_bytes())
}

/// The request that follows `location`.
///
/// The credential goes along only to the same origin (scheme, host and port). https never becomes
/// http, and plain http is spoken only to hosts that are listed for it.
pub(crate) fn follow(
    request: &Request,
    location: &[u8],
    plain_http: &PlainHttp,
) -> Result<Request, Problem> {
    let bad = |text: &str| Problem::BadRedirect { location: text.to_owned() };
    let text =
        std::str::from_utf8(location).map_err(|_| bad(&String::from_utf8_lossy(location)))?;
    let from = &request.address;
    let url = from.url().join(text).map_err(|_| bad(text))?;
    let address = Address::try_from(url).map_err(|_| bad(text))?;
    let http_is_spoken = || from.scheme() == Scheme::Http && plain_http.contains(address.host());
    if address.scheme() == Scheme::Http && !http_is_spoken() {
        return Err(Problem::RedirectToPlainHttp { to: address.host().clone() });
    }
    let same_origin = from.url().origin() == address.url().origin();
    let authorization = request.authorization.clone().filter(|_| same_origin);
    Ok(Request { address, authorization, ..request.clone() })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::Kind;

    fn ask(url: &str) -> Request {
        Request::get(Kind::Blob, url.parse().expect("an address"))
            .authorization(Some(HeaderValue::from_static("Bearer x")))
    }

    fn go(from: &str, to: &str) -> Result<Request, Problem> {
        let plain = PlainHttp::new(vec!["plain".parse().expect("a host")]);
        follow(&ask(from), to.as_bytes(), &plain)
    }

    #[test]
    fn the_credential_stays_with_its_origin() {
        let same = go("https://a/v2/x", "/elsewhere").expect("followed");
        assert_eq!(same.address.url().as_str(), "https://a/elsewhere");
        assert!(same.authorization.is_some());
        for other in ["https://b/x", "https://a:444/x", "//b/x", "https://a.b/x"] {
            let request = go("https://a/v2/x", other).expect("followed");
            assert!(request.authorization.is_none(), "{other}");
        }
        let up = go("http://plain/x", "https://plain/x").expect("followed");
        assert!(up.authorization.is_none());
    }

    #[test]
    fn https_never_becomes_http() {
        for to in ["http://a/x", "http://plain/x"] {
            assert!(
                matches!(go("https://a/x", to), Err(Problem::RedirectToPlainHttp { .. })),
                "{to}"
            );
        }
        assert!(go("http://plain/x", "http://plain:81/x").is_ok());
        assert!(matches!(
            go("http://plain/x", "http://other/"),
            Err(Problem::RedirectToPlainHttp { .. })
        ));
    }

    #[test]
    fn what_is_no_place_to_go_is_refused() {
        for to in
            ["file:///etc/passwd", "ftp://a/", "https://user:pw@a/", "https://", "http://[::1"]
        {
            assert!(matches!(go("https://a/x", to), Err(Problem::BadRedirect { .. })), "{to}");
        }
        assert!(follow(&ask("https://a/"), b"/\xff", &PlainHttp::default()).is_err());
    }

    #[test]
    fn only_redirects_redirect() {
        let mut headers = HeaderMap::new();
        assert_eq!(location(Method::Get, StatusCode::FOUND, &headers), None);
        headers.insert(header::LOCATION, HeaderValue::from_static("/x"));
        assert_eq!(location(Method::Get, StatusCode::FOUND, &headers), Some(&b"/x"[..]));
        assert_eq!(location(Method::Post, StatusCode::TEMPORARY_REDIRECT, &headers), None);
        assert_eq!(location(Method::Get, StatusCode::CREATED, &headers), None);
        assert_eq!(location(Method::Head, StatusCode::NOT_MODIFIED, &headers), None);
    }
}
