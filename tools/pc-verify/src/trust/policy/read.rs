//! From documents to policies: every demand is understood, or refused with its line.

use std::sync::atomic::AtomicU64;

use records::PolicyMode;
use records::text::shown;
use registry::Repository;
use serde_saphyr::Spanned;

use super::{
    Authority, DemandedAttestation, FormatDemanded, KeyText, LogDemanded, Policy, PolicyKey, Signer,
};
use crate::judge::{KeyHash, LogDemand};
use crate::predicate::PredicateType;
use crate::trust::document::{self, Document, Fault, Match, PolicyDocument, unsupported};
use crate::trust::glob::Glob;
use crate::trust::identity::SourceRepository;
use crate::trust::key::{SecretKey, Wanted, is_key_management};
use crate::trust::pem;
use crate::trust::root::Root;
use crate::trust::yaml::{FileError, Text};

/// Annotations of a policy that are read here begin so.
const ANNOTATIONS: &str = "provenance.nebari.dev/";

/// Which source repositories a shared builder may build from: the one thing that a
/// ClusterImagePolicy has no field for and a decision on trust needs.
const SOURCE_REPOSITORY: &str = "provenance.nebari.dev/source-repository";

/// Where policy-controller keeps the Secrets that policies name.
const SECRETS_NAMESPACE: &str = "cosign-system";

/// What a set of files says.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    pub(crate) policies: Vec<Policy>,
    /// The keys that they name.
    pub(crate) keys: Vec<PolicyKey>,
}

/// Reads policies and TrustRoots. The roots are added to `roots`, among which the policies find
/// those that they name.
pub(crate) fn read(texts: &[Text], roots: &mut Vec<Root>) -> Result<Policies, FileError> {
    let by_flags = roots.len();
    let mut documents = Vec::new();
    for text in texts {
        for document in document::read(text)? {
            match document {
                Document::Policy(policy) => documents.push((text, policy)),
                Document::TrustRoot(root) if roots.iter().any(|r| r.name() == root.name()) => {
                    let why = format!("there are two documents `{}`", shown(root.name()));
                    return Err(FileError::Malformed { place: text.line(0), why });
                }
                Document::TrustRoot(root) => roots.push(root),
            }
        }
    }
    let mut read = Policies::default();
    for (text, document) in &documents {
        let mut reader = Reader {
            text,
            roots,
            by_flags: &roots[..by_flags],
            policy: document,
            number: read.policies.len(),
            keys: Vec::new(),
        };
        let policy = reader.policy().map_err(|fault| reader.error(&fault))?;
        if let Some(same) = read.policies.iter().find(|other| other.name == policy.name) {
            let why = format!("a policy of this name is there already ({})", same.place);
            let fault = Fault { line: document.name.referenced.line(), why };
            return Err(reader.error(&fault));
        }
        read.keys.append(&mut reader.keys);
        read.policies.push(policy);
    }
    Ok(read)
}

/// Reads one policy.
pub(super) struct Reader<'a> {
    text: &'a Text,
    /// All roots, for those who name theirs.
    pub(super) roots: &'a [Root],
    /// Those of flags, for those who give an address: whatever address a TrustRoot claims, only
    /// who names it relies on it.
    pub(super) by_flags: &'a [Root],
    pub(super) policy: &'a PolicyDocument,
    number: usize,
    keys: Vec<PolicyKey>,
}

pub(super) type Read<T> = Result<T, Fault>;

/// A fault of something that stands in the file.
pub(super) fn fault<T, R>(at: &Spanned<T>, why: impl Into<String>) -> Read<R> {
    Err(Fault { line: at.referenced.line(), why: why.into() })
}

