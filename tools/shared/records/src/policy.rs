//! What a policy says of an image: the `policy` record.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Digest, NamespaceGlob, Record};

/// Whether a policy's failure counts (sigstore policy-controller, `ClusterImagePolicy.spec.mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PolicyMode {
    /// A failure is a failure.
    Enforce,
    /// A failure is a warning.
    Warn,
}

/// The result of one policy for one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PolicyResult {
    /// One of its authorities is content.
    Pass,
    /// None is.
    Fail,
    /// None is, and the policy only warns.
    Warn,
    /// An exception holds, or the policy does not apply.
    Skip,
    /// Could not be judged.
    Unknown,
}

/// An exception from a policy that holds in some namespaces alone. Which namespaces an image runs
/// in is told by its `image` records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceException {
    /// Where it holds: letters, digits and `-`, and `*` for any text.
    pub namespace: NamespaceGlob,
    /// The last day on which it holds, in UTC.
    pub until: String,
    /// Reason, owner and end date as one text.
    pub text: String,
}

/// `policy`: one policy's result for one image. Subject: repository, index, manifest, policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// The repository, normalized.
    pub repository: String,
    /// The index known to list the manifest.
    pub index: Option<Digest>,
    /// The platform manifest that runs.
    pub manifest: Option<Digest>,
    /// The policy's name.
    pub policy: String,
    /// The reference by which the policy is about it, the first of those that are: other tags of
    /// the repository may mean it too, and names in a glob have tags.
    #[serde(default)]
    pub image: Option<String>,
    /// Whether it enforces or warns.
    pub mode: PolicyMode,
    /// The result.
    pub result: PolicyResult,
    /// The authority that was content.
    pub authority: Option<String>,
    /// Why it is what it is, one reason per authority that was not content.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// The exception that made it `skip`: reason, owner and end date as one text.
    #[serde(default)]
    pub exception: Option<String>,
    /// What excuses a `fail` or `warn` in some namespaces: for what runs in one of them the result
    /// is `skip`, by the first that fits.
    #[serde(default)]
    pub exceptions: Vec<NamespaceException>,
}

impl Record for Policy {
    const TYPE: &'static str = "policy";
    const VERSION: u32 = 1;
}
