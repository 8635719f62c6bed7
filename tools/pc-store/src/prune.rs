//! Removing reports that are too old: only files that are reports by name and by content.

use jiff::Timestamp;
use records::duration::Span;

use crate::folder::{Folder, FolderError, Lock};
use crate::history::{self, Unfit, Wanted};
use crate::names::ReportName;
use crate::retention::{self, Gap, Plan};
use crate::{signing, sink};

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
    pub failed: Vec<FolderError>,
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
/// When the directory cannot be read.
pub fn preview(folder: &Folder, rules: Rules) -> Result<Pruned, FolderError> {
    walk(folder, rules, None, |_| Ok(()))
}

/// Removes the reports that are too old, except `spare`.
///
/// # Errors
/// When the directory cannot be read or synced. A report that cannot be removed is no error here.
pub fn prune(
    folder: &Folder,
    _lock: &Lock,
    rules: Rules,
    spare: Option<ReportName>,
) -> Result<Pruned, FolderError> {
    let pruned = walk(folder, rules, spare, |name| {
        // The signature first: without its report nobody would know it.
        signing::remove(folder, name)?;
        folder.remove(&name.to_string())
    })?;
    if !pruned.removed.is_empty() {
        folder.sync()?;
    }
    sink::sweep(folder)?;
    Ok(pruned)
}

fn walk(
    folder: &Folder,
    rules: Rules,
    spare: Option<ReportName>,
    remove: impl Fn(ReportName) -> Result<(), FolderError>,
) -> Result<Pruned, FolderError> {
    let names = history::names(folder)?;
    let (future, present): (Vec<ReportName>, Vec<ReportName>) =
        names.iter().partition(|name| retention::is_future(name.time(), rules.now));
    let reference = reference(folder, &present, rules.max_bytes);
    let plan = reference.map_or_else(Plan::default, |reference| {
        retention::plan(&present, reference, rules.keep, rules.gap)
    });
    let mut pruned = Pruned { reference, held: plan.held, future, ..Pruned::default() };
    for name in plan.expired {
        if spare == Some(name) {
            continue;
        }
        match history::read(folder, Wanted::Named(name), rules.max_bytes) {
            Err(unfit) => pruned.foreign.push(unfit),
            Ok(_) => match remove(name) {
                Ok(()) => pruned.removed.push(name),
                Err(error) => pruned.failed.push(error),
            },
        }
    }
    pruned.left = names.len() - pruned.removed.len();
    Ok(pruned)
}

/// The newest of `names` (newest first) that is a report.
fn reference(folder: &Folder, names: &[ReportName], max_bytes: u64) -> Option<ReportName> {
    names.iter().copied().find(|name| {
        history::read(folder, Wanted::Named(*name), max_bytes)
            .inspect_err(|error| tracing::debug!("no age is counted from it: {error}"))
            .is_ok()
    })
}
