//! Finding the cluster: kubeconfig files as kubectl reads them, or the pod's service account.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::Config;
use kube::config::{
    AuthInfo, Cluster, Context, ExecAuthCluster, ExecInteractiveMode, Kubeconfig, KubeconfigError,
};
use records::text::shown;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::ClusterArgs;
use crate::error::LOG_IN_FIRST;
use crate::proxy::{self, ProxyError};

/// How long a connection may take to be made, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why no cluster can be asked.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Neither a kubeconfig nor a pod.
    #[error("no cluster to ask: {tried}")]
    NoCluster {
        /// Where a configuration was looked for.
        tried: String,
    },
    /// A kubeconfig that cannot be read.
    #[error("kubeconfig `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A kubeconfig that is none. The parser's own text is not shown: it quotes the file.
    #[error("kubeconfig `{}` is malformed{place}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// ` at line L column C`, where it is known.
        place: String,
    },
    /// A context that no file has.
    #[error("the kubeconfig has no context `{}`, only {}", shown(name), names(known))]
    UnknownContext {
        /// The context that was asked for.
        name: String,
        /// The contexts that are there.
        known: Vec<String>,
    },
    /// No context was named, and the kubeconfig has no current one.
    #[error("the kubeconfig has no current context, only {}", names(known))]
    NoContext {
        /// The contexts that are there.
        known: Vec<String>,
    },
    /// A context without a kubeconfig to look it up in.
    #[error("context `{}` needs a kubeconfig, and there is none", shown(name))]
    ContextInPod {
        /// The context that was asked for.
        name: String,
    },
    /// A context that leads nowhere.
    #[error("context `{}` of the kubeconfig cannot be used: {what}", shown(context))]
    Unusable {
        /// The context.
        context: String,
        /// What is missing or wrong.
        what: String,
    },
    /// The pod's service account is incomplete.
    #[error("the service account of this pod cannot be used: {what}")]
    InPod {
        /// What is missing or wrong.
        what: String,
    },
    /// A proxy setting that cannot be used.
    #[error("the way to the API server is not clear")]
    Proxy(#[from] ProxyError),
    /// The client cannot be built.
    #[error("no connection to `{host}` can be set up: {message}")]
    Client {
        /// The API server.
        host: String,
        /// What is wrong.
        message: String,
    },
    /// A credential plugin or token file failed.
    #[error("no credentials for `{host}`: {message}")]
    Credentials {
        /// The API server.
        host: String,
        /// What failed.
        message: String,
    },
    /// A credential plugin does not come back.
    #[error("credential plugin `{}` did not answer within {seconds} s", shown(command))]
    PluginTimeout {
        /// The plugin.
        command: String,
        /// How long was waited.
        seconds: u64,
    },
}

impl ConfigError {
    /// What would mend it, where that is not plain.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoCluster { .. } => Some(
                "name a kubeconfig by --kubeconfig or KUBECONFIG, or read what kubectl printed \
                 by --from FILE",
            ),
            Self::Unreadable { .. } => Some(
                "choose another by --kubeconfig or KUBECONFIG, or make it readable for this \
                 user; a dump is read by --from FILE",
            ),
            Self::Malformed { .. } => {
                Some("`kubectl config view --kubeconfig FILE` says more about it")
            }
            Self::NoContext { .. } => Some("choose one by --context"),
            Self::InPod { .. } => Some(
                "the pod needs a service account with automountServiceAccountToken, or a \
                 kubeconfig by KUBECONFIG",
            ),
            Self::Credentials { .. } | Self::PluginTimeout { .. } => Some(LOG_IN_FIRST),
            _ => None,
        }
    }
}

fn names(known: &[String]) -> String {
    if known.is_empty() {
        return "nothing at all".to_owned();
    }
    known.iter().map(|name| format!("`{}`", shown(name))).collect::<Vec<_>>().join(", ")
}

/// What the search for a configuration may know of its surroundings.
pub(crate) struct Surroundings<'a> {
    /// Reads an environment variable.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// The home directory.
    pub(crate) home: Option<PathBuf>,
}

