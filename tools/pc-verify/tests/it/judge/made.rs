//! Evidence made here: each way in which certificate, log, time and root can fail to fit.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use pc_verify::judge::{Judge, Root};
use pc_verify::judged::{Judged, SignedBy, TimeFrom};
use pc_verify::material::Material;
use rcgen::{ExtendedKeyUsagePurpose, OtherNameValue, SanType, SigningKey as _};
use records::Digest;
use serde_json::{Value, json};

use super::instance::{
    AFTERWARDS, Has, ISSUER, Instance, SIGNER, WHILE_VALID, certificate_pem, dsse, hashed, intoto,
    signer,
};
use super::{sha256, word};

pub(crate) fn image() -> Digest {
    sha256(b"an image")
}

pub(crate) fn payload() -> Vec<u8> {
    format!(
        r#"{{"critical":{{"identity":{{"docker-reference":"registry.example/app"}},"image":{{"docker-manifest-digest":"{}"}},"type":"cosign container image signature"}},"optional":{{"build":"7"}}}}"#,
        image()
    )
    .into_bytes()
}

pub(crate) fn statement() -> Vec<u8> {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": "app", "digest": { "sha256": image().hex() } }],
        "predicateType": "https://example.com/test/v1",
        "predicate": { "passed": true },
    })
    .to_string()
    .into_bytes()
}

pub(crate) const IN_TOTO: &str = "application/vnd.in-toto+json";

pub(crate) fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

pub(crate) fn envelope(payload_type: &str, payload: &[u8], signatures: &[&[u8]]) -> Vec<u8> {
    let signatures: Vec<Value> =
        signatures.iter().map(|sig| json!({ "keyid": "", "sig": STANDARD.encode(sig) })).collect();
    json!({
        "payloadType": payload_type,
        "payload": STANDARD.encode(payload),
        "signatures": signatures,
    })
    .to_string()
    .into_bytes()
}

pub(crate) fn simple(signature: &[u8], more: &[(&str, String)]) -> Material {
    let mut annotations = annotations(more);
    let name = "dev.cosignproject.cosign/signature".to_owned();
    annotations.insert(name, STANDARD.encode(signature));
    Material::SimpleSigning { payload: payload().into(), annotations }
}

pub(crate) fn annotations(more: &[(&str, String)]) -> BTreeMap<String, String> {
    more.iter().map(|(name, text)| (format!("dev.sigstore.cosign/{name}"), text.clone())).collect()
}

pub(crate) fn judge_with(roots: Vec<Root>, material: &Material) -> Judged {
    Judge::new(roots, Vec::new()).judge(material, &image(), &[])
}

/// A keyless signature in an image layer, with what may be wrong about it.
struct Keyless<'a> {
    instance: &'a Instance,
    certificate: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Keyless<'a> {
    fn new(instance: &'a Instance) -> Self {
        let signer = signer();
        let signature = signer.sign(&payload()).expect("a signature");
        Self { instance, certificate: instance.certificate(&signer), signature }
    }

    fn with_certificate(
        instance: &'a Instance,
        certificate: impl FnOnce(&rcgen::KeyPair) -> Vec<u8>,
    ) -> Self {
        let signer = signer();
        let signature = signer.sign(&payload()).expect("a signature");
        Self { instance, certificate: certificate(&signer), signature }
    }

    fn pem(&self) -> String {
        certificate_pem(&self.certificate)
    }

    fn logged(&self, time: i64) -> String {
        let body = hashed("hashedrekord", &payload(), &self.signature, &self.pem());
        self.instance.annotation(&body, time)
    }

    fn material(&self, time: i64) -> Material {
        let more = [("certificate", self.pem()), ("bundle", self.logged(time))];
        simple(&self.signature, &more)
    }

    fn word(&self, has: Has, time: i64) -> String {
        word(&judge_with(vec![self.instance.root(has)], &self.material(time)))
    }
}

