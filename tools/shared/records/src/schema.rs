//! The JSON Schema of every record, generated from its Rust type.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};

use crate::{
    Attestation, DigestRecord, End, Failure, Image, Materials, Packages, Policy, Provenance,
    Record, Release, RepositoryRecord, Runtime, Sbom, Signature, Update,
};

/// Name and schema (JSON Schema, draft 2020-12) of every record type, in the order of the stream.
#[must_use]
pub fn all() -> Vec<(&'static str, Value)> {
    vec![
        of::<Image>(),
        of::<Runtime>(),
        of::<Release>(),
        of::<DigestRecord>(),
        of::<RepositoryRecord>(),
        of::<Update>(),
        of::<Signature>(),
        of::<Provenance>(),
        of::<Sbom>(),
        of::<Attestation>(),
        of::<Policy>(),
        of::<Packages>(),
        of::<Materials>(),
        of::<Failure>(),
        of::<End>(),
    ]
}

/// One schema that takes any record of the stream, by its `type`; unknown types are taken as well.
#[must_use]
pub fn stream() -> Value {
    let cases: Vec<Value> = all()
        .into_iter()
        .map(|(name, _)| {
            json!({
                "if": { "properties": { "type": { "const": name } } },
                "then": { "$ref": format!("{name}.json") },
            })
        })
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of the stream",
        "type": "object",
        "required": ["type", "v"],
        "properties": { "type": { "type": "string" }, "v": { "type": "integer", "minimum": 0 } },
        "allOf": cases,
    })
}

fn of<R: Record + JsonSchema>() -> (&'static str, Value) {
    let generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    let mut schema = generator.into_root_schema_for::<R>().to_value();
    with_envelope(&mut schema, R::TYPE, R::VERSION);
    (R::TYPE, schema)
}

/// `type` and `v` are the wire's, not the payload's: [`crate::wire::write`] puts them in front.
fn with_envelope(schema: &mut Value, kind: &str, version: u32) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    let mut properties = serde_json::Map::new();
    properties.insert("type".into(), json!({ "const": kind }));
    properties.insert("v".into(), json!({ "const": version }));
    if let Some(Value::Object(own)) = object.remove("properties") {
        properties.extend(own);
    }
    object.insert("properties".into(), Value::Object(properties));
    let mut required = vec![json!("type"), json!("v")];
    if let Some(Value::Array(own)) = object.remove("required") {
        required.extend(own);
    }
    object.insert("required".into(), Value::Array(required));
    object.insert("title".into(), json!(format!("The `{kind}` record, version {version}")));
}
