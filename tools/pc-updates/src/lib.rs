//! pc-updates: what is newer than what runs.
//!
//! Reads `digest`, `image` and `release` records, or takes references as arguments, and adds one
//! `update` record per (image, rule) and per release, and one `repository` record per repository
//! whose tags were read whole. Everything else is forwarded.
//!
//! - `version`: what a tag says; plain functions.
//! - `rule`: by which rule newer versions are looked for.
//! - `compare`: what is newer among the tags of a repository; plain functions.
//! - `question`: which records raise a question.
//! - `tags`: the tags of repositories.
//! - `pointed`: which tags stand for a digest.
//! - `images`: asks about an image.
//! - `charts`: asks about a release's chart.
//! - `running`: which revision of a release is judged.
//! - `age`: how old a candidate is, where a rule wants to know.
//! - `answer`: what follows from what was found out; plain functions.
//! - `gate`: what `--fail-on` judges.
//! - `table`: the answers for a person at a terminal.

mod age;
mod answer;
pub mod charts;
mod cli;
pub mod compare;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod gate;
mod images;
mod pointed;
mod problem;
mod question;
pub mod rule;
mod run;
mod running;
pub mod table;
mod tags;
pub mod version;

pub use cli::Cli;
