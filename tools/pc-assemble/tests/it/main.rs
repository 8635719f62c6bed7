//! pc-assemble as people run it: a stream on standard input, a report on standard output.

mod attestations;
mod books;
mod edge;
mod gate;
mod output;
mod previous;
mod worked;

use serde_json::Value;
use stage::cli;
use testkit::{Ran, Run, pc};

/// A cluster with one of everything that a report tells apart.
const SHOP: &str = include_str!("../../../shared/report/tests/data/shop.ndjson");

/// 2026-11-24T06:00:00Z.
const EPOCH: &str = "1795500000";

fn assemble(stream: impl Into<Vec<u8>>) -> Run {
    pc("assemble").env("SOURCE_DATE_EPOCH", EPOCH).stdin(stream)
}

fn report(ran: &Ran) -> Value {
    serde_json::from_slice(&ran.stdout).expect("a report")
}

/// The lines of the stream but for its `end`.
fn records() -> Vec<&'static str> {
    let mut lines: Vec<&str> = SHOP.lines().collect();
    assert!(lines.pop().is_some_and(|line| line.starts_with(r#"{"type":"end""#)));
    lines
}

fn end() -> &'static str {
    SHOP.lines().last().expect("an end")
}

/// Lines, each with its line feed.
fn stream(lines: &[&str]) -> String {
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn every_flag_has_help_and_a_variable_and_the_page_is_that_of_the_parser() {
    let command = cli::command::<pc_assemble::Cli>();
    assert_eq!(stage::reference::faults(&command), Vec::<String>::new());
    testkit::generated("docs/tools/pc-assemble.md", &stage::reference::page(&command));
}
