//! The command line: what is done, where, and by which settings.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use attest::SignArgs;
use clap::{Args, Parser, Subcommand, ValueEnum};
use cluster::ClusterArgs;
use http_asking::Deadline;
use jiff::Timestamp;
use records::Digest;
use records::duration::Span;
use stage::cli::Common;
use stage::{CommonArgs, Fault, Outcome};

use crate::diff::{self, DiffArgs};
use crate::export::ExportArgs;
use crate::history::{self, Unfit, Wanted};
use crate::ledger::{Ledger, LedgerError};
use crate::list::List;
use crate::names::ReportName;
use crate::place::{self, Place};
use crate::prune::{self, Pruned, Rules};
use crate::remove::{self, Removed};
use crate::retention::Gap;
use crate::sink::{Access, Sink, Target};
use crate::verify::{self, Grade};
use crate::{export, latest, say, store};

/// The largest report that is taken where nothing else is set: 256 MiB. A report of 20,000 rows
/// and 3,000 images is 33 MB.
const DEFAULT_MAX_BYTES: u64 = 256 * 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  pc-discover | pc-digest | pc-assemble | pc-store
  pc-assemble < stream.ndjson | pc-store --report-path ./reports --report-retention 30d
  pc-assemble < stream.ndjson | pc-store --sign-key cosign.key
  pc-store list --report-path ./reports --format json | jq '.[0]'
  pc-store get latest | jq .summary
  pc-store export --format html > report.html
  pc-store verify
  pc-store verify --head \"$(cat head-of-last-week)\"
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
    sign: SignArgs,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    common: CommonArgs,
}

/// Where the store is, and how it is kept.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Store")]
pub(crate) struct StoreArgs {
    /// Where reports go: one or several, separated by commas; each is tried, and commands that
    /// read use the first that keeps history
    #[arg(
        long,
        env = "PROVENANCE_REPORT_OUTPUT",
        value_enum,
        value_delimiter = ',',
        default_value = "pvc",
        global = true
    )]
    pub(crate) report_output: Vec<Sink>,
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
    #[command(flatten)]
    pub(crate) config_map: ConfigMapArgs,
    #[command(flatten)]
    pub(crate) upload: UploadArgs,
}

/// The settings of sending a report by HTTP.
#[derive(Clone, Args)]
#[command(next_help_heading = "Sending by HTTP")]
pub(crate) struct UploadArgs {
    /// Where reports are sent; plain http is spoken where the URL says so
    #[arg(long, env = "PROVENANCE_REPORT_UPLOAD_URL", value_name = "URL", global = true)]
    pub(crate) report_upload_url: Option<String>,
    /// How long sending one report may take at a try
    #[arg(long, env = "PROVENANCE_REPORT_UPLOAD_TIMEOUT", value_name = "DURATION", default_value = "30s", value_parser = records::duration::parse, global = true)]
    pub(crate) report_upload_timeout: Duration,
    /// A bearer token; best given by the variable, since others can see a command line
    #[arg(
        long,
        env = "PROVENANCE_REPORT_UPLOAD_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true,
        global = true
    )]
    pub(crate) report_upload_token: Option<String>,
    /// A file with the bearer token, read anew for each try
    #[arg(
        long,
        env = "PROVENANCE_REPORT_UPLOAD_TOKEN_FILE",
        value_name = "FILE",
        conflicts_with = "report_upload_token",
        global = true
    )]
    pub(crate) report_upload_token_file: Option<PathBuf>,
    /// Keep reports in this directory until they are taken; the next run sends what is there
    #[arg(long, env = "PROVENANCE_REPORT_SPOOL", value_name = "DIR", global = true)]
    pub(crate) spool: Option<PathBuf>,
    /// Without a spool: how long sending is tried again, or until when (RFC 3339)
    #[arg(
        long,
        env = "PROVENANCE_DEADLINE",
        value_name = "TIME",
        default_value = "10m",
        global = true
    )]
    pub(crate) deadline: Deadline,
    /// PEM file with certificates of authorities to trust beside the machine's own (repeatable, or
    /// separated by commas)
    #[arg(
        long,
        env = "PROVENANCE_CA_FILE",
        value_name = "FILE",
        value_delimiter = ',',
        global = true
    )]
    pub(crate) ca_file: Vec<OsString>,
}

