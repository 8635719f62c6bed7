//! The tool: from the command line to the stream.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use http_asking::{Client, RequestCounts};
use jiff::Timestamp;
use records::wire::WireError;
use records::{DigestRecord, Image, Release};
use registry::Registry;
use report::table::Look;
use serde_json::{Map, Value};
use stage::{Answers, Emitter, Fault, Gate, Input, Mine, Outcome, Progress, Steps, TallyFacts};

use crate::answer::Answer;
use crate::charts::Charts;
use crate::cli::{Cli, Format};
use crate::gate::{FailOn, missed};
use crate::images::Images;
use crate::question::{Annotations, Asks, ImageQuestion, Raised};
use crate::running;
use crate::table::table;

impl stage::Tool for Cli {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    fn common(&self) -> &stage::CommonArgs {
        &self.common
    }

    fn run(self, common: &stage::cli::Common) -> Result<Outcome, Fault> {
        if !self.check_updates && !self.fail_on.is_empty() {
            return Err(Fault::usage(
                "`--fail-on` judges what `--check-updates=false` switches off",
            )
            .with_hint("leave one of them out"));
        }
        if self.images.is_empty() && !self.no_input && io::stdin().is_terminal() {
            return Err(no_source());
        }
        let (now, progress) = (common.clock.now(), common.progress());
        if self.format() == Format::Json {
            return common.block_on(updates(self, common.emitter(), progress, now));
        }
        let kept = Kept::default();
        let emitter = Emitter::new(
            Box::new(kept.clone()),
            <Self as stage::Tool>::NAME,
            <Self as stage::Tool>::VERSION,
            common.clock,
        );
        let outcome = common.block_on(updates(self, emitter, progress, now));
        // What was found out is shown also where the input was cut; the status says so.
        stage::cli::print(table(&kept.taken(), Look::of_stdout(0).color).as_bytes())?;
        outcome
    }
}

impl Cli {
    /// A person who gives images at a terminal wants to read the answer.
    fn format(&self) -> Format {
        let for_people = !self.images.is_empty() && io::stdout().is_terminal();
        self.format.unwrap_or(if for_people { Format::Table } else { Format::Json })
    }

    /// What bears on what the records say, for the tally.
    fn settings(&self) -> Map<String, Value> {
        let mut settings = Map::new();
        settings.insert("checkUpdates".into(), self.check_updates.into());
        settings.insert("level".into(), self.wanted.level.as_str().into());
        settings.insert("skipPrerelease".into(), self.wanted.skip_prerelease.into());
        settings.insert("annotations".into(), self.wanted.annotations.into());
        if let Some(hub) = &self.charts.artifact_hub.0 {
            settings.insert("artifactHub".into(), hub.to_string().into());
        }
        if let Some(rules) = &self.wanted.rules {
            settings.insert("rules".into(), rules.to_string_lossy().into());
        }
        if !self.fail_on.is_empty() {
            let words: Vec<&str> = self.fail_on.iter().map(|word| word.as_str()).collect();
            settings.insert("failOn".into(), words.into());
        }
        settings
    }
}

/// Output that is kept, to be shown in another form.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn taken(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn no_source() -> Fault {
    Fault::usage("nothing to read: standard input is a terminal")
        .with_hint("give an image (`pc-updates nginx:1.27-alpine`), or pipe a stream into it (`pc-discover | pc-digest | pc-updates`)")
}

