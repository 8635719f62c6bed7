//! What a 401 asks for: `WWW-Authenticate` (RFC 9110 section 11.6.1; tokens by the distribution
//! project's token authentication specification).

use http::{HeaderMap, header};
use http_asking::Address;

/// The longest header that is read, in bytes.
const MAX_HEADER: usize = 8 * 1024;

/// How a registry wants to know who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// User and password with every request.
    Basic,
    /// A token from a token server.
    Bearer(Bearer),
}

/// Where tokens come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) realm: Address,
    pub(crate) service: Option<String>,
    pub(crate) scope: Option<String>,
}

/// One challenge of a header, as it is written.
#[derive(Debug, PartialEq)]
struct Written {
    scheme: String,
    params: Vec<(String, String)>,
}

/// The challenge that can be met, tokens before passwords.
pub(crate) fn of(headers: &HeaderMap) -> Option<Challenge> {
    let values = headers.get_all(header::WWW_AUTHENTICATE).into_iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    let written: Vec<Written> =
        texts.filter(|text| text.len() <= MAX_HEADER).flat_map(split).collect();
    let bearer = written.iter().find_map(bearer).map(Challenge::Bearer);
    bearer.or_else(|| written.iter().any(|one| one.is("basic")).then_some(Challenge::Basic))
}

fn bearer(written: &Written) -> Option<Bearer> {
    let realm = written.param("realm").filter(|_| written.is("bearer"))?;
    let some = |name| written.param(name).filter(|value| !value.is_empty()).map(str::to_owned);
    Some(Bearer { realm: realm.parse().ok()?, service: some("service"), scope: some("scope") })
}

impl Written {
    fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    fn param(&self, name: &str) -> Option<&str> {
        let named = |known: &str| known.eq_ignore_ascii_case(name);
        self.params.iter().find(|(known, _)| named(known)).map(|(_, value)| value.as_str())
    }
}

/// Takes a header apart. A comma separates parameters and challenges alike; a word without `=`
/// behind it begins a challenge.
fn split(text: &str) -> Vec<Written> {
    let mut challenges: Vec<Written> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, behind) = take_word(rest);
        if word.is_empty() {
            return challenges;
        }
        let behind = behind.trim_start_matches([' ', '\t']);
        match (behind.strip_prefix('='), challenges.last_mut()) {
            (Some(value), Some(challenge)) => {
                let (value, behind) = take_value(value.trim_start_matches([' ', '\t']));
                challenge.params.push((word.to_owned(), value));
                rest = behind;
            }
            // A parameter of no challenge: not a header that means anything.
            (Some(_), None) => return challenges,
            (None, _) => {
                challenges.push(Written { scheme: word.to_owned(), params: Vec::new() });
                rest = behind;
            }
        }
    }
}

/// A token of RFC 9110, widened by what token68 (of schemes that are nothing to us) has.
fn take_word(text: &str) -> (&str, &str) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/".contains(c);
    text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()))
}

/// A token or a quoted string, and what follows.
fn take_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (word, rest) = take_word(text);
        // The padding of a token68 may be left.
        return (word.to_owned(), rest.trim_start_matches('='));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn challenge(values: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers
                .append(header::WWW_AUTHENTICATE, HeaderValue::from_str(value).expect("a value"));
        }
        of(&headers)
    }

    fn token(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        let realm = realm.parse().expect("an address");
        let (service, scope) = (service.map(str::to_owned), scope.map(str::to_owned));
        Some(Challenge::Bearer(Bearer { realm, service, scope }))
    }

    #[test]
    fn reads_what_registries_send() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull""#;
        let expected = token(
            "https://auth.docker.io/token",
            Some("registry.docker.io"),
            Some("repository:library/nginx:pull"),
        );
        assert_eq!(challenge(&[hub]), expected);
        let spaced = r#"bearer  Realm = "https://a/t" , service=plain"#;
        assert_eq!(challenge(&[spaced]), token("https://a/t", Some("plain"), None));
        assert_eq!(challenge(&[r#"Basic realm="x""#]), Some(Challenge::Basic));
        assert_eq!(challenge(&["BASIC"]), Some(Challenge::Basic));
    }

    #[test]
    fn of_several_the_token_goes_first() {
        let both = [
            vec![r#"Basic realm="x", Bearer realm="https://a/t""#],
            vec![r#"Bearer realm="https://a/t", Basic realm="x""#],
            vec![r#"Basic realm="x""#, r#"Bearer realm="https://a/t""#],
            vec!["Negotiate YWJj==", r#"Bearer realm="https://a/t""#],
            vec![r#"Negotiate YWJj==, Bearer realm="https://a/t""#],
        ];
        for values in both {
            assert_eq!(challenge(&values), token("https://a/t", None, None), "{values:?}");
        }
        let no_realm = [r#"Bearer error="x", Basic realm="y""#];
        assert_eq!(challenge(&no_realm), Some(Challenge::Basic));
    }

    #[test]
    fn quotes_hold_commas_and_escapes() {
        let value = r#"Bearer realm="https://a/t?x=\"1\",2",scope="a:b:pull,push""#;
        let Some(Challenge::Bearer(bearer)) = challenge(&[value]) else { panic!("no challenge") };
        assert_eq!(bearer.realm.url().query(), Some("x=%221%22,2"));
        assert_eq!(bearer.scope.as_deref(), Some("a:b:pull,push"));
    }

    #[test]
    fn what_means_nothing_is_nothing() {
        for value in [
            "",
            ",",
            "=",
            "realm=x",
            "Digest a=b",
            r#"Bearer realm="not a url""#,
            r#"Bearer realm="https://u:p@a/t""#,
            r#"Bearer realm="#,
            r#"Bearer realm="https://a"#,
            "\"",
            "Bearer =\"\\",
        ] {
            let found = challenge(&[value]);
            assert!(
                found.is_none() || value.contains("https://a") && !value.contains('@'),
                "{value}: {found:?}"
            );
        }
        let long = format!("Basic realm=\"{}\"", "x".repeat(MAX_HEADER));
        assert_eq!(challenge(&[&long]), None);
        assert_eq!(challenge(&[]), None);
    }
}
