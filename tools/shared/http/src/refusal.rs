//! What the body of a refusal says: the little of a foreign text that may enter a message.

use http::{HeaderMap, header};
use records::text::clean;
use serde::Deserialize;

/// The most characters of a foreign text that a message takes.
const MAX_CHARS: usize = 200;

/// The bodies of registries (OCI distribution specification, "Error Codes"), of OAuth 2 servers
/// (RFC 6749 section 5.2) and of Docker's token server.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    errors: Vec<OciError>,
    error: Option<serde_json::Value>,
    error_description: Option<String>,
    #[serde(alias = "message")]
    details: Option<String>,
}

#[derive(Deserialize)]
struct OciError {
    code: Option<String>,
    message: Option<String>,
}

/// What `body` says, cleaned and cut; nothing if it says nothing that a person could use (a page
/// of HTML for example).
pub(crate) fn said(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let text = match serde_json::from_slice::<Body>(body) {
        Ok(body) => words(body)?,
        Err(_) if is_plain(headers) => String::from_utf8_lossy(body).trim().to_owned(),
        Err(_) => return None,
    };
    (!text.is_empty()).then(|| clean(&text, MAX_CHARS))
}

fn words(body: Body) -> Option<String> {
    let (code, message) = match body.errors.into_iter().next() {
        Some(first) => (first.code, first.message),
        None => {
            let error = body.error.and_then(|error| error.as_str().map(str::to_owned));
            (error, body.error_description.or(body.details))
        }
    };
    match (code, message.filter(|message| !message.is_empty())) {
        (Some(code), Some(message)) => Some(format!("{code}: {message}")),
        (code, message) => code.or(message),
    }
}

fn is_plain(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn json(body: &str) -> Option<String> {
        said(&HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn reads_the_words_of_registries_and_token_servers() {
        let oci = r#"{"errors":[{"code":"DENIED","message":"no","detail":{"x":1}},{"code":"B"}]}"#;
        assert_eq!(json(oci).as_deref(), Some("DENIED: no"));
        assert_eq!(json(r#"{"errors":[{"code":"DENIED"}]}"#).as_deref(), Some("DENIED"));
        let oauth = r#"{"error":"invalid_grant","error_description":"expired"}"#;
        assert_eq!(json(oauth).as_deref(), Some("invalid_grant: expired"));
        assert_eq!(
            json(r#"{"details":"incorrect username"}"#).as_deref(),
            Some("incorrect username")
        );
    }

    #[test]
    fn nothing_else_enters() {
        for body in
            ["", "<html>secret</html>", "{}", "[]", r#"{"errors":[]}"#, r#"{"errors":3}"#, "null"]
        {
            assert_eq!(json(body), None, "{body}");
        }
    }

    #[test]
    fn plain_text_enters_cleaned_and_cut() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        assert_eq!(said(&headers, b"slow\x1b[2J down\n").as_deref(), Some("slow\u{fffd}[2J down"));
        let long = said(&headers, &[b'x'; 1000]).expect("words");
        assert_eq!(long.chars().count(), MAX_CHARS + 1);
        let rtl = json(r#"{"errors":[{"code":"X","message":"\u202egnp"}]}"#).expect("words");
        assert!(!rtl.contains('\u{202e}'));
    }
}