/// The configuration for the cluster that `args` name: a kubeconfig, else the pod's own.
///
/// # Errors
/// [`ConfigError`].
pub(crate) fn find(
    args: &ClusterArgs,
    surroundings: &Surroundings<'_>,
) -> Result<Config, ConfigError> {
    let mut config = match kubeconfig(args, surroundings)? {
        Some(kubeconfig) => from_kubeconfig(kubeconfig, args.context.as_deref(), surroundings)?,
        None => in_pod(args, surroundings)?,
    };
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    // Waiting for an answer is bounded, and repeating done, where a question can be repeated as a whole, its body included.
    config.default_retry = false;
    Ok(config)
}

/// The kubeconfig, merged from its files; `None` where there is none to read.
fn kubeconfig(
    args: &ClusterArgs,
    surroundings: &Surroundings<'_>,
) -> Result<Option<Kubeconfig>, ConfigError> {
    let named = args.kubeconfig.as_deref().filter(|value| !value.is_empty());
    let files = match named {
        Some(named) => existing(named)?,
        None => default_file(surroundings).filter(|path| path.exists()).into_iter().collect(),
    };
    if files.is_empty() {
        return Ok(None);
    }
    files
        .iter()
        .try_fold(Kubeconfig::default(), |merged, path| {
            let next = Kubeconfig::read_from(path).map_err(|error| unread(path, error))?;
            merged.merge(next).map_err(|error| unread(path, error))
        })
        .map(Some)
}

fn default_file(surroundings: &Surroundings<'_>) -> Option<PathBuf> {
    Some(surroundings.home.as_ref()?.join(".kube").join("config"))
}

/// Of several files those that are not there are skipped, as kubectl does; but not all of them.
fn existing(named: &OsStr) -> Result<Vec<PathBuf>, ConfigError> {
    let all: Vec<PathBuf> =
        std::env::split_paths(named).filter(|path| !path.as_os_str().is_empty()).collect();
    let (there, missing): (Vec<_>, Vec<_>) = all.into_iter().partition(|path| path.exists());
    match missing.into_iter().next() {
        Some(path) if there.is_empty() => {
            Err(ConfigError::Unreadable { path, source: io::ErrorKind::NotFound.into() })
        }
        Some(path) => {
            tracing::warn!(path = %path.display(), "kubeconfig is not there and is skipped");
            Ok(there)
        }
        None => Ok(there),
    }
}

fn unread(path: &Path, error: KubeconfigError) -> ConfigError {
    let path = path.to_owned();
    match error {
        KubeconfigError::ReadConfig(source, _) => ConfigError::Unreadable { path, source },
        KubeconfigError::Parse(error) => {
            let place = error.location().map_or_else(String::new, |at| {
                format!(" at line {} column {}", at.line(), at.column())
            });
            ConfigError::Malformed { path, place }
        }
        _ => ConfigError::Malformed {
            path,
            place: ": its `kind` or `apiVersion` differs from that of the files before".to_owned(),
        },
    }
}

/// Looks the context up and follows it to a server and a user.
fn from_kubeconfig(
    kubeconfig: Kubeconfig,
    context: Option<&str>,
    surroundings: &Surroundings<'_>,
) -> Result<Config, ConfigError> {
    let (name, context) = choose_context(&kubeconfig, context)?;
    let unusable = |what: String| ConfigError::Unusable { context: name.clone(), what };
    let (cluster, user) = follow(kubeconfig, &context).map_err(unusable)?;

    let mut config = Config::new(server(&cluster).map_err(unusable)?);
    config.default_namespace = context.namespace.unwrap_or_else(|| "default".to_owned());
    config.root_cert = authorities(&cluster).map_err(unusable)?;
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or_default();
    config.disable_compression = cluster.disable_compression.unwrap_or_default();
    config.proxy_url = match cluster.proxy_url.as_deref().filter(|url| !url.is_empty()) {
        Some(proxy) => Some(proxy::from_kubeconfig(proxy)?),
        None => proxy::from_environment(&config.cluster_url, |name| {
            (surroundings.variable)(name)?.into_string().ok()
        })?,
    };
    config.tls_server_name = cluster.tls_server_name;
    config.auth_info = user;
    if config.accept_invalid_certs {
        tracing::warn!("the kubeconfig says insecure-skip-tls-verify: who answers is not checked");
    }
    Ok(config)
}

