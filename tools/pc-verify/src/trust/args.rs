//! The flags of trust, and what they name, read as far as files and variables go.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Args};
use registry::Repository;

use super::error::TrustError;
use super::exception::{self, Exception};
use super::identity::{IdentityRule, SourceRepository};
use super::key::{KeySource, Wanted};
use super::pattern::Pattern;
use super::pem;
use super::policy::{self, KeyText, Policy, PolicyKey};
use super::root::{GITHUB, PUBLIC_GOOD, Root};
use super::yaml::Text;
use crate::judge::LogDemand;

const KEY: &str = "--key";
const IDENTITY: &str = "--certificate-identity";
const ISSUER: &str = "--certificate-oidc-issuer";
const TRUSTED_ROOT: &str = "--trusted-root";

/// cosign's own variable for `--signature-repository`.
const COSIGN_REPOSITORY: &str = "COSIGN_REPOSITORY";

/// Whom to trust, as it was typed.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Trust")]
pub struct TrustArgs {
    /// Public keys that are trusted for every image, each as a path, PEM text, `env://NAME`,
    /// `https://…#sha256=HEX` (the hash of what is there) or `k8s://namespace/secret` (its
    /// `cosign.pub`); what they sign must be in a transparency log, see `--insecure-ignore-tlog`
    /// (repeatable, or separated by commas)
    #[arg(
        long,
        value_name = "KEY",
        env = "PROVENANCE_COSIGN_PUBLIC_KEY",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    pub key: Vec<String>,

    /// The identity in certificates that is trusted for every image, together with its issuer
    #[arg(long, value_name = "IDENTITY", env = "PROVENANCE_CERTIFICATE_IDENTITY")]
    pub certificate_identity: Option<String>,

    /// That identity as a regular expression, which must fit from end to end
    #[arg(long, value_name = "REGEXP", env = "PROVENANCE_CERTIFICATE_IDENTITY_REGEXP")]
    pub certificate_identity_regexp: Option<String>,

    /// The OIDC issuer that must vouch for the identity
    #[arg(long, value_name = "URL", env = "PROVENANCE_CERTIFICATE_OIDC_ISSUER")]
    pub certificate_oidc_issuer: Option<String>,

    /// That issuer as a regular expression, which must fit from end to end
    #[arg(long, value_name = "REGEXP", env = "PROVENANCE_CERTIFICATE_OIDC_ISSUER_REGEXP")]
    pub certificate_oidc_issuer_regexp: Option<String>,

    /// Source repositories (`github.com/acme/web`) that builders which anybody can use are
    /// trusted for (repeatable, or separated by commas); a single one is also what images that
    /// are given as arguments must be built from
    #[arg(long, value_name = "REPOSITORY", env = "PROVENANCE_SOURCE_URI", value_delimiter = ',')]
    pub source_uri: Vec<String>,

    /// Trusted roots of Sigstore (`trusted_root.json`) beside the embedded ones (repeatable, or
    /// separated by commas)
    #[arg(long, value_name = "FILE", env = "PROVENANCE_TRUSTED_ROOT", value_delimiter = ',')]
    pub trusted_root: Vec<PathBuf>,

    /// Do without the embedded roots of Sigstore's public-good instance and of GitHub
    #[arg(long, env = "PROVENANCE_NO_EMBEDDED_ROOTS", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = ArgAction::Set)]
    pub no_embedded_roots: bool,

    /// A TUF repository with one more trusted root: the address that `timestamp.json` and `targets/`
    /// are under, as `cosign initialize --mirror` takes it
    #[arg(long, value_name = "URL", env = "PROVENANCE_TUF_MIRROR")]
    pub tuf_mirror: Option<String>,

    /// The `root.json` that says whose signatures of the TUF repository are believed; got from
    /// somebody you trust, not from the mirror
    #[arg(long, value_name = "FILE", env = "PROVENANCE_TUF_ROOT")]
    pub tuf_root: Option<PathBuf>,

    /// Keep what the TUF mirror gave in this folder: a later run takes nothing older, and
    /// `--offline` needs no mirror
    #[arg(long, value_name = "DIR", env = "PROVENANCE_TUF_CACHE")]
    pub tuf_cache: Option<PathBuf>,

    /// Do not ask the TUF mirror: take what `--tuf-cache` has of it, checked as if it came from
    /// there
    #[arg(long, env = "PROVENANCE_OFFLINE", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = ArgAction::Set)]
    pub offline: bool,

    /// ClusterImagePolicy and TrustRoot documents of sigstore/policy-controller: a file, or a
    /// folder of `*.yaml`, `*.yml` and `*.json`
    #[arg(long, value_name = "PATH", env = "PROVENANCE_TRUST_POLICY")]
    pub trust_policy: Option<PathBuf>,

    /// Exceptions from policies, each with its reason, owner and end; docs/trust.md shows one
    #[arg(long, value_name = "FILE", env = "PROVENANCE_EXCEPTIONS")]
    pub exceptions: Option<PathBuf>,

