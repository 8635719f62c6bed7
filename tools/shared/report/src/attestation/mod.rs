//! What a report says, as statements that others can verify: in-toto statements, to be signed by
//! whoever has a key. No key and no cryptography is here.
//!
//! - [`statement`]: the form of a statement, and what it is about.
//! - [`report`]: one statement about the report itself and everything that runs in it.
//! - [`vsa`]: whether an image met a policy, one SLSA verification summary each.
//! - [`write()`]: the last two, a line each.
//! - [`scai`]: where an image runs and under which constraints, one SCAI report each.

mod lines;
pub mod report;
pub mod scai;
pub mod statement;
pub mod vsa;

use std::collections::BTreeMap;

pub use lines::{Kind, write};
pub use statement::{Statement, Subject};

/// Who makes the statements.
pub const COLLECTOR: &str = "https://github.com/nebari-dev/provenance-collector";

/// The media type of a report.
pub const REPORT_MEDIA_TYPE: &str = "application/json";

/// What was stated, and what was not and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stated {
    /// How many statements.
    pub statements: u64,
    /// How many answers or rows have none, by the reason.
    pub left_out: BTreeMap<&'static str, u64>,
}

impl Stated {
    fn leave_out(&mut self, why: &'static str) {
        *self.left_out.entry(why).or_default() += 1;
    }
}
