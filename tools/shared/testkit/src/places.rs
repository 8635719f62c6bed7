//! Where things are: the project, foreign test data, the testbed.

use std::path::{Path, PathBuf};

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

#[expect(clippy::print_stderr, reason = "a test that was skipped must say so")]
fn from_env(test: &str, name: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        eprintln!("skipped: {test}: `{name}` is not set");
    }
    value
}
