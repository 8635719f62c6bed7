//! `pc-store diff`: what changed from one report to another.
//!
//! - `pick`: which two reports; - `events`: changes as CloudEvents; - `post`: handing these on.
//!
//! Not here: what a change is (crate `report`, module `difference`).

mod events;
mod pick;
mod post;

use clap::{Args, ValueEnum};
use report::difference::{self, Difference, Wanted};
use report::table::Look;
use stage::cli::Common;
use stage::{Fault, Outcome};

use crate::cli::StoreArgs;
use crate::say;

use pick::{Picked, Which};
use post::PostArgs;

/// How many codes of changes are named that a gate found.
const FEW: usize = 5;

/// Which reports are compared, and what becomes of the changes.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The older report: a name from the list, `latest`, `previous` (the one before the newer
    /// report in the store), a file, or `-` for standard input
    #[arg(value_name = "OLDER", default_value = "previous")]
    older: Which,
    /// The newer report
    #[arg(value_name = "NEWER", default_value = "latest")]
    newer: Which,
    /// Print the changes as this
    #[arg(long, env = "PROVENANCE_DIFF_FORMAT", value_enum, default_value = "table")]
    format: Format,
    /// Exit with 3 when there is a change so grave or graver (high, medium, low, info), or of this
    /// code (docs/changes.md lists them)
    #[arg(
        long,
        env = "PROVENANCE_DIFF_FAIL_ON",
        value_delimiter = ',',
        value_name = "SEVERITY|CODE"
    )]
    fail_on: Vec<Wanted>,
    #[command(flatten)]
    post: PostArgs,
}

/// How the changes are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// One JSON document; null where there is no older report
    Json,
    /// A section for an issue, a merge request or a chat
    Markdown,
    /// A batch of CloudEvents 1.0 in JSON, one for each change
    Cloudevents,
}

/// What is said where there is nothing to compare with.
const NONE: &str = "not compared: there is no earlier report in the store";

/// Compares, hands the events on, prints, and judges.
pub(crate) fn run(store: &StoreArgs, args: &DiffArgs, common: &Common) -> Result<Outcome, Fault> {
    let sender = args.post.sender()?;
    let picked = pick::pick(store, &args.older, &args.newer)?;
    let Some((older, newer)) = picked else {
        return nothing(args.format, &args.fail_on);
    };
    let difference = compare(older, newer);
    // Before anything is printed: a reader who leaves changes nothing.
    if let Some(sender) = sender {
        let events = events::of(&difference);
        let host = sender.host();
        common.block_on(async move { sender.send(&events).await })?;
        let count = difference.changes.len();
        say::to_stderr(&format!("{count} events were handed to {host}\n"));
    }
    let outcome = stage::cli::print(&text(&difference, args.format)?)?;
    Ok(missed(&args.fail_on, &difference).map_or(outcome, Outcome::GateNotMet))
}

fn compare(older: Picked, newer: Picked) -> Difference {
    difference::difference((&older.report, Some(older.digest)), (&newer.report, Some(newer.digest)))
}

/// The first run is quiet: there is no change yet, and that is not the same as no change.
fn nothing(format: Format, fail_on: &[Wanted]) -> Result<Outcome, Fault> {
    let text = match format {
        Format::Table => format!("{NONE}\n"),
        Format::Json => "null\n".to_owned(),
        Format::Markdown => "## What changed\n\nNot compared: there is no earlier report.\n".into(),
        Format::Cloudevents => "[]\n".to_owned(),
    };
    if format != Format::Table {
        say::to_stderr(&format!("{NONE}\n"));
    }
    let outcome = stage::cli::print(text.as_bytes())?;
    Ok(if fail_on.is_empty() {
        outcome
    } else {
        Outcome::GateNotMet("nothing was compared".into())
    })
}

fn text(difference: &Difference, format: Format) -> Result<Vec<u8>, Fault> {
    Ok(match format {
        Format::Table => {
            difference::table::render(difference, &Look::of_stdout(say::ROWS)).into_bytes()
        }
        Format::Markdown => difference::markdown::render(difference).into_bytes(),
        Format::Json => lines(serde_json::to_vec_pretty(difference))?,
        Format::Cloudevents => lines(serde_json::to_vec_pretty(&events::of(difference)))?,
    })
}

fn lines(json: Result<Vec<u8>, serde_json::Error>) -> Result<Vec<u8>, Fault> {
    let mut bytes = json.map_err(Fault::incomplete)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Why the changes do not meet the gate, in one line.
fn missed(fail_on: &[Wanted], difference: &Difference) -> Option<String> {
    let changes = difference.changes.iter();
    let mut codes: Vec<&str> = changes
        .filter(|change| fail_on.iter().any(|wanted| wanted.fits(change)))
        .map(|change| change.code.as_str())
        .collect();
    let count = codes.len();
    codes.sort_unstable();
    codes.dedup();
    let more = if codes.len() > FEW { ", …" } else { "" };
    codes.truncate(FEW);
    let plural = if count == 1 { "" } else { "s" };
    (count > 0).then(|| format!("{count} change{plural}: {}{more}", codes.join(", ")))
}
