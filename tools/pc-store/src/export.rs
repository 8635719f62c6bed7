//! A report of the store in another format.

use std::io::{self, BufWriter};

use attest::{SignArgs, SigningKey};
use clap::Args;
use report::Report;
use report::export::{self, Format, Source};
use report::table::Look;
use stage::{EdgeError, Fault, Outcome};

use crate::cli::fault;
use crate::history::{self, Stored, Unfit, Wanted};
use crate::names::ReportName;
use crate::place::Place;

/// What is exported, and as what.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Which: a name from the list, or `latest`
    #[arg(value_name = "REPORT", default_value = "latest")]
    wanted: Wanted,
    /// The format
    #[arg(long, env = "PROVENANCE_EXPORT_FORMAT", value_parser = stage::cli::one_of(Format::ALL, Format::as_str, Format::meaning), default_value = "html")]
    format: Format,
    /// How many rows a table shows at most, the gravest first
    #[arg(long, env = "PROVENANCE_ROWS", value_name = "N", default_value_t = 200)]
    rows: usize,
    #[command(flatten)]
    sign: SignArgs,
}

/// The stored bytes could be told to be a report, but not be read as one.
#[derive(Debug, thiserror::Error)]
#[error("the report in the store cannot be exported")]
struct Unread(#[source] report::ReadError);

/// Writes a report of the store.
pub(crate) fn run(args: &ExportArgs, place: &dyn Place, max: u64) -> Result<Outcome, Fault> {
    let key = key(args)?;
    let stored = history::read(place, args.wanted, max).map_err(|error| match error {
        // The inner error is the one that knows what would mend it.
        Unfit::Unreadable(error) => fault(error),
        error => fault(error),
    })?;
    let name = name(args.wanted, place, &stored, max);
    write(args, name, &stored.bytes, key.as_ref())
}

/// The name of a report. The newest lies under two: its own is the one with the same bytes.
fn name(wanted: Wanted, place: &dyn Place, stored: &Stored, max: u64) -> Option<ReportName> {
    let own = |name: &ReportName| {
        name.fits(stored.head.generated_at)
            && history::read(place, Wanted::Named(*name), max)
                .is_ok_and(|other| other.bytes == stored.bytes)
    };
    match wanted {
        Wanted::Named(name) => Some(name),
        Wanted::Latest => history::names(place).ok()?.into_iter().find(own),
    }
}

fn write(
    args: &ExportArgs,
    name: Option<ReportName>,
    bytes: &[u8],
    key: Option<&SigningKey>,
) -> Result<Outcome, Fault> {
    let (_, report) = Report::read(bytes).map_err(|source| Fault::incomplete(Unread(source)))?;
    let name = name.map(|name| name.to_string());
    let source = Source::kept(name.as_deref(), bytes, env!("CARGO_PKG_VERSION"));
    let seal = |statement: Vec<u8>| match key {
        Some(key) => key.sign(&statement).to_json(),
        None => export::plain(statement),
    };
    let look = Look::of_stdout(args.rows);
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    match export::write(args.format, &report, &source, &look, &seal, &mut out) {
        // Whoever read it has left.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome::Complete),
        Err(error) => Err(EdgeError::Write(error).into()),
        Ok(notes) => {
            notes.iter().for_each(|note| tracing::warn!("{note}"));
            Ok(Outcome::Complete)
        }
    }
}

/// The key that signs the statements of a format; `None` for a format that has none.
fn key(args: &ExportArgs) -> Result<Option<SigningKey>, Fault> {
    if args.format.statements().is_none() {
        return Ok(None);
    }
    args.sign.key().map_err(|error| {
        let hint = error.hint();
        Fault::incomplete(error).with_hint(hint)
    })
}
