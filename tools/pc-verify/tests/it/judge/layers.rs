//! Vectors in image layers: signatures and attestations as cosign 2 stores them.

use std::collections::BTreeMap;

use pc_verify::judge::{Judge, Key, KeyError, Root};
use pc_verify::judged::{SignedBy, TimeFrom};
use pc_verify::material::Material;
use records::Digest;

use super::vectors::{key, public_good, root};
use super::{att_layers, bytes, layer, sha256, shared, text, word};

#[test]
fn simple_signing_with_a_certificate_and_a_promise() {
    let Some(shared) = shared() else { return };
    let folder = shared.join("legacy/containers-image/fulcio-rekor");
    let digest = sha256(&bytes(&folder.join("manifest.json")));
    let judge = Judge::new(vec![Root::github().expect("it"), public_good()], Vec::new());
    let judged = judge.judge(&layer(&folder.join("signature-1")), &digest, &[]);
    assert_eq!(word(&judged), "valid", "{judged:?}");
    let Some(SignedBy::Certificate(signer)) = &judged.signed_by else { panic!("{judged:?}") };
    assert_eq!(signer.identity.as_deref(), Some("mitr@redhat.com"));
    assert_eq!(signer.issuer.as_deref(), Some("https://github.com/login/oauth"));
    assert_eq!(signer.root, "public-good");
    let log = judged.log.as_ref().expect("a log entry");
    assert_eq!((log.promise, log.proof, log.index), (true, false, Some(11_605_770)));
    assert_eq!(judged.time_from, Some(TimeFrom::Log));

    let elsewhere = sha256(b"another image");
    let judged = judge.judge(&layer(&folder.join("signature-1")), &elsewhere, &[]);
    assert_eq!(word(&judged), "invalid/subject");
    assert_eq!(judged.names, std::slice::from_ref(&digest), "what it claims");
    let judged =
        judge.judge(&layer(&folder.join("signature-1")), &elsewhere, std::slice::from_ref(&digest));
    assert_eq!((word(&judged), judged.names), ("valid".to_owned(), vec![digest]));
}

#[test]
fn simple_signing_with_keys() {
    let Some(shared) = shared() else { return };
    let folder = shared.join("legacy/containers-image");
    let digest = |name: &str| sha256(&bytes(&folder.join(name).join("manifest.json")));
    let material = |name: &str| layer(&folder.join(name).join("signature-1"));
    let cosign = || key(&folder.join("cosign.pub"));
    let cosign2 = || key(&folder.join("cosign2.pub"));
    let word_of = |name: &str, keys: Vec<Key>| {
        word(&Judge::new(vec![public_good()], keys).judge(&material(name), &digest(name), &[]))
    };
    assert_eq!(word_of("key-only", vec![]), "present/no-key");
    assert_eq!(word_of("key-only", vec![cosign2()]), "present/no-key");
    assert_eq!(word_of("key-only", vec![cosign()]), "present/no-log", "the log is demanded");
    assert_eq!(word_of("key-only", vec![cosign2(), cosign().without_log()]), "valid");
    if folder.join("key-rekor/signature-1").exists() {
        assert_eq!(word_of("key-rekor", vec![cosign2()]), "valid");
        assert_eq!(word_of("key-rekor", vec![cosign()]), "present/no-key");
    }
    if folder.join("pki/signature-1").exists() {
        assert_eq!(word_of("pki", vec![]), "present/no-root");
    }
}

/// Attestations in image layers, by slsa-github-generator: logged as `intoto/0.0.1` up to 1.9.
#[test]
fn attestations_in_layers() {
    let Some(shared) = shared() else { return };
    let judge = Judge::new(vec![public_good()], Vec::new());
    let mut count = 0;
    for version in std::fs::read_dir(shared.join("legacy/slsa-verifier")).expect("a folder") {
        let layout = version.expect("an entry").path();
        let name = layout.file_name().expect("a name").to_string_lossy().into_owned();
        let (image, layers) = att_layers(&layout);
        for material in layers {
            count += 1;
            let judged = judge.judge(&material, &image, &[]);
            assert_eq!(word(&judged), "valid", "{name}: {:?}", judged.detail);
            assert_eq!(judged.format, "dsse/in-toto");
            let Some(SignedBy::Certificate(signer)) = &judged.signed_by else { panic!("{name}") };
            let identity = signer.identity.as_deref().expect("an identity");
            assert_eq!(
                identity,
                format!(
                    "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml@refs/tags/{name}"
                )
            );
            assert!(judged.log.expect("a log entry").promise);
            let other = judge.judge(&material, &sha256(b"another image"), &[]);
            assert_eq!(word(&other), "invalid/subject");
            let unknown = Judge::new(vec![Root::github().expect("it")], Vec::new());
            assert_eq!(word(&unknown.judge(&material, &image, &[])), "present/no-root");
        }
    }
    assert!(count >= 3, "only {count} attestations are there");
}

