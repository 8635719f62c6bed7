//! A registry inside the test: it counts what it is asked, and lies on demand.
//!
//! It is a fake only for counting and lying; what must hold against a registry as such is tested
//! against real ones. It speaks the pull half of the OCI distribution specification (manifests,
//! blobs, tags, referrers) and token servers (GET, and the OAuth 2 POST), listens on
//! `127.0.0.1` on a port of its own, runs on a thread of its own, so that tests of any kind can
//! use it, and stops when it is dropped.
//!
//! ```no_run
//! use testkit::registry::{Access, FakeRegistry};
//!
//! let registry = FakeRegistry::start();
//! let amd64 = registry.push_image("library/nginx", None, "amd64");
//! let arm64 = registry.push_image("library/nginx", None, "arm64");
//! let index = registry.push_index(
//!     "library/nginx",
//!     Some("1.27"),
//!     &[("linux/amd64", &amd64), ("linux/arm64/v8", &arm64)],
//! );
//! registry.switch(|switches| switches.access = Access::basic("user", "secret"));
//! // … ask `registry.host()` for `library/nginx:1.27`, which is `index.digest` …
//! assert_eq!(registry.count("HEAD", "/v2/library/nginx/manifests/1.27"), 1);
//! assert_eq!(registry.count("GET", "/v2/"), 0);
//! ```

mod answer;
mod content;
mod payload;
mod serve;
mod switches;
mod token;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub use content::Pushed;
use content::Repository;
pub use payload::Payload;
use serve::Clients;
pub use switches::{Access, Bearer, Bytes, Canned, DigestHeader, Pages, Switches};

/// A running registry.
#[derive(Debug)]
pub struct FakeRegistry {
    shared: Arc<Shared>,
    server: serve::Server,
    authority: Option<String>,
    identity: Option<(String, String)>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    host: String,
    scheme: &'static str,
    repositories: BTreeMap<String, Repository>,
    switches: Switches,
    canned: BTreeMap<String, Canned>,
    files: BTreeMap<String, Vec<u8>>,
    log: Vec<Asked>,
    answered: Vec<String>,
    deepest: usize,
    now: usize,
    most: usize,
    connections: usize,
    tokens: BTreeMap<String, Issued>,
}

/// A token that was given out.
#[derive(Debug)]
struct Issued {
    scope: String,
    until: Instant,
}

/// One request that came, and how it was answered.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The version of HTTP: `HTTP/1.1` or `HTTP/2.0`.
    pub version: String,
    /// The path.
    pub path: String,
    /// The query, empty if there was none.
    pub query: String,
    /// All headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// The status of the answer.
    pub status: u16,
    /// When it came.
    pub at: Instant,
    /// Its place in the longest chain of requests of which each came after the answer to another
    /// before it, from 1. With a delay longer than a client needs to send, that is the round.
    pub round: usize,
}

impl Asked {
    /// The value of a header, if it came.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl FakeRegistry {
    /// Starts a registry that speaks plain http.
    #[must_use]
    pub fn start() -> Self {
        Self::start_by(None)
    }

    /// Starts a registry that speaks https, with a certificate for `localhost` and `127.0.0.1`
    /// from an authority of its own ([`Self::authority`]).
    #[must_use]
    pub fn start_tls() -> Self {
        Self::start_by(Some(serve::certificate(&["localhost", "127.0.0.1"], Clients::Anyone)))
    }

    /// Starts a registry that speaks https, and HTTP/2 to who offers it (ALPN, RFC 7301).
    #[must_use]
    pub fn start_http2() -> Self {
        let tls = serve::certificate(&["localhost", "127.0.0.1"], Clients::Anyone);
        Self::start_by(Some(tls.with_protocols(&[serve::HTTP2, serve::HTTP1])))
    }

    /// Starts a registry that speaks https with a certificate for `name` only.
    #[must_use]
    pub fn start_tls_for(name: &str) -> Self {
        Self::start_by(Some(serve::certificate(&[name], Clients::Anyone)))
    }

    /// Starts a registry that speaks https, and HTTP/2 to who offers it, and talks only to who has
    /// a certificate of its authority ([`Self::client_identity`]).
    #[must_use]
    pub fn start_mutual_tls() -> Self {
        let tls = serve::certificate(&["localhost", "127.0.0.1"], Clients::Certified);
        Self::start_by(Some(tls.with_protocols(&[serve::HTTP2, serve::HTTP1])))
    }

    fn start_by(tls: Option<serve::Tls>) -> Self {
        let shared = Arc::new(Shared { state: Mutex::default() });
        let config = tls.as_ref().map(|tls| Arc::clone(&tls.config));
        let server = serve::Server::start("127.0.0.1", config, Arc::clone(&shared));
        let (authority, identity) = match tls {
            Some(tls) => (Some(tls.authority), tls.identity),
            None => (None, None),
        };
        let registry = Self { shared, server, authority, identity };
        let mut state = registry.state();
        state.host = registry.host();
        state.scheme = if registry.authority.is_some() { "https" } else { "http" };
        drop(state);
        registry
    }

    /// A certificate and its key, both in PEM form, that this registry lets in.
    #[must_use]
    pub fn client_identity(&self) -> Option<(&str, &str)> {
        self.identity.as_ref().map(|(certificate, key)| (certificate.as_str(), key.as_str()))
    }

    /// Host and port.
    #[must_use]
    pub fn host(&self) -> String {
        self.address().to_string()
    }

    /// Host and port as an address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The certificate of the authority behind https, in PEM form.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Changes how it behaves.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.state().switches);
    }

    /// Gives a fixed answer to every request for exactly this path, before anything else, access
    /// too.
    pub fn can(&self, path: &str, answer: Canned) {
        self.state().canned.insert(path.to_owned(), answer);
    }

    /// Serves a file at this path as a web server does: to whom access is given, with an `ETag`.
    pub fn serve_file(&self, path: &str, content: impl Into<Vec<u8>>) {
        self.state().files.insert(path.to_owned(), content.into());
    }

    /// Answers honestly again.
    pub fn uncan(&self, path: &str) {
        self.state().canned.remove(path);
    }

    /// Takes back every token that was given out.
    pub fn revoke_tokens(&self) {
        self.state().tokens.clear();
    }

    /// All that was asked so far, in the order of arrival.
    #[must_use]
    pub fn log(&self) -> Vec<Asked> {
        self.state().log.clone()
    }

    /// The paths of all requests that were answered so far, in the order of the answers.
    #[must_use]
    pub fn answered(&self) -> Vec<String> {
        self.state().answered.clone()
    }

    /// The most requests that waited for their answers at the same time.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        self.state().most
    }

    /// How many requests of this method came for exactly this path.
    #[must_use]
    pub fn count(&self, method: &str, path: &str) -> usize {
        let state = self.state();
        state.log.iter().filter(|asked| asked.method == method && asked.path == path).count()
    }

    /// How many connections were made so far, TLS included where it speaks that.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state().connections
    }

    /// Forgets what was asked.
    pub fn clear_log(&self) {
        let mut state = self.state();
        state.log.clear();
        state.answered.clear();
        state.deepest = 0;
        state.most = state.now;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
