//! Keys as OpenSSL and cosign write them, and what they sign.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use serde_json::{Value, json};

use super::*;

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("../../testdata/", $name))
    };
}

fn plain(text: &[u8]) -> Result<SigningKey, KeyError> {
    SigningKey::from_pem(text, None)
}

fn with(text: &[u8], password: &str) -> Result<SigningKey, KeyError> {
    SigningKey::from_pem(text, Some(&Password::new(password.into())))
}

/// Whether the key's own public half takes a signature over `message`.
fn holds(key: &SigningKey, message: &[u8], signature: &[u8]) -> bool {
    let hash = Sha256::digest(message);
    match &key.secret {
        Secret::P256(key) => p256::ecdsa::Signature::from_der(signature)
            .is_ok_and(|signature| key.verifying_key().verify_prehash(&hash, &signature).is_ok()),
        Secret::P384(key) => p384::ecdsa::Signature::from_der(signature)
            .is_ok_and(|signature| key.verifying_key().verify_prehash(&hash, &signature).is_ok()),
        Secret::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
    }
}

#[test]
fn keys_of_every_form_are_read_and_have_the_public_half_that_openssl_says() {
    for (text, public, algorithm) in [
        (&data!("p256.pem")[..], &data!("p256.pub")[..], Algorithm::EcdsaP256),
        (data!("p256-sec1.pem"), data!("p256.pub"), Algorithm::EcdsaP256),
        (data!("p384.pem"), data!("p384.pub"), Algorithm::EcdsaP384),
        (data!("p384-sec1.pem"), data!("p384.pub"), Algorithm::EcdsaP384),
        (data!("ed25519.pem"), data!("ed25519.pub"), Algorithm::Ed25519),
    ] {
        let key = plain(text).expect("a key");
        assert_eq!(key.algorithm(), algorithm);
        assert_eq!(key.public_pem().as_bytes(), public, "{algorithm}");
        let signature = key.signature(b"sample");
        assert!(holds(&key, b"sample", &signature), "{algorithm}");
        assert!(!holds(&key, b"Sample", &signature), "{algorithm}");
        assert_eq!(key.signature(b"sample"), signature, "{algorithm}: deterministic");
    }
}

#[test]
fn cosigns_own_key_opens_with_its_password_and_with_no_other() {
    let text = data!("cosign.key");
    let key = with(text, "correct horse").expect("opened");
    assert_eq!(key.public_pem().as_bytes(), data!("cosign.pub"));
    assert!(matches!(with(text, "correct horse\n"), Err(KeyError::WrongPassword)));
    assert!(matches!(with(text, ""), Err(KeyError::WrongPassword)));
    assert!(matches!(plain(text), Err(KeyError::NoPassword)));
    // Labels of older versions.
    let older = String::from_utf8_lossy(text).replace("SIGSTORE", "COSIGN");
    assert!(with(older.as_bytes(), "correct horse").is_ok());
}

/// RFC 6979, appendix A.2.5.
#[test]
fn ecdsa_is_that_of_rfc_6979() {
    let secret = b"\xc9\xaf\xa9\xd8\x45\xba\x75\x16\x6b\x5c\x21\x57\x67\xb1\xd6\x93\
                   \x4e\x50\xc3\xdb\x36\xe8\x9b\x12\x7b\x8a\x62\x2b\x12\x0f\x67\x21";
    let key = p256::ecdsa::SigningKey::from_slice(secret).expect("a scalar");
    let key = SigningKey::new(Secret::P256(key)).expect("a key");
    let signature = key.signature(b"sample");
    let signature = p256::ecdsa::Signature::from_der(&signature).expect("DER");
    let (r, s) = signature.split_bytes();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    assert_eq!(hex(&r), "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716");
    assert_eq!(hex(&s), "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8");
}