/// Says nothing of the token.
impl fmt::Debug for UploadArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadArgs").field("url", &self.report_upload_url).finish_non_exhaustive()
    }
}

/// The settings of a store in ConfigMaps.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Store in ConfigMaps")]
pub(crate) struct ConfigMapArgs {
    /// The ConfigMap with the newest report; the names of the others begin with it
    #[arg(
        long,
        env = "PROVENANCE_REPORT_CONFIGMAP",
        value_name = "NAME",
        default_value = "provenance-report",
        global = true
    )]
    pub(crate) report_configmap: String,
    /// Its namespace
    #[arg(
        long,
        env = "PROVENANCE_REPORT_CONFIGMAP_NAMESPACE",
        value_name = "NAMESPACE",
        default_value = "default",
        global = true
    )]
    pub(crate) report_configmap_namespace: String,
    /// How many ConfigMaps reports may take beside it, `NAME-000` and on, each of at most 1 MB;
    /// where they do not suffice the oldest reports are removed before their time
    #[arg(
        long,
        env = "PROVENANCE_REPORT_CONFIGMAP_SLOTS",
        value_name = "N",
        default_value_t = 64,
        value_parser = clap::value_parser!(u16).range(2..=1000),
        global = true
    )]
    pub(crate) report_configmap_slots: u16,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
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
    /// Write a report in another format to standard output
    Export(ExportArgs),
    /// Prove that the store is as it was written: no report changed or missing, no entry of the log
    /// altered, removed or moved; exit 3 when it is not, 1 when that could not be checked
    Verify {
        /// The head of the log as an earlier run said it: its entry must still be there
        #[arg(long, env = "PROVENANCE_VERIFY_HEAD", value_name = "HASH", value_parser = head)]
        head: Option<Digest>,
        /// As this
        #[arg(long, env = "PROVENANCE_VERIFY_FORMAT", value_enum, default_value = "table")]
        format: Format,
    },
    /// Remove single reports by name, with an entry in the log; of one that is gone already, write
    /// into the log that this is known
    Remove {
        /// Which: names from the list
        #[arg(value_name = "FILE")]
        reports: Vec<ReportName>,
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

/// How a list or a proof looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// For programs
    Json,
}

