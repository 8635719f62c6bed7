//! A second opinion: what the `sigstore` crate says of the evidence that pc-verify judges.
//!
//! Both engines judge every Sigstore bundle of the third-party vectors (`PC_SHARED_DATA`) and of
//! the project's own evidence. Where they differ, `known.tsv` says so and why; a difference that
//! is not there, and one there that is gone, fail. The crate gives no verdict in the tools: it
//! accepts forged log entries, which this table shows.

mod opinion;
mod vectors;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use opinion::Opinion;
use vectors::Vector;

/// The differences that are known: vector, what we say, what the other says, why.
const KNOWN: &str = include_str!("../known.tsv");

fn main() -> ExitCode {
    let Some(shared) = std::env::var_os("PC_SHARED_DATA").map(PathBuf::from) else {
        eprintln!("second-opinion: skipped: PC_SHARED_DATA is not set");
        return ExitCode::SUCCESS;
    };
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let mut vectors = vectors::of_others(&shared.join("sigstore"));
    vectors.extend(vectors::our_own(&project.join("testdata/evidence")));
    let differences: BTreeMap<String, (Opinion, Opinion)> = vectors
        .iter()
        .map(|vector| (vector.name.clone(), both(vector)))
        .filter(|(_, (ours, theirs))| ours.accepts() != theirs.accepts())
        .collect();
    let faults = compare(&differences);
    println!(
        "{} vectors, {} judged alike, {} not",
        vectors.len(),
        vectors.len() - differences.len(),
        differences.len()
    );
    for fault in &faults {
        eprintln!("second-opinion: {fault}");
    }
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn both(vector: &Vector) -> (Opinion, Opinion) {
    (opinion::ours(vector), opinion::theirs(vector))
}

/// What the table and what was seen do not have in common.
fn compare(differences: &BTreeMap<String, (Opinion, Opinion)>) -> Vec<String> {
    let known: BTreeMap<&str, &str> = KNOWN
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .filter_map(|line| line.split_once('\t'))
        .collect();
    let mut faults = Vec::new();
    for (name, (ours, theirs)) in differences {
        let words = format!("{}\t{}", word(ours), word(theirs));
        match known.get(&**name) {
            Some(line) if line.starts_with(&words) => {}
            Some(line) => faults.push(format!(
                "`{name}`: the table says `{line}`, seen was `{ours}` and `{theirs}`"
            )),
            None => faults.push(format!(
                "`{name}` is judged apart, and not in known.tsv: `{ours}` and `{theirs}`"
            )),
        }
    }
    for name in known.keys().filter(|name| !differences.contains_key(**name)) {
        faults.push(format!("`{name}` is in known.tsv, and is judged alike or is not there"));
    }
    faults
}

fn word(opinion: &Opinion) -> &'static str {
    if opinion.accepts() { "accepts" } else { "rejects" }
}
