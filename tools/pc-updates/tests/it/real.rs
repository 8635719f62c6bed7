//! Against real registries, with tags that crane set and a chart that oras pushed.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use testkit::{Ran, Testbed, pc};

use crate::charts::release;
use crate::{stream, update};

/// Puts one image there by these tags.
fn push(testbed: &Testbed, home: &Path, place: &str, tags: &[&str]) {
    let layer = home.join("layer.tar");
    // A tar archive without entries is two blocks of zeros.
    fs::write(&layer, [0; 1024]).expect("written");
    let first = format!("{place}:{}", tags[0]);
    let crane = || testbed.tool("crane", home);
    let image = crane().args(["append", "--oci-empty-base", "-t", &first, "-f"]).arg(&layer);
    let _ = image.run().ok();
    for tag in &tags[1..] {
        let _ = crane().args(["tag", &first, tag]).run().ok();
    }
}

fn word<'v>(record: &'v Value, key: &str) -> &'v str {
    record[key].as_str().unwrap_or("-")
}

#[test]
fn images_of_real_registries() {
    let Some(testbed) = Testbed::from_env("images_of_real_registries") else { return };
    let signature = format!("sha256-{}.sig", "a".repeat(64));
    let tags = [
        "1.27.3-alpine",
        "1.27.5-alpine",
        "1.29.1-alpine",
        "1.29.1",
        "1.30.0-rc1-alpine",
        "latest",
        "20240101",
        "608111629",
        &signature,
    ];
    let (user, password) =
        (testbed.var("AUTH_REGISTRY_USER"), testbed.var("AUTH_REGISTRY_PASSWORD"));
    for host in
        [testbed.registry.clone(), testbed.oci_registry.clone(), testbed.var("AUTH_REGISTRY")]
    {
        let home = tempfile::tempdir().expect("a folder");
        let auths = json!({"auths": {&host: {"username": user, "password": password}}});
        fs::write(home.path().join("config.json"), auths.to_string()).expect("written");
        let place = format!("{host}/{}", testbed.fresh("updates/web"));
        push(&testbed, home.path(), &place, &tags);
        let ask = |tag: &str| -> Ran {
            pc("updates")
                .args(["--plain-http", &host, &format!("{place}:{tag}")])
                .env("PROVENANCE_REGISTRY_AUTH", home.path())
                .run()
                .ok()
        };
        let ran = ask("1.27.3-alpine");
        let record = update(&ran);
        assert_eq!(
            (word(&record, "status"), word(&record, "newest")),
            ("available", "1.29.1-alpine")
        );
        assert_eq!(
            (word(&record, "latestInPatch"), &record["behind"]),
            ("1.27.5-alpine", &json!(2))
        );
        let repository = &ran.of_type("repository")[0];
        assert_eq!(
            (&repository["tags"], &repository["evidence"]),
            (&json!(tags.len()), &json!([signature]))
        );
        assert_eq!(word(&update(&ask("1.29.1-alpine")), "status"), "current");
        // All tags stand for one image; the most precise is compared.
        let first = &ran.of_type("digest")[0];
        let by_digest = pc("updates")
            .args(["--plain-http", &host, &format!("{place}@{}", word(first, "tagDigest"))])
            .env("PROVENANCE_REGISTRY_AUTH", home.path());
        let record = update(&by_digest.run().ok());
        let found = record["tags"].as_array().expect("tags");
        assert_eq!((found.len(), word(&record, "current")), (tags.len() - 1, "1.29.1"));
        assert_eq!(word(&record, "status"), "current");
    }
}

#[test]
fn a_chart_of_a_real_registry() {
    let Some(testbed) = Testbed::from_env("a_chart_of_a_real_registry") else { return };
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("config"), r#"{"name":"web","apiVersion":"v2"}"#).expect("written");
    fs::write(home.path().join("chart"), "a chart").expect("written");
    let place = format!("{}/{}", testbed.registry, testbed.fresh("charts/web"));
    for tag in ["1.2.3", "1.3.0_up.1", "2.0.0-rc.1"] {
        let oras = testbed.tool("oras", home.path()).dir(home.path());
        let oras = oras.args(["push", "--plain-http", &format!("{place}:{tag}")]);
        let config = "config:application/vnd.cncf.helm.config.v1+json";
        let layer = "chart:application/vnd.cncf.helm.chart.content.v1.tar+gzip";
        let _ = oras.args(["--config", config, layer]).run().ok();
    }
    let record = release("web", "web", "1.2.3", Some(&format!("oci://{place}")));
    let ran =
        pc("updates").args(["--plain-http", &testbed.registry]).stdin(stream(&[record])).run().ok();
    let record = update(&ran);
    assert_eq!((word(&record, "status"), word(&record, "newest")), ("available", "1.3.0+up.1"));
    assert_eq!(record["leftOut"], json!(["a pre-release: 2.0.0-rc.1"]));
}