/// Signatures and attestations that cosign 2.6.5 made with keys, without a log.
#[test]
fn keys_of_cosign_2() {
    let Some(shared) = shared() else { return };
    let folder = shared.join("generated/cosign-2.6.5");
    let mut kinds = 0;
    for kind in ["ed", "p256", "p384", "rsa"] {
        let folder = folder.join(kind);
        if !folder.exists() {
            continue;
        }
        kinds += 1;
        let digest = sha256(&bytes(&folder.join("manifest.json")));
        let key = || key(&folder.join("key.pub"));
        for file in ["signature-1", "signature-2"] {
            let word = |keys: Vec<Key>| {
                word(&Judge::new(Vec::new(), keys).judge(&layer(&folder.join(file)), &digest, &[]))
            };
            assert_eq!(word(vec![key().without_log()]), "valid", "{kind} {file}");
            assert_eq!(word(vec![key()]), "present/no-log", "{kind} {file}");
            assert_eq!(word(vec![]), "present/no-key", "{kind} {file}");
        }
    }
    assert!(kinds >= 2, "only {kinds} kinds are there");
}

/// A timestamp is of the signature's bytes for a signature, and of the layer for an attestation.
#[test]
fn timestamps_of_cosign_2() {
    let Some(shared) = shared() else { return };
    let folder = shared.join("generated/cosign-2.6.5/tsa");
    let digest = sha256(&bytes(&folder.join("manifest.json")));
    let own = || {
        Judge::new(
            vec![root(&folder.join("tsa_root.json"))],
            vec![key(&folder.join("key.pub")).without_log()],
        )
    };
    for file in ["signature-1", "signature-2"] {
        let judged = own().judge(&layer(&folder.join(file)), &digest, &[]);
        assert_eq!(word(&judged), "valid", "{file}: {:?}", judged.detail);
        assert_eq!(judged.time_from, Some(TimeFrom::Authority), "{file}");
        assert!(judged.time.is_some(), "{file}");
    }
    // An authority that no root knows proves no time, and the key demands none.
    let unknown = Judge::new(vec![public_good()], vec![key(&folder.join("key.pub")).without_log()]);
    let judged = unknown.judge(&layer(&folder.join("signature-1")), &digest, &[]);
    assert_eq!((word(&judged), judged.time), ("valid".to_owned(), None));
}

#[test]
fn every_kind_of_key() {
    let Some(shared) = shared() else { return };
    let folder = shared.join("generated/keytypes");
    let payload = bytes(&folder.join("payload.json"));
    let digest: Digest = format!("sha256:{}", "ab".repeat(32)).parse().expect("a digest");
    let mut kinds = 0;
    for file in std::fs::read_dir(&folder).expect("a folder") {
        let public = file.expect("an entry").path();
        if public.extension().is_none_or(|extension| extension != "pub") {
            continue;
        }
        kinds += 1;
        let name = public.file_stem().expect("a name").to_string_lossy().into_owned();
        let key = Key::from_pem(name.as_str(), &text(&public));
        if name.starts_with("rsa1024") || name.starts_with("secp521") {
            assert!(matches!(key, Err(KeyError::Unsupported { .. })), "{name}");
            continue;
        }
        let signature = text(&public.with_extension("sig"));
        let material = Material::SimpleSigning {
            payload: payload.clone(),
            annotations: BTreeMap::from([(
                "dev.cosignproject.cosign/signature".to_owned(),
                signature.trim().to_owned(),
            )]),
        };
        let judge = Judge::new(Vec::new(), vec![key.expect("a key").without_log()]);
        assert_eq!(word(&judge.judge(&material, &digest, &[])), "valid", "{name}");
    }
    assert!(kinds >= 4, "only {kinds} kinds are there");
}
