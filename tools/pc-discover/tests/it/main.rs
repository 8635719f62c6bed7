//! pc-discover as users run it: over dumps, and over an API server on this machine.

mod dumps;
mod errors;
mod gaps;
mod real;
mod served;

use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::{Ran, Run, pc, root};

/// The cluster that comes with the project.
fn example() -> PathBuf {
    root().join("testdata/cluster/dump.json")
}

/// pc-discover over a dump.
fn from(dump: &Path) -> Run {
    pc("discover").arg("--from").arg(dump)
}

/// The `image` records of a workload.
fn of<'a>(records: &'a [Value], namespace: &str, workload: &str) -> Vec<&'a Value> {
    let wanted = |record: &&Value| {
        record["type"] == "image"
            && record["namespace"] == namespace
            && record["workload"]["name"] == workload
    };
    records.iter().filter(wanted).collect()
}

/// The last record's only tally.
fn tally(ran: &Ran) -> Value {
    let end = ran.records().pop().expect("an end");
    assert_eq!(end["type"], "end");
    end["stages"][0].clone()
}

#[test]
fn the_flag_reference_is_that_of_the_parser() {
    let command = stage::cli::command::<pc_discover::Cli>();
    assert_eq!(stage::reference::faults(&command), Vec::<String>::new());
    testkit::generated("docs/tools/pc-discover.md", &stage::reference::page(&command));
}
