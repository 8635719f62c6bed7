//! Docker's `config.json` (and `auth.json`, and `.dockerconfigjson`), as far as credentials go.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use records::text::shown;
use serde::Deserialize;

use super::helper::HelperName;
use super::pattern::Pattern;
use super::{Credential, Source};
use crate::Repository;

/// The file as it is written. What else Docker keeps there is nothing to us.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    auths: Option<BTreeMap<String, Auth>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct Auth {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    identitytoken: String,
}

/// What is wrong with a document. The parser's own words are left out: they may quote a password.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConfigFault {
    #[error(
        "it is no Docker configuration (line {line}, column {column}): it must be JSON with `auths`, `credHelpers` or `credsStore`"
    )]
    Malformed { line: usize, column: usize },
    #[error("its entry `{}` {fault}", shown(.key))]
    Entry { key: String, fault: &'static str },
}

impl From<serde_json::Error> for ConfigFault {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed { line: error.line(), column: error.column() }
    }
}

/// One file, understood.
#[derive(Debug)]
pub(super) struct ConfigFile {
    stored: Vec<(Pattern, Credential)>,
    helpers: Vec<(Pattern, HelperName)>,
    store: Option<HelperName>,
}

impl ConfigFile {
    pub(super) fn parse(text: &[u8]) -> Result<Self, ConfigFault> {
        let written: Written = serde_json::from_slice(text)?;
        let fault = |key: &str, fault| ConfigFault::Entry { key: key.to_owned(), fault };
        let helper = |key: &str, name: &str| {
            name.parse::<HelperName>().map_err(|_| {
                fault(key, "names no credential helper: letters, digits, `_` and `-` make a name")
            })
        };
        let stored = stored(written.auths.unwrap_or_default())?;
        let mut helpers = Vec::new();
        for (key, name) in written.cred_helpers.unwrap_or_default() {
            helpers.push((Pattern::new(&key), helper(&key, &name)?));
        }
        let store = written.creds_store.filter(|name| !name.is_empty());
        let store = store.map(|name| helper("credsStore", &name)).transpose()?;
        Ok(Self { stored, helpers, store })
    }

    /// The older file (`.dockercfg`), which is what `auths` holds now.
    pub(super) fn parse_auths(text: &[u8]) -> Result<Self, ConfigFault> {
        let stored = stored(serde_json::from_slice(text)?)?;
        Ok(Self { stored, helpers: Vec::new(), store: None })
    }

    /// The credentials that stand in it; helpers are left out.
    pub(super) fn into_stored(self) -> Vec<(Pattern, Credential)> {
        self.stored
    }

    /// Where this file's credential for `repository` may be.
    pub(super) fn sources(&self, repository: &Repository) -> Vec<Source<'_>> {
        let server = || Pattern::server(repository);
        let helper = |name| Source::Helper { name, server: server() };
        let own = best(&self.helpers, repository).map(helper);
        let stored = best(&self.stored, repository).map(Source::Stored);
        let store = self.store.as_ref().map(helper);
        own.into_iter().chain(stored).chain(store).collect()
    }
}

fn stored(auths: BTreeMap<String, Auth>) -> Result<Vec<(Pattern, Credential)>, ConfigFault> {
    let mut stored = Vec::new();
    for (key, auth) in auths {
        match credential(auth) {
            Ok(Some(credential)) => stored.push((Pattern::new(&key), credential)),
            Ok(None) => {}
            Err(fault) => return Err(ConfigFault::Entry { key, fault }),
        }
    }
    Ok(stored)
}

/// The value of the most specific pattern that fits.
fn best<'a, T>(entries: &'a [(Pattern, T)], repository: &Repository) -> Option<&'a T> {
    let fits = entries.iter().filter_map(|(pattern, value)| {
        pattern.fits(repository).map(|specificity| (specificity, value))
    });
    fits.max_by_key(|(specificity, _)| *specificity).map(|(_, value)| value)
}

/// The credential of an entry; an empty one, which a login by helper leaves behind, has none.
fn credential(written: Auth) -> Result<Option<Credential>, &'static str> {
    if !written.identitytoken.is_empty() {
        return Ok(Some(Credential::IdentityToken(written.identitytoken.into())));
    }
    if !written.auth.is_empty() {
        return decode(&written.auth).map(Some);
    }
    let (user, password) = (written.username, written.password);
    let empty = user.is_empty() && password.is_empty();
    Ok((!empty).then(|| Credential::Password { user, password: password.into() }))
}

