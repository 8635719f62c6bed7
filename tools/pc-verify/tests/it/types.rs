//! `--type`: the statements of some predicate types alone, printed, saved and demanded.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use testkit::{Run, pc, root};

/// An image about which somebody signed statements of five types, and no signature.
const IMAGE: &str = "registry.example.com/evidence/bundle-attestations:1.0.0";

const CUSTOM: &str = "https://cosign.sigstore.dev/attestation/v1";
const CYCLONEDX: &str = "https://cyclonedx.org/bom";
const SLSA: &str = "https://slsa.dev/provenance/v1";
const SPDX: &str = "https://spdx.dev/Document";
const VULN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";

fn verify(flags: &[&str]) -> Run {
    let folder = root().join("testdata/evidence");
    pc("verify")
        .arg("--layout")
        .arg(folder.join("layouts"))
        .arg("--trusted-root")
        .arg(folder.join("trusted-root.json"))
        .args(["--certificate-identity", "dev@example.com"])
        .args(["--certificate-oidc-issuer", "https://accounts.example.com"])
        .args(["--platform", "linux/amd64", IMAGE])
        .args(flags)
}

/// The predicate types that are printed.
fn printed(flags: &[&str]) -> BTreeSet<String> {
    let text = verify(&["--print", "attestation"]).args(flags).run().ok().text();
    let payload = |line: &str| serde_json::from_str::<Value>(line).expect("JSON");
    let of = |payload: Value| payload["predicateType"].as_str().unwrap_or("none").to_owned();
    text.lines().map(|line| of(payload(line))).collect()
}

fn set(types: &[&str]) -> BTreeSet<String> {
    types.iter().map(|one| (*one).to_owned()).collect()
}

#[test]
fn payloads_of_the_wanted_types_are_printed_and_without_a_type_all() {
    assert_eq!(printed(&[]), set(&[CUSTOM, CYCLONEDX, SLSA, SPDX, VULN]));
    assert_eq!(printed(&["--type", "vuln"]), set(&[VULN]));
    assert_eq!(printed(&["--type", "spdxjson,custom"]), set(&[SPDX, CUSTOM]));
    assert_eq!(
        printed(&["--type", CYCLONEDX, "--type", "slsaprovenance1"]),
        set(&[CYCLONEDX, SLSA])
    );
    // The word means version 0.2, as in cosign, and nothing of that is there.
    assert_eq!(printed(&["--type", "slsaprovenance"]), set(&[]));
}

#[test]
fn what_is_saved_is_of_the_wanted_types_and_the_records_are_the_same() {
    let saved = |flags: &[&str]| {
        let folder = tempfile::tempdir().expect("a folder");
        let run = verify(&["--format", "json", "--save"]).arg(folder.path()).args(flags).run().ok();
        let place = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").path();
        let folders = fs::read_dir(folder.path()).expect("a folder").map(place);
        let folders = folders.filter(|path| path.is_dir());
        let files = folders.flat_map(|path| fs::read_dir(path).expect("a folder"));
        (files.count(), run.of_type("sbom"), run.of_type("attestation"))
    };
    let (all, sboms, attestations) = saved(&[]);
    assert_eq!(all, 5);
    assert_eq!(saved(&["--type", "vuln"]), (1, sboms.clone(), attestations.clone()));
    assert_eq!(saved(&["--type", "link"]), (0, sboms, attestations));
}

#[test]
fn a_demand_for_a_type_is_met_by_its_statements_alone() {
    for (flags, missed) in [
        (&["--require", "attestation:vuln=trusted"][..], None),
        (&["--require", "attestation:spdx=trusted,attestation:slsaprovenance1=valid"], None),
        (
            &["--require", "attestation:openvex=present"],
            Some("the attestation openvex is absent, not present"),
        ),
        (
            &["--require", "attestation:slsaprovenance=valid"],
            Some("the attestation slsaprovenance is absent"),
        ),
        (&["--require", "attestation=trusted", "--type", "cyclonedx"], None),
        (
            &["--require", "attestation=trusted", "--type", "link"],
            Some("the attestation link is absent"),
        ),
        (&["--require", "attestation=trusted", "--type", "link,custom"], None),
        (&["--require", "attestation:vuln=trusted", "--type", "link"], None),
        (&["--require", "attestation=trusted"], None),
    ] {
        let ran = verify(&["--format", "json"]).args(flags).run();
        match missed {
            None => drop(ran.ok()),
            Some(text) => drop(ran.code(3).says(text)),
        }
    }
}

#[test]
fn nobodys_word_is_no_trusted_one_and_what_is_not_looked_for_is_refused() {
    let stranger = |flags: &[&str]| {
        let layouts = root().join("testdata/evidence/layouts");
        pc("verify")
            .arg("--layout")
            .arg(layouts)
            .args(["--format", "json", IMAGE])
            .args(flags)
            .run()
    };
    let signature = "https://sigstore.dev/cosign/sign/v1";
    for (flags, code, said) in [
        (
            &["--require", "attestation:vuln=valid"][..],
            3,
            "the attestation vuln is present, not valid",
        ),
        (
            &["--checks", "signature", "--require", "attestation:spdx=valid"],
            2,
            "demands something of sbom, which is switched off",
        ),
        (&["--require", "attestation:what=valid"], 2, "`what` is no predicate type"),
        (&["--type", "what"], 2, "slsaprovenance1, spdx, "),
        (&["--require", "attestation=valid", "--type", signature], 2, "signature=VERDICT"),
    ] {
        drop(stranger(flags).code(code).says(said));
    }
}
