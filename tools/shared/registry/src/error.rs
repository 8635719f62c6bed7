//! Why a question about a repository has no answer.

use std::sync::Arc;

use http::StatusCode;
use http_asking::{AskError, Host, HostError, Kind};
use records::{Digest, DigestError, FailureCode};

use crate::keychain::{HelperError, SecretName};
use crate::layout::LayoutError;
use crate::manifest::ManifestError;
use crate::pages::PageError;
use crate::{Repository, TagOrDigest};

/// A question that has no definite answer. Cheap to clone: one failure serves all who asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The reference fits the grammar, and its registry is no host all the same.
    #[error("`{repository}` names no registry that can be asked")]
    Host {
        /// Whose registry.
        repository: Repository,
        /// What is wrong with it.
        #[source]
        source: HostError,
    },
    /// The registry did not answer, or answered that it will not.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The registry does not let us in.
    #[error("{refusal}; {why}")]
    Denied {
        /// The answer.
        refusal: AskError,
        /// What would mend it.
        why: Denial,
    },
    /// A registry that is asked over https wants its tokens fetched over plain http.
    #[error("`{registry}` names `{realm}` over plain http for tokens, which is refused")]
    PlainRealm {
        /// The registry.
        registry: Host,
        /// The token server.
        realm: Host,
    },
    /// What the token server answered is no token.
    #[error(
        "the token server `{host}` of `{repository}` answered without a token that can be used"
    )]
    NoToken {
        /// The token server.
        host: Host,
        /// For whose sake it was asked.
        repository: Repository,
    },
    /// `Docker-Content-Digest` is there and is no digest.
    #[error("`{host}` gave a digest for `{repository}:{asked}` that is none")]
    DigestHeader {
        /// The registry.
        host: Host,
        /// The repository.
        repository: Repository,
        /// What was asked for.
        asked: TagOrDigest,
        /// What is wrong with it.
        #[source]
        source: DigestError,
    },
    /// What came is not what was asked for.
    #[error("`{host}` answered for `{repository}@{asked}` with something whose digest is {found}")]
    DigestMismatch {
        /// Who answered.
        host: Host,
        /// The repository.
        repository: Repository,
        /// The digest that was asked for.
        asked: Digest,
        /// The digest of what came.
        found: Digest,
    },
    /// The bytes are the right ones and are no manifest.
    #[error("`{repository}@{digest}` is no manifest that can be read")]
    Manifest {
        /// The repository.
        repository: Repository,
        /// The digest of the bytes.
        digest: Digest,
        /// What is wrong with them.
        #[source]
        source: ManifestError,
    },
    /// A list that cannot be followed to its end; half of it is not given.
    #[error("the list of {} of `{repository}` cannot be read to its end: {source}", kind.as_str())]
    Pages {
        /// Who gave it.
        host: Host,
        /// The repository.
        repository: Repository,
        /// What is listed.
        kind: Kind,
        /// Why not.
        source: PageError,
    },
    /// A page of a list that is not what it should be.
    #[error("the list of {} of `{repository}` is malformed (line {line}, column {column})", kind.as_str())]
    List {
        /// Who gave it.
        host: Host,
        /// The repository.
        repository: Repository,
        /// What is listed.
        kind: Kind,
        /// Where the fault is.
        line: usize,
        /// Where the fault is.
        column: usize,
    },
    /// More tags than a repository may have.
    #[error("`{repository}` has more than {limit} tags")]
    TooManyTags {
        /// The repository.
        repository: Repository,
        /// The limit.
        limit: usize,
    },
    /// An image whose configuration has no digest that can be checked.
    #[error("the configuration of `{repository}@{digest}` has no digest")]
    ConfigDigest {
        /// The repository.
        repository: Repository,
        /// The image manifest.
        digest: Digest,
        /// What is wrong with the configuration's.
        #[source]
        source: DigestError,
    },
    /// A blob that is announced as larger than it may be.
    #[error("`{repository}@{digest}` is {size} bytes large, and at most {limit} are fetched")]
    TooLarge {
        /// The repository.
        repository: Repository,
        /// The blob.
        digest: Digest,
        /// Its announced size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// No mirror has it, and the hosts file says that the registry itself is not to be asked.
    #[error(
        "no mirror of `{repository}` has it, which does not say that the registry has not; let it be asked by `upstream: fallback` in the hosts file"
    )]
    OnlyMirrors {
        /// The repository.
        repository: Repository,
    },
    /// The layout directory in place of a registry cannot be read.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// Why a registry does not let us in, as far as we know.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Denial {
    /// We have no credentials for it.
    #[error(
        "no credentials for `{0}` were found: give them by `--registry-auth`, or log in with docker"
    )]
    NoCredentials(Repository),
    /// It does not want ours.
    #[error(
        "the credentials for `{0}` were not accepted: check that they are current and may pull it"
    )]
    CredentialsRefused(Repository),
    /// It sends us elsewhere for a token, where our credentials do not go.
    #[error("it names `{0}` for tokens, where credentials do not go, and none are given without")]
    RealmRefused(Host),
    /// It wants to know who asks in a way that is not known here.
    #[error("it asks for neither a token nor a password")]
    NoChallenge,
    /// A pull secret of the pods could not be read.
    #[error("the pods' pull secret `{secret}` cannot be used: {why}")]
    PullSecretUnusable {
        /// The secret.
        secret: SecretName,
        /// Why not.
        why: Arc<str>,
    },
    /// It does not want what is in a pull secret of the pods.
    #[error(
        "the pods' pull secret `{secret}` was not accepted: check that it is current and may pull `{repository}`"
    )]
    PullSecretRefused {
        /// The last secret that was tried.
        secret: SecretName,
        /// For what.
        repository: Repository,
    },
    /// The helper that keeps our credentials failed.
    #[error("its credentials could not be had, since {0}")]
    Helper(HelperError),
}

