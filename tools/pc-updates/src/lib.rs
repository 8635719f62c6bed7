//! pc-updates: what is newer than what runs.
//!
//! - `version`: what a tag says.
//! - `rule`: by which rule newer versions are looked for.
//! - `compare`: what is newer among the tags of a repository.

pub mod compare;
pub mod rule;
pub mod version;
