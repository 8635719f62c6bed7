//! Policy documents: what is read, and what is refused with its line.

use records::PolicyMode;

use super::{
    Folder, KEY, OTHER_KEY, found, image, key_authority, keyless_authority, load, policies, policy,
};
use pc_verify::trust::TrustArgs;

fn refused(text: &str) -> String {
    policies(text).map(|_| ()).expect_err("refused")
}

#[test]
fn the_fields_that_are_supported_are_read() {
    let text = policy(
        &(key_authority(KEY)
            + "      hashAlgorithm: sha256\n    ctlog:\n      url: https://rekor.sigstore.dev\n    signatureFormat: legacy\n    source:\n    - oci: ghcr.io/acme/signatures\n"),
    ) + &keyless_authority()
        + "    ctlog: {}\n    attestations:\n    - name: provenance\n      predicateType: slsaprovenance\n    - name: review\n      predicateType: https://acme.example/review/v1\n"
        + "  - static:\n      action: fail\n      message: ask the platform team\n"
        + "  mode: warn\n  match:\n  - version: v1\n    resource: pods\n";
    let trust = policies(&text).expect("a policy");
    let outcome = super::outcome(&trust, &found(&[], &[]));
    assert_eq!(outcome.mode, PolicyMode::Warn);
    assert_eq!(
        outcome.reasons,
        [
            "authority-0: no signature was found",
            "releases: no attestation `provenance` (slsaprovenance) was found; no attestation `review` (https://acme.example/review/v1) was found",
            "authority-2: ask the platform team",
        ]
    );
    let names = |written: &str| -> Vec<String> {
        trust.signature_repositories(&image(written)).iter().map(ToString::to_string).collect()
    };
    assert_eq!(names("ghcr.io/acme/web"), ["ghcr.io/acme/signatures"]);
    assert_eq!(names("ghcr.io/other/web"), Vec::<String>::new());
}

#[test]
fn both_versions_lists_several_documents_and_json_are_read() {
    let one = policy(&key_authority(KEY));
    let other = one.replace("v1beta1", "v1alpha1").replace("name: acme", "name: other");
    let indented: String = one.lines().map(|line| format!("  {line}\n")).collect();
    let list = format!(
        "apiVersion: v1\nkind: List\nmetadata:\n  resourceVersion: ''\nitems:\n-{}",
        &indented[1..]
    );
    let json = r#"{"apiVersion": "policy.sigstore.dev/v1beta1", "kind": "ClusterImagePolicyList", "metadata": {}, "items": [
        {"apiVersion": "policy.sigstore.dev/v1beta1", "kind": "ClusterImagePolicy",
         "metadata": {"name": "json", "uid": "1", "managedFields": [{"manager": "kubectl"}]},
         "spec": {"images": [{"glob": "**"}], "authorities": [{"static": {"action": "pass"}}]},
         "status": {"conditions": [{"type": "Ready"}]}}]}"#;
    for (text, count) in
        [(format!("# ours\n{one}---\n# nothing\n---\n{other}"), 2), (list, 1), (json.to_owned(), 1)]
    {
        let trust = policies(&text).expect("policies");
        let outcomes = trust.policies(&image(super::IMAGE), &found(&[], &[]));
        assert_eq!(outcomes.len(), count, "{text}");
    }
}

#[test]
fn a_folder_is_read_whole_and_names_are_unique_in_it() {
    let one = policy(&key_authority(KEY));
    let other = policy(&key_authority(OTHER_KEY)).replace("name: acme", "name: other");
    let folder = Folder::of(&[("b.yml", &other), ("a.yaml", &one), ("notes.txt", "none")]);
    let args = TrustArgs { trust_policy: Some(folder.path("")), ..TrustArgs::default() };
    let trust = load(&args).expect("policies");
    let outcomes = trust.policies(&image(super::IMAGE), &found(&[], &[]));
    assert_eq!(outcomes.iter().map(|o| &*o.policy).collect::<Vec<_>>(), ["acme", "other"]);
    std::fs::write(folder.path("c.json"), &one).expect("written");
    let error = load(&args).map(|_| ()).expect_err("twice");
    assert!(error.contains("c.json`, line 4") && error.contains("a.yaml`, line 4"), "{error}");
}

/// What stands in line 9 of a policy, in its one authority.
fn in_authority(text: &str) -> String {
    policy(&format!("  - {text}\n"))
}

