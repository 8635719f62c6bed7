use super::*;
use crate::judged::KeyId;

fn built_by(id: &str) -> Build {
    read("v1", &format!(r#"{{"runDetails": {{"builder": {{"id": "{id}"}}}}}}"#))
}

/// Level, rule, whether the builder is proven, whether it is shared.
fn earned(table: &Table, id: &str, signer: Option<&SignedBy>) -> (u8, String, bool, bool) {
    let earned = table.level(&built_by(id), signer);
    (earned.level.as_u8(), earned.rule, earned.builder_proven, earned.shared)
}

fn known(id: &str, signer: Option<&SignedBy>) -> (u8, String, bool, bool) {
    earned(Table::built_in(), id, signer)
}

fn workflow(uri: &str) -> impl FnOnce(&mut CertifiedIdentity) {
    move |certificate| {
        certificate.identity = Some(uri.to_owned());
        certificate.build_signer_uri = Some(uri.to_owned());
    }
}

#[test]
fn nobody_signed_or_nobody_known() {
    assert_eq!(known(GENERATOR, None), (1, UNSIGNED.into(), false, false));
    let unknown = "https://ci.example.com/builder";
    let signer = signed(workflow(unknown));
    assert_eq!(known(unknown, Some(&signer)), (1, UNKNOWN_BUILDER.into(), true, true));
    let key = SignedBy::Key(KeyId(format!("sha256:{}", "0".repeat(64))));
    assert_eq!(known(GENERATOR, Some(&key)), (1, UNKNOWN_BUILDER.into(), false, false));
    assert_eq!(known("", Some(&signer)).0, 1);
}

#[test]
fn slsa_github_generator_only_by_a_released_version_of_its_own() {
    let level = |id: &str| known(id, Some(&signed(workflow(id))));
    assert_eq!(level(GENERATOR), (3, "slsa-github-generator".into(), true, true));
    for other in [
        GENERATOR.replace("refs/tags/v2.0.0", "refs/heads/main"),
        GENERATOR.replace("v2.0.0", "v2"),
        GENERATOR.replace("v2.0.0", "v2.0.0-rc.1"),
        GENERATOR.replace("refs/tags/v2.0.0", COMMIT),
        GENERATOR.replace("slsa-framework", "evil"),
    ] {
        assert_eq!((level(&other).0, level(&other).1.as_str()), (2, "github-actions"), "{other}");
    }
    let anchored = &Table::built_in().rules()[0].builder;
    for around in [format!("{GENERATOR}\n"), format!("x{GENERATOR}"), format!("{GENERATOR}x")] {
        assert!(anchored.is_match(GENERATOR) && !anchored.is_match(&around), "{around:?}");
    }
    assert_eq!(level(&GENERATOR.replace("https://", "https://evil.example.com/?https://")).0, 1);
}

#[test]
fn a_signer_that_does_not_prove_the_builder_does_not_earn_its_level() {
    let nothing = (1, UNKNOWN_BUILDER.to_owned(), false);
    let level = |change: fn(&mut CertifiedIdentity)| {
        let (level, rule, proven, _) = known(GENERATOR, Some(&signed(change)));
        (level, rule, proven)
    };
    let evil = "https://github.com/evil/x/.github/workflows/x.yml@refs/heads/main";
    assert_eq!(known(GENERATOR, Some(&signed(workflow(evil)))).0, 1);
    assert_eq!(level(|it| it.identity = None), nothing);
    assert_eq!(level(|it| it.identity = Some("https://github.com/evil/x".into())), nothing);
    assert_eq!(level(|it| it.issuer = Some("https://accounts.example.com".into())).0, 1);
    assert_eq!(level(|it| it.issuer = None).0, 1);
    // Old certificates have no URI of the workflow; their identity is the same.
    assert_eq!(level(|it| it.build_signer_uri = None).0, 3);
}

#[test]
fn github_attestations() {
    let own = "https://github.com/o/r/.github/workflows/b.yml@refs/heads/main";
    let reusable = "https://github.com/o/workflows/.github/workflows/b.yml@refs/heads/main";
    assert_eq!(known(own, Some(&signed(workflow(own)))), (2, "github-actions".into(), true, false));
    assert_eq!(
        known(reusable, Some(&signed(workflow(reusable)))),
        (2, "github-actions".into(), true, true)
    );
    let look_alike = signed(|it| {
        workflow(own)(it);
        it.source_repository = Some("https://github.com/o/r2".into());
    });
    assert!(known(own, Some(&look_alike)).3, "`o/r2` is not `o/r`");
    let hosted = "https://github.com/actions/runner/github-hosted";
    assert_eq!(
        known(hosted, Some(&signed(workflow(own)))),
        (2, "github-hosted-runner".into(), true, false)
    );
    assert!(known(hosted, Some(&signed(workflow(reusable)))).3);
    let own_machine = signed(|it| {
        workflow(own)(it);
        it.runner_environment = Some("self-hosted".into());
    });
    assert_eq!((known(hosted, Some(&own_machine)).0, known(own, Some(&own_machine)).0), (1, 1));
    assert_eq!(known("https://github.com/actions/runner/self-hosted", Some(&own_machine)).0, 1);
}

#[test]
fn cloud_build_and_gitlab() {
    let worker = "https://cloudbuild.googleapis.com/GoogleHostedWorker";
    let key = SignedBy::Key(KeyId(
        "sha256:3fe6dfada209606798e976322c8b69acae580a6708b7112f0f7a053a5b96d675".into(),
    ));
    assert_eq!(known(worker, Some(&key)), (3, "google-cloud-build".into(), true, true));
    assert_eq!(known(&format!("{worker}@v0.3"), Some(&key)).0, 3);
    assert_eq!(known(worker, Some(&signed(workflow(worker)))).0, 1);
    let gitlab = |project: &'static str| {
        signed(move |it| {
            workflow("https://gitlab.com/g/p//.gitlab-ci.yml@refs/heads/main")(it);
            it.issuer = Some("https://gitlab.com".into());
            it.runner_environment = Some("gitlab-hosted".into());
            it.source_repository = Some(project.into());
        })
    };
    let runner = "https://gitlab.com/g/p/-/runners/123";
    assert_eq!(
        known(runner, Some(&gitlab("https://gitlab.com/g/p"))),
        (2, "gitlab-hosted-runner".into(), true, false)
    );
    assert_eq!(known(runner, Some(&gitlab("https://gitlab.com/g/other"))).0, 1);
}

#[test]
fn configured_rules_come_first() {
    let reusable = "https://github.com/o/workflows/.github/workflows/b.yml@refs/heads/main";
    let table = Table::parse(
        &format!(
            r"
rules:
  - name: our-workflow
    builderRegexp: https://github\.com/o/workflows/\.github/workflows/b\.yml@refs/heads/main
    proof: identity
    issuer: {GITHUB}
    level: 3
    shared: true
    source: decided by the platform team
  - name: our-tekton
    builder: https://tekton.dev/chains/v2
    proof: key
    keys: [sha256:{key}]
    level: 2
    source: https://tekton.example.com
  - name: our-jenkins
    builder: https://jenkins.example.com
    proof: signer
    identityRegexp: spiffe://example\.com/jenkins/.+
    issuer: https://spire.example.com
    level: 2
    source: x
",
            key = "a".repeat(64)
        ),
        "builders.yaml",
    )
    .expect("a table")
    .before_built_in();
    assert_eq!(
        earned(&table, reusable, Some(&signed(workflow(reusable)))),
        (3, "our-workflow".into(), true, true)
    );
    let key = SignedBy::Key(KeyId(format!("sha256:{}", "a".repeat(64))));
    assert_eq!(
        earned(&table, "https://tekton.dev/chains/v2", Some(&key)),
        (2, "our-tekton".into(), true, false)
    );
    let jenkins = signed(|it| {
        workflow("spiffe://example.com/jenkins/a")(it);
        it.issuer = Some("https://spire.example.com".into());
        it.source_repository = None;
    });
    assert_eq!(
        earned(&table, "https://jenkins.example.com", Some(&jenkins)),
        (2, "our-jenkins".into(), true, false)
    );
    assert_eq!(
        earned(&table, GENERATOR, Some(&signed(|_| {}))).0,
        3,
        "the compiled-in rules still count"
    );
}

#[test]
fn bad_tables_say_line_and_field() {
    let row = |extra: &str| format!("rules:\n  - name: x\n    source: y\n{extra}");
    for (text, wanted) in [
        (String::from("rules: 5"), "`t.yaml` is no table of builders"),
        (String::from("rule: []"), "rule"),
        (
            row("    builder: b\n    proof: identity\n    issuer: i\n    level: 4\n"),
            "`t.yaml`, line 7: `level` of rule `x` must be 1, 2 or 3",
        ),
        (
            row("    builder: b\n    proof: identity\n    level: 3\n"),
            "line 2: `issuer` of rule `x` is missing",
        ),
        (
            row("    proof: identity\n    issuer: i\n    level: 3\n"),
            "line 2: `builder` of rule `x` is missing",
        ),
        (
            row("    builderRegexp: 'a)|(b'\n    proof: identity\n    issuer: i\n    level: 3\n"),
            "line 4: `builderRegexp` of rule `x` is no regular expression",
        ),
        (
            row(
                "    builder: b\n    builderRegexp: b\n    proof: identity\n    issuer: i\n    level: 3\n",
            ),
            "line 5: `builderRegexp` of rule `x` stands beside `builder`",
        ),
        (row("    builder: b\n    proof: key\n    level: 3\n"), "`keys` of rule `x` are missing"),
        (
            row("    builder: b\n    proof: key\n    keys: [abc]\n    level: 3\n"),
            "line 6: `keys` of rule `x` must be `sha256:`",
        ),
        (
            row("    builder: b\n    proof: key\n    issuer: i\n    keys: [abc]\n    level: 3\n"),
            "line 6: `issuer` of rule `x` is of certificates",
        ),
        (
            row("    builder: b\n    proof: runner\n    issuer: i\n    level: 3\n"),
            "`runner` of rule `x` is missing",
        ),
        (
            row("    builder: b\n    proof: signer\n    issuer: i\n    level: 3\n"),
            "`identity` of rule `x` is missing",
        ),
        (row("    builder: b\n    proof: magic\n    issuer: i\n    level: 3\n"), "line 5"),
        (row("    builder: b\n    proof: identity\n    isuer: i\n    level: 3\n"), "isuer"),
        (
            row("    builder: b\n    proof: identity\n    issuer: i\n    level: 3\n")
                .replace("name: x", "name: unsigned"),
            "`name` of rule `unsigned` is taken",
        ),
        (
            row("    builder: b\n    proof: identity\n    issuer: i\n    level: 3\n")
                .replace("name: x", "name: A b"),
            "line 2: `name` of rule `A b` must be",
        ),
    ] {
        let error = Table::parse(&text, "t.yaml").expect_err(&text).to_string();
        assert!(error.contains(wanted), "{text}\n{error}");
    }
}
