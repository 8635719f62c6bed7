//! Evidence by keys, made here: with a log and without, in every scheme, by several keys.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature as aws;
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pc_verify::judge::{Judge, Key, KeyError, KeyHash};
use pc_verify::judged::SignedBy;
use pc_verify::material::Material;
use rcgen::{KeyPair, SigningKey as _};
use serde_json::json;
use sha2::{Digest as _, Sha256, Sha512};

use super::der::tlv;
use super::instance::{AFTERWARDS, Has, Instance, WHILE_VALID, dsse, hashed, signer};
use super::made::{IN_TOTO, annotations, envelope, image, pae, payload, simple, statement};
use super::word;

fn key(name: &str, pair: &KeyPair) -> Key {
    Key::from_pem(name, &pair.public_key_pem()).expect("a key")
}

fn judged(instance: &Instance, has: Has, keys: Vec<Key>, material: &Material) -> String {
    word(&Judge::new(vec![instance.root(has)], keys).judge(material, &image(), &[]))
}

#[test]
fn a_signature_with_a_log_entry() {
    let instance = Instance::new();
    let own = signer();
    let signature = own.sign(&payload()).expect("a signature");
    let logged = |signature: &[u8], by: &KeyPair, time| {
        let body = hashed("hashedrekord", &payload(), signature, &by.public_key_pem());
        simple(signature, &[("bundle", instance.annotation(&body, time))])
    };
    let good = logged(&signature, &own, WHILE_VALID);
    let of = |has, keys, material: &Material| judged(&instance, has, keys, material);
    assert_eq!(of(Has::Everything, vec![key("own", &own)], &good), "valid");
    // A key lives longer than a certificate.
    let later = logged(&signature, &own, AFTERWARDS);
    assert_eq!(of(Has::Everything, vec![key("own", &own)], &later), "valid");
    let future = logged(&signature, &own, 7_000_000_000);
    assert_eq!(of(Has::Everything, vec![key("own", &own)], &future), "invalid/log");

    assert_eq!(of(Has::Everything, vec![], &good), "present/no-key");
    assert_eq!(of(Has::Everything, vec![key("other", &signer())], &good), "present/no-key");
    assert_eq!(of(Has::OtherLog, vec![key("own", &own)], &good), "present/no-root");
    let alone = key("own", &own).without_log();
    assert_eq!(of(Has::OtherLog, vec![alone], &good), "valid", "it asks for no log");

    // The logged key tells a vendor's signature from a broken one.
    let broken = logged(b"broken", &own, WHILE_VALID);
    assert_eq!(of(Has::Everything, vec![], &broken), "invalid/signature");
    // Our signature, logged as somebody else's.
    let foreign = logged(&signature, &signer(), WHILE_VALID);
    for keys in [vec![key("own", &own)], vec![key("own", &own).without_log()]] {
        assert_eq!(of(Has::Everything, keys, &foreign), "invalid/log");
    }
    assert_eq!(of(Has::Everything, vec![], &foreign), "invalid/signature");
}

#[test]
fn the_first_key_that_fits_is_named() {
    let own = signer();
    let material = simple(&own.sign(&payload()).expect("a signature"), &[]);
    let keys = ["other", "first", "second"].map(|name| {
        let pair = signer();
        key(name, if name == "other" { &pair } else { &own }).without_log()
    });
    let judged = Judge::new(Vec::new(), keys.to_vec()).judge(&material, &image(), &[]);
    assert_eq!(word(&judged), "valid");
    assert_eq!(judged.signed_by, Some(SignedBy::Key(keys[1].id().clone())));
    let named = judged.signer.expect("a signer");
    assert_eq!((named.kind.as_str(), named.name.as_deref()), ("key", Some("first")));
    assert_eq!(named.key_id.as_deref(), Some(keys[1].id().0.as_str()));
    assert_eq!((judged.time, judged.log), (None, None));
}

#[test]
fn envelopes_with_several_signatures_and_with_none() {
    let instance = Instance::new();
    let (ours, theirs) = (signer(), signer());
    let sign = |pair: &KeyPair| pair.sign(&pae(IN_TOTO, &statement())).expect("a signature");
    let (first, second) = (sign(&theirs), sign(&ours));
    let bytes = envelope(IN_TOTO, &statement(), &[&first, &second]);
    let of = |bytes: &[u8], more: &[(&str, String)], keys: Vec<Key>| {
        let material =
            Material::Envelope { bytes: bytes.to_vec().into(), annotations: annotations(more) };
        judged(&instance, Has::Everything, keys, &material)
    };
    let alone = || vec![key("ours", &ours).without_log()];
    assert_eq!(of(&bytes, &[], alone()), "valid", "one of them is by a key of ours");
    assert_eq!(of(&bytes, &[], vec![key("ours", &ours)]), "present/no-log");
    assert_eq!(of(&bytes, &[], vec![key("other", &signer()).without_log()]), "present/no-key");
    let body = dsse(&statement(), &second, &ours.public_key_pem());
    let logged = [("bundle", instance.annotation(&body, WHILE_VALID))];
    assert_eq!(of(&bytes, &logged, alone()), "present/format", "proof of which of them?");
    let one = envelope(IN_TOTO, &statement(), &[&second]);
    assert_eq!(of(&one, &logged, vec![key("ours", &ours)]), "valid");
    let none = envelope(IN_TOTO, &statement(), &[]);
    assert_eq!(of(&none, &[], alone()), "present/unsigned");
    let many = envelope(IN_TOTO, &statement(), &vec![first.as_slice(); 1000]);
    assert_eq!(of(&many, &[], alone()), "present/format");
}