#[test]
fn what_is_not_supported_is_refused_by_name_and_line() {
    let keyless = keyless_authority();
    let key = key_authority(KEY);
    for (text, line, why) in [
        // The policy's own fields.
        (
            policy(&keyless) + "  policy:\n    type: cue\n    data: 'x'\n",
            15,
            "`spec.policy` is not supported",
        ),
        (policy(&keyless) + "  mode: audit\n", 14, "`enforce` or `warn`"),
        (policy(&keyless) + "  fetchConfigFile: true\n", 14, "unknown field `fetchConfigFile`"),
        (
            policy(&keyless)
                + "  match:\n  - resource: deployments\n    group: apps\n    version: v1\n",
            15,
            "`spec.match` is not supported",
        ),
        (
            policy(&keyless)
                + "  match:\n  - resource: pods\n    version: v1\n    selector:\n      matchLabels: {a: b}\n",
            15,
            "`spec.match` is not supported",
        ),
        (
            policy(&keyless).replace("  - glob: ghcr.io/acme/**", "  - glob: '[a-z]*'"),
            7,
            "is no glob",
        ),
        (
            policy(&keyless).replace("  - glob: ghcr.io/acme/**", "  - regex: '.*'"),
            7,
            "unknown field `regex`",
        ),
        (
            policy(&keyless).replace("  images:\n  - glob: ghcr.io/acme/**\n", ""),
            6,
            "`spec.images` is missing",
        ),
        (
            policy("").replace("  authorities:\n", "  authorities: []\n"),
            6,
            "`spec.authorities` is missing or empty",
        ),
        (
            policy(&keyless).replace("metadata:\n  name: acme\n", "metadata: {}\n"),
            2,
            "`metadata.name` is missing",
        ),
        (policy(&keyless) + "  remote: {}\n", 14, "`spec.remote` is a field of TrustRoot"),
        (
            policy(&keyless).replace(
                "  name: acme\n",
                "  name: acme\n  annotations:\n    provenance.nebari.dev/sources: x\n",
            ),
            6,
            "annotation `provenance.nebari.dev/sources` is not known",
        ),
        (
            policy(&keyless).replace(
                "  name: acme\n",
                "  name: acme\n  annotations:\n    provenance.nebari.dev/source-repository: acme\n",
            ),
            6,
            "no source repository",
        ),
        // Who an authority names.
        (in_authority("name: nobody"), 9, "one of `key`, `keyless` and `static`"),
        (in_authority("rfc3161timestamp: {trustRootRef: x}"), 9, "names nobody"),
        (
            policy(&(keyless.clone() + "    static:\n      action: pass\n")),
            9,
            "one of `key`, `keyless` and `static`",
        ),
        (in_authority("static: {action: maybe}"), 9, "`pass` or `fail`"),
        (
            in_authority("static: {action: pass}\n    ctlog: {}"),
            9,
            "`ctlog` says nothing beside `static`",
        ),
        // Keys.
        (in_authority("key: {kms: 'awskms:///alias/x'}"), 9, "`key.kms` is not supported"),
        (in_authority("key: {}"), 9, "one of `data` and `secretRef`"),
        (in_authority("key: {data: junk}"), 9, "no PEM"),
        (in_authority("key: {secretRef: {name: '../x'}}"), 9, "no name of a Secret"),
        (
            policy(&(key.clone() + "      hashAlgorithm: sha224\n")),
            15,
            "`sha256`, `sha384` or `sha512`",
        ),
        (policy(&(key.clone() + "      format: pem\n")), 15, "unknown field `format`"),
        // Certificates.
        (
            in_authority("keyless: {url: 'https://fulcio.sigstore.dev'}"),
            9,
            "it would trust anybody",
        ),
        (in_authority("keyless: {identities: []}"), 9, "it would trust anybody"),
        (
            in_authority("keyless: {identities: [{issuer: x}]}"),
            9,
            "one of `subject` and `subjectRegExp`",
        ),
        (
            in_authority("keyless: {identities: [{subject: x}]}"),
            9,
            "one of `issuer` and `issuerRegExp`",
        ),
        (
            in_authority("keyless: {identities: [{subject: x, subjectRegExp: x, issuer: x}]}"),
            9,
            "one of `subject` and `subjectRegExp`",
        ),
        (
            in_authority("keyless: {identities: [{subjectRegExp: '(', issuer: x}]}"),
            9,
            "no regular expression",
        ),
        (
            in_authority("keyless: {ca-cert: {data: x}, identities: [{subject: x, issuer: x}]}"),
            9,
            "`keyless.ca-cert` is not supported",
        ),
        (
            in_authority(
                "keyless: {url: 'https://fulcio.acme.example', identities: [{subject: x, issuer: x}]}",
            ),
            9,
            "no configured root has the authority",
        ),
        (
            in_authority("keyless: {trustRootRef: mine, identities: [{subject: x, issuer: x}]}"),
            9,
            "no TrustRoot `mine`",
        ),
        (
            in_authority(
                "keyless: {insecureIgnoreSCT: true, identities: [{subject: x, issuer: x}]}",
            ),
            9,
            "`keyless.insecureIgnoreSCT` is not supported",
        ),
        // Logs, timestamps, formats, places.
        (
            policy(&(keyless.clone() + "    ctlog:\n      url: https://rekor.acme.example\n")),
            15,
            "no configured root has this transparency log",
        ),
        (
            policy(&(keyless.clone() + "    ctlog:\n      trustRootRef: mine\n")),
            15,
            "no TrustRoot `mine`",
        ),
        (policy(&(keyless.clone() + "    rfc3161timestamp: {}\n")), 14, "must name its root"),
        (
            policy(&(key + "    rfc3161timestamp:\n      trustRootRef: mine\n")),
            16,
            "`rfc3161timestamp.trustRootRef` is not supported",
        ),
        (
            policy(&(keyless.clone() + "    signatureFormat: notation\n")),
            14,
            "`legacy` or `bundle`",
        ),
        (
            policy(
                &(keyless.clone() + "    source:\n    - oci: ghcr.io/a/b\n      tagPrefix: x\n"),
            ),
            16,
            "`source.tagPrefix` is not supported",
        ),
        (
            policy(
                &(keyless.clone()
                    + "    source:\n    - oci: ghcr.io/a/b\n      signaturePullSecrets: [{name: x}]\n"),
            ),
            16,
            "`source.signaturePullSecrets` is not supported",
        ),
        (policy(&(keyless.clone() + "    source:\n    - {}\n")), 15, "has no `oci`"),
        (
            policy(&(keyless.clone() + "    source:\n    - oci: 'ghcr.io/a:1'\n")),
            15,
            "must be a repository",
        ),
        // Attestations.
        (
            policy(
                &(keyless.clone()
                    + "    attestations:\n    - name: a\n      predicateType: sbom\n"),
            ),
            16,
            "a URI or a word",
        ),
        (
            policy(
                &(keyless.clone()
                    + "    attestations:\n    - name: a\n      predicateType: spdx\n      policy:\n        type: rego\n"),
            ),
            18,
            "`attestations.policy` is not supported",
        ),
        (
            policy(&(keyless + "    attestations:\n    - name: a\n      type: spdx\n")),
            16,
            "unknown field `type`",
        ),
    ] {
        let error = refused(&text);
        assert!(error.contains(why), "{why}\n{text}\n{error}");
        assert!(error.contains(&format!("line {line}")), "line {line}: {error}\n{text}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn documents_of_other_kinds_are_named() {
    for (text, line, why) in [
        ("apiVersion: v1\nkind: ConfigMap\ndata: {}\n", 2, "`ConfigMap` of `v1` is not read here"),
        (
            "apiVersion: config.openshift.io/v1\nkind: ClusterImagePolicy\n",
            2,
            "`config.openshift.io/v1`",
        ),
        ("apiVersion: policy.sigstore.dev/v2\nkind: ClusterImagePolicy\n", 2, "is not read here"),
        (
            "apiVersion: policy.sigstore.devx/v1beta1\nkind: ClusterImagePolicy\n",
            2,
            "is not read here",
        ),
        ("kind: ClusterImagePolicy\n", 1, "without `apiVersion`"),
        ("apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n", 5, "`Secret`"),
        ("apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n", 5, "`List`"),
        (
            "apiVersion: policy.sigstore.dev/v1beta1\nkind: ClusterImagePolicy\nmetadata:\n  name: a\n",
            2,
            "`spec` is missing",
        ),
        ("- a\n- b\n", 1, ""),
        ("just text\n", 1, ""),
    ] {
        let error = refused(text);
        assert!(error.contains(why) && error.contains(&format!("line {line}")), "{text}: {error}");
    }
    let one = policy(&keyless_authority());
    let error = refused(&format!(
        "{one}items:\n- apiVersion: policy.sigstore.dev/v1beta1\n  kind: TrustRoot\n"
    ));
    assert!(error.contains("line 2") && error.contains("only a list has `items`"), "{error}");
    let error = refused(&one.replace("kind: ClusterImagePolicy", "kind: ClusterImagePolicyList"));
    assert!(error.contains("line 2") && error.contains("a list has no `spec`"), "{error}");
    assert!(refused("").contains("there is no policy"));
    assert!(refused("---\n# nothing\n").contains("there is no policy"));
}

#[test]
fn hostile_documents_are_refused() {
    let deep = format!("{}    attestations: {}", policy(&keyless_authority()), "[".repeat(50_000));
    let mut bomb = String::from("x0: &x0 [a, a, a, a, a, a, a, a, a]\n");
    for level in 1..10 {
        let aliases = vec![format!("*x{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("x{level}: &x{level} [{aliases}]\n"));
    }
    let globs = policy(&keyless_authority())
        .replace("  - glob: ghcr.io/acme/**\n", &"  - glob: '**'\n".repeat(100_000));
    let large = "# a comment\n".repeat(1_000_000);
    let escaped = policy("  - \"\\e]0;owned\\a\": 1\n");
    for text in [deep, bomb, globs, large, escaped, "\0".repeat(1_000), "%".repeat(1_000)] {
        let began = std::time::Instant::now();
        let error = refused(&text);
        assert!(error.len() < 600 && !error.contains('\u{1b}'), "{error:?}");
        assert!(began.elapsed().as_secs() < 20, "{error}");
    }
}

/// Prefixes of a policy: each is refused or read, and none makes it panic.
#[test]
fn truncated_documents_do_no_harm() {
    let text = policy(&(key_authority(KEY) + &keyless_authority()));
    for at in (0..text.len()).step_by(5) {
        let _ = policies(&text[..at]);
    }
}
