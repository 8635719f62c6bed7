//! References as arguments.

use serde_json::Value;
use testkit::pc;
use testkit::registry::{Bytes, DigestHeader, FakeRegistry};

use crate::digest;

#[test]
fn a_reference_becomes_an_image_record_per_platform() {
    let registry = FakeRegistry::start();
    let child = registry.push_image("shop/web", None, "web");
    registry.push_index("shop/web", Some("1"), &[("linux/amd64", &child), ("linux/arm64", &child)]);
    let single = registry.push_image("shop/one", Some("1"), "one");
    let reference = |name: &str| format!("{}/shop/{name}:1", registry.host());
    let ran = digest(&registry).args([reference("web"), reference("one")]).run().ok();
    let kinds: Vec<String> = ran
        .records()
        .iter()
        .map(|r| format!("{} {}", r["type"], r["platform"]).replace('"', ""))
        .collect();
    assert_eq!(
        kinds,
        [
            "image linux/amd64",
            "digest linux/amd64",
            "image linux/arm64",
            "digest linux/arm64",
            "image linux/one",
            "digest linux/one",
            "end null",
        ]
    );
    assert_eq!(ran.of_type("digest")[2]["manifest"], *single.digest);
    let written = &ran.of_type("end")[0]["stages"][0]["written"];
    assert_eq!((&written["image"], &written["digest"]), (&3.into(), &3.into()));
    let ran = digest(&registry).args(["--platform", "linux/arm64", &reference("web")]).run().ok();
    assert_eq!(ran.of_type("digest").len(), 1);
}

#[test]
fn usage_errors_name_what_was_typed() {
    let _ = pc("digest").arg("shop/UPPER").run().code(2).says("shop/UPPER");
    let _ =
        pc("digest").args(["--platform", "linux", "nginx"]).run().code(2).says("os/architecture");
    let _ = pc("digest").args(["--plain-http", "http://x/y", "nginx"]).run().code(2);
    let _ = pc("digest")
        .args(["--registry-auth", "/no/such/file", "nginx"])
        .run()
        .code(2)
        .says("/no/such/file");
    let _ =
        pc("digest").args(["--layout", "/no/such/folder", "nginx"]).run().says("/no/such/folder");
}

#[test]
fn no_input_is_a_source_of_nothing() {
    let ran = pc("digest").arg("-n").run().ok();
    assert_eq!(ran.records().len(), 1);
    let _ = pc("digest").run().code(1).says("the input is empty");
}

#[test]
fn a_manifest_that_is_not_what_the_registry_says_is_told() {
    for (switch, code) in [(Lie::Header, "not-found"), (Lie::Bytes, "digest-mismatch")] {
        let registry = FakeRegistry::start();
        registry.push_image("shop/one", Some("1"), "one");
        registry.switch(|switches| match switch {
            Lie::Header => switches.digest_header = DigestHeader::Wrong,
            Lie::Bytes => switches.bytes = Bytes::Tampered,
        });
        let reference = format!("{}/shop/one:1", registry.host());
        for flags in [&[][..], &["--platform", "linux/amd64"]] {
            let ran = digest(&registry).arg(&reference).args(flags).run().ok();
            let failures = ran.of_type("failure");
            let codes: Vec<_> = failures.iter().map(|it| it["code"].clone()).collect();
            assert!(codes.contains(&code.into()), "{code} {flags:?}: {codes:?}");
            let record = &ran.of_type("digest")[0];
            assert_eq!((&record["present"], &record["digest"]), (&Value::Null, &Value::Null));
        }
    }
}

/// What the registry says that is not so.
enum Lie {
    Header,
    Bytes,
}
