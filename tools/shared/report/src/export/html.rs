//! HTML: one file without scripts and without anything from elsewhere, which prints well: summary
//! first, then what needs attention, images, releases, what could not be found out, and controls.
//!
//! Every text that is not this file's own goes through [`Escaped`]; a content security policy in
//! the document forbids what an escape might have missed.

use std::fmt;
use std::io::{self, Write};

use crate::{Report, Row};

use super::controls::Controls;
use super::vocabulary::{Answer, Outcome};
use super::{Source, judge, view};

const STYLE: &str = include_str!("html.css");

/// Writes the report as HTML.
pub(super) fn write(report: &Report, source: &Source<'_>, out: &mut dyn Write) -> io::Result<()> {
    head(report, out)?;
    cover(report, source, out)?;
    summary(report, out)?;
    attention(report, out)?;
    images(report, out)?;
    releases(report, out)?;
    failures(report, out)?;
    controls(report, out)?;
    out.write_all(b"</body>\n</html>\n")
}

/// A text as it stands between tags or in a quoted attribute.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in view::shown(self.0).chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '`' => f.write_str("&#96;")?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

/// A name: isolated, so that letters that run from right to left turn nothing around them.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => f.write_str("<span class=\"off\">none</span>"),
            name => write!(f, "<code><bdi>{}</bdi></code>", Escaped(name)),
        }
    }
}

fn cluster(report: &Report) -> &str {
    report.metadata.cluster_name.as_deref().unwrap_or("a cluster without a name")
}

fn head(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
         'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>Provenance of {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
        Escaped(cluster(report)),
    )
}

fn cover(report: &Report, source: &Source<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (metadata, summary) = (&report.metadata, &report.summary);
    writeln!(out, "<h1>Provenance of <bdi>{}</bdi></h1>", Escaped(cluster(report)))?;
    writeln!(
        out,
        "<p>Generated {}: {} uses of {} images in {} namespaces; {} Helm releases.</p>",
        Escaped(&metadata.generated_at),
        summary.total_images,
        summary.unique_images,
        metadata.namespaces_scanned.len(),
        summary.total_helm_releases,
    )?;
    let name = source.name.map(|name| format!("{} with ", Name(name))).unwrap_or_default();
    let digest = Name(source.digest.as_str());
    writeln!(out, "<p class=\"soft\">Made from the report {name}{digest}.</p>")?;
    if metadata.complete {
        return Ok(());
    }
    writeln!(
        out,
        "<div class=\"incomplete\"><p><strong>This report is incomplete.</strong> What is missing \
         is not counted below.</p>\n<ul>"
    )?;
    for why in &metadata.incomplete_why {
        writeln!(out, "<li>{}</li>", Escaped(why))?;
    }
    writeln!(out, "</ul></div>")
}

/// A column: its name, and its share of the width in percent. A name that begins with `#` is that
/// of a column of numbers.
type Column = (&'static str, u8);

/// Opens a table: its heading, what it is, and its columns.
fn table(out: &mut dyn Write, heading: &str, caption: &str, columns: &[Column]) -> io::Result<()> {
    write!(out, "{heading}\n<div class=\"wide\"><table>\n")?;
    if !caption.is_empty() {
        writeln!(out, "<caption>{}</caption>", Escaped(caption))?;
    }
    write!(out, "<thead><tr>")?;
    for (column, width) in columns {
        let (name, class) = match column.strip_prefix('#') {
            Some(name) => (name, " class=\"n\""),
            None => (*column, ""),
        };
        write!(out, "<th scope=\"col\"{class} style=\"width:{width}%\">{name}</th>")?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")
}

fn end_of_table(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</tbody></table></div>")
}

fn summary(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let caption = "Definite answers are counted over what runs, answers over distinct images \
                   (charts over releases). What could not be checked, or was not asked, is none \
                   of absent, unsigned or current.";
    let columns = [("Check", 15), ("Definite answers", 15), ("Answers", 65), ("#Of", 5)];
    table(out, "<h2>Summary</h2>", caption, &columns)?;
    for total in view::totals(report) {
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td class=\"n\">{}</td></tr>",
            total.check.label(),
            total.share().unwrap_or_else(|| "-".to_owned()),
            total.answers(),
            total.of,
        )?;
    }
    end_of_table(out)
}

fn attention(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (findings, all) = view::attention(report);
    if findings.is_empty() {
        return writeln!(out, "<h2>Needs attention</h2>\n<p>Nothing of what was asked.</p>");
    }
    let columns = [
        ("Severity", 6),
        ("Result", 5),
        ("What", 33),
        ("Image or release", 31),
        ("Where", 20),
        ("#Uses", 5),
    ];
    table(out, "<h2>Needs attention</h2>", "", &columns)?;
    for finding in &findings {
        writeln!(
            out,
            "<tr><td>{}</td><td class=\"{}\">{}</td><td>{}</td><td>{}</td><td>{}</td>\
             <td class=\"n\">{}</td></tr>",
            finding.severity.as_str(),
            tone(finding.outcome),
            finding.outcome.as_str(),
            Escaped(&finding.what),
            Name(&finding.subject),
            Name(&finding.place),
            finding.uses,
        )?;
    }
    end_of_table(out)?;
    match all - findings.len() {
        0 => Ok(()),
        more => writeln!(out, "<p>{more} more findings, none of them graver, are not listed.</p>"),
    }
}

/// The class of a result; the word beside it says the same.
fn tone(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "good",
        Outcome::Fail => "bad",
        Outcome::Warn => "fair",
        Outcome::Error => "open",
        Outcome::Skip => "off",
    }
}