impl Reader<'_> {
    fn error(&self, fault: &Fault) -> FileError {
        let name = shown(&self.policy.name.value);
        let why = format!("ClusterImagePolicy `{name}`: {}", fault.why);
        FileError::Malformed { place: self.text.line(fault.line), why }
    }

    fn policy(&mut self) -> Read<Policy> {
        let document = self.policy;
        if let Some(given) = &document.policy {
            return Err(unsupported(given, "spec.policy", "CUE and Rego are not evaluated here"));
        }
        let missing = |field: &str| Fault {
            line: document.line,
            why: format!("`spec.{field}` is missing or empty"),
        };
        let images = document.images.as_ref().map_or(&[][..], |images| &images.value);
        let glob = |image: &document::ImagePattern| {
            Glob::parse(&image.glob.value).or_else(|error| fault(&image.glob, error.to_string()))
        };
        let images = images.iter().map(glob).collect::<Read<Vec<_>>>()?;
        let written = document.authorities.as_ref().map_or(&[][..], |list| &list.value);
        if images.is_empty() || written.is_empty() {
            return Err(missing(if images.is_empty() { "images" } else { "authorities" }));
        }
        if let Some(matches) = &document.matches {
            check_match(matches)?;
        }
        let mode = match document.mode.as_ref().map(|mode| (mode, mode.value.as_str())) {
            None | Some((_, "" | "enforce")) => PolicyMode::Enforce,
            Some((_, "warn")) => PolicyMode::Warn,
            Some((mode, _)) => return fault(mode, "`spec.mode` must be `enforce` or `warn`"),
        };
        let sources = self.sources()?;
        let mut authorities = Vec::new();
        for (number, authority) in written.iter().enumerate() {
            authorities.push(self.authority(number, authority)?);
        }
        let (name, place) = (document.name.value.clone(), self.text.place(&document.name));
        Ok(Policy { name, place, mode, images, authorities, sources, used: AtomicU64::new(0) })
    }

    fn sources(&self) -> Read<Vec<SourceRepository>> {
        let mut sources = Vec::new();
        for (name, value) in &self.policy.annotations {
            if name == SOURCE_REPOSITORY {
                for text in value.value.split(',').map(str::trim).filter(|text| !text.is_empty()) {
                    match SourceRepository::parse(text) {
                        Ok(source) => sources.push(source),
                        Err(error) => return fault(value, error.to_string()),
                    }
                }
            } else if name.starts_with(ANNOTATIONS) {
                return fault(value, format!("the annotation `{}` is not known", shown(name)));
            }
        }
        Ok(sources)
    }

    fn authority(&mut self, number: usize, at: &Spanned<document::Authority>) -> Read<Authority> {
        let written = &at.value;
        let name = written.name.clone().filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| format!("authority-{number}"));
        let in_authority = |fault: Fault| Fault {
            why: format!("authority `{}`: {}", shown(&name), fault.why),
            ..fault
        };
        let read = |reader: &mut Self| {
            let signer = reader.signer(number, &name, at)?;
            Ok(Authority {
                signer,
                log: reader.log(written)?,
                timestamp: reader.timestamp(written)?,
                format: format(written)?,
                repositories: repositories(written)?,
                attestations: attestations(written)?,
                name: name.clone(),
                used: AtomicU64::new(0),
            })
        };
        read(self).map_err(in_authority)
    }

    fn signer(
        &mut self,
        number: usize,
        name: &str,
        at: &Spanned<document::Authority>,
    ) -> Read<Signer> {
        let written = &at.value;
        match (&written.key, &written.keyless, &written.r#static) {
            (Some(key), None, None) => {
                self.key(number, name, key)?;
                // Filled in when the keys are at hand.
                Ok(Signer::Keys(Vec::new()))
            }
            (None, Some(keyless), None) => self.keyless(keyless),
            (None, None, Some(fixed)) => static_action(written, fixed),
            (None, None, None) if written.rfc3161timestamp.is_some() => {
                fault(at, "it names nobody: a timestamp alone says when, not who")
            }
            _ => fault(at, "it must have one of `key`, `keyless` and `static`"),
        }
    }

    fn key(&mut self, number: usize, name: &str, at: &Spanned<document::Key>) -> Read<()> {
        let key = &at.value;
        if let Some(kms) = &key.kms {
            let scheme =
                if is_key_management(&kms.value) { "" } else { ", and is no such address" };
            let instead = format!("give the public key itself as `data`{scheme}");
            return Err(unsupported(kms, "key.kms", &instead));
        }
        let text = match (&key.data, &key.secret_ref) {
            (Some(data), None) => KeyText::Here(
                pem::public_keys(&data.value)
                    .or_else(|error| fault(data, format!("`key.data`: {error}")))?,
            ),
            (None, Some(secret)) => {
                let namespace = secret.value.namespace.as_deref().unwrap_or(SECRETS_NAMESPACE);
                match SecretKey::new(namespace, &secret.value.name) {
                    Some(at) => KeyText::Wanted(Wanted::Secret(at)),
                    None => return fault(secret, "`key.secretRef` is no name of a Secret"),
                }
            }
            _ => return fault(at, "`key` must have one of `data` and `secretRef`"),
        };
        let authority = self.policy.authorities.as_ref().and_then(|list| list.value.get(number));
        let log = match authority.map(|authority| self.log(&authority.value)).transpose()? {
            Some(LogDemanded::In(_)) => LogDemand::Demanded,
            Some(LogDemanded::No) | None => LogDemand::NotDemanded,
        };
        self.keys.push(PolicyKey {
            name: format!("policy {}, authority {name}", self.policy.name.value),
            of: (self.number, number),
            text,
            hash: key.hash_algorithm.as_ref().map(hash).transpose()?,
            log,
            place: self.text.place(at),
        });
        Ok(())
    }
}