    /// More rows for the table that says which build level a builder earns, before the built-in
    /// ones; docs/provenance.md tells of them
    #[arg(long, value_name = "FILE", env = "PROVENANCE_BUILDERS")]
    pub builders: Option<PathBuf>,

    /// Let evidence count without an entry in a transparency log: by the keys of `--key`, of which
    /// then nothing may prove when it was made, and by certificates with a trusted timestamp
    #[arg(long, env = "PROVENANCE_INSECURE_IGNORE_TLOG", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = ArgAction::Set)]
    pub insecure_ignore_tlog: bool,

    /// Repositories that hold signatures and attestations beside the images' own (repeatable, or
    /// separated by commas) [default: that of `COSIGN_REPOSITORY`, if it is set]
    #[arg(
        long,
        value_name = "REPOSITORY",
        env = "PROVENANCE_SIGNATURE_REPOSITORY",
        value_delimiter = ','
    )]
    pub signature_repository: Vec<String>,
}

/// What the flags name, read as far as files and variables go.
#[derive(Debug)]
pub struct Sources {
    pub(super) keys: Vec<SettingKey>,
    pub(super) log: LogDemand,
    pub(super) identity: Option<IdentityRule>,
    pub(super) sources: Vec<SourceRepository>,
    pub(super) roots: Vec<Root>,
    /// The names of those that flags give; the others are for the policies that name them.
    pub(super) root_names: Vec<String>,
    pub(super) policies: Vec<Policy>,
    pub(super) policy_keys: Vec<PolicyKey>,
    pub(super) exceptions: Vec<Exception>,
    pub(super) repositories: Vec<Repository>,
    wanted: Vec<Wanted>,
    builders: Option<PathBuf>,
}

/// A key of `--key`.
#[derive(Debug)]
pub(super) struct SettingKey {
    pub(super) name: String,
    pub(super) text: KeyText,
}

impl Sources {
    /// What must be asked for before the configuration is whole, each once.
    #[must_use]
    pub fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    /// Whether evidence counts without an entry in a transparency log.
    #[must_use]
    pub fn log(&self) -> LogDemand {
        self.log
    }

    /// The file of builders.
    #[must_use]
    pub fn builders(&self) -> Option<&Path> {
        self.builders.as_deref()
    }
}

impl TrustArgs {
    /// Reads the files and variables that the flags name. `mirrored` is the root of
    /// [`Self::mirror`].
    ///
    /// # Errors
    /// [`TrustError`], for the first thing that cannot be used.
    pub fn sources(&self, mirrored: Option<Root>) -> Result<Sources, TrustError> {
        self.read(mirrored, &|name| std::env::var_os(name))
    }

