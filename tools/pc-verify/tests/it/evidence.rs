//! Images that real cosign signed and attested in every way that must be told apart, judged by the
//! tool: `testdata/evidence`, whose manifest says what is expected.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use testkit::{Run, Testbed, pc, root};

/// The settings that the manifest has expectations for.
const SETTINGS: [&str; 3] = ["nothing", "root", "trust"];

/// Images, what is expected of them, and where they are.
struct Evidence {
    images: Vec<Value>,
    /// Whom the setting `trust` trusts, by name.
    signers: Value,
    /// The folder that `signers` names keys in.
    keys: PathBuf,
    root: PathBuf,
    place: Place,
}

/// Where the images are.
enum Place {
    /// In layouts.
    Layout(PathBuf),
    /// At this registry.
    Registry(String),
}

impl Evidence {
    /// Those that come with the project.
    fn committed() -> Self {
        let folder = root().join("testdata/evidence");
        let text = std::fs::read(folder.join("MANIFEST.json")).expect("the manifest");
        let mut manifest: Value = serde_json::from_slice(&text).expect("JSON");
        Self {
            images: list(&manifest["images"]).to_vec(),
            signers: manifest["trust"]["signers"].take(),
            root: folder.join("trusted-root.json"),
            place: Place::Layout(folder.join("layouts")),
            keys: folder,
        }
    }

    /// Made a moment ago, at a registry of the testbed.
    fn made(testbed: &Testbed, registry: &str, variants: &[&str]) -> Self {
        let sign = testbed.var("SIGSTORE_SIGN");
        let run = |args: &[&str]| {
            let made = Command::new(&sign).args(args).output().expect("sign runs");
            let stderr = String::from_utf8_lossy(&made.stderr);
            assert!(made.status.success(), "{args:?}: {stderr}");
            String::from_utf8(made.stdout).expect("UTF-8")
        };
        let path = testbed.fresh("verify");
        let lines: String = match variants {
            [] => run(&["all", &format!("{registry}/{path}")]),
            some => some
                .iter()
                .map(|variant| run(&[variant, &format!("{registry}/{path}/{variant}:1.0.0")]))
                .collect(),
        };
        let images = lines.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        let mut trust: Value = serde_json::from_str(&run(&["trust"])).expect("JSON");
        let root = PathBuf::from(testbed.var("SIGSTORE_TRUSTED_ROOT"));
        Self {
            images: images.collect(),
            signers: trust["signers"].take(),
            keys: root.parent().expect("a folder").to_owned(),
            root,
            place: Place::Registry(registry.to_owned()),
        }
    }

    fn run(&self, tool: &str) -> Run {
        match &self.place {
            Place::Layout(folder) => pc(tool).arg("--layout").arg(folder),
            Place::Registry(host) => pc(tool).args(["--plain-http", host]),
        }
    }

    /// The stream that pc-digest makes of all images.
    fn digests(&self) -> String {
        self.run("digest").args(self.images.iter().map(image)).run().ok().text()
    }

    /// pc-verify in one of the settings.
    fn verify(&self, setting: &str) -> Run {
        let run = self.run("verify");
        if setting == "nothing" {
            return run;
        }
        // cosign 2 cannot write into a log of the second generation: its signatures have
        // timestamps instead.
        let run = run.arg("--trusted-root").arg(&self.root).arg("--insecure-ignore-tlog");
        if setting == "root" {
            return run;
        }
        let signers = self.signers.as_object().expect("signers");
        let trusted = || signers.values().filter(|signer| signer["trusted"] == true);
        let of = |field: &str| {
            let all: BTreeSet<String> = trusted()
                .filter_map(|signer| signer[field].as_str())
                .map(|text| text.replace('.', "\\."))
                .collect();
            Vec::from_iter(all).join("|")
        };
        let keys = trusted().filter_map(|signer| signer["key"].as_str());
        let keys = keys.map(|key| self.keys.join(key).to_string_lossy().into_owned());
        let sources = trusted().filter_map(|signer| signer["sourceRepository"].as_str());
        let elsewhere = self.images.iter().filter_map(|image| {
            let repository = image["signatureRepository"].as_str()?;
            Some(format!("{}/{repository}", text(&image["registry"])))
        });
        run.args(["--certificate-identity-regexp", &of("identity")])
            .args(["--certificate-oidc-issuer-regexp", &of("issuer")])
            .args(["--key", &Vec::from_iter(keys).join(",")])
            .args(sources.flat_map(|source| ["--source-uri".to_owned(), source.to_owned()]))
            .args(elsewhere.flat_map(|place| ["--signature-repository".to_owned(), place]))
    }

    /// The records of a setting by type, repository and manifest.
    fn answers(&self, stream: &str, setting: &str) -> BTreeMap<(String, String, String), Value> {
        let records = self.verify(setting).stdin(stream).run().ok().records();
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

    /// Compares the verdicts of all images with what is expected, and gives how many they were.
    fn compare_verdicts(&self) -> usize {
        let stream = self.digests();
        let mut wrong = Vec::new();
        let mut compared = 0;
        for setting in SETTINGS {
            let answers = self.answers(&stream, setting);
            for entry in &self.images {
                let at = format!("{}/{}", text(&entry["registry"]), text(&entry["repository"]));
                for (platform, expected) in entry["expect"].as_object().expect("expectations") {
                    let digest = text(&entry["platforms"][platform]).to_owned();
                    for (check, wanted) in expected[setting].as_object().expect("checks") {
                        let answer = answers.get(&(check.clone(), at.clone(), digest.clone()));
                        let found = answer.map_or(&Value::Null, |record| &record["verdict"]);
                        compared += 1;
                        if found != wanted {
                            wrong.push(format!(
                                "{} {platform} {setting} {check}: {found}, wanted {wanted}: {}",
                                text(&entry["variant"]),
                                answer.map_or(&Value::Null, |record| &record["finds"]),
                            ));
                        }
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
        compared
    }
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

#[test]
fn every_image_gets_the_verdicts_of_its_manifest() {
    let compared = Evidence::committed().compare_verdicts();
    assert!(compared > 300, "{compared} verdicts were compared");
}

/// Against real registries, signed a moment ago by real cosign 2 and 3 with a real Fulcio, Rekor
/// and timestamp authority: with the referrers API, and for the formats that hang differently
/// without it.
#[test]
fn images_that_were_just_signed_get_theirs() {
    let Some(testbed) = Testbed::from_env("images_that_were_just_signed_get_theirs") else {
        return;
    };
    let all = Evidence::made(&testbed, &testbed.oci_registry, &[]);
    assert!(all.compare_verdicts() > 250);
    let variants =
        ["bundle-keyless", "bundle-attestations", "github", "legacy-key", "manifest-only"];
    let without_api = Evidence::made(&testbed, &testbed.registry, &variants);
    assert!(without_api.compare_verdicts() > 50);
}

#[test]
fn every_find_is_judged_as_its_manifest_says() {
    let evidence = Evidence::committed();
    let stream = evidence.digests();
    let mut wrong = Vec::new();
    for setting in SETTINGS {
        let answers = evidence.answers(&stream, setting);
        for entry in &evidence.images {
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