fn images(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let columns = [
        ("Where", 16),
        ("Image", 23),
        ("Digest", 20),
        ("Platform", 7),
        ("Signature", 6),
        ("Provenance", 7),
        ("SBOM", 6),
        ("Drift", 6),
        ("Update", 9),
    ];
    table(out, "<h2>Images</h2>", "", &columns)?;
    report.images.iter().try_for_each(|row| image(row, out))?;
    end_of_table(out)
}

fn image(row: &Row, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "<tr><td>{}</td><td>{}</td>", Name(&view::place(row)), Name(&row.image))?;
    match &row.digest {
        Some(digest) => write!(out, "<td>{}</td>", Name(digest.as_str()))?,
        None => write!(out, "<td class=\"open\">unknown</td>")?,
    }
    match &row.platform {
        Some(platform) => write!(out, "<td>{}</td>", Escaped(platform))?,
        None => write!(out, "<td class=\"open\">unknown</td>")?,
    }
    let [signature, provenance, sbom, drift, update] = view::answers(row);
    let judged = |answer: Answer| tone(answer.judged(false).0);
    let drifted = if row.runs() { row.drift.into() } else { Answer::NotRunning };
    let cells = [
        (judged(row.signature.verdict.into()), signature),
        (judged(row.provenance.verdict.into()), provenance),
        (judged(row.sbom.verdict.into()), sbom),
        (judged(drifted), drift),
        (judged(row.update.status.into()), update),
    ];
    for (class, text) in cells {
        write!(out, "<td class=\"{class}\">{}</td>", Escaped(&text))?;
    }
    writeln!(out, "</tr>")
}

fn releases(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.helm_releases.is_empty() {
        return Ok(());
    }
    let columns = [
        ("Release", 22),
        ("Chart", 18),
        ("Version", 12),
        ("Application", 12),
        ("Status", 10),
        ("Update", 26),
    ];
    table(out, "<h2>Helm releases</h2>", "", &columns)?;
    for release in &report.helm_releases {
        let judged = judge::release(release);
        let name = format!("{}/{}", release.namespace, release.release_name);
        let or_unknown = |value: &Option<String>| match value {
            Some(value) => Name(value).to_string(),
            None => "<span class=\"open\">unknown</span>".to_owned(),
        };
        writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"{}\">{}</td></tr>",
            Name(&name),
            or_unknown(&release.chart),
            or_unknown(&release.version),
            or_unknown(&release.app_version),
            Escaped(&release.status),
            tone(judged.outcome),
            Escaped(&judged.to_string()),
        )?;
    }
    end_of_table(out)
}

fn failures(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let failures = view::failures(report);
    if failures.is_empty() {
        return Ok(());
    }
    let columns = [("#Times", 6), ("Reason", 18), ("First message", 76)];
    table(out, "<h2>Could not be found out</h2>", "", &columns)?;
    for (count, code, message) in failures {
        let (code, message) = (Name(code), Escaped(message));
        writeln!(out, "<tr><td class=\"n\">{count}</td><td>{code}</td><td>{message}</td></tr>")?;
    }
    end_of_table(out)
}

fn controls(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let controls = Controls::load()?;
    writeln!(
        out,
        "<h2>Controls</h2>\n<p>Evidence for controls, never compliance with them. Table of {}.</p>",
        Escaped(&controls.checked_on)
    )?;
    for framework in &controls.frameworks {
        let heading = format!("<h3>{}</h3>", Escaped(&framework.name));
        let caption =
            format!("{}; {}; {}.", framework.edition, framework.source, framework.checked);
        let columns = [
            ("Control", 20),
            ("What this report proves", 28),
            ("What it cannot", 28),
            ("Figures", 24),
        ];
        table(out, &heading, &caption, &columns)?;
        for control in &framework.controls {
            writeln!(
                out,
                "<tr><td><strong>{}</strong> {}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                Escaped(&control.id),
                Escaped(&control.title),
                Escaped(&control.proves),
                Escaped(&control.cannot),
                Escaped(&control.figures(report).join("; ")),
            )?;
        }
        end_of_table(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_of_a_hostile_name_is_markup() {
        let hostile = "\"'><script>alert(1)</script>&amp;`\0\u{202e}\u{1b}[2J";
        let safe = Name(hostile).to_string();
        let inside =
            safe.strip_prefix("<code><bdi>").and_then(|rest| rest.strip_suffix("</bdi></code>"));
        let inside = inside.expect("a name");
        assert!(
            !inside.contains(['<', '>', '"', '\'', '`', '\0', '\u{202e}', '\u{1b}']),
            "{inside}"
        );
        assert!(inside.contains("&amp;amp;"), "{inside}");
    }
}