    fn read(
        &self,
        mirrored: Option<Root>,
        variable: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Sources, TrustError> {
        let keys = self.keys(variable)?;
        let mut roots = self.roots()?;
        roots.extend(mirrored);
        let root_names = roots.iter().map(|root| root.name().to_owned()).collect();
        let texts = match given(self.trust_policy.as_deref()) {
            Some(path) => Text::read_all(path)?,
            None => Vec::new(),
        };
        let read = policy::read(&texts, &mut roots)?;
        if let (Some(path), true) =
            (&self.trust_policy, !texts.is_empty() && read.policies.is_empty())
        {
            let why = format!("there is no policy in `{}`", shown(path));
            return Err(TrustError::setting("--trust-policy", why));
        }
        let exceptions = match given(self.exceptions.as_deref()) {
            Some(path) => exception::read(&Text::read(path)?)?,
            None => Vec::new(),
        };
        let log = match self.insecure_ignore_tlog {
            true => LogDemand::NotDemanded,
            false => LogDemand::Demanded,
        };
        Ok(Sources {
            wanted: wanted(&keys, &read.keys),
            keys,
            log,
            identity: self.identity()?,
            sources: self.source_repositories()?,
            roots,
            root_names,
            policies: read.policies,
            policy_keys: read.keys,
            exceptions,
            repositories: self.repositories(variable)?,
            builders: given(self.builders.as_deref()).map(Path::to_owned),
        })
    }

    fn keys(
        &self,
        variable: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Vec<SettingKey>, TrustError> {
        let mut keys = Vec::new();
        for (number, written) in set(&self.key).enumerate() {
            let source = KeySource::parse(written)
                .map_err(|error| TrustError::setting(KEY, error.to_string()))?;
            let name = source.name(number + 1);
            let text = match source {
                KeySource::Wanted(wanted) => {
                    keys.push(SettingKey { name, text: KeyText::Wanted(wanted) });
                    continue;
                }
                KeySource::Text(text) => text,
                KeySource::File(path) => Text::read(&path)?.text,
                KeySource::Variable(of) => variable(&of)
                    .and_then(|text| text.into_string().ok())
                    .filter(|text| !text.is_empty())
                    .ok_or_else(|| {
                        let why =
                            format!("the variable `{}` is not set", records::text::shown(&of));
                        TrustError::setting(KEY, why)
                    })?,
            };
            let text = pem::public_keys(&text)
                .map_err(|source| TrustError::Key { name: name.clone(), source })?;
            keys.push(SettingKey { name, text: KeyText::Here(text) });
        }
        Ok(keys)
    }

    /// Identity and issuer are demanded together, as cosign does: an identity is a claim of its
    /// issuer's, and anybody can be an issuer.
    fn identity(&self) -> Result<Option<IdentityRule>, TrustError> {
        let identity =
            pattern(IDENTITY, &self.certificate_identity, &self.certificate_identity_regexp)?;
        let issuer =
            pattern(ISSUER, &self.certificate_oidc_issuer, &self.certificate_oidc_issuer_regexp)?;
        match (identity, issuer) {
            (Some(identity), Some(issuer)) => Ok(Some(IdentityRule { identity, issuer })),
            (None, None) => Ok(None),
            (Some(_), None) => {
                let why = "give the issuer too, by `--certificate-oidc-issuer` or `--certificate-oidc-issuer-regexp`";
                Err(TrustError::setting(IDENTITY, why))
            }
            (None, Some(_)) => {
                let why = "give the identity too, by `--certificate-identity` or `--certificate-identity-regexp`";
                Err(TrustError::setting(ISSUER, why))
            }
        }
    }

    fn source_repositories(&self) -> Result<Vec<SourceRepository>, TrustError> {
        let parse = |text: &str| {
            SourceRepository::parse(text)
                .map_err(|error| TrustError::setting("--source-uri", error.to_string()))
        };
        set(&self.source_uri).map(parse).collect()
    }

    fn roots(&self) -> Result<Vec<Root>, TrustError> {
        let mut roots = Vec::new();
        if !self.no_embedded_roots {
            roots.extend([Root::public_good(), Root::github()]);
        }
        for path in self.trusted_root.iter().filter(|path| !path.as_os_str().is_empty()) {
            let name = path.to_string_lossy();
            if [PUBLIC_GOOD, GITHUB].contains(&&*name) {
                let why = format!("`{name}` is the name of the embedded root; write `./{name}`");
                return Err(TrustError::setting(TRUSTED_ROOT, why));
            }
            if roots.iter().any(|root: &Root| root.name() == name) {
                let why = format!("`{}` is given twice", shown(path));
                return Err(TrustError::setting(TRUSTED_ROOT, why));
            }
            let json = Text::read(path)?.text;
            let root = Root::from_json(&name, &json).map_err(|why| {
                TrustError::setting(TRUSTED_ROOT, format!("`{}`: {why}", shown(path)))
            })?;
            roots.push(root);
        }
        Ok(roots)
    }

    fn repositories(
        &self,
        variable: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Vec<Repository>, TrustError> {
        let parse = |text: &str| {
            text.parse::<Repository>()
                .map_err(|error| TrustError::setting("--signature-repository", error.to_string()))
        };
        let mut written = set(&self.signature_repository).peekable();
        if written.peek().is_some() {
            return written.map(parse).collect();
        }
        let cosign = variable(COSIGN_REPOSITORY).map(|text| text.to_string_lossy().into_owned());
        cosign.iter().filter(|text| !text.is_empty()).map(|text| parse(text)).collect()
    }
}

/// An empty variable is an unset one.
fn set(values: &[String]) -> impl Iterator<Item = &str> {
    values.iter().map(String::as_str).filter(|value| !value.is_empty())
}

/// The same for paths.
pub(super) fn given(path: Option<&Path>) -> Option<&Path> {
    path.filter(|path| !path.as_os_str().is_empty())
}

fn shown(path: &Path) -> String {
    records::text::shown(&path.to_string_lossy())
}

fn pattern(
    flag: &'static str,
    exact: &Option<String>,
    regexp: &Option<String>,
) -> Result<Option<Pattern>, TrustError> {
    let set = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    match (set(exact), set(regexp)) {
        (None, None) => Ok(None),
        (Some(exact), None) => Ok(Some(Pattern::Exact(exact))),
        (None, Some(text)) => Pattern::regexp(&text)
            .map(Some)
            .map_err(|error| TrustError::setting(flag, error.to_string())),
        (Some(_), Some(_)) => {
            Err(TrustError::setting(flag, "give it exactly or as a regular expression, not both"))
        }
    }
}

fn wanted(keys: &[SettingKey], policy_keys: &[PolicyKey]) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = Vec::new();
    let texts = keys.iter().map(|key| &key.text).chain(policy_keys.iter().map(|key| &key.text));
    for text in texts {
        match text {
            KeyText::Wanted(one) if !wanted.contains(one) => wanted.push(one.clone()),
            KeyText::Wanted(_) | KeyText::Here(_) => {}
        }
    }
    wanted
}
