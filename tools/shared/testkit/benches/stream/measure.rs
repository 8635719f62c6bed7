//! Measuring a tool from outside: CPU time, peak memory, when lines come out.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What one run of a tool took.
pub(crate) struct Measured {
    /// Seconds of CPU, user and system.
    pub(crate) cpu: f64,
    /// Seconds on the clock.
    pub(crate) wall: f64,
    /// Peak resident memory, in MiB.
    pub(crate) peak: f64,
    /// When each line came out, from the start.
    pub(crate) lines: Vec<(Duration, String)>,
}

/// A tool of the suite, as the benchmark's profile built it.
pub(crate) fn tool(name: &str) -> Command {
    let mut command = Command::new(testkit::binaries().join(format!("pc-{name}")));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// Runs a tool; its lines are kept where `keep` says so, and dropped otherwise.
pub(crate) fn run(command: &mut Command, stdin: Option<&Path>, keep: bool) -> Measured {
    let input = stdin.map_or_else(Stdio::null, |path| File::open(path).expect("the input").into());
    let output = if keep { Stdio::piped() } else { Stdio::null() };
    let before = children_cpu();
    let started = Instant::now();
    let mut child =
        command.stdin(input).stdout(output).spawn().expect("scripts/bench builds the tools");
    let watch = Watch::start(child.id());
    let mut lines = Vec::new();
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).lines() {
            lines.push((started.elapsed(), line.expect("a line")));
        }
    }
    let status = child.wait().expect("waited");
    assert!(status.success(), "{command:?}: {status}");
    Measured {
        cpu: children_cpu() - before,
        wall: started.elapsed().as_secs_f64(),
        peak: watch.stop(),
        lines,
    }
}

/// CPU seconds of the children that were waited for (proc(5), `stat`, fields 16 and 17).
fn children_cpu() -> f64 {
    stat_seconds([15, 16])
}

/// CPU seconds of this process (fields 14 and 15).
pub(crate) fn own_cpu() -> f64 {
    stat_seconds([13, 14])
}

fn stat_seconds(fields: [usize; 2]) -> f64 {
    const TICKS: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").expect("proc");
    // The second field is the name in parentheses, which may hold blanks.
    let rest = stat.rsplit_once(") ").expect("a name").1;
    let values: Vec<f64> =
        rest.split(' ').map(|field| field.trim().parse().unwrap_or(0.0)).collect();
    fields.iter().map(|field| values[field - 2]).sum::<f64>() / TICKS
}

/// Watches a process's peak memory while it runs: the kernel keeps the high-water mark, so reading
/// often only has to catch the end.
struct Watch {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<f64>,
}

impl Watch {
    fn start(pid: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut peak: f64 = 0.0;
            while !stopped.load(Ordering::Relaxed) {
                peak = peak.max(high_water(pid).unwrap_or(0.0));
                thread::sleep(Duration::from_millis(2));
            }
            peak
        });
        Self { stop, thread }
    }

    fn stop(self) -> f64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the watch")
    }
}

fn high_water(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
