//! The command line: what is done, where, and by which settings.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use records::duration::Span;
use stage::cli::Common;
use stage::{CommonArgs, Fault, Outcome};

use crate::diff::{self, DiffArgs};
use crate::folder::{Folder, FolderError};
use crate::history::{self, Unfit, Wanted};
use crate::list::List;
use crate::prune::{self, Pruned, Rules};
use crate::retention::Gap;
use crate::sink::Sink;
use crate::{folder, say, store};

/// The largest report that is taken where nothing else is set: 256 MiB. A report of 20,000 rows
/// and 3,000 images is 33 MB.
const DEFAULT_MAX_BYTES: u64 = 256 * 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  pc-discover | pc-digest | pc-assemble | pc-store
  pc-assemble < stream.ndjson | pc-store --report-path ./reports --report-retention 30d
  pc-store list --report-path ./reports --format json | jq '.[0]'
  pc-store get latest | jq .summary
  pc-store diff
  pc-store diff previous latest --format markdown
  pc-store diff --post https://events.example.com/provenance --fail-on high
  pc-store prune --report-retention 24h --dry-run";

/// Keep reports: atomically, never overwriting, with retention; without a command, store the one
/// report on standard input
#[derive(Debug, Parser)]
#[command(about, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// After storing, print the report as this
    #[arg(long, env = "PROVENANCE_PRINT", value_enum, default_value = "table")]
    print: Print,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    common: CommonArgs,
}

/// Where the store is, and how it is kept.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Store")]
pub(crate) struct StoreArgs {
    /// Where reports are kept
    #[arg(
        long,
        env = "PROVENANCE_REPORT_OUTPUT",
        value_enum,
        default_value = "pvc",
        global = true
    )]
    pub(crate) report_output: Sink,
    /// The directory of the store; made when only its last component is missing
    #[arg(
        long,
        env = "PROVENANCE_REPORT_PATH",
        value_name = "DIR",
        default_value = "/reports",
        global = true
    )]
    pub(crate) report_path: PathBuf,
    /// How long reports are kept, counted from the newest: 168h, 7d, or -1 for ever
    #[arg(long, env = "PROVENANCE_REPORT_RETENTION", value_name = "DURATION", default_value = "168h", value_parser = records::duration::parse_span, allow_hyphen_values = true, global = true)]
    pub(crate) report_retention: Span,
    /// The largest report that is taken or read, in bytes
    #[arg(long, env = "PROVENANCE_REPORT_MAX_BYTES", value_name = "BYTES", default_value_t = DEFAULT_MAX_BYTES, global = true)]
    pub(crate) max_bytes: u64,
    /// How long to wait for another process that changes the store
    #[arg(long, env = "PROVENANCE_LOCK_TIMEOUT", value_name = "DURATION", default_value = "60s", value_parser = records::duration::parse, global = true)]
    pub(crate) lock_timeout: Duration,
}

/// What to do other than storing.
#[derive(Debug, Subcommand)]
enum Command {
    /// List the reports, newest first
    List {
        /// As this
        #[arg(long, env = "PROVENANCE_LIST_FORMAT", value_enum, default_value = "table")]
        format: Format,
    },
    /// Write a report to standard output, exactly the bytes that were stored
    Get {
        /// Which: a name from the list, or `latest`
        #[arg(value_name = "FILE", default_value = "latest")]
        wanted: Wanted,
    },
    /// Say what changed from one report to another
    Diff(Box<DiffArgs>),
    /// Remove the reports that are older than the retention
    Prune {
        /// Only say what would be removed
        #[arg(long, env = "PROVENANCE_PRUNE_DRY_RUN", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
        dry_run: bool,
        /// Also remove reports before a gap (over a month, and twice the retention), which a wrong clock can make
        #[arg(long, env = "PROVENANCE_PRUNE_PAST_GAP", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
        past_gap: bool,
    },
}

/// What is printed after storing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Print {
    /// At most 200 rows, the summary, and where the report lies
    Table,
    /// The summary, and where the report lies
    Summary,
    /// The report itself; where it lies goes to standard error
    Json,
    /// Nothing
    None,
}

/// How the list looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// One JSON array
    Json,
}

impl stage::Tool for Cli {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn run(self, common: &Common) -> Result<Outcome, Fault> {
        // More kinds of places make this a choice; a directory is the only one so far.
        let Sink::Pvc = self.store.report_output;
        match self.command {
            None => store::run(&self.store, self.print, common.clock.now()),
            Some(Command::List { format }) => run_list(&self.store, format, common.clock.now()),
            Some(Command::Get { wanted }) => run_get(&self.store, wanted),
            Some(Command::Diff(args)) => diff::run(&self.store, &args, common),
            Some(Command::Prune { dry_run, past_gap }) => {
                let rules = Rules {
                    keep: self.store.report_retention,
                    gap: if past_gap { Gap::Cross } else { Gap::Hold },
                    now: common.clock.now(),
                    max_bytes: self.store.max_bytes,
                };
                run_prune(&self.store, rules, dry_run)
            }
        }
    }
}

fn run_list(args: &StoreArgs, format: Format, now: Timestamp) -> Result<Outcome, Fault> {
    let folder = open(args)?;
    let entries = history::list(&folder, args.max_bytes).map_err(fault)?;
    say::warn_of_future(&entries, now);
    let latest = match history::read(&folder, Wanted::Latest, args.max_bytes) {
        Ok(stored) => Some(crate::document::digest(&stored.bytes)),
        Err(Unfit::Unreadable(FolderError::NoSuchFile { .. })) if entries.is_empty() => None,
        Err(error) => {
            tracing::warn!("the newest report is not known: {}", stage::exit::chain(&error));
            None
        }
    };
    let list = List { entries: &entries, latest: latest.as_ref(), now };
    let text = match format {
        Format::Table => list.table(),
        Format::Json => list.json().map_err(Fault::incomplete)?,
    };
    Ok(stage::cli::print(text.as_bytes())?)
}

fn run_get(args: &StoreArgs, wanted: Wanted) -> Result<Outcome, Fault> {
    let folder = open(args)?;
    match history::read(&folder, wanted, args.max_bytes) {
        Ok(stored) => Ok(stage::cli::print(&stored.bytes)?),
        // The inner error is the one that knows what would mend it.
        Err(Unfit::Unreadable(error)) => Err(fault(error)),
        Err(error) => Err(fault(error)),
    }
}

fn run_prune(args: &StoreArgs, rules: Rules, dry_run: bool) -> Result<Outcome, Fault> {
    let folder = open(args)?;
    let mut pruned = if dry_run {
        prune::preview(&folder, rules).map_err(fault)?
    } else {
        let lock = folder.lock(args.lock_timeout).map_err(fault)?;
        prune::prune(&folder, &lock, rules, None).map_err(fault)?
    };
    say::warn_of_pruning(&pruned, rules.now);
    let text = say::pruned(&pruned, rules.keep, dry_run);
    let outcome = stage::cli::print(text.as_bytes())?;
    match first_failure(&mut pruned) {
        Some(error) => Err(fault(error)),
        None => Ok(outcome),
    }
}

fn first_failure(pruned: &mut Pruned) -> Option<FolderError> {
    (!pruned.failed.is_empty()).then(|| pruned.failed.swap_remove(0))
}

fn open(args: &StoreArgs) -> Result<Folder, Fault> {
    Folder::open(&args.report_path).map_err(fault)
}

/// The fault that `error` is, with what would mend it.
pub(crate) fn fault(error: impl std::error::Error + Send + Sync + 'static) -> Fault {
    let hint = folder::hint(&error);
    Fault::incomplete(error).with_hint(hint)
}
