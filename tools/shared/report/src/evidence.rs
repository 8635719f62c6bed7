//! Evidence in full: what was found about one manifest, where, and what it is worth.

use records::{
    AttestationFind, Digest, FindVerdict, LogEntry, NamespaceException, PolicyMode, PolicyResult,
    ProvenanceFind, SignatureFind, Signer, StoreAnswer, Verdict,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All evidence of one manifest below one index.
///
/// The three keys together, because one manifest below two indexes has two answers. A check that
/// has no record is null: the row says whether it was skipped or could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The repository, normalized.
    pub repository: String,
    /// The index known to list the manifest.
    pub index: Option<Digest>,
    /// The platform manifest.
    pub manifest: Option<Digest>,
    /// The platform.
    pub platform: Option<String>,
    /// The signatures.
    pub signature: Option<Check<SignatureFind>>,
    /// The SLSA provenance.
    pub provenance: Option<Check<ProvenanceFind>>,
    /// The bills of materials.
    pub sbom: Option<Check<SbomFind>>,
    /// Statements of other predicate types.
    pub attestation: Option<Check<AttestationFind>>,
    /// What each policy says, sorted by its name.
    pub policies: Vec<PolicyAnswer>,
}

/// A check's answer, and the finds that support it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Check_{F}")]
pub struct Check<F> {
    /// The answer.
    pub verdict: Verdict,
    /// The best of what was seen, where the answer is `unknown`; else the answer itself.
    pub seen: Verdict,
    /// Whether every store was asked to the end and nothing was left out.
    pub whole: bool,
    /// Provenance alone: the best SLSA build level that the finds earn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// Each store's answer.
    pub stores: Vec<StoreAnswer>,
    /// What was found.
    pub finds: Vec<F>,
    /// How many finds were left out.
    pub dropped: u64,
}

/// What one policy says of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyAnswer {
    /// The policy's name.
    pub policy: String,
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
    /// What excuses a `fail` or `warn` in some namespaces: for the rows there the result is `skip`,
    /// by the first that fits.
    #[serde(default)]
    pub exceptions: Vec<NamespaceException>,
}

/// One software bill of materials. Its format and the version of that are apart here, which the
/// record has in one (`spdx/2.3+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SbomFind {
    /// What makes two finds the same: a digest over store-independent bytes.
    pub id: String,
    /// The store that had it.
    pub store: String,
    /// The digest that it was found on.
    pub on: Digest,
    /// Whether it counts for the manifest through an index whose bytes list it.
    pub inherited: bool,
    /// The format: `spdx` or `cyclonedx`.
    pub format: String,
    /// The version of the format, `2.3` for example.
    pub format_version: Option<String>,
    /// The judgement of this find alone.
    pub verdict: FindVerdict,
    /// Why, in a stable word.
    pub reason: Option<String>,
    /// The same for people, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Who signed, as far as that is proven.
    pub signer: Option<Signer>,
    /// The log entry that was checked.
    pub log: Option<LogEntry>,
    /// The proven time of signing, RFC 3339.
    pub time: Option<String>,
    /// Who proves that time: `log` or `authority`.
    pub time_from: Option<String>,
    /// The setting or policy that trusts the signer.
    pub trusted_by: Option<String>,
    /// The predicate type.
    pub predicate_type: Option<String>,
    /// The tool that made it.
    pub tool: Option<String>,
    /// How many packages it lists.
    pub packages: Option<u64>,
    /// Its size in bytes.
    pub bytes: Option<u64>,
}

impl From<records::SbomFind> for SbomFind {
    fn from(find: records::SbomFind) -> Self {
        let (format, rest) = match find.format.split_once('/') {
            Some((format, rest)) => (format.to_owned(), rest),
            None => (find.format, ""),
        };
        let version = rest.split('+').next().filter(|version| !version.is_empty());
        Self {
            id: find.id,
            store: find.store,
            on: find.on,
            inherited: find.inherited,
            format_version: version.map(str::to_owned),
            format,
            verdict: find.verdict,
            reason: find.reason,
            detail: find.detail,
            signer: find.signer,
            log: find.log,
            time: find.time,
            time_from: find.time_from,
            trusted_by: find.trusted_by,
            predicate_type: find.predicate_type,
            tool: find.tool,
            packages: find.packages,
            bytes: find.bytes,
        }
    }
}
