//! What all tools share at the command line: `main`, flags, settings, completions, manual pages.
//!
//! Every flag has an environment variable `PROVENANCE_…`; an empty one counts as not set, so that
//! a chart may always set it.

use std::future::Future;
use std::io::Write;
use std::process::ExitCode;

use clap::builder::{BoolValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgMatches, Args, Command, Parser};
use clap_complete::Shell;

use crate::clock::{Clock, ClockError};
use crate::error::EdgeError;
use crate::exit::{self, EXIT_STATUS, Fault, Outcome};
use crate::input::DEFAULT_MAX_LINE;
pub use crate::logs::{LogFormat, LogLevel};
use crate::output::Emitter;
use crate::progress::Progress;
pub use crate::progress::ProgressWhen;

/// A tool of the suite: its command line, and what it does.
pub trait Tool: Parser {
    /// The tool's name, `pc-digest` for example.
    const NAME: &'static str;
    /// The tool's version.
    const VERSION: &'static str;

    /// The flags that all tools share.
    fn common(&self) -> &CommonArgs;

    /// Does the work.
    ///
    /// # Errors
    /// With the exit status, the reason, and what would mend it.
    fn run(self, common: &Common) -> Result<Outcome, Fault>;
}

/// Flags of every tool.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Common")]
pub struct CommonArgs {
    /// Log this and what is graver, to standard error
    #[arg(long, env = "PROVENANCE_LOG_LEVEL", value_enum, default_value = "warn", global = true)]
    pub log_level: LogLevel,
    /// How log lines look
    #[arg(long, env = "PROVENANCE_LOG_FORMAT", value_enum, default_value = "text", global = true)]
    pub log_format: LogFormat,
    /// Whether to show progress on standard error
    #[arg(long, env = "PROVENANCE_PROGRESS", value_enum, default_value = "auto", global = true)]
    pub progress: ProgressWhen,
    /// Print the completions for a shell and stop
    #[arg(long, value_name = "SHELL", value_enum, global = true)]
    pub completions: Option<Shell>,
    /// Print the manual page (roff) of the tool, or of the command before this, and stop
    #[arg(long, global = true)]
    pub man: bool,
}

/// Flags of tools that read the stream.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Stream")]
pub struct StreamArgs {
    /// The longest line that is taken, in bytes
    #[arg(long, env = "PROVENANCE_MAX_LINE", value_name = "BYTES", default_value_t = DEFAULT_MAX_LINE)]
    pub max_line: usize,
}

/// What a running tool has at hand.
#[derive(Debug)]
pub struct Common {
    name: &'static str,
    version: &'static str,
    progress: ProgressWhen,
    /// The clock of this run.
    pub clock: Clock,
}

impl Common {
    /// An emitter on standard output.
    #[must_use]
    pub fn emitter(&self) -> Emitter {
        Emitter::stdout(self.name, self.version, self.clock)
    }

    /// A progress line.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress::new(self.name, self.progress)
    }

    /// Runs a future on a runtime of its own.
    ///
    /// # Errors
    /// When the runtime cannot be started, or the future fails.
    pub fn block_on<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| {
                Fault::incomplete(error).with_hint("the process may start no more threads")
            })?;
        let result = runtime.block_on(work);
        // What is still being asked is not waited for: nobody reads the answer any more.
        runtime.shutdown_background();
        result
    }
}

/// The whole of a `main`.
#[must_use]
pub fn main<T: Tool>() -> ExitCode {
    exit::finish(T::NAME, start::<T>())
}

fn start<T: Tool>() -> Result<Outcome, Fault> {
    let command = command::<T>();
    let matches = match command.clone().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return from_clap(&error),
    };
    let tool = match T::from_arg_matches(&matches) {
        Ok(tool) => tool,
        Err(error) => return from_clap(&error.with_cmd(&command)),
    };
    let common = tool.common();
    if let Some(shell) = common.completions {
        return print_completions(command, T::NAME, shell);
    }
    if common.man {
        return print_manual(command, &matches);
    }
    crate::logs::start(common.log_level, common.log_format);
    let clock = Clock::from_env().map_err(|error: ClockError| Fault::usage(error))?;
    let common = Common { name: T::NAME, version: T::VERSION, progress: common.progress, clock };
    tool.run(&common)
}

