//! Removing single reports because somebody says so, or saying that it is known that they are lost.

use crate::chain::Event;
use crate::latest;
use crate::ledger::{Ledger, LedgerError, Standing};
use crate::names::ReportName;
use crate::place::PlaceError;

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// It was removed.
    Removed,
    /// It was not there any more, and the log says so now.
    Lost,
}

/// Why a report was not removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// The store has no such report.
    #[error("`{0}` is no report of the store, by its log")]
    Unknown(ReportName),
    /// Somebody changed it.
    #[error(
        "`{0}` or its signature is not what was stored, so it may be somebody else's or evidence"
    )]
    Changed(ReportName),
    /// It could not be looked at, or `provenance-latest.json` could not be put right.
    #[error("`{name}` is not in order")]
    Place {
        /// The report.
        name: ReportName,
        /// What failed.
        #[source]
        source: PlaceError,
    },
    /// The store could not be changed.
    #[error("`{name}` was not removed")]
    Ledger {
        /// The report.
        name: ReportName,
        /// What failed.
        #[source]
        source: LedgerError,
    },
}

impl RemoveError {
    /// What would mend it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown(_) => Some("`pc-store list` says what there is".to_owned()),
            Self::Changed(name) => Some(format!(
                "move it away by hand; `pc-store remove {name}` then writes into the log that it is known to be lost"
            )),
            Self::Place { .. } | Self::Ledger { .. } => crate::place::hint(self),
        }
    }
}

/// Removes a report and its signature; or, where it is gone already, writes into the log that this
/// is known. The newest of the others becomes the latest where this was it.
///
/// # Errors
/// When it is no report of the store, or not what was stored, or the store cannot be changed.
pub fn remove(ledger: &mut Ledger<'_>, name: ReportName) -> Result<Removed, RemoveError> {
    let (file, signature) = (name.to_string(), name.signature());
    let place = |source| RemoveError::Place { name, source };
    let failed = |source| RemoveError::Ledger { name, source };
    let report = ledger.standing(&file).map_err(place)?.ok_or(RemoveError::Unknown(name))?;
    let beside = ledger.standing(&signature).map_err(place)?;
    if report == Standing::Changed || beside == Some(Standing::Changed) {
        return Err(RemoveError::Changed(name));
    }
    for (name, standing) in [(&signature, beside), (&file, Some(report))] {
        match standing {
            Some(Standing::Same) => ledger.drop(Event::Removed, name).map_err(failed)?,
            Some(Standing::Missing) => ledger.lose(name).map_err(failed)?,
            Some(Standing::Changed) | None => {}
        }
    }
    latest::mend(ledger).map_err(place)?;
    Ok(if report == Standing::Same { Removed::Removed } else { Removed::Lost })
}
