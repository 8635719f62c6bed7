//! The tool: from the command line to the stream.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use records::{DigestRecord, Record, RepositoryRecord};
use registry::Registry;
use report::table::Look;
use serde_json::{Map, Value, json};
use stage::input::InputError;
use stage::{Emitter, Fault, Gate, Input, Mine, Outcome, Progress, Steps, TallyFacts};

use crate::asking::{Asking, Payloads, Raised};
use crate::check::Check;
use crate::cli::{Cli, Format, OutputArgs, Print};
use crate::examine::{Examiner, Keeps};
use crate::find::Finder;
use crate::gate::Demand;
use crate::keep;
use crate::predicate::WantedTypes;
use crate::provenance::Expectations;
use crate::question::Question;
use crate::setup::{self, Setup};
use crate::table::{Detail, table};
use crate::tags::KnownTags;
use crate::told::Told;
use crate::trust::{Note, Trust};

impl stage::Tool for Cli {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    fn common(&self) -> &stage::CommonArgs {
        &self.common
    }

    fn run(self, common: &stage::cli::Common) -> Result<Outcome, Fault> {
        let checks = self.wanted.on();
        let expected = self.expectations().map_err(Fault::usage)?;
        let mut cli = self;
        let types = WantedTypes::new(cli.types.clone());
        let narrowed = cli.require.into_iter().map(|demand| demand.narrowed(&types));
        cli.require = narrowed.collect::<Result<_, _>>().map_err(Fault::usage)?;
        if !expected.is_empty() {
            cli.require.push(Demand::Expectations);
        }
        cli.start(checks, expected, common)
    }
}

impl Cli {
    fn start(
        self,
        checks: Vec<Check>,
        expected: Expectations,
        common: &stage::cli::Common,
    ) -> Result<Outcome, Fault> {
        demands_are_looked_for(&self.require, &checks)?;
        if self.images.is_empty() && !self.no_input && io::stdin().is_terminal() {
            return Err(no_source());
        }
        let (progress, shape, now) = (common.progress(), self.shape(), common.clock.now());
        if shape == Shape::Records {
            let kept = Payloads::default();
            return common.block_on(verify(
                self,
                checks,
                expected,
                kept,
                now,
                common.emitter(),
                progress,
            ));
        }
        let (kept, payloads) = (Kept::default(), Payloads::default());
        let emitter = Emitter::new(
            Box::new(kept.clone()),
            <Self as stage::Tool>::NAME,
            <Self as stage::Tool>::VERSION,
            common.clock,
        );
        let verifying = verify(self, checks, expected, payloads.clone(), now, emitter, progress);
        let outcome = common.block_on(verifying);
        let stream = kept.taken();
        // What was found out is shown also where the input was cut; the status says so.
        let shown = match shape {
            Shape::Payloads => payloads.of_finds(&stream),
            Shape::Table(detail) => table(&stream, Look::of_stdout(0).color, detail).into_bytes(),
            Shape::Records => stream,
        };
        stage::cli::print(&shown)?;
        outcome
    }

    /// A person who gives images at a terminal wants to read the answer.
    fn shape(&self) -> Shape {
        let for_people = !self.images.is_empty() && io::stdout().is_terminal();
        let detail = if self.output.explain { Detail::All } else { Detail::Verdicts };
        match (self.output.print, self.output.format) {
            (Some(Print::Attestation), _) => Shape::Payloads,
            (None, Some(Format::Table)) => Shape::Table(detail),
            (None, None) if for_people || self.output.explain => Shape::Table(detail),
            (None, _) => Shape::Records,
        }
    }
}

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// The stream.
    Records,
    /// For people.
    Table(Detail),
    /// What was signed.
    Payloads,
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
        .with_hint("give an image (`pc-verify ghcr.io/acme/web:1.4`), or pipe a stream into it (`pc-discover | pc-digest | pc-verify`)")
}

/// A demand for what is not looked for could never be met.
fn demands_are_looked_for(demands: &[Demand], checks: &[Check]) -> Result<(), Fault> {
    match demands.iter().flat_map(Demand::checks).find(|check| !checks.contains(check)) {
        None => Ok(()),
        Some(check) => Err(Fault::usage(format!(
            "`--require` demands something of {check}, which is switched off"
        ))
        .with_hint("leave the demand out, or switch the check on (`--checks`)")),
    }
}

