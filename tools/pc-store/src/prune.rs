//! Removing reports that are too old: only files that are reports by name and by content.

use jiff::Timestamp;
use records::duration::Span;

use crate::chain::Event;
use crate::document::digest;
use crate::history::{self, Unfit, Wanted};
use crate::ledger::{Ledger, LedgerError, Standing};
use crate::names::ReportName;
use crate::place::{Place, PlaceError};
use crate::retention::{self, Gap, Plan};

/// What was removed, and what was not.
#[derive(Debug, Default)]
pub struct Pruned {
    /// The report whose time ages were counted from; `None` when there is none that could be.
    pub reference: Option<ReportName>,
    /// Removed, or what would be; oldest first.
    pub removed: Vec<ReportName>,
    /// Too old, but before a gap.
    pub held: Vec<ReportName>,
    /// Later than the clock.
    pub future: Vec<ReportName>,
    /// Too old by name, but no report by content, or not readable.
    pub foreign: Vec<Unfit>,
    /// Reports that could not be removed.
    pub failed: Vec<LedgerError>,
    /// How many files with a report's name are left.
    pub left: usize,
}

/// How to prune.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// How long reports are kept.
    pub keep: Span,
    /// What to do with reports before a gap.
    pub gap: Gap,
    /// The time now.
    pub now: Timestamp,
    /// The largest report that is read, in bytes.
    pub max_bytes: u64,
}

/// Says what [`prune`] would remove.
///
/// # Errors
/// When the names cannot be read.
pub fn preview(place: &dyn Place, rules: Rules) -> Result<Pruned, PlaceError> {
    walk(place, rules, None, |_, _| Ok(true))
}

/// Removes the reports that are too old, except `spare`, and their signatures.
///
/// # Errors
/// When the names cannot be read. A report that cannot be removed is no error here.
pub fn prune(
    ledger: &mut Ledger<'_>,
    rules: Rules,
    spare: Option<ReportName>,
) -> Result<Pruned, PlaceError> {
    let place = ledger.place();
    let pruned = walk(place, rules, spare, |name, bytes| remove(ledger, name, bytes))?;
    place.sweep()?;
    Ok(pruned)
}

/// Removes a report of these bytes; whether they were those that the log has.
fn remove(ledger: &mut Ledger<'_>, name: ReportName, bytes: &[u8]) -> Result<bool, LedgerError> {
    let file = name.to_string();
    let held = ledger.state().held().get(&file);
    // Evidence that somebody changed a report is not for the retention to remove.
    if held.is_none_or(|held| held.print.digest != digest(bytes)) {
        return Ok(false);
    }
    // The signature first: without its report nobody would know it.
    let signature = name.signature();
    match ledger.standing(&signature)? {
        None => {}
        Some(Standing::Same) => ledger.drop(Event::Pruned, &signature)?,
        Some(Standing::Missing) => ledger.lose(&signature)?,
        Some(Standing::Changed) => return Ok(false),
    }
    ledger.drop(Event::Pruned, &file)?;
    Ok(true)
}

fn walk(
    place: &dyn Place,
    rules: Rules,
    spare: Option<ReportName>,
    mut remove: impl FnMut(ReportName, &[u8]) -> Result<bool, LedgerError>,
) -> Result<Pruned, PlaceError> {
    let names = history::names(place)?;
    let (future, present): (Vec<ReportName>, Vec<ReportName>) =
        names.iter().partition(|name| retention::is_future(name.time(), rules.now));
    let reference = reference(place, &present, rules.max_bytes);
    let plan = reference.map_or_else(Plan::default, |reference| {
        retention::plan(&present, reference, rules.keep, rules.gap)
    });
    let mut pruned = Pruned { reference, held: plan.held, future, ..Pruned::default() };
    for name in plan.expired {
        if spare == Some(name) {
            continue;
        }
        match history::read(place, Wanted::Named(name), rules.max_bytes) {
            Err(unfit) => pruned.foreign.push(unfit),
            Ok(stored) => match remove(name, &stored.bytes) {
                Ok(true) => pruned.removed.push(name),
                Ok(false) => pruned.foreign.push(Unfit::Changed(name)),
                Err(error) => pruned.failed.push(error),
            },
        }
    }
    pruned.left = names.len() - pruned.removed.len();
    Ok(pruned)
}

/// The newest of `names` (newest first) that is a report.
fn reference(place: &dyn Place, names: &[ReportName], max_bytes: u64) -> Option<ReportName> {
    names.iter().copied().find(|name| {
        history::read(place, Wanted::Named(*name), max_bytes)
            .inspect_err(|error| tracing::debug!("no age is counted from it: {error}"))
            .is_ok()
    })
}
