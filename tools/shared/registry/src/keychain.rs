//! Credentials for registries, from the files that Docker, Podman and Kubernetes write.
//!
//! One keychain serves every request of every kind. For a repository the most specific entry
//! counts: the longest path, and a host in full before one with `*`. Within a file a helper named
//! for the host goes first, then a stored entry, then the helper for everything (`credsStore`).

mod config;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod helper;
mod pattern;
mod pull_secrets;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use records::text::shown;
use tracing::warn;

use crate::Repository;
use crate::once::Once;
use crate::secret::Secret;
use config::{ConfigFault, ConfigFile};
pub use helper::HelperError;
use helper::HelperName;
pub(crate) use pull_secrets::{Identity, IdentityKey};
pub use pull_secrets::{PullSecret, PullSecrets, SecretForm, SecretName};

/// What a registry may be told to let us in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A user and a password.
    Password {
        /// The user's name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A refresh token, which a token server exchanges for an access token.
    IdentityToken(Secret),
}

/// Where a credential may be found, in the order of trying.
#[derive(Debug, PartialEq)]
enum Source<'a> {
    Stored(&'a Credential),
    Helper { name: &'a HelperName, server: String },
}

/// The credentials of this run. Files are read once, at the start; a helper is asked once for each
/// server, when a registry wants a credential.
#[derive(Debug)]
pub struct Keychain {
    files: Vec<ConfigFile>,
    asked: Once<(HelperName, String), Result<Option<Credential>, HelperError>>,
}

/// A file of credentials that cannot be used. These are faults of configuration.
#[derive(Debug, thiserror::Error)]
pub enum KeychainError {
    /// The file cannot be read.
    #[error("cannot read credentials from `{}`", shown(&path.to_string_lossy()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A folder without a file of credentials.
    #[error("the folder `{}` holds neither `config.json` nor `.dockerconfigjson`", shown(&path.to_string_lossy()))]
    NoFile {
        /// The folder.
        path: PathBuf,
    },
    /// Not JSON, or not of Docker's form. The parser's own words are left out: they may quote a
    /// password.
    #[error(
        "`{}` is no Docker configuration (line {line}, column {column}): it must be JSON with `auths`, `credHelpers` or `credsStore`",
        shown(&path.to_string_lossy())
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where it stops making sense.
        line: usize,
        /// Where in that line.
        column: usize,
    },
    /// An entry that cannot be understood.
    #[error("`{}`: entry `{}` {fault}", shown(&path.to_string_lossy()), shown(.key))]
    Entry {
        /// The file.
        path: PathBuf,
        /// The entry's key.
        key: String,
        /// What is wrong with it.
        fault: &'static str,
    },
}

/// Where configuration is looked for when no flag names it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    docker_config: Option<OsString>,
    home: Option<OsString>,
    runtime: Option<OsString>,
}

impl Places {
    fn of_this_process() -> Self {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        Self {
            docker_config: set("DOCKER_CONFIG"),
            home: set("HOME"),
            runtime: set("XDG_RUNTIME_DIR"),
        }
    }

    /// Docker's file, then Podman's.
    fn files(&self) -> Vec<PathBuf> {
        let home = || self.home.as_ref().map(|home| Path::new(home).join(".docker"));
        let docker = self.docker_config.as_ref().map(PathBuf::from).or_else(home);
        let docker = docker.map(|folder| folder.join("config.json"));
        let podman = self.runtime.as_ref().map(|dir| Path::new(dir).join("containers/auth.json"));
        docker.into_iter().chain(podman).collect()
    }
}

impl Keychain {
    /// The keychain of this run: that of `given` (a file, or a folder with one), else those of
    /// Docker and Podman, where they are there.
    ///
    /// # Errors
    /// When a file is there and cannot be used, or the given one is not there.
    pub fn load(given: Option<&Path>) -> Result<Self, KeychainError> {
        Self::load_from(given, &Places::of_this_process())
    }

    pub(crate) fn load_from(given: Option<&Path>, places: &Places) -> Result<Self, KeychainError> {
        let files = match given {
            Some(path) => vec![read(&file_in(path)?)?],
            None => places
                .files()
                .iter()
                .filter_map(|path| match read(path) {
                    Err(KeychainError::Unreadable { source, .. }) if is_absent(&source) => None,
                    other => Some(other),
                })
                .collect::<Result<_, _>>()?,
        };
        Ok(Self::new(files))
    }

    /// A keychain with nothing in it.
    #[must_use]
    pub fn empty() -> Self {
        Self::new(Vec::new())
    }

