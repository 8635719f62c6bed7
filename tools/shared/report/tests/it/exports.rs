//! The report in other people's formats: the worked example, and what strangers' names can do.

use report::Report;
use report::export::{self, Format, Source};
use report::table::{Color, Look};
use serde_json::Value;

use crate::{SHOP, assemble};

const LOOK: Look = Look { width: 132, color: Color::No, rows: 200 };

/// The file that a format makes of a report, and what is said beside it.
fn written(format: Format, report: &Report) -> (String, Vec<String>) {
    let source = Source { name: Some("provenance-20261124-060000.json"), ..source(report) };
    let mut out = Vec::new();
    let notes =
        export::write(format, report, &source, &LOOK, &export::plain, &mut out).expect("written");
    (String::from_utf8(out).expect("UTF-8"), notes)
}

fn source(report: &Report) -> Source<'static> {
    Source::fresh(report, "0.1.0").expect("JSON")
}

pub(crate) fn export(format: Format, report: &Report) -> String {
    written(format, report).0
}

/// All but the report itself and the table, which have tests of their own.
pub(crate) fn formats() -> impl Iterator<Item = Format> {
    let own = [Format::Json, Format::Table];
    Format::ALL.iter().copied().filter(move |format| !own.contains(format))
}

#[test]
fn the_worked_example_in_every_format() {
    let report = assemble(SHOP);
    for format in formats() {
        insta::assert_snapshot!(format.as_str(), export(format, &report));
    }
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    for format in formats() {
        assert!(export(format, &assemble(SHOP)) == export(format, &assemble(SHOP)));
    }
}

#[test]
fn the_words_are_distinct_and_every_format_says_what_it_is() {
    let words: Vec<&str> = Format::ALL.iter().map(|format| format.as_str()).collect();
    let mut distinct = words.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), words.len());
    assert!(Format::ALL.iter().all(|format| format.meaning().len() > 20));
}

/// Names that no format may pass on as they are.
const HOSTILE: &str = "=cmd|'/C calc'!A0<script>alert(1)</script>`|\\|**x**[a](http://evil)\0\u{202e}\u{1b}[2J\n\"@all {%}";

/// The worked example with hostile names wherever a stranger can put one.
pub(crate) fn hostile() -> Report {
    let mut report = assemble(SHOP);
    let name = || HOSTILE.to_owned();
    report.metadata.cluster_name = Some(name());
    report.metadata.incomplete_why = vec![name()];
    report.metadata.complete = false;
    report.metadata.namespaces_scanned.push(name());
    for row in &mut report.images {
        row.image = name();
        row.namespace = Some(name());
        row.container = Some(name());
        row.platform = Some(name());
        row.repository = Some(name());
        row.tag = Some(name());
        row.error = Some(name());
        row.signature.error = Some(name());
        row.provenance.error = Some(name());
        row.sbom.error = Some(name());
        row.update.current_tag = Some(name());
        row.update.latest_in_major = Some(name());
        row.update.newest_available = Some(name());
        row.update.reason = Some(name());
        for policy in row.policies.iter_mut().flatten() {
            policy.policy = name();
            policy.exception = Some(name());
        }
        if let Some(workload) = &mut row.workload {
            (workload.kind, workload.name, workload.api_version) = (name(), name(), name());
        }
    }
    for release in &mut report.helm_releases {
        release.namespace = name();
        release.release_name = name();
        release.chart = Some(name());
        release.version = Some(name());
        release.app_version = Some(name());
        release.status = name();
        release.images = vec![name()];
        release.origin.url = Some(format!("https://{HOSTILE}"));
        release.update.reason = Some(name());
        release.update.newest = Some(name());
    }
    for failure in &mut report.failures {
        failure.code = name();
        failure.message = name();
        failure.stage = name();
    }
    report
}

#[test]
fn hostile_names_are_text_in_every_format() {
    let report = hostile();
    for format in formats() {
        let text = export(format, &report);
        // What a machine takes literally stays what it is: an object's namespace, a statement.
        let steers = |c: char| {
            (c.is_control() && c != '\n' && c != '\r') || ('\u{202a}'..='\u{202e}').contains(&c)
        };
        let exact = matches!(format, Format::PolicyReport | Format::OpenReports)
            || format.statements().is_some();
        assert!(!text.contains(|c| steers(c) && !(exact && c == '\u{202e}')), "{format:?}");
    }
}