/// What is of another type is not judged, but may be contradicted all the same.
#[test]
fn payloads_of_other_types() {
    let instance = Instance::new();
    let own = signer();
    let of = |payload_type: &str, payload: &[u8], signature: &[u8], keys: Vec<Key>| {
        let bytes = envelope(payload_type, payload, &[signature]).into();
        let certificate = super::instance::certificate_pem(&instance.certificate(&own));
        let more = if keys.is_empty() { vec![("certificate", certificate)] } else { vec![] };
        let material = Material::Envelope { bytes, annotations: annotations(&more) };
        judged(&instance, Has::Everything, keys, &material)
    };
    let signature = own.sign(&pae("text/plain", b"hello")).expect("a signature");
    let alone = || vec![key("own", &own).without_log()];
    assert_eq!(of("text/plain", b"hello", &signature, alone()), "present/format");
    assert_eq!(of("text/plain", b"hello", &signature, vec![]), "present/format");
    assert_eq!(of("text/plain", b"hallo", &signature, vec![]), "invalid/signature");
    let link = br#"{"_type":"https://in-toto.io/Link/v1","subject":[],"predicateType":"x"}"#;
    let signature = own.sign(&pae(IN_TOTO, link)).expect("a signature");
    assert_eq!(of(IN_TOTO, link, &signature, alone()), "present/format");
    let nobody = br#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x"}"#;
    let signature = own.sign(&pae(IN_TOTO, nobody)).expect("a signature");
    assert!(of(IN_TOTO, nobody, &signature, alone()).starts_with("invalid/"));
}

/// A signature that the engine cannot check is checked by us, with its log entry.
#[test]
fn p384_with_sha256() {
    let instance = Instance::new();
    let pair = aws::EcdsaKeyPair::generate(&aws::ECDSA_P384_SHA384_ASN1_SIGNING).expect("a key");
    // ECDSA takes the hash as a number: SHA-256 with zeros before it is the same number.
    let sign = |message: &[u8]| {
        let padded = [&[0; 16], Sha256::digest(message).as_slice()].concat();
        let digest =
            aws_lc_rs::digest::Digest::import_less_safe(&padded, &aws_lc_rs::digest::SHA384);
        pair.sign_digest(&digest.expect("a digest")).expect("a signature").as_ref().to_vec()
    };
    let pem = spki_pem(&ec_info(&[0x2b, 0x81, 0x04, 0x00, 0x22], pair.public_key().as_ref()));
    let key = || Key::from_pem("p384", &pem).expect("a key");
    let signature = sign(&pae(IN_TOTO, &statement()));
    let body = dsse(&statement(), &signature, &pem);
    let material = |body| Material::Envelope {
        bytes: envelope(IN_TOTO, &statement(), &[&signature]).into(),
        annotations: annotations(&[("bundle", instance.annotation(body, WHILE_VALID))]),
    };
    let of = |keys, material: &Material| judged(&instance, Has::Everything, keys, material);
    assert_eq!(of(vec![key()], &material(&body)), "valid");
    assert_eq!(of(vec![key().with_hash(KeyHash::Sha256)], &material(&body)), "valid");
    assert_eq!(of(vec![key().with_hash(KeyHash::Sha384)], &material(&body)), "present/no-key");
    let other = dsse(b"another", &signature, &pem);
    assert_eq!(of(vec![key()], &material(&other)), "invalid/log");
    let signature = sign(&payload());
    let body = hashed("hashedrekord", &payload(), &signature, &pem);
    let material = simple(&signature, &[("bundle", instance.annotation(&body, WHILE_VALID))]);
    assert_eq!(of(vec![key()], &material), "valid");
}

