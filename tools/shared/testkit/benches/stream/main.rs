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

type Benchmark = (&'static str, fn() -> Result<Held, String>);

const ALL: [Benchmark; 5] = [
    ("forwarding", forwarding::forwarding),
    ("schedule", asking::schedule),
    ("dead-host", asking::dead_host),
    ("memory", memory::records),
    ("pods", pods::listing),
];

#[expect(clippy::print_stdout, reason = "a benchmark's output is what it is for")]
fn main() -> ExitCode {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let mut holds = true;
    for (name, run) in ALL {
        if !wanted.is_empty() && !wanted.iter().any(|word| word == name) {
            continue;
        }
        match run() {
            Ok(held) => {
                println!(
                    "{name}: {} {}",
                    held.text,
                    if held.holds { "(holds)" } else { "(DOES NOT HOLD)" }
                );
                holds &= held.holds;
            }
            Err(why) => println!("{name}: skipped: {why}"),
        }
    }
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