#[test]
fn a_hostile_name_is_no_markup() {
    let html = export(Format::Html, &hostile());
    let tags = html.matches('<').count();
    let own = ["<!doctype", "<html", "</html", "<head", "</head", "<meta", "<title", "</title"];
    let own = own.iter().chain(&["<style", "</style", "<body", "</body", "<h1", "</h1", "<h2"]);
    let own = own.chain(&["</h2", "<h3", "</h3", "<p", "</p", "<div", "</div", "<table"]);
    let own = own.chain(&["</table", "<caption", "</caption", "<thead>", "</thead", "<tbody"]);
    let own = own.chain(&["</tbody", "<tr", "</tr", "<th ", "</th>", "<td", "</td", "<code"]);
    let own = own.chain(&["</code", "<bdi", "</bdi", "<span", "</span", "<strong", "</strong"]);
    let own = own.chain(&["<ul", "</ul", "<li", "</li"]);
    assert_eq!(own.map(|tag| html.matches(tag).count()).sum::<usize>(), tags);
    assert!(!html.contains("<script") && !html.contains("src=") && !html.contains("href="));
    assert!(!html.contains("onerror") && !html.contains("url("));
}

#[test]
fn a_hostile_name_breaks_no_line_of_a_table() {
    let markdown = export(Format::Markdown, &hostile());
    let mut columns = 0;
    for line in markdown.lines() {
        assert!(!line.contains("<script") && !line.contains("](http"), "{line}");
        let cells = line.matches('|').count();
        columns = match (line.starts_with('|'), columns) {
            (false, _) => 0,
            (true, 0) => cells,
            (true, wanted) => {
                assert_eq!(cells, wanted, "{line}");
                wanted
            }
        };
    }
}

/// The records of a file by RFC 4180, read by its grammar.
fn records(csv: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut chars = csv.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match (quoted, c) {
            (true, '"') if chars.peek() == Some(&'"') => cell.extend(chars.next()),
            (_, '"') => quoted = !quoted,
            (false, ',') => record.push(std::mem::take(&mut cell)),
            (false, '\r') => {
                assert_eq!(chars.next(), Some('\n'));
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            (_, c) => cell.push(c),
        }
    }
    assert!(!quoted && cell.is_empty() && record.is_empty());
    records
}

#[test]
fn csv_has_a_cell_for_each_column_and_no_formula() {
    for report in [assemble(SHOP), hostile()] {
        let records = records(&export(Format::Csv, &report));
        assert_eq!(records.len(), report.images.len() + 1);
        for record in &records {
            assert_eq!(record.len(), records[0].len());
            let formula = |cell: &String| cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
            assert!(!record.iter().any(formula), "{record:?}");
        }
    }
}

#[test]
fn csv_leaves_empty_what_is_not_known() {
    let report = assemble(SHOP);
    let records = records(&export(Format::Csv, &report));
    let column = |name: &str| records[0].iter().position(|one| one == name).expect("a column");
    let checks = [
        ("Signed", "Signature Verdict"),
        ("Verified", "Signature Verdict"),
        ("SLSA Provenance", "Provenance Verdict"),
        ("SBOM", "SBOM Verdict"),
    ];
    let mut open = 0;
    for record in &records[1..] {
        for (answer, verdict) in checks {
            let unsaid = ["unknown", "skipped"].contains(&record[column(verdict)].as_str());
            assert_eq!(record[column(answer)].is_empty(), unsaid, "{record:?}");
            open += usize::from(unsaid);
        }
        let known = ["current", "available"].contains(&record[column("Update Status")].as_str());
        assert_eq!(!record[column("Update Available")].is_empty(), known, "{record:?}");
    }
    assert!(open > 4, "the example has open answers");
}

/// A report in which nothing could be checked.
fn open() -> Report {
    let mut report = assemble(SHOP);
    for row in &mut report.images {
        row.signature.verdict = records::Verdict::Unknown;
        (row.signature.signed, row.signature.verified) = (None, false);
        row.provenance.verdict = records::Verdict::Unknown;
        (row.provenance.has_provenance, row.provenance.level) = (None, None);
        row.sbom.verdict = records::Verdict::Unknown;
        row.sbom.has_sbom = None;
        row.update.status = report::UpdateState::Unknown;
        row.update.update_available = None;
        row.drift = report::DriftState::Unknown;
        (row.present, row.digest, row.policies) = (None, None, None);
    }
    report.helm_releases.clear();
    report.summary = report::Summary::of(&report.images, &[], report.failures.len());
    report
}

fn json(format: Format, report: &Report) -> Value {
    serde_json::from_str(&export(format, report)).expect("JSON")
}

