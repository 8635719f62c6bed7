//! Comma-separated values, RFC 4180: a header, then a line for each row of the report.
//!
//! The first 13 columns are those that other tools read already; the order of all is stable, and
//! new ones are added at the end. A cell is empty where the report says null. `Signed`,
//! `SLSA Provenance`, `SBOM` and `Update Available` are empty where that is not known, and so is
//! `Verified`; the verdict beside them says why.

use std::io::{self, Write};

use records::text::{MAX_STRING, clean};
use records::{ContainerType, PolicyResult, Verdict};

use crate::{Report, Row};

use super::Source;

/// What a cell is made of.
struct Line<'a> {
    row: &'a Row,
    report: &'a Report,
    source: &'a Source<'a>,
}

/// A column: its name, and what stands in it.
type Column = (&'static str, fn(&Line<'_>) -> String);

/// The columns.
const COLUMNS: &[Column] = &[
    ("Image", |line| line.row.image.clone()),
    ("Namespace", |line| text(&line.row.namespace)),
    ("Workload Kind", |line| workload(line.row, |workload| &workload.kind)),
    ("Workload Name", |line| workload(line.row, |workload| &workload.name)),
    ("Digest", |line| text(&line.row.digest)),
    ("Signed", |line| text(&line.row.signature.signed)),
    ("Verified", |line| verified(line.row)),
    ("SLSA Provenance", |line| text(&line.row.provenance.has_provenance)),
    ("SBOM", |line| text(&line.row.sbom.has_sbom)),
    ("SBOM Format", |line| text(&line.row.sbom.format)),
    ("Update Available", |line| text(&line.row.update.update_available)),
    ("Current Tag", |line| text(&line.row.update.current_tag)),
    ("Latest In Major", |line| text(&line.row.update.latest_in_major)),
    ("Container", |line| text(&line.row.container)),
    ("Container Type", |line| line.row.container_type.map_or("", ContainerType::as_str).to_owned()),
    ("State", |line| state(line.row).to_owned()),
    ("Platform", |line| text(&line.row.platform)),
    ("Pods", |line| line.row.pods.to_string()),
    ("Nodes", |line| line.row.nodes.to_string()),
    ("Repository", |line| text(&line.row.repository)),
    ("Tag", |line| text(&line.row.tag)),
    ("Pinned", |line| line.row.pinned.to_string()),
    ("Index", |line| text(&line.row.index)),
    ("Manifest", |line| text(&line.row.manifest)),
    ("Digest Proven", |line| line.row.digest_is_proven().to_string()),
    ("Present", |line| text(&line.row.present)),
    ("Drift", |line| line.row.drift.as_str().to_owned()),
    ("Tag Digest", |line| text(&line.row.tag_digest)),
    ("Digest Error", |line| text(&line.row.error)),
    ("Signature Verdict", |line| line.row.signature.verdict.as_str().to_owned()),
    ("Signature Error", |line| text(&line.row.signature.error)),
    ("Provenance Verdict", |line| line.row.provenance.verdict.as_str().to_owned()),
    ("SLSA Build Level", |line| text(&line.row.provenance.level)),
    ("Provenance Error", |line| text(&line.row.provenance.error)),
    ("SBOM Verdict", |line| line.row.sbom.verdict.as_str().to_owned()),
    ("SBOM Format Version", |line| text(&line.row.sbom.format_version)),
    ("SBOM Error", |line| text(&line.row.sbom.error)),
    ("Update Status", |line| line.row.update.status.as_str().to_owned()),
    ("Newest Available", |line| text(&line.row.update.newest_available)),
    ("Update Reason", |line| text(&line.row.update.reason)),
    ("Policies", |line| policies(line.row)),
    ("Cluster", |line| text(&line.report.metadata.cluster_name)),
    ("Generated At", |line| line.report.metadata.generated_at.clone()),
    ("Complete", |line| line.report.metadata.complete.to_string()),
    ("Report Digest", |line| line.source.digest.to_string()),
];

/// Writes the report as comma-separated values.
pub(super) fn write(report: &Report, source: &Source<'_>, out: &mut dyn Write) -> io::Result<()> {
    record(out, COLUMNS.iter().map(|(name, _)| (*name).to_owned()))?;
    report.images.iter().try_for_each(|row| {
        let line = Line { row, report, source };
        record(out, COLUMNS.iter().map(|(_, cell)| cell(&line)))
    })
}

fn record(out: &mut dyn Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        out.write_all(quoted(&cell).as_bytes())?;
    }
    out.write_all(b"\r\n")
}

/// A cell as it stands in the file: what steers a reader's screen replaced, what a spreadsheet
/// would take for a formula marked as text, and quoted where it must be (RFC 4180, section 2).
fn quoted(cell: &str) -> String {
    let clean = clean(cell, MAX_STRING);
    let clean = if is_formula(cell) || is_formula(&clean) { format!("'{clean}") } else { clean };
    if clean.contains(['"', ',']) { format!("\"{}\"", clean.replace('"', "\"\"")) } else { clean }
}

/// Whether a spreadsheet would compute a cell (OWASP, "CSV Injection"), the wide forms of the
/// signs too. White space before it does not stop all of them.
fn is_formula(cell: &str) -> bool {
    cell.starts_with(['\t', '\r', '\n'])
        || cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

fn text(value: &Option<impl ToString>) -> String {
    value.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn workload(row: &Row, part: fn(&records::Workload) -> &String) -> String {
    row.workload.as_ref().map(part).cloned().unwrap_or_default()
}

/// Nothing is said of what was not checked: `false` would look like a check that failed.
fn verified(row: &Row) -> String {
    match row.signature.verdict {
        Verdict::Unknown | Verdict::Skipped => String::new(),
        _ => row.signature.verified.to_string(),
    }
}

fn state(row: &Row) -> &'static str {
    match (row.idle, row.is_pending()) {
        (true, _) => "idle",
        (false, true) => "pending",
        (false, false) => "running",
    }
}

/// `name=pass; other=fail`; empty where nobody judged.
fn policies(row: &Row) -> String {
    let one = |policy: &crate::RowPolicy| {
        let result = match policy.result {
            PolicyResult::Pass => "pass",
            PolicyResult::Fail => "fail",
            PolicyResult::Warn => "warn",
            PolicyResult::Skip => "skip",
            PolicyResult::Unknown => "unknown",
        };
        format!("{}={result}", policy.policy)
    };
    let all: Vec<String> = row.policies.iter().flatten().map(one).collect();
    all.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "－1"]
        {
            assert!(quoted(cell).starts_with('\''), "{cell:?}: {}", quoted(cell));
        }
        assert_eq!(quoted("=cmd|' /C calc'!A0,\""), "\"'=cmd|' /C calc'!A0,\"\"\"");
        assert_eq!(quoted("nginx:1.27"), "nginx:1.27");
        assert_eq!(quoted(""), "");
    }

    #[test]
    fn no_cell_breaks_its_line() {
        assert_eq!(quoted("a\r\nb\0\u{202e}c"), "a\u{fffd}\u{fffd}b\u{fffd}\u{fffd}c");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
    }

    #[test]
    fn the_columns_that_others_read_come_first() {
        let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).take(13).collect();
        assert_eq!(
            names.join(","),
            "Image,Namespace,Workload Kind,Workload Name,Digest,Signed,Verified,SLSA Provenance,\
             SBOM,SBOM Format,Update Available,Current Tag,Latest In Major"
        );
    }
}
