//! The default action: one report from standard input into the store.

use std::io::IsTerminal;

use attest::SignArgs;
use jiff::Timestamp;
use stage::{EdgeError, Fault, Outcome};

use crate::cli::{Print, StoreArgs, fault};
use crate::document::{self, Document};
use crate::folder::{Folder, Lock, Origin};
use crate::names::ReportName;
use crate::prune::{self, Pruned, Rules};
use crate::retention::Gap;
use crate::sink::directory::{self, Kept};
use crate::{say, signing};

/// Reads, checks, stores, prunes, and says so. Nothing is touched before the report is known to be
/// one; nothing is said before all is done, so that a reader who leaves changes nothing.
pub(crate) fn run(
    args: &StoreArgs,
    sign: &SignArgs,
    print: Print,
    now: Timestamp,
) -> Result<Outcome, Fault> {
    if std::io::stdin().is_terminal() {
        return Err(Fault::usage("standard input is a terminal, and no report comes from there")
            .with_hint(
                "pipe one in: `pc-assemble < stream.ndjson | pc-store`; or see `pc-store list`",
            ));
    }
    let document = document::read(std::io::stdin().lock(), args.max_bytes).map_err(|error| {
        let hint = error.hint();
        Fault::incomplete(error).with_hint(hint)
    })?;
    if !document.report.metadata.complete {
        return Err(not_whole(&document));
    }
    // Opening an encrypted key takes a while: before the store is locked.
    let key = sign.key();
    let (folder, origin) = Folder::open_or_make(&args.report_path).map_err(fault)?;
    if origin == Origin::Made {
        tracing::warn!("made the directory `{}`", args.report_path.display());
    }
    let lock = folder.lock(args.lock_timeout).map_err(fault)?;
    let kept = directory::keep(&folder, &lock, &document, args.max_bytes).map_err(fault)?;
    say::warn_of_report(&folder, &document, &kept, now);
    let signed = signing::sign(&folder, &lock, &document, kept.name, key);
    let pruned = retain(&folder, &lock, args, kept.name, now);
    drop(lock);
    let mut place = say::place(&folder, &document, &kept, pruned.as_ref(), args.report_retention);
    place.push_str(signed.as_ref().map_or("", |line| line));
    let said = say_stored(&folder, &document, &kept, &place, print);
    signed.and(said)
}

/// A report that says of itself that something is missing. It would stand as the latest, and the
/// last whole one would age beside it.
#[derive(Debug, thiserror::Error)]
#[error("nothing was stored: the report is not complete: {}", .0.join("; "))]
struct NotWhole(Vec<String>);

fn not_whole(document: &Document) -> Fault {
    let why = document.report.metadata.incomplete_why.iter();
    Fault::incomplete(NotWhole(why.map(|why| records::text::shown(why)).collect())).with_hint(
        "read it from pc-assemble itself, or keep it in a file of its own; the store keeps whole reports",
    )
}

/// Applies the retention. The report is stored, so what fails here is said and fails nothing.
fn retain(
    folder: &Folder,
    lock: &Lock,
    args: &StoreArgs,
    stored: ReportName,
    now: Timestamp,
) -> Option<Pruned> {
    let rules =
        Rules { keep: args.report_retention, gap: Gap::Hold, now, max_bytes: args.max_bytes };
    match prune::prune(folder, lock, rules, Some(stored)) {
        Ok(pruned) => {
            say::warn_of_pruning(&pruned, now);
            Some(pruned)
        }
        Err(error) => {
            tracing::warn!("old reports were not removed: {}", stage::exit::chain(&error));
            None
        }
    }
}

fn say_stored(
    folder: &Folder,
    document: &Document,
    kept: &Kept,
    place: &str,
    print: Print,
) -> Result<Outcome, Fault> {
    let look = report::table::Look::of_stdout(say::ROWS);
    let text = match print {
        Print::None => return Ok(Outcome::Complete),
        Print::Json => {
            say::to_stderr(place);
            return stage::cli::print(&document.bytes)
                .map_err(|error| not_shown(folder, kept, error));
        }
        Print::Table => report::table::render(&document.report, &look),
        Print::Summary => report::table::summary(&document.report, &look),
    };
    stage::cli::print(format!("{text}\n{place}").as_bytes())
        .map_err(|error| not_shown(folder, kept, error))
}

/// The report is stored, and only what was to be said of it could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the report is stored as `{path}`, but it could not be shown")]
struct NotShown {
    path: String,
    source: EdgeError,
}

fn not_shown(folder: &Folder, kept: &Kept, source: EdgeError) -> Fault {
    let hint = format!("`pc-store get {}` prints it", kept.name);
    Fault::incomplete(NotShown { path: say::path(folder, kept.name), source }).with_hint(hint)
}
