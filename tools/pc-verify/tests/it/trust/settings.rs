//! The flags: what they take, and what they refuse.

use std::sync::atomic::{AtomicUsize, Ordering};

use clap::{Command, FromArgMatches};
use pc_verify::trust::{Fetched, NoteKind, RootSource, Trust, TrustArgs, fetch};

use super::{
    Folder, IMAGE, ISSUER, KEY, OTHER_KEY, RELEASE, by, id, image, load, shared, signature, signed,
};

fn refused(args: &TrustArgs) -> String {
    load(args).map(|_| ()).expect_err("refused")
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn keys_come_from_files_and_text_and_each_is_there_once() {
    let folder = Folder::of(&[("release.pub", KEY), ("both.pub", &format!("{KEY}{OTHER_KEY}"))]);
    let path = |name: &str| folder.path(name).to_string_lossy().into_owned();
    let args = TrustArgs {
        key: vec![path("release.pub"), String::new(), path("both.pub"), KEY.replace('\n', " ")],
        ..TrustArgs::default()
    };
    let trust = load(&args).expect("keys");
    let names: Vec<&str> = trust.keys().iter().map(|key| &*key.name).collect();
    assert_eq!(names, [path("release.pub"), format!("{} #2", path("both.pub"))]);
    assert_eq!(trust.keys()[1].id, id(OTHER_KEY));
}

#[test]
fn what_cannot_be_used_is_refused_with_what_would_be_right() {
    let folder = Folder::of(&[
        (
            "private.key",
            "-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED COSIGN PRIVATE KEY-----",
        ),
        ("junk.pub", "junk"),
        ("root.json", "{}"),
    ]);
    let path = |name: &str| folder.path(name);
    let text = |name: &str| path(name).to_string_lossy().into_owned();
    let key = |key: String| TrustArgs { key: vec![key], ..TrustArgs::default() };
    let none = TrustArgs::default;
    for (args, why) in [
        (key(text("private.key")), "private key"),
        (key(text("junk.pub")), "no PEM"),
        (key(text("missing.pub")), "cannot read"),
        (key("https://acme.example/key.pub".into()), "#sha256="),
        (key("env://PROVENANCE_NO_SUCH_VARIABLE".into()), "is not set"),
        (key("awskms:///alias/release".into()), "cannot be used yet"),
        (TrustArgs { certificate_identity: some(RELEASE), ..none() }, "give the issuer too"),
        (TrustArgs { certificate_identity_regexp: some(".*"), ..none() }, "give the issuer too"),
        (TrustArgs { certificate_oidc_issuer: some(ISSUER), ..none() }, "give the identity too"),
        (
            TrustArgs {
                certificate_identity: some(RELEASE),
                certificate_identity_regexp: some(".*"),
                certificate_oidc_issuer: some(ISSUER),
                ..none()
            },
            "not both",
        ),
        (
            TrustArgs {
                certificate_identity_regexp: some("("),
                certificate_oidc_issuer: some(ISSUER),
                ..none()
            },
            "no regular expression",
        ),
        (TrustArgs { trusted_root: vec![path("root.json")], ..none() }, "no trusted root"),
        (TrustArgs { trusted_root: vec!["github".into()], ..none() }, "write `./github`"),
        (TrustArgs { source_uri: vec!["acme/web".into()], ..none() }, "github.com/acme/web"),
        (
            TrustArgs { signature_repository: vec!["A b".into()], ..none() },
            "--signature-repository",
        ),
        (TrustArgs { exceptions: Some(path("none.yaml")), ..none() }, "cannot read"),
    ] {
        let error = refused(&args);
        assert!(error.contains(why), "{why}: {error}");
        assert!(!error.contains("MAA"), "{error}");
    }
}

#[test]
fn an_empty_setting_is_an_unset_one() {
    let args = TrustArgs {
        key: vec![String::new()],
        certificate_identity: some(""),
        certificate_oidc_issuer_regexp: some(""),
        trust_policy: Some("".into()),
        exceptions: Some("".into()),
        builders: Some("".into()),
        trusted_root: vec!["".into()],
        source_uri: vec![String::new()],
        ..TrustArgs::default()
    };
    let trust = load(&args).expect("nothing set");
    assert_eq!((trust.keys().len(), trust.report().len()), (0, 0));
    let names: Vec<_> = trust.roots().iter().map(|root| (root.name(), root.source())).collect();
    assert_eq!(names, [("public-good", &RootSource::PublicGood), ("github", &RootSource::Github)]);
    let judged = signed(by(RELEASE), signature());
    assert_eq!(trust.trusted_by(&image(IMAGE), &judged, None), None);
}

#[test]
fn the_embedded_roots_can_be_left_out() {
    let args = TrustArgs { no_embedded_roots: true, ..TrustArgs::default() };
    assert_eq!(load(&args).expect("no roots").roots().len(), 0);
}

#[test]
fn every_flag_has_a_variable_and_is_read_from_the_command_line() {
    fn parse(command: Command, words: &[&str]) -> TrustArgs {
        let matches = command.try_get_matches_from(words).expect("flags");
        TrustArgs::from_arg_matches(&matches).expect("flags")
    }
    let command = <TrustArgs as clap::Args>::augment_args(Command::new("x"));
    assert_eq!(stage::reference::faults(&command), Vec::<String>::new());
    let args = parse(
        command,
        &[
            "x",
            "--key",
            "a.pub,k8s://n/s",
            &format!("--key={KEY}"),
            // As `--key "$(cat cosign.pub)"` gives it: PEM begins with dashes.
            "--key",
            OTHER_KEY,
            "--no-embedded-roots",
            "--insecure-ignore-tlog=false",
        ],
    );
    assert_eq!(args.key, ["a.pub", "k8s://n/s", KEY, OTHER_KEY]);
    assert!(args.no_embedded_roots && !args.insecure_ignore_tlog);
}

#[test]
fn signature_repositories_are_normalised() {
    let args = TrustArgs {
        signature_repository: vec!["acme/signatures".into(), "ghcr.io/acme/sigs".into()],
        ..TrustArgs::default()
    };
    let trust = load(&args).expect("repositories");
    let names: Vec<String> =
        trust.signature_repositories(&image(IMAGE)).iter().map(ToString::to_string).collect();
    assert_eq!(names, ["docker.io/acme/signatures", "ghcr.io/acme/sigs"]);
}

#[test]
fn keys_that_lie_elsewhere_are_asked_for_once() {
    let policy = super::policy("  - key:\n      secretRef:\n        name: release\n")
        + "  - key:\n      secretRef:\n        namespace: trust\n        name: keys\n";
    let folder = Folder::of(&[("policy.yaml", &policy)]);
    let args = TrustArgs {
        key: vec!["k8s://trust/keys".into()],
        trust_policy: Some(folder.path("policy.yaml")),
        ..TrustArgs::default()
    };
    let sources = args.sources(None).expect("sources");
    let wanted: Vec<String> = sources.wanted().iter().map(ToString::to_string).collect();
    assert_eq!(wanted, ["k8s://trust/keys", "k8s://cosign-system/release"]);

    let now = super::NOW.parse().expect("a time");
    let missing =
        Trust::new(args.sources(None).expect("sources"), &Fetched::default(), now, shared());
    assert!(missing.expect_err("refused").to_string().contains("k8s://trust/keys"));

    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let asked = AtomicUsize::new(0);
    let keys = |other: &'static str| {
        let secret = async |at: &pc_verify::trust::SecretKey| {
            asked.fetch_add(1, Ordering::Relaxed);
            Ok(if at.name == "keys" { KEY.into() } else { other.into() })
        };
        let https = async |_: &pc_verify::trust::PinnedAddress| Err("unused".to_owned());
        runtime.block_on(fetch(sources.wanted(), https, secret)).expect("fetched")
    };
    let fetched = keys(OTHER_KEY);
    let trust =
        Trust::new(args.sources(None).expect("sources"), &fetched, now, shared()).expect("trust");
    assert_eq!(
        trust.keys().iter().map(|key| key.id.clone()).collect::<Vec<_>>(),
        [id(KEY), id(OTHER_KEY)]
    );
    let junk = Trust::new(args.sources(None).expect("sources"), &keys("junk"), now, shared());
    let error = junk.expect_err("refused").to_string();
    assert!(
        error.contains("line 10") && error.contains("policy acme, authority authority-0"),
        "{error}"
    );
    assert_eq!(asked.into_inner(), 4);
    assert!(trust.report().iter().any(|note| note.kind == NoteKind::KeyUnused));
}
