//! Statements about what runs, plain and signed, and what cosign says of them.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use testkit::{Run, Testbed};

use crate::{SHOP, assemble, report};

const VSA: &str = "https://slsa.dev/verification_summary/v1";
const SCAI: &str = "https://in-toto.io/attestation/scai/v0.3";
/// An image of the shop that both kinds have a statement about.
const AGENT: &str = "d4f0bc5a29de06b510f9aa428f1eedba926012b591fef7a518e776a7c9bd1824";

/// A key of the crate that signs: its tests say how it was made.
fn key(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/attest/testdata").join(name)
}

/// The lines of a format, and what was said.
fn lines(run: Run, format: &str) -> (Vec<Value>, String) {
    let ran = run.args(["--format", format]).run().ok();
    (ran.records(), ran.stderr)
}

fn statement(bundle: &Value) -> Value {
    let payload = bundle["dsseEnvelope"]["payload"].as_str().expect("a payload");
    serde_json::from_slice(&STANDARD.decode(payload).expect("base64")).expect("a statement")
}

#[test]
fn a_statement_a_line_and_what_has_none_is_counted() {
    for (format, kind, words) in [
        ("vsa", VSA, "1 answer has no verification summary: its signature could not be checked"),
        ("scai", SCAI, "1 row is not part of any statement: which digest runs is not proven"),
    ] {
        let (statements, said) = lines(assemble(SHOP), format);
        assert!(!statements.is_empty() && said.contains(words), "{format}: {said}");
        for statement in &statements {
            assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
            assert_eq!(statement["predicateType"], kind);
        }
        // Signed, they are the same statements.
        let run = || assemble(SHOP).env("PROVENANCE_SIGN_KEY", key("p256.pem"));
        let (bundles, said_again) = lines(run(), format);
        assert_eq!(bundles.iter().map(statement).collect::<Vec<_>>(), statements);
        assert!(said_again.contains(words), "{format}: {said_again}");
        assert_eq!(lines(run(), format).0, bundles, "deterministic");
    }
}

/// The evidence is the report that the same stream makes at the same time.
#[test]
fn the_evidence_is_the_reports_json() {
    use sha2::{Digest as _, Sha256};
    let json = assemble(SHOP).run().ok().stdout;
    let digest = hex::encode(Sha256::digest(&json));
    let (statements, _) = lines(assemble(SHOP), "scai");
    for statement in statements {
        let evidence = &statement["predicate"]["attributes"][0]["evidence"];
        assert_eq!(evidence["digest"]["sha256"], *digest);
        assert_eq!(evidence.get("name"), None, "it has no name yet");
    }
}

#[test]
fn a_key_that_cannot_be_used_writes_nothing_and_other_formats_do_not_look_at_it() {
    for format in ["vsa", "scai"] {
        let run = assemble(SHOP).args(["--format", format, "--sign-key"]);
        let ran = run.arg(key("cosign.key")).run().code(1);
        assert_eq!(ran.says("there is no password for it").text(), "");
    }
    let run = || assemble(SHOP).env("PROVENANCE_SIGN_KEY", "/nowhere");
    let ran = run().run().ok();
    assert_eq!((report(&ran)["metadata"]["complete"].as_bool(), &*ran.stderr), (Some(true), ""));
    let _ = run().args(["--format", "csv"]).run().ok().says("`csv` is not signed");
    let _ = run().args(["--sign-key", "k8s://a/b"]).run().code(2).says("`k8s://` keys are not");
}

/// cosign, both versions, on the file and from a registry: the shop's agent with the digest of an
/// image that is really there.
#[test]
fn cosign_checks_what_is_signed() {
    let Some(testbed) = Testbed::from_env("cosign checks what is signed") else { return };
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    let name = format!("{}/{}", testbed.oci_registry, testbed.fresh("attested/agent"));
    let oras = |args: &[&str]| testbed.tool("oras", home).dir(home).args(args).run().ok().text();
    fs::write(home.join("layer.txt"), "agent").expect("written");
    let _ = oras(&["push", "--plain-http", &format!("{name}:1"), "layer.txt:text/plain"]);
    let digest = oras(&["resolve", "--plain-http", &format!("{name}:1")]).trim().to_owned();
    let hex = digest.strip_prefix("sha256:").expect("SHA-256").to_owned();
    let image = format!("{name}@{digest}");
    for (format, kind) in [("vsa", VSA), ("scai", SCAI)] {
        let run = assemble(SHOP.replace(AGENT, &hex)).arg("--sign-key").arg(key("p256.pem"));
        let (bundles, _) = lines(run, format);
        let about = |bundle: &&Value| statement(bundle)["subject"][0]["digest"]["sha256"] == *hex;
        let bundle = bundles.iter().find(about).expect("one about the agent");
        fs::write(home.join("one.json"), bundle.to_string()).expect("written");
        for (public, code) in [("p256.pub", 0), ("cosign.pub", 1)] {
            let root = testbed.var("TRUSTED_ROOT");
            let old = ["--new-bundle-format", "--trusted-root", &root];
            for (cosign, more) in [("cosign", &[][..]), ("cosign2", &old)] {
                let run = testbed.tool(cosign, home).dir(home).arg("verify-blob-attestation");
                let run = run.args(["--insecure-ignore-tlog", "--type", kind]).args(more);
                let run = run.args(["--bundle", "one.json", "--digest", &hex]);
                let ran = run.args(["--digestAlg", "sha256", "--key"]).arg(key(public)).run();
                assert_eq!(ran.code == Some(0), code == 0, "{cosign} {public}: {}", ran.stderr);
            }
        }
        let media = "application/vnd.dev.sigstore.bundle.v0.3+json";
        let file = format!("one.json:{media}");
        let _ = oras(&["attach", "--plain-http", "--artifact-type", media, &image, &file]);
        let run = testbed.tool("cosign", home).args(["verify-attestation", "--type", kind]);
        let run = run.args(["--insecure-ignore-tlog", "--allow-http-registry", "--key"]);
        let ran = run.arg(key("p256.pub")).arg(&image).run().ok();
        let _ = ran.says("The signatures were verified against the specified public key");
    }
}
