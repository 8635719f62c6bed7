//! Removing single reports because somebody says so, or saying that it is known that they are lost.

use crate::chain::Event;
use crate::latest;
use crate::ledger::{Ledger, LedgerError};
use crate::names::ReportName;
use crate::place::{Kind, PlaceError};

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
    #[error("`{0}` is not what was stored, so it may be somebody else's or evidence")]
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
    let file = name.to_string();
    let held = ledger.state().held().get(&file).cloned().ok_or(RemoveError::Unknown(name))?;
    let failed = |source| RemoveError::Ledger { name, source };
    let place = |source| RemoveError::Place { name, source };
    let removed = match ledger.place().fingerprint(&file, held.print.size) {
        Ok(print) if print == held.print => {
            drop_or_lose(ledger, &name.signature()).map_err(failed)?;
            ledger.drop(Event::Removed, &file).map_err(failed)?;
            Removed::Removed
        }
        Err(error) if error.is_missing() => {
            drop_or_lose(ledger, &name.signature()).map_err(failed)?;
            ledger.lose(&file).map_err(failed)?;
            Removed::Lost
        }
        Err(error) if error.kind() == Kind::Other => return Err(place(error)),
        Ok(_) | Err(_) => return Err(RemoveError::Changed(name)),
    };
    latest::mend(ledger).map_err(place)?;
    Ok(removed)
}

/// A signature goes with its report. One that was changed is no longer the store's, and stays.
fn drop_or_lose(ledger: &mut Ledger<'_>, name: &str) -> Result<(), LedgerError> {
    let Some(held) = ledger.state().held().get(name) else {
        return Ok(());
    };
    let print = held.print.clone();
    if crate::ledger::is_there(ledger.place(), name, &print)? {
        ledger.drop(Event::Removed, name)
    } else {
        ledger.lose(name)
    }
}
