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
        "{host}/shop/web:1.27-alpine  update available\n  newest       1.29-alpine\n  \
         left out     a pre-release: 1.30-rc-alpine\n               \
         another variant: 1.29-alpine-slim and 1 more\n\n\
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
