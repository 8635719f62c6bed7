//! The report over whole streams: joining, schema, table.

mod attestation;
mod difference;
mod example;
mod exports;
mod generated;
mod joining;
mod table;

use records::wire::{self, Head};
use records::{
    Attestation, DigestRecord, End, Failure, Image, Policy, Provenance, Record, Release, Runtime,
    Sbom, Signature, Update,
};
use report::Report;
use report::join::{Gathered, Run};

/// A cluster with one of everything that a report tells apart.
const SHOP: &str = include_str!("../data/shop.ndjson");

/// When the reports of these tests are made.
const NOW: &str = "2026-11-24T06:00:00Z";

/// Gathers a stream.
fn gather(stream: &str) -> Gathered {
    let mut gathered = Gathered::new();
    for line in stream.lines() {
        take(&mut gathered, line.as_bytes());
    }
    gathered
}

fn take(gathered: &mut Gathered, line: &[u8]) {
    fn read<R: Record>(head: &Head<'_>, line: &[u8]) -> R {
        wire::read(head, line).expect("a record")
    }
    let head = &Head::peek(line).expect("a head");
    match &*head.kind {
        Image::TYPE => gathered.image(read(head, line)),
        Runtime::TYPE => gathered.runtime(read(head, line)),
        Release::TYPE => gathered.release(read(head, line)),
        DigestRecord::TYPE => gathered.digest(read(head, line)),
        Update::TYPE => gathered.update(read(head, line)),
        Signature::TYPE => gathered.signature(read(head, line)),
        Provenance::TYPE => gathered.provenance(read(head, line)),
        Sbom::TYPE => gathered.sbom(read(head, line)),
        Attestation::TYPE => gathered.attestation(read(head, line)),
        Policy::TYPE => gathered.policy(read(head, line)),
        Failure::TYPE => gathered.failure(read(head, line)),
        End::TYPE => {
            let end: End = read(head, line);
            end.stages.into_iter().for_each(|tally| gathered.tally(tally));
        }
        other => gathered.other(other, line).expect("kept"),
    }
}

/// The report of a stream.
fn assemble(stream: &str) -> Report {
    gather(stream).finish(Run {
        generated_at: NOW.into(),
        collector_version: "0.1.0".into(),
        ..Run::default()
    })
}

/// A report's bytes.
fn bytes(report: &Report) -> Vec<u8> {
    let mut bytes = Vec::new();
    report.write_to(&mut bytes).expect("written");
    bytes
}
