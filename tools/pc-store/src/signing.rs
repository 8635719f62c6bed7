//! The signature beside a report: an in-toto statement over its bytes and everything that it found
//! running, in a Sigstore bundle.

use attest::{KeyError, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use report::attestation::report as of_report;
use report::export::Source;
use serde::Deserialize;
use stage::Fault;

use crate::document::Document;
use crate::folder::{self, Claim, Folder, FolderError, Lock};
use crate::names::ReportName;
use crate::sink::directory;

/// What stands for `.json` in the name of a report's signature.
const SUFFIX: &str = ".sigstore.json";

/// The largest signature that is read back, in bytes. One over 10,000 digests has 2 MB.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Why a report has no signature. It is stored all the same: a report that nobody signed is worth
/// more than none.
#[derive(Debug, thiserror::Error)]
enum SigningError {
    #[error("the report is stored as `{0}`, but not signed")]
    Key(ReportName, #[source] KeyError),
    #[error("the report is stored as `{0}`, but its signature is not")]
    Store(ReportName, #[source] FolderError),
    #[error("the report is stored as `{0}`, but its signature is not: `{1}` is something else")]
    Occupied(ReportName, String),
    #[error("the report is stored as `{0}`, but not signed: its statement could not be written")]
    Statement(ReportName, #[source] serde_json::Error),
}

/// The name of the signature of a report: `provenance-YYYYMMDD-HHMMSS.sigstore.json`.
#[must_use]
pub fn name_of(report: ReportName) -> String {
    let name = report.to_string();
    format!("{}{SUFFIX}", name.strip_suffix(".json").unwrap_or(&name))
}

/// Signs a report that was stored, where there is a key, and stores the signature beside it. What
/// is returned says so to people, in a line.
pub(crate) fn sign(
    folder: &Folder,
    lock: &Lock,
    document: &Document,
    name: ReportName,
    key: Result<Option<SigningKey>, KeyError>,
) -> Result<String, Fault> {
    let key = match key {
        Ok(None) => return Ok(String::new()),
        Ok(Some(key)) => key,
        Err(error) => {
            let hint = error.hint();
            return Err(Fault::incomplete(SigningError::Key(name, error)).with_hint(hint));
        }
    };
    let statement = statement(document, name)
        .map_err(|error| Fault::incomplete(SigningError::Statement(name, error)))?;
    let mut bytes = key.sign(&statement).to_json();
    bytes.push(b'\n');
    let file = name_of(name);
    match directory::put(folder, lock, &file, &bytes, || is_of(folder, name)) {
        Ok(Claim::Taken) => Ok(format!("Signed: {file}  {}\n", key.algorithm())),
        Ok(Claim::Occupied) => {
            let hint = format!("move `{file}` away");
            Err(Fault::incomplete(SigningError::Occupied(name, file)).with_hint(hint))
        }
        Err(error) => {
            let hint = folder::hint(&error);
            Err(Fault::incomplete(SigningError::Store(name, error)).with_hint(hint))
        }
    }
}

/// The bytes that are signed.
fn statement(document: &Document, name: ReportName) -> Result<Vec<u8>, serde_json::Error> {
    let name = name.to_string();
    let source = Source {
        name: Some(&name),
        digest: document.digest.clone(),
        size: document.bytes.len() as u64,
        version: env!("CARGO_PKG_VERSION"),
    };
    of_report::statement(&document.report, &source, None).to_json()
}

/// Removes the signature of a report, where there is one.
pub(crate) fn remove(folder: &Folder, report: ReportName) -> Result<(), FolderError> {
    if is_of(folder, report)? { folder.remove(&name_of(report)) } else { Ok(()) }
}

/// Whether what lies under the name of a report's signature is one; not when nothing is there, and
/// what somebody else put there is his.
fn is_of(folder: &Folder, report: ReportName) -> Result<bool, FolderError> {
    match folder.read(&name_of(report), MAX_BYTES) {
        Ok(bytes) => Ok(signed_name(&bytes).is_some_and(|name| name == report.to_string())),
        Err(
            FolderError::NoSuchFile { .. }
            | FolderError::NotRegular { .. }
            | FolderError::TooLarge { .. },
        ) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The name of the report that a bundle is about. Whether its signature holds is not asked.
fn signed_name(bundle: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Bundle {
        dsse_envelope: Envelope,
    }
    #[derive(Deserialize)]
    struct Envelope {
        payload: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Statement {
        predicate_type: String,
        subject: Vec<Subject>,
    }
    #[derive(Deserialize)]
    struct Subject {
        name: String,
    }
    let bundle: Bundle = serde_json::from_slice(bundle).ok()?;
    let payload = STANDARD.decode(bundle.dsse_envelope.payload).ok()?;
    let statement: Statement = serde_json::from_slice(&payload).ok()?;
    let ours = statement.predicate_type == of_report::PREDICATE_TYPE;
    statement.subject.into_iter().next().filter(|_| ours).map(|subject| subject.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_has_the_name_of_its_report_and_no_reports_name() {
        let time = "2026-11-24T06:00:00Z".parse().expect("a time");
        assert_eq!(name_of(ReportName::new(time, 0)), "provenance-20261124-060000.sigstore.json");
        assert_eq!(name_of(ReportName::new(time, 2)), "provenance-20261124-060000-2.sigstore.json");
        assert!(name_of(ReportName::new(time, 0)).parse::<ReportName>().is_err());
    }

    #[test]
    fn only_a_bundle_of_ours_says_which_report_it_is_of() {
        let bundle = |statement: &str| {
            format!(r#"{{"dsseEnvelope":{{"payload":"{}"}}}}"#, STANDARD.encode(statement))
        };
        let name = |text: &str| signed_name(text.as_bytes());
        let of = |kind: &str, subjects: &str| {
            name(&bundle(&format!(r#"{{"predicateType":"{kind}","subject":{subjects}}}"#)))
        };
        let ours = of_report::PREDICATE_TYPE;
        let said = of(ours, r#"[{"name":"a.json"},{"name":"b"}]"#);
        assert_eq!(said.as_deref(), Some("a.json"));
        assert_eq!(of(ours, "[]"), None);
        assert_eq!(of("https://slsa.dev/provenance/v1", r#"[{"name":"a.json"}]"#), None);
        for text in ["", "{}", r#"{"dsseEnvelope":{"payload":"~"}}"#] {
            assert_eq!(name(text), None);
        }
    }
}
