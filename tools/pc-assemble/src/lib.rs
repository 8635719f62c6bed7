//! pc-assemble: the whole stream into one report, or nothing.
//!
//! The sink of the stream. It reads everything, joins the facts by their subjects, keeps the books
//! (what the tallies say was written must be what arrived), and writes one report at the end. A
//! stream that is not whole makes no report, unless one is asked for that says so.
//!
//! - `intake`: lines of the stream to the crate `report`, which joins them.
//! - `previous`: the earlier report that the new one is compared with.
//! - `gate`: what `--fail-on` judges.
//!
//! Not here: the report itself, any judgement of evidence, any file but the earlier report and a
//! key, any network.

mod gate;
mod intake;
mod previous;

use std::io::{self, BufWriter, IsTerminal};

use attest::{SignArgs, SigningKey};
use clap::Parser;
use report::Report;
use report::export::{self, Format, Source};
use report::join::Run;
use report::table::Look;
use stage::{CommonArgs, EdgeError, Fault, Outcome, StreamArgs, Tool as _};

use gate::FailOn;
use previous::{Previous, PreviousArgs};

const EXAMPLES: &str = "\
Examples:
  pc-discover | pc-digest | pc-assemble > report.json
  pc-discover | pc-digest | pc-assemble --format table
  pc-assemble --format csv < stream.ndjson > report.csv
  pc-assemble --format vsa --sign-key cosign.key < stream.ndjson > vsa.jsonl
  pc-assemble < stream.ndjson | jq .summary
  cat part-*.ndjson | pc-assemble
  pc-assemble --previous yesterday.json < stream.ndjson | jq '.changes[].code'
  pc-assemble --fail-on unsigned,moved < stream.ndjson > report.json
  pc-assemble --allow-incomplete < cut.ndjson | jq .metadata.incompleteWhy";

/// Join the facts of a whole stream into one report.
///
/// Reads the stream from standard input. A stream that was cut, filtered or lacks a part makes no
/// report: every reason is printed, and nothing is written to standard output.
#[derive(Debug, Parser)]
#[command(about, after_help = EXAMPLES)]
pub struct Cli {
    /// How to write the report
    #[arg(long, env = "PROVENANCE_FORMAT", value_parser = stage::cli::one_of(Format::ALL, Format::as_str, Format::meaning), default_value = "json")]
    format: Format,
    /// Make a report of a stream that is not whole too; it says `complete: false`, and why
    #[arg(long, env = "PROVENANCE_ALLOW_INCOMPLETE", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    allow_incomplete: bool,
    /// The cluster's name in the report, instead of the one that pc-discover gave
    #[arg(long, env = "PROVENANCE_CLUSTER_NAME", value_name = "NAME")]
    cluster_name: Option<String>,
    /// How many rows a table shows at most, the gravest first
    #[arg(long, env = "PROVENANCE_ROWS", value_name = "N", default_value_t = 200)]
    rows: usize,
    /// Exit with 3, after writing the report, when this holds for anything that runs
    #[arg(long, env = "PROVENANCE_FAIL_ON", value_enum, value_delimiter = ',')]
    fail_on: Vec<FailOn>,
    #[command(flatten)]
    previous: PreviousArgs,
    #[command(flatten)]
    sign: SignArgs,
    #[command(flatten)]
    stream: StreamArgs,
    #[command(flatten)]
    common: CommonArgs,
}

impl stage::Tool for Cli {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn run(self, common: &stage::cli::Common) -> Result<Outcome, Fault> {
        let Self {
            format,
            allow_incomplete,
            cluster_name,
            rows,
            fail_on,
            previous,
            sign,
            stream,
            common: _,
        } = self;
        let stdin = io::stdin();
        if stdin.is_terminal() {
            return Err(no_stream());
        }
        let previous = Previous::open(&previous)?;
        let key = key(format, &sign)?;
        let intake = intake::read(stdin.lock(), stream.max_line, &common.progress())?;
        let mut report = intake.gathered.finish(Run {
            generated_at: common.clock.now_text(),
            collector_version: Self::VERSION.to_owned(),
            cluster_name,
            truncation: intake.truncation.map(|truncation| truncation.to_string()),
        });
        if !report.metadata.complete {
            if !allow_incomplete {
                return Err(not_whole(report));
            }
            for why in &report.metadata.incomplete_why {
                tracing::warn!("the report is not complete: {why}");
            }
        }
        previous.compare(&mut report)?;
        let outcome = write(format, &report, rows, key.as_ref())?;
        Ok(gate::missed(&fail_on, &report).map_or(outcome, Outcome::GateNotMet))
    }
}

fn no_stream() -> Fault {
    Fault::usage("nothing to read: standard input is a terminal").with_hint(
        "pipe a stream into it (`pc-discover | pc-digest | pc-assemble`), or a file (`pc-assemble < stream.ndjson`)",
    )
}

/// The stream is not whole, and no report was asked for that says so.
#[derive(Debug, thiserror::Error)]
#[error("the stream is not whole, so there is no report:\n  {}", .0.join("\n  "))]
struct NotWhole(Vec<String>);

fn not_whole(report: Report) -> Fault {
    Fault::incomplete(NotWhole(report.metadata.incomplete_why)).with_hint(
        "the stages before say on standard error what stopped them; --allow-incomplete makes a \
         report that says that it is not complete",
    )
}

/// The key that signs the statements of a format; `None` for a format that has none. The report
/// itself is signed by pc-store, so one setting serves both.
fn key(format: Format, sign: &SignArgs) -> Result<Option<SigningKey>, Fault> {
    if format.statements().is_none() {
        if sign.sign_key.is_some() && format != Format::Json {
            tracing::warn!("`{}` is not signed: it has no statements", format.as_str());
        }
        return Ok(None);
    }
    sign.key().map_err(|error| {
        let hint = error.hint();
        Fault::incomplete(error).with_hint(hint)
    })
}

fn write(
    format: Format,
    report: &Report,
    rows: usize,
    key: Option<&SigningKey>,
) -> Result<Outcome, Fault> {
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    let seal = |statement: Vec<u8>| match key {
        Some(key) => key.sign(&statement).to_json(),
        None => export::plain(statement),
    };
    let written = match format {
        // The report itself does not say which report it was made of.
        Format::Json => report.write_to(out).map(|()| Vec::new()),
        _ => Source::fresh(report, Cli::VERSION).and_then(|source| {
            export::write(format, report, &source, &Look::of_stdout(rows), &seal, &mut out)
        }),
    };
    match written {
        // Whoever read the report has left.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome::Complete),
        Err(error) => Err(EdgeError::Write(error).into()),
        Ok(notes) => {
            notes.iter().for_each(|note| tracing::warn!("{note}"));
            Ok(Outcome::Complete)
        }
    }
}
