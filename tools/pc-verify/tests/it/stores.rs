//! Every store failing in every way, beside nothing and beside a find: what follows is never
//! "absent".

use serde_json::{Value, json};
use testkit::registry::Canned;

use crate::support::{REPOSITORY, Shop, one, statement, tag};

const IN_TOTO: &str = "application/vnd.in-toto+json";
const SLSA: &str = "https://slsa.dev/provenance/v1";

/// The checks, and whether each store may hold their evidence.
const CHECKS: [&str; 4] = ["signature", "provenance", "sbom", "attestation"];

/// A path of the registry, the store that it belongs to, and the checks that it bears on.
fn stores(shop: &Shop) -> Vec<(String, &'static str, &'static [&'static str])> {
    let (index, manifest) = (&shop.index.digest, &shop.manifest.digest);
    let manifests = |tag: String| format!("/v2/{REPOSITORY}/manifests/{tag}");
    let mut all: Vec<(String, &str, &'static [&'static str])> = Vec::new();
    for digest in [index, manifest] {
        let referrers = format!("/v2/{REPOSITORY}/referrers/{digest}");
        all.push((referrers, "referrers", &CHECKS));
    }
    for pushed in [&shop.index, &shop.manifest] {
        all.push((manifests(tag(pushed, "")), "fallbackTag", &CHECKS));
        all.push((manifests(tag(pushed, ".sig")), "sigTag", &["signature"]));
        all.push((
            manifests(tag(pushed, ".att")),
            "attTag",
            &["provenance", "sbom", "attestation"],
        ));
        all.push((manifests(tag(pushed, ".sbom")), "sbomTag", &["sbom"]));
    }
    all
}

fn refusals() -> Vec<(Canned, &'static str)> {
    vec![
        (Canned::status(401), "unauthorized"),
        (Canned::status(403), "forbidden"),
        (Canned::status(429).header("Retry-After", "3600"), "rate-limited"),
        (Canned::status(500), "server-error"),
    ]
}

#[test]
fn where_all_answered_and_nothing_is_there_it_is_absent() {
    let shop = Shop::open();
    let records = shop.verify(&shop.digest_record());
    for check in CHECKS {
        let record = one(&records, check);
        assert_eq!((&record["verdict"], &record["whole"]), (&json!("absent"), &json!(true)));
        assert!(record["stores"].as_array().is_some_and(|stores| stores.len() >= 6), "{record}");
    }
    assert!(records.iter().all(|record| record["type"] != "failure"), "{records:#?}");
}

#[test]
fn a_store_that_fails_makes_its_checks_unknown_and_no_others() {
    for (refusal, code) in refusals() {
        let shop = Shop::open();
        for (path, store, bears_on) in stores(&shop) {
            shop.registry.can(&path, refusal.clone());
            let records = shop.verify(&shop.digest_record());
            shop.registry.uncan(&path);
            for check in CHECKS {
                let wanted = if bears_on.contains(&check) { "unknown" } else { "absent" };
                assert_eq!(one(&records, check)["verdict"], wanted, "{check}: {code} of {path}");
            }
            let failure = one(&records, "failure");
            assert_eq!(
                (&failure["code"], &failure["store"]),
                (&json!(code), &json!(store)),
                "{path}"
            );
            assert_eq!(failure["about"], json!(bears_on));
        }
    }
}

#[test]
fn beside_a_failing_store_what_was_seen_is_told() {
    let shop = Shop::open();
    let bytes = statement(&shop.manifest, SLSA, &json!({}));
    shop.artifact(None, IN_TOTO, &bytes, Some(&shop.manifest));
    let seen = |records: &[Value]| {
        let record = one(records, "provenance");
        (record["verdict"].clone(), record["seen"].clone())
    };
    let records = shop.verify(&shop.digest_record());
    assert_eq!(seen(&records), (json!("present"), json!("present")));
    let path = format!("/v2/{REPOSITORY}/manifests/{}", tag(&shop.index, ".att"));
    shop.registry.can(&path, Canned::status(500));
    let records = shop.verify(&shop.digest_record());
    assert_eq!(seen(&records), (json!("unknown"), json!("present")));
}

