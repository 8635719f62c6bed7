//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};
use records::Platform;
use registry::RegistryArgs;
use stage::{CommonArgs, StreamArgs};

use crate::charts::{Cache, CacheError, Hub};
use crate::gate::FailOn;
use crate::rule::{Defaults, FileError, Level, PreReleases, Rules};

const EXAMPLES: &str = "\
Examples:
  pc-discover | pc-digest | pc-updates | pc-assemble
  pc-updates nginx:1.27-alpine
  pc-updates --level minor --format json quay.io/prometheus/prometheus:v2.53.0 | jq 'select(.type == \"update\")'
  pc-discover | pc-helm | pc-digest | pc-updates --rules updates.yaml --fail-on available > /dev/null";

/// Look for newer versions: of images by the tags of their repositories, of Helm releases by their charts.
#[derive(Debug, Parser)]
#[command(about, after_help = EXAMPLES)]
pub struct Cli {
    /// Image references to look at instead of reading a stream
    #[arg(value_name = "IMAGE")]
    pub(crate) images: Vec<String>,
    /// Read no input: an empty stream, ended
    #[arg(short = 'n', long, conflicts_with = "images", env = "PROVENANCE_NO_INPUT", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    pub(crate) no_input: bool,
    /// For references given as arguments: these platforms instead of every one in the index
    #[arg(long, env = "PROVENANCE_PLATFORM", value_name = "OS/ARCH", value_delimiter = ',')]
    pub(crate) platform: Vec<Platform>,
    /// Look for newer versions at all; when off, the stream goes through and nothing is asked
    #[arg(long, env = "PROVENANCE_CHECK_UPDATES", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "true", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    pub(crate) check_updates: bool,
    #[command(flatten)]
    pub(crate) wanted: RuleArgs,
    #[command(flatten)]
    pub(crate) charts: ChartArgs,
    /// Exit with 3 when this holds for any image or release
    #[arg(long, env = "PROVENANCE_UPDATES_FAIL_ON", value_enum, value_delimiter = ',')]
    pub(crate) fail_on: Vec<FailOn>,
    /// How to write: records as JSON lines, or a table for people [default: the table for images
    /// given as arguments when standard output is a terminal]
    #[arg(long, env = "PROVENANCE_UPDATES_FORMAT", value_enum)]
    pub(crate) format: Option<Format>,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) stream: StreamArgs,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// What counts as an update.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rules")]
pub(crate) struct RuleArgs {
    /// The smallest step that counts: patch flags all, minor ignores patches, major only majors
    #[arg(long, env = "PROVENANCE_UPDATE_LEVEL", value_enum, default_value = "patch")]
    pub(crate) level: Level,
    /// Leave pre-releases out, unless one is used and these are of the same version
    #[arg(long, env = "PROVENANCE_SKIP_PRERELEASE", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "true", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    pub(crate) skip_prerelease: bool,
    /// Rules for single images and releases; docs/updates.md tells of them
    #[arg(long, value_name = "FILE", env = "PROVENANCE_UPDATE_RULES")]
    pub(crate) rules: Option<PathBuf>,
    /// Let the pods' annotation `provenance.nebari.dev/update` set the rule for their images;
    /// tenants write those
    #[arg(long, env = "PROVENANCE_UPDATE_ANNOTATIONS", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    pub(crate) annotations: bool,
}

/// How charts are looked for.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Charts")]
pub(crate) struct ChartArgs {
    /// Keep what was read of the indexes of chart repositories in this folder, and fetch them again
    /// only when they have changed (by their ETag)
    #[arg(long, value_name = "DIR", env = "PROVENANCE_CHART_CACHE")]
    pub(crate) chart_cache: Option<PathBuf>,
    /// Guess where a chart may be from that nobody knows, by its name on Artifact Hub; the guess is
    /// shown as one and changes no status. A URL names an instance of one's own
    #[arg(long, value_name = "URL", env = "PROVENANCE_ARTIFACT_HUB", num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, value_parser = hub)]
    pub(crate) artifact_hub: HubArg,
}

/// A catalogue, or none.
#[derive(Debug, Clone)]
pub(crate) struct HubArg(pub(crate) Option<Hub>);

/// A switch, or the address of an instance.
fn hub(text: &str) -> Result<HubArg, String> {
    match text {
        "" | "false" | "0" | "no" | "off" => Ok(HubArg(None)),
        "true" | "1" | "yes" | "on" => Ok(HubArg(Some(Hub::public()))),
        url => Hub::at(url).map(|hub| HubArg(Some(hub))).map_err(|error| error.to_string()),
    }
}

impl ChartArgs {
    /// The folder of indexes, if one is given.
    pub(crate) fn cache(&self) -> Result<Option<Cache>, CacheError> {
        let path = self.chart_cache.as_deref().filter(|path| !path.as_os_str().is_empty());
        path.map(Cache::open).transpose()
    }
}

impl RuleArgs {
    /// What holds where no rule says otherwise.
    pub(crate) fn defaults(&self) -> Defaults {
        let pre_releases = match self.skip_prerelease {
            true => PreReleases::Skip,
            false => PreReleases::Allow,
        };
        Defaults { level: self.level, pre_releases }
    }

    /// The rules of the file, if there is one.
    pub(crate) fn rules(&self) -> Result<Rules, FileError> {
        match self.rules.as_deref().filter(|path| !path.as_os_str().is_empty()) {
            Some(path) => Rules::read(path, self.defaults()),
            None => Ok(Rules::none(self.defaults())),
        }
    }
}

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Records, one a line.
    Json,
    /// For people.
    Table,
}
