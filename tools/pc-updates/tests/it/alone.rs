//! Images given as arguments.

use serde_json::Value;

use crate::{shelf, updates, web};

#[test]
fn a_person_gets_a_table() {
    let registry = shelf(&[
        "1.27-alpine",
        "1.29-alpine",
        "1.29",
        "1.30-rc-alpine",
        "1.29-alpine-slim",
        "latest",
    ]);
    let ran = updates(&registry)
        .args(["--format", "table", &web(&registry, "1.27-alpine"), &web(&registry, "latest")])
        .run()
        .ok();
    let host = registry.host();
    let wanted = format!(
        "{host}/shop/web:1.27-alpine  update available, 1 newer\n  newest       1.29-alpine, a minor step\n  \
         left out     a pre-release: 1.30-rc-alpine\n               \
         another variant: 1.29 and 1 more\n\n\
         {host}/shop/web:latest  not comparable\n  because      `latest` is a name, and nothing \
         runs that could be compared with it\n"
    );
    assert_eq!(ran.text(), wanted);
}

#[test]
fn a_pipe_gets_records_that_other_stages_read() {
    let registry = shelf(&["1.0.0", "1.1.0"]);
    let ran = updates(&registry).arg(web(&registry, "1.0.0")).run().ok();
    let kinds: Vec<Value> = ran.records().iter().map(|record| record["type"].clone()).collect();
    assert_eq!(kinds, ["image", "digest", "repository", "update", "end"]);
    let _ = updates(&registry).arg("shop/WEB:1").run().code(2).says("lower case");
}

/// What docs/updates.md shows is what nginx's tags (those of the cases) lead to.
#[test]
fn the_example_of_the_page_is_what_comes_out() {
    let root = testkit::root();
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect("a file");
    let cases = read("tools/pc-updates/testdata/cases.md");
    let tags = cases.split("## nginx").nth(1).and_then(|nginx| nginx.lines().nth(2)).expect("tags");
    let registry = shelf(&tags.split_whitespace().collect::<Vec<_>>());
    let image = web(&registry, "1.27-alpine");
    let ran = updates(&registry).args(["--format", "table", &image]).run().ok();
    let shown = ran.text().replace(&image, "nginx:1.27-alpine");
    let example = format!("```sh\n$ pc-updates nginx:1.27-alpine\n{shown}```\n");
    assert!(read("docs/updates.md").contains(&example), "the page should have this:\n{example}");
}

#[test]
fn what_failed_before_is_shown_too() {
    let registry = shelf(&["1.0.0", "1.1.0"]);
    let gone = format!("{}/shop/web@{}", registry.host(), crate::sha("b"));
    let ran = updates(&registry).args(["--format", "table", &gone]).run().ok();
    let text = ran.text();
    assert!(text.contains("no tag stands for this digest now"), "{text}");
    assert!(text.contains("  failed       not-found: "), "{text}");
}
