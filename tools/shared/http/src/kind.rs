//! The kinds of requests: how they are counted, and how large their answers may be.

use std::fmt;

/// What a request asks for. Requests are counted, and their bodies limited, by this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Whether a manifest exists, and its digest.
    Head,
    /// A manifest or an index.
    Manifest,
    /// The configuration of an image.
    Config,
    /// Any other blob.
    Blob,
    /// A bearer token.
    Token,
    /// A page of a repository's tags.
    Tags,
    /// A page of the manifests that refer to another.
    Referrers,
    /// What a chart repository or a catalogue says of charts.
    Charts,
    /// Events that are handed on.
    Events,
    /// That a report is taken.
    Report,
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// The most that is read of the body of an answer that is no success, in bytes.
pub(crate) const ERROR_BODY_LIMIT: u64 = 64 * KIB;

impl Kind {
    /// The name by which requests of this kind are counted.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Manifest => "manifest",
            Self::Config => "config",
            Self::Blob => "blob",
            Self::Token => "token",
            Self::Tags => "tags",
            Self::Referrers => "referrers",
            Self::Charts => "charts",
            Self::Events => "events",
            Self::Report => "report",
        }
    }

    /// What is asked for, in words for a message.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Head => "a manifest's digest",
            Self::Manifest => "a manifest",
            Self::Config => "an image's configuration",
            Self::Blob => "a blob",
            Self::Token => "a token",
            Self::Tags => "tags",
            Self::Referrers => "referrers",
            Self::Charts => "charts",
            Self::Events => "an answer to events",
            Self::Report => "its acceptance of a report",
        }
    }

    /// How large the body of a successful answer may be, in bytes, unless the request says
    /// otherwise. The limit holds for what comes off the socket and for what that unpacks to.
    #[must_use]
    pub const fn limit(self) -> u64 {
        match self {
            Self::Head => 0,
            Self::Token | Self::Events | Self::Report => 64 * KIB,
            Self::Manifest | Self::Config | Self::Tags | Self::Referrers => 8 * MIB,
            Self::Blob => 16 * MIB,
            // The largest public indexes have 20 MB.
            Self::Charts => 64 * MIB,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
