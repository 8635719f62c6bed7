//! Forwarding against parsing and writing the same lines.

use std::io::Write;
use std::time::Instant;

use crate::measure::{own_cpu, run, tool};
use crate::{Held, Unmeasured, Verdict};

const BYTES: usize = 512 * 1024 * 1024;
const WANTED: f64 = 2.0;

/// pc-digest forwards lines that are not its own with at most half of the CPU that parsing them
/// into a value and writing them again takes.
pub(crate) fn forwarding() -> Verdict {
    let line = serde_json::json!({
        "type": "note", "v": 1, "namespace": "shop", "image": "registry.example.com/shop/web:1.4",
        "platforms": [{"platform": "linux/amd64", "digest": "sha256:00"}, {"platform": "linux/arm64", "digest": "sha256:11"}],
        "text": "x".repeat(760), "count": 17, "whole": true, "reason": null,
    });
    let line = format!("{line}\n");
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("stream");
    let mut file = std::fs::File::create(&path)?;
    let block = line.repeat(1024);
    for _ in 0..BYTES / block.len() {
        file.write_all(block.as_bytes())?;
    }
    file.write_all(b"{\"type\":\"end\",\"v\":1,\"stages\":[]}\n")?;
    drop(file);

    let forwarded = run(&mut tool("digest"), Some(&path), false);
    let (cpu, started) = (own_cpu(), Instant::now());
    parse_and_write(&path)?;
    let parsed = own_cpu() - cpu;
    let rate = |seconds: f64| BYTES as f64 / 1e9 / seconds;
    let ratio = parsed / forwarded.cpu.max(0.01);
    Ok(Held {
        text: format!(
            "{:.2} GB/s of CPU forwarding, {:.2} GB/s parsing and writing ({:.1} s): {ratio:.1} times, at least {WANTED} wanted",
            rate(forwarded.cpu.max(0.01)),
            rate(parsed),
            started.elapsed().as_secs_f64(),
        ),
        holds: ratio >= WANTED,
    })
}

fn parse_and_write(path: &std::path::Path) -> Result<(), Unmeasured> {
    use std::io::BufRead;
    let mut input = std::io::BufReader::with_capacity(256 * 1024, std::fs::File::open(path)?);
    let null = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
    let mut output = std::io::BufWriter::with_capacity(64 * 1024, null);
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        let value: serde_json::Value = serde_json::from_slice(&line)?;
        serde_json::to_writer(&mut output, &value)?;
        output.write_all(b"\n")?;
        line.clear();
    }
    Ok(())
}