#[test]
fn a_keyless_signature_and_what_the_root_lacks() {
    let instance = Instance::new();
    let keyless = Keyless::new(&instance);
    let judged = judge_with(vec![instance.root(Has::Everything)], &keyless.material(WHILE_VALID));
    assert_eq!(word(&judged), "valid", "{:?}", judged.detail);
    let Some(SignedBy::Certificate(by)) = &judged.signed_by else { panic!("{judged:?}") };
    assert_eq!((by.identity.as_deref(), by.issuer.as_deref()), (Some(SIGNER), Some(ISSUER)));
    assert_eq!((by.root.as_str(), judged.time_from), ("own", Some(TimeFrom::Log)));
    assert_eq!(judged.time, Timestamp::from_second(WHILE_VALID).ok());
    assert_eq!(judged.log.and_then(|log| log.url).as_deref(), Some("https://log.example"));

    // A new shard of the log, and a root from before it.
    assert_eq!(keyless.word(Has::OtherLog, WHILE_VALID), "present/no-root");
    assert_eq!(keyless.word(Has::NoLog, WHILE_VALID), "present/no-root");
    let other = Instance::new().root(Has::Everything);
    let judged = judge_with(vec![other], &keyless.material(WHILE_VALID));
    assert_eq!(word(&judged), "present/no-root");
    assert!(judged.signer.is_none() && judged.signed_by.is_none() && judged.time.is_none());
    assert_eq!(word(&judge_with(vec![], &keyless.material(WHILE_VALID))), "present/no-root");
}

#[test]
fn the_time_and_the_life_of_the_certificate() {
    let instance = Instance::new();
    let keyless = Keyless::new(&instance);
    assert_eq!(keyless.word(Has::Everything, AFTERWARDS), "invalid/certificate");
    assert_eq!(keyless.word(Has::Everything, WHILE_VALID - 86_400), "invalid/certificate");
    // Even under a log that proves it and an authority that no root knows.
    let stranger = Instance::new();
    let foreign = Keyless::with_certificate(&instance, |key| stranger.certificate(key));
    assert_eq!(foreign.word(Has::Everything, WHILE_VALID), "present/no-root");
    assert_eq!(foreign.word(Has::Everything, AFTERWARDS), "invalid/certificate");

    let unlogged = simple(&keyless.signature, &[("certificate", keyless.pem())]);
    let judged = judge_with(vec![instance.root(Has::Everything)], &unlogged);
    assert_eq!(word(&judged), "present/no-time");
    let early = Judge::new(vec![instance.root(Has::Everything)], Vec::new())
        .at(Timestamp::from_second(WHILE_VALID - 1).expect("a time"));
    assert_eq!(word(&early.judge(&keyless.material(WHILE_VALID), &image(), &[])), "invalid/log");
}

#[test]
fn certificates_that_are_none_for_this() {
    let instance = Instance::new();
    let forged = Keyless::with_certificate(&instance, |key| instance.forged(key));
    assert_eq!(forged.word(Has::Everything, WHILE_VALID), "invalid/certificate");
    assert_eq!(forged.word(Has::OtherLog, WHILE_VALID), "invalid/certificate", "before the log");
    let server = Keyless::with_certificate(&instance, |key| {
        instance.certificate_with(key, |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        })
    });
    assert_eq!(server.word(Has::Everything, WHILE_VALID), "invalid/certificate");
    let other = Keyless::with_certificate(&instance, |_| instance.certificate(&signer()));
    assert_eq!(other.word(Has::Everything, WHILE_VALID), "invalid/signature");
    assert_eq!(other.word(Has::OtherLog, WHILE_VALID), "invalid/signature", "whoever vouches");
}

