//! The cases in `testdata/cases.md`, and what holds for any list.

use std::collections::BTreeSet;

use records::RuleFrom;

use super::*;
use crate::rule::Defaults;

const CASES: &str = include_str!("../../testdata/cases.md");

fn rule(text: &str) -> Rule {
    Rule::parse(text, RuleFrom::Configuration, Defaults::default()).expect("a rule")
}

/// The first cells of a row as they should be.
fn answer(used: &str, rule: &Rule, tags: &[&str]) -> [String; 3] {
    let read = rule.read(used);
    let Some(current) = read.as_ref().and_then(Tag::version) else {
        return ["not comparable".to_owned(), String::new(), String::new()];
    };
    let newer = newer(used, current, tags.iter().copied(), rule);
    let first = |line: &[Candidate]| line.first().map_or("–".to_owned(), |c| c.tag.clone());
    let elsewhere = newer.elsewhere.iter().filter(|_| newer.all.is_empty());
    let elsewhere: String = elsewhere.map(|found| format!(", but {}", found.tag)).collect();
    let newest = format!("{}{elsewhere}", first(&newer.all));
    [newest, first(&newer.in_major), first(&newer.in_patch)]
}

#[test]
fn the_cases_hold() {
    let (mut tags, mut section, mut rows, mut wrong) = (Vec::new(), "", 0, Vec::new());
    for line in CASES.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            section = name;
        } else if let Some(list) = line.strip_prefix("    ") {
            tags = list.split_whitespace().collect();
        } else if line.starts_with("| ") && !line.starts_with("| used") {
            let cells: Vec<&str> = line.trim_matches('|').split(" |").map(str::trim).collect();
            let [used, text, wanted @ ..] = &cells[..] else { panic!("{line}") };
            let found = answer(used, &rule(text), &tags);
            rows += 1;
            if found.iter().zip(wanted).any(|(found, wanted)| found != wanted) {
                wrong.push(format!(
                    "{section}: {used} {text}\n  wanted {:?}\n  found  {found:?}",
                    &wanted[..3]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows >= 150, "{rows} cases");
}

#[test]
fn the_order_of_the_list_changes_nothing() {
    let mut tags: Vec<&str> = CASES
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .flat_map(str::split_whitespace)
        .collect();
    let used: BTreeSet<&str> = tags.iter().copied().collect();
    let rule = rule("");
    for round in 0..2 {
        for used in &used {
            let Tag::Version(current) = Tag::read(used) else { continue };
            let straight = newer(used, &current, tags.iter().copied(), &rule);
            let back = newer(used, &current, tags.iter().rev().copied(), &rule);
            assert_eq!(straight, back, "{used}, round {round}");
            // What is newer is never older, and never of another shape.
            for candidate in &straight.all {
                assert_eq!(candidate.version.order(&current), Some(Ordering::Greater), "{used}");
            }
        }
        let third = tags.len() / 3;
        tags.rotate_left(third);
    }
}

#[test]
fn what_was_left_out_is_told_in_a_line_for_each_reason() {
    let tags = [
        "1.2.3",
        "1.3.0-rc1",
        "1.3.0-rc2",
        "1.4",
        "v1.5.0",
        "1.3.0-alpine",
        "20240101",
        "608111629",
        "2024.1.0",
        "0.9.0-alpine",
        "latest",
    ];
    let Tag::Version(current) = Tag::read("1.2.3") else { panic!("a version") };
    let newer = newer("1.2.3", &current, tags, &rule(""));
    assert_eq!(
        newer.left_out.lines(),
        [
            "a pre-release: 1.3.0-rc2 and 1 more",
            "another variant: 1.3.0-alpine",
            "another count of numbers: 1.4",
            "another prefix: v1.5.0",
            "a calendar version against one that is none: 2024.1.0",
            "a date and no version: 20240101",
            "a build number: 608111629",
        ]
    );
    assert!(newer.has_current && newer.all.is_empty());
}

#[test]
fn one_that_is_left_out_later_makes_room_for_the_next() {
    let tags = ["1.0.0", "1.0.1", "1.0.2", "1.1.0"];
    let Tag::Version(current) = Tag::read("1.0.0") else { panic!("a version") };
    let mut newer = newer("1.0.0", &current, tags, &rule(""));
    newer.leave_out("1.0.2", Why::Young);
    newer.leave_out("1.1.0", Why::Young);
    let first = |line: &[Candidate]| line.first().map(|c| c.tag.clone());
    assert_eq!(first(&newer.all).as_deref(), Some("1.0.1"));
    assert_eq!(first(&newer.in_patch).as_deref(), Some("1.0.1"));
    assert_eq!((newer.behind, newer.in_minor.len()), (1, 0));
    assert_eq!(newer.left_out.lines(), ["younger than the minimum age: 1.1.0 and 1 more"]);
}

#[test]
fn a_hundred_thousand_tags_are_compared_in_bounded_memory() {
    let tags: Vec<String> = (0..100_000).map(|n| format!("1.{}.{}", n / 100, n % 100)).collect();
    let Tag::Version(current) = Tag::read("1.2.3") else { panic!("a version") };
    let newer = newer("1.2.3", &current, tags.iter().map(String::as_str), &rule(""));
    assert_eq!(newer.all[0].tag, "1.999.99");
    assert_eq!(newer.behind, 100_000 - 204);
    assert!([&newer.all, &newer.in_patch, &newer.in_minor].iter().all(|line| line.len() <= KEPT));
}
