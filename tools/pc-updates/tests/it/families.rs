//! Cases of other tools: all of the families that docs/updates.md says we follow.

use std::cmp::Ordering;

use pc_updates::compare::{Newer, newer};
use pc_updates::rule::{Defaults, Rule};
use pc_updates::version::{Change, Tag};
use records::RuleFrom;
use serde_json::Value;

/// The cases of a kind by a tool.
fn cases(test: &str, kind: &str, tool: &str) -> Vec<Value> {
    let Some(folder) = testkit::shared_data(test) else {
        return Vec::new();
    };
    let text = std::fs::read_to_string(folder.join("tag-cases.json")).expect("the cases");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let cases = all[kind].as_array().expect("a list").iter();
    let cases: Vec<Value> = cases.filter(|case| case["tool"] == tool).cloned().collect();
    assert!(!cases.is_empty(), "{kind} of {tool}");
    cases
}

fn rule(text: &str) -> Rule {
    Rule::parse(text, RuleFrom::Configuration, Defaults::default()).expect("a rule")
}

/// What is newer than the case's current tag; where it has none, than the first one that is a
/// version under the rule.
fn ask(case: &Value, rule: &Rule) -> Option<(String, Newer)> {
    let tags: Vec<&str> =
        case["available"].as_array().expect("tags").iter().filter_map(Value::as_str).collect();
    let is_version = |tag: &&str| rule.read(tag).is_some_and(|tag| tag.version().is_some());
    let used = case["current"].as_str().or_else(|| tags.iter().copied().find(is_version))?;
    let Some(Tag::Version(current)) = rule.read(used) else {
        return None;
    };
    Some((used.to_owned(), newer(used, &current, tags.iter().copied(), rule)))
}

fn first(line: &[pc_updates::compare::Candidate]) -> Option<String> {
    line.first().map(|candidate| candidate.tag.clone())
}

fn expected(case: &Value) -> Option<String> {
    case["expected"].as_str().map(str::to_owned)
}

/// The newest, or what is used already where the rule lets that be.
fn newest(case: &Value, rule: &Rule) -> Option<String> {
    let (used, newer) = ask(case, rule)?;
    let allowed =
        rule.read(&used).is_some_and(|tag| tag.version().is_some_and(|v| rule.is_pinned_to(v)));
    first(&newer.all).or(allowed.then_some(used))
}

#[test]
fn version_checker_finds_the_same_newest() {
    for case in cases("version-checker", "latest", "version-checker") {
        let options = &case["options"];
        let mut words = Vec::new();
        if let (Some(major), Some(minor)) =
            (options["pin_major"].as_u64(), options["pin_minor"].as_u64())
        {
            words.push(format!("pin={major}.{minor}"));
        }
        if let Some(regex) = options["regex"].as_str() {
            // Its expressions choose tags; ours also pick, by their groups, so these are made none.
            words.push(format!("filter={}", regex.replace("(.", "(?:.").replace("(\\", "(?:\\")));
        }
        assert_eq!(newest(&case, &rule(&words.join(" "))), expected(&case), "{case}");
    }
}

#[test]
fn nova_finds_the_same_lines() {
    for case in cases("nova", "latest", "nova") {
        let (_, newer) = ask(&case, &rule("")).expect("an answer");
        let line = if case["options"]["policy"] == "patch" { &newer.in_patch } else { &newer.all };
        assert_eq!(first(line), expected(&case), "{case}");
    }
}

#[test]
fn flux_semver_finds_the_same_in_a_range() {
    for case in cases("flux-semver", "latest", "flux-semver") {
        let pin = case["constraint"].as_str().expect("a range").trim_end_matches(".x");
        assert_eq!(newest(&case, &rule(&format!("pin={pin}"))), expected(&case), "{case}");
    }
}

#[test]
fn keel_finds_the_same_by_its_policies_where_variants_are_kept() {
    for case in cases("keel", "latest", "keel") {
        // One case changes the variant, `-xx` to `-yy`, which is never done here.
        if case["id"] == "latest-089" {
            assert_eq!(newest(&case, &rule("")).as_deref(), Some("1.4.5-xx"));
            continue;
        }
        let (_, newer) = ask(&case, &rule("")).expect("an answer");
        let line = match case["options"]["policy"].as_str() {
            Some("patch") => &newer.in_patch,
            Some("minor") => &newer.in_major,
            _ => &newer.all,
        };
        assert_eq!(first(line), expected(&case), "{case}");
    }
}

/// The order of two texts, where both are versions and comparable.
fn order(a: &str, b: &str) -> Option<Ordering> {
    match (Tag::read(a), Tag::read(b)) {
        (Tag::Version(a), Tag::Version(b)) => a.order(&b),
        _ => None,
    }
}

#[test]
fn wud_orders_the_same_and_sees_steps_of_the_same_size() {
    for case in cases("wud", "compare", "wud") {
        let (a, b) = (case["a"].as_str().expect("a"), case["b"].as_str().expect("b"));
        let at_least = order(a, b).is_some_and(Ordering::is_ge);
        assert_eq!(Some(at_least), case["expected"].as_bool(), "{case}");
    }
    for case in cases("wud", "diff", "wud") {
        let read = |key: &str| Tag::read(case[key].as_str().expect("a tag"));
        let change = match (read("a"), read("b")) {
            (Tag::Version(a), Tag::Version(b)) => a.change(&b),
            _ => None,
        };
        let word = change.map(|change| match change {
            Change::Major | Change::Date => "major",
            Change::Minor => "minor",
            Change::Patch => "patch",
            Change::PreRelease | Change::Revision => "prerelease",
        });
        assert_eq!(word, case["expected"].as_str(), "{case}");
    }
}

#[test]
fn charts_have_the_versions_that_helm_and_flux_read() {
    let version = |case: &Value| case["version"].as_str().expect("a version").to_owned();
    for case in cases("masterminds-strict", "valid", "masterminds-strict") {
        let is_strict = pc_updates::charts::strict(&version(&case)).is_some();
        assert_eq!(Some(is_strict), case["expected"].as_bool(), "{case}");
    }
    for case in cases("flux-parse", "valid", "flux-parse") {
        let is_version = pc_updates::charts::ChartVersion::parse(&version(&case)).is_some();
        assert_eq!(Some(is_version), case["expected"].as_bool(), "{case}");
    }
}
