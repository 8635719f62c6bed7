//! Whole pipelines, as people run them.

mod cut;
mod docs;
mod example;
mod gates;
mod hostile;
mod killed;
mod made;
mod order;
mod output;
mod readme;
mod real;
mod scripts;

use testkit::{Run, pc, root};

/// A fixed time for runs whose bytes are compared: 2026-11-24T06:00:00Z.
const EPOCH: &str = "1795500000";

/// pc-discover over the example cluster that comes with the project.
fn discover() -> Run {
    pc("discover")
        .arg("--from")
        .arg(root().join("testdata/cluster/dump.json"))
        .args(["--cluster-name", "example"])
        .env("SOURCE_DATE_EPOCH", EPOCH)
}

/// pc-digest over the layouts that come with the project.
fn digest(stream: impl Into<Vec<u8>>) -> Run {
    pc("digest")
        .arg("--layout")
        .arg(root().join("testdata/layouts"))
        .env("SOURCE_DATE_EPOCH", EPOCH)
        .stdin(stream)
}

/// pc-assemble of a stream.
fn assemble(stream: impl Into<Vec<u8>>) -> Run {
    pc("assemble").env("SOURCE_DATE_EPOCH", EPOCH).stdin(stream)
}

/// The example's stream, whole.
fn stream() -> Vec<u8> {
    digest(discover().run().ok().stdout).run().ok().stdout
}

/// The lines of a stream, each with its line feed.
fn lines(stream: &[u8]) -> Vec<&[u8]> {
    stream.split_inclusive(|byte| *byte == b'\n').collect()
}
