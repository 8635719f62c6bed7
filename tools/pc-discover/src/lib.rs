//! pc-discover: what runs in a cluster, who answers for it, and on what it runs.
//!
//! A source: it writes `image` and `runtime` records, from the Kubernetes API or from a dump that
//! kubectl printed, and reads no stream.
//!
//! - `live`, `dump`: the two ways to the objects; thin.
//! - `pods`, `owners`, `nodes`, `constraints`: what objects say; plain functions.
//! - `gather`, `rows`, `idle`: summing up, and the order of the records.
//! - `selector`, `shard`: what is chosen.
//! - `failures`, `output`: what could not be found out, and writing.

mod constraints;
mod dump;
mod failures;
mod gather;
mod idle;
mod live;
mod nodes;
mod output;
mod owners;
mod pods;
mod rows;
mod selector;
mod settings;
mod shard;

use std::fs::File;
use std::io::{BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::Parser;
use cluster::{Cluster, ClusterArgs, ConfigError, DumpError, Namespaces};
use records::{Platform, Shard};
use serde_json::{Map, Value};
use stage::{CommonArgs, Fault, Outcome};
use stage::{EdgeError, terminated};

use crate::dump::Dump;
use crate::live::Live;
use crate::output::Output;
use crate::selector::Selector;
use crate::settings::{Idle, Settings};

const EXAMPLES: &str = "\
Examples:
  pc-discover | pc-digest | pc-assemble
  pc-discover --namespaces 'team-*,shop' --exclude-namespaces team-x
  pc-discover --context prod -l app.kubernetes.io/part-of=shop | jq -r 'select(.type == \"image\").image'
  kubectl get pods,replicasets,jobs,nodes -A -o json | pc-discover --from -
  pc-discover --shard 2/3

It asks to list pods, nodes and namespaces, and per namespace replicasets, jobs and
replicationcontrollers where pods have such owners. With --include-idle also deployments,
statefulsets, daemonsets and cronjobs. What it may not read is in the stream as a failure.";

/// Discover every image that runs in a cluster, with its owner, platform, pods and nodes.
#[derive(Debug, Parser)]
#[command(about, after_help = EXAMPLES)]
pub struct Cli {
    /// Only these namespaces: names, or patterns with `*`; names alone need no right to see the
    /// whole cluster
    #[arg(
        short = 'n',
        long,
        env = "PROVENANCE_NAMESPACES",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    namespaces: Vec<String>,
    /// None of these namespaces: names, or patterns with `*`
    #[arg(
        long,
        env = "PROVENANCE_EXCLUDE_NAMESPACES",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    exclude_namespaces: Vec<String>,
    /// Only pods with such labels, as `kubectl get -l` takes them
    #[arg(short = 'l', long, env = "PROVENANCE_SELECTOR", value_name = "SELECTOR")]
    selector: Option<Selector>,
    /// Also templates that run nothing now: scaled to zero, suspended, between two runs
    #[arg(long, env = "PROVENANCE_INCLUDE_IDLE", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    include_idle: bool,
    /// Read what `kubectl get pods,replicasets,jobs,nodes,… -A -o json` printed instead of asking
    /// a cluster; `-` is standard input
    #[arg(long, env = "PROVENANCE_FROM", value_name = "FILE")]
    from: Option<PathBuf>,
    /// Only the images of part I of N, counted from 1; in an Indexed Job `JOB_COMPLETION_INDEX/N`
    #[arg(long, env = "PROVENANCE_SHARD", value_name = "I/N", value_parser = stage::shard::parse)]
    shard: Option<Shard>,
    /// What the cluster is called in the report
    #[arg(long, env = "PROVENANCE_CLUSTER_NAME", value_name = "NAME")]
    cluster_name: Option<String>,
    /// The platform of nodes that may not be read or do not say theirs
    #[arg(long, env = "PROVENANCE_DEFAULT_PLATFORM", value_name = "OS/ARCH")]
    default_platform: Option<Platform>,
    #[command(flatten)]
    cluster: ClusterArgs,
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
        let out = Output::new(common.emitter(), common.progress());
        match &self.from {
            Some(file) => from_dump(file, &settings, out),
            None => common.block_on(from_cluster(&self.cluster, &settings, out)),
        }
    }
}

