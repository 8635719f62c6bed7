//! The edge of a stage: reading, forwarding, asking once, answering in order, ending; and what
//! all tools share at the command line: flags, logs, progress, exit status.
//!
//! A stage is described by functions ([`Steps`]): which records raise a question, by what key two
//! questions are the same, and how one is asked and answered. Everything else is here, once.
//!
//! - [`cli`]: `main`, common flags, settings, completions and manual pages.
//! - [`exit`]: the exit status, and faults with their hints.
//! - [`input`]: lines into pieces; what is not a stage's own travels as one slice.
//! - [`output`]: the only writer of standard output.
//! - [`enrich`]: the schedule of a stage in the middle, and of a source there.
//! - [`shard`]: work that is done in parts.
//!
//! Not here: any client, any judgement, any file.

pub mod cli;
pub mod clock;
pub mod enrich;
mod error;
pub mod exit;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod input;
mod logs;
pub mod output;
mod progress;
pub mod reference;
pub mod shard;
mod signal;

pub use cli::{CommonArgs, StreamArgs, Tool};
pub use enrich::{Answers, Gate, Input, Made, Steps};
pub use error::EdgeError;
pub use exit::{Fault, Hint, Outcome, Status};
pub use input::{Mine, Reads, reads};
pub use output::{Emitter, TallyFacts};
pub use progress::Progress;
pub use signal::{Terminated, terminated};