    fn new(files: Vec<ConfigFile>) -> Self {
        Self { files, asked: Once::new() }
    }

    /// The credential for a repository, if there is one.
    ///
    /// # Errors
    /// When a credential helper fails.
    pub(crate) async fn credential(
        &self,
        repository: &Repository,
    ) -> Result<Option<Credential>, HelperError> {
        for source in self.sources(repository) {
            match source {
                Source::Stored(credential) => return Ok(Some(credential.clone())),
                Source::Helper { name, server } => {
                    let ask = || async {
                        let answer = name.get(&server).await;
                        answer.inspect_err(|error| warn!(server, %error, "credential helper"))
                    };
                    let asked = self.asked.get((name.clone(), server.clone()), ask);
                    if let Some(credential) = asked.await? {
                        return Ok(Some(credential));
                    }
                }
            }
        }
        Ok(None)
    }

    fn sources(&self, repository: &Repository) -> Vec<Source<'_>> {
        self.files.iter().flat_map(|file| file.sources(repository)).collect()
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The file that `path` means.
fn file_in(path: &Path) -> Result<PathBuf, KeychainError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    ["config.json", ".dockerconfigjson"]
        .map(|name| path.join(name))
        .into_iter()
        .find(|file| file.exists())
        .ok_or_else(|| KeychainError::NoFile { path: path.to_owned() })
}

fn read(path: &Path) -> Result<ConfigFile, KeychainError> {
    let text = fs::read(path)
        .map_err(|source| KeychainError::Unreadable { path: path.to_owned(), source })?;
    ConfigFile::parse(&text).map_err(|fault| {
        let path = path.to_owned();
        match fault {
            ConfigFault::Malformed { line, column } => {
                KeychainError::Malformed { path, line, column }
            }
            ConfigFault::Entry { key, fault } => KeychainError::Entry { path, key, fault },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, text).expect("written");
        path
    }

    fn file(user: &str) -> String {
        format!(r#"{{"auths":{{"ghcr.io":{{"username":"{user}","password":"p"}}}}}}"#)
    }

    async fn user(keychain: &Keychain) -> Option<String> {
        let repository = "ghcr.io/acme/web".parse().expect("a repository");
        match keychain.credential(&repository).await.expect("no helper") {
            Some(Credential::Password { user, .. }) => Some(user),
            _ => None,
        }
    }

    #[tokio::test]
    async fn a_file_or_a_folder_may_be_given() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = write(folder.path(), "any.json", &file("of the file"));
        let keychain = Keychain::load(Some(&path)).expect("loaded");
        assert_eq!(user(&keychain).await.as_deref(), Some("of the file"));
        for name in [".dockerconfigjson", "config.json"] {
            write(folder.path(), name, &file(name));
            let keychain = Keychain::load(Some(folder.path())).expect("loaded");
            assert_eq!(user(&keychain).await.as_deref(), Some(name));
        }
    }

    #[tokio::test]
    async fn without_a_flag_dockers_and_podmans_files_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = |name: &str| Some(folder.path().join(name).into_os_string());
        let mut places = Places { docker_config: None, home: place("home"), runtime: place("run") };
        let load = |places: &Places| Keychain::load_from(None, places).expect("loaded");
        assert_eq!(user(&load(&places)).await, None);
        write(folder.path(), "run/containers/auth.json", &file("podman"));
        assert_eq!(user(&load(&places)).await.as_deref(), Some("podman"));
        write(folder.path(), "home/.docker/config.json", &file("docker"));
        assert_eq!(user(&load(&places)).await.as_deref(), Some("docker"));
        write(folder.path(), "elsewhere/config.json", &file("elsewhere"));
        places.docker_config = place("elsewhere");
        assert_eq!(user(&load(&places)).await.as_deref(), Some("elsewhere"));
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let load = |path: &Path| Keychain::load(Some(path)).expect_err("refused");
        assert!(matches!(load(&folder.path().join("none")), KeychainError::Unreadable { .. }));
        assert!(matches!(load(folder.path()), KeychainError::NoFile { .. }));
        let secret = r#"{"auths":{"ghcr.io":"hunter2"}}"#;
        let error = load(&write(folder.path(), "bad.json", secret));
        assert!(matches!(error, KeychainError::Malformed { line: 1, .. }), "{error}");
        assert!(!format!("{error:?} {error}").contains("hunter2"));
        let places = Places { home: Some(folder.path().into()), ..Places::default() };
        write(folder.path(), ".docker/config.json", "{");
        assert!(Keychain::load_from(None, &places).is_err());
    }
}
