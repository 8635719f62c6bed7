//! Large bills of materials that nobody signed: read as they come, and nothing of them counts
//! before their digest holds.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::registry::{Canned, FakeRegistry, Payload};
use testkit::{binaries, pc};

use crate::support::{REPOSITORY, Shop, one};

const SPDX: &str = "text/spdx+json";

const MIB: usize = 1024 * 1024;

/// A document of about so many bytes, and how many packages it has.
fn document(bytes: usize) -> (Vec<u8>, u64) {
    let mut text = br#"{"spdxVersion": "SPDX-2.3", "packages": [{"name": "first"}"#.to_vec();
    let mut count = 1;
    while text.len() < bytes {
        let package = format!(
            r#",{{"name": "package-{count}", "versionInfo": "1.{count}", "comment": "{}"}}"#,
            "x".repeat(2000)
        );
        text.extend_from_slice(package.as_bytes());
        count += 1;
    }
    text.extend_from_slice(b"]}");
    (text, count)
}

/// The answers about a shop, and the most memory that the tool had so far when it gave that on
/// bills of materials, in bytes. Its input is still open then, so the process is there to be asked.
fn measured(shop: &Shop) -> (Value, usize) {
    let mut child = Command::new(binaries().join("pc-verify"))
        .env("PROVENANCE_PLAIN_HTTP", shop.registry.host())
        .env("PROVENANCE_REGISTRY_TIMEOUT", "5m")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("pc-verify runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    writeln!(stdin, "{}", shop.digest_record()).expect("written");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let sbom = lines.find_map(|line| {
        let record: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        (record["type"] == "sbom").then_some(record)
    });
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    let kib: usize = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    writeln!(stdin, "{}", json!({"type": "end", "v": 1, "stages": []})).expect("written");
    drop(stdin);
    lines.for_each(drop);
    assert!(child.wait().expect("it ends").success());
    (sbom.expect("an answer"), kib * 1024)
}

#[test]
fn a_large_document_takes_no_more_memory_than_a_small_one() {
    let peak = |bytes: usize| {
        let shop = Shop::open();
        let (document, count) = document(bytes);
        shop.artifact(None, SPDX, &document, Some(&shop.manifest));
        let (sbom, peak) = measured(&shop);
        let find = &sbom["finds"][0];
        assert_eq!((&sbom["verdict"], &find["packages"]), (&json!("present"), &json!(count)));
        assert_eq!(
            (&find["bytes"], &find["format"]),
            (&json!(document.len()), &json!("spdx/2.3+json"))
        );
        peak
    };
    let (small, large) = (peak(2 * MIB), peak(64 * MIB));
    // 62 MiB more of document; held in memory they would be at least that.
    assert!(large < small + 15 * MIB, "{} and {} MiB", small / MIB, large / MIB);
}

/// Where the artifact's layer is.
fn layer(shop: &Shop, document: &[u8]) -> String {
    let digest = shop.registry.push_blob(REPOSITORY, document);
    format!("/v2/{REPOSITORY}/blobs/{digest}")
}

#[test]
fn nothing_of_a_document_counts_whose_digest_does_not_hold() {
    let shop = Shop::open();
    let (document, _) = document(2 * MIB);
    shop.artifact(None, SPDX, &document, Some(&shop.manifest));
    let path = layer(&shop, &document);
    let mut other = document.clone();
    let at = other.len() - 100;
    other[at] ^= 1;
    let cut = document[..document.len() - 5000].to_vec();
    for (answer, code) in [
        (Canned::status(200).body(other), "digest-mismatch"),
        (Canned::status(200).body(cut), "digest-mismatch"),
        (Canned::status(200).body([&document[..], b" "].concat()), "too-large"),
        (Canned::status(200).body(Payload::Endless), "too-large"),
        (Canned::status(404), "not-found"),
        (Canned::status(403), "forbidden"),
        (
            Canned::status(200).header("content-encoding", "gzip").body(document.clone()),
            "bad-coding",
        ),
    ] {
        shop.registry.can(&path, answer);
        let records = shop.verify(&shop.digest_record());
        let sbom = one(&records, "sbom");
        let find = &sbom["finds"][0];
        assert_eq!(sbom["verdict"], "unknown", "{code}: {sbom}");
        assert_eq!(
            (&find["packages"], &find["format"]),
            (&Value::Null, &json!("unknown")),
            "{code}"
        );
        let codes: Vec<&Value> = records
            .iter()
            .filter(|record| record["type"] == "failure")
            .map(|failure| &failure["code"])
            .collect();
        assert!(codes.contains(&&json!(code)), "{code} is not in {codes:?}");
    }
    shop.registry.uncan(&path);
    assert_eq!(one(&shop.verify(&shop.digest_record()), "sbom")["verdict"], "present");
}

