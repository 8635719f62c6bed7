//! The places where evidence is kept.

use records::On;

use crate::check::Check;

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoreKind {
    /// The referrers API (OCI distribution specification, "Listing Referrers").
    Referrers,
    /// The fallback tag `sha256-<hex>` of registries without that API.
    FallbackTag,
    /// cosign's tag `sha256-<hex>.sig`.
    SigTag,
    /// cosign's tag `sha256-<hex>.att`.
    AttTag,
    /// cosign's tag `sha256-<hex>.sbom`.
    SbomTag,
    /// Attestation manifests in the index, as BuildKit writes them.
    InIndex,
}

impl StoreKind {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Referrers => "referrers",
            Self::FallbackTag => "fallbackTag",
            Self::SigTag => "sigTag",
            Self::AttTag => "attTag",
            Self::SbomTag => "sbomTag",
            Self::InIndex => "inIndex",
        }
    }

    /// Whether a check's evidence may be kept there.
    #[must_use]
    pub fn holds(self, check: Check) -> bool {
        match self {
            Self::Referrers | Self::FallbackTag => true,
            Self::SigTag => check == Check::Signature,
            Self::AttTag => check != Check::Signature,
            Self::SbomTag => check == Check::Sbom,
            Self::InIndex => check != Check::Signature,
        }
    }

    /// A store that may hold a check's evidence, to say what a failure is about.
    pub(crate) fn any_for(check: Check) -> Option<Self> {
        Some(Self::Referrers).filter(|kind| kind.holds(check))
    }

    /// What cosign puts behind the fallback tag, for the stores that are its tags.
    pub(crate) fn suffix(self) -> Option<&'static str> {
        match self {
            Self::SigTag => Some(".sig"),
            Self::AttTag => Some(".att"),
            Self::SbomTag => Some(".sbom"),
            Self::Referrers | Self::FallbackTag | Self::InIndex => None,
        }
    }
}

/// A store of one digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Store {
    /// Its kind.
    pub kind: StoreKind,
    /// The repository that it is in, where that is not the image's own.
    pub elsewhere: Option<String>,
    /// Whether it was asked about the index or the manifest.
    pub on: Role,
}

impl Store {
    /// The name on the wire: the kind, and `@` with the repository where that is another.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.elsewhere {
            Some(repository) => format!("{}@{repository}", self.kind.as_str()),
            None => self.kind.as_str().to_owned(),
        }
    }
}

/// Which of the digests of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The index.
    Index,
    /// The platform manifest.
    Manifest,
}

impl From<Role> for On {
    fn from(role: Role) -> Self {
        match role {
            Role::Index => Self::Index,
            Role::Manifest => Self::Manifest,
        }
    }
}
