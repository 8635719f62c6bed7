//! Who asks.

use axum::http::{HeaderMap, header};
use axum_extra::extract::PrivateCookieJar;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Doors;
use super::oidc::OidcError;

/// The cookie of a session.
pub(super) const SESSION: &str = "session";

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Nobody who is known.
    Nobody,
    /// A machine with the read token.
    Machine,
    /// A person, or a machine that the issuer knows.
    Person(Person),
}

/// Somebody whom the issuer knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The issuer's name for this one.
    pub subject: String,
    /// For people.
    pub email: Option<String>,
    /// The groups of this one.
    pub groups: Vec<String>,
    /// When this has to be proven again: seconds since 1970.
    pub until: i64,
}

impl Person {
    /// Whether this one is in any of the groups. Keycloak writes groups with a slash in front.
    #[must_use]
    pub fn is_in(&self, groups: &[String]) -> bool {
        let bare = |name: &str| name.trim_start_matches('/').to_owned();
        self.groups.iter().any(|group| groups.iter().any(|wanted| bare(wanted) == bare(group)))
    }
}

/// A secret that is compared without telling by the time how much of it was right: by its hash.
#[derive(Clone)]
pub(super) struct Bearer([u8; 32]);

impl Bearer {
    pub(super) fn new(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }

    pub(super) fn is(&self, secret: &str) -> bool {
        let given: [u8; 32] = Sha256::digest(secret).into();
        // Who chooses `secret` cannot choose where the hashes first differ.
        given == self.0
    }
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer(…)")
    }
}

/// Who sent a request with these headers.
pub(super) async fn of(doors: &Doors, headers: &HeaderMap) -> Result<Caller, OidcError> {
    if let Some(token) = bearer(headers) {
        if doors.read_token.as_ref().is_some_and(|known| known.is(token)) {
            return Ok(Caller::Machine);
        }
        return match &doors.oidc {
            Some(oidc) => Ok(oidc.bearer(token).await?.map_or(Caller::Nobody, Caller::Person)),
            None => Ok(Caller::Nobody),
        };
    }
    let jar = PrivateCookieJar::from_headers(headers, doors.key.clone());
    let person =
        jar.get(SESSION).and_then(|cookie| serde_json::from_str::<Person>(cookie.value()).ok());
    let now = Timestamp::now().as_second();
    Ok(person.filter(|person| person.until > now).map_or(Caller::Nobody, Caller::Person))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_fit_with_and_without_a_slash() {
        let person = Person {
            subject: "s".into(),
            email: None,
            groups: vec!["/admin".into(), "dev".into()],
            until: 0,
        };
        assert!(person.is_in(&["admin".into()]) && person.is_in(&["/dev".into()]));
        assert!(!person.is_in(&["adm".into()]) && !person.is_in(&[]));
    }

    #[test]
    fn a_bearer_is_itself_alone_and_does_not_show() {
        let bearer = Bearer::new("secret");
        assert!(bearer.is("secret") && !bearer.is("secreT") && !bearer.is(""));
        assert_eq!(format!("{bearer:?}"), "Bearer(…)");
    }
}
