//! Releases that are corrupt, each in its own way, among others that are not.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use testkit::api::{FakeApi, Reply};

use crate::{failed, gzip, helm, keeps_secrets, metadata, release, secret, short, stored};

/// 40 MiB of one letter, which no release may be large.
fn bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(b"{\"name\":\"bomb\",\"manifest\":\"").expect("packed");
    let block = vec![b'x'; 1 << 20];
    (0..40).for_each(|_| encoder.write_all(&block).expect("packed"));
    encoder.finish().expect("packed")
}

/// The corrupt ones: name, and the whole object.
fn corrupt() -> Vec<(&'static str, Value)> {
    let meta = |name: &str| metadata("shop", name, 3, "deployed");
    let json = |name: &str| release("shop", name, 3, "deployed").to_string().into_bytes();
    let of = |name: &'static str, bytes: &[u8]| (name, secret(&meta(name), bytes));
    let packed = gzip(&json("bad-gzip"));
    let mut flipped = packed.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    let mut text = json!({"metadata": meta("bad-base64"), "data": {"release": "&&&"}});
    text["kind"] = "Secret".into();
    let half = json("half-json");
    vec![
        ("bad-base64", text),
        of("bad-gzip", &flipped),
        of("bomb", &bomb()),
        of("cut-gzip", &packed[..packed.len() - 9]),
        of("half-json", &gzip(&half[..half.len() / 2])),
        of("no-release", br#"{"apiVersion":"v1","kind":"Pod"}"#),
        ("nothing", json!({"kind": "Secret", "metadata": meta("nothing"), "data": {}})),
        of("other-name", &json("another")),
        of("other-schema", br#"{"name":{"first":"other"},"version":3}"#),
    ]
}

/// An API server with all of them, and `alpha` and `zeta`, which are sound.
fn api() -> FakeApi {
    let mut all: Vec<(String, Value)> =
        corrupt().into_iter().map(|(name, object)| (name.to_owned(), object)).collect();
    for sound in ["alpha", "zeta"] {
        all.push((sound.to_owned(), stored("shop", sound, 3, "deployed")));
    }
    let mut odd = metadata("shop", "odd", 1, "deployed");
    odd["name"] = "sh.helm.release.v2.odd.v1".into();
    let foreign = json!({"namespace": "shop", "name": "not-helms", "labels": {"owner": "helm"}});
    FakeApi::start(move |uri| {
        let path = uri.split('?').next().unwrap_or_default();
        match path {
            "/api/v1/secrets" => {
                let mut items: Vec<Value> =
                    all.iter().map(|(_, object)| json!({"metadata": object["metadata"]})).collect();
                items.extend([json!({"metadata": odd}), json!({"metadata": foreign})]);
                Reply::list(&items, "")
            }
            "/api/v1/configmaps" => Reply::list(&[], ""),
            "/apis" => Reply::Json(200, json!({"kind": "APIGroupList", "groups": []})),
            _ => {
                let name = path.strip_prefix("/api/v1/namespaces/shop/secrets/sh.helm.release.v1.");
                let name = name.and_then(|name| name.strip_suffix(".v3")).unwrap_or_default();
                all.iter()
                    .find(|(known, _)| known == name)
                    .map_or(Reply::refused(404), |(_, object)| Reply::Json(200, object.clone()))
            }
        }
    })
}

#[test]
fn each_is_one_failure_that_names_it_and_all_others_are_there() {
    let ran = helm(&api()).args(["--log-level", "debug"]).run().ok();
    let names: Vec<&str> = corrupt().iter().map(|(name, _)| *name).collect();
    let mut wanted: Vec<String> =
        names.iter().map(|name| format!("shop/{name} secret v3 deployed - of 1")).collect();
    wanted.insert(0, "shop/alpha secret v3 deployed 1.3.0 of 1".into());
    wanted.push("shop/zeta secret v3 deployed 1.3.0 of 1".into());
    assert_eq!(short(&ran), wanted);
    let code = |name: &&str| if *name == "bomb" { "too-large" } else { "release-unreadable" };
    let mut wanted: Vec<String> =
        names.iter().map(|name| format!("shop/{name} {}", code(name))).collect();
    wanted.insert(0, "shop/- release-unreadable".into());
    assert_eq!(failed(&ran), wanted);
    keeps_secrets(&ran);

    let why = [
        ("bad-base64", "is not base64"),
        ("bad-gzip", "its gzip stream is broken"),
        ("bomb", "larger than 33554432 bytes"),
        ("cut-gzip", "its gzip stream is broken"),
        ("half-json", "its JSON ends too early (line 1 column "),
        ("no-release", "it holds something that has no name"),
        ("nothing", "it has no `release` in its data"),
        ("other-name", "it holds another release"),
        ("other-schema", "it is no release as Helm stores them (line 1 column "),
    ];
    let failures = ran.of_type("failure");
    for ((name, text), failure) in why.iter().zip(&failures[1..]) {
        let message = failure["message"].as_str().unwrap_or_default();
        let start =
            format!("revision 3 cannot be read from Secret `sh.helm.release.v1.{name}.v3`: ");
        assert!(message.starts_with(&start) && message.contains(text), "{name}: {message}");
        assert_eq!(
            (&failure["about"], &failure["retryable"]),
            (&json!(["release"]), &json!(false))
        );
    }
    let message = failures[0]["message"].as_str().unwrap_or_default();
    assert!(message.contains("`sh.helm.release.v2.odd.v1`"), "{message}");
    // What only the stored release says is not made up.
    let bad = &ran.of_type("release")[1];
    for key in ["chart", "version", "appVersion", "description", "firstDeployed"] {
        assert_eq!(bad[key], Value::Null, "{key}");
    }
}

#[test]
fn a_manifest_that_is_half_yaml_is_told_beside_what_it_names() {
    let mut odd = release("shop", "odd", 1, "deployed");
    odd["manifest"] = "kind: Pod\nimage: a:1\n---\nkind: Pod\n  image: [\n---\nimage: b:1\n".into();
    let object = secret(&metadata("shop", "odd", 1, "deployed"), odd.to_string().as_bytes());
    let dump = json!({"apiVersion": "v1", "kind": "List", "items": [object]}).to_string();
    let ran = testkit::pc("helm").args(["--from", "-"]).stdin(dump).run().ok();
    assert_eq!(ran.of_type("release")[0]["images"], json!(["a:1", "b:1"]));
    assert_eq!(failed(&ran), ["shop/odd release-unreadable"]);
}

#[test]
fn a_release_full_of_images_is_cut_and_counted() {
    let images: String = (0..150).map(|n| format!("- image: registry.example/{n:03}\n")).collect();
    let long = |n: usize| format!("- image: {n:03}{}\n", "\\u0001".repeat(1360));
    let hostile: String =
        (0..150).map(|n| format!("- image: \"{n:03}{}\"\n", "\\x01".repeat(2000))).collect();
    assert!(long(1).len() > 4096);
    for (name, manifest, left, dropped, failures) in
        [("many", images, 100, 50, 0), ("hostile", hostile, 0, 150, 1)]
    {
        let mut full = release("shop", name, 1, "deployed");
        full["manifest"] = format!("kind: Odd\nall:\n{manifest}").into();
        let object =
            secret(&metadata("shop", name, 1, "deployed"), &gzip(full.to_string().as_bytes()));
        let dump = json!({"apiVersion": "v1", "kind": "List", "items": [object]}).to_string();
        let ran = testkit::pc("helm").args(["--from", "-"]).stdin(dump).run().ok();
        let record = &ran.of_type("release")[0];
        assert_eq!(record["images"].as_array().map(Vec::len), Some(left), "{name}");
        assert_eq!(
            (&record["dropped"], record["version"].as_str()),
            (&json!(dropped), Some("1.1.0"))
        );
        assert_eq!(failed(&ran).len(), failures, "{name}");
    }
}
