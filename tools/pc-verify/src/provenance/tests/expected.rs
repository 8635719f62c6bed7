use super::*;
use crate::judged::KeyId;

/// A build by slsa-github-generator, of a ref of `o/r`.
fn build(git_ref: &str) -> Build {
    read(
        "v0.2",
        &format!(
            r#"{{"builder": {{"id": "{GENERATOR}"}}, "invocation": {{
        "configSource": {{"uri": "git+https://github.com/o/r@{git_ref}", "digest": {{"sha1": "@SHA@"}}}},
        "environment": {{"github_ref": "{git_ref}", "github_event_payload": {{"base_ref": "refs/heads/release"}}}}}},
        "materials": [{{"uri": "git+https://github.com/o/r@{git_ref}", "digest": {{"sha1": "@SHA@"}}}}]}}"#
        ),
    )
}

fn signer(git_ref: &'static str) -> SignedBy {
    signed(|certificate| certificate.source_ref = Some(git_ref.to_owned()))
}

fn source_uri(text: &str) -> Expectations {
    Expectations { source_uri: vec![text.parse().expect(text)], ..Expectations::default() }
}

fn builder_id(text: &str) -> Expectations {
    Expectations { builder_id: Some(text.parse().expect(text)), ..Expectations::default() }
}

fn versioned(text: &str) -> Expectations {
    Expectations {
        source_versioned_tag: Some(text.parse().expect(text)),
        ..Expectations::default()
    }
}

fn tag(text: &str) -> Expectations {
    Expectations { source_tag: Some(text.to_owned()), ..Expectations::default() }
}

fn branch(text: &str) -> Expectations {
    Expectations { source_branch: Some(text.to_owned()), ..Expectations::default() }
}

#[test]
fn source_uri_in_every_spelling() {
    let build = build("refs/heads/main");
    let by = signer("refs/heads/main");
    for met in [
        "github.com/o/r",
        "https://github.com/o/r",
        "git+https://github.com/o/r",
        "git+https://github.com/o/r.git",
        "GitHub.com/o/r/",
    ] {
        assert_eq!(source_uri(met).check(&build, Some(&by)), [], "{met}");
    }
    for unmet in [
        "github.com/o/R",
        "github.com/o/r2",
        "github.com/evil/r",
        "http://github.com/o/r",
        "gitlab.com/o/r",
    ] {
        let found = source_uri(unmet).check(&build, Some(&by));
        assert_eq!((found.len(), found[0].flag), (1, "--source-uri"), "{unmet}");
        assert!(
            found[0].to_string().contains("the provenance says `https://github.com/o/r`"),
            "{}",
            found[0]
        );
    }
    for bad in
        ["", "github.com", "x", "github.com/o/r@v1", "git+https://github.com/o/r#main", "a b/c"]
    {
        assert!(bad.parse::<SourceUri>().is_err(), "{bad}");
    }
}

#[test]
fn what_is_not_proven_is_not_met() {
    let main = build("refs/heads/main");
    let all = Expectations {
        source_branch: Some("main".into()),
        builder_id: Some(GENERATOR.parse().expect("a builder")),
        ..source_uri("github.com/o/r")
    };
    assert_eq!(all.check(&main, Some(&signer("refs/heads/main"))), []);
    let unsigned = all.check(&main, None);
    assert_eq!(
        unsigned.iter().map(|it| it.flag).collect::<Vec<_>>(),
        ["--source-uri", "--source-branch", "--builder-id"]
    );
    assert!(unsigned.iter().all(|it| it.found == Found::Unproven), "{unsigned:?}");
    let elsewhere = signed(|certificate| {
        certificate.source_repository = Some("https://github.com/evil/r".into());
    });
    assert_eq!(all.check(&main, Some(&elsewhere))[0].found, Found::Disagreeing);
    let other_ref = signer("refs/heads/evil");
    assert_eq!(branch("main").check(&main, Some(&other_ref))[0].found, Found::Disagreeing);
    let by_other = signed(|certificate| {
        certificate.identity =
            Some("https://github.com/o/r/.github/workflows/x.yml@refs/heads/main".into());
        certificate.build_signer_uri = None;
    });
    assert_eq!(builder_id(GENERATOR).check(&main, Some(&by_other))[0].found, Found::Unproven);
    let hinted = read(
        "v0.2",
        r#"{"metadata": {"https://mobyproject.org/buildkit@v1#metadata": {"vcs": {"source": "https://github.com/o/r"}}}}"#,
    );
    assert_eq!(
        source_uri("github.com/o/r").check(&hinted, Some(&signer("x")))[0].found,
        Found::Hinted
    );
    let silent = read("v1", "{}");
    let found = all.check(&silent, Some(&signer("x")));
    assert!(found.len() == 3 && found.iter().all(|it| it.found == Found::Nothing), "{found:?}");
    assert!(
        Expectations::default().is_empty()
            && Expectations::default().check(&silent, None).is_empty()
    );
}