async fn verify(
    cli: Cli,
    checks: Vec<Check>,
    expected: Expectations,
    payloads: Payloads,
    now: jiff::Timestamp,
    emitter: Emitter,
    progress: Progress,
) -> Result<Outcome, Fault> {
    let mut setup = Setup::new(&cli.trust, &cli.registry.http, &cli.cluster, now).await?;
    let mut requests = std::mem::take(&mut setup.asked);
    let registry = Registry::new(cli.registry).map_err(Fault::usage)?;
    let settings = settings(&checks, &setup);
    let OutputArgs { print, save, packages, materials, .. } = cli.output;
    if let Some(folder) = &save {
        keep::save_roots(folder, setup.root_texts()).map_err(Fault::incomplete)?;
    }
    let keeps = Keeps { material: print.is_some() || save.is_some(), packages, materials };
    let examiner = Examiner::new(setup, expected, keeps).map_err(Fault::incomplete)?;
    let known = Arc::new(KnownTags::default());
    let finder =
        Finder::new(registry.clone(), checks.clone(), Arc::clone(&known), Arc::clone(&examiner));
    let input = match (cli.images.is_empty(), cli.no_input) {
        (false, _) => {
            Input::Made(pc_digest::resolved(registry.clone(), &cli.images, cli.platform)?)
        }
        (true, true) => Input::Nothing,
        (true, false) => Input::stdin(cli.stream.max_line),
    };
    let gate = if cli.require.is_empty() { Gate::Open } else { Gate::Judges };
    let asking = Arc::new(Asking {
        finder,
        examiner: Arc::clone(&examiner),
        checks,
        demands: cli.require,
        save,
        payloads: print.map(|_| payloads),
        types: WantedTypes::new(cli.types),
        took: Mutex::default(),
        unsaved: Mutex::default(),
    });
    let (mut told, raising) = (Told::default(), Arc::clone(&examiner));
    let (counted, asked, timed) = (registry, Arc::clone(&asking), Arc::clone(&asking));
    let steps = Steps {
        reads: const { &[stage::reads::<DigestRecord>(), stage::reads::<RepositoryRecord>()] },
        raises: move |mine: &Mine| raises(mine, &known, gate, (&mut told, raising.trust())),
        key: |raised: &Raised| match raised {
            Raised::Evidence(question, _) => (Some(question.key()), String::new()),
            Raised::Policies(question, which) => (Some(question.key()), format!("{which:?}")),
            Raised::Unresolved(image) => (None, image.clone()),
        },
        ask: move |raised| {
            let asking = Arc::clone(&asking);
            async move { asking.answer(raised).await }
        },
        facts: move || {
            setup::add(&mut requests, counted.requests());
            TallyFacts {
                requests,
                settings: with_notes(settings, examiner.trust()),
                timings: timed.timings(),
                ..TallyFacts::default()
            }
        },
        gate,
    };
    let outcome = stage::enrich::run(input, emitter, progress, steps).await?;
    match asked.unsaved() {
        Some(error) => Err(Fault::incomplete(error)
            .with_hint("the records are whole; what was to be saved is not: make room or choose another folder")),
        None => Ok(outcome),
    }
}

fn raises(
    mine: &Mine,
    known: &KnownTags,
    gate: Gate,
    (told, trust): (&mut Told, &Trust),
) -> Result<Option<Raised>, InputError> {
    match mine.kind {
        DigestRecord::TYPE => {}
        RepositoryRecord::TYPE => {
            known.note(mine.parse()?);
            return Ok(None);
        }
        // What stands beside the digests of references that were given as arguments.
        _ => return Ok(None),
    }
    let record: DigestRecord = mine.parse()?;
    let image = record.image.clone();
    Ok(match (Question::of(record), gate) {
        (Some(question), _) => told.raise(question, trust),
        (None, Gate::Judges) => Some(Raised::Unresolved(image)),
        (None, Gate::Open) => None,
    })
}

/// What bears on what the records say, for the tally.
fn settings(checks: &[Check], setup: &Setup) -> Map<String, Value> {
    let checks: Vec<&str> = checks.iter().map(|check| check.as_str()).collect();
    let mut settings = Map::new();
    settings.insert("checks".into(), checks.into());
    settings.insert("trustedRoots".into(), setup.roots());
    settings.insert("keys".into(), setup.keys());
    settings
}

/// What the run shows of its configuration: told now, and kept in the tally.
fn with_notes(mut settings: Map<String, Value>, trust: &Trust) -> Map<String, Value> {
    let notes = trust.report();
    for note in &notes {
        tracing::warn!(kind = note.kind.as_str(), "{note}");
    }
    if !notes.is_empty() {
        let told = |note: &Note| json!({"kind": note.kind.as_str(), "text": note.text});
        settings.insert("notes".into(), notes.iter().map(told).collect());
    }
    settings
}
