//! Who may ask, and the token server.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Access, Asked, Bearer, Canned, Issued, Payload, State};

/// The answer to who may not ask, or nothing.
pub(super) fn refusal(state: &State, asked: &Asked, repository: &str) -> Option<Canned> {
    match &state.switches.access {
        Access::Open => None,
        Access::Basic { user, password } => {
            let right = basic(user, password);
            (asked.header("authorization") != Some(&right))
                .then(|| denied(r#"Basic realm="fake registry""#))
        }
        Access::Bearer(bearer) => (!has_token(state, bearer, asked, repository))
            .then(|| denied(&challenge(state, bearer, repository))),
    }
}

fn denied(challenge: &str) -> Canned {
    let body = json!({"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]});
    Canned::status(401)
        .header("www-authenticate", challenge)
        .header("content-type", "application/json")
        .body(Payload::from(body.to_string().as_str()))
}

fn challenge(state: &State, bearer: &Bearer, repository: &str) -> String {
    let here = format!("{}://{}/token", state.scheme, state.host);
    let realm = bearer.realm.as_ref().unwrap_or(&here);
    let own = own_scope(repository);
    let scope = bearer.scope.as_ref().unwrap_or(&own);
    format!(r#"Bearer realm="{realm}",service="fake",scope="{scope}""#)
}

fn own_scope(repository: &str) -> String {
    format!("repository:{repository}:pull")
}

fn has_token(state: &State, bearer: &Bearer, asked: &Asked, repository: &str) -> bool {
    let token = asked.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let issued = token.and_then(|token| state.tokens.get(token));
    let scope = bearer.scope.clone().unwrap_or_else(|| own_scope(repository));
    issued.is_some_and(|issued| issued.scope == scope && issued.until > Instant::now())
        && !bearer.denied.iter().any(|denied| denied == repository)
}

/// The token server's answer.
pub(super) fn issue(state: &mut State, asked: &Asked) -> Canned {
    let Access::Bearer(bearer) = state.switches.access.clone() else {
        return Canned::status(404);
    };
    let fields = fields(if asked.method == "POST" { &asked.body } else { &asked.query });
    let field = |name: &str| {
        fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    };
    let let_in = match (&bearer.user, &bearer.identity_token) {
        _ if asked.method == "POST" => {
            field("grant_type") == "refresh_token"
                && bearer.identity_token.as_deref() == Some(field("refresh_token"))
        }
        (Some((user, password)), _) => {
            asked.header("authorization") == Some(&basic(user, password))
        }
        (None, Some(_)) => false,
        (None, None) => true,
    };
    if !let_in {
        let body = json!({"details": "incorrect username or password"}).to_string();
        return Canned::status(401).body(body.as_str());
    }
    let token = format!("token-{}", state.log.len());
    let until = Instant::now() + bearer.lives;
    state.tokens.insert(token.clone(), Issued { scope: field("scope").to_owned(), until });
    let name = if asked.method == "POST" { "access_token" } else { "token" };
    let mut body = json!({name: token});
    if let Some(seconds) = bearer.expires_in {
        body["expires_in"] = seconds.into();
    }
    Canned::status(200).header("content-type", "application/json").body(body.to_string().as_str())
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// The fields of a form or a query.
fn fields(text: &str) -> Vec<(String, String)> {
    let decode = |part: &str| percent_decode(&part.replace('+', " "));
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn percent_decode(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let escape = (byte == b'%').then(|| [bytes.next(), bytes.next()]);
        match escape {
            Some([Some(high), Some(low)]) => {
                out.extend(hex::decode([high, low]).unwrap_or_default());
            }
            Some(_) => {}
            None => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
