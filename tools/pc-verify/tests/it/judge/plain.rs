//! Evidence that nobody signed, ids, and input that is meant to hurt.

use std::time::{Duration, Instant};

use pc_verify::judge::{Judge, Root, RootError};
use pc_verify::judged::Content;
use pc_verify::material::Material;
use rcgen::SigningKey as _;
use serde_json::{Value, json};

use super::der::tlv;
use super::instance::{Has, Instance, certificate_pem, signer};
use super::made::{IN_TOTO, annotations, envelope, image, judge_with, pae, simple, statement};
use super::{sha256, word};

#[test]
fn a_judge_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Judge>();
}

#[test]
fn what_nobody_signed() {
    let of = |material: &Material| judge_with(Vec::new(), material);
    let judged = of(&Material::Statement { bytes: statement().into() });
    assert_eq!(
        (word(&judged).as_str(), judged.format.as_str()),
        ("present/unsigned", "in-toto/unsigned")
    );
    assert_eq!(judged.names, [image()]);
    assert!(matches!(judged.content, Content::Statement(_)));
    let elsewhere = Judge::new(Vec::new(), Vec::new()).judge(
        &Material::Statement { bytes: statement().into() },
        &sha256(b"another"),
        &[],
    );
    assert_eq!(word(&elsewhere), "invalid/subject");
    let junk = of(&Material::Statement { bytes: b"{}".as_slice().into() });
    assert_eq!(word(&junk), "invalid/malformed");

    let sbom = Material::Sbom {
        media_type: "application/spdx+json".to_owned(),
        bytes: br#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"name":"a"}]}"#
            .as_slice()
            .into(),
    };
    let judged = of(&sbom);
    assert_eq!(word(&judged), "present/unsigned");
    // What it is its bytes say, and not its media type.
    assert_eq!(judged.format, "cyclonedx/1.6+json");
    let other = Material::Sbom {
        media_type: "application/vnd.syft+json".to_owned(),
        bytes: b"{}".as_slice().into(),
    };
    assert_eq!(word(&of(&other)), "present/format");
    let jws: &[u8] = br#"{"payload":"e30","protected":"e30","signature":"AA"}"#;
    for (media_type, format, bytes) in [
        ("application/jose+json", "notation/jws", jws),
        ("application/cose", "notation/cose", b"\xd2\x84"),
    ] {
        let of = |bytes: &'static [u8]| {
            of(&Material::Notation { media_type: media_type.to_owned(), bytes: bytes.into() })
        };
        let judged = of(bytes);
        assert_eq!((word(&judged).as_str(), judged.format.as_str()), ("present/format", format));
        assert_eq!(word(&of(b"junk")), "invalid/malformed");
    }
}

/// The same signature has the same id wherever it is and whatever came with it.
#[test]
fn ids_are_of_the_evidence_and_not_of_its_place() {
    let instance = Instance::new();
    let key = signer();
    let signature = key.sign(&pae(IN_TOTO, &statement())).expect("a signature");
    let bytes = envelope(IN_TOTO, &statement(), &[&signature]);
    let id = |material: &Material| judge_with(Vec::new(), material).id;
    let layer = |bytes: Vec<u8>, more: &[(&str, String)]| {
        id(&Material::Envelope { bytes: bytes.into(), annotations: annotations(more) })
    };
    let own = layer(bytes.clone(), &[]);
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": { "publicKey": { "hint": "" } },
        "dsseEnvelope": serde_json::from_slice::<Value>(&bytes).expect("JSON"),
    });
    assert_eq!(id(&Material::Bundle { bytes: bundle.to_string().into() }), own);
    let certificate = certificate_pem(&instance.certificate(&key));
    assert_eq!(layer(bytes.clone(), &[("certificate", certificate)]), own);
    assert_eq!(layer([bytes.as_slice(), b" \n"].concat(), &[]), own);
    assert_ne!(layer(envelope(IN_TOTO, &statement(), &[b"another"]), &[]), own);
    assert_ne!(layer(envelope("text/plain", &statement(), &[&signature]), &[]), own);
    assert!(own.starts_with("sha256:") && own.len() == 71, "{own}");
    assert_ne!(id(&simple(b"one", &[])), id(&simple(b"two", &[])));
}

