//! `TrustRoot` documents, and the policies that name them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pc_verify::judged::{CertifiedIdentity, Judged, SignedBy, TimeFrom};
use pc_verify::trust::{RootSource, Trust, TrustArgs};
use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};

use super::{
    Folder, IMAGE, KEY, OTHER_KEY, RELEASE, certified, image, keyless_authority, load, policies,
    policy, signature, signed,
};

const CHAIN: &str = include_str!("chain.pem");

fn authority(field: &str, uri: &str) -> String {
    let chain = STANDARD.encode(CHAIN);
    format!(
        "    {field}:\n    - subject: {{organization: acme.example, commonName: acme}}\n      uri: {uri}\n      certChain: {chain}\n"
    )
}

fn log(field: &str, url: &str, key: &str) -> String {
    let key = STANDARD.encode(key);
    format!(
        "    {field}:\n    - baseURL: {url}\n      hashAlgorithm: sha-256\n      publicKey: {key}\n"
    )
}

/// A TrustRoot named `acme`, of keys.
fn trust_root(keys: &str) -> String {
    format!(
        "apiVersion: policy.sigstore.dev/v1alpha1\nkind: TrustRoot\nmetadata:\n  name: acme\nspec:\n  sigstoreKeys:\n{keys}"
    )
}

fn whole() -> String {
    trust_root(
        &(authority("certificateAuthorities", "https://fulcio.acme.example")
            + &log("tLogs", "https://rekor.acme.example", KEY)
            + &log("ctLogs", "https://ct.acme.example", OTHER_KEY)
            + &authority("timestampAuthorities", "https://tsa.acme.example")),
    )
}

/// A policy on releases, with `trustRootRef: acme`.
fn referring(more: &str) -> String {
    let reference = "    keyless:\n      trustRootRef: acme\n";
    policy(&(keyless_authority().replace("    keyless:\n", reference) + more))
}

fn by(root: &str) -> Judged {
    let certified = CertifiedIdentity { root: root.into(), ..certified(RELEASE) };
    Judged { log: None, ..signed(SignedBy::Certificate(certified), signature()) }
}

fn is_trusted(trust: &Trust, judged: &Judged) -> bool {
    trust.trusted_by(&image(IMAGE), judged, None).is_some()
}

#[test]
fn keys_become_a_trusted_root() {
    let trust = policies(&format!("{}---\n{}", whole(), referring(""))).expect("a root");
    let root = trust.roots().last().expect("a root");
    assert_eq!(root.name(), "TrustRoot/acme");
    let RootSource::Json(json) = root.source() else { panic!("not JSON") };
    let parsed = TrustedRoot::from_json(json).expect("a trusted root");
    assert_eq!(parsed.certificate_authorities[0].cert_chain.certificates.len(), 2);
    assert_eq!(parsed.certificate_authorities[0].uri, "https://fulcio.acme.example");
    assert_eq!(parsed.tlogs[0].public_key.key_details.as_str(), "PKIX_ECDSA_P256_SHA_256");
    assert_eq!(parsed.ctlogs[0].base_url, "https://ct.acme.example");
    assert_eq!(parsed.timestamp_authorities.len(), 1);
    sigstore_verify::Verifier::new(&parsed).expect("the engine takes it");
}

#[test]
fn a_policy_trusts_the_root_that_it_names_and_no_other() {
    let trust = policies(&format!("{}---\n{}", referring(""), whole())).expect("in any order");
    assert!(is_trusted(&trust, &by("TrustRoot/acme")));
    assert!(!is_trusted(&trust, &by("public-good")));
    let plain =
        policies(&format!("{}---\n{}", policy(&keyless_authority()), whole())).expect("a root");
    assert!(!is_trusted(&plain, &by("TrustRoot/acme")));

    let logged = format!("{}---\n{}", referring("    ctlog:\n      trustRootRef: acme\n"), whole());
    let logged = policies(&logged).expect("a log");
    let entry = Some(super::logged("https://rekor.acme.example"));
    assert!(is_trusted(&logged, &Judged { log: entry, ..by("TrustRoot/acme") }));
    assert!(!is_trusted(&logged, &by("TrustRoot/acme")));

    let stamped = format!(
        "{}---\n{}",
        referring("    rfc3161timestamp:\n      trustRootRef: acme\n"),
        whole()
    );
    let stamped = policies(&stamped).expect("an authority");
    // The log's promise may be the earlier one: that does not take the timestamp away.
    for time_from in [Some(TimeFrom::Authority), Some(TimeFrom::Log)] {
        let judged = Judged { time_from, stamped: true, ..by("TrustRoot/acme") };
        assert!(is_trusted(&stamped, &judged), "{time_from:?}");
    }
    assert!(!is_trusted(&stamped, &by("TrustRoot/acme")));
}

