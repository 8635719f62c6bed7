//! Logs: to standard error, as text or JSON.

use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use records::text::clean;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::exit::chain;

/// The least level that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// Data was lost, or a person is needed.
    Error,
    /// Something went wrong and was dealt with.
    Warn,
    /// What is done, step by step.
    Info,
    /// What is asked and answered.
    Debug,
    /// Everything.
    Trace,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging. A second start in one process is ignored.
pub(crate) fn start(level: LogLevel, format: LogFormat) {
    let level = match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let color = io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let shown = filter_fn(move |event| level >= LevelFilter::DEBUG || is_ours(event.target()));
    // Another subscriber is there only in tests, and then theirs is wanted.
    let _ = match format {
        LogFormat::Text => text(level, color, io::stderr).with(shown).try_init(),
        LogFormat::Json => json(level, || Cleaned(io::stderr())).with(shown).try_init(),
    };
}

/// Whether a crate of the suite logs. What others have to say stands in the errors that they give
/// us; their own lines are for those who look for a fault.
fn is_ours(target: &str) -> bool {
    let name = target.split("::").next().unwrap_or_default();
    name.starts_with("pc_")
        || ["cluster", "http_asking", "records", "registry", "report", "stage"].contains(&name)
}

fn text<W>(level: LevelFilter, color: bool, to: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(color)
        .with_target(false)
        .fmt_fields(OneLine)
        .with_writer(to)
        .finish()
}

fn json<W>(level: LevelFilter, to: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .with_max_level(level)
        .json()
        .flatten_event(true)
        .with_writer(to)
        .finish()
}

/// Fields as people read them, and cleaned: a name with a line feed in it makes no second line, and
/// none steers the terminal.
struct OneLine;

impl<'w> FormatFields<'w> for OneLine {
    fn format_fields<R: RecordFields>(&self, to: Writer<'w>, fields: R) -> fmt::Result {
        let mut visitor = Fields { to, between: "", result: Ok(()) };
        fields.record(&mut visitor);
        visitor.result
    }
}

struct Fields<'w> {
    to: Writer<'w>,
    between: &'static str,
    result: fmt::Result,
}

impl Fields<'_> {
    fn write(&mut self, field: &Field, value: &dyn fmt::Display) {
        let value = clean(&value.to_string(), usize::MAX);
        let between = std::mem::replace(&mut self.between, " ");
        self.result = self.result.and_then(|()| match field.name() {
            "message" => write!(self.to, "{between}{value}"),
            name => write!(self.to, "{between}{name}={value}"),
        });
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.write(field, &value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.write(field, &chain(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // What was given by `%`, and the message, has its Display here.
        self.write(field, &format_args!("{value:?}"));
    }
}

/// JSON escapes what would make a second line; what turns the reading direction is taken out here.
struct Cleaned<W>(W);

impl<W: Write> Write for Cleaned<W> {
    /// Takes an event whole, as it is given here.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = clean(text.trim_end_matches('\n'), usize::MAX);
        self.0.write_all(format!("{line}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("lock").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(start: impl FnOnce(Kept) -> tracing::Dispatch) -> Vec<String> {
        let kept = Kept::default();
        tracing::dispatcher::with_default(&start(kept.clone()), || {
            let path = std::path::Path::new("a\nb\u{1b}[2J");
            let namespace = Some("b\u{202e}");
            tracing::warn!(namespace, none = None::<&str>, n = 3, "made `{}`", path.display());
            tracing::warn!(path = %path.display(), "made");
            tracing::debug!("not this");
        });
        let bytes = kept.0.lock().expect("lock").clone();
        String::from_utf8(bytes).expect("UTF-8").lines().map(str::to_owned).collect()
    }

    #[test]
    fn lines_of_other_crates_are_for_those_who_look_for_a_fault() {
        for ours in ["pc_digest::resolve", "http_asking", "stage::enrich"] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in ["rustls_platform_verifier", "kube_client::client", "registrywatch", ""] {
            assert!(!is_ours(other), "{other}");
        }
    }

    #[test]
    fn an_event_is_one_line_of_clean_text() {
        let level = LevelFilter::WARN;
        let lines = logged(|kept| tracing::Dispatch::new(text(level, false, move || kept.clone())));
        let said: Vec<&str> = lines
            .iter()
            .filter_map(|line| line.split_once(" WARN "))
            .map(|(_, said)| said)
            .collect();
        let name = "a\u{fffd}b\u{fffd}[2J";
        assert_eq!(
            said,
            [format!("made `{name}` namespace=b\u{fffd} n=3"), format!("made path={name}")]
        );
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn an_event_is_one_object_a_line() {
        let level = LevelFilter::WARN;
        let lines =
            logged(|kept| tracing::Dispatch::new(json(level, move || Cleaned(kept.clone()))));
        assert_eq!(lines.len(), 2, "{lines:?}");
        let events: Vec<serde_json::Value> =
            lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(events[0]["namespace"], "b\u{fffd}");
        assert_eq!(events[0]["message"], "made `a\nb\u{1b}[2J`");
    }
}
