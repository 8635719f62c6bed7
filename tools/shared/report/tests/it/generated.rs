//! The report's JSON Schema and its page of tables, made from the types and committed.

use std::fmt::Write as _;

use report::Report;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::{SHOP, assemble};

fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Report>().to_value();
    schema["title"] = Value::from(format!("The report, version {}", report::SCHEMA_VERSION));
    schema
}

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let mut text = serde_json::to_string_pretty(&schema()).expect("JSON");
    text.push('\n');
    testkit::generated("docs/schema/report.json", &text);
}

#[test]
fn the_committed_tables_are_those_of_the_types() {
    testkit::generated("docs/report-schema.md", &page(&schema()));
}

#[test]
fn a_report_is_valid_by_its_schema() {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    let report = serde_json::to_value(assemble(SHOP)).expect("JSON");
    let faults: Vec<String> = validator
        .iter_errors(&report)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert_eq!(faults, Vec::<String>::new());
    let mut wrong = report;
    wrong["images"][0]["signature"]["verdict"] = Value::from("fine");
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn every_field_says_what_it_means() {
    let schema = schema();
    let definitions = schema["$defs"].as_object().expect("definitions");
    for (name, definition) in definitions.iter().chain([(&"Report".to_owned(), &schema)]) {
        for (field, property) in fields(definition) {
            assert!(meaning(property, &schema).len() > 5, "{name}.{field}");
        }
    }
}

const TOP: &str = "\
# The report

<!-- Generated from the types in tools/shared/report; do not edit. -->

One JSON document, which `pc-assemble` writes and `pc-store` keeps. Its JSON Schema is
[schema/report.json](schema/report.json).

- A row of `images` is one thing that runs. It names its evidence by `repository`, `index` and
  `manifest`, and never holds it: a thousand uses of one image carry its evidence once.
- `unknown` means could not be checked, and an `error` or `reason` beside it says why. `skipped`
  means nobody asked. Neither is ever shown as absent, unsigned or current; where a boolean would
  have to choose, it is null.
- Lists are sorted, and two reports of the same facts at the same time have the same bytes.
- A newer minor version of the schema only adds fields: ignore those that you do not know.

";

/// The page: a table for each type, in the order in which the report leads to them.
fn page(schema: &Value) -> String {
    let mut page = TOP.to_owned();
    section(&mut page, "Report", schema, schema);
    let mut names = Vec::new();
    collect(schema, schema, &mut names);
    for name in names {
        let definition = &schema["$defs"][&name];
        section(&mut page, &title(&name), definition, schema);
    }
    page
}

fn section(page: &mut String, name: &str, definition: &Value, schema: &Value) {
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(page, "## {name}\n");
    if let Some(text) = definition["description"].as_str() {
        let _ = writeln!(page, "{text}\n");
    }
    if let Some(words) = definition["oneOf"].as_array() {
        let _ = writeln!(page, "| word | meaning |\n|---|---|");
        for word in words {
            let text = word["const"].as_str().expect("a word");
            let _ = writeln!(page, "| `{text}` | {} |", cell(word["description"].as_str()));
        }
        let _ = writeln!(page);
    }
    let fields: Vec<_> = fields(definition).collect();
    if !fields.is_empty() {
        let _ = writeln!(page, "| field | type | meaning |\n|---|---|---|");
        for (field, property) in fields {
            let kind = kind(property);
            let _ = writeln!(
                page,
                "| `{field}` | {kind} | {} |",
                cell(Some(&meaning(property, schema)))
            );
        }
        let _ = writeln!(page);
    }
}

fn fields(definition: &Value) -> impl Iterator<Item = (&String, &Value)> {
    definition["properties"].as_object().into_iter().flatten()
}

/// What a property means: its own words, or those of its type.
fn meaning(property: &Value, schema: &Value) -> String {
    let own = property["description"].as_str();
    let of_type = || schema["$defs"][reference(property)?]["description"].as_str();
    own.or_else(of_type).unwrap_or_default().to_owned()
}

/// The type that a property refers to.
fn reference(property: &Value) -> Option<&str> {
    property["$ref"].as_str()?.strip_prefix("#/$defs/")
}

/// The definitions that a value leads to, each once, in the order of reading.
fn collect(value: &Value, schema: &Value, names: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, schema, names)),
        Value::Object(object) => {
            for (_, inner) in object.iter().filter(|(key, _)| *key != "$defs") {
                collect(inner, schema, names);
            }
            if let Some(name) = reference(value)
                && !names.iter().any(|known| known == name)
            {
                names.push(name.to_owned());
                collect(&schema["$defs"][name], schema, names);
            }
        }
        _ => {}
    }
}

/// A property's type in words, with a link where it is another table.
fn kind(property: &Value) -> String {
    if let Some(name) = reference(property) {
        let title = title(name);
        return format!("[{title}](#{})", title.to_lowercase().replace(' ', "-"));
    }
    if let Some(choices) = property["anyOf"].as_array() {
        let choices: Vec<String> = choices.iter().map(kind).collect();
        return choices.join(" or ");
    }
    if let Some(value) = property.get("const") {
        return format!("`{value}`");
    }
    let word = |name: &str| match name {
        "array" => format!("list of {}", kind(&property["items"])),
        "object" => object(property),
        "integer" | "number" => "number".to_owned(),
        other => other.to_owned(),
    };
    match &property["type"] {
        Value::String(name) => word(name),
        Value::Array(names) => {
            let words: Vec<String> = names.iter().filter_map(Value::as_str).map(word).collect();
            words.join(" or ")
        }
        _ => "any".to_owned(),
    }
}

fn object(property: &Value) -> String {
    match property.get("additionalProperties") {
        Some(values) if values.is_object() => format!("map to {}", kind(values)),
        _ => "object".to_owned(),
    }
}

/// `Check_SbomFind` is `Check of SbomFind` to a reader.
fn title(name: &str) -> String {
    name.replace('_', " of ")
}

fn cell(text: Option<&str>) -> String {
    let text = text.unwrap_or_default().replace('|', "\\|");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_links_only_to_what_is_on_it() {
    let page = page(&schema());
    let headings: Vec<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|title| format!("(#{})", title.to_lowercase().replace(' ', "-")))
        .collect();
    let links = page.match_indices("](#").map(|(at, _)| {
        let rest = &page[at + 1..];
        &rest[..=rest.find(')').expect("an end")]
    });
    for link in links {
        assert!(headings.iter().any(|heading| heading == link), "{link}");
    }
}
