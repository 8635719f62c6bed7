//! Who vouches for what an authority demands: the roots of its certificates, logs and timestamps.

use records::text::shown;
use serde_saphyr::Spanned;

use super::read::{Read, Reader, fault, given};
use super::{LogDemanded, Signer, TimestampDemanded};
use crate::trust::document::{self, Fault, unsupported};
use crate::trust::identity::IdentityRule;
use crate::trust::pattern::Pattern;
use crate::trust::root::{Facts, Location, Root};
use crate::trust::trust_root::root_name;

/// The authority that policies mean where they name none (policy-controller, defaults).
const FULCIO: &str = "https://fulcio.sigstore.dev";

impl Reader<'_> {
    pub(super) fn keyless(&self, at: &Spanned<document::Keyless>) -> Read<Signer> {
        let keyless = &at.value;
        if let Some(given) = &keyless.ca_cert {
            return Err(unsupported(
                given,
                "keyless.ca-cert",
                "give a TrustRoot and `trustRootRef`",
            ));
        }
        let roots = self.roots_of(keyless)?;
        let ignored = keyless.insecure_ignore_sct.as_ref().filter(|given| given.value);
        let demanding = roots.iter().any(|root| root.facts().certificate_logs);
        if let (Some(given), true) = (ignored, demanding) {
            let instead = "the root has a certificate transparency log, and so its certificates must be in it; give a TrustRoot without `ctLogs`";
            return Err(unsupported(given, "keyless.insecureIgnoreSCT", instead));
        }
        if let (Some(named), None, false) = (&keyless.trust_root_ref, ignored, demanding) {
            return fault(
                named,
                "the TrustRoot has no `ctLogs`, so certificates cannot be proven to be logged: add them, or say `insecureIgnoreSCT: true`",
            );
        }
        let identities = keyless.identities.as_deref().unwrap_or_default();
        if identities.is_empty() {
            return fault(at, "`keyless.identities` is missing or empty: it would trust anybody");
        }
        let identities = identities.iter().map(identity).collect::<Read<Vec<_>>>()?;
        let roots = roots.iter().map(|root| root.name().to_owned()).collect();
        Ok(Signer::Keyless { roots, identities })
    }

    /// The roots that may vouch: the one that is named, or those whose authority is at the address.
    fn roots_of(&self, keyless: &document::Keyless) -> Read<Vec<&Root>> {
        if let Some(named) = given(&keyless.trust_root_ref) {
            return self.trust_root(named).map(|root| vec![root]);
        }
        let url = given(&keyless.url);
        let wanted = Location::of(url.map_or(FULCIO, |url| &url.value));
        let has = |root: &&Root| root.facts().authorities.contains(&wanted);
        let roots: Vec<&Root> = self.by_flags.iter().filter(has).collect();
        if !roots.is_empty() {
            return Ok(roots);
        }
        let why = format!(
            "no configured root has the authority `{}`: give its root with `--trusted-root` or `--tuf-mirror`, or as a TrustRoot that `trustRootRef` names",
            shown(url.map_or(FULCIO, |url| &url.value))
        );
        match url {
            Some(url) => fault(url, why),
            None => Err(Fault { line: self.policy.line, why }),
        }
    }

    fn trust_root(&self, named: &Spanned<String>) -> Read<&Root> {
        let name = root_name(&named.value);
        match self.roots.iter().find(|root| root.name() == name) {
            Some(root) => Ok(root),
            None => fault(named, format!("there is no TrustRoot `{}`", shown(&named.value))),
        }
    }

    pub(super) fn log(&self, authority: &document::Authority) -> Read<LogDemanded> {
        let logs = |roots: &[&Root]| -> Vec<Location> {
            roots.iter().flat_map(|root| root.facts().logs.iter().cloned()).collect()
        };
        let demanded = |at: &Spanned<String>, logs: Vec<Location>| match logs.is_empty() {
            false => Ok(LogDemanded::In(logs)),
            true => fault(at, "no configured root has this transparency log"),
        };
        if let Some(ctlog) = &authority.ctlog {
            if let Some(named) = given(&ctlog.value.trust_root_ref) {
                return demanded(named, logs(&[self.trust_root(named)?]));
            }
            let Some(url) = given(&ctlog.value.url) else { return Ok(LogDemanded::No) };
            // A log goes on in others of the same root when it is full.
            let wanted = Location::of(&url.value);
            let has = |root: &&Root| root.facts().logs.contains(&wanted);
            return demanded(url, logs(&self.by_flags.iter().filter(has).collect::<Vec<_>>()));
        }
        let stamped = authority.rfc3161timestamp.is_some();
        match &authority.keyless {
            Some(keyless) if keyless.value.trust_root_ref.is_none() && !stamped => {
                let logs = logs(&self.roots_of(&keyless.value)?);
                Ok(if logs.is_empty() { LogDemanded::No } else { LogDemanded::In(logs) })
            }
            _ => Ok(LogDemanded::No),
        }
    }

    pub(super) fn timestamp(&self, authority: &document::Authority) -> Read<TimestampDemanded> {
        let Some(at) = &authority.rfc3161timestamp else { return Ok(TimestampDemanded::No) };
        let Some(named) = given(&at.value.trust_root_ref) else {
            return fault(at, "`rfc3161timestamp` must name its root in `trustRootRef`");
        };
        let keyless = authority.keyless.as_ref().and_then(|k| k.value.trust_root_ref.as_ref());
        if keyless.is_none_or(|keyless| keyless.value != named.value) {
            let instead = "the timestamp authority must be in the TrustRoot that `keyless.trustRootRef` names";
            return Err(unsupported(named, "rfc3161timestamp.trustRootRef", instead));
        }
        let Facts { timestamps: true, .. } = self.trust_root(named)?.facts() else {
            return fault(named, "the TrustRoot has no `timestampAuthorities`");
        };
        Ok(TimestampDemanded::Yes)
    }
}

fn identity(at: &Spanned<document::Identity>) -> Read<IdentityRule> {
    let pattern = |exact, regexp, field: &str| match (given(exact), given(regexp)) {
        (Some(exact), None) => Ok(Pattern::Exact(exact.value.clone())),
        (None, Some(text)) => {
            Pattern::regexp(&text.value).or_else(|error| fault(text, error.to_string()))
        }
        _ => fault(at, format!("an identity must have one of `{field}` and `{field}RegExp`")),
    };
    let identity = &at.value;
    Ok(IdentityRule {
        identity: pattern(&identity.subject, &identity.subject_regexp, "subject")?,
        issuer: pattern(&identity.issuer, &identity.issuer_regexp, "issuer")?,
    })
}
