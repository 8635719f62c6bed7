//! Images that real cosign signed and attested in every way that must be told apart, judged by the
//! tool: `testdata/evidence`, whose manifest says what is expected.

use std::collections::BTreeMap;

use serde_json::Value;
use testkit::{Run, pc, root};

/// The settings that the manifest has expectations for.
const SETTINGS: [&str; 3] = ["nothing", "root", "trust"];

fn folder(name: &str) -> String {
    root().join("testdata/evidence").join(name).to_string_lossy().into_owned()
}

fn manifest() -> Value {
    let text = std::fs::read(folder("MANIFEST.json")).expect("the manifest");
    serde_json::from_slice(&text).expect("JSON")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| unreachable!("no text: {value}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn image(entry: &Value) -> String {
    format!("{}/{}:{}", text(&entry["registry"]), text(&entry["repository"]), text(&entry["tag"]))
}

/// The stream that pc-digest makes of all images.
fn digests(manifest: &Value) -> String {
    let images = list(&manifest["images"]).iter().map(image);
    pc("digest").args(["--layout", &folder("layouts")]).args(images).run().ok().text()
}

/// pc-verify in one of the settings.
fn verify(manifest: &Value, setting: &str) -> Run {
    let run = pc("verify").args(["--layout", &folder("layouts")]);
    if setting == "nothing" {
        return run;
    }
    // cosign 2 cannot write into a log of the second generation: its signatures have timestamps.
    let root = folder("trusted-root.json");
    let run = run.args(["--trusted-root", &root, "--insecure-ignore-tlog"]);
    if setting == "root" {
        return run;
    }
    let signers = manifest["trust"]["signers"].as_object().expect("signers");
    let trusted: Vec<&Value> =
        signers.values().filter(|signer| signer["trusted"] == true).collect();
    let of = |field: &str| {
        let mut all: Vec<String> = trusted
            .iter()
            .filter_map(|signer| signer[field].as_str())
            .map(|text| text.replace('.', "\\."))
            .collect();
        all.dedup();
        all.join("|")
    };
    let keys = trusted.iter().filter_map(|signer| signer["key"].as_str()).map(folder);
    let keys: Vec<String> = keys.collect();
    let sources = trusted.iter().filter_map(|signer| signer["sourceRepository"].as_str());
    let elsewhere = list(&manifest["images"]).iter().filter_map(|image| {
        let repository = image["signatureRepository"].as_str()?;
        Some(format!("{}/{repository}", text(&image["registry"])))
    });
    run.args(["--certificate-identity-regexp", &of("identity")])
        .args(["--certificate-oidc-issuer-regexp", &of("issuer")])
        .args(["--key", &keys.join(",")])
        .args(sources.flat_map(|source| ["--source-uri".to_owned(), source.to_owned()]))
        .args(elsewhere.flat_map(|place| ["--signature-repository".to_owned(), place]))
}

/// The records of a setting by type, repository and manifest.
fn answers(
    manifest: &Value,
    stream: &str,
    setting: &str,
) -> BTreeMap<(String, String, String), Value> {
    let records = verify(manifest, setting).stdin(stream).run().ok().records();
    let mut answers = BTreeMap::new();
    for record in records {
        if let (Some(repository), Some(digest)) =
            (record["repository"].as_str(), record["manifest"].as_str())
            && record.get("finds").is_some()
        {
            let kind = text(&record["type"]).to_owned();
            answers.insert((kind, repository.to_owned(), digest.to_owned()), record);
        }
    }
    answers
}

#[test]
fn every_image_gets_the_verdicts_of_its_manifest() {
    let manifest = manifest();
    let stream = digests(&manifest);
    let mut wrong = Vec::new();
    let mut compared = 0;
    for setting in SETTINGS {
        let answers = answers(&manifest, &stream, setting);
        for entry in list(&manifest["images"]) {
            let repository = format!("{}/{}", text(&entry["registry"]), text(&entry["repository"]));
            for (platform, expected) in entry["expect"].as_object().expect("expectations") {
                let digest = text(&entry["platforms"][platform]).to_owned();
                for (check, wanted) in expected[setting].as_object().expect("checks") {
                    let key = (check.clone(), repository.clone(), digest.clone());
                    let found = answers.get(&key).map_or(&Value::Null, |record| &record["verdict"]);
                    compared += 1;
                    if found != wanted {
                        wrong.push(format!(
                            "{} {platform} {setting} {check}: {found}, wanted {wanted}: {}",
                            text(&entry["variant"]),
                            answers.get(&key).map_or(&Value::Null, |record| &record["finds"]),
                        ));
                    }
                }
            }
        }
    }
    assert!(compared > 300, "{compared} verdicts were compared");
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_find_is_judged_as_its_manifest_says() {
    let manifest = manifest();
    let stream = digests(&manifest);
    let mut wrong = Vec::new();
    for setting in SETTINGS {
        let answers = answers(&manifest, &stream, setting);
        for entry in list(&manifest["images"]) {
            let repository = format!("{}/{}", text(&entry["registry"]), text(&entry["repository"]));
            for find in list(&entry["evidence"]) {
                let wanted = &find["expect"][setting];
                let check = match text(&find["check"]) {
                    "other" => "attestation",
                    check => check,
                };
                let judged = answers
                    .iter()
                    .filter(|((kind, at, _), _)| kind == check && *at == repository)
                    .flat_map(|(_, record)| list(&record["finds"]));
                let fits = |judged: &Value| {
                    let predicate = find["predicateType"].as_str();
                    judged["verdict"] == wanted["verdict"]
                        && (wanted["reason"].is_null() || judged["reason"] == wanted["reason"])
                        && (predicate.is_none()
                            || judged["predicateType"].as_str() == predicate
                            || check == "signature")
                };
                if wanted["verdict"].is_string() && !judged.clone().any(fits) {
                    let all: Vec<String> = judged
                        .map(|it| format!("{} {} {}", it["verdict"], it["reason"], it["detail"]))
                        .collect();
                    wrong.push(format!(
                        "{} {setting} {check} {}: wanted {wanted}, found {all:?}",
                        text(&entry["variant"]),
                        find["format"],
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
