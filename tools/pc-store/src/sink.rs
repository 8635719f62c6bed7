//! Where reports can be kept. Each kind of place has a module of its own.

pub mod directory;
mod latest;
mod temporary;

use clap::ValueEnum;

pub use latest::Latest;
pub(crate) use temporary::sweep;

/// A kind of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sink {
    /// A directory, such as the mount of a persistent volume
    Pvc,
}
