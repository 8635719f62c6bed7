//! Tokens: fetched once, kept as long as they are good, renewed once when they are refused.
//!
//! The distribution project's token authentication specification (`GET` with basic credentials)
//! and its OAuth 2 variant (`POST` with a refresh token), as Docker Hub, GHCR, GitLab, Quay, ACR
//! and others serve them.

use std::time::{Duration, Instant};

use http::HeaderValue;
use http_asking::{Address, Answer, Kind, Request};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::challenge::Bearer;
use super::realm::{self, Standing};
use super::{Found, basic};
use crate::Repository;
use crate::error::{Denial, Error};
use crate::keychain::Credential;
use crate::secret::Secret;

/// How long a token is good that does not say so; the specification's word.
const DEFAULT_LIFE: Duration = Duration::from_secs(60);

/// No token is kept longer than this, whatever it says.
const MAX_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// A token is not used in the last of its life, or it would expire on its way.
const MAX_MARGIN: Duration = Duration::from_secs(5);

/// What we call ourselves to OAuth 2 servers.
const CLIENT_ID: &str = "provenance-collector";

/// An access token.
#[derive(Debug, Clone)]
pub(super) struct Token {
    text: Secret,
    until: Instant,
    /// Which of its slot's tokens this is.
    number: u64,
    /// The scope that was asked for.
    scope: String,
    /// Whether it was fetched without our credentials, though we have some.
    anonymous: bool,
}

/// Whether a token was fetched for the request that carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    Fresh,
    Kept,
}

/// Whom to ask for a token, on whose behalf, with what.
pub(super) struct Ask<'a> {
    pub(super) client: &'a http_asking::Client,
    pub(super) repository: &'a Repository,
    pub(super) found: &'a Found,
    pub(super) bearer: &'a Bearer,
}

/// The place of one repository's token. Its lock is held while a token is fetched: the others
/// wait for that one.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    token: Option<Result<Token, Error>>,
    fetched: u64,
    /// Set when a token that had just been fetched was refused: another would be too.
    renewal_is_useless: bool,
}

impl Token {
    /// The token as a header. That it can be one was checked when it came.
    pub(super) fn header(&self) -> HeaderValue {
        let value = HeaderValue::try_from(format!("Bearer {}", self.text.reveal()));
        value.expect("checked when the token came")
    }
}

impl Slot {
    /// A token that is good now. A failure to get one is final.
    pub(super) async fn current(
        &self,
        ask: &Ask<'_>,
        registry: &Address,
    ) -> Result<(Token, Age), Error> {
        let mut state = self.0.lock().await;
        match &state.token {
            Some(Ok(token)) if token.until > Instant::now() => Ok((token.clone(), Age::Kept)),
            Some(Err(error)) => Err(error.clone()),
            _ => state.fetch(ask, registry).await.map(|token| (token, Age::Fresh)),
        }
    }

    /// A token in place of `refused`; nothing when there is no use in another.
    pub(super) async fn renewed(
        &self,
        ask: &Ask<'_>,
        registry: &Address,
        refused: &Token,
        age: Age,
    ) -> Result<Option<Token>, Error> {
        let mut state = self.0.lock().await;
        match &state.token {
            Some(Ok(token)) if token.number > refused.number => return Ok(Some(token.clone())),
            Some(Err(error)) => return Err(error.clone()),
            _ => {}
        }
        let same_scope = scope(ask) == refused.scope;
        if same_scope && (age == Age::Fresh || state.renewal_is_useless) {
            state.renewal_is_useless = true;
            return Ok(None);
        }
        state.fetch(ask, registry).await.map(Some)
    }

    /// Notes that the newest token was refused when it was new.
    pub(super) async fn refused(&self) {
        self.0.lock().await.renewal_is_useless = true;
    }

    /// Whether the token was fetched without the credentials that we have.
    pub(super) async fn is_anonymous(&self) -> bool {
        matches!(&self.0.lock().await.token, Some(Ok(token)) if token.anonymous)
    }
}

impl State {
    async fn fetch(&mut self, ask: &Ask<'_>, registry: &Address) -> Result<Token, Error> {
        self.fetched += 1;
        let token = fetch(ask, registry, self.fetched).await;
        self.token = Some(token.clone());
        token
    }
}

/// The scope to ask for: the one that the registry named, or that of pulling the repository.
fn scope(ask: &Ask<'_>) -> String {
    let own = || format!("repository:{}:pull", ask.repository.path());
    ask.bearer.scope.clone().unwrap_or_else(own)
}