#[test]
fn ed25519_plain_and_prehashed() {
    let instance = Instance::new();
    let pair = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let info = tlv(
        0x30,
        &[
            tlv(0x30, &tlv(0x06, &[0x2b, 0x65, 0x70])),
            tlv(0x03, &[&[0], pair.verifying_key().as_bytes().as_slice()].concat()),
        ]
        .concat(),
    );
    let pem = spki_pem(&info);
    let key = || Key::from_pem("ed", &pem).expect("a key");
    let prehashed =
        pair.sign_prehashed(Sha512::new_with_prefix(payload()), None).expect("it signs");
    let plain = ed25519_dalek::Signer::sign(&pair, &payload());
    for signature in [prehashed.to_bytes(), plain.to_bytes()] {
        let bare = simple(&signature, &[]);
        let of = |keys, material: &Material| judged(&instance, Has::Everything, keys, material);
        assert_eq!(of(vec![key().without_log()], &bare), "valid");
        let mut body = hashed("hashedrekord", &payload(), &signature, &pem);
        body["spec"]["data"]["hash"] =
            json!({ "algorithm": "sha512", "value": hex::encode(Sha512::digest(payload())) });
        let logged = simple(&signature, &[("bundle", instance.annotation(&body, WHILE_VALID))]);
        if signature == prehashed.to_bytes() {
            assert_eq!(of(vec![key()], &logged), "valid");
        }
        body["spec"]["data"]["hash"]["value"] = "00".into();
        let other = simple(&signature, &[("bundle", instance.annotation(&body, WHILE_VALID))]);
        assert_eq!(of(vec![key()], &other), "invalid/log");
    }
}

#[test]
fn rsa_in_every_padding() {
    let pair = aws::RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).expect("a key");
    let public = pair.public_key().as_ref();
    let info = rsa_info(public);
    let pem = spki_pem(&info);
    let bare = format!(
        "-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n",
        STANDARD.encode(public)
    );
    let key = Key::from_pem("rsa", &pem).expect("a key").without_log();
    let other_form = Key::from_pem("rsa", &bare).expect("a key").without_log();
    assert_eq!(key.id(), other_form.id());
    let paddings: [&'static dyn aws::RsaEncoding; 6] = [
        &aws::RSA_PKCS1_SHA256,
        &aws::RSA_PKCS1_SHA384,
        &aws::RSA_PKCS1_SHA512,
        &aws::RSA_PSS_SHA256,
        &aws::RSA_PSS_SHA384,
        &aws::RSA_PSS_SHA512,
    ];
    for padding in paddings {
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(padding, &SystemRandom::new(), &payload(), &mut signature).expect("it signs");
        for key in [&key, &other_form] {
            let judge = Judge::new(Vec::new(), vec![key.clone()]);
            assert_eq!(word(&judge.judge(&simple(&signature, &[]), &image(), &[])), "valid");
        }
        signature[40] ^= 1;
        let judge = Judge::new(Vec::new(), vec![key.clone()]);
        assert_eq!(word(&judge.judge(&simple(&signature, &[]), &image(), &[])), "present/no-key");
    }
}

fn rsa_info(public: &[u8]) -> Vec<u8> {
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    let algorithm = tlv(0x30, &[tlv(0x06, RSA), tlv(0x05, &[])].concat());
    tlv(0x30, &[algorithm, tlv(0x03, &[&[0], public].concat())].concat())
}

fn ec_info(curve: &[u8], point: &[u8]) -> Vec<u8> {
    const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    let algorithm = tlv(0x30, &[tlv(0x06, EC), tlv(0x06, curve)].concat());
    tlv(0x30, &[algorithm, tlv(0x03, &[&[0], point].concat())].concat())
}

fn spki_pem(info: &[u8]) -> String {
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(info))
}

#[test]
fn keys_that_are_refused() {
    let error = |text: &str| Key::from_pem("k", text).expect_err("refused");
    assert!(matches!(error(""), KeyError::Pem { .. }));
    assert!(matches!(error("ssh-ed25519 AAAA"), KeyError::Pem { .. }));
    let pair = signer();
    let private = error(&pair.serialize_pem());
    assert!(private.to_string().contains("private"), "{private}");
    let two = format!("{0}{0}", pair.public_key_pem());
    assert!(matches!(error(&two), KeyError::Several { count: 2, .. }));
    let instance = Instance::new();
    let certificate = super::instance::certificate_pem(&instance.certificate(&pair));
    assert!(error(&certificate).to_string().contains("openssl x509"));
    // Not on the curve; the order-1 point of Ed25519, for which anybody signs; compressed.
    const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let off = spki_pem(&ec_info(P256, &[&[4], [9; 64].as_slice()].concat()));
    let compressed = spki_pem(&ec_info(P256, &[&[2], [9; 32].as_slice()].concat()));
    let mut weak = vec![0; 33];
    weak[1] = 1;
    let weak = tlv(0x30, &[tlv(0x30, &tlv(0x06, &[0x2b, 0x65, 0x70])), tlv(0x03, &weak)].concat());
    let junk = spki_pem(b"junk");
    for text in [off, compressed, spki_pem(&weak), junk] {
        assert!(matches!(error(&text), KeyError::Unsupported { .. }), "{text}");
    }
}