#[test]
fn an_empty_list_of_a_digest_that_the_repository_has_not_is_not_absent() {
    // Whatever a `digest` record says: what is to be absent is looked at.
    let shop = Shop::open();
    let path = format!("/v2/{REPOSITORY}/manifests/{}", shop.manifest.digest);
    for (answer, code) in [
        (Canned::status(404), "not-found"),
        (Canned::status(503), "server-error"),
        (Canned::status(200).body("{}"), "digest-mismatch"),
    ] {
        shop.registry.can(&path, answer);
        let records = shop.verify(&shop.digest_record());
        for check in CHECKS {
            assert_eq!(one(&records, check)["verdict"], "unknown", "{check}: {code}");
        }
        let failures = records.iter().filter(|record| record["type"] == "failure");
        let codes: Vec<&Value> = failures.map(|failure| &failure["code"]).collect();
        assert!(codes.contains(&&json!(code)), "{code}: {codes:?}");
    }
}

/// What a store lists may be of no form that is known here; then nothing it could hold is absent.
#[test]
fn what_cannot_be_read_leaves_nothing_absent() {
    let junk: [(&str, &[u8]); 3] = [
        ("application/vnd.dev.sigstore.bundle.v0.3+json", br#"{"mediaType":"v9.9"}"#),
        ("application/vnd.dsse.envelope.v1+json", b"junk"),
        (IN_TOTO, br#"{"_type":"https://in-toto.io/Statement/v9","predicateType":"p"}"#),
    ];
    for (media_type, bytes) in junk {
        let shop = Shop::open();
        shop.artifact(None, media_type, bytes, Some(&shop.manifest));
        let records = shop.verify(&shop.digest_record());
        for check in ["signature", "provenance", "sbom"] {
            assert_eq!(one(&records, check)["verdict"], "unknown", "{media_type} {check}");
        }
        assert_ne!(one(&records, "attestation")["verdict"], "absent", "{media_type}");
    }
}

/// Nobody's word makes nothing signed.
#[test]
fn what_nobody_signed_is_no_signature() {
    let shop = Shop::open();
    let cosign = "https://sigstore.dev/cosign/sign/v1";
    let bytes = statement(&shop.manifest, cosign, &json!({}));
    shop.artifact(None, IN_TOTO, &bytes, Some(&shop.manifest));
    let envelope = br#"{"payloadType":"text/plain","payload":"aGVsbG8=","signatures":[]}"#;
    let media_type = "application/vnd.dsse.envelope.v1+json";
    shop.artifact(None, media_type, envelope, Some(&shop.manifest));
    let records = shop.verify(&shop.digest_record());
    let signature = one(&records, "signature");
    assert_eq!((&signature["verdict"], &signature["finds"]), (&json!("absent"), &json!([])));
}

/// A fallback index may list anything; what binds itself to nothing counts for what its artifact
/// says.
#[test]
fn a_bill_of_materials_of_another_image_is_none_of_this() {
    let shop = Shop::open();
    let other = shop.registry.push_image(REPOSITORY, None, "arm64");
    let bytes = br#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[]}"#;
    let media_type = "application/vnd.cyclonedx+json";
    let foreign = shop.artifact(None, media_type, bytes, Some(&other));
    let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{"mediaType": foreign.media_type, "digest": foreign.digest, "size": foreign.size}]});
    let fallback = tag(&shop.manifest, "");
    let kind = "application/vnd.oci.image.index.v1+json";
    shop.registry.push_json(REPOSITORY, Some(&fallback), kind, &index);
    let records = shop.verify(&shop.digest_record());
    let sbom = one(&records, "sbom");
    assert_eq!(
        (&sbom["verdict"], &sbom["finds"][0]["reason"]),
        (&json!("invalid"), &json!("subject"))
    );
}

#[test]
fn without_the_platform_or_the_index_nothing_is_absent() {
    let shop = Shop::open();
    let mut unknown_platform = shop.digest_record();
    unknown_platform["manifest"] = Value::Null;
    unknown_platform["platform"] = Value::Null;
    let mut unknown_index = shop.digest_record();
    unknown_index["index"] = Value::Null;
    unknown_index["digest"] = json!(shop.manifest.digest);
    unknown_index["drift"] = json!("moved");
    for (record, code) in [(unknown_platform, "platform-unknown"), (unknown_index, "index-unknown")]
    {
        let records = shop.verify(&record);
        for check in CHECKS {
            assert_eq!(one(&records, check)["verdict"], "unknown", "{code}");
        }
        assert_eq!(one(&records, "failure")["code"], code);
    }
}