async fn fetch(ask: &Ask<'_>, registry: &Address, number: u64) -> Result<Token, Error> {
    let realm = &ask.bearer.realm;
    let named = ask.client.hosts().of(registry.host()).map_or(&[][..], |set| &set.realms);
    let standing = realm::standing(registry.host(), registry.scheme(), realm, named);
    let credential = match (standing, ask.found) {
        (Standing::Refused, _) => {
            let (registry, realm) = (registry.host().clone(), realm.host().clone());
            return Err(Error::PlainRealm { registry, realm });
        }
        (Standing::Trusted, Found::Credential(credential)) => Some(credential),
        _ => None,
    };
    let scope = scope(ask);
    let started = Instant::now();
    let answer = ask.client.ask(request(ask.bearer, &scope, credential)).await?;
    if !answer.status.is_success() {
        return Err(denied(ask, &answer, credential, standing));
    }
    let (text, life) = read(&answer).ok_or_else(|| Error::NoToken {
        host: answer.host.clone(),
        repository: ask.repository.clone(),
    })?;
    let until = started + life - MAX_MARGIN.min(life / 10);
    let anonymous = credential.is_none() && matches!(ask.found, Found::Credential(_));
    Ok(Token { text, until, number, scope, anonymous })
}

fn request(bearer: &Bearer, scope: &str, credential: Option<&Credential>) -> Request {
    let realm = bearer.realm.clone();
    let mut fields = Vec::new();
    fields.extend(bearer.service.as_deref().map(|service| ("service", service)));
    fields.push(("scope", scope));
    match credential {
        Some(Credential::IdentityToken(token)) => {
            fields.push(("grant_type", "refresh_token"));
            fields.push(("client_id", CLIENT_ID));
            fields.push(("refresh_token", token.reveal()));
            Request::post_form(Kind::Token, realm, &fields)
        }
        Some(Credential::Password { user, password }) => {
            Request::get(Kind::Token, realm.with_query(&fields))
                .authorization(basic(user, password))
        }
        None => Request::get(Kind::Token, realm.with_query(&fields)),
    }
}

/// What a token server's refusal means. Of statuses other than these nothing is known but that
/// it answered so.
fn denied(
    ask: &Ask<'_>,
    answer: &Answer,
    credential: Option<&Credential>,
    standing: Standing,
) -> Error {
    let refusal = answer.refusal();
    if !matches!(answer.status.as_u16(), 400 | 401 | 403) {
        return Error::Ask(refusal);
    }
    let repository = || ask.repository.clone();
    let why = match (ask.found, credential) {
        (_, Some(_)) => Denial::CredentialsRefused(repository()),
        (Found::Failed(error), _) => Denial::Helper(error.clone()),
        (Found::Credential(_), None) if standing == Standing::Foreign => {
            Denial::RealmRefused(answer.host.clone())
        }
        _ => Denial::NoCredentials(repository()),
    };
    Error::Denied { refusal, why }
}

/// The answer of a token server.
#[derive(Deserialize)]
struct Body {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<serde_json::Value>,
}

/// The token and how long it is good, if there is one that can stand in a header.
fn read(answer: &Answer) -> Option<(Secret, Duration)> {
    let body: Body = serde_json::from_slice(&answer.body).ok()?;
    let text = body.token.filter(|text| !text.is_empty()).or(body.access_token)?;
    let usable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let seconds =
        body.expires_in.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
    let life = seconds.filter(|seconds| *seconds > 0).map_or(DEFAULT_LIFE, Duration::from_secs);
    usable.then(|| (text.into(), life.min(MAX_LIFE)))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn read_text(body: &str) -> Option<(String, u64)> {
        let answer = Answer {
            host: "auth".parse().expect("a host"),
            kind: Kind::Token,
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: body.to_owned().into(),
        };
        read(&answer).map(|(text, life)| (text.reveal().to_owned(), life.as_secs()))
    }

    #[test]
    fn reads_what_token_servers_answer() {
        let some = |text: &str, life| Some((text.to_owned(), life));
        assert_eq!(read_text(r#"{"token":"t"}"#), some("t", 60));
        assert_eq!(read_text(r#"{"access_token":"a","expires_in":300}"#), some("a", 300));
        assert_eq!(read_text(r#"{"token":"t","access_token":"a"}"#), some("t", 60));
        assert_eq!(
            read_text(r#"{"token":"","access_token":"a","expires_in":"90"}"#),
            some("a", 90)
        );
        assert_eq!(read_text(r#"{"token":"t","expires_in":-1}"#), some("t", 60));
        assert_eq!(
            read_text(r#"{"token":"t","expires_in":18446744073709551615}"#),
            some("t", 86_400)
        );
    }

    #[test]
    fn what_is_no_token_is_none() {
        for body in [
            "",
            "{}",
            "[]",
            r#"{"token":""}"#,
            r#"{"token":"a b"}"#,
            "{\"token\":\"a\\r\\nX: y\"}",
            r#"{"token":3}"#,
        ] {
            assert_eq!(read_text(body), None, "{body}");
        }
    }
}
