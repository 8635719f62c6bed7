//! Markdown (GitHub's flavor): summary first, then what needs attention, images, releases, what
//! could not be found out, and controls.
//!
//! Names are a stranger's. One of nothing but plain characters stands in backticks; any other, and
//! all free text, has each character that could mean something to Markdown or HTML written as a
//! character reference, which no renderer takes for markup.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::Report;

use super::controls::{Control, Controls};
use super::{Source, view};

/// Writes the report as Markdown.
pub(super) fn write(report: &Report, source: &Source<'_>, out: &mut dyn Write) -> io::Result<()> {
    head(report, source, out)?;
    summary(report, out)?;
    attention(report, out)?;
    images(report, out)?;
    releases(report, out)?;
    failures(report, out)?;
    controls(report, out)
}

fn head(report: &Report, source: &Source<'_>, out: &mut dyn Write) -> io::Result<()> {
    let metadata = &report.metadata;
    let cluster = match &metadata.cluster_name {
        Some(name) => text(name),
        None => "a cluster without a name".to_owned(),
    };
    writeln!(out, "# Provenance of {cluster}\n")?;
    if !metadata.complete {
        writeln!(out, "**This report is incomplete.** What is missing is not counted below.\n")?;
        for why in &metadata.incomplete_why {
            writeln!(out, "- {}", text(why))?;
        }
        writeln!(out)?;
    }
    let summary = &report.summary;
    writeln!(
        out,
        "Generated {}. {} uses of {} images in {} namespaces; {} Helm releases.\n",
        text(&metadata.generated_at),
        summary.total_images,
        summary.unique_images,
        metadata.namespaces_scanned.len(),
        summary.total_helm_releases,
    )?;
    if let Some(name) = source.name {
        writeln!(out, "Report {}\\", code(name))?;
    }
    writeln!(out, "Made from the report with {}.\n", code(source.digest.as_str()))
}

fn summary(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## Summary\n\n| Check | Definite answers | Answers | Of |")?;
    writeln!(out, "|---|---|---|--:|")?;
    for total in view::totals(report) {
        let share = total.share().unwrap_or_else(|| "-".to_owned());
        let (check, answers) = (total.check.label(), total.answers());
        writeln!(out, "| {check} | {share} | {answers} | {} |", total.of)?;
    }
    writeln!(
        out,
        "\nDefinite answers are counted over what runs, answers over distinct images (charts over \
         releases). What could not be checked, or was not asked, is none of absent, unsigned or \
         current.\n"
    )
}

fn attention(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (findings, all) = view::attention(report);
    writeln!(out, "## Needs attention\n")?;
    if findings.is_empty() {
        return writeln!(out, "Nothing of what was asked.\n");
    }
    writeln!(out, "| Severity | Result | What | Image or release | Where | Uses |")?;
    writeln!(out, "|---|---|---|---|---|--:|")?;
    for finding in &findings {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            finding.severity.as_str(),
            finding.outcome.as_str(),
            text(&finding.what),
            code(&finding.subject),
            code(&finding.place),
            finding.uses,
        )?;
    }
    if all > findings.len() {
        let more = all - findings.len();
        writeln!(out, "\n{more} more findings, none of them graver, are not listed.")?;
    }
    writeln!(out)
}

fn images(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "## Images\n\n| Where | Image | Digest | Platform | Signature | Provenance | SBOM | Drift \
         | Update |\n|---|---|---|---|---|---|---|---|---|"
    )?;
    for row in &report.images {
        write!(out, "| {} | {} ", code(&view::place(row)), code(&row.image))?;
        let digest = row.digest.as_ref();
        let digest = digest.map_or_else(|| "unknown".to_owned(), |digest| code(digest.as_str()));
        let platform = row.platform.as_deref().map_or_else(|| "unknown".to_owned(), text);
        write!(out, "| {digest} | {platform} ")?;
        for answer in view::answers(row) {
            write!(out, "| {} ", text(&answer))?;
        }
        writeln!(out, "|")?;
    }
    writeln!(out)
}

