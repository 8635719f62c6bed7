//! Exceptions: what a policy fails, for whom, why, on whose word, and until when.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use jiff::civil::Date;
use records::text::shown;
use records::{NamespaceException, NamespaceGlob};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::glob::{Glob, ImageName};
use super::policy::{CheckName, Failure};
use super::yaml::{FileError, Place, Text};

/// The longest reason or owner, in characters.
const MAX_TEXT: usize = 500;

/// An exception that has been checked.
#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) place: Place,
    image: Glob,
    /// In which namespaces it holds; in all of them where there is none.
    namespace: Option<NamespaceGlob>,
    what: What,
    reason: String,
    owner: String,
    /// The last day on which it holds, in UTC.
    until: Date,
    pub(crate) used: AtomicU64,
}

/// What it excuses.
#[derive(Debug, PartialEq, Eq)]
enum What {
    /// All that this policy demands.
    Policy(String),
    /// What any policy demands of this check.
    Check(CheckName),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    exceptions: Vec<Spanned<Entry>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    image: Spanned<String>,
    #[serde(default)]
    namespace: Option<Spanned<String>>,
    #[serde(default)]
    policy: Option<Spanned<String>>,
    #[serde(default)]
    check: Option<Spanned<String>>,
    reason: Spanned<String>,
    owner: Spanned<String>,
    until: Spanned<String>,
}

/// Reads a file of exceptions.
pub(crate) fn read(text: &Text) -> Result<Vec<Exception>, FileError> {
    let mut exceptions = Vec::new();
    for file in text.documents::<Option<File>>()?.into_iter().flatten() {
        for entry in &file.exceptions {
            exceptions.push(exception(text, entry)?);
        }
    }
    Ok(exceptions)
}

fn exception(text: &Text, at: &Spanned<Entry>) -> Result<Exception, FileError> {
    let entry = &at.value;
    let wrong = |at: Place, why: String| FileError::Malformed { place: at, why };
    let said = |field: &str, said: &Spanned<String>| {
        let said_by = said.value.trim();
        match said_by.chars().count() {
            0 => Err(wrong(
                text.place(said),
                format!("`{field}` is empty: it is what an auditor will ask for"),
            )),
            count if count > MAX_TEXT => Err(wrong(
                text.place(said),
                format!("`{field}` is longer than {MAX_TEXT} characters"),
            )),
            _ => Ok(records::text::clean(said_by, MAX_TEXT)),
        }
    };
    let what = match (&entry.policy, &entry.check) {
        (Some(policy), None) if !policy.value.is_empty() => What::Policy(policy.value.clone()),
        (None, Some(check)) => What::Check(CheckName::parse(&check.value).ok_or_else(|| {
            let why = "`check` must be `signature`, `provenance`, `sbom` or `attestation`";
            wrong(text.place(check), why.to_owned())
        })?),
        _ => {
            let why = "an exception must have one of `policy` and `check`";
            return Err(wrong(text.place(at), why.to_owned()));
        }
    };
    let until = entry.until.value.parse::<Date>().map_err(|_| {
        let why =
            "`until` must be a day, as in 2027-03-31; an exception without an end is a policy";
        wrong(text.place(&entry.until), why.to_owned())
    })?;
    Ok(Exception {
        place: text.place(at),
        image: Glob::parse(&entry.image.value)
            .map_err(|error| wrong(text.place(&entry.image), error.to_string()))?,
        namespace: match &entry.namespace {
            None => None,
            Some(at) => NamespaceGlob::try_from(at.value.clone())
                .map(Some)
                .map_err(|error| wrong(text.place(at), format!("`namespace`: {error}")))?
                .filter(|glob| !glob.is_all()),
        },
        what,
        reason: said("reason", &entry.reason)?,
        owner: said("owner", &entry.owner)?,
        until,
        used: AtomicU64::new(0),
    })
}

impl Exception {
    /// Whether it is about this failing policy, on this image. It says nothing of the day and of
    /// namespaces.
    pub(crate) fn covers(&self, policy: &str, failures: &[Failure], image: &ImageName) -> bool {
        let excused = match &self.what {
            What::Policy(name) => name == policy,
            // One authority that would be content without this check is enough, since one that is
            // content is.
            What::Check(check) => failures.iter().any(|failure| {
                !failure.checks.is_empty() && failure.checks.iter().all(|missed| missed == check)
            }),
        };
        excused && self.image.matches(image)
    }

    /// As an exception for some namespaces, where it is one.
    pub(crate) fn in_namespaces(&self) -> Option<NamespaceException> {
        Some(NamespaceException {
            namespace: self.namespace.clone()?,
            until: self.until.to_string(),
            text: self.text(),
        })
    }

    /// Whether it still holds on a day.
    pub(crate) fn holds_on(&self, day: Date) -> bool {
        day <= self.until
    }

    /// Notes that it was used.
    pub(crate) fn use_it(&self) {
        self.used.fetch_add(1, Relaxed);
    }

    /// The policy that it is about, where it is about one.
    pub(crate) fn policy(&self) -> Option<&str> {
        match &self.what {
            What::Policy(name) => Some(name),
            What::Check(_) => None,
        }
    }

    /// What it says, in a line: reason, owner and end.
    pub(crate) fn text(&self) -> String {
        format!("{} (owner: {}, until {})", self.reason, self.owner, self.until)
    }

    /// What it is for, in a line.
    pub(crate) fn subject(&self) -> String {
        let what = match &self.what {
            What::Policy(name) => format!("policy `{}`", shown(name)),
            What::Check(check) => format!("check `{check}`"),
        };
        let there = self.namespace.as_ref().map_or(String::new(), |at| format!(" in `{at}`"));
        format!("{what} on `{}`{there} ({})", self.image.as_str(), self.place)
    }

    pub(crate) fn until(&self) -> Date {
        self.until
    }
}
