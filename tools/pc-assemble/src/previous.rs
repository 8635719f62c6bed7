//! `--previous`: the report that a new one is compared with.
//!
//! The file is opened before anything else, so that what is compared is what was there when the
//! run began, and a wrong path shows at once. It is read when the stream has ended.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use records::Digest;
use records::text::shown;
use report::difference::{Compared, changes, seen};
use report::{ReadError, Report};
use sha2::{Digest as _, Sha256};
use stage::Fault;
use stage::exit::chain;

/// The largest earlier report that is read: 256 MiB, as pc-store takes them by itself.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// The flags of a comparison.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Comparison")]
pub(crate) struct PreviousArgs {
    /// An earlier report to compare with: a file, as `provenance-latest.json` in the store's
    /// directory; the report then has `changes`
    #[arg(long, env = "PROVENANCE_PREVIOUS", value_name = "FILE")]
    previous: Option<PathBuf>,
    /// An earlier report that is not there yet, or cannot be read, is no fault: the report says
    /// that it was compared with none, and why
    #[arg(long, env = "PROVENANCE_PREVIOUS_OPTIONAL", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    previous_optional: bool,
}

/// The earlier report, before it is read.
pub(crate) struct Previous {
    opened: Opened,
    optional: bool,
}

enum Opened {
    /// None was given.
    NotAsked,
    /// There is none yet.
    Missing,
    /// It cannot be opened, for this reason.
    Unreadable(String),
    /// It is here.
    File(PathBuf, File),
}

/// Why the earlier report cannot be used.
#[derive(Debug, thiserror::Error)]
enum PreviousError {
    #[error("cannot open the earlier report `{path}` (`--previous`)")]
    Open { path: String, source: io::Error },
    #[error("cannot read the earlier report `{path}` (`--previous`)")]
    Read { path: String, source: io::Error },
    #[error("the earlier report `{path}` (`--previous`) is larger than {MAX_BYTES} bytes")]
    TooLarge { path: String },
    #[error("`{path}` (`--previous`) is no report to compare with")]
    NotAReport { path: String, source: ReadError },
}

fn name(path: &Path) -> String {
    shown(&path.to_string_lossy())
}

impl Previous {
    /// Opens the file that was named.
    ///
    /// # Errors
    /// When it cannot be opened, and has to be.
    pub(crate) fn open(args: &PreviousArgs) -> Result<Self, Fault> {
        let optional = args.previous_optional;
        let Some(path) = &args.previous else {
            return Ok(Self { opened: Opened::NotAsked, optional });
        };
        if path.as_os_str() == "-" {
            let why = "`--previous -`: standard input is the stream, and no earlier report";
            return Err(Fault::usage(why).with_hint(
                "name a file; in bash `--previous <(pc-store get latest)` does without one",
            ));
        }
        let opened = match File::open(path) {
            Ok(file) => Opened::File(path.clone(), file),
            Err(error) if optional && error.kind() == io::ErrorKind::NotFound => Opened::Missing,
            Err(source) => {
                let error = PreviousError::Open { path: name(path), source };
                if !optional {
                    return Err(Fault::incomplete(error).with_hint(
                        "--previous-optional makes do without; the first report has no earlier one",
                    ));
                }
                Opened::Unreadable(chain(&error))
            }
        };
        Ok(Self { opened, optional })
    }

    /// Compares a new report with the earlier one, and writes into it what came of that.
    ///
    /// # Errors
    /// When the earlier report cannot be read, and has to be.
    pub(crate) fn compare(self, report: &mut Report) -> Result<(), Fault> {
        let why = match self.opened {
            Opened::NotAsked => return Ok(()),
            Opened::Missing => {
                seen::carry(None, report);
                "first: there is no earlier report".to_owned()
            }
            Opened::Unreadable(why) => unreadable(&why),
            Opened::File(path, file) => match read(&path, file) {
                Ok((older, digest)) => match with(&older, digest, report) {
                    Ok(()) => return Ok(()),
                    Err(why) => why,
                },
                Err(error) if self.optional => unreadable(&chain(&error)),
                Err(error) => {
                    return Err(Fault::incomplete(error).with_hint(
                        "give a report as pc-assemble writes it; --previous-optional makes do without",
                    ));
                }
            },
        };
        report.metadata.not_compared = Some(why);
        Ok(())
    }
}

/// The new report is worth more than the comparison, and says that there is none.
fn unreadable(why: &str) -> String {
    tracing::warn!("the report is compared with none: {why}");
    format!("unreadable: {why}")
}

fn read(path: &Path, file: File) -> Result<(Report, Digest), PreviousError> {
    let mut bytes = Vec::new();
    let taken = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    let length = taken.map_err(|source| PreviousError::Read { path: name(path), source })?;
    if length as u64 > MAX_BYTES {
        return Err(PreviousError::TooLarge { path: name(path) });
    }
    let (_, report) = Report::read(&bytes)
        .map_err(|source| PreviousError::NotAReport { path: name(path), source })?;
    let digest = format!("sha256:{}", hex::encode(Sha256::digest(&bytes)));
    let digest =
        digest.parse().expect("`sha256:` and 64 lower-case hexadecimal digits are a digest");
    Ok((report, digest))
}

/// Compares the two, or says why they are not to be compared.
fn with(older: &Report, digest: Digest, report: &mut Report) -> Result<(), String> {
    let names = (&older.metadata.cluster_name, &report.metadata.cluster_name);
    if let (Some(a), Some(b)) = names
        && a != b
    {
        let why = format!("the earlier report is of `{}`, this one of `{}`", shown(a), shown(b));
        tracing::warn!("the report is compared with none: {why}");
        return Err(format!("other-cluster: {why}"));
    }
    let time = |report: &Report| report.metadata.generated_at.parse::<jiff::Timestamp>().ok();
    if time(older) > time(report) {
        tracing::warn!(
            "the earlier report is of {}, later than this one: the clock went backwards, or it is not the earlier one",
            shown(&older.metadata.generated_at)
        );
    }
    report.changes = Some(changes(older, report));
    report.metadata.previous = Some(Compared::of(older, Some(digest)));
    report.metadata.not_compared = None;
    seen::carry(Some(older), report);
    Ok(())
}