async fn updates(
    cli: Cli,
    emitter: Emitter,
    progress: Progress,
    now: Timestamp,
) -> Result<Outcome, Fault> {
    let settings = cli.settings();
    let rules = cli.wanted.rules().map_err(Fault::usage)?;
    let annotations =
        if cli.wanted.annotations { Annotations::Count } else { Annotations::Ignored };
    let mut asks = Asks::new(rules, cli.wanted.defaults(), annotations);
    let client = cli.registry.http.clone().settings().and_then(Client::new);
    let client = client.map_err(Fault::usage)?;
    let registry = Registry::new(cli.registry).map_err(Fault::usage)?;
    let cache = cli.charts.cache().map_err(Fault::usage)?;
    let charts = Charts::new(&client, &registry, cache, cli.charts.artifact_hub.0, now);
    let input = match (cli.images.is_empty(), cli.no_input) {
        (false, _) => {
            Input::Made(pc_digest::resolved(registry.clone(), &cli.images, cli.platform)?)
        }
        (true, true) => Input::Nothing,
        (true, false) => Input::stdin(cli.stream.max_line),
    };
    let gate = if cli.fail_on.is_empty() { Gate::Open } else { Gate::Judges };
    let asking = Arc::new(Asking::new(registry, charts, cli.fail_on, now));
    let counted = Arc::clone(&asking);
    let is_on = cli.check_updates;
    let steps = Steps {
        reads: const {
            &[stage::reads::<Image>(), stage::reads::<DigestRecord>(), stage::reads::<Release>()]
        },
        raises: move |mine: &Mine| if is_on { asks.raise(mine) } else { Ok(None) },
        // Whether a question is new was settled where it was raised; only releases come here
        // twice. Of images several are asked at once, so that the first tells them from others.
        key: |raised: &Raised| match raised {
            Raised::Images(questions) => {
                let first = questions.first();
                let subject = first.map(|first| first.facts.subject.clone());
                (subject, first.map(|first| first.rule.text().to_owned()), None)
            }
            Raised::Release(release, _) => {
                let name = (release.namespace.clone(), release.release_name.clone());
                (None, None, Some(name))
            }
        },
        ask: move |raised| {
            let asking = Arc::clone(&asking);
            async move { asking.answer(raised).await }
        },
        facts: move || TallyFacts {
            requests: counted.requests(),
            settings,
            ..TallyFacts::default()
        },
        gate,
    };
    stage::enrich::run(input, emitter, progress, steps).await.map_err(Fault::from)
}

/// Who asks, and what fails the gate.
struct Asking {
    registry: Registry,
    images: Images,
    charts: Charts,
    fail_on: Vec<FailOn>,
}

impl Asking {
    fn new(registry: Registry, charts: Charts, fail_on: Vec<FailOn>, now: Timestamp) -> Self {
        let images = Images::new(registry.clone(), now);
        Self { registry, images, charts, fail_on }
    }

    /// Registries and chart repositories are asked by two clients.
    fn requests(&self) -> RequestCounts {
        let mut requests = self.registry.requests();
        for (host, kinds) in self.charts.requests() {
            let counts = requests.entry(host).or_default();
            for (kind, count) in kinds {
                *counts.entry(kind).or_default() += count;
            }
        }
        requests
    }

    async fn answer(&self, raised: Raised) -> Result<Answers, WireError> {
        let mut answers = Answers::new();
        let mut missed = None;
        match raised {
            Raised::Images(questions) => {
                for question in &questions {
                    let told = self.image(question, &mut answers).await?;
                    missed = missed.or(told);
                }
            }
            Raised::Release(release, rule) => {
                let (release, remark) = running::of(*release);
                let answer = self.charts.ask(&release, &rule).await;
                let answer = running::remarked(answer, remark);
                missed = self.write(&answer, &mut answers)?;
            }
        }
        if !self.fail_on.is_empty() {
            answers.judge(missed);
        }
        Ok(answers)
    }

    async fn image(
        &self,
        question: &ImageQuestion,
        answers: &mut Answers,
    ) -> Result<Option<String>, WireError> {
        // Boxed: the compiler does not follow a future as deep as this one inside another.
        let found = Box::pin(self.images.ask(question)).await;
        if let Some(repository) = &found.repository {
            answers.push(repository)?;
        }
        self.write(&found.answer, answers)
    }

    /// Writes an answer, and says why it falls short of the gate, if it does.
    fn write(&self, answer: &Answer, answers: &mut Answers) -> Result<Option<String>, WireError> {
        answers.push(&answer.update)?;
        if let Some(problem) = &answer.problem {
            answers.push(&problem.failure(&answer.update))?;
        }
        Ok(missed(&self.fail_on, &answer.update))
    }
}