#[test]
fn names_that_name_nobody() {
    let instance = Instance::new();
    let other_name = SanType::OtherName((
        vec![1, 3, 6, 1, 4, 1, 57264, 1, 7],
        OtherNameValue::Utf8String("anybody".to_owned()),
    ));
    let empty = SanType::URI("".try_into().expect("ASCII"));
    for name in [other_name, empty] {
        let keyless = Keyless::with_certificate(&instance, |key| {
            instance.certificate_with(key, |params| params.subject_alt_names = vec![name.clone()])
        });
        let judged =
            judge_with(vec![instance.root(Has::Everything)], &keyless.material(WHILE_VALID));
        assert_eq!(word(&judged), "valid", "{:?}", judged.detail);
        let Some(SignedBy::Certificate(by)) = &judged.signed_by else { panic!("{judged:?}") };
        assert_eq!(by.identity, None, "{name:?}");
        assert_eq!(judged.signer.and_then(|signer| signer.identity), None);
    }
}

#[test]
fn entries_that_are_about_something_else() {
    let instance = Instance::new();
    let keyless = Keyless::new(&instance);
    let (payload, pem) = (payload(), keyless.pem());
    let others = [
        hashed("hashedrekord", b"another", &keyless.signature, &pem),
        hashed("hashedrekord", &payload, b"another", &pem),
        hashed("hashedrekord", &payload, &keyless.signature, &Keyless::new(&instance).pem()),
        hashed("hashedrekord", &payload, &keyless.signature, &signer().public_key_pem()),
        dsse(&payload, &keyless.signature, &pem),
    ];
    for has in [Has::Everything, Has::OtherLog] {
        for body in &others {
            let logged = instance.annotation(body, WHILE_VALID);
            let material =
                simple(&keyless.signature, &[("certificate", pem.clone()), ("bundle", logged)]);
            let judged = judge_with(vec![instance.root(has)], &material);
            assert_eq!(word(&judged), "invalid/log", "{body}");
        }
    }
    // A promise that another log made in the name of this one.
    let mut annotation: Value = serde_json::from_str(&keyless.logged(WHILE_VALID)).expect("JSON");
    let stranger: Value = serde_json::from_str(
        &Keyless { instance: &Instance::new(), ..Keyless::new(&instance) }.logged(WHILE_VALID),
    )
    .expect("JSON");
    annotation["SignedEntryTimestamp"] = stranger["SignedEntryTimestamp"].clone();
    let more = [("certificate", pem), ("bundle", annotation.to_string())];
    let judged =
        judge_with(vec![instance.root(Has::Everything)], &simple(&keyless.signature, &more));
    assert_eq!(word(&judged), "invalid/log");
}

