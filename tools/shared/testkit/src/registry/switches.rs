//! How the registry behaves: who is let in, and which lies it tells.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Payload;

/// How the registry behaves. All is honest and open to begin with.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Switches {
    /// Who may ask.
    pub access: Access,
    /// What `Docker-Content-Digest` says of manifests.
    pub digest_header: DigestHeader,
    /// Whether the bytes of manifests and blobs are what their digests say.
    pub bytes: Bytes,
    /// The answer to every question about a manifest, in place of an honest one.
    pub manifests: Option<Canned>,
    /// How many questions about manifests still get `manifests`; all of them when there is none.
    pub manifests_times: Option<usize>,
    /// How the lists of tags and referrers go on.
    pub pages: Pages,
    /// Whether connections are taken and never spoken on: no handshake, no answer.
    pub mute: bool,
    /// How long every answer waits.
    pub delay: Duration,
    /// How long answers about these repositories wait, in place of `delay`.
    pub delays: BTreeMap<String, Duration>,
    /// Whether there is a referrers API; without it those requests are 404.
    pub referrers_api: bool,
    /// How many tags a page of the tag list has; 0 is all of them.
    pub tags_per_page: usize,
    /// Where `GET`s of blobs are redirected to: the blob's digest is appended.
    pub blobs_at: Option<String>,
}

/// Who may ask a registry.
#[derive(Debug, Clone, Default)]
pub enum Access {
    /// Everybody.
    #[default]
    Open,
    /// Who knows user name and password.
    Basic {
        /// The user name.
        user: String,
        /// The password.
        password: String,
    },
    /// Who brings a token.
    Bearer(Bearer),
}

impl Access {
    /// Basic authentication.
    #[must_use]
    pub fn basic(user: &str, password: &str) -> Self {
        Self::Basic { user: user.to_owned(), password: password.to_owned() }
    }
}

/// Tokens: who gets them, from where, for how long.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// The only user who gets a token; everybody does when there is none.
    pub user: Option<(String, String)>,
    /// The identity token that gets an access token by POST.
    pub identity_token: Option<String>,
    /// What the token server says of the life of its tokens, in seconds.
    pub expires_in: Option<u64>,
    /// How long its tokens really are good.
    pub lives: Duration,
    /// The realm that the challenge names, in place of `/token` at this registry.
    pub realm: Option<String>,
    /// The scope that the challenge names, in place of `repository:<name>:pull`.
    pub scope: Option<String>,
    /// Repositories whose tokens do not let in.
    pub denied: Vec<String>,
}

impl Default for Bearer {
    fn default() -> Self {
        Self {
            user: None,
            identity_token: None,
            expires_in: Some(300),
            lives: Duration::from_secs(300),
            realm: None,
            scope: None,
            denied: Vec::new(),
        }
    }
}

/// What `Docker-Content-Digest` says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DigestHeader {
    /// The digest of the bytes.
    #[default]
    Right,
    /// There is no such header.
    Missing,
    /// It is empty.
    Empty,
    /// It is no digest.
    Malformed,
    /// It is the digest of something else.
    Wrong,
}

/// What bytes are served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Bytes {
    /// Those that were pushed.
    #[default]
    Right,
    /// Others: one space is appended.
    Tampered,
}

/// How a list goes on behind its first page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Pages {
    /// Where it has more, and no further.
    #[default]
    Right,
    /// The page behind each is that page itself.
    Circle,
    /// There are so many, each another page than all before.
    Many(usize),
    /// The page behind each is here.
    At(String),
}

/// A fixed answer, in place of an honest one.
#[derive(Debug, Clone)]
pub struct Canned {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Payload,
}

impl Canned {
    /// An answer without headers and body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Payload::from("") }
    }

    /// This answer with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// This answer with a body.
    #[must_use]
    pub fn body(self, body: impl Into<Payload>) -> Self {
        Self { body: body.into(), ..self }
    }
}
