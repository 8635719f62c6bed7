//! That a change is asked for by our own pages, and not by another site's in a browser that has
//! our cookie.

use axum::http::{HeaderMap, header};

use super::Caller;

/// Whether a request that changes something comes from our own pages, or from no browser.
///
/// Browsers say from where (Fetch Metadata, `Sec-Fetch-Site`); older ones send `Origin`. Who has
/// neither is a script; a script brings a token, which no browser adds by itself.
pub(super) fn is_our_own(caller: &Caller, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    if let Some(origin) = text("origin") {
        let host = text(header::HOST.as_str());
        return origin.split_once("://").map(|(_, host)| host) == host && host.is_some();
    }
    headers.contains_key(header::AUTHORIZATION) || *caller == Caller::Nobody
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_site_asks_for_nothing() {
        let own = |headers: &[(&'static str, &'static str)]| {
            let headers = headers
                .iter()
                .map(|(name, value)| {
                    (name.parse().expect("a name"), value.parse().expect("a value"))
                })
                .collect();
            is_our_own(&Caller::Machine, &headers)
        };
        assert!(own(&[("sec-fetch-site", "same-origin")]));
        assert!(!own(&[("sec-fetch-site", "cross-site")]));
        assert!(!own(&[("sec-fetch-site", "same-site"), ("authorization", "Bearer x")]));
        assert!(own(&[("host", "a.example"), ("origin", "https://a.example")]));
        assert!(!own(&[("host", "a.example"), ("origin", "https://b.example")]));
        assert!(!own(&[("host", "a.example"), ("origin", "null")]));
        assert!(own(&[("authorization", "Bearer x")]));
        assert!(!own(&[("cookie", "session=x")]));
    }
}