/// `auth` is the base64 of `user:password`.
fn decode(auth: &str) -> Result<Credential, &'static str> {
    let decoded = STANDARD.decode(auth.trim()).map_err(|_| "has an `auth` that is not base64")?;
    let text = String::from_utf8(decoded).map_err(|_| "has an `auth` that is not text")?;
    let (user, password) =
        text.split_once(':').ok_or("has an `auth` that is not the base64 of user:password")?;
    // Docker on Windows pads passwords with NUL.
    let password = password.trim_matches('\0');
    Ok(Credential::Password { user: user.to_owned(), password: password.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ConfigFile {
        ConfigFile::parse(text.as_bytes()).expect("a configuration")
    }

    fn sources(text: &str, repository: &str) -> Vec<String> {
        let repository = repository.parse().expect("a repository");
        let show = |source: &Source<'_>| match source {
            Source::Stored(Credential::Password { user, password }) => {
                format!("{user}:{}", password.reveal())
            }
            Source::Stored(Credential::IdentityToken(token)) => format!("<{}>", token.reveal()),
            Source::Helper { name, server } => format!("{name} {server}"),
        };
        parse(text).sources(&repository).iter().map(show).collect()
    }

    #[test]
    fn reads_every_form_of_an_entry() {
        let auth = STANDARD.encode("user:pass:word\0\0");
        let text = format!(
            r#"{{"auths": {{
                "a.io": {{"auth": "{auth}"}},
                "b.io": {{"username": "u", "password": "p"}},
                "c.io": {{"auth": "{auth}", "identitytoken": "t"}},
                "d.io": {{}}
            }}, "HttpHeaders": {{"X": "y"}}}}"#
        );
        assert_eq!(sources(&text, "a.io/x"), ["user:pass:word"]);
        assert_eq!(sources(&text, "b.io/x"), ["u:p"]);
        assert_eq!(sources(&text, "c.io/x"), ["<t>"]);
        assert!(sources(&text, "d.io/x").is_empty() && sources(&text, "e.io/x").is_empty());
    }

    #[test]
    fn the_most_specific_entry_counts() {
        let entry = |user| format!(r#"{{"username": "{user}", "password": "p"}}"#);
        let text = format!(
            r#"{{"auths": {{"r.io": {}, "r.io/team": {}, "r.io/team/app": {}, "*.io": {},
                "https://index.docker.io/v1/": {}}}}}"#,
            entry("host"),
            entry("team"),
            entry("app"),
            entry("star"),
            entry("hub"),
        );
        for (repository, user) in [
            ("r.io/x", "host:p"),
            ("r.io/team/x", "team:p"),
            ("r.io/teamwork/x", "host:p"),
            ("r.io/team/app", "app:p"),
            ("other.io/x", "star:p"),
            ("nginx", "hub:p"),
        ] {
            assert_eq!(sources(&text, repository), [user], "{repository}");
        }
    }

    #[test]
    fn helpers_come_in_their_order() {
        let text = r#"{"auths": {"r.io": {"username": "u", "password": "p"}},
            "credHelpers": {"r.io": "ecr-login"}, "credsStore": "desktop"}"#;
        assert_eq!(sources(text, "r.io/x"), ["ecr-login r.io", "u:p", "desktop r.io"]);
        assert_eq!(sources(text, "nginx"), ["desktop https://index.docker.io/v1/"]);
    }

    #[test]
    fn what_cannot_be_understood_is_said_without_secrets() {
        let error =
            |text: &str| ConfigFile::parse(text.as_bytes()).expect_err("refused").to_string();
        let colon = STANDARD.encode("hunter2");
        for (text, words) in [
            (
                r#"{"auths": {"a": {"auth": "hunter2!"}}}"#.to_owned(),
                "entry `a` has an `auth` that is not base64",
            ),
            (
                format!(r#"{{"auths": {{"a": {{"auth": "{colon}"}}}}}}"#),
                "not the base64 of user:password",
            ),
            (
                r#"{"credHelpers": {"a": "../../bin/sh"}}"#.to_owned(),
                "entry `a` names no credential helper",
            ),
            (
                r#"{"credsStore": "a b"}"#.to_owned(),
                "entry `credsStore` names no credential helper",
            ),
            ("{\n\"auths\": 3}".to_owned(), "line 2"),
        ] {
            let message = error(&text);
            assert!(message.contains(words) && !message.contains("hunter2"), "{message}");
        }
    }
}
