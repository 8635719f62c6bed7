//! pc-store: keeps reports, and says what it keeps.
//!
//! Reads one report, whole, makes sure that it is one, and only then touches the store: exactly the
//! bytes that came, under the report's own time, whole or not at all, never over another file.
//!
//! - [`document`]: what is kept. What makes it a report is decided by the crate `report`.
//! - [`names`]: the names of files in a store.
//! - [`folder`]: one directory; every system call is there.
//! - [`sink`]: the places where reports can be kept, one module each.
//! - [`history`]: what a store holds; takes no lock.
//! - `diff`: what changed from one report to another, and handing that on.
//! - [`retention`]: which reports are too old, as a plain function; [`prune`] removes them.
//!
//! Not here: the stream, any judgement, how a report looks (crate `report`).

mod cli;
mod diff;
pub mod document;
pub mod folder;
pub mod history;
mod list;
pub mod names;
pub mod prune;
pub mod retention;
mod say;
pub mod sink;
mod store;

pub use cli::Cli;