impl Error {
    /// The stable word for scripts.
    #[must_use]
    pub fn code(&self) -> FailureCode {
        match self {
            Self::Host { .. } => FailureCode::BadReference,
            Self::Ask(error) => error.code(),
            Self::Denied { refusal, why } => match why {
                Denial::RealmRefused(_) => FailureCode::RealmRefused,
                Denial::Helper(_) | Denial::PullSecretUnusable { .. } => FailureCode::Credentials,
                _ => refusal.code(),
            },
            Self::PlainRealm { .. } => FailureCode::RealmRefused,
            Self::NoToken { .. }
            | Self::DigestHeader { .. }
            | Self::Manifest { .. }
            | Self::ConfigDigest { .. }
            | Self::Pages { .. }
            | Self::List { .. } => FailureCode::BadResponse,
            Self::DigestMismatch { .. } => FailureCode::DigestMismatch,
            Self::TooLarge { .. } | Self::TooManyTags { .. } => FailureCode::TooLarge,
            Self::OnlyMirrors { .. } => FailureCode::Mirror,
            Self::Layout(error) => error.code(),
        }
    }

    /// The host that failed us, where one was asked.
    #[must_use]
    pub fn host(&self) -> Option<&Host> {
        match self {
            Self::Ask(error) | Self::Denied { refusal: error, .. } => Some(error.host()),
            Self::NoToken { host, .. }
            | Self::PlainRealm { registry: host, .. }
            | Self::DigestHeader { host, .. }
            | Self::DigestMismatch { host, .. }
            | Self::Pages { host, .. }
            | Self::List { host, .. } => Some(host),
            Self::Host { .. }
            | Self::Manifest { .. }
            | Self::ConfigDigest { .. }
            | Self::TooLarge { .. }
            | Self::TooManyTags { .. }
            | Self::OnlyMirrors { .. }
            | Self::Layout(_) => None,
        }
    }

    /// The HTTP status of the answer, where that is what failed.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Ask(error) | Self::Denied { refusal: error, .. } => error.status(),
            _ => None,
        }
    }

    /// Whether asking again later may help without anybody changing anything.
    #[must_use]
    pub fn retryable(&self) -> bool {
        self.code().retryable()
    }
}