fn releases(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.helm_releases.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "## Helm releases\n\n| Release | Chart | Version | Application | Status | Update |\n\
         |---|---|---|---|---|---|"
    )?;
    for release in &report.helm_releases {
        let name = format!("{}/{}", release.namespace, release.release_name);
        let or_unknown =
            |value: &Option<String>| value.as_deref().map_or_else(|| "unknown".to_owned(), text);
        let update = &release.update;
        let newest = update.latest_in_major.as_deref().or(update.newest.as_deref());
        let newest = newest.filter(|_| update.update_available == Some(true));
        let newest = newest.map(|newest| format!(": {}", text(newest))).unwrap_or_default();
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {}{newest} |",
            code(&name),
            or_unknown(&release.chart),
            or_unknown(&release.version),
            or_unknown(&release.app_version),
            text(&release.status),
            update.status.as_str(),
        )?;
    }
    writeln!(out)
}

fn failures(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let failures = view::failures(report);
    if failures.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "## Could not be found out\n\n| Times | Reason | First message |\n|--:|---|---|"
    )?;
    for (count, code, message) in failures {
        writeln!(out, "| {count} | {} | {} |", text(code), text(message))?;
    }
    writeln!(out)
}

fn controls(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let table = Controls::load()?;
    writeln!(
        out,
        "## Controls\n\nEvidence for controls, never compliance with them. Table of {}.\n",
        table.checked_on
    )?;
    for framework in &table.frameworks {
        writeln!(
            out,
            "### {}\n\n{}; <{}>; {}.\n\n| Control | What this report proves | What it cannot | \
             Figures |\n|---|---|---|---|",
            text(&framework.name),
            text(&framework.edition),
            framework.source,
            text(&framework.checked),
        )?;
        for control in &framework.controls {
            writeln!(out, "{}", line(control, report))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn line(control: &Control, report: &Report) -> String {
    format!(
        "| **{}** {} | {} | {} | {} |",
        text(&control.id),
        text(&control.title),
        text(&control.proves),
        text(&control.cannot),
        text(&control.figures(report).join("; ")),
    )
}

/// A name: in backticks where it is plain, else as a reference for each special character.
fn code(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "./:@_+-".contains(c);
    if !name.is_empty() && name.chars().all(plain) && name.len() <= 300 {
        return format!("`{name}`");
    }
    match name {
        "" => "-".to_owned(),
        name => format!("<code>{}</code>", text(name)),
    }
}

/// A foreign text that means nothing to Markdown, HTML, or what links by itself.
fn text(foreign: &str) -> String {
    let mut out = String::with_capacity(foreign.len());
    let shown = view::shown(foreign);
    let mut chars = shown.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        let means_something = match c {
            // Only at the start of a line is one of these the mark of a list.
            '-' | '+' => first,
            // `https://` makes a link by itself.
            ':' => chars.peek() == Some(&'/'),
            ' ' | ',' | ';' | '(' | ')' | '%' | '\'' | '?' | '"' | '.' | '/' => false,
            c => c.is_ascii_punctuation(),
        };
        first = false;
        if means_something {
            // Writing to a String cannot fail.
            let _ = write!(out, "&#{};", u32::from(c));
        } else {
            out.push(c);
        }
    }
    // So does this.
    out.replace("www.", "www&#46;").replace("WWW.", "WWW&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_is_readable() {
        assert_eq!(
            code("ghcr.io/acme/web_app:1.4@sha256:00"),
            "`ghcr.io/acme/web_app:1.4@sha256:00`"
        );
        assert_eq!(code(""), "-");
    }

    #[test]
    fn no_character_of_a_hostile_name_is_markup() {
        let hostile = "x\\|`<img src=x onerror=alert(1)>`*_~[a](http://e)!#\0\u{202e}\n@all";
        for safe in [code(hostile), text(hostile)] {
            let inside = safe.replace("<code>", "").replace("</code>", "");
            let left =
                inside.split("&#").map(|part| part.split_once(';').map_or(part, |(_, rest)| rest));
            let left: String = left.collect();
            assert!(!left.contains(['|', '`', '<', '>', '*', '_', '~', '[', ']', '\\', '#', '!']));
            assert!(!left.contains(['\0', '\u{202e}', '\n', '@']), "{left}");
            assert!(!safe.contains("http:"), "{safe}");
        }
        assert_eq!(text("https://www.example.com"), "https&#58;//www&#46;example.com");
        assert_eq!(text("- not a list"), "&#45; not a list");
    }
}