/// A text that is there and not empty, as Go's `omitempty` has it.
pub(super) fn given(text: &Option<Spanned<String>>) -> Option<&Spanned<String>> {
    text.as_ref().filter(|text| !text.value.is_empty())
}

fn static_action(authority: &document::Authority, at: &Spanned<document::Static>) -> Read<Signer> {
    let beside = [
        ("attestations", authority.attestations.is_some()),
        ("source", authority.source.is_some()),
        ("ctlog", authority.ctlog.is_some()),
        ("rfc3161timestamp", authority.rfc3161timestamp.is_some()),
        ("signatureFormat", authority.signature_format.is_some()),
    ];
    if let Some((field, _)) = beside.iter().find(|(_, given)| *given) {
        return fault(at, format!("`{field}` says nothing beside `static`"));
    }
    match at.value.action.value.as_str() {
        "pass" => Ok(Signer::Pass),
        "fail" => Ok(Signer::Fail(at.value.message.clone().filter(|text| !text.is_empty()))),
        _ => fault(&at.value.action, "`static.action` must be `pass` or `fail`"),
    }
}

fn hash(at: &Spanned<String>) -> Read<KeyHash> {
    match at.value.trim().to_ascii_lowercase().as_str() {
        "" | "sha256" => Ok(KeyHash::Sha256),
        "sha384" => Ok(KeyHash::Sha384),
        "sha512" => Ok(KeyHash::Sha512),
        _ => fault(at, "`key.hashAlgorithm` must be `sha256`, `sha384` or `sha512`"),
    }
}

fn format(authority: &document::Authority) -> Read<FormatDemanded> {
    match given(&authority.signature_format).map(|at| (at, at.value.as_str())) {
        None => Ok(FormatDemanded::Any),
        Some((_, "legacy")) => Ok(FormatDemanded::Legacy),
        Some((_, "bundle")) => Ok(FormatDemanded::Bundle),
        Some((at, _)) => fault(at, "`signatureFormat` must be `legacy` or `bundle`"),
    }
}

fn repositories(authority: &document::Authority) -> Read<Vec<Repository>> {
    let mut repositories = Vec::new();
    let Some(sources) = &authority.source else { return Ok(repositories) };
    for source in &sources.value {
        if let Some(given) = &source.signature_pull_secrets {
            let instead = "give the registry's credentials as those of any other registry";
            return Err(unsupported(given, "source.signaturePullSecrets", instead));
        }
        if let Some(given) = &source.tag_prefix {
            return Err(unsupported(given, "source.tagPrefix", "tags are looked up without one"));
        }
        let Some(oci) = given(&source.oci) else {
            return fault(sources, "an entry of `source` has no `oci`");
        };
        match oci.value.parse::<Repository>() {
            Ok(repository) => repositories.push(repository),
            Err(_) => {
                return fault(
                    oci,
                    "`source.oci` must be a repository, as in `ghcr.io/acme/signatures`",
                );
            }
        }
    }
    Ok(repositories)
}

fn attestations(authority: &document::Authority) -> Read<Vec<DemandedAttestation>> {
    let Some(list) = &authority.attestations else { return Ok(Vec::new()) };
    let one = |attestation: &document::Attestation| {
        if let Some(given) = &attestation.policy {
            let instead = "CUE and Rego are not evaluated here";
            return Err(unsupported(given, "attestations.policy", instead));
        }
        let written = &attestation.predicate_type;
        let Ok(predicate_type) = written.value.parse::<PredicateType>() else {
            return fault(written, "`predicateType` must be a URI or a word that cosign knows");
        };
        let predicate_type = predicate_type.uri().to_owned();
        let (name, written) = (attestation.name.clone(), written.value.clone());
        Ok(DemandedAttestation { name, written, predicate_type })
    };
    list.value.iter().map(one).collect()
}

/// A list of resources narrows a policy to some of them, and an answer here is one for whatever
/// runs an image. So only a list is taken that every pod is on.
fn check_match(matches: &Spanned<Vec<Match>>) -> Read<()> {
    let is = |text: &Option<Spanned<String>>, wanted: &[&str]| {
        wanted.contains(&text.as_ref().map_or("", |text| &text.value))
    };
    let takes_every_pod = |one: &Match| {
        one.selector.is_none()
            && is(&one.group, &[""])
            && is(&one.version, &["", "v1"])
            && is(&one.resource, &["", "pods"])
    };
    if matches.value.is_empty() || matches.value.iter().any(takes_every_pod) {
        return Ok(());
    }
    let instead = "an answer is for an image wherever it runs; a list with `resource: pods`, `version: v1` and no `selector` is taken";
    Err(unsupported(matches, "spec.match", instead))
}
