//! The SLSA build level that provenance earns: a table of builders, and of who proves them
//! (SLSA 1.2, verifying artifacts, step 1).

use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use super::{Build, git};
use crate::judged::{CertifiedIdentity, KeyId, SignedBy};

mod table;

pub use table::TableError;

/// The rule of what nobody signed.
pub const UNSIGNED: &str = "unsigned";

/// The rule of what somebody signed who proves no builder of the table.
pub const UNKNOWN_BUILDER: &str = "unknown-builder";

/// The table that is compiled in.
const BUILT_IN: &str = include_str!("levels.yaml");

/// An SLSA build level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BuildLevel {
    /// No provenance.
    L0,
    /// There is provenance.
    L1,
    /// A hosted builder signed it.
    L2,
    /// An isolated builder signed it.
    L3,
}

/// A level, and what gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earned {
    /// The level.
    pub level: BuildLevel,
    /// The name of the rule that decided: a row of the table, [`UNSIGNED`] or [`UNKNOWN_BUILDER`].
    pub rule: String,
    /// Whether the signer proves the builder that the statement names.
    pub builder_proven: bool,
    /// Whether other projects can use this signer: then it proves who built, not for whom, and
    /// trust takes a source repository as well.
    pub shared: bool,
}

/// What proves a builder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Proof {
    /// The certificate's identity, which is the workflow that signed, is the builder's id.
    Identity,
    /// The certificate names the kind of runner; it takes `runner`.
    Runner,
    /// The builder's id lies below the certificate's source repository.
    Project,
    /// Somebody whom the rule names signs for that builder; it takes `identity` or
    /// `identityRegexp`.
    Signer,
    /// The holder of one of the rule's keys signs for that builder; it takes `keys`.
    Key,
}

/// A row of the table.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// The builder's id.
    pub builder: Pattern,
    /// What proves that builder.
    pub proof: Proof,
    /// The certificate's issuer.
    pub issuer: Option<String>,
    /// The certificate's identity.
    pub identity: Option<Pattern>,
    /// The certificate's runner environment.
    pub runner: Option<String>,
    /// The keys.
    pub keys: Vec<KeyId>,
    /// The level.
    pub level: BuildLevel,
    /// Whether any project can use that builder.
    pub shared: bool,
    /// Where that level is claimed, or who decided it.
    pub source: String,
}

/// A text, or an anchored regular expression.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// The same text.
    Exact(String),
    /// A regular expression for the whole text.
    Regexp(Regex),
}

/// A table of builders.
#[derive(Debug, Clone, Default)]
pub struct Table {
    rules: Vec<Rule>,
}

static KNOWN: LazyLock<Table> = LazyLock::new(|| {
    Table::parse(BUILT_IN, "levels.yaml").expect("it is compiled in, and a test reads it")
});

impl Table {
    /// The table that is compiled in.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &KNOWN
    }

    /// This table, with the one that is compiled in behind it: what is configured decides first.
    #[must_use]
    pub fn before_built_in(mut self) -> Self {
        let known = Self::built_in().rules.iter().cloned();
        self.rules.extend(known);
        self
    }

    /// The rows, in their order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether other projects can use an identity: a shared builder's, or that of a workflow which
    /// does not lie in the repository that it was used for.
    #[must_use]
    pub fn is_shared(&self, certificate: &CertifiedIdentity) -> bool {
        let signer = signer(certificate).unwrap_or_default();
        let is_builder = |rule: &&Rule| {
            rule.shared && rule.proof == Proof::Identity && rule.builder.is_match(signer)
        };
        let of_another = certificate.source_repository.is_some() && !is_own_workflow(certificate);
        of_another || self.rules.iter().any(|rule| is_builder(&rule))
    }

    /// The level that a build earns which was signed so; nobody where that is not proven.
    #[must_use]
    pub fn level(&self, build: &Build, signed_by: Option<&SignedBy>) -> Earned {
        let Some(signed_by) = signed_by else {
            let rule = UNSIGNED.to_owned();
            return Earned { level: BuildLevel::L1, rule, builder_proven: false, shared: false };
        };
        let builder_id = build.builder_id.as_deref().unwrap_or_default();
        let rule = self.rules.iter().find(|rule| rule.fits(builder_id, signed_by));
        let uses_others = match signed_by {
            SignedBy::Certificate(certificate) => !is_own_workflow(certificate),
            SignedBy::Key(_) => false,
        };
        match rule {
            Some(rule) => Earned {
                level: rule.level,
                rule: rule.name.clone(),
                builder_proven: true,
                shared: rule.shared || (rule.proof != Proof::Signer && uses_others),
            },
            None => Earned {
                level: BuildLevel::L1,
                rule: UNKNOWN_BUILDER.to_owned(),
                builder_proven: proves(signed_by, builder_id),
                shared: uses_others,
            },
        }
    }
}

