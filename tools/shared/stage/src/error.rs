//! Why a stage stopped.

use records::wire::WireError;
use tokio::task::JoinError;

use crate::input::{InputError, Truncation};

/// Why a stage stopped.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// The input cannot be read on.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The input was cut: what came was answered and forwarded, without an `end`.
    #[error("the stream is cut, so none was ended here")]
    Truncated(#[source] Truncation),
    /// What brings the input came to its end without saying that the input was whole; a fault of
    /// this program.
    #[error(
        "the input ended without anybody saying that it was whole, so no stream was ended here"
    )]
    Lost,
    /// SIGTERM: what came was answered and forwarded, without an `end`.
    #[error("stopped by SIGTERM; what had come was answered, the stream was not ended")]
    Terminated,
    /// Nobody reads the output any more.
    #[error("standard output is closed")]
    OutputClosed,
    /// The output cannot be written.
    #[error("cannot write standard output")]
    Write(#[source] std::io::Error),
    /// A record cannot be written.
    #[error("cannot write a record")]
    Record(#[source] WireError),
    /// The task of a question ended without an answer; a fault of this program.
    #[error("a question ended without an answer")]
    Task(#[source] JoinError),
    /// The reader or the signal handler could not be started.
    #[error("cannot start")]
    Start(#[source] std::io::Error),
}

impl EdgeError {
    /// What would mend it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Truncated(_) => Some(
                "look at the messages of the stage before this one; with nothing to read, give an \
                 argument or `-n`",
            ),
            Self::Input(InputError::Line { source: WireError::NewerVersion { .. }, .. }) => {
                Some("use tools of one version in a pipeline")
            }
            Self::Input(InputError::Line { .. }) => {
                Some("the input must be the output of a tool of this suite, one JSON record a line")
            }
            Self::Input(InputError::TooLong { .. }) => Some("see --max-line"),
            Self::Write(_) => Some("see that the target of the output has room and may be written"),
            _ => None,
        }
    }
}
