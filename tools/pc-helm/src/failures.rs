//! What could not be found out, as `failure` records.
//!
//! No text here is from inside a release: only names, places and what kind of thing went wrong.

use cluster::{AskError, Why};
use records::text::shown;
use records::{Failure, FailureCode, Record, Release};

use crate::choose::Choice;
use crate::decode::Unreadable;
use crate::object::{Driver, object};

const STAGE: &str = env!("CARGO_PKG_NAME");
const ABOUT: [&str; 1] = [Release::TYPE];

/// Why a revision is not known.
#[derive(Debug)]
pub(crate) enum Unread {
    /// Its object could not be had.
    Unasked(Box<AskError>),
    /// Its object could not be read.
    Unreadable(Unreadable),
    /// The thread that unpacked it is gone; a fault of this program.
    Lost,
}

fn failure(namespace: Option<&str>, code: FailureCode, message: &str) -> Failure {
    Failure {
        namespace: namespace.map(|namespace| Some(namespace.to_owned())),
        ..Failure::new(STAGE, &ABOUT, code, message)
    }
}

fn asked(namespace: Option<&str>, host: &str, error: &AskError, message: &str) -> Failure {
    Failure {
        host: Some(host.to_owned()),
        status: error.status(),
        ..failure(namespace, error.code(), message)
    }
}

fn of_release(choice: &Choice, code: FailureCode, message: &str) -> Failure {
    Failure {
        release_name: Some(Some(choice.key.name.to_string())),
        ..failure(Some(&choice.key.namespace), code, message)
    }
}

/// `Secret` and the object's name.
fn called(driver: Driver, object: &str) -> String {
    format!("{} `{}`", driver.resource().kind, shown(object))
}

/// A revision is not known.
#[must_use]
pub(crate) fn unread(choice: &Choice, number: u64, why: &Unread) -> Failure {
    let object = called(choice.driver, &object(&choice.key.name, number));
    match why {
        Unread::Unasked(error) => {
            let gone = matches!(error.why, Why::NotFound { .. });
            let message = if gone {
                format!(
                    "revision {number} went away while it was read: {object} was listed, and is not there any more"
                )
            } else {
                format!("revision {number}: {}", error.message())
            };
            let known = of_release(choice, error.code(), &message);
            Failure { status: error.status(), retryable: gone || known.retryable, ..known }
        }
        Unread::Unreadable(why) => {
            let code = match why {
                Unreadable::TooLarge(_) | Unreadable::TooLong(_) => FailureCode::TooLarge,
                _ => FailureCode::ReleaseUnreadable,
            };
            let message = format!("revision {number} cannot be read from {object}: {why}");
            of_release(choice, code, &message)
        }
        Unread::Lost => {
            let message = format!("revision {number} was not unpacked to its end: {object}");
            of_release(choice, FailureCode::ReleaseUnreadable, &message)
        }
    }
}

/// Some documents of a manifest are no YAML: the images that they name are not in the record.
#[must_use]
pub(crate) fn manifest(choice: &Choice, number: u64, unread: u64) -> Failure {
    let message = format!(
        "revision {number}: {unread} document(s) of its manifest cannot be read as YAML, or are too long, so that images may be missing"
    );
    of_release(choice, FailureCode::ReleaseUnreadable, &message)
}

/// Another store has a release of the same name.
#[must_use]
pub(crate) fn twice(choice: &Choice, other: Driver) -> Failure {
    let message = format!(
        "a release of this name is kept as a {} too; the one that was written later is told, the {}",
        other.resource().kind,
        choice.driver.resource().kind,
    );
    of_release(choice, FailureCode::ReleaseTwice, &message)
}

/// A record would be too large; what it says of the deployed revision and the images was left out.
#[must_use]
pub(crate) fn too_large(choice: &Choice) -> Failure {
    let message = "the record is too large: its images were left out";
    of_release(choice, FailureCode::TooLarge, message)
}

/// An object whose name belongs to Helm, in a form that is not known.
#[must_use]
pub(crate) fn strange(driver: Driver, namespace: &str, object: &str) -> Failure {
    let message = format!(
        "{} is named as Helm names releases, and not in a form that is known here (`sh.helm.release.v1.NAME.vNUMBER`)",
        called(driver, object)
    );
    failure(Some(namespace), FailureCode::ReleaseUnreadable, &message)
}

/// A list of releases could not be read, in a namespace or everywhere.
#[must_use]
pub(crate) fn unlisted(namespace: Option<&str>, host: &str, error: &AskError) -> Failure {
    let drivers = "without that, leave this driver out by --helm-driver, or set \
                   PROVENANCE_HELM_ENABLED=false";
    let hint = match error.why {
        Why::Forbidden { .. } => format!("; {drivers}"),
        _ => String::new(),
    };
    asked(namespace, host, error, &format!("{}{hint}", error.message()))
}

/// A namespace was named, and is not there.
#[must_use]
pub(crate) fn no_namespace(namespace: &str) -> Failure {
    let message = format!("there is no namespace `{}`", shown(namespace));
    failure(Some(namespace), FailureCode::NamespaceNotFound, &message)
}

/// A namespace was named, has no releases, and may as well not exist.
#[must_use]
pub(crate) fn unseen_namespace(namespace: &str, host: &str, error: &AskError) -> Failure {
    let message =
        format!("no releases are there, and the namespace may not exist: {}", error.message());
    asked(Some(namespace), host, error, &message)
}

/// A dump with none of the objects that hold releases.
#[must_use]
pub(crate) fn nothing_in_dump() -> Failure {
    let message = "the dump has neither Secrets nor ConfigMaps: were they among what `kubectl \
                   get` was asked for, and in all namespaces (-A)?";
    failure(None, FailureCode::NotFound, message)
}

/// Objects that may say where charts come from could not be read.
#[must_use]
pub(crate) fn unread_origins(host: &str, error: &AskError) -> Failure {
    let message = format!("where charts come from is not known: {}", error.message());
    asked(None, host, error, &message)
}

/// Objects that were to be asked about charts are not known to the API server.
#[must_use]
pub(crate) fn no_such_kind(host: &str, what: &str) -> Failure {
    let message = format!(
        "where charts come from is not known: `{host}` has no {what}, which --origins names"
    );
    Failure { host: Some(host.to_owned()), ..failure(None, FailureCode::NotFound, &message) }
}
