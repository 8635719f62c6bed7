//! The page about exports: its tables are made from the code.

use report::export::{Answer, Check, Format, kind_and_level};

const PAGE: &str = "docs/exports.md";

#[test]
fn the_page_lists_the_formats() {
    let line = |format: &Format| format!("| `{}` | {} |\n", format.as_str(), format.meaning());
    let lines: String = Format::ALL.iter().map(line).collect();
    testkit::generated_part(
        PAGE,
        "formats",
        &format!("| format | what it is |\n|---|---|\n{lines}"),
    );
}

#[test]
fn the_page_lists_the_checks() {
    let line = |check: &Check| format!("| `{}` | {} |\n", check.as_str(), check.meaning());
    let lines: String = Check::ALL.iter().map(line).collect();
    testkit::generated_part(
        PAGE,
        "checks",
        &format!("| check | passes when |\n|---|---|\n{lines}"),
    );
}

#[test]
fn the_page_says_what_becomes_of_each_answer() {
    let mut page = "| answer | meaning | result | severity | SARIF kind, level |\n\
                    |---|---|---|---|---|\n"
        .to_owned();
    for answer in Answer::ALL {
        page.push_str(&line(answer, false));
        if answer.judged(true) != answer.judged(false) {
            page.push_str(&line(answer, true));
        }
    }
    testkit::generated_part(PAGE, "answers", &page);
}

fn line(answer: Answer, demanded: bool) -> String {
    let (outcome, severity) = answer.judged(demanded);
    let sarif = match kind_and_level(outcome, severity) {
        Some((kind, level)) => format!("`{kind}`, `{level}`"),
        None => "no result".to_owned(),
    };
    let demand =
        if demanded { " A policy that enforces is not met (signatures alone)." } else { "" };
    let severity = if outcome.wants_attention() { severity.as_str() } else { "" };
    let (word, meaning, result) = (answer.as_str(), answer.meaning(), outcome.as_str());
    format!("| `{word}` | {meaning}{demand} | {result} | {severity} | {sarif} |\n")
}

/// Open answers neither pass nor fail, and what was not asked is skipped.
#[test]
fn nothing_open_is_taken_for_an_answer() {
    for demanded in [false, true] {
        assert_eq!(Answer::Unknown.judged(demanded).0.as_str(), "error");
        for answer in [Answer::Skipped, Answer::NotRunning, Answer::NotComparable] {
            assert_eq!(answer.judged(demanded).0.as_str(), "skip");
        }
    }
}