#[test]
fn a_trusted_root_may_be_given_as_json_and_found_by_its_address() {
    let indented: String =
        SIGSTORE_PRODUCTION_TRUSTED_ROOT.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!(
        "apiVersion: policy.sigstore.dev/v1alpha1\nkind: TrustRoot\nmetadata:\n  name: acme\nspec:\n  trustedRootJSON: |\n{indented}---\n{}",
        referring("")
    );
    assert!(is_trusted(&policies(&text).expect("a root"), &by("TrustRoot/acme")));

    let folder = Folder::of(&[
        ("root.json", SIGSTORE_PRODUCTION_TRUSTED_ROOT),
        ("policy.yaml", &policy(&keyless_authority())),
    ]);
    let args = TrustArgs {
        no_embedded_roots: true,
        trusted_root: vec![folder.path("root.json")],
        trust_policy: Some(folder.path("policy.yaml")),
        ..TrustArgs::default()
    };
    let trust = load(&args).expect("the file has the authority that policies mean");
    let name = folder.path("root.json").to_string_lossy().into_owned();
    assert!(is_trusted(&trust, &Judged { log: Some(super::logged(super::REKOR)), ..by(&name) }));
    let error =
        load(&TrustArgs { trusted_root: Vec::new(), ..args }).map(|_| ()).expect_err("no root");
    assert!(
        error.contains("no configured root has the authority `https://fulcio.sigstore.dev`"),
        "{error}"
    );
}

/// Whatever address a TrustRoot claims, only a policy that names it relies on it.
#[test]
fn a_trust_root_vouches_for_nobody_else() {
    let claiming = whole().replace("fulcio.acme.example", "fulcio.sigstore.dev");
    let plain = format!("{claiming}---\n{}", policy(&keyless_authority()));
    let judged = Judged { log: Some(super::logged(super::REKOR)), ..by("TrustRoot/acme") };
    assert!(!is_trusted(&policies(&plain).expect("a root"), &judged));

    let folder = Folder::of(&[("policy.yaml", &format!("{claiming}---\n{}", referring("")))]);
    let flags = TrustArgs {
        certificate_identity: Some(RELEASE.into()),
        certificate_oidc_issuer: Some(super::ISSUER.into()),
        trust_policy: Some(folder.path("policy.yaml")),
        ..TrustArgs::default()
    };
    let trust = load(&flags).expect("an identity");
    let elsewhere = image("ghcr.io/other/web");
    assert_eq!(trust.trusted_by(&elsewhere, &judged, None), None);
    let public = Judged { log: Some(super::logged(super::REKOR)), ..by("public-good") };
    assert!(trust.trusted_by(&elsewhere, &public, None).is_some());
    let log = "    ctlog:\n      url: https://rekor.acme.example\n";
    let error = policies(&format!("{}---\n{}", whole(), policy(&(keyless_authority() + log))));
    assert!(error.map(|_| ()).expect_err("refused").contains("no configured root has this"));
}

#[test]
fn what_is_wrong_with_a_root_is_refused_with_its_line() {
    let authorities = authority("certificateAuthorities", "https://fulcio.acme.example");
    let without_ct = trust_root(&authorities);
    let head = "apiVersion: policy.sigstore.dev/v1alpha1\nkind: TrustRoot\nmetadata:\n  name: acme\nspec:\n";
    for (text, line, why) in [
        (
            format!("{head}  remote:\n    root: x\n    mirror: y\n"),
            7,
            "`spec.remote` is not supported",
        ),
        (format!("{head}  repository:\n    root: x\n"), 7, "`spec.repository` is not supported"),
        (format!("{head}  mode: warn\n"), 6, "`spec.mode` is a field of ClusterImagePolicy"),
        (format!("{head}  {{}}\n"), 6, "neither `sigstoreKeys` nor `trustedRootJSON`"),
        (format!("{head}  trustedRootJSON: '{{}}'\n"), 6, "no trusted root"),
        (trust_root("    tLogs: []\n"), 7, "no certificate authority"),
        (trust_root("    rekor: []\n"), 7, "unknown field `rekor`"),
        (trust_root(&log("tLogs", "https://x.example", "junk")), 10, "`publicKey`: it is no PEM"),
        (
            trust_root(&log("tLogs", "https://x.example", &format!("{KEY}{OTHER_KEY}"))),
            10,
            "one key",
        ),
        (
            trust_root(&log("tLogs", "https://x.example", KEY)).replace("sha-256", "md5"),
            9,
            "`hashAlgorithm`",
        ),
        (
            trust_root(&authorities).replace("certChain: ", "certChain: '%%' # "),
            10,
            "PEM in base64",
        ),
        (format!("{}---\n{}", whole(), whole()), 0, "two documents `TrustRoot/acme`"),
        (format!("{}---\n{without_ct}", referring("")), 11, "has no `ctLogs`"),
        (
            format!("{}---\n{}", referring("      insecureIgnoreSCT: true\n"), whole()),
            15,
            "`keyless.insecureIgnoreSCT` is not supported",
        ),
    ] {
        let error = policies(&text).map(|_| ()).expect_err("refused");
        assert!(error.contains(why), "{why}: {error}");
        assert!(line == 0 || error.contains(&format!("line {line}")), "line {line}: {error}");
    }
    let text = format!("{}---\n{without_ct}", referring("      insecureIgnoreSCT: true\n"));
    assert!(is_trusted(&policies(&text).expect("said"), &by("TrustRoot/acme")));
}