#[test]
fn what_is_no_key_is_told_and_never_repeated() {
    let several = [&data!("p256.pem")[..], data!("ed25519.pem")].concat();
    let cut = &data!("p256.pem")[..60];
    let large = vec![b' '; 64 * 1024 + 1];
    for (text, message) in [
        (&b""[..], "it is not PEM"),
        (b"secret", "it is not PEM"),
        (cut, "it is not PEM"),
        (&large, "it is larger than 65536 bytes"),
        (data!("p256.pub"), "it holds `PUBLIC KEY` and no private key"),
        (&several, "it holds 2 private keys, and which one is meant is not known"),
        (
            data!("encrypted.pem"),
            "it is a private key that is encrypted otherwise than cosign does",
        ),
        (data!("openssl.pem"), "it is a private key that is encrypted otherwise than cosign does"),
        (data!("rsa.pem"), "it is not a key for ECDSA P-256, ECDSA P-384 or Ed25519"),
        (data!("p521.pem"), "it is not a key for ECDSA P-256, ECDSA P-384 or Ed25519"),
    ] {
        let error = plain(text).expect_err(message);
        assert_eq!(error.to_string(), message);
        assert!(error.hint().is_some(), "{message}");
    }
    let error = SigningKey::read("/nowhere/sign.key".as_ref(), None).expect_err("no file");
    assert_eq!(error.to_string(), "cannot read the key in `/nowhere/sign.key`");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sign.key");
    std::fs::write(&path, data!("p256.pub")).expect("written");
    let error = SigningKey::read(&path, None).expect_err("no private key");
    assert!(matches!(error, KeyError::Unfit { .. }) && error.hint().is_some(), "{error}");
}

/// cosign's key with one value changed.
fn changed(path: &str, value: &Value) -> Result<SigningKey, KeyError> {
    let block = pem::parse(data!("cosign.key")).expect("PEM");
    let mut sealed: Value = serde_json::from_slice(block.contents()).expect("JSON");
    *sealed.pointer_mut(path).expect(path) = value.clone();
    let text = pem::encode(&pem::Pem::new(block.tag(), sealed.to_string()));
    with(text.as_bytes(), "correct horse")
}

#[test]
fn an_encrypted_key_that_was_changed_costs_nothing_and_opens_nothing() {
    for (path, value) in [
        ("/kdf/params/N", json!(1_u64 << 40)),
        ("/kdf/params/N", json!(1_u64 << 63)),
        ("/kdf/params/r", json!(u32::MAX)),
        ("/kdf/params/p", json!(17)),
    ] {
        assert!(matches!(changed(path, &value), Err(KeyError::Costly(_))), "{path} {value}");
    }
    for (path, value) in [
        ("/kdf/name", json!("argon2")),
        ("/cipher/name", json!("aes")),
        ("/kdf/params/N", json!(0)),
        ("/kdf/params/N", json!(1)),
        ("/kdf/params/N", json!(65_535)),
        ("/kdf/params/r", json!(0)),
        ("/kdf/params/p", json!(0)),
        ("/kdf/params/p", json!(-1)),
        ("/kdf/salt", json!("~")),
        ("/cipher/nonce", json!("AAAA")),
        ("/ciphertext", json!(7)),
    ] {
        assert!(matches!(changed(path, &value), Err(KeyError::Malformed(_))), "{path} {value}");
    }
    for value in ["", "AAAA", &STANDARD.encode([0; 300])] {
        let error = changed("/ciphertext", &json!(value)).expect_err("not what was sealed");
        assert!(matches!(error, KeyError::WrongPassword), "{error}");
    }
}

#[test]
fn a_key_is_never_shown() {
    let key = plain(data!("ed25519.pem")).expect("a key");
    assert_eq!(format!("{key:?}"), "SigningKey { algorithm: Ed25519, .. }");
    assert_eq!(format!("{:?}", Password::new(b"secret".to_vec())), "Password");
}

/// As `cosign attest-blob` writes it.
#[test]
fn a_bundle_carries_the_statement_its_signature_and_which_key() {
    let key = plain(data!("p384.pem")).expect("a key");
    let statement = br#"{"_type":"https://in-toto.io/Statement/v1"}"#;
    let bundle: Value = serde_json::from_slice(&key.sign(statement).to_json()).expect("JSON");
    let envelope = &bundle["dsseEnvelope"];
    let text = |value: &Value| STANDARD.decode(value.as_str().expect("a text")).expect("base64");
    assert_eq!(text(&envelope["payload"]), statement);
    let signature = text(&envelope["signatures"][0]["sig"]);
    let signed = b"DSSEv1 28 application/vnd.in-toto+json 43 {\"_type\":\"https://in-toto.io/Statement/v1\"}";
    assert!(holds(&key, signed, &signature));
    let hint = text(&bundle["verificationMaterial"]["publicKey"]["hint"]);
    let public = pem::parse(data!("p384.pub")).expect("PEM");
    assert_eq!(hint, Sha256::digest(public.contents()).as_slice());
    assert_eq!(bundle["mediaType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
    assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");
}
