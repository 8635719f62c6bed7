//! Documents of policy-controller as they are written: their fields, and which of them are read.
//!
//! sigstore/policy-controller, pkg/apis/policy/v1alpha1 and v1beta1. A field that is not known
//! here is an error of parsing; one that is known and not supported is read as [`Unsupported`],
//! so that its line is known when it is refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::trust_root::SigstoreKeys;
use super::yaml::{FileError, Text};

/// The group of both kinds.
const GROUP: &str = "policy.sigstore.dev";

/// The most documents in one list.
const MAX_ITEMS: usize = 1_000;

/// What is wrong with a document, and in which line of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) line: u64,
    pub(crate) why: String,
}

/// A field that is refused wherever it is given.
pub(crate) type Unsupported = Option<Spanned<IgnoredAny>>;

/// What kind of document it is, whatever else it has.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Peek {
    #[serde(default)]
    api_version: Option<Spanned<String>>,
    #[serde(default)]
    kind: Option<Spanned<String>>,
    #[serde(default)]
    items: Option<Vec<Self>>,
}

/// A document of either kind, or a list of them as kubectl prints it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Resource {
    /// Checked before, with the kind.
    #[serde(rename = "apiVersion")]
    _api_version: IgnoredAny,
    kind: Spanned<String>,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    spec: Option<Spanned<Spec>>,
    /// What the controller found; no demand.
    #[serde(default, rename = "status")]
    _status: Option<IgnoredAny>,
    #[serde(default)]
    items: Vec<Self>,
}

/// Of the metadata only these say something here.
#[derive(Debug, Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    name: Option<Spanned<String>>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, Spanned<String>>>,
}

