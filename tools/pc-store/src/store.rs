//! The default action: one report from standard input into the store.

use std::io::IsTerminal;

use attest::SignArgs;
use jiff::Timestamp;
use stage::exit::Status;
use stage::{EdgeError, Fault, Outcome};

use crate::cli::{Print, StoreArgs, fault};
use crate::document::{self, Document};
use crate::keep;
use crate::ledger::Ledger;
use crate::names::ReportName;
use crate::prune::{self, Pruned, Rules};
use crate::retention::Gap;
use crate::say;
use crate::signing::{self, Signer};
use crate::sink::{Access, Sink, Target};

/// Reads, checks, puts the report into each sink, and says so. Nothing is touched before the report
/// is known to be one; nothing is said before all is done, so that a reader who leaves changes
/// nothing.
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
    // Opening an encrypted key takes a while: before a store is locked.
    let signer = Signer::new(sign);
    let done = put(&document, args, &signer, now)?;
    let shown = say_done(&document, &done, print);
    match fail(done.sinks, done.failed) {
        Some(fault) => Err(fault),
        None => shown,
    }
}

/// What became of a report in all sinks.
#[derive(Debug, Default)]
struct Done {
    /// What is to be said of each that has it.
    said: Vec<String>,
    /// Where it is stored, and as what: the first store.
    stored: Option<(String, ReportName)>,
    /// The sinks that do not have it as they should.
    failed: Vec<(Sink, Fault)>,
    /// How many sinks there are.
    sinks: usize,
    /// Standard output is one of them, and so not for what is said.
    stdout_is_taken: bool,
}

/// Puts the report into every sink; one that fails stops none of the others. Settings that make no
/// sense stop all, before anything is changed.
fn put(
    document: &Document,
    args: &StoreArgs,
    signer: &Signer,
    now: Timestamp,
) -> Result<Done, Fault> {
    let sinks = args.sinks();
    let mut opened = Vec::new();
    for sink in &sinks {
        match sink.open(args, Access::Write) {
            Err(fault) if fault.status() == Status::Usage => return Err(fault),
            result => opened.push((*sink, result)),
        }
    }
    let stdout_is_taken = sinks.contains(&Sink::Stdout);
    let mut done = Done { sinks: sinks.len(), stdout_is_taken, ..Done::default() };
    for (sink, opened) in opened {
        if let Err(fault) =
            opened.and_then(|target| put_in(&target, document, args, signer, now, &mut done))
        {
            done.failed.push((sink, fault));
        }
    }
    Ok(done)
}

fn put_in(
    target: &Target,
    document: &Document,
    args: &StoreArgs,
    signer: &Signer,
    now: Timestamp,
    done: &mut Done,
) -> Result<(), Fault> {
    match target {
        Target::Delivery(delivery) => {
            done.said.push(delivery.deliver(document, now).map_err(fault)?);
        }
        Target::Store(place) => {
            let place = &**place;
            let guard = place.lock(args.lock_timeout).map_err(fault)?;
            let (mut ledger, kept) =
                keep::keep(place, &guard, document, now, args.max_bytes).map_err(fault)?;
            say::warn_of_report(place, document, &kept, now);
            let signed = signing::sign(&mut ledger, document, kept.name, signer);
            let pruned = retain(&mut ledger, args, kept.name);
            done.said.push(say::stored(place, document, &kept, pruned.as_ref(), args));
            done.stored.get_or_insert_with(|| (say::path(place, kept.name), kept.name));
            done.said.extend(signed?);
        }
    }
    Ok(())
}

/// Some sinks have the report, and some do not.
#[derive(Debug, thiserror::Error)]
#[error("{} of {sinks} sinks do not have the report as they should: {}", failed.len(), failed.join(", "))]
struct SomeFailed {
    sinks: usize,
    failed: Vec<String>,
}

/// The fault that stands for all: itself where there is one sink, else who failed, each told before.
fn fail(sinks: usize, mut failed: Vec<(Sink, Fault)>) -> Option<Fault> {
    if sinks == 1 {
        return failed.pop().map(|(_, fault)| fault);
    }
    if failed.is_empty() {
        return None;
    }
    for (sink, fault) in &failed {
        say::to_stderr(&format!("{}\n", fault.message(&format!("pc-store: {sink}"))));
    }
    let failed = failed.iter().map(|(sink, _)| sink.to_string()).collect();
    Some(Fault::incomplete(SomeFailed { sinks, failed }))
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
fn retain(ledger: &mut Ledger<'_>, args: &StoreArgs, stored: ReportName) -> Option<Pruned> {
    let now = ledger.now();
    let rules =
        Rules { keep: args.report_retention, gap: Gap::Hold, now, max_bytes: args.max_bytes };
    match prune::prune(ledger, rules, Some(stored)) {
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

fn say_done(document: &Document, done: &Done, print: Print) -> Result<Outcome, Fault> {
    if done.said.is_empty() || print == Print::None {
        return Ok(Outcome::Complete);
    }
    let place = done.said.concat();
    if done.stdout_is_taken && print == Print::Json {
        say::to_stderr(&place);
        return Ok(Outcome::Complete);
    }
    let look = report::table::Look::of_stdout(say::ROWS);
    let text = match print {
        Print::Json => {
            say::to_stderr(&place);
            return stage::cli::print(&document.bytes).map_err(|error| not_shown(done, error));
        }
        Print::Table => report::table::render(&document.report, &look),
        Print::Summary | Print::None => report::table::summary(&document.report, &look),
    };
    if done.stdout_is_taken {
        say::to_stderr(&format!("{text}\n{place}"));
        return Ok(Outcome::Complete);
    }
    stage::cli::print(format!("{text}\n{place}").as_bytes()).map_err(|error| not_shown(done, error))
}

/// The report is stored, and only what was to be said of it could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the report is stored as `{path}`, but it could not be shown")]
struct NotShown {
    path: String,
    source: EdgeError,
}

fn not_shown(done: &Done, source: EdgeError) -> Fault {
    match done.stored.clone() {
        Some((path, name)) => Fault::incomplete(NotShown { path, source })
            .with_hint(format!("`pc-store get {name}` prints it")),
        None => Fault::from(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sink_fails_as_itself_and_several_by_name() {
        let failed = || vec![(Sink::Pvc, Fault::incomplete("no room"))];
        assert!(fail(1, vec![]).is_none() && fail(2, vec![]).is_none());
        let message = |sinks| fail(sinks, failed()).expect("a fault").message("pc-store");
        assert_eq!(message(1), "pc-store: error: no room");
        assert_eq!(
            message(2),
            "pc-store: error: 1 of 2 sinks do not have the report as they should: pvc"
        );
    }
}
