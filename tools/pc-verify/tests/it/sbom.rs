//! Bills of materials that real tools made, and large ones.

use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pc_verify::sbom::{self, packages, read_predicate};
use pc_verify::statement::{Kind, Statement};
use serde_json::Value;

/// A document that is made while it is read.
struct Made<F> {
    part: F,
    next: u64,
    buffer: Vec<u8>,
    at: usize,
}

impl<F: FnMut(u64, &mut String) -> bool> Made<F> {
    /// `part` writes one part, and says whether there are more.
    fn new(part: F) -> Self {
        Self { part, next: 0, buffer: Vec::new(), at: 0 }
    }
}

impl<F: FnMut(u64, &mut String) -> bool> Read for Made<F> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.at == self.buffer.len() {
            let mut text = String::new();
            if !(self.part)(self.next, &mut text) {
                return Ok(0);
            }
            self.next += 1;
            (self.buffer, self.at) = (text.into_bytes(), 0);
        }
        let count = to.len().min(self.buffer.len() - self.at);
        to[..count].copy_from_slice(&self.buffer[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

const MILLION: u64 = 1_000_000;

/// An SPDX document of a million packages, about 30 MB.
fn million() -> impl Read {
    Made::new(|at, to| {
        match at {
            0 => to.push_str(r#"{"packages": ["#),
            1..=MILLION => {
                let comma = if at > 1 { "," } else { "" };
                write!(to, r#"{comma}{{"name": "p{at}", "versionInfo": "{at}"}}"#)
                    .expect("a string");
            }
            _ if at == MILLION + 1 => to.push_str(r#"], "spdxVersion": "SPDX-2.3"}"#),
            _ => return false,
        }
        true
    })
}

/// Documents that would be large in memory if anything of them were kept.
fn hostile(which: u64) -> impl Read {
    let lines: [(&str, &str, &str); 4] = [
        (r#"{"spdxVersion": "SPDX-2.3", "name": ""#, "x", r#""}"#),
        (r#"{"spdxVersion": "SPDX-2.3", "packages": [{"name": ""#, r"\u00e9", r#""}]}"#),
        (
            r#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"licenses": ["#,
            r#"{"expression": "MIT"},"#,
            r#"{}]}]}"#,
        ),
        ("SPDXVersion: SPDX-2.3\nPackageName: ", "x", "\n"),
    ];
    let (begin, part, end) = lines[usize::try_from(which).expect("small")];
    Made::new(move |at, to| {
        match at {
            0 => to.push_str(begin),
            1..=120 => to.push_str(&part.repeat(50 * 1024 / part.len())),
            121 => to.push_str(end),
            _ => return false,
        }
        true
    })
}

/// The most memory that this process ever had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("VmHWM");
    line.split_ascii_whitespace().nth(1).expect("a number").parse().expect("a number")
}

/// Set in the process of its own in which memory is measured.
const MEASURES: &str = "PC_TEST_SBOM_MEMORY";

/// By how much reading a million packages, and hostile documents, raises the peak, in KiB.
fn growth() -> u64 {
    let before = peak();
    let mut count = 0;
    let facts = packages(million(), |entry| count += u64::from(entry.version.is_some()));
    let facts = facts.expect("a bill of materials");
    assert_eq!((facts.packages, facts.format_word().as_str()), (MILLION, "spdx/2.3+json"));
    assert_eq!(count, MILLION);
    for which in 0..4 {
        packages(hostile(which), |_| {}).expect("a bill of materials");
    }
    peak() - before
}

/// A million packages, and 6 MB of one text, take no more memory than a few. Other tests would be
/// measured as well, so this one runs itself again in a process of its own.
#[test]
fn memory_stays_the_same() {
    if std::env::var_os(MEASURES).is_some() {
        println!("grew by {} KiB", growth());
        return;
    }
    let out = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "sbom::memory_stays_the_same", "--nocapture"])
        .env(MEASURES, "1")
        .output()
        .expect("a process");
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{text}{}", String::from_utf8_lossy(&out.stderr));
    let grew = text.lines().find_map(|line| line.split_once("grew by ")).expect("a measure").1;
    let grew: u64 = grew.trim_end_matches(" KiB").parse().expect("a number");
    // Allocators keep what they have; the documents together are more than 150 MB.
    assert!(grew < 16 * 1024, "grew by {grew} KiB");
}

/// What BuildKit's shape in the committed images says, attested and not.
#[test]
fn the_images_in_testdata() {
    let mut seen = 0;
    let layouts = testkit::root().join("testdata/layouts");
    for name in ["shop/cart", "shop/web"] {
        let blobs = layouts.join("registry.example.com").join(name).join("blobs/sha256");
        for entry in std::fs::read_dir(blobs).expect("a layout").flatten() {
            let bytes = std::fs::read(entry.path()).expect("a blob");
            let Some(statement) = statement_in(&bytes) else { continue };
            if statement.kind() != Kind::Sbom {
                continue;
            }
            seen += 1;
            let mut list = Vec::new();
            let facts =
                sbom::packages_in_predicate(&statement, |it| list.push(it)).expect("packages");
            assert_eq!((facts.format_word().as_str(), facts.packages), ("spdx/2.3+json", 3));
            assert_eq!(facts.tool.as_deref(), Some("buildkit-v0.25.1, syft-v1.33.0"));
            assert_eq!(list[1].purl.as_deref(), Some("pkg:deb/debian/libssl3@3.0.17-1~deb12u3"));
            assert_eq!(read_predicate(&statement).expect("facts"), facts);
        }
    }
    assert_eq!(seen, 5);
}

/// A statement, in an envelope, a bundle, or as it is.
fn statement_in(bytes: &[u8]) -> Option<Statement> {
    let json: Value = serde_json::from_slice(bytes).ok()?;
    let envelope = json.get("dsseEnvelope").unwrap_or(&json);
    let payload = envelope.get("payload").and_then(Value::as_str);
    match payload {
        Some(payload) => Statement::parse(&STANDARD.decode(payload).ok()?).ok(),
        None => Statement::parse(bytes).ok(),
    }
}

const TAG_VALUE: &str = "SPDXVersion: SPDX-2.2\nDataLicense: CC0-1.0\nCreator: Tool: bom\nPackageName: a\nPackageVersion: 1\nPackageName: \"b\"\n";
const SPDX: &str = r#"{"spdxVersion": "SPDX-2.3", "creationInfo": {"creators": ["Tool: x"]}, "packages": [{"name": "a"}, {"name": "é"}]}"#;
const CYCLONEDX: &str = r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{"name": "a", "components": [{"name": "b"}]}]}"#;

/// What real cosign makes of the three kinds, and of a custom one.
#[test]
fn what_cosign_attests() {
    let Some(testbed) = testkit::Testbed::from_env("what_cosign_attests") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let cosign = |args: &[&str]| {
        let out = Command::new(testbed.bin.join("cosign"))
            .args(args)
            .current_dir(folder.path())
            .env("COSIGN_PASSWORD", "")
            .output()
            .expect("cosign");
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    };
    let write =
        |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect(name);
    cosign(&["generate-key-pair"]);
    write(
        "signing-config.json",
        r#"{"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json", "rekorTlogConfig": {}, "tsaConfig": {}}"#,
    );
    write("blob", "blob");
    for (kind, document, word) in [
        ("spdx", TAG_VALUE, "spdx/2.2+tag-value"),
        ("spdx", SPDX, "spdx/2.3+json"),
        ("spdxjson", SPDX, "spdx/2.3+json"),
        ("cyclonedx", CYCLONEDX, "cyclonedx/1.5+json"),
        ("custom", SPDX, "spdx/2.3+json"),
    ] {
        write("predicate", document);
        cosign(&[
            "attest-blob",
            "--yes",
            "--key",
            "cosign.key",
            "--signing-config",
            "signing-config.json",
            "--type",
            kind,
            "--predicate",
            "predicate",
            "--bundle",
            "bundle.json",
            "blob",
        ]);
        let statement = statement_at(&folder.path().join("bundle.json"));
        let facts = read_predicate(&statement).expect(kind);
        assert_eq!((facts.format_word().as_str(), facts.packages), (word, 2), "{kind}");
        let wanted = if kind == "custom" { Kind::Other } else { Kind::Sbom };
        assert_eq!(statement.kind(), wanted, "{}", statement.predicate_type);
    }
}

fn statement_at(path: &Path) -> Statement {
    statement_in(&std::fs::read(path).expect("a bundle")).expect("a statement")
}
