//! Which questions were asked at all: what tells `skipped` from `unknown`.

use records::{DigestRecord, Record, Tally, Update};
use serde_json::Value;

use crate::books::Books;

/// What the pipeline asked, by the tallies of its stages.
///
/// A check whose stage has no tally was skipped. A record that is missing although its stage ran
/// is a question without an answer, and never shown as one that was not asked.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    stages: &'a [Tally],
    books: &'a Books,
}

impl<'a> Asked<'a> {
    pub(crate) fn of(stages: &'a [Tally], books: &'a Books) -> Self {
        Self { stages, books }
    }

    /// Whether pc-digest was in the pipeline.
    pub(crate) fn digest(&self) -> bool {
        self.ran("pc-digest", DigestRecord::TYPE)
    }

    /// Whether pc-updates was in the pipeline, and switched on.
    pub(crate) fn update(&self) -> bool {
        let tallies = || self.stages.iter().filter(|tally| tally.stage == "pc-updates");
        let switched_off =
            |tally: &Tally| tally.settings.get("checkUpdates") == Some(&false.into());
        let off = tallies().next().is_some() && tallies().all(switched_off);
        self.books.arrived(Update::TYPE) > 0 || (!off && self.ran("pc-updates", Update::TYPE))
    }

    /// Whether pc-verify was in the pipeline, with the check `kind` switched on.
    pub(crate) fn check(&self, kind: &str) -> bool {
        let tallies = || self.stages.iter().filter(|tally| tally.stage == "pc-verify");
        let switched_off = |tally: &Tally| {
            let checks = tally.settings.get("checks").and_then(Value::as_array);
            checks.is_some_and(|checks| !checks.iter().any(|check| check == kind))
        };
        let off = tallies().next().is_some() && tallies().all(switched_off);
        self.books.arrived(kind) > 0 || (!off && self.ran("pc-verify", kind))
    }

    /// Without any tally nothing is known of the pipeline, and nothing counts as switched off.
    fn ran(&self, stage: &str, kind: &str) -> bool {
        let tally = self.stages.iter().any(|tally| tally.stage == stage);
        tally || self.stages.is_empty() || self.books.arrived(kind) > 0
    }
}