/// Whether a signer proves a builder without anybody's word for it: the certificate is the
/// builder's own.
pub(super) fn proves(signed_by: &SignedBy, builder_id: &str) -> bool {
    match signed_by {
        SignedBy::Certificate(certificate) => signer(certificate) == Some(builder_id),
        SignedBy::Key(_) => false,
    }
}

/// Who signed: the certificate's identity. The URI of the workflow that signed, where the
/// certificate has it, says the same, or the certificate proves nothing.
fn signer(certificate: &CertifiedIdentity) -> Option<&str> {
    let identity = certificate.identity.as_deref().filter(|identity| !identity.is_empty())?;
    match certificate.build_signer_uri.as_deref() {
        Some(uri) if uri != identity => None,
        _ => Some(identity),
    }
}

/// Whether the workflow that signed lies in the repository that was built.
fn is_own_workflow(certificate: &CertifiedIdentity) -> bool {
    match (signer(certificate), certificate.source_repository.as_deref()) {
        (Some(signer), Some(repository)) => is_below(signer, repository),
        _ => false,
    }
}

/// Whether a URI lies below a repository's.
fn is_below(uri: &str, repository: &str) -> bool {
    let repository = git::repository(repository);
    repository
        .and_then(|repository| uri.strip_prefix(repository.as_str()))
        .is_some_and(|rest| rest.starts_with('/'))
}

impl Rule {
    fn fits(&self, builder_id: &str, signed_by: &SignedBy) -> bool {
        if builder_id.is_empty() || !self.builder.is_match(builder_id) {
            return false;
        }
        match (self.proof, signed_by) {
            (Proof::Key, SignedBy::Key(key)) => self.keys.contains(key),
            (Proof::Key, _) | (_, SignedBy::Key(_)) => false,
            (proof, SignedBy::Certificate(certificate)) => {
                let Some(signer) = signer(certificate) else { return false };
                let repository = certificate.source_repository.as_deref();
                let proven = match proof {
                    Proof::Identity => signer == builder_id,
                    Proof::Project => repository.is_some_and(|it| is_below(builder_id, it)),
                    Proof::Runner | Proof::Signer | Proof::Key => true,
                };
                proven
                    && self.identity.as_ref().is_none_or(|identity| identity.is_match(signer))
                    && same_or_unset(self.issuer.as_deref(), certificate.issuer.as_deref())
                    && same_or_unset(
                        self.runner.as_deref(),
                        certificate.runner_environment.as_deref(),
                    )
            }
        }
    }
}

fn same_or_unset(wanted: Option<&str>, found: Option<&str>) -> bool {
    wanted.is_none() || wanted == found
}

impl Pattern {
    /// Whether the whole `text` is as wanted.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Exact(wanted) => wanted == text,
            Self::Regexp(wanted) => wanted.is_match(text),
        }
    }
}

impl BuildLevel {
    /// 0 to 3.
    #[must_use]
    pub fn as_u8(self) -> u8 {
        match self {
            Self::L0 => 0,
            Self::L1 => 1,
            Self::L2 => 2,
            Self::L3 => 3,
        }
    }
}