/// The kinds of entries that the engine does not read, restated for it.
#[test]
fn entries_that_are_restated() {
    let instance = Instance::new();
    let root = || vec![instance.root(Has::Everything)];
    let keyless = Keyless::new(&instance);
    let rekord = |payload: &[u8]| {
        let body = hashed("rekord", payload, &keyless.signature, &keyless.pem());
        let logged = instance.annotation(&body, WHILE_VALID);
        simple(&keyless.signature, &[("certificate", keyless.pem()), ("bundle", logged)])
    };
    let judged = judge_with(root(), &rekord(&payload()));
    assert_eq!(word(&judged), "valid", "{:?}", judged.detail);
    assert_eq!(word(&judge_with(root(), &rekord(b"another"))), "invalid/log");

    let key = signer();
    let signature = key.sign(&pae(IN_TOTO, &statement())).expect("a signature");
    let bytes = envelope(IN_TOTO, &statement(), &[&signature]);
    let attestation = |certificate: &[u8], bytes: &[u8], time| {
        let pem = certificate_pem(certificate);
        let logged = instance
            .annotation(&intoto(&envelope(IN_TOTO, &statement(), &[&signature]), &pem), time);
        let annotations = annotations(&[("certificate", pem), ("bundle", logged)]);
        Material::Envelope { bytes: bytes.to_vec().into(), annotations }
    };
    let certificate = instance.certificate(&key);
    let judged = judge_with(root(), &attestation(&certificate, &bytes, WHILE_VALID));
    assert_eq!(word(&judged), "valid", "{:?}", judged.detail);
    assert_eq!(judged.time, Timestamp::from_second(WHILE_VALID).ok());
    let log = judged.log.expect("a log entry");
    assert_eq!((log.url.as_deref(), log.promise), (Some("https://log.example"), true));
    let spaced = [bytes.as_slice(), b"\n"].concat();
    assert_eq!(
        word(&judge_with(root(), &attestation(&certificate, &spaced, WHILE_VALID))),
        "invalid/log"
    );
    assert_eq!(
        word(&judge_with(root(), &attestation(&certificate, &bytes, AFTERWARDS))),
        "invalid/certificate"
    );
    assert_eq!(
        word(&judge_with(root(), &attestation(&instance.forged(&key), &bytes, WHILE_VALID))),
        "invalid/certificate"
    );
    let server = instance.certificate_with(&key, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    assert_eq!(
        word(&judge_with(root(), &attestation(&server, &bytes, WHILE_VALID))),
        "invalid/certificate",
        "the engine checks the chain of what is restated too"
    );
}

/// Without a log: the time comes from a timestamp authority.
#[test]
fn time_by_an_authority_alone() {
    let instance = Instance::new();
    let keyless = Keyless::new(&instance);
    let stamped = |over: &[u8], time| {
        let stamp = instance.stamp_annotation(over, time);
        simple(&keyless.signature, &[("certificate", keyless.pem()), ("rfc3161timestamp", stamp)])
    };
    let of = |has, material: &Material| word(&judge_with(vec![instance.root(has)], material));
    let good = stamped(&keyless.signature, WHILE_VALID);
    let judged = judge_with(vec![instance.root(Has::NoLog)], &good);
    assert_eq!(word(&judged), "valid", "{:?}", judged.detail);
    assert_eq!((judged.time_from, judged.log), (Some(TimeFrom::Authority), None));
    assert_eq!(of(Has::Everything, &good), "present/no-log", "that root demands a log");
    assert_eq!(of(Has::NoStamper, &good), "present/no-root");
    assert_eq!(of(Has::NoLog, &stamped(&keyless.signature, AFTERWARDS)), "invalid/certificate");
    assert_eq!(of(Has::NoLog, &stamped(b"another", WHILE_VALID)), "invalid/timestamp");

    // Of an attestation cosign stamps the whole layer.
    let key = signer();
    let signature = key.sign(&pae(IN_TOTO, &statement())).expect("a signature");
    let bytes = envelope(IN_TOTO, &statement(), &[&signature]);
    let attestation = |over: &[u8], time| Material::Envelope {
        bytes: bytes.clone().into(),
        annotations: annotations(&[
            ("certificate", certificate_pem(&instance.certificate(&key))),
            ("rfc3161timestamp", instance.stamp_annotation(over, time)),
        ]),
    };
    let judged = judge_with(vec![instance.root(Has::NoLog)], &attestation(&bytes, WHILE_VALID));
    assert_eq!(word(&judged), "valid", "{:?}", judged.detail);
    assert_eq!((judged.time_from, judged.log), (Some(TimeFrom::Authority), None));
    assert_eq!(of(Has::NoLog, &attestation(&signature, WHILE_VALID)), "invalid/timestamp");
    assert_eq!(of(Has::NoLog, &attestation(&bytes, AFTERWARDS)), "invalid/certificate");
    assert_eq!(of(Has::Everything, &attestation(&bytes, WHILE_VALID)), "present/no-log");
}

/// In a log and timestamped: the earlier time counts, and the timestamp is there whichever that is.
#[test]
fn time_by_a_log_and_an_authority() {
    let instance = Instance::new();
    let keyless = Keyless::new(&instance);
    let judged = |log: i64, stamp: Option<i64>| {
        let mut more = vec![("certificate", keyless.pem()), ("bundle", keyless.logged(log))];
        let stamp = stamp.map(|time| instance.stamp_annotation(&keyless.signature, time));
        more.extend(stamp.map(|stamp| ("rfc3161timestamp", stamp)));
        let material = simple(&keyless.signature, &more);
        judge_with(vec![instance.root(Has::Everything)], &material)
    };
    let later = WHILE_VALID + 60;
    for (log, stamp, from) in [
        (WHILE_VALID, Some(later), TimeFrom::Log),
        (WHILE_VALID, Some(WHILE_VALID), TimeFrom::Log),
        (later, Some(WHILE_VALID), TimeFrom::Authority),
        (WHILE_VALID, None, TimeFrom::Log),
    ] {
        let judged = judged(log, stamp);
        assert_eq!(word(&judged), "valid", "{:?}", judged.detail);
        assert_eq!((judged.time_from, judged.stamped), (Some(from), stamp.is_some()));
        assert_eq!(judged.time.map(Timestamp::as_second), Some(WHILE_VALID));
    }
    let wrong = judged(WHILE_VALID, Some(AFTERWARDS));
    assert_eq!((word(&wrong), wrong.stamped), ("invalid/certificate".to_owned(), false));
}

#[test]
fn bundles_of_an_own_instance() {
    let instance = Instance::new();
    let key = signer();
    let certificate = instance.certificate(&key);
    let signature = key.sign(&pae(IN_TOTO, &statement())).expect("a signature");
    let body = dsse(&statement(), &signature, &certificate_pem(&certificate));
    let bundle = |change: &dyn Fn(&mut Value)| {
        let mut bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": { "rawBytes": STANDARD.encode(&certificate) },
                "tlogEntries": [instance.entry(&body, WHILE_VALID)],
            },
            "dsseEnvelope": serde_json::from_slice::<Value>(
                &envelope(IN_TOTO, &statement(), &[&signature])).expect("JSON"),
        });
        change(&mut bundle);
        let material = Material::Bundle { bytes: bundle.to_string().into() };
        judge_with(vec![instance.root(Has::Everything)], &material)
    };
    type Change<'a> = &'a dyn Fn(&mut Value);
    fn entry(bundle: &mut Value) -> &mut Value {
        &mut bundle["verificationMaterial"]["tlogEntries"][0]
    }
    let judged = bundle(&|_| {});
    assert_eq!(word(&judged), "valid", "{:?}", judged.detail);
    let log = judged.log.expect("a log entry");
    assert_eq!((log.promise, log.proof, log.index), (true, true, Some(7)));

    let cases: [(&str, &str, Change); 9] = [
        ("a proof proves no time", "present/no-time", &|bundle| {
            entry(bundle)["inclusionPromise"] = Value::Null;
        }),
        ("a kind that is not read", "present/format", &|bundle| {
            entry(bundle)["kindVersion"]["version"] = "0.0.2".into();
        }),
        ("the label of another kind", "invalid/log", &|bundle| {
            entry(bundle)["kindVersion"] = json!({ "kind": "intoto", "version": "0.0.2" });
        }),
        ("another log", "present/no-root", &|bundle| {
            entry(bundle)["logId"]["keyId"] = STANDARD.encode([7; 32]).into();
        }),
        ("a tree of another size", "invalid/log", &|bundle| {
            entry(bundle)["inclusionProof"]["treeSize"] = "2".into();
        }),
        ("no media type", "invalid/malformed", &|bundle| {
            bundle.as_object_mut().expect("it is one").shift_remove("mediaType");
        }),
        ("a version that is not read", "present/format", &|bundle| {
            bundle["mediaType"] = "application/vnd.dev.sigstore.bundle.v9+json".into();
        }),
        ("two contents", "invalid/malformed", &|bundle| {
            bundle["messageSignature"] = json!({ "signature": "AAAA" });
        }),
        ("a certificate and a hint", "invalid/malformed", &|bundle| {
            bundle["verificationMaterial"]["publicKey"] = json!({ "hint": "" });
        }),
    ];
    for (name, expected, change) in cases {
        let judged = bundle(change);
        assert_eq!(word(&judged), expected, "{name}: {:?}", judged.detail);
    }
}
