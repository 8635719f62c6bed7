//! Every shape of reference against every kind of answer: a table in the documents.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;
use testkit::registry::{Bytes, Canned, DigestHeader, FakeRegistry};

use crate::{digest, image, stream};

/// A registry with an index of two platforms behind tag `1`, and what may run of it.
struct Shelf {
    registry: FakeRegistry,
    index: String,
    child: String,
    config: String,
}

impl Shelf {
    fn new() -> Self {
        let registry = FakeRegistry::start();
        let amd64 = registry.push_image("shop/web", None, "amd64");
        let arm64 = registry.push_image("shop/web", None, "arm64");
        let platforms = [("linux/amd64", &amd64), ("linux/arm64", &arm64)];
        let index = registry.push_index("shop/web", Some("1"), &platforms);
        let old = registry.push_image("shop/web", Some("old"), "old");
        let moved = registry.push_index("shop/web", None, &[("linux/amd64", &old)]);
        assert_ne!(moved.digest, index.digest);
        Self { registry, index: index.digest, child: amd64.digest, config: amd64.config }
    }

    fn moved(&self) -> String {
        let old = self.registry.push_image("shop/web", Some("old"), "old");
        self.registry.push_index("shop/web", None, &[("linux/amd64", &old)]).digest
    }
}

type Shape = (&'static str, fn(&Shelf, &str) -> Value);

const AMD64: Option<&str> = Some("linux/amd64");

const SHAPES: [Shape; 10] = [
    ("tag; its index runs", |shelf, name| running(name, ":1", &format!("{name}@{}", shelf.index))),
    ("tag; its manifest for the platform runs", |shelf, name| {
        running(name, ":1", &format!("{name}@{}", shelf.child))
    }),
    ("tag; an older index runs", |shelf, name| {
        running(name, ":1", &format!("{name}@{}", shelf.moved()))
    }),
    ("tag; an image id runs, the tag's", |shelf, name| running(name, ":1", &shelf.config)),
    ("tag; an image id runs, another's", |_, name| {
        running(name, ":1", &format!("sha256:{}", "e".repeat(64)))
    }),
    ("tag; nothing runs", |_, name| image(&format!("{name}:1"), None, AMD64, "w")),
    ("no tag (`latest`), nothing runs", |_, name| image(name, None, AMD64, "w")),
    ("digest; it runs", |shelf, name| {
        running(name, &format!("@{}", shelf.index), &format!("{name}@{}", shelf.index))
    }),
    ("tag and digest; nothing runs", |shelf, name| {
        image(&format!("{name}:1@{}", shelf.index), None, AMD64, "w")
    }),
    ("malformed", |_, name| image(&format!("{name}:1:2"), None, AMD64, "w")),
];

fn running(name: &str, reference: &str, id: &str) -> Value {
    image(&format!("{name}{reference}"), Some(id), AMD64, "w")
}

type Behaviour = (&'static str, fn(&FakeRegistry));

const SILENT: &str = "is silent";

const BEHAVIOURS: [Behaviour; 10] = [
    ("answers", |_| {}),
    ("401", |registry| all(registry, &Canned::status(401))),
    ("403", |registry| all(registry, &Canned::status(403))),
    ("404", |registry| all(registry, &Canned::status(404))),
    ("429", |registry| all(registry, &Canned::status(429))),
    ("500", |registry| all(registry, &Canned::status(500))),
    (SILENT, |registry| registry.switch(|s| s.delay = Duration::from_secs(3))),
    ("gives a digest that is none", |registry| {
        registry.switch(|s| s.digest_header = DigestHeader::Malformed);
    }),
    ("gives a wrong digest", |registry| registry.switch(|s| s.digest_header = DigestHeader::Wrong)),
    ("gives other bytes", |registry| registry.switch(|s| s.bytes = Bytes::Tampered)),
];

/// One answer to every manifest.
fn all(registry: &FakeRegistry, answer: &Canned) {
    registry.switch(|switches| switches.manifests = Some(answer.clone()));
}

/// What the record says, in a table's cell.
fn cell(shape: &Shape, behaviour: &Behaviour) -> String {
    let shelf = Shelf::new();
    let name = format!("{}/shop/web", shelf.registry.host());
    let record = shape.1(&shelf, &name);
    behaviour.1(&shelf.registry);
    // Whoever answers gets the time that a busy machine takes.
    let limit = if behaviour.0 == SILENT { "150ms" } else { "1m" };
    let ran = digest(&shelf.registry)
        .args(["--registry-timeout", limit, "--max-tries", "1"])
        .stdin(stream(&[record]))
        .run()
        .ok();
    let record = &ran.of_type("digest")[0];
    let word = |key: &str| match &record[key] {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "present".to_owned(),
        Value::Bool(false) => "**not present**".to_owned(),
        _ => "?".to_owned(),
    };
    let digest = if record["digest"].is_null() {
        "no digest".to_owned()
    } else {
        format!("by {}", word("how"))
    };
    let mut codes: Vec<String> = ran
        .of_type("failure")
        .iter()
        .map(|failure| format!("`{}`", failure["code"].as_str().unwrap_or("?")))
        .collect();
    codes.dedup();
    let present = word("present").replace('?', "present?");
    format!("{digest}, {}, {present} {}", word("drift"), codes.join(" ")).trim_end().to_owned()
}

#[test]
fn the_table_of_shapes_and_answers_is_what_is_answered() {
    let cells: Vec<Vec<String>> = std::thread::scope(|scope| {
        let rows: Vec<_> = BEHAVIOURS
            .iter()
            .map(|behaviour| {
                scope.spawn(move || SHAPES.iter().map(|shape| cell(shape, behaviour)).collect())
            })
            .collect();
        rows.into_iter().map(|row| row.join().expect("a row")).collect()
    });
    let mut page = String::new();
    for (behaviour, row) in BEHAVIOURS.iter().zip(&cells) {
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "\n**A registry that {}**\n\n| reference | digest, drift, presence, failures |\n|---|---|",
            said(behaviour.0)
        );
        for (shape, cell) in SHAPES.iter().zip(row) {
            let _ = writeln!(page, "| {} | {cell} |", shape.0);
        }
    }
    page.push('\n');
    testkit::generated_part("docs/digests.md", "answers", &page);
    // Whatever the registry does but answer, nothing is claimed of a tag.
    for row in &cells[1..7] {
        assert!(
            row.iter().all(|cell| !cell.contains(" same") && !cell.contains(" moved")),
            "{row:?}"
        );
    }
}

/// A behaviour as a verb.
fn said(behaviour: &str) -> String {
    if behaviour.parse::<u16>().is_ok() {
        format!("answers {behaviour}")
    } else {
        behaviour.to_owned()
    }
}