#[test]
fn evidence_that_is_listed_and_cannot_be_fetched_is_unknown_to_every_check_it_may_be_for() {
    let shop = Shop::open();
    let bytes = statement(&shop.manifest, SLSA, &json!({}));
    let artifact = shop.artifact(None, IN_TOTO, &bytes, Some(&shop.manifest));
    shop.registry.delete_manifest(REPOSITORY, &artifact.digest);
    let path = format!("/v2/{REPOSITORY}/referrers/{}", shop.manifest.digest);
    let list = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{"mediaType": artifact.media_type, "digest": artifact.digest, "size": 1}]});
    let list = Canned::status(200)
        .header("Content-Type", "application/vnd.oci.image.index.v1+json")
        .body(list.to_string().as_str());
    shop.registry.can(&path, list);
    let records = shop.verify(&shop.digest_record());
    for check in CHECKS {
        let record = one(&records, check);
        assert_eq!(
            (&record["verdict"], &record["finds"][0]["reason"]),
            (&json!("unknown"), &json!("not-fetched"))
        );
    }
}

/// What is listed under a name that is none cannot be looked at; it may be anything.
#[test]
fn what_is_listed_by_a_digest_that_is_none_is_not_absent() {
    let shop = Shop::open();
    let index = "application/vnd.oci.image.index.v1+json";
    let entry = json!({"mediaType": index, "digest": "sha256:zz", "size": 1});
    let list = json!({"schemaVersion": 2, "mediaType": index, "manifests": [entry]});
    let path = format!("/v2/{REPOSITORY}/referrers/{}", shop.manifest.digest);
    let canned = Canned::status(200).header("Content-Type", index);
    shop.registry.can(&path, canned.body(list.to_string().as_str()));
    let layer = json!({"mediaType": IN_TOTO, "digest": "sha256:zz", "size": 1});
    let manifest = |shop: &Shop| {
        let mut manifest = json!({"schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [layer],
            "config": {"mediaType": IN_TOTO, "digest": shop.index.digest, "size": 1}});
        manifest["subject"] = json!({"mediaType": index, "digest": shop.index.digest, "size": 1});
        manifest
    };
    let other = Shop::open();
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    other.registry.push_json(REPOSITORY, None, media_type, &manifest(&other));
    for shop in [shop, other] {
        let records = shop.verify(&shop.digest_record());
        for check in CHECKS {
            let record = one(&records, check);
            assert_eq!((&record["verdict"], &record["whole"]), (&json!("unknown"), &json!(false)));
        }
        assert_eq!(one(&records, "failure")["code"], "bad-response");
    }
}

#[test]
fn an_index_that_does_not_list_the_manifest_gives_nothing_to_it() {
    let shop = Shop::open();
    let other = shop.registry.push_image(REPOSITORY, None, "arm64");
    let bytes = statement(&shop.index, SLSA, &json!({}));
    shop.artifact(None, IN_TOTO, &bytes, Some(&shop.index));
    let records = shop.verify(&shop.digest_record());
    let record = one(&records, "provenance");
    assert_eq!(
        (&record["verdict"], &record["finds"][0]["inherited"]),
        (&json!("present"), &json!(true))
    );
    let mut sibling = shop.digest_record();
    sibling["manifest"] = json!(other.digest);
    let records = shop.verify(&sibling);
    let record = one(&records, "provenance");
    assert_eq!((&record["verdict"], &record["finds"]), (&json!("unknown"), &json!([])));
    assert_eq!(one(&records, "failure")["code"], "index-unknown");
}

#[test]
fn the_tags_of_a_whole_list_spare_the_questions_for_them() {
    let shop = Shop::open();
    let repository = json!({"type": "repository", "v": 1, "repository": shop.digest_record()["repository"],
        "tags": 1, "evidence": []});
    let end = json!({"type": "end", "v": 1, "stages": []});
    let stdin = format!("{repository}\n{}\n{end}\n", shop.digest_record());
    let ran =
        testkit::pc("verify").env("PROVENANCE_PLAIN_HTTP", shop.registry.host()).stdin(stdin).run();
    let records = ran.ok().records();
    assert_eq!(one(&records, "signature")["verdict"], "absent");
    assert_eq!(shop.registry.log().iter().filter(|asked| asked.method == "HEAD").count(), 0);
}