/// `spec` of a ClusterImagePolicy and of a TrustRoot.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Spec {
    images: Option<Spanned<Vec<ImagePattern>>>,
    authorities: Option<Spanned<Vec<Spanned<Authority>>>>,
    policy: Unsupported,
    mode: Option<Spanned<String>>,
    r#match: Option<Spanned<Vec<Match>>>,
    remote: Unsupported,
    repository: Unsupported,
    sigstore_keys: Option<Spanned<SigstoreKeys>>,
    #[serde(rename = "trustedRootJSON")]
    trusted_root_json: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImagePattern {
    pub(crate) glob: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Match {
    #[serde(default)]
    pub(crate) group: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) version: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) resource: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) selector: Unsupported,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Authority {
    pub(crate) name: Option<String>,
    pub(crate) key: Option<Spanned<Key>>,
    pub(crate) keyless: Option<Spanned<Keyless>>,
    pub(crate) r#static: Option<Spanned<Static>>,
    pub(crate) source: Option<Spanned<Vec<Source>>>,
    pub(crate) ctlog: Option<Spanned<CtLog>>,
    pub(crate) attestations: Option<Spanned<Vec<Attestation>>>,
    pub(crate) rfc3161timestamp: Option<Spanned<Timestamp>>,
    pub(crate) signature_format: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Key {
    pub(crate) data: Option<Spanned<String>>,
    pub(crate) secret_ref: Option<Spanned<SecretRef>>,
    pub(crate) kms: Option<Spanned<String>>,
    pub(crate) hash_algorithm: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretRef {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) namespace: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Keyless {
    pub(crate) url: Option<Spanned<String>>,
    pub(crate) identities: Option<Vec<Spanned<Identity>>>,
    #[serde(rename = "ca-cert")]
    pub(crate) ca_cert: Unsupported,
    pub(crate) trust_root_ref: Option<Spanned<String>>,
    #[serde(rename = "insecureIgnoreSCT")]
    pub(crate) insecure_ignore_sct: Option<Spanned<bool>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Identity {
    pub(crate) issuer: Option<Spanned<String>>,
    pub(crate) subject: Option<Spanned<String>>,
    #[serde(rename = "issuerRegExp")]
    pub(crate) issuer_regexp: Option<Spanned<String>>,
    #[serde(rename = "subjectRegExp")]
    pub(crate) subject_regexp: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Static {
    pub(crate) action: Spanned<String>,
    #[serde(default)]
    pub(crate) message: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Source {
    pub(crate) oci: Option<Spanned<String>>,
    pub(crate) signature_pull_secrets: Unsupported,
    pub(crate) tag_prefix: Unsupported,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct CtLog {
    pub(crate) url: Option<Spanned<String>>,
    pub(crate) trust_root_ref: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Attestation {
    pub(crate) name: String,
    pub(crate) predicate_type: Spanned<String>,
    pub(crate) policy: Unsupported,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Timestamp {
    pub(crate) trust_root_ref: Option<Spanned<String>>,
}

/// A ClusterImagePolicy as it is written.
#[derive(Debug)]
pub(crate) struct PolicyDocument {
    pub(crate) name: Spanned<String>,
    pub(crate) annotations: BTreeMap<String, Spanned<String>>,
    /// The line of `spec`.
    pub(crate) line: u64,
    pub(crate) images: Option<Spanned<Vec<ImagePattern>>>,
    pub(crate) authorities: Option<Spanned<Vec<Spanned<Authority>>>>,
    pub(crate) policy: Unsupported,
    pub(crate) mode: Option<Spanned<String>>,
    pub(crate) matches: Option<Spanned<Vec<Match>>>,
}

/// What the documents of a file are.
#[derive(Debug)]
pub(crate) enum Document {
    Policy(Box<PolicyDocument>),
    TrustRoot(super::root::Root),
}

/// A field that is refused.
pub(crate) fn unsupported<T>(given: &Spanned<T>, field: &str, instead: &str) -> Fault {
    let why = format!("`{field}` is not supported: {instead}");
    Fault { line: given.referenced.line(), why }
}

/// The documents of a file, in their order.
pub(crate) fn read(text: &Text) -> Result<Vec<Document>, FileError> {
    let wrong =
        |fault: Fault| FileError::Malformed { place: text.line(fault.line), why: fault.why };
    // The kinds first: of a foreign document nothing else is a useful message.
    for peek in text.documents::<Option<Peek>>()?.iter().flatten() {
        peek.check(true).map_err(wrong)?;
    }
    let mut documents = Vec::new();
    for resource in text.documents::<Option<Resource>>()?.into_iter().flatten() {
        if !resource.is_list() {
            documents.push(resource.document().map_err(wrong)?);
            continue;
        }
        for item in resource.items().map_err(wrong)? {
            documents.push(item.document().map_err(wrong)?);
        }
    }
    Ok(documents)
}

impl Peek {
    fn check(&self, may_be_list: bool) -> Result<(), Fault> {
        let (Some(version), Some(kind)) = (&self.api_version, &self.kind) else {
            let given = self.api_version.as_ref().or(self.kind.as_ref());
            let line = given.map_or(0, |given| given.referenced.line());
            let why = "a document without `apiVersion` and `kind` is no policy".to_owned();
            return Err(Fault { line, why });
        };
        let known = match kind.value.as_str() {
            "List" if may_be_list => version.value == "v1",
            "ClusterImagePolicyList" | "TrustRootList" if may_be_list => is_ours(&version.value),
            "ClusterImagePolicy" | "TrustRoot" => is_ours(&version.value),
            _ => false,
        };
        if !known {
            let (version, kind) = (shown(&version.value), shown(&kind.value));
            let why = format!(
                "`{kind}` of `{version}` is not read here: it must be ClusterImagePolicy or TrustRoot of {GROUP}/v1beta1 or v1alpha1"
            );
            return Err(Fault { line: self.kind.as_ref().map_or(0, |k| k.referenced.line()), why });
        }
        self.items.iter().flatten().try_for_each(|item| item.check(false))
    }
}

fn is_ours(version: &str) -> bool {
    let version = version.strip_prefix(GROUP).and_then(|rest| rest.strip_prefix('/'));
    matches!(version, Some("v1alpha1" | "v1beta1"))
}

fn shown(text: &str) -> String {
    records::text::shown(text)
}

impl Resource {
    fn is_list(&self) -> bool {
        self.kind.value.ends_with("List")
    }

    /// What a list lists.
    fn items(self) -> Result<Vec<Self>, Fault> {
        let line = self.kind.referenced.line();
        if self.spec.is_some() {
            return Err(Fault { line, why: "a list has no `spec`".to_owned() });
        }
        if self.items.len() > MAX_ITEMS {
            return Err(Fault { line, why: format!("the list has more than {MAX_ITEMS} items") });
        }
        Ok(self.items)
    }

    fn document(self) -> Result<Document, Fault> {
        let line = self.kind.referenced.line();
        if !self.items.is_empty() {
            return Err(Fault { line, why: "only a list has `items`".to_owned() });
        }
        let kind = self.kind.value;
        let fault = |line, why: String| Fault { line, why: format!("{kind}: {why}") };
        let Some(name) = self.metadata.name.filter(|name| !name.value.is_empty()) else {
            return Err(fault(line, "`metadata.name` is missing".into()));
        };
        let called = |fault: Fault| Fault {
            line: fault.line,
            why: format!("{kind} `{}`: {}", shown(&name.value), fault.why),
        };
        let Some(spec) = self.spec else {
            return Err(called(Fault { line, why: "`spec` is missing".into() }));
        };
        let spec_line = spec.referenced.line();
        if kind == "TrustRoot" {
            return spec.value.trust_root(&name.value, spec_line).map_err(called);
        }
        let annotations = self.metadata.annotations.unwrap_or_default();
        spec.value.policy(name.clone(), annotations, spec_line).map_err(called)
    }
}

impl Spec {
    fn policy(
        self,
        name: Spanned<String>,
        annotations: BTreeMap<String, Spanned<String>>,
        line: u64,
    ) -> Result<Document, Fault> {
        let foreign = [
            ("remote", at(&self.remote)),
            ("repository", at(&self.repository)),
            ("sigstoreKeys", at(&self.sigstore_keys)),
            ("trustedRootJSON", at(&self.trusted_root_json)),
        ];
        refuse(&foreign, "TrustRoot")?;
        Ok(Document::Policy(Box::new(PolicyDocument {
            name,
            annotations,
            line,
            images: self.images,
            authorities: self.authorities,
            policy: self.policy,
            mode: self.mode,
            matches: self.r#match,
        })))
    }

    fn trust_root(&self, name: &str, line: u64) -> Result<Document, Fault> {
        let foreign = [
            ("images", at(&self.images)),
            ("authorities", at(&self.authorities)),
            ("policy", at(&self.policy)),
            ("mode", at(&self.mode)),
            ("match", at(&self.r#match)),
        ];
        refuse(&foreign, "ClusterImagePolicy")?;
        let spec = super::trust_root::Spec {
            remote: self.remote.as_ref(),
            repository: self.repository.as_ref(),
            sigstore_keys: self.sigstore_keys.as_ref(),
            trusted_root_json: self.trusted_root_json.as_ref(),
        };
        spec.root(name, line).map(Document::TrustRoot)
    }
}

fn at<T>(given: &Option<Spanned<T>>) -> Option<u64> {
    given.as_ref().map(|given| given.referenced.line())
}

/// Refuses fields that belong to the other kind.
fn refuse(fields: &[(&str, Option<u64>)], of: &str) -> Result<(), Fault> {
    match fields.iter().find_map(|(field, line)| line.map(|line| (field, line))) {
        Some((field, line)) => {
            Err(Fault { line, why: format!("`spec.{field}` is a field of {of}") })
        }
        None => Ok(()),
    }
}
