//! Lists that come in pages: where the next page is, and when to stop.
//!
//! OCI distribution specification, "Listing Tags" and "Listing Referrers"; RFC 8288. The link to
//! the next page is followed as it stands, since some registries keep their own state in it and
//! refuse one that was made by hand. It stays with the registry that gave it.

use std::collections::HashSet;

use http::HeaderMap;
use http::header::LINK;
use http_asking::Address;

/// The most pages of one list.
const MAX_PAGES: usize = 1000;

/// Why a list cannot be read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The link to the next page leads to another host or scheme.
    #[error("its next page is at `{}`, another place than the registry's own", records::text::shown(.0))]
    Elsewhere(String),
    /// The link to the next page is none.
    #[error("its next page has the address `{}`, which is none", records::text::shown(.0))]
    Malformed(String),
    /// The next page is one that was read already.
    #[error("its pages lead round in a circle")]
    Circle,
    /// Page after page after page.
    #[error("it has more than {MAX_PAGES} pages")]
    TooMany,
}

/// The pages of one list that were read so far.
#[derive(Debug, Default)]
pub(crate) struct Pages(HashSet<String>);

impl Pages {
    /// The page after the one at `here`, whose headers these are; none after the last.
    pub(crate) fn next(
        &mut self,
        here: &Address,
        headers: &HeaderMap,
    ) -> Result<Option<Address>, PageError> {
        self.0.insert(here.url().to_string());
        let Some(link) = headers.get_all(LINK).iter().find_map(|value| next_link(value.as_bytes()))
        else {
            return Ok(None);
        };
        let malformed = || PageError::Malformed(link.clone());
        let url = here.url().join(&link).map_err(|_| malformed())?;
        let next = Address::try_from(url).map_err(|_| malformed())?;
        if next.host() != here.host() || next.scheme() != here.scheme() {
            return Err(PageError::Elsewhere(link));
        }
        if self.0.contains(next.url().as_str()) {
            return Err(PageError::Circle);
        }
        if self.0.len() >= MAX_PAGES {
            return Err(PageError::TooMany);
        }
        Ok(Some(next))
    }
}

/// The target of `<target>; rel="next"` in a `Link` header, which may hold several links.
fn next_link(value: &[u8]) -> Option<String> {
    let value = std::str::from_utf8(value).ok()?;
    let mut rest = value;
    while let Some((_, opened)) = rest.split_once('<') {
        let (target, behind) = opened.split_once('>')?;
        // Parameters go on to the next link's `<`, which cannot stand in them unquoted.
        let (parameters, next) = match behind.split_once('<') {
            Some((parameters, _)) => (parameters, &behind[parameters.len()..]),
            None => (behind, ""),
        };
        let is_next = parameters.split([';', ',']).any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let relations = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel")
                && relations.split(' ').any(|relation| relation.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(target.to_owned());
        }
        rest = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(LINK, value.parse().expect("a value"));
        headers
    }

    fn here() -> Address {
        "https://r.example/v2/a/tags/list?n=2".parse().expect("an address")
    }

    fn next(value: &str) -> Result<Option<String>, PageError> {
        let next = Pages::default().next(&here(), &link(value))?;
        Ok(next.map(|address| address.url().to_string()))
    }

    #[test]
    fn the_link_is_followed_as_it_stands() {
        for (value, wanted) in [
            (
                "</v2/a/tags/list?last=x%2Fy&n=2>; rel=\"next\"",
                "https://r.example/v2/a/tags/list?last=x%2Fy&n=2",
            ),
            (
                "<https://r.example/next?state=abc==>; rel=next",
                "https://r.example/next?state=abc==",
            ),
            ("<?last=b>;rel=\"next\"", "https://r.example/v2/a/tags/list?last=b"),
            (
                "</first>; rel=\"first\", </second>; title=\"x\"; rel=\"prev next\"",
                "https://r.example/second",
            ),
        ] {
            assert_eq!(next(value), Ok(Some(wanted.to_owned())), "{value}");
        }
        for last in ["", "</x>; rel=\"prev\"", "</x>", "x", "<"] {
            assert_eq!(next(last), Ok(None), "{last}");
        }
    }

    #[test]
    fn links_that_lead_away_or_nowhere_are_refused() {
        for away in [
            "<https://evil.example/x>; rel=next",
            "<http://r.example/x>; rel=next",
            "<//evil.example/x>; rel=next",
            "<https://r.example:444/x>; rel=next",
        ] {
            assert!(matches!(next(away), Err(PageError::Elsewhere(_))), "{away}");
        }
        for bad in ["<https://u:p@r.example/x>; rel=next", "<ftp://r.example/x>; rel=next"] {
            assert!(matches!(next(bad), Err(PageError::Malformed(_))), "{bad}");
        }
        assert_eq!(next("<?n=2>; rel=next"), Err(PageError::Circle));
    }

    #[test]
    fn pages_end() {
        let mut pages = Pages::default();
        let mut address = here();
        let mut read = 0;
        let end = loop {
            match pages.next(&address, &link(&format!("<?last={read}>; rel=next"))) {
                Ok(Some(next)) => address = next,
                other => break other,
            }
            read += 1;
        };
        assert_eq!((end, read), (Err(PageError::TooMany), MAX_PAGES - 1));
    }
}
