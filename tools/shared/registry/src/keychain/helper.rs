//! Credential helpers: programs called `docker-credential-<name>` that keep the secrets.
//!
//! The protocol is docker-credential-helpers': `get` as argument, the server on stdin, JSON on
//! stdout; "credentials not found" on stdout with a failure is the answer that there are none.

use std::fmt;
use std::process::Stdio;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::Credential;
use crate::secret::Secret;

/// How long a helper may take; it may well ask a cloud.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The most that is read of what a helper prints, in bytes.
const MAX_OUTPUT: u64 = 64 * 1024;

/// The user name by which a helper says that its secret is an identity token.
const TOKEN_USER: &str = "<token>";

/// The name of a helper, which becomes part of a program's name: `[A-Za-z0-9_-]+`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct HelperName(String);

/// A helper that gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the credential helper `docker-credential-{helper}` {fault}")]
pub struct HelperError {
    helper: String,
    fault: &'static str,
    #[source]
    source: Option<Arc<std::io::Error>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

impl FromStr for HelperName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        let well_formed = !text.is_empty() && text.bytes().all(allowed);
        well_formed.then(|| Self(text.to_owned())).ok_or(())
    }
}

impl fmt::Display for HelperName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HelperName {
    /// What the helper keeps for `server`, if anything.
    pub(super) async fn get(&self, server: &str) -> Result<Option<Credential>, HelperError> {
        let program = format!("docker-credential-{self}");
        let child = Command::new(program)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| self.fault("cannot be started; is it installed?", Some(error)))?;
        match tokio::time::timeout(TIMEOUT, talk(child, server)).await {
            Ok(Ok(Talk::Answer(answer))) => self.read(&answer),
            Ok(Ok(Talk::Refusal(text))) if text.contains("credentials not found") => Ok(None),
            Ok(Ok(Talk::Refusal(_))) => Err(self.fault("failed", None)),
            Ok(Err(error)) => Err(self.fault("broke off", Some(error))),
            Err(_) => Err(self.fault("gave no answer within 10 s", None)),
        }
    }

    /// The parser's words are left out: they may quote the secret.
    fn read(&self, answer: &[u8]) -> Result<Option<Credential>, HelperError> {
        let answer: Answer = serde_json::from_slice(answer)
            .map_err(|_| self.fault("answered something else than its JSON", None))?;
        let secret = Secret::from(answer.secret);
        Ok(match (answer.username.as_str(), secret.reveal()) {
            (_, "") => None,
            (TOKEN_USER, _) => Some(Credential::IdentityToken(secret)),
            _ => Some(Credential::Password { user: answer.username, password: secret }),
        })
    }

    fn fault(&self, fault: &'static str, source: Option<std::io::Error>) -> HelperError {
        HelperError { helper: self.0.clone(), fault, source: source.map(Arc::new) }
    }
}

enum Talk {
    Answer(Vec<u8>),
    /// What a helper that failed printed.
    Refusal(String),
}

async fn talk(mut child: Child, server: &str) -> std::io::Result<Talk> {
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that answers without reading closes the pipe: its answer counts.
        let _ = stdin.write_all(server.as_bytes()).await;
    }
    let mut out = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MAX_OUTPUT).read_to_end(&mut out).await?;
    }
    let status = child.wait().await?;
    Ok(match status.success() {
        true => Talk::Answer(out),
        false => Talk::Refusal(String::from_utf8_lossy(&out).into_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn helper() -> HelperName {
        "test".parse().expect("a name")
    }

    #[test]
    fn names_are_no_paths() {
        for bad in ["", "../x", "a b", "a/b", "a;b", "é"] {
            assert!(bad.parse::<HelperName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn reads_answers() {
        let read = |text: &str| helper().read(text.as_bytes());
        let password = read(r#"{"ServerURL":"x","Username":"u","Secret":"s"}"#).expect("read");
        let expected = Credential::Password { user: "u".into(), password: "s".into() };
        assert_eq!(password, Some(expected));
        let token = read(r#"{"Username":"<token>","Secret":"s"}"#).expect("read");
        assert_eq!(token, Some(Credential::IdentityToken("s".into())));
        assert_eq!(read(r#"{"Username":"","Secret":""}"#).expect("read"), None);
        let error = read(r#"{"Secret":"hunter2"}"#).expect_err("refused");
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn a_helper_that_is_not_there_is_a_fault() {
        let name: HelperName = "no-such-helper-anywhere".parse().expect("a name");
        let error = name.get("r.io").await.expect_err("not installed");
        assert!(error.to_string().contains("is it installed?"), "{error}");
    }
}
