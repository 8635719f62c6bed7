//! pc-verify from the outside: the tool itself at registries that count and lie, the judge on
//! evidence that others made, and what evidence and configuration say.

mod builds;
mod crowds;
mod evidence;
mod excused;
mod judge;
mod large;
mod lies;
mod mirror;
mod names;
mod provenance;
mod requests;
mod sbom;
mod stores;
mod support;
mod trust;
mod types;

#[test]
fn the_flag_reference_is_that_of_the_parser() {
    let command = stage::cli::command::<pc_verify::Cli>();
    assert_eq!(stage::reference::faults(&command), Vec::<String>::new());
    testkit::generated("docs/tools/pc-verify.md", &stage::reference::page(&command));
}

/// The reasons of finds, as docs/verify.md lists them.
#[test]
fn the_reasons_in_the_document_are_those_of_the_code() {
    let rows = pc_verify::judged::Reason::ALL.iter().map(|reason| {
        let verdict = records::Verdict::from(reason.verdict()).as_str();
        format!("| `{}` | {verdict} | {} |\n", reason.as_str(), reason.meaning())
    });
    let table = format!("| reason | verdict | it |\n|---|---|---|\n{}", rows.collect::<String>());
    testkit::generated_part("docs/verify.md", "reasons of finds", &table);
}
