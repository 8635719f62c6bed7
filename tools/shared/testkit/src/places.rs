//! Where things are: the project, foreign test data, the testbed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Run;

/// The project's root folder.
#[must_use]
pub fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(3).unwrap_or(here)
}

/// The folder of test data that others wrote, by `PC_SHARED_DATA`.
///
/// Where it is not set, the test says that it was skipped, and the caller returns.
#[must_use]
pub fn shared_data(test: &str) -> Option<PathBuf> {
    from_env(test, "PC_SHARED_DATA").map(PathBuf::from)
}

/// A schema or parser that others publish, by its name in the folder of `scripts/schemas`, which
/// `PC_SCHEMAS` names.
///
/// Where it is not there, the test says that it was skipped, and the caller returns.
#[must_use]
#[expect(clippy::print_stderr, reason = "a test says that it was skipped")]
pub fn published(test: &str, name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(from_env(test, "PC_SCHEMAS")?).join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {test}: `{}` is not there", path.display());
    None
}

/// The real components that `scripts/testbed` started.
#[derive(Debug, Clone)]
pub struct Testbed {
    /// A kubeconfig for an administrator of the API server.
    pub kubeconfig: PathBuf,
    /// The API server's URL.
    pub apiserver: String,
    /// The certificate of its authority, PEM.
    pub apiserver_ca: PathBuf,
    /// The administrator's bearer token.
    pub token: String,
    /// `host:port` of a registry without the referrers API.
    pub registry: String,
    /// `host:port` of a registry with it.
    pub oci_registry: String,
    /// That registry's request log: one JSON object a line.
    pub oci_registry_log: PathBuf,
    /// The folder with crane, cosign and the others.
    pub bin: PathBuf,
}

impl Testbed {
    /// The testbed, by the variables that `scripts/testbed run` sets.
    ///
    /// Where there is none, the test says that it was skipped, and the caller returns.
    ///
    /// # Panics
    /// When there is half a testbed: `PC_TESTBED_DIR` is set, and another variable is not.
    #[must_use]
    #[expect(clippy::panic, reason = "a test helper: the message is the test's failure")]
    pub fn from_env(test: &str) -> Option<Self> {
        from_env(test, "PC_TESTBED_DIR")?;
        let var = |name: &str| {
            from_env(test, name)
                .unwrap_or_else(|| panic!("`{name}` is not set, but there is a testbed"))
        };
        Some(Self {
            kubeconfig: var("PC_TESTBED_KUBECONFIG").into(),
            apiserver: var("PC_TESTBED_APISERVER"),
            apiserver_ca: var("PC_TESTBED_APISERVER_CA").into(),
            token: var("PC_TESTBED_ADMIN_TOKEN"),
            registry: var("PC_TESTBED_REGISTRY"),
            oci_registry: var("PC_TESTBED_OCI_REGISTRY"),
            oci_registry_log: var("PC_TESTBED_OCI_REGISTRY_LOG").into(),
            bin: var("PC_TESTBED_BIN").into(),
        })
    }
}

impl Testbed {
    /// What another of its variables says, by its name without `PC_TESTBED_`.
    ///
    /// # Panics
    /// When there is no such variable: the testbed is of another version then.
    #[must_use]
    #[expect(clippy::panic, reason = "a test helper: the message is the test's failure")]
    pub fn var(&self, name: &str) -> String {
        let name = format!("PC_TESTBED_{name}");
        std::env::var(&name).unwrap_or_else(|_| panic!("`{name}` is not set"))
    }

    /// One of its tools (crane, oras, cosign …), which trusts the testbed's authority and has its
    /// configuration (`config.json`) and whatever it keeps in `home`.
    #[must_use]
    pub fn tool(&self, name: &str, home: &Path) -> Run {
        Run::new(Command::new(self.bin.join(name)), Ok(()))
            .env("HOME", home)
            .env("DOCKER_CONFIG", home)
            .env("SSL_CERT_FILE", self.var("CA"))
    }

    /// A repository's name that no other run has used: the registries may be older than this test.
    #[must_use]
    pub fn fresh(&self, path: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        format!("{path}-{}", now.as_nanos())
    }

    /// The lines of one of its logs that have this text, once there are so many of them: servers
    /// may write them after they have answered.
    ///
    /// # Panics
    /// When there are fewer after some seconds, or the log cannot be read.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "a test helper: the message is the test's failure")]
    pub fn logged(&self, log: &str, text: &str, count: usize) -> Vec<String> {
        let path = self.var(log);
        for _ in 0..100 {
            let all = std::fs::read_to_string(&path).unwrap_or_default();
            let lines: Vec<_> =
                all.lines().filter(|line| line.contains(text)).map(str::to_owned).collect();
            if lines.len() >= count {
                return lines;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("`{path}` has fewer than {count} lines with `{text}`")
    }
}

#[expect(clippy::print_stderr, reason = "a test that was skipped must say so")]
fn from_env(test: &str, name: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        eprintln!("skipped: {test}: `{name}` is not set");
    }
    value
}
