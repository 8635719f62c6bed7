//! pc-verify: who says so, and is it proven.
//!
//! Reads `digest` records, or takes references as arguments, and adds one `signature`, one
//! `provenance`, one `sbom` and one `attestation` record per (repository, index, manifest), and
//! one `policy` record per policy. Everything else is forwarded.
//!
//! - `question`: which records raise a question.
//! - `find`: asks every store, and fetches what they have.
//! - `material`: what a store handed over.
//! - `judge`: cryptography, time, chain, subject: one piece of evidence alone.
//! - `judged`: what the judge says.
//! - `statement`, `provenance`, `sbom`: what evidence says.
//! - `predicate`: predicate types as people name them.
//! - `trust`: whom the configuration trusts, and its policies.
//! - `examine`: all of these, for one piece.
//! - `told`: which policies were told of what.
//! - `asking`: one question, from its stores to its records.
//! - `answer`: from what was found to the records.
//! - `table`: the answers for a person at a terminal.
//! - `keep`: evidence saved, or its payloads printed.
//! - `gate`: what `--require` demands.

pub mod answer;
mod asking;
pub mod check;
mod cli;
pub mod examine;
pub mod find;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod gate;
pub mod judge;
pub mod judged;
mod keep;
pub mod material;
pub mod predicate;
pub mod provenance;
pub mod question;
mod run;
pub mod sbom;
mod setup;
pub mod statement;
pub mod table;
pub mod tags;
mod told;
pub mod trust;

pub use cli::Cli;