#[test]
fn roots_say_what_they_are() {
    let github = Root::github().expect("a root");
    assert_eq!(
        (github.name(), github.demands().log, github.demands().sct),
        ("github", false, false)
    );
    let public_good = Root::public_good().expect("a root");
    assert!(public_good.demands().log && public_good.demands().sct);
    assert!(public_good.newest().is_some_and(|time| time.as_second() > 1_700_000_000));
    assert_eq!(public_good.digest().algorithm(), "sha256");
    assert!(matches!(Root::from_json("r", "{"), Err(RootError::Json { .. })));
    assert!(matches!(Root::from_json("r", r#"{"mediaType":"x"}"#), Err(RootError::Empty { .. })));
    let text = r#"{"mediaType":"x","certificateAuthorities":[{"uri":"","certChain":{"certificates":[{"rawBytes":"AAAA"}]}}]}"#;
    assert!(matches!(Root::from_json("r", text), Err(RootError::Unusable { .. })));
}

/// Of a key that is not judged nothing can be said, and so nothing against it.
#[test]
fn a_certificate_of_another_kind_of_key() {
    let instance = Instance::new();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).expect("a key");
    let pem = certificate_pem(&instance.certificate(&key));
    let material = simple(b"whatever", &[("certificate", pem)]);
    assert_eq!(
        word(&judge_with(vec![instance.root(Has::Everything)], &material)),
        "present/format"
    );
}

/// Text of strangers in a detail is cleaned and cut.
#[test]
fn details_are_one_clean_line() {
    let hostile = "a\u{1b}[31m\n\u{202e}".repeat(5000);
    let bundle = json!({ "mediaType": hostile }).to_string();
    let payload = json!({
        "critical": { "type": hostile, "image": { "docker-manifest-digest": hostile } },
    });
    for material in [
        Material::Bundle { bytes: bundle.into() },
        Material::Envelope {
            bytes: envelope(&hostile, b"", &[b"x"]).into(),
            annotations: annotations(&[]),
        },
        Material::SimpleSigning {
            payload: payload.to_string().into(),
            annotations: annotations(&[("bundle", hostile.clone())]),
        },
    ] {
        let detail = judge_with(Vec::new(), &material).detail.expect("a detail");
        assert!(detail.chars().count() < 400, "{detail}");
        assert!(!detail.contains(|c: char| c.is_control() || c == '\u{202e}'), "{detail:?}");
    }
}

/// Sets in reverse order are sorted by the reader, deep trees are walked, lists are long: none of
/// it may take long.
#[test]
fn hostile_input_takes_bounded_time() {
    let instance = Instance::new();
    let attribute = |n: u16| {
        let value = tlv(0x31, &tlv(0x04, &n.to_be_bytes()));
        tlv(0x30, &[tlv(0x06, &[0x2a, 0x03, 0x04]), value].concat())
    };
    let stamp =
        |count| instance.stamp_with(&(0..count).rev().flat_map(attribute).collect::<Vec<u8>>());
    let part = |n: u16| {
        let value = tlv(0x0c, format!("{n:05}").as_bytes());
        tlv(0x30, &[tlv(0x06, &[0x55, 4, 3]), value].concat())
    };
    let wide = |count| {
        let name = (0..count).rev().flat_map(part).collect::<Vec<u8>>();
        let name = tlv(0x30, &tlv(0x31, &name));
        let algorithm = tlv(0x30, &tlv(0x06, &[0x2a, 0x03, 0x04]));
        let body = tlv(0x30, &[tlv(0x02, &[1]), algorithm, name].concat());
        certificate_pem(&tlv(0x30, &body))
    };
    let deep = "[".repeat(1 << 20);
    let flat = format!("[{}0]", "{\"a\":[]},".repeat(1 << 17));
    let many = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "publicKey": {},
            "tlogEntries": vec![json!({}); 3000],
        },
        "messageSignature": { "signature": "AAAA" },
    });
    let bundle = |text: String| Material::Bundle { bytes: text.into() };
    let cases = [
        simple(b"x", &[("rfc3161timestamp", stamp(60))]),
        simple(b"x", &[("rfc3161timestamp", stamp(1_000))]),
        simple(b"x", &[("rfc3161timestamp", stamp(20_000))]),
        simple(b"x", &[("certificate", wide(1_000))]),
        simple(b"x", &[("certificate", wide(20_000))]),
        simple(b"x", &[("certificate", "-----BEGIN CERTIFICATE-----".repeat(50_000))]),
        simple(b"x", &[("bundle", deep.clone())]),
        bundle(deep),
        bundle(flat),
        bundle(many.to_string()),
    ];
    for (at, material) in cases.iter().enumerate() {
        let started = Instant::now();
        let judged = judge_with(vec![instance.root(Has::Everything)], material);
        assert_ne!(word(&judged), "valid");
        let took = started.elapsed();
        assert!(took < Duration::from_secs(5), "case {at} took {took:?}: {:?}", judged.detail);
    }
}
