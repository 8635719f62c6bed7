//! How a tool ends: one small table for the whole suite, and one way to say what went wrong.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use crate::error::EdgeError;

/// The table that every `--help` ends with.
pub const EXIT_STATUS: &str = "\
Exit status:
  0  complete; items that failed are in the stream as data
  1  not complete, or could not start
  2  usage or configuration
  3  a gate was not met; 1 goes before 3
A closed pipe on standard output is quiet and 0.";

/// An exit status other than success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 1: not complete, or could not start.
    Incomplete,
    /// 2: usage or configuration.
    Usage,
    /// 3: a gate was not met.
    Gate,
}

impl Status {
    fn code(self) -> u8 {
        match self {
            Self::Incomplete => 1,
            Self::Usage => 2,
            Self::Gate => 3,
        }
    }
}

/// How a tool ended that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All done.
    Complete,
    /// All done, and a gate was not met; the text says which and by what.
    GateNotMet(String),
}

/// Why a tool could not do its work: an error, its exit status, and what would mend it.
#[derive(Debug)]
pub struct Fault {
    status: Status,
    source: Box<dyn Error + Send + Sync>,
    hint: Option<String>,
}

/// What would mend a fault, or nothing where nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint(Option<String>);

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        Self(Some(text.to_owned()))
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Self(Some(text))
    }
}

impl<T: Into<String>> From<Option<T>> for Hint {
    fn from(text: Option<T>) -> Self {
        Self(text.map(Into::into))
    }
}

impl Fault {
    /// Exit status 1: not complete, or could not start.
    pub fn incomplete(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { status: Status::Incomplete, source: source.into(), hint: None }
    }

    /// Exit status 2: usage or configuration.
    pub fn usage(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { status: Status::Usage, source: source.into(), hint: None }
    }

    /// Adds what would mend it, where somebody knows; printed on a line of its own.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<Hint>) -> Self {
        let Hint(hint) = hint.into();
        Self { hint, ..self }
    }

    /// The exit status.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// The text for people: what, its causes in one line, and the hint.
    #[must_use]
    pub fn message(&self, tool: &str) -> String {
        let mut text = format!("{tool}: error: {}", chain(&*self.source));
        if let Some(hint) = &self.hint {
            text.push_str(&format!("\nhint: {hint}"));
        }
        text
    }
}

/// An error and its causes in one line.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

impl From<EdgeError> for Fault {
    fn from(error: EdgeError) -> Self {
        let hint = error.hint();
        Self::incomplete(error).with_hint(hint)
    }
}

/// Prints what is to be said and gives the process its status.
pub(crate) fn finish(tool: &str, result: Result<Outcome, Fault>) -> ExitCode {
    match result {
        Ok(Outcome::Complete) => ExitCode::SUCCESS,
        Ok(Outcome::GateNotMet(why)) => {
            say(&format!("{tool}: gate not met: {why}"));
            ExitCode::from(Status::Gate.code())
        }
        Err(fault) if is_closed_output(&fault) => ExitCode::SUCCESS,
        Err(fault) => {
            say(&fault.message(tool));
            ExitCode::from(fault.status.code())
        }
    }
}

/// Whoever read our output has left; that is how `| head -1` ends, and no error.
fn is_closed_output(fault: &Fault) -> bool {
    fault.source.downcast_ref::<EdgeError>().is_some_and(|e| matches!(e, EdgeError::OutputClosed))
}

/// Writes a line to standard error. When that is closed there is nobody left to tell.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read `a`")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn a_message_has_what_why_and_how_to_mend_it() {
        let fault =
            Fault::usage(Outer(std::io::Error::other("no such file"))).with_hint("give another");
        assert_eq!(
            fault.message("pc-x"),
            "pc-x: error: cannot read `a`: no such file\nhint: give another"
        );
        assert_eq!(fault.status(), Status::Usage);
        let fault = Fault::incomplete("no").with_hint(None::<String>);
        assert_eq!(fault.message("pc-x"), "pc-x: error: no");
    }
}
