//! What docs/updates.md says of cases: its table is made of the cases, its lists of families are
//! those of the data.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

/// The first case of each section that says why.
fn table(cases: &str) -> String {
    let mut out = String::from("| of | used | newest | why |\n|---|---|---|---|\n");
    let mut section = None;
    for line in cases.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            section = Some(name);
        }
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [used, rule, newest, _, _, why] = &cells[..] else { continue };
        if used.starts_with('-') || *used == "used" || !rule.is_empty() || why.is_empty() {
            continue;
        }
        if let Some(name) = section.take() {
            let code = |text: &str| match text {
                "–" | "not comparable" => text.to_owned(),
                text => match text.split_once(", but ") {
                    Some((none, other)) => format!("{none}, but `{other}`"),
                    None => format!("`{text}`"),
                },
            };
            let _ = writeln!(out, "| {name} | `{used}` | {} | {why} |", code(newest));
        }
    }
    out
}

#[test]
fn the_table_of_the_page_is_that_of_the_cases() {
    let read = |path: &str| std::fs::read_to_string(testkit::root().join(path)).expect("a file");
    let table = table(&read("tools/pc-updates/testdata/cases.md"));
    assert!(table.contains("| nginx | `1.27-alpine` | `1.29-alpine` |"), "{table}");
    testkit::generated_part("docs/updates.md", "cases", &table);
}

/// The families that tests of ours demand (`families`), by their tool and kind in the data.
const FOLLOWED: [(&str, &str); 8] = [
    ("flux-parse", "valid"),
    ("flux-semver", "latest"),
    ("keel", "latest"),
    ("masterminds-strict", "valid"),
    ("nova", "latest"),
    ("version-checker", "latest"),
    ("wud", "compare"),
    ("wud", "diff"),
];

/// The others, and the words by which the page names them.
const NOT_FOLLOWED: [((&str, &str), &str); 10] = [
    (
        ("argocd-image-updater-StrategyAlphabetical", "latest"),
        "Argo CD Image Updater, alphabetical",
    ),
    (("argocd-image-updater-StrategyNewestBuild", "latest"), "Argo CD Image Updater, newest build"),
    (("argocd-image-updater-StrategySemVer", "latest"), "Argo CD Image Updater, semver"),
    (("flux-alphabetical", "latest"), "Flux, alphabetical"),
    (("flux-numerical", "latest"), "Flux, numerical"),
    (("flux-sort", "sorted"), "Flux, sorting"),
    (("masterminds-loose", "compare"), "Masterminds, loose"),
    (("masterminds-loose", "valid"), "Masterminds, loose"),
    (("version-checker", "compare"), "version-checker, order of any two texts"),
    (("wud(node-semver coerce)", "parse"), "What's Up Docker, coercion"),
];

#[test]
fn every_family_is_followed_or_the_page_says_why_not() {
    let Some(folder) = testkit::shared_data("every_family_is_followed_or_the_page_says_why_not")
    else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("tag-cases.json")).expect("the cases");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let kinds = all.as_object().expect("kinds of cases");
    let families: BTreeSet<(&str, &str)> = kinds
        .iter()
        .flat_map(|(kind, cases)| {
            let cases: Vec<&Value> = cases.as_array().expect("a list").iter().collect();
            cases.into_iter().filter_map(move |case| Some((case["tool"].as_str()?, kind.as_str())))
        })
        .collect();
    let known: BTreeSet<(&str, &str)> =
        FOLLOWED.into_iter().chain(NOT_FOLLOWED.map(|(family, _)| family)).collect();
    assert_eq!(families, known);
    let page = std::fs::read_to_string(testkit::root().join("docs/updates.md")).expect("the page");
    for (family, words) in NOT_FOLLOWED {
        assert!(page.contains(&format!("| {words} |")), "{family:?}: {words}");
    }
}
