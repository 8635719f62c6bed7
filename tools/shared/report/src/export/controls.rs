//! What a report proves of the controls of common frameworks, and what it cannot: data, with
//! source and date, in `controls.json`.
//!
//! A report is evidence for a control, never compliance with it. Titles and quotations are the
//! frameworks' own; what is proven and what is not is this project's reading of them.

use serde::Deserialize;

use crate::Report;

use super::view::{self, Total};

/// The table.
const TABLE: &str = include_str!("controls.json");

/// All controls.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Controls {
    /// When the table was last held against its sources: `YYYY-MM-DD`.
    pub checked_on: String,
    /// The frameworks.
    pub frameworks: Vec<Framework>,
}

/// A framework, and those of its controls that a report has something to say about.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Framework {
    /// Its name.
    pub name: String,
    /// Its edition.
    pub edition: String,
    /// Where it is published.
    pub source: String,
    /// How its wording was checked.
    pub checked: String,
    /// The controls, in the framework's order.
    pub controls: Vec<Control>,
}

/// A control.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Control {
    /// Its number in the framework.
    pub id: String,
    /// Its title, or what it is about.
    pub title: String,
    /// What a report proves of it.
    pub proves: String,
    /// What a report cannot prove of it.
    pub cannot: String,
    /// The checks whose figures belong to it, by their words.
    pub figures: Vec<String>,
}

impl Controls {
    /// The table.
    ///
    /// # Errors
    /// When the committed table is not of its form; a test keeps that from being.
    pub fn load() -> Result<Self, serde_json::Error> {
        serde_json::from_str(TABLE)
    }
}

impl Control {
    /// The figures of a report that belong to this control, one sentence for each check.
    pub(super) fn figures(&self, report: &Report) -> Vec<String> {
        let totals = view::totals(report);
        let wanted = |total: &&Total| self.figures.iter().any(|one| one == total.check.as_str());
        totals.iter().filter(wanted).map(figure).collect()
    }
}

/// `signature: 9 of 11 (81 %) have a definite answer; of 11 images 3 trusted, 2 absent`.
fn figure(total: &Total) -> String {
    let check = total.check.as_str().replace('_', " ");
    let share = total.share().map(|share| format!(" {share} have a definite answer;"));
    let answers = match total.answers() {
        none if none.is_empty() => "none".to_owned(),
        answers => answers,
    };
    format!("{check}:{} of {}, {answers}", share.unwrap_or_default(), total.of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::vocabulary::Check;

    #[test]
    fn the_table_is_whole() {
        let controls = Controls::load().expect("a table");
        let known: Vec<&str> = Check::ALL.iter().map(|check| check.as_str()).collect();
        let mut ids = Vec::new();
        for framework in &controls.frameworks {
            assert!(framework.source.starts_with("https://"), "{}", framework.source);
            for control in &framework.controls {
                let texts = [&control.title, &control.proves, &control.cannot];
                assert!(texts.iter().all(|text| text.len() > 10), "{}", control.id);
                assert!(control.figures.iter().all(|one| known.contains(&one.as_str())));
                ids.push((&framework.name, &control.id));
            }
        }
        assert!(ids.len() > 20, "{}", ids.len());
        ids.sort();
        ids.dedup();
        let all: usize = controls.frameworks.iter().map(|one| one.controls.len()).sum();
        assert_eq!(ids.len(), all);
    }
}
