//! What could not be found out, as `failure` records.

use std::collections::BTreeSet;

use cluster::types::Text;
use cluster::{AskError, Resource, Why};
use records::text::shown;
use records::{Failure, FailureCode, Image, Record, Runtime};

const STAGE: &str = env!("CARGO_PKG_NAME");
const IMAGE: &str = Image::TYPE;
const RUNTIME: &str = Runtime::TYPE;

/// Which answers of a cluster suffer when its nodes are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suffers {
    /// Platforms, and on what things run.
    ImageAndRuntime,
    /// Only the latter: platforms have a default.
    Runtime,
}

impl Suffers {
    fn about(self) -> &'static [&'static str] {
        match self {
            Self::ImageAndRuntime => &[IMAGE, RUNTIME],
            Self::Runtime => &[RUNTIME],
        }
    }
}

/// Where the objects come from, for what would mend a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The API server.
    Live,
    /// A dump.
    Dump,
}

fn unasked(about: &[&str], namespace: Option<&str>, code: FailureCode, message: &str) -> Failure {
    Failure {
        namespace: namespace.map(|namespace| Some(namespace.to_owned())),
        ..Failure::new(STAGE, about, code, message)
    }
}

fn asked(about: &[&str], namespace: Option<&str>, host: &str, error: &AskError) -> Failure {
    Failure {
        host: Some(host.to_owned()),
        status: error.status(),
        ..unasked(about, namespace, error.code(), &error.message())
    }
}

/// The pods of a namespace could not be read.
#[must_use]
pub(crate) fn unread_namespace(namespace: &str, host: &str, error: &AskError) -> Failure {
    let failure = asked(&[IMAGE], Some(namespace), host, error);
    if error.question.resource != cluster::resource::NAMESPACES {
        return failure;
    }
    // No pods are shown, and then the namespace itself was looked for.
    match error.why {
        Why::NotFound { .. } => Failure {
            code: FailureCode::NamespaceNotFound.as_str().to_owned(),
            message: format!("there is no namespace `{}`", shown(namespace)),
            ..failure
        },
        _ => Failure {
            message: format!(
                "no pods are shown, and the namespace may not exist: {}",
                error.message()
            ),
            ..failure
        },
    }
}

/// A namespace was named, and nothing is known of it.
#[must_use]
pub(crate) fn no_namespace(namespace: &str, source: Source) -> Failure {
    let message = match source {
        Source::Live => format!("there is no namespace `{}`", shown(namespace)),
        Source::Dump => format!("the dump has nothing in namespace `{}`", shown(namespace)),
    };
    unasked(&[IMAGE], Some(namespace), FailureCode::NamespaceNotFound, &message)
}

/// The namespaces themselves could not be listed, so that those without pods stay unknown.
#[must_use]
pub(crate) fn unlisted_namespaces(host: &str, error: &AskError) -> Failure {
    let failure = asked(&[IMAGE], None, host, error);
    let message =
        format!("idle workloads of namespaces without pods are not seen: {}", error.message());
    Failure { message, ..failure }
}

/// The API server gave a namespace's pods in two parts, so that its records are in two parts too.
#[must_use]
pub(crate) fn split_namespace(namespace: &str, host: &str) -> Failure {
    let message = "the API server's list of pods is not in the order of namespaces: the counts of \
                   pods and nodes here are too small";
    Failure {
        host: Some(host.to_owned()),
        ..unasked(&[IMAGE], Some(namespace), FailureCode::BadResponse, message)
    }
}

/// The nodes could not be read.
#[must_use]
pub(crate) fn unread_nodes(suffers: Suffers, host: &str, error: &AskError) -> Failure {
    asked(suffers.about(), None, host, error)
}

/// A dump without pods: whether nothing runs, or nobody asked for pods, is not to be told apart.
#[must_use]
pub(crate) fn no_pods() -> Failure {
    let message = "the dump has no pods: were `pods` among what `kubectl get` was asked for, and \
                   in all namespaces (-A)?";
    unasked(&[IMAGE], None, FailureCode::NotFound, message)
}

/// A dump without nodes.
#[must_use]
pub(crate) fn no_nodes(suffers: Suffers) -> Failure {
    let message = "the dump has no nodes: add `nodes` to what `kubectl get` is asked for, or set \
                   --default-platform";
    unasked(suffers.about(), None, FailureCode::PlatformUnknown, message)
}

/// Pods run on nodes of which nothing is known.
#[must_use]
pub(crate) fn unknown_nodes(suffers: Suffers, namespace: &str, nodes: &BTreeSet<Text>) -> Failure {
    let some: Vec<String> = nodes.iter().take(3).map(|node| format!("`{}`", shown(node))).collect();
    let more = nodes.len().saturating_sub(some.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let message =
        format!("pods run on nodes that the list of nodes lacks: {}{more}", some.join(", "));
    unasked(suffers.about(), Some(namespace), FailureCode::PlatformUnknown, &message)
}

/// The owners of a namespace's pods, or its templates, could not be read.
#[must_use]
pub(crate) fn unread_objects(namespace: &str, host: &str, error: &AskError) -> Failure {
    asked(&[IMAGE], Some(namespace), host, error)
}

/// Some owners are not there, so that their own controllers stay unknown.
#[must_use]
pub(crate) fn lost_owners(namespace: &str, resource: Resource, source: Source) -> Failure {
    let message = match source {
        Source::Live => format!(
            "a {} that controls pods is not there any more: who controls it is not known",
            resource.kind
        ),
        Source::Dump => format!(
            "the dump lacks a {} that controls pods: add `{resource}` to what `kubectl get` is \
             asked for",
            resource.kind
        ),
    };
    unasked(&[IMAGE], Some(namespace), FailureCode::NotFound, &message)
}

/// An `image` record would be too large; its annotations and pull secrets were left out.
#[must_use]
pub(crate) fn too_large(image: &Image) -> Failure {
    let message = "the record is too large: its annotations and pull secrets were left out";
    Failure {
        workload: Some(image.workload.clone()),
        container: Some(image.container.clone()),
        image: Some(Some(image.image.clone())),
        ..unasked(&[IMAGE], image.namespace.as_deref(), FailureCode::TooLarge, message)
    }
}

/// A `runtime` record would be too large, and was not written.
#[must_use]
pub(crate) fn runtime_too_large(runtime: &Runtime) -> Failure {
    Failure {
        workload: Some(Some(runtime.workload.clone())),
        container: Some(Some(runtime.container.clone())),
        ..unasked(
            &[RUNTIME],
            Some(&runtime.namespace),
            FailureCode::TooLarge,
            "the record is too large and was left out",
        )
    }
}
