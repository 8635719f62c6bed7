//! What the documents show works.

use testkit::{Shell, root};

use crate::{assemble, stream};

/// The shell blocks of a Markdown page.
fn blocks(page: &str) -> Vec<String> {
    page.split("```sh\n")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once("```")?.0.to_owned()))
        .collect()
}

#[test]
fn every_recipe_runs_and_prints_something() {
    let folder = tempfile::tempdir().expect("a folder");
    let stream = stream();
    std::fs::write(folder.path().join("report.json"), assemble(stream.clone()).run().ok().stdout)
        .expect("written");
    std::fs::write(folder.path().join("stream.ndjson"), stream).expect("written");
    let page = std::fs::read_to_string(root().join("docs/recipes.md")).expect("the page");
    let recipes = blocks(&page);
    assert!(recipes.len() >= 8, "{}", recipes.len());
    for recipe in recipes {
        let ran = Shell::Bash.script(&recipe).dir(folder.path()).run().ok();
        assert!(!ran.stdout.is_empty(), "nothing printed by:\n{recipe}");
    }
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