#[test]
fn tags_and_branches() {
    let tagged = build("refs/tags/v1.2.3");
    let by = signer("refs/tags/v1.2.3");
    let met = |wanted: &Expectations| wanted.check(&tagged, Some(&by)).is_empty();
    assert!(met(&tag("v1.2.3")) && !met(&tag("v1.2")) && !met(&tag("1.2.3")) && !met(&tag("")));
    assert!(met(&branch("release")), "a tag's branch, as far as it was recorded");
    assert!(!met(&branch("main")) && !met(&branch("v1.2.3")));
    let on_branch = build("refs/heads/v1.2.3");
    let by = signer("refs/heads/v1.2.3");
    assert!(!tag("v1.2.3").check(&on_branch, Some(&by)).is_empty(), "a branch is no tag");
    assert!(!versioned("v1").check(&on_branch, Some(&by)).is_empty());
    assert!(branch("v1.2.3").check(&on_branch, Some(&by)).is_empty());
}

#[test]
fn versioned_tags_agree_as_far_as_they_are_written() {
    let met = |wanted: &str, found: &str| {
        let build = build(&format!("refs/tags/{found}"));
        let by = signed(|certificate| certificate.source_ref = None);
        versioned(wanted).check(&build, Some(&by)).is_empty()
    };
    for (wanted, found) in [
        ("v1", "v1.2.3"),
        ("v1.2", "v1.2.3"),
        ("v1.2.3", "v1.2.3"),
        ("v1.2", "v1.2.3-rc.1"),
        ("v1.2.3", "v1.2.3+build"),
        ("v1.0.0", "v1"),
        ("v1.2.3-rc.1", "v1.2.3-rc.1"),
    ] {
        assert!(met(wanted, found), "{wanted} {found}");
    }
    for (wanted, found) in [
        ("v1", "v2.0.0"),
        ("v1.2", "v1.20.0"),
        ("v1.2.3", "v1.2.4"),
        ("v1.2.3", "v1.2.3-rc.1"),
        ("v1.2.3-rc.1", "v1.2.3-rc.2"),
        ("v1", "1.2.3"),
        ("v1", "v1.x"),
        ("v1", "v01"),
        ("v1", "v1.2.3.4"),
    ] {
        assert!(!met(wanted, found), "{wanted} {found}");
    }
    for bad in ["", "1", "v", "v1.", "v1.2.3.4", "v01", "v1-rc", "v1.2.3-", "vx", "v1.2.3-a..b"] {
        assert!(bad.parse::<VersionedTag>().is_err(), "{bad}");
    }
}

#[test]
fn builders_with_and_without_a_version() {
    let build = build("refs/heads/main");
    let by = signer("refs/heads/main");
    let name = GENERATOR.split('@').next().expect("a name");
    let met = |wanted: &str| builder_id(wanted).check(&build, Some(&by)).is_empty();
    assert!(met(name) && met(GENERATOR) && met(&format!("{name}@v2.0.0")));
    assert!(!met(&format!("{name}@v2.0.1")) && !met(&format!("{name}@refs/heads/v2.0.0")));
    assert!(!met("https://github.com/slsa-framework"));
    for bad in ["", "@v1", "a@", "a@b@c"] {
        assert!(bad.parse::<BuilderId>().is_err(), "{bad}");
    }
    let key = SignedBy::Key(KeyId("sha256:00".into()));
    assert_eq!(builder_id(name).check(&build, Some(&key)), [], "the holder of a configured key");
    let hosted = "https://github.com/actions/runner/github-hosted";
    let npm = read("v1", &format!(r#"{{"runDetails": {{"builder": {{"id": "{hosted}"}}}}}}"#));
    assert_eq!(builder_id(hosted).check(&npm, Some(&by)), []);
    let own_machine =
        signed(|certificate| certificate.runner_environment = Some("self-hosted".into()));
    assert_eq!(builder_id(hosted).check(&npm, Some(&own_machine))[0].found, Found::Unproven);
}