#[test]
fn what_is_malformed_far_behind_is_invalid_and_gives_no_number() {
    let shop = Shop::open();
    let (mut document, _) = document(2 * MIB);
    document.truncate(document.len() - 1);
    document.extend_from_slice(b"},");
    shop.artifact(None, SPDX, &document, Some(&shop.manifest));
    let records = shop.verify_with(&shop.digest_record(), &["--packages"]);
    let sbom = one(&records, "sbom");
    assert_eq!(
        (&sbom["verdict"], &sbom["finds"][0]["reason"]),
        (&json!("invalid"), &json!("malformed"))
    );
    assert_eq!(sbom["finds"][0]["packages"], Value::Null);
    assert!(records.iter().all(|record| record["type"] != "packages"));
}

/// In two stores it is one find, asked for once, and its packages are listed on request.
#[test]
fn it_is_asked_for_once_and_is_one_find_and_its_packages_are_listed() {
    let shop = Shop::open();
    let (document, count) = document(2 * MIB);
    shop.artifact(None, SPDX, &document, Some(&shop.manifest));
    let tag = format!("{}.sbom", shop.manifest.digest.replace(':', "-"));
    shop.artifact(Some(&tag), SPDX, &document, None);
    let path = layer(&shop, &document);
    let records = shop.verify(&shop.digest_record());
    assert_eq!(one(&records, "sbom")["finds"].as_array().map(Vec::len), Some(1));
    assert_eq!(shop.registry.count("GET", &path), 1);
    let records = shop.verify_with(&shop.digest_record(), &["--packages"]);
    let listed = records.iter().filter(|record| record["type"] == "packages");
    let listed = listed.filter_map(|record| record["packages"].as_array()).map(Vec::len);
    assert_eq!(listed.sum::<usize>() as u64, count);
}

/// A connection that breaks off in the middle is tried again, and nothing is counted twice.
#[test]
fn what_breaks_off_is_read_again_from_the_start() {
    let shop = Shop::open();
    let (document, count) = document(2 * MIB);
    shop.artifact(None, SPDX, &document, Some(&shop.manifest));
    let path = layer(&shop, &document);
    // Announced is more than comes, for as long as it is the answer.
    let length = document.len().to_string();
    let half = Payload::Chunked(document[..MIB].to_vec().into());
    shop.registry.can(&path, Canned::status(200).header("content-length", &length).body(half));
    let host = shop.registry.host();
    let sbom = std::thread::scope(|scope| {
        let run = scope.spawn(|| shop.verify(&shop.digest_record()));
        while shop.registry.count("GET", &path) == 0 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        shop.registry.uncan(&path);
        run.join().expect("it runs")
    });
    let sbom = one(&sbom, "sbom");
    assert_eq!(sbom["finds"][0]["packages"], json!(count), "{host}: {sbom}");
    assert_eq!(shop.registry.count("GET", &path), 2);
}

#[test]
fn a_layout_is_read_as_it_comes_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let layout = folder.path().join("r.example/a");
    let blobs = layout.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).expect("a folder");
    let put = |bytes: &[u8]| {
        let digest = FakeRegistry::start().push_blob("x", bytes);
        std::fs::write(blobs.join(digest.trim_start_matches("sha256:")), bytes).expect("written");
        json!({"digest": digest, "size": bytes.len()})
    };
    let described = |media_type: &str, bytes: &[u8]| {
        let mut descriptor = put(bytes);
        descriptor["mediaType"] = json!(media_type);
        descriptor
    };
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    let config = described(
        "application/vnd.oci.image.config.v1+json",
        b"{\"os\":\"linux\",\"architecture\":\"amd64\"}",
    );
    let image =
        json!({"schemaVersion": 2, "mediaType": manifest_type, "config": config, "layers": []});
    let image = described(manifest_type, image.to_string().as_bytes());
    let (document, count) = document(2 * MIB);
    let artifact = json!({
        "schemaVersion": 2, "mediaType": manifest_type, "artifactType": SPDX,
        "config": described("application/vnd.oci.empty.v1+json", b"{}"),
        "layers": [described(SPDX, &document)], "subject": image,
    });
    let artifact = described(manifest_type, artifact.to_string().as_bytes());
    let mut tagged = image;
    tagged["annotations"] = json!({"org.opencontainers.image.ref.name": "1"});
    let index = json!({"schemaVersion": 2, "manifests": [tagged, artifact]});
    std::fs::write(layout.join("index.json"), index.to_string()).expect("written");
    std::fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)
        .expect("written");
    let run = |folder: &std::path::Path| {
        pc("verify")
            .arg("--layout")
            .arg(folder)
            .args(["--format", "json", "r.example/a:1"])
            .run()
            .ok()
    };
    let sbom = run(folder.path()).of_type("sbom");
    assert_eq!(sbom[0]["finds"][0]["packages"], json!(count), "{sbom:#?}");
    // The same file with another byte in it.
    let path =
        std::fs::read_dir(&blobs).expect("a folder").map(|entry| entry.expect("a file").path());
    let path = path.max_by_key(|path| path.metadata().expect("a file").len()).expect("a file");
    let mut bytes = std::fs::read(&path).expect("a file");
    bytes[1000] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    let sbom = run(folder.path()).of_type("sbom");
    assert_eq!(
        (&sbom[0]["verdict"], &sbom[0]["finds"][0]["packages"]),
        (&json!("unknown"), &Value::Null)
    );
}
