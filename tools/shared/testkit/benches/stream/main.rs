//! Benchmarks that hold a ratio of two things measured side by side, in one run.
//!
//! `scripts/bench` runs them on tools of the `fast` profile. Each prints what it measured, and the
//! run fails when a ratio does not hold. Times are of this machine and mean nothing elsewhere.

mod asking;
mod forwarding;
mod measure;
mod memory;
mod pods;

use std::process::ExitCode;

/// One benchmark's verdict: what was measured, and whether it holds.
struct Held {
    text: String,
    holds: bool,
}

/// Why there is no verdict.
enum Unmeasured {
    /// Only a missing testbed is a reason to pass a benchmark over.
    NoTestbed,
    /// Anything else is a failure of the run.
    Failed(String),
}

impl<E: std::error::Error> From<E> for Unmeasured {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

type Verdict = Result<Held, Unmeasured>;
type Benchmark = (&'static str, fn() -> Verdict);

const ALL: [Benchmark; 10] = [
    ("forwarding", forwarding::forwarding),
    ("schedule", asking::schedule),
    ("dead-host", asking::dead_host),
    ("memory-misses", memory::digest_misses),
    ("memory-hits", memory::digest_hits),
    ("memory-verify", memory::verify),
    ("memory-live", memory::discover_live),
    ("memory-dump", memory::discover_dump),
    ("memory-dump-rows", memory::discover_dump_rows),
    ("pods", pods::listing),
];

#[expect(clippy::print_stdout, reason = "a benchmark's output is what it is for")]
fn main() -> ExitCode {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let known = |word: &String| ALL.iter().any(|(name, _)| name == word);
    if let Some(word) = wanted.iter().find(|word| !known(word)) {
        println!("there is no benchmark `{word}`: {}", ALL.map(|(name, _)| name).join(", "));
        return ExitCode::FAILURE;
    }
    let mut passes = true;
    for (name, run) in ALL {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            let (text, passed) = said(run());
            println!("{name}: {text}");
            passes &= passed;
        }
    }
    if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is printed of a verdict, and whether the run may still succeed.
fn said(verdict: Verdict) -> (String, bool) {
    match verdict {
        Ok(Held { text, holds: true }) => (format!("{text} (holds)"), true),
        Ok(Held { text, holds: false }) => (format!("{text} (DOES NOT HOLD)"), false),
        Err(Unmeasured::NoTestbed) => {
            ("skipped: `scripts/testbed run` starts what it needs".to_owned(), true)
        }
        Err(Unmeasured::Failed(why)) => (format!("FAILED: {why}"), false),
    }
}