/// The cluster and the user of a context, the user's credential plugin tamed.
fn follow(kubeconfig: Kubeconfig, context: &Context) -> Result<(Cluster, AuthInfo), String> {
    let cluster = kubeconfig
        .clusters
        .into_iter()
        .find(|named| named.name == context.cluster)
        .and_then(|named| named.cluster)
        .ok_or_else(|| format!("no cluster `{}`", shown(&context.cluster)))?;
    let mut user = match &context.user {
        Some(user) => kubeconfig
            .auth_infos
            .into_iter()
            .find(|named| &named.name == user)
            .ok_or_else(|| format!("no user `{}`", shown(user)))?
            .auth_info
            .unwrap_or_default(),
        None => AuthInfo::default(),
    };
    tame_plugin(&mut user, &cluster)?;
    Ok((cluster, user))
}

fn server(cluster: &Cluster) -> Result<http::Uri, String> {
    let server = cluster.server.as_deref().ok_or("its cluster has no `server`")?;
    server
        .parse()
        .ok()
        .filter(|url: &http::Uri| url.host().is_some() && url.scheme().is_some())
        .ok_or_else(|| format!("`server: {}` is no URL", shown(server)))
}

fn choose_context(
    kubeconfig: &Kubeconfig,
    context: Option<&str>,
) -> Result<(String, Context), ConfigError> {
    let known = || kubeconfig.contexts.iter().map(|named| named.name.clone()).collect();
    let name = context
        .or(kubeconfig.current_context.as_deref())
        .filter(|name| !name.is_empty())
        .ok_or_else(|| ConfigError::NoContext { known: known() })?;
    kubeconfig
        .contexts
        .iter()
        .find(|named| named.name == name)
        .and_then(|named| named.context.clone())
        .map(|context| (name.to_owned(), context))
        .ok_or_else(|| ConfigError::UnknownContext { name: name.to_owned(), known: known() })
}

/// Keeps a credential plugin from standard input, where a stage's records come in.
fn tame_plugin(user: &mut AuthInfo, cluster: &Cluster) -> Result<(), String> {
    let Some(exec) = &mut user.exec else {
        return Ok(());
    };
    exec.interactive_mode = Some(ExecInteractiveMode::Never);
    if exec.provide_cluster_info {
        exec.cluster =
            Some(ExecAuthCluster::try_from(cluster).map_err(|error| shown(&error.to_string()))?);
    }
    Ok(())
}

/// The authorities of the cluster's certificate, as DER; `None` means those of the system.
fn authorities(cluster: &Cluster) -> Result<Option<Vec<Vec<u8>>>, String> {
    let loaded = ExecAuthCluster::try_from(cluster).map_err(|error| shown(&error.to_string()))?;
    let Some(pem) = loaded.certificate_authority_data else {
        return Ok(None);
    };
    let ders: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(&pem)
        .map(|der| der.map(|der| der.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|error| format!("its certificate-authority is no PEM: {error}"))?;
    if ders.is_empty() {
        return Err("its certificate-authority holds no certificate".to_owned());
    }
    Ok(Some(ders))
}

fn in_pod(args: &ClusterArgs, surroundings: &Surroundings<'_>) -> Result<Config, ConfigError> {
    if let Some(name) = &args.context {
        return Err(ConfigError::ContextInPod { name: name.clone() });
    }
    if (surroundings.variable)("KUBERNETES_SERVICE_HOST").is_none() {
        let file = default_file(surroundings).map_or_else(
            || "there is no home directory".to_owned(),
            |path| format!("`{}` is not there", path.display()),
        );
        return Err(ConfigError::NoCluster {
            tried: format!(
                "no --kubeconfig, KUBECONFIG is not set, {file}, and this is not a pod \
                 (KUBERNETES_SERVICE_HOST is not set)"
            ),
        });
    }
    Config::incluster().map_err(|error| ConfigError::InPod { what: shown(&error.to_string()) })
}

#[cfg(test)]
mod tests;
