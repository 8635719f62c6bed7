//! The signature beside a report: an in-toto statement over its bytes and everything that it found
//! running, in a Sigstore bundle.

use std::sync::Arc;

use attest::{KeyError, SignArgs, SigningKey};
use report::attestation::report as of_report;
use report::export::Source;
use stage::Fault;

use crate::chain::Event;
use crate::cli::fault;
use crate::document::Document;
use crate::ledger::{Ledger, LedgerError};
use crate::names::ReportName;
use crate::place::{Claim, PlaceError};

/// Whoever signs.
pub(crate) struct Signer(Result<Option<SigningKey>, Arc<KeyError>>);

impl Signer {
    /// The one that the settings name. That there is none that can be used is said where a report
    /// is stored.
    pub(crate) fn new(args: &SignArgs) -> Self {
        Self(args.key().map_err(Arc::new))
    }
}

/// Why a report has no signature. It is stored all the same: a report that nobody signed is worth
/// more than none.
#[derive(Debug, thiserror::Error)]
enum SigningError {
    #[error("the report is stored as `{0}`, but not signed")]
    Key(ReportName, #[source] Arc<KeyError>),
    #[error("the report is stored as `{0}`, but not signed: its statement could not be written")]
    Statement(ReportName, #[source] serde_json::Error),
    #[error("the report is stored as `{0}`, but its signature is not: `{1}` is something else")]
    Occupied(ReportName, String),
    #[error("the report is stored as `{0}`, but its signature is not")]
    Store(ReportName, #[source] LedgerError),
    #[error("the report and its signature are stored as `{0}`, but the store is not in order")]
    Unsettled(ReportName, #[source] PlaceError),
}

/// Signs a report that was just stored, where there is a key, and stores the signature beside it.
/// What is returned says so to people, in a line.
pub(crate) fn sign(
    ledger: &mut Ledger<'_>,
    document: &Document,
    name: ReportName,
    signer: &Signer,
) -> Result<Option<String>, Fault> {
    let key = match &signer.0 {
        Ok(None) => return Ok(None),
        Ok(Some(key)) => key,
        Err(error) => {
            let hint = error.hint();
            let error = SigningError::Key(name, Arc::clone(error));
            return Err(Fault::incomplete(error).with_hint(hint));
        }
    };
    let statement = statement(ledger, document, name)
        .map_err(|error| Fault::incomplete(SigningError::Statement(name, error)))?;
    let mut bytes = key.sign(&statement).to_json();
    bytes.push(b'\n');
    let file = name.signature();
    match ledger.add(Event::Signed, &file, &bytes, None) {
        Ok(Claim::Taken) => {}
        Ok(Claim::Occupied) => {
            let hint = format!("move `{file}` away");
            return Err(Fault::incomplete(SigningError::Occupied(name, file)).with_hint(hint));
        }
        Err(error) => return Err(fault(SigningError::Store(name, error))),
    }
    let settled = ledger.place().sync();
    settled.map_err(|error| fault(SigningError::Unsettled(name, error)))?;
    Ok(Some(format!("Signed: {file}  {}\n", key.algorithm())))
}

/// The bytes that are signed.
fn statement(
    ledger: &Ledger<'_>,
    document: &Document,
    name: ReportName,
) -> Result<Vec<u8>, serde_json::Error> {
    let name = name.to_string();
    let source = Source {
        name: Some(&name),
        digest: document.digest.clone(),
        size: document.bytes.len() as u64,
        version: env!("CARGO_PKG_VERSION"),
    };
    // The report's own entry is the last one; what it follows is the log before it.
    let entry = ledger.state().last().filter(|entry| entry.name.as_ref() == Some(&name));
    let head = entry.and_then(|entry| entry.previous.as_ref()).map(records::Digest::as_str);
    of_report::statement(&document.report, &source, head).to_json()
}
