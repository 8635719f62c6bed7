//! pc-helm: the Helm releases of a cluster, and where their charts come from.
//!
//! A source in the middle: it forwards its input and writes `release` records behind it, from the
//! Kubernetes API or from a dump that kubectl printed.
//!
//! - `object`, `choose`: which objects hold releases, and which of them are worth reading.
//! - `stored`, `decode`, `contents`, `images`: unpacking one; plain functions.
//! - `origin`: where charts come from.
//! - `live`, `dump`: the two ways to the objects; thin.
//! - `answer`, `failures`, `output`: what is said.

mod answer;
mod choose;
mod contents;
mod decode;
mod dump;
mod failures;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod images;
mod live;
mod object;
mod origin;
mod output;
mod settings;
mod stored;

use std::fs::File;
use std::io::{BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::Parser;
use cluster::{Cluster, ClusterArgs, DumpError, Namespaces};
use records::Shard;
use serde_json::{Map, Value};
use stage::{CommonArgs, Fault, Input, Made, Outcome, StreamArgs, TallyFacts};
use tokio::sync::mpsc;

use crate::dump::Dump;
use crate::live::Live;
use crate::object::Driver;
use crate::origin::Origins;
use crate::origin::ask::Origin;
use crate::origin::rules::Rules;
use crate::output::Output;
use crate::settings::Settings;

/// How many records wait for their turn.
const WAITING: usize = 16;

const EXAMPLES: &str = "\
Examples:
  pc-discover | pc-helm | pc-digest | pc-assemble
  pc-helm -n | jq 'select(.type == \"release\") | {namespace, releaseName, chart, version, status}'
  pc-helm -n --namespaces 'team-*' --helm-driver secret
  kubectl get secrets,configmaps -A -l owner=helm -o json | pc-helm --from -
  pc-helm -n --chart-origins origins.yaml | jq -r 'select(.origin.kind == \"unknown\").chart'

It asks to list secrets and configmaps by their metadata, and reads of each release the newest
revision, and the newest deployed one. What it may not read is in the stream as a failure.";

/// List the Helm releases of a cluster: chart, versions, status, images, and where the chart
/// comes from.
#[derive(Debug, Parser)]
#[command(about, after_help = EXAMPLES)]
pub struct Cli {
    /// Read no input: only releases, ended; on a terminal that goes without saying
    #[arg(short = 'n', long, env = "PROVENANCE_NO_INPUT", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    no_input: bool,
    /// Whether releases are looked for; where not, the input is only forwarded, and the tally
    /// says so
    #[arg(long, env = "PROVENANCE_HELM_ENABLED", value_name = "BOOL", value_parser = stage::cli::boolean(), default_value = "true", action = clap::ArgAction::Set)]
    helm_enabled: bool,
    /// Where Helm may keep releases (its HELM_DRIVER)
    #[arg(
        long,
        env = "PROVENANCE_HELM_DRIVER",
        value_name = "DRIVERS",
        value_enum,
        value_delimiter = ',',
        default_value = "secret,configmap"
    )]
    helm_driver: Vec<Driver>,
    /// Only releases in these namespaces: names, or patterns with `*`; names alone need no right
    /// to see the whole cluster
    #[arg(long, env = "PROVENANCE_NAMESPACES", value_name = "NAMES", value_delimiter = ',')]
    namespaces: Vec<String>,
    /// None in these namespaces: names, or patterns with `*`
    #[arg(
        long,
        env = "PROVENANCE_EXCLUDE_NAMESPACES",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    exclude_namespaces: Vec<String>,
    /// Read what `kubectl get secrets,configmaps,… -A -l owner=helm -o json` printed instead of
    /// asking a cluster; may be the dump that pc-discover reads; `-` is standard input, which is
    /// then no stream
    #[arg(long, env = "PROVENANCE_FROM", value_name = "FILE")]
    from: Option<PathBuf>,
    /// Only the releases of part I of N, counted from 1; in an Indexed Job
    /// `JOB_COMPLETION_INDEX/N`
    #[arg(long, env = "PROVENANCE_SHARD", value_name = "I/N", value_parser = stage::shard::parse)]
    shard: Option<Shard>,
    /// Whose objects are asked where charts come from
    #[arg(
        long,
        env = "PROVENANCE_HELM_ORIGINS",
        value_name = "WHOSE",
        value_enum,
        value_delimiter = ',',
        default_value = "auto"
    )]
    origins: Vec<Origin>,
    /// A file that says where charts come from, and goes before what objects say (docs/helm.md)
    #[arg(long, env = "PROVENANCE_CHART_ORIGINS", value_name = "FILE")]
    chart_origins: Option<PathBuf>,
    #[command(flatten)]
    cluster: ClusterArgs,
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
        let settings = self.settings()?;
        let input = self.input();
        let facts =
            TallyFacts { shard: self.shard, settings: self.shown(), ..TallyFacts::default() };
        let (emitter, progress) = (common.emitter(), common.progress());
        common.block_on(async move {
            let (sender, records) = mpsc::channel(WAITING);
            let cluster = self.begin(settings, sender).await?;
            let facts = move || {
                let api = cluster.map(|cluster| ("api".to_owned(), cluster.requests()));
                TallyFacts { requests: api.into_iter().collect(), ..facts }
            };
            let ran = stage::enrich::append(input, emitter, progress, records, facts).await;
            ran.map_err(Fault::from)
        })
    }
}