impl Cli {
    /// What was typed, understood.
    fn settings(&self) -> Result<Settings, Fault> {
        let namespaces =
            Namespaces::parse(&self.namespaces, &self.exclude_namespaces).map_err(Fault::usage)?;
        Ok(Settings {
            namespaces,
            selector: self.selector.clone(),
            idle: if self.include_idle { Idle::Included } else { Idle::LeftOut },
            shard: self.shard,
            default_platform: self.default_platform.as_ref().map(ToString::to_string),
            cluster_name: self.cluster_name.clone(),
            shown: self.shown(),
        })
    }

    /// What bears on what the records say, for the tally.
    fn shown(&self) -> Map<String, Value> {
        let list = |names: &[String]| (!names.is_empty()).then(|| Value::from(names.to_vec()));
        let text = |value: Option<String>| value.map(Value::from);
        let settings = [
            ("namespaces", list(&self.namespaces)),
            ("excludeNamespaces", list(&self.exclude_namespaces)),
            ("selector", text(self.selector.as_ref().map(ToString::to_string))),
            ("includeIdle", self.include_idle.then_some(Value::Bool(true))),
            ("from", text(self.from.as_ref().map(|file| file.to_string_lossy().into_owned()))),
            ("defaultPlatform", text(self.default_platform.as_ref().map(ToString::to_string))),
        ];
        settings.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// Reads a dump and writes what it holds.
fn from_dump(file: &Path, settings: &Settings, mut out: Output) -> Result<Outcome, Fault> {
    let dump = Dump::read(BufReader::new(open(file)?), settings).map_err(unreadable)?;
    dump.write(settings, &mut out)?;
    out.end(settings.facts())?;
    Ok(Outcome::Complete)
}

fn open(file: &Path) -> Result<Box<dyn Read>, Fault> {
    if file.as_os_str() != "-" {
        let opened = File::open(file).map_err(|source| {
            Fault::incomplete(OpenError { file: file.display().to_string(), source })
        })?;
        return Ok(Box::new(opened));
    }
    if std::io::stdin().is_terminal() {
        return Err(Fault::usage("nothing to read: standard input is a terminal")
            .with_hint("pipe `kubectl get pods,replicasets,jobs,nodes -A -o json` into it"));
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

fn unreadable(error: DumpError) -> Fault {
    let hint = error.hint();
    Fault::incomplete(error).with_hint(hint)
}

fn unconfigured(error: ConfigError) -> Fault {
    let hint = error.hint();
    Fault::incomplete(error).with_hint(hint)
}

/// Asks a cluster and writes what it answers, until all is written or SIGTERM comes.
async fn from_cluster(
    args: &ClusterArgs,
    settings: &Settings,
    mut out: Output,
) -> Result<Outcome, Fault> {
    let mut terminated = terminated()?;
    let asking = async {
        let cluster = Cluster::connect(args).await.map_err(unconfigured)?;
        discover(&cluster, settings, &mut out).await?;
        Ok::<_, Fault>(cluster)
    };
    let asked = tokio::select! {
        biased;
        () = terminated.recv() => Err(EdgeError::Terminated.into()),
        asked = asking => asked,
    };
    // What was found before an error is handed on; without an `end` nobody takes it for all.
    let cluster = match asked {
        Ok(cluster) => cluster,
        Err(fault) => {
            out.flush()?;
            return Err(fault);
        }
    };
    let mut facts = settings.facts();
    facts.requests.insert("api".to_owned(), cluster.requests());
    out.end(facts)?;
    Ok(Outcome::Complete)
}

async fn discover(cluster: &Cluster, settings: &Settings, out: &mut Output) -> Result<(), Fault> {
    Live::new(cluster, settings, out).discover().await
}
