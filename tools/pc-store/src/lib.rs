//! pc-store: keeps reports, and says what it keeps.
//!
//! Reads one report, whole, makes sure that it is one, and only then touches the store: exactly the
//! bytes that came, under the report's own time, whole or not at all, never over another file.
//!
//! - [`document`]: what is kept. What makes it a report is decided by the crate `report`.
//! - [`names`]: the names of files in a store.
//! - [`place`]: the seam: named byte strings and a log, wherever they lie.
//! - [`sink`]: the places where reports can be kept or sent, one module each.
//! - [`folder`]: one directory; every system call is there.
//! - [`chain`]: the log, as plain data; [`ledger`] changes a store by it, an entry first.
//! - [`keep`]: one report into a store; `latest` says which is the newest.
//! - [`history`]: what a store holds; takes no lock.
//! - `diff`: what changed from one report to another, and handing that on.
//! - `signing`: the signature beside a report.
//! - `export`: a report of the store in another format.
//! - [`verify`]: proves that a store is as it was written.
//! - [`retention`]: which reports are too old, as a plain function; [`prune`] removes them,
//!   [`remove`] single ones.
//!
//! All but [`folder`] and [`sink`] is written over [`place`], and so holds for every store.
//! Not here: the stream, any judgement, how a report looks (crate `report`).

pub mod chain;
mod cli;
mod diff;
pub mod document;
mod export;
pub mod folder;
pub mod history;
pub mod keep;
mod latest;
pub mod ledger;
mod list;
pub mod names;
pub mod place;
pub mod prune;
pub mod remove;
pub mod retention;
mod say;
mod signing;
pub mod sink;
mod store;
pub mod verify;

pub use cli::Cli;
pub use latest::Latest;