impl Cli {
    /// What was typed, understood.
    fn settings(&self) -> Result<Settings, Fault> {
        let alone = [(Origin::Auto, "auto"), (Origin::None, "none")];
        let more = self.origins.len() > 1;
        if let Some((_, word)) = alone.iter().find(|(one, _)| more && self.origins.contains(one)) {
            return Err(Fault::usage(format!("`{word}` stands alone in `--origins`"))
                .with_hint("name those that are to be asked, as in `--origins flux,k3s`"));
        }
        let namespaces =
            Namespaces::parse(&self.namespaces, &self.exclude_namespaces).map_err(Fault::usage)?;
        let mut drivers = self.helm_driver.clone();
        drivers.sort_unstable();
        drivers.dedup();
        Ok(Settings { drivers, namespaces, shard: self.shard, origins: self.origins.clone() })
    }

    /// What is forwarded.
    fn input(&self) -> Input {
        let taken = self.helm_enabled && self.from.as_deref() == Some(Path::new("-"));
        if self.no_input || taken || std::io::stdin().is_terminal() {
            return Input::Nothing;
        }
        Input::stdin(self.stream.max_line)
    }

    /// What bears on what the records say, for the tally.
    fn shown(&self) -> Map<String, Value> {
        let list = |names: &[String]| (!names.is_empty()).then(|| Value::from(names.to_vec()));
        let file = |file: &Option<PathBuf>| {
            file.as_ref().map(|file| Value::from(file.to_string_lossy().into_owned()))
        };
        let words = |words: Vec<&'static str>| Some(Value::from(words));
        let drivers = self.helm_driver.iter().map(|driver| driver.as_str()).collect();
        let origins = self.origins.iter().map(|origin| origin.as_str()).collect();
        let settings = [
            ("helmEnabled", Some(Value::Bool(self.helm_enabled))),
            ("helmDriver", words(drivers).filter(|_| self.helm_enabled)),
            ("namespaces", list(&self.namespaces)),
            ("excludeNamespaces", list(&self.exclude_namespaces)),
            ("from", file(&self.from)),
            ("origins", words(origins).filter(|_| self.helm_enabled)),
            ("chartOrigins", file(&self.chart_origins)),
        ];
        settings.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    /// Begins to look for releases, and gives the cluster that is asked, if one is.
    async fn begin(
        self,
        settings: Settings,
        records: mpsc::Sender<Made>,
    ) -> Result<Option<Cluster>, Fault> {
        if !self.helm_enabled {
            // There is room: nothing was sent before.
            let _ = records.try_send(Made::Whole);
            return Ok(None);
        }
        let rules = match &self.chart_origins {
            Some(file) => Rules::read(file).map_err(Fault::usage)?,
            None => Rules::default(),
        };
        let origins = Origins { rules, ..Origins::default() };
        let out = Output::new(records);
        if let Some(file) = self.from {
            let reader = BufReader::new(open(&file)?);
            let read = tokio::task::spawn_blocking(move || Dump::read(reader, settings));
            let dump = read.await.map_err(Fault::incomplete)?;
            let dump = dump.map_err(|error| unreadable(error, &file))?;
            tokio::spawn(dump.say(out, origins));
            return Ok(None);
        }
        let cluster = Cluster::connect(&self.cluster).await.map_err(|error| {
            let hint = error.hint();
            Fault::incomplete(error).with_hint(hint)
        })?;
        let asked = cluster.clone();
        tokio::spawn(async move {
            let live = Live { cluster: &asked, settings: &settings };
            // Where nobody listens any more, nothing is left to do.
            let _ = live.run(origins, out).await;
        });
        Ok(Some(cluster))
    }
}

fn unreadable(error: DumpError, file: &Path) -> Fault {
    let hint = match error {
        DumpError::Malformed(_) if file.as_os_str() == "-" => Some(
            "`--from -` takes standard input for a dump; in a pipeline, where it is the stream, give the dump as a file",
        ),
        DumpError::Empty | DumpError::NotJson | DumpError::Malformed(_) => {
            Some("write it by `kubectl get secrets,configmaps -A -l owner=helm -o json`")
        }
        _ => error.hint(),
    };
    Fault::incomplete(error).with_hint(hint)
}

fn open(file: &Path) -> Result<Box<dyn Read + Send>, Fault> {
    if file.as_os_str() != "-" {
        let opened = File::open(file).map_err(|source| {
            Fault::incomplete(OpenError { file: file.display().to_string(), source })
        })?;
        return Ok(Box::new(opened));
    }
    if std::io::stdin().is_terminal() {
        return Err(Fault::usage("nothing to read: standard input is a terminal")
            .with_hint("pipe `kubectl get secrets,configmaps -A -l owner=helm -o json` into it"));
    }
    Ok(Box::new(std::io::stdin()))
}

/// A dump's file that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("`{file}` cannot be opened")]
struct OpenError {
    file: String,
    source: std::io::Error,
}
