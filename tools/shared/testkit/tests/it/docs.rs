//! What the documents show works, and prints what they say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use testkit::{Shell, generated, root};

use crate::{assemble, stream};

/// How much of a recipe's output its page shows.
const SHOWN: usize = 6;

#[test]
fn every_recipe_prints_what_its_page_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let stream = stream();
    std::fs::write(folder.path().join("report.json"), assemble(stream.clone()).run().ok().stdout)
        .expect("written");
    std::fs::write(folder.path().join("stream.ndjson"), stream).expect("written");
    let page = read("docs/recipes.md");
    let mut parts = page.split("```sh\n");
    let mut wanted = parts.next().expect("a beginning").to_owned();
    let mut recipes = 0;
    for part in parts {
        let (recipe, rest) = part.split_once("```\n").expect("the end of a block");
        // What was shown before, if anything was, makes room for what is printed now.
        let rest = match rest.strip_prefix("\n```text\n") {
            Some(shown) => shown.split_once("```\n").expect("the end of a block").1,
            None => rest,
        };
        let output = printed(recipe, folder.path());
        wanted.push_str(&format!("```sh\n{recipe}```\n\n```text\n{output}```\n{rest}"));
        recipes += 1;
    }
    assert!(recipes >= 8, "{recipes}");
    generated("docs/recipes.md", &wanted);
}

/// The first lines that a recipe prints, and its exit status where that is not 0.
fn printed(recipe: &str, folder: &Path) -> String {
    let ran = Shell::Bash.script(&format!("set -o pipefail\n{recipe}")).dir(folder).run();
    assert_eq!(ran.stderr, "", "of:\n{recipe}");
    let text = ran.text();
    let lines: Vec<&str> = text.lines().collect();
    // A status that no recipe means, and a recipe that says nothing, are faults of the recipe.
    assert!(matches!(ran.code, Some(0 | 1)), "{:?} of:\n{recipe}", ran.code);
    assert!(!lines.is_empty(), "nothing printed by:\n{recipe}");
    let mut shown: Vec<String> = lines.iter().take(SHOWN).map(|line| (*line).to_owned()).collect();
    if lines.len() > SHOWN {
        shown.push(format!("… and {} lines more", lines.len() - SHOWN));
    }
    if ran.code != Some(0) {
        shown.push("(exit status 1)".to_owned());
    }
    shown.iter().map(|line| format!("{line}\n")).collect()
}

/// The committed files that tests of the workspace generate, whole or in parts: found by the calls
/// in their sources, so that the list cannot lack one.
#[test]
fn every_generated_file_is_in_the_list() {
    let (mut whole, mut parts) = (BTreeSet::new(), BTreeSet::new());
    for source in sources(&root().join("tools")) {
        let text = std::fs::read_to_string(source).expect("a source");
        // The first string behind the name is the path; a folder stands for names that are made.
        let path = |rest: &str| {
            let path = rest.split('"').nth(1).expect("a path").to_owned();
            path.split_once('{').map_or(path.clone(), |(folder, _)| format!("{folder}*"))
        };
        let calls = |name: &str| text.split(name).skip(1).map(path).collect::<Vec<_>>();
        let ours = |path: &String| path.ends_with(".md") || path.contains('/');
        whole.extend(calls(concat!("generated", "(")).into_iter().filter(ours));
        parts.extend(calls(concat!("generated_part", "(")).into_iter().filter(ours));
    }
    let list = |paths: &BTreeSet<String>| {
        paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ")
    };
    assert!(whole.len() >= 8 && parts.len() >= 4, "{whole:?} {parts:?}");
    let text =
        format!("\n- compared whole: {}\n- compared in parts: {}\n\n", list(&whole), list(&parts));
    testkit::generated_part("docs/CONTRIBUTING.md", "generated files", &text);
}

/// The tests' sources below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs")
            && path.components().any(|part| part.as_os_str() == "tests")
        {
            found.push(path);
        }
    }
    found
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect("a page")
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut pages = vec!["README.md".to_owned(), "testdata/README.md".to_owned()];
    for folder in ["docs", "docs/tools"] {
        for entry in std::fs::read_dir(root().join(folder)).expect("a folder").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".md") {
                pages.push(format!("{folder}/{name}"));
            }
        }
    }
    let (mut links, mut faults) = (0, Vec::new());
    for page in &pages {
        let text = read(page);
        let here = root().join(page);
        let here = here.parent().expect("a folder");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            if path.contains("://") {
                continue;
            }
            links += 1;
            let file = if path.is_empty() { root().join(page) } else { here.join(path) };
            if !file.exists() || (!anchor.is_empty() && !has_heading(&file, anchor)) {
                faults.push(format!("{page}: {target}"));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert!(pages.len() > 10 && links > 30, "{links} links in {} pages", pages.len());
}

/// Whether a page has a heading that a link by this anchor leads to.
fn has_heading(file: &Path, anchor: &str) -> bool {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let slug = |line: &str| {
        let words = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words
            .chars()
            .filter(|sign| sign.is_alphanumeric() || "-_".contains(*sign))
            .collect::<String>()
    };
    text.lines().any(|line| line.starts_with('#') && slug(line) == anchor)
}

#[test]
fn the_example_stage_of_shell_and_jq_keeps_the_contract() {
    let stage = root().join("docs/examples/hub-note");
    let through = |input: Vec<u8>| {
        Shell::Dash.script(&format!("sh '{}'", stage.display())).stdin(input).run()
    };
    let whole = stream();
    let ran = through(whole.clone()).ok();
    let notes = ran.of_type("hub").len();
    assert!(notes > 0, "the example has an image on Docker Hub");
    let report: serde_json::Value =
        serde_json::from_slice(&assemble(ran.stdout).run().ok().stdout).expect("a report");
    assert_eq!(report["other"].as_array().map(Vec::len), Some(notes));
    // A cut stream stays cut behind it.
    let cut = crate::lines(&whole)[..6].concat();
    let ran = through(cut);
    assert_ne!(ran.code, Some(0));
    assert_eq!(ran.of_type("end").len(), 0);
}