/// The tool's command line as it is parsed: with the exit status table, and without the variables
/// that are set to nothing.
#[must_use]
pub fn command<T: Tool>() -> Command {
    let command = T::command();
    let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let after = if examples.is_empty() {
        EXIT_STATUS.to_owned()
    } else {
        format!("{examples}\n\n{EXIT_STATUS}")
    };
    let command = command.name(T::NAME).version(T::VERSION).after_help(after);
    without_empty_variables(command.mut_subcommands(with_exit_status))
}

fn with_exit_status(command: Command) -> Command {
    command.after_help(EXIT_STATUS).mut_subcommands(with_exit_status)
}

fn without_empty_variables(command: Command) -> Command {
    command
        .mut_args(|arg| {
            let empty = arg
                .get_env()
                .is_some_and(|name| std::env::var_os(name).is_some_and(|value| value.is_empty()));
            if empty { arg.env(None) } else { arg }
        })
        .mut_subcommands(without_empty_variables)
}

/// Help and version go to standard output with 0, everything else to standard error with 2.
fn from_clap(error: &clap::Error) -> Result<Outcome, Fault> {
    if error.use_stderr() {
        let text = error.render().to_string();
        let text = text.trim_start_matches("error: ").trim_end().to_owned();
        return Err(Fault::usage(text));
    }
    Ok(print(error.render().to_string().as_bytes())?)
}

fn print_completions(mut command: Command, name: &str, shell: Shell) -> Result<Outcome, Fault> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut text);
    Ok(print(&text)?)
}

/// The page of the command that was named.
fn print_manual(mut command: Command, mut matches: &ArgMatches) -> Result<Outcome, Fault> {
    // Names such as `pc-store-list` are made when a command is built.
    command.build();
    while let Some((name, inner)) = matches.subcommand()
        && let Some(sub) = command.find_subcommand(name)
    {
        (command, matches) = (sub.clone(), inner);
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text).map_err(Fault::incomplete)?;
    Ok(print(&text)?)
}

/// Writes text to standard output; a reader that has left is fine.
///
/// # Errors
/// When it cannot be written.
pub fn print(text: &[u8]) -> Result<Outcome, EdgeError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(EdgeError::Write(error))
        }
        _ => Ok(Outcome::Complete),
    }
}

/// A parser for one of a list of things, by the word for each; `meaning` is its help.
#[must_use]
pub fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    word: fn(T) -> &'static str,
    meaning: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let values = all.iter().map(|one| PossibleValue::new(word(*one)).help(meaning(*one)));
    PossibleValuesParser::new(values).map(move |given| {
        let one = all.iter().find(|one| word(**one) == given);
        *one.expect("the parser lets only words of the list through")
    })
}

/// A parser for booleans as settings write them: true/false, 1/0, yes/no, on/off.
#[must_use]
pub fn boolean() -> impl TypedValueParser<Value = bool> {
    Switch
}

#[derive(Clone)]
struct Switch;

const WORDS: [(&str, bool); 8] = [
    ("true", true),
    ("false", false),
    ("1", true),
    ("0", false),
    ("yes", true),
    ("no", false),
    ("on", true),
    ("off", false),
];

impl TypedValueParser for Switch {
    type Value = bool;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<bool, clap::Error> {
        let known = value.to_str().and_then(|text| {
            let text = text.to_ascii_lowercase();
            WORDS.iter().find(|(word, _)| *word == text)
        });
        match known {
            Some((_, value)) => Ok(*value),
            None => BoolValueParser::new().parse_ref(command, arg, value),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(["true", "false"].map(PossibleValue::new).into_iter()))
    }
}