#[test]
fn what_could_not_be_checked_neither_passes_nor_fails() {
    let sarif = json(Format::Sarif, &open());
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    assert!(results.len() > 50);
    for result in results {
        assert_eq!((&result["kind"], &result["level"]), (&"open".into(), &"note".into()));
    }
    for format in [Format::PolicyReport, Format::OpenReports] {
        let list = json(format, &open());
        for object in list["items"].as_array().expect("items") {
            let counts = &object["summary"];
            let none = [&counts["pass"], &counts["fail"], &counts["warn"]];
            assert!(none.iter().all(|count| **count == 0), "{counts}");
        }
    }
    for format in [Format::Prometheus, Format::OpenMetrics] {
        let metrics = export(format, &open());
        for line in metrics.lines().filter(|line| line.starts_with("provenance_check_results{")) {
            let judged = ["pass", "fail", "warn"].map(|word| format!("result=\"{word}\""));
            if judged.iter().any(|result| line.contains(result)) {
                assert!(line.ends_with(" 0"), "{line}");
            }
        }
    }
}

#[test]
fn what_was_not_asked_is_a_skip_everywhere() {
    let mut report = open();
    for row in &mut report.images {
        row.signature.verdict = records::Verdict::Skipped;
    }
    report.summary = report::Summary::of(&report.images, &[], report.failures.len());
    let sarif = json(Format::Sarif, &report);
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().expect("results");
    assert!(results.iter().all(|result| result["ruleId"] != "signature"));
    let said = run["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(said.contains("Signature: not asked"), "{said}");
    let metrics = export(Format::Prometheus, &report);
    let skips: Vec<&str> = metrics
        .lines()
        .filter(|line| line.contains("check=\"signature\"") && line.contains("provenance_check_"))
        .filter(|line| !line.ends_with(" 0"))
        .collect();
    assert!(!skips.is_empty() && skips.iter().all(|line| line.contains("result=\"skip\"")));
}

#[test]
fn what_has_no_room_is_counted_and_said() {
    let mut report = assemble(SHOP);
    let row = report.images.iter().find(|row| row.signature.verdict == records::Verdict::Invalid);
    let row = row.expect("an invalid signature").clone();
    report.images = vec![row; 6_000];
    let (sarif, notes) = written(Format::Sarif, &report);
    let sarif: Value = serde_json::from_str(&sarif).expect("JSON");
    let run = &sarif["runs"][0];
    assert_eq!(run["results"].as_array().expect("results").len(), 5_000);
    let omitted = run["properties"]["resultsOmitted"].as_u64().expect("a number");
    assert!(omitted >= 1_000 && notes[0].contains(&omitted.to_string()), "{notes:?}");
    let (list, notes) = written(Format::PolicyReport, &report);
    let list: Value = serde_json::from_str(&list).expect("JSON");
    let items = list["items"].as_array().expect("items");
    let object = items.iter().find(|item| item["metadata"]["namespace"] == "tools");
    let object = object.expect("the namespace's");
    let listed = object["results"].as_array().expect("results").len() as u64;
    let counted = ["fail", "warn", "error"].map(|word| object["summary"][word].as_u64());
    let counted: u64 = counted.into_iter().flatten().sum();
    assert_eq!((listed, notes.len()), (1_000, 1));
    let left = &object["metadata"]["annotations"]["provenance.nebari.dev/results-not-listed"];
    assert_eq!(*left, (counted - listed).to_string());
    assert!(object.to_string().len() < 1_400_000);
}

#[test]
fn a_fingerprint_is_about_the_place_and_not_about_the_image() {
    let fingerprints = |report: &Report| -> Vec<String> {
        let sarif = json(Format::Sarif, report);
        let results = sarif["runs"][0]["results"].as_array().expect("results").clone();
        let mut all: Vec<String> = results
            .iter()
            .map(|result| result["partialFingerprints"]["provenance/v1"].to_string())
            .collect();
        all.sort();
        all
    };
    let report = assemble(SHOP);
    let mut newer = report.clone();
    for row in newer.images.iter_mut().filter(|row| row.container.is_some()) {
        row.image.push_str("-next");
    }
    assert_eq!(fingerprints(&report), fingerprints(&newer));
}

#[test]
fn metrics_have_no_digest_pod_or_image_in_a_label() {
    let report = assemble(SHOP);
    let metrics = export(Format::Prometheus, &report);
    assert!(!metrics.contains("sha256") && !metrics.contains("ghcr.io"), "{metrics}");
    assert!(export(Format::OpenMetrics, &report).ends_with("\n# EOF\n"));
}
