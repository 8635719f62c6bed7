//! pc-digest: what an image reference is, what runs, and what its tag means now.
//!
//! Reads `image` records, or takes references as arguments, and adds one `digest` record per
//! (image, imageId, platform). Everything else is forwarded.
//!
//! - `question`: which records raise a question.
//! - `resolve`: asks, in the order that needs the fewest requests.
//! - `decide`: what follows from the answers; plain functions.
//! - `given`: references from the command line as `image` records.
//! - `secrets`: the pods' pull secrets, where they are to be used.
//! - `gate`: what `--fail-on` judges.
//! - `alone`: the same for another tool that takes references as arguments.

mod alone;
mod decide;
mod gate;
mod given;
mod question;
mod resolve;
mod secrets;

use std::io::IsTerminal;
use std::sync::Arc;

use clap::Parser;
use cluster::{Cluster, ClusterArgs};
use http_asking::RequestCounts;
use records::wire::WireError;
use records::{Image, Platform};
use registry::{Registry, RegistryArgs};
use serde_json::{Map, Value, json};
use stage::{
    Answers, CommonArgs, Emitter, Fault, Gate, Input, Mine, Outcome, Steps, StreamArgs, TallyFacts,
};

pub use crate::alone::resolved;
use crate::gate::FailOn;
use crate::question::{Question, UseSecrets};
use crate::secrets::Secrets;

const EXAMPLES: &str = "\
Examples:
  pc-discover | pc-digest | pc-assemble
  pc-digest nginx:1.27 | jq 'select(.type == \"digest\") | {platform, manifest}'
  pc-digest --platform linux/arm64 ghcr.io/acme/web:1.4
  pc-discover | pc-digest --fail-on moved,missing > /dev/null
  pc-digest --layout ./layouts registry.example.com/shop/web:1.4";

/// Resolve image references: the digest that runs, what the tag means now, index and platforms.
#[derive(Debug, Parser)]
#[command(about, after_help = EXAMPLES)]
pub struct Cli {
    /// Image references to resolve instead of reading a stream
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    /// Read no input: an empty stream, ended
    #[arg(short = 'n', long, conflicts_with = "images", env = "PROVENANCE_NO_INPUT", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    no_input: bool,
    /// For references given as arguments: these platforms instead of every one in the index
    #[arg(long, env = "PROVENANCE_PLATFORM", value_name = "OS/ARCH", value_delimiter = ',')]
    platform: Vec<Platform>,
    /// Exit with 3 when this holds for any image
    #[arg(long, env = "PROVENANCE_DIGEST_FAIL_ON", value_enum, value_delimiter = ',')]
    fail_on: Vec<FailOn>,
    /// Use the pods' own pull secrets for their images, where the collector alone is not let in:
    /// reads the Secrets that pods name (right `get` on `secrets`)
    #[arg(long, env = "PROVENANCE_PULL_SECRETS", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    pull_secrets: bool,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    registry: RegistryArgs,
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
            images,
            no_input,
            platform,
            fail_on,
            pull_secrets,
            cluster,
            registry,
            stream,
            common: _,
        } = self;
        let references = given::parse(&images)?;
        let source = match (references.is_empty(), no_input) {
            (false, _) => Source::Given(references, platform),
            (true, true) => Source::Nothing,
            (true, false) if std::io::stdin().is_terminal() => return Err(no_source()),
            (true, false) => Source::Stream(stream),
        };
        let (emitter, progress) = (common.emitter(), common.progress());
        let settings = settings(&registry, &fail_on, pull_secrets);
        common.block_on(async move {
            let registry = Registry::new(registry).map_err(Fault::usage)?;
            let settings = with_mirrors(settings, &registry);
            let secrets = if pull_secrets { Some(connect(&cluster).await?) } else { None };
            let asked = Asked { registry, secrets };
            digest(source, asked, fail_on, settings, emitter, progress).await
        })
    }
}

/// What bears on what the records say, for the tally.
fn settings(registry: &RegistryArgs, fail_on: &[FailOn], pull_secrets: bool) -> Map<String, Value> {
    let mut settings = Map::new();
    if let Some(layout) = &registry.layout {
        settings.insert("layout".into(), layout.to_string_lossy().into());
    }
    if !fail_on.is_empty() {
        let words: Vec<&str> = fail_on.iter().map(|word| word.as_str()).collect();
        settings.insert("failOn".into(), words.into());
    }
    if pull_secrets {
        settings.insert("pullSecrets".into(), true.into());
    }
    settings
}

