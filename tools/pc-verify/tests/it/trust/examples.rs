//! The examples of docs/examples/trust, as docs/trust.md tells them.

use std::path::PathBuf;

use pc_verify::judged::{CertifiedIdentity, Judged, Reason, SignedBy};
use pc_verify::trust::{Check, Checked, Find, Glob, Trust, TrustArgs};
use records::{FindVerdict, PolicyResult};

use super::{
    ALL, GENERATOR, KEY, by, certified, check, find, found, id, image, load, logged, signature,
    signed, statement,
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/trust")
}

fn trust() -> Trust {
    let args = TrustArgs {
        trust_policy: Some(folder().join("policies")),
        exceptions: Some(folder().join("exceptions.yaml")),
        ..TrustArgs::default()
    };
    load(&args).expect("the examples are right")
}

/// Policy, result and authority of each policy about an image.
fn told(
    trust: &Trust,
    written: &str,
    checked: &Checked<'_>,
) -> Vec<(String, PolicyResult, Option<String>)> {
    let outcomes = trust.policies(&image(written), checked);
    outcomes.into_iter().map(|told| (told.policy, told.result, told.authority)).collect()
}

#[test]
fn the_examples_say_what_the_page_says() {
    let trust = trust();
    let release = by("https://github.com/acme/web/.github/workflows/release.yml@refs/tags/v1.4.0");
    let branch = by("https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main");
    let web = "ghcr.io/acme/web:1.4";
    let slsa = "https://slsa.dev/provenance/v1";
    let own = |result, authority: Option<&str>| {
        vec![("own-images".to_owned(), result, authority.map(str::to_owned))]
    };
    let with = |signatures: &[Judged], provenance: &[Judged]| {
        let checked =
            Checked { provenance: check(Some(ALL), provenance), ..found(signatures, &[]) };
        told(&trust, web, &checked)
    };
    let built = [signed(release.clone(), statement(slsa))];
    assert_eq!(with(&[], &built), own(PolicyResult::Pass, Some("release-workflow")));
    let keyed = [signed(SignedBy::Key(id(KEY)), signature())];
    assert_eq!(with(&keyed, &[]), own(PolicyResult::Pass, Some("old-release-key")));
    // A signature by the workflow is not the provenance that is demanded of it.
    assert_eq!(with(&[signed(release, signature())], &[]), own(PolicyResult::Fail, None));
    assert_eq!(with(&[], &[signed(branch, statement(slsa))]), own(PolicyResult::Fail, None));
    let unsigned = [find(FindVerdict::Present, Some(Reason::Unsigned), statement(slsa))];
    assert_eq!(with(&[], &unsigned), own(PolicyResult::Fail, None));

    let store_failed = Some(records::Known { whole: false, ..ALL });
    let checked = Checked { signature: check(store_failed, &[]), ..found(&[], &[]) };
    assert_eq!(told(&trust, web, &checked), own(PolicyResult::Unknown, None));

    let names: Vec<String> =
        trust.signature_repositories(&image(web)).iter().map(ToString::to_string).collect();
    assert_eq!(names, ["ghcr.io/acme-signatures/all"]);
    let nothing = found(&[], &[]);
    let pass = ("docker-official".to_owned(), PolicyResult::Pass, Some("authority-0".to_owned()));
    assert_eq!(told(&trust, "redis:7", &nothing), [pass]);
    assert_eq!(trust.trusted_by(&image("redis:7"), &built[0], None), None);
    let warn = ("docker-hub-users".to_owned(), PolicyResult::Warn, None);
    assert_eq!(told(&trust, "acme-vendor/tool", &nothing), [warn]);
}

#[test]
fn the_generator_is_trusted_for_its_source_and_excused_without() {
    let trust = trust();
    let generator = signed(by(GENERATOR), statement("https://slsa.dev/provenance/v0.2"));
    let batch = |source: Option<&str>| {
        let find = Find { judged: &generator, source_repository: source };
        let provenance = Check { known: Some(ALL), finds: vec![find] };
        let checked = Checked { provenance, ..found(&[], &[]) };
        told(&trust, "ghcr.io/acme/batch:3", &checked).remove(1)
    };
    let name = || "generated-provenance".to_owned();
    let ours = Some("git+https://github.com/acme/batch@refs/tags/v3");
    assert_eq!(batch(ours), (name(), PolicyResult::Pass, Some("generator".to_owned())));
    let theirs = Some("git+https://github.com/evil/batch@refs/tags/v3");
    assert_eq!(batch(theirs), (name(), PolicyResult::Skip, None));
}

#[test]
fn the_exceptions_hold_where_they_say() {
    let trust = trust();
    let image = image("ghcr.io/acme/legacy-billing:9");
    let outcome = trust.policies(&image, &found(&[], &[])).remove(0);
    assert_eq!((outcome.result, outcome.exception), (PolicyResult::Fail, None));
    let [there] = &outcome.exceptions[..] else { unreachable!("one is about it") };
    let text = "built by hand until the move to the release workflow (BILL-1204) (owner: team-billing, until 2027-03-31)";
    assert_eq!((there.until.as_str(), there.text.as_str()), ("2027-03-31", text));
    assert!(there.namespace.matches("billing-eu") && !there.namespace.matches("shop"));
}

#[test]
fn the_instance_of_ones_own_vouches_for_its_builders() {
    let trust = trust();
    let builder = |root: &str| {
        let certified = CertifiedIdentity {
            issuer: Some("https://login.acme.example".into()),
            root: root.into(),
            ..certified("line-4@build.plant.acme.example")
        };
        let judged = signed(SignedBy::Certificate(certified), signature());
        Judged { log: Some(logged("https://rekor.plant.acme.example")), ..judged }
    };
    let plc = image("registry.plant.acme.example/plc/firmware:12");
    let by = trust.trusted_by(&plc, &builder("TrustRoot/plant"), None).map(|by| by.to_string());
    assert_eq!(by.as_deref(), Some("policy plant-images, authority plant-builders"));
    assert_eq!(trust.trusted_by(&plc, &builder("public-good"), None), None);
}

/// What may be asked from many threads is.
#[test]
fn trust_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Trust>();
    shared::<Glob>();
}