impl stage::Tool for Cli {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn run(self, common: &Common) -> Result<Outcome, Fault> {
        match self.command {
            None => store::run(&self.store, &self.sign, self.print, common.clock.now()),
            Some(Command::List { format }) => run_list(&self.store, format, common.clock.now()),
            Some(Command::Get { wanted }) => run_get(&self.store, wanted),
            Some(Command::Export(args)) => {
                let place = open(&self.store, Access::Read)?;
                export::run(&args, &*place, self.store.max_bytes)
            }
            Some(Command::Verify { head, format }) => {
                run_verify(&self.store, head.as_ref(), format)
            }
            Some(Command::Remove { reports }) => {
                run_remove(&self.store, &reports, common.clock.now())
            }
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
    let place = &*open(args, Access::Read)?;
    let entries = history::list(place, args.max_bytes).map_err(fault)?;
    say::warn_of_future(&entries, now);
    let latest = match history::read(place, Wanted::Latest, args.max_bytes) {
        Ok(stored) => Some(crate::document::digest(&stored.bytes)),
        Err(Unfit::Unreadable(error)) if error.is_missing() && entries.is_empty() => None,
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
    let place = &*open(args, Access::Read)?;
    match history::read(place, wanted, args.max_bytes) {
        Ok(stored) => Ok(stage::cli::print(&stored.bytes)?),
        // The inner error is the one that knows what would mend it.
        Err(Unfit::Unreadable(error)) => Err(fault(error)),
        Err(error) => Err(fault(error)),
    }
}

fn run_prune(args: &StoreArgs, rules: Rules, dry_run: bool) -> Result<Outcome, Fault> {
    let place = &*open(args, Access::Read)?;
    let mut pruned = if dry_run {
        prune::preview(place, rules).map_err(fault)?
    } else {
        let guard = place.lock(args.lock_timeout).map_err(fault)?;
        let ledger = Ledger::open(place, &guard, rules.now, rules.max_bytes);
        let mut ledger = ledger.map_err(fault)?;
        if let Err(error) = latest::mend(&ledger) {
            tracing::warn!("the newest report is not known: {}", stage::exit::chain(&error));
        }
        prune::prune(&mut ledger, rules, None).map_err(fault)?
    };
    say::warn_of_pruning(&pruned, rules.now);
    let text = say::pruned(&pruned, rules.keep, dry_run);
    let outcome = stage::cli::print(text.as_bytes())?;
    match first_failure(&mut pruned) {
        Some(error) => Err(fault(error)),
        None => Ok(outcome),
    }
}

fn run_verify(args: &StoreArgs, head: Option<&Digest>, format: Format) -> Result<Outcome, Fault> {
    let place = &*open(args, Access::Read)?;
    let proof = verify::verify(place, head, args.max_bytes).map_err(fault)?;
    let text = match format {
        Format::Table => say::proof::text(place, &proof),
        Format::Json => say::proof::json(&proof).map_err(Fault::incomplete)?,
    };
    let outcome = stage::cli::print(text.as_bytes())?;
    let (broken, unchecked) = (proof.count(Grade::Broken), proof.count(Grade::Unchecked));
    if unchecked > 0 {
        let why =
            format!("not all could be checked: {unchecked} left open, {broken} not as written");
        return Err(Fault::incomplete(why));
    }
    if broken > 0 {
        let why = format!("the store is not as it was written: {broken} found");
        return Ok(Outcome::GateNotMet(why));
    }
    Ok(outcome)
}

fn run_remove(args: &StoreArgs, reports: &[ReportName], now: Timestamp) -> Result<Outcome, Fault> {
    if reports.is_empty() {
        return Err(
            Fault::usage("no report is named").with_hint("`pc-store list` says what there is")
        );
    }
    let place = &*open(args, Access::Read)?;
    let guard = place.lock(args.lock_timeout).map_err(fault)?;
    let mut ledger = Ledger::open(place, &guard, now, args.max_bytes).map_err(fault)?;
    let mut text = String::new();
    for name in reports {
        let removed = remove::remove(&mut ledger, *name).map_err(|error| {
            let hint = error.hint();
            Fault::incomplete(error).with_hint(hint)
        })?;
        text.push_str(&match removed {
            Removed::Removed => format!("removed {name}\n"),
            Removed::Lost => format!("{name} is lost, and the log says so\n"),
        });
    }
    Ok(stage::cli::print(text.as_bytes())?)
}

/// A hash, with or without `sha256:` in front.
fn head(text: &str) -> Result<Digest, records::DigestError> {
    if text.contains(':') { text.parse() } else { format!("sha256:{text}").parse() }
}

fn first_failure(pruned: &mut Pruned) -> Option<LedgerError> {
    (!pruned.failed.is_empty()).then(|| pruned.failed.swap_remove(0))
}

/// The store that is read, or changed by hand: the first sink that is one.
pub(crate) fn open(args: &StoreArgs, access: Access) -> Result<Box<dyn Place>, Fault> {
    for sink in args.sinks() {
        if let Target::Store(place) = sink.open(args, access)? {
            return Ok(place);
        }
    }
    Err(Fault::usage("none of `--report-output` keeps reports, so there is nothing to read"))
}

impl StoreArgs {
    /// The sinks, each once, in the order given.
    pub(crate) fn sinks(&self) -> Vec<Sink> {
        let mut sinks = Vec::new();
        for sink in &self.report_output {
            if !sinks.contains(sink) {
                sinks.push(*sink);
            }
        }
        sinks
    }
}

/// The fault that `error` is, with what would mend it.
pub(crate) fn fault(error: impl std::error::Error + Send + Sync + 'static) -> Fault {
    let hint = place::hint(&error);
    Fault::incomplete(error).with_hint(hint)
}
