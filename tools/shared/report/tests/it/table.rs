//! The table: what people see, and what strangers' names cannot do to it.

use report::table::{Color, Look, render, summary};
use report::{Report, UpdateState};

use crate::joining::with_a_dead_registry;
use crate::{SHOP, assemble};

const PLAIN: Look = Look { width: 132, color: Color::No, rows: 200 };

/// What the escapes of colour leave.
fn uncoloured(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once('m').expect("an SGR escape").1)
}

#[test]
fn the_table_is_as_it_was() {
    insta::assert_snapshot!("wide", render(&assemble(SHOP), &PLAIN));
    let narrow = Look { width: 80, ..PLAIN };
    insta::assert_snapshot!("narrow", render(&assemble(SHOP), &narrow));
}

#[test]
fn the_summary_of_an_incomplete_report_says_so_first() {
    let cut: Vec<&str> =
        SHOP.lines().filter(|line| !line.starts_with(r#"{"type":"sbom""#)).collect();
    insta::assert_snapshot!("incomplete", summary(&assemble(&cut.join("\n")), &PLAIN));
}

#[test]
fn colour_repeats_what_words_say() {
    let coloured = render(&assemble(SHOP), &Look { color: Color::Yes, ..PLAIN });
    assert!(coloured.contains("\u{1b}[1;31minvalid\u{1b}[0m"));
    assert_eq!(uncoloured(&coloured), render(&assemble(SHOP), &PLAIN));
}

#[test]
fn hostile_names_steer_no_terminal_and_break_no_line() {
    for width in [76, 80, 100, 120, 200] {
        let text = render(&assemble(SHOP), &Look { width, ..PLAIN });
        let steers =
            |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!text.contains(steers), "{text:?}");
        for line in text.lines() {
            let columns = unicode_width::UnicodeWidthStr::width(line);
            assert!(columns <= width, "{columns} of {width}: {line}");
        }
    }
}

#[test]
fn of_too_many_rows_the_gravest_are_shown() {
    let report = assemble(SHOP);
    let two = render(&report, &Look { rows: 2, ..PLAIN });
    assert!(two.contains("… and 12 more, none of them graver than these"), "{two}");
    assert!(two.contains("ds/agent") && two.contains("moved"), "{two}");
    assert!(!two.contains("ghcr.io/acme/web"));
    let none = render(&report, &Look { rows: 0, ..PLAIN });
    assert!(none.contains("… 14 rows") && !none.contains("USED BY"), "{none}");
}

#[test]
fn checks_that_nobody_asked_for_have_no_column() {
    let mut report = assemble(SHOP);
    for row in &mut report.images {
        row.sbom.verdict = records::Verdict::Skipped;
    }
    report.summary =
        report::Summary::of(&report.images, &report.helm_releases, report.failures.len());
    let text = render(&report, &PLAIN);
    assert!(!text.contains("SBOM"));
    assert!(text.contains("  not asked   sbom\n"), "{text}");
}

#[test]
fn a_pinned_image_at_a_dead_registry_is_not_answered_in_full() {
    let report = assemble(&with_a_dead_registry());
    let text = render(&report, &PLAIN);
    assert!(text.contains("fe14010b4fe8?"), "{text}");
    assert!(text.contains("? whether the repository still has this manifest could not be checked"));
    assert!(text.contains("1/11 presence unknown"), "{text}");
    // Alone, it is no full bar.
    let only = Report {
        images: report.images.iter().filter(|row| row.pinned).cloned().collect(),
        ..report
    };
    let summary = report::Summary::of(&only.images, &[], 0);
    let text = render(&Report { summary, ..only }, &PLAIN);
    let line = text.lines().find(|line| line.starts_with("  digest ")).expect("a line");
    assert!(line.contains("░░░   0 %  0/1"), "{line}");
    assert!(line.ends_with("1/1 pinned · 1/1 presence unknown"), "{line}");
}

#[test]
fn a_row_whose_presence_is_open_is_among_the_grave_ones() {
    let mut report = assemble(SHOP);
    for row in &mut report.images {
        row.signature.verdict = records::Verdict::Trusted;
        row.provenance.verdict = records::Verdict::Trusted;
        row.sbom.verdict = records::Verdict::Trusted;
        row.update.status = UpdateState::Current;
        row.drift = report::DriftState::Same;
        row.present = (!row.pinned).then_some(true);
    }
    let text = render(&report, &Look { rows: 1, ..PLAIN });
    assert!(text.contains("sts/ledger"), "{text}");
}

#[test]
fn presence_that_nobody_asked_for_has_no_mark() {
    let mut report = assemble(SHOP);
    for row in &mut report.images {
        (row.present, row.drift) = (None, report::DriftState::Skipped);
    }
    report.summary =
        report::Summary::of(&report.images, &report.helm_releases, report.failures.len());
    let text = render(&report, &PLAIN);
    assert!(!text.contains("? whether") && !text.contains("presence unknown"), "{text}");
    assert!(text.contains("  not asked   presence, drift\n"), "{text}");
}

#[test]
fn namespaces_that_no_tally_lists_are_counted_by_what_runs_in_them() {
    let mut report = assemble(SHOP);
    report.metadata.namespaces_scanned.clear();
    let text = render(&report, &PLAIN);
    assert!(text.contains("14 uses of 11 images in 4 namespaces"), "{text}");
}

#[test]
fn an_empty_report_is_a_short_one() {
    let end = SHOP.lines().last().expect("an end");
    let start = end.find("[").expect("tallies");
    let tally =
        r#"[{"stage":"pc-discover","version":"0.1.0","startedAt":"","endedAt":"","written":{}}]}"#;
    let report: Report = assemble(&format!("{}{tally}\n", &end[..start]));
    assert!(report.metadata.complete);
    let text = render(&report, &PLAIN);
    assert!(text.contains("0 uses of 0 images in 0 namespaces\n"), "{text}");
    assert!(!text.contains("USED BY") && !text.contains("Helm"));
}

#[test]
fn of_too_many_releases_those_that_are_as_they_should_be_go_first() {
    let mut report = assemble(SHOP);
    let template = report.helm_releases[0].clone();
    let named = |name: &str, status: &str, update: UpdateState| {
        let mut release = template.clone();
        release.release_name = name.to_owned();
        release.status = status.to_owned();
        (release.deployed, release.update.status) = (None, update);
        release
    };
    report.helm_releases = vec![
        named("fine", "deployed", UpdateState::Current),
        named("fails", "failed", UpdateState::Current),
        named("old\u{1b}[2J", "deployed", UpdateState::Available),
        named("fine-too", "deployed", UpdateState::Ignored),
        named("unclear", "deployed", UpdateState::Unknown),
    ];
    let text = render(&report, &Look { rows: 3, ..PLAIN });
    let part = text.split("HELM RELEASE").nth(1).expect("a table");
    let part = part.split("Summary").next().expect("an end");
    for name in ["/fails", "/old", "/unclear"] {
        assert!(part.contains(name), "{name}: {part}");
    }
    assert!(!part.contains("fine") && !part.contains('\u{1b}'), "{part}");
    assert!(part.contains("… and 2 more Helm releases"), "{part}");
    report.helm_releases.clear();
    assert!(!render(&report, &PLAIN).contains("HELM RELEASE"));
}