/// Whose word a record may be, other than its registry's.
fn with_mirrors(mut settings: Map<String, Value>, registry: &Registry) -> Map<String, Value> {
    let mirrors: Map<String, Value> = registry
        .mirrored()
        .map(|(host, set)| {
            let mirrors: Vec<String> = set.mirrors.iter().map(ToString::to_string).collect();
            let set = json!({"mirrors": mirrors, "upstream": set.upstream.as_str()});
            (host.to_string(), set)
        })
        .collect();
    if !mirrors.is_empty() {
        settings.insert("mirrors".into(), mirrors.into());
    }
    settings
}

fn no_source() -> Fault {
    Fault::usage("nothing to read: standard input is a terminal")
        .with_hint("give an image (`pc-digest nginx:1.27`), or pipe a stream into it (`pc-discover | pc-digest`)")
}

/// Where the images come from.
enum Source {
    Given(Vec<given::Given>, Vec<Platform>),
    Stream(StreamArgs),
    Nothing,
}

/// Who is asked.
#[derive(Clone)]
struct Asked {
    registry: Registry,
    /// The cluster with the pods' pull secrets, where these are used.
    secrets: Option<Secrets>,
}

impl Asked {
    /// The registries, on behalf of the pods of a question.
    async fn on_behalf(&self, question: &Question) -> Registry {
        match &self.secrets {
            Some(secrets) if !question.pull_secrets.is_empty() => {
                self.registry.on_behalf(secrets.named(&question.pull_secrets).await)
            }
            _ => self.registry.clone(),
        }
    }

    /// What was asked so far, by host and kind; the API server as pc-discover counts it.
    fn requests(&self) -> RequestCounts {
        let mut requests = self.registry.requests();
        let api = self.secrets.as_ref().map(Secrets::requests);
        requests.extend(api.filter(|api| !api.is_empty()).map(|api| ("api".to_owned(), api)));
        requests
    }
}

/// The cluster whose pods' pull secrets are used.
async fn connect(args: &ClusterArgs) -> Result<Secrets, Fault> {
    let cluster = Cluster::connect(args).await.map_err(|error| {
        let hint = error.hint();
        Fault::incomplete(error).with_hint(hint)
    })?;
    Ok(Secrets::of(cluster))
}

async fn digest(
    source: Source,
    asked: Asked,
    fail_on: Vec<FailOn>,
    settings: Map<String, Value>,
    emitter: Emitter,
    progress: stage::Progress,
) -> Result<Outcome, Fault> {
    let input = match source {
        Source::Given(references, platforms) => {
            Input::Made(given::images(asked.registry.clone(), references, platforms))
        }
        Source::Stream(stream) => Input::stdin(stream.max_line),
        Source::Nothing => Input::Nothing,
    };
    let gate = if fail_on.is_empty() { Gate::Open } else { Gate::Judges };
    let use_secrets = if asked.secrets.is_some() { UseSecrets::Named } else { UseSecrets::Never };
    let (counted, fail_on) = (asked.clone(), Arc::<[FailOn]>::from(fail_on));
    let steps = Steps {
        reads: const { &[stage::reads::<Image>()] },
        raises: |mine: &Mine| {
            mine.parse::<Image>().map(|image| Some(Question::of(image, use_secrets)))
        },
        key: Question::key,
        ask: move |question| answer(asked.clone(), Arc::clone(&fail_on), question),
        facts: move || TallyFacts {
            requests: counted.requests(),
            settings,
            ..TallyFacts::default()
        },
        gate,
    };
    stage::enrich::run(input, emitter, progress, steps).await.map_err(Fault::from)
}

/// Asks one question, and answers it: one `digest` record, and the failures behind it.
async fn answer(
    asked: Asked,
    fail_on: Arc<[FailOn]>,
    question: Question,
) -> Result<Answers, WireError> {
    let registry = asked.on_behalf(&question).await;
    let resolved = resolve::resolve(&registry, &question).await;
    let mut answers = Answers::new();
    if !fail_on.is_empty() {
        answers.judge(gate::missed(&fail_on, &question, &resolved.record));
    }
    answers.push(&resolved.record)?;
    for failure in &resolved.failures {
        answers.push(failure)?;
    }
    Ok(answers)
}
