use super::*;

const REPO: &str = "https://github.com/o/r";

#[test]
fn slsa_github_generator_v0_2() {
    let build = read(
        "v0.2",
        r#"{
        "builder": {"id": "https://g/generator.yml@refs/tags/v2.0.0"},
        "buildType": "https://github.com/slsa-framework/slsa-github-generator/container@v1",
        "invocation": {
            "configSource": {"uri": "git+https://github.com/o/r@refs/tags/v1.2.3", "digest": {"sha1": "@SHA@"}, "entryPoint": ".github/workflows/release.yml"},
            "parameters": {},
            "environment": {"github_actor": "somebody", "github_base_ref": "", "github_event_name": "push", "github_ref": "refs/tags/v1.2.3",
                "github_ref_type": "tag", "github_sha1": "@SHA@", "github_event_payload": {"base_ref": "refs/heads/main", "ref": "refs/tags/v1.2.3"}}},
        "metadata": {"buildInvocationID": "123-1", "completeness": {"parameters": true, "environment": false, "materials": false}, "reproducible": false},
        "materials": [{"uri": "git+https://github.com/o/r@refs/tags/v1.2.3", "digest": {"sha1": "@SHA@"}}]}"#,
    );
    assert_eq!(source(&build), [REPO, COMMIT, "refs/tags/v1.2.3"]);
    assert_eq!(build.source.branch_of_tag.as_deref(), Some("refs/heads/main"));
    assert_eq!(
        (build.builder_name(), build.builder_ref()),
        (Some("https://g/generator.yml"), Some("refs/tags/v2.0.0"))
    );
    assert_eq!(build.entry_point.as_deref(), Some(".github/workflows/release.yml"));
    assert_eq!(
        (build.environment.trigger.as_deref(), build.environment.initiator.as_deref()),
        (Some("push"), Some("somebody"))
    );
    assert_eq!(build.invocation.as_deref(), Some("123-1"));
    assert_eq!(
        build.completeness,
        Completeness { parameters: Some(true), environment: Some(false), materials: Some(false) }
    );
    assert_eq!(
        (build.reproducible, build.materials),
        (Some(false), MaterialCount { total: 1, without_digest: 0 })
    );
    assert_eq!(odd(&build), [""; 0]);
}

#[test]
fn github_attest_v1() {
    let build = read(
        "v1",
        r#"{
        "buildDefinition": {"buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {"workflow": {"ref": "refs/heads/main", "repository": "https://github.com/o/r", "path": ".github/workflows/b.yml"}},
            "internalParameters": {"github": {"event_name": "push", "repository_id": "1", "repository_owner_id": "2", "runner_environment": "github-hosted"}},
            "resolvedDependencies": [{"uri": "git+https://github.com/o/r@refs/heads/main", "digest": {"gitCommit": "@SHA@"}}]},
        "runDetails": {"builder": {"id": "https://github.com/o/r/.github/workflows/b.yml@refs/heads/main", "version": {"runner": "2.3"}},
            "metadata": {"invocationId": "https://github.com/o/r/actions/runs/1/attempts/1"}}}"#,
    );
    assert_eq!(source(&build), [REPO, COMMIT, "refs/heads/main"]);
    assert_eq!(
        (build.environment.runner.as_deref(), build.environment.trigger.as_deref()),
        (Some("github-hosted"), Some("push"))
    );
    assert_eq!(build.builder_versions, [("runner".to_owned(), "2.3".to_owned())]);
    assert_eq!(odd(&build), [""; 0]);
}

#[test]
fn buildkit_from_a_repository() {
    let v1 = read(
        "v1",
        r#"{
        "buildDefinition": {"buildType": "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
            "externalParameters": {"configSource": {"uri": "https://github.com/o/r.git#refs/tags/v1:docker", "digest": {"sha1": "@SHA@"}, "path": "Dockerfile"}, "request": {"frontend": "dockerfile.v0"}},
            "internalParameters": {"builderPlatform": "linux/amd64"},
            "resolvedDependencies": [{"uri": "pkg:docker/alpine@3.17?platform=linux%2Famd64", "digest": {"sha256": "8914"}},
                {"uri": "https://example.com/x.tar"}, {"uri": "https://github.com/o/r.git#refs/tags/v1", "digest": {"sha1": "@SHA@"}}]},
        "runDetails": {"builder": {"id": ""}, "metadata": {"invocationID": "rpv7", "startedOn": "2026-01-01T00:00:00Z", "finishedOn": "2026-01-01T00:01:00.5Z",
            "buildkit_completeness": {"request": true, "resolvedDependencies": false}, "buildkit_reproducible": true}}}"#,
    );
    assert_eq!(source(&v1), [REPO, COMMIT, "refs/tags/v1"]);
    assert_eq!((v1.builder_id.as_deref(), v1.entry_point.as_deref()), (None, Some("Dockerfile")));
    assert_eq!(v1.materials, MaterialCount { total: 3, without_digest: 1 });
    assert_eq!((v1.completeness.materials, v1.reproducible), (Some(false), Some(true)));
    assert!(v1.started_on < v1.finished_on);
    assert_eq!(odd(&v1), [""; 0]);
    let v0_2 = read(
        "v0.2",
        r#"{"builder": {"id": "https://ci/1"}, "buildType": "https://mobyproject.org/buildkit@v1",
        "invocation": {"configSource": {"uri": "https://github.com/o/r.git#@SHA@", "digest": {"sha1": "@SHA@"}, "entryPoint": "Dockerfile"}, "environment": {"platform": "linux/amd64"}},
        "metadata": {"buildStartedOn": "2026-01-01T00:00:00Z", "https://mobyproject.org/buildkit@v1#hermetic": false}}"#,
    );
    assert_eq!(source(&v0_2), [REPO, COMMIT, "-"]);
}

#[test]
fn buildkit_from_a_folder_only_hints() {
    let v0_2 = read(
        "v0.2",
        r#"{"builder": {"id": ""}, "buildType": "https://mobyproject.org/buildkit@v1",
        "invocation": {"configSource": {"entryPoint": "Dockerfile"}},
        "metadata": {"https://mobyproject.org/buildkit@v1#metadata": {"vcs": {"source": "https://github.com/o/r", "revision": "@SHA@"}}}}"#,
    );
    let v1 = read(
        "v1",
        r#"{"buildDefinition": {"externalParameters": {"configSource": {"path": "Dockerfile"}}},
        "runDetails": {"metadata": {"buildkit_metadata": {"vcs": {"source": "git@github.com:o/r.git", "revision": "@SHA@-dirty"}}}}}"#,
    );
    assert_eq!((source(&v0_2), v0_2.source.told), ([REPO, COMMIT, "-"], Told::Hinted));
    assert_eq!((source(&v1), v1.source.told), (["ssh://github.com/o/r", "-", "-"], Told::Hinted));
    assert_eq!((odd(&v0_2), odd(&v1)), (vec!["source-hinted"], vec!["source-hinted"]));
}

#[test]
fn tekton_chains_counts_inputs_alone() {
    let v1 = read(
        "v1",
        r#"{"buildDefinition": {"buildType": "https://tekton.dev/chains/v2/slsa",
        "externalParameters": {"runSpec": {}, "buildConfigSource": {"ref": "sha1:@OTHER@", "repository": "git+https://github.com/pipes/p", "path": "p.yaml"}},
        "internalParameters": {"tekton-pipelines-feature-flags": {}},
        "resolvedDependencies": [{"name": "pipeline", "uri": "git+https://github.com/pipes/p", "digest": {"sha1": "@OTHER@"}},
            {"uri": "gcr.io/t/git-init", "digest": {"sha256": "28ff"}}, {"name": "inputs/result", "uri": "git+https://github.com/o/r.git", "digest": {"sha1": "@SHA@"}}]},
        "runDetails": {"builder": {"id": "https://tekton.dev/chains/v2"}, "metadata": {"invocationID": "u", "startedOn": "2026-01-01T00:00:00Z"}}}"#,
    );
    assert_eq!((source(&v1), odd(&v1)), ([REPO, COMMIT, "-"], vec![]));
    assert_eq!(
        (v1.entry_point.as_deref(), v1.source.place.as_deref()),
        (Some("p.yaml"), Some("materials[2]"))
    );
    let v0_2 = |inputs: &str| {
        read(
            "v0.2",
            &format!(
                r#"{{"buildType": "tekton.dev/v1/PipelineRun", "builder": {{"id": "https://tekton.dev/chains/v2"}},
        "invocation": {{"configSource": {{"uri": "git+https://github.com/pipes/p.git", "digest": {{"sha1": "@OTHER@"}}}}, "parameters": {{}}}},
        "materials": [{{"uri": "git+https://github.com/pipes/p.git", "digest": {{"sha1": "@OTHER@"}}}} {inputs}]}}"#
            ),
        )
    };
    let one = r#", {"uri": "git+https://github.com/o/r", "digest": {"sha1": "@SHA@"}}"#;
    let two = format!(r#"{one}, {{"uri": "git+https://github.com/o/x"}}"#);
    assert_eq!(source(&v0_2(one)), [REPO, COMMIT, "-"]);
    assert_eq!(source(&v0_2("")), ["https://github.com/pipes/p", OTHER, "-"]);
    assert_eq!((source(&v0_2(&two)), odd(&v0_2(&two))), (["-", "-", "-"], vec!["several-sources"]));
}

#[test]
fn google_cloud_build() {
    let v1 = |git_ref: &str, substitutions: &str| {
        read(
            "v1",
            &format!(
                r#"{{"buildDefinition": {{"buildType": "https://cloud.google.com/build/gcb-buildtypes/google-worker/v1",
        "externalParameters": {{"substitutions": {{}}, "buildConfigSource": {{"path": "cloudbuild.yaml", "ref": "{git_ref}", "repository": "git+https://github.com/o/r"}}}},
        "internalParameters": {{"triggerUri": "projects/1", "systemSubstitutions": {{"COMMIT_SHA": "@SHA@", "TRIGGER_NAME": "on-push", "REPO_FULL_NAME": "o/r", {substitutions}}}}},
        "resolvedDependencies": [{{"uri": "git+https://github.com/o/r@{git_ref}", "digest": {{"gitCommit": "@SHA@"}}}}, {{"uri": "docker.io/busybox@sha256:768e", "digest": {{"sha256": "768e"}}}}]}},
        "runDetails": {{"builder": {{"id": "https://cloudbuild.googleapis.com/GoogleHostedWorker"}}, "metadata": {{"startedOn": "2024-10-09T11:44:01.236836953Z"}}}}}}"#
            ),
        )
    };
    let branch = v1("refs/heads/main", r#""BRANCH_NAME": "main""#);
    assert_eq!((source(&branch), odd(&branch)), ([REPO, COMMIT, "refs/heads/main"], vec![]));
    assert_eq!(branch.environment.trigger.as_deref(), Some("on-push"));
    let tag = v1("refs/heads/v1.0", r#""TAG_NAME": "v1.0""#);
    assert_eq!((source(&tag), odd(&tag)), ([REPO, COMMIT, "refs/tags/v1.0"], vec![]));
    let v0_1 = |uri: &str, digest: &str| {
        read(
            "v0.1",
            &format!(
                r#"{{"builder": {{"id": "https://cloudbuild.googleapis.com/GoogleHostedWorker@v0.3"}},
        "recipe": {{"type": "https://cloudbuild.googleapis.com/CloudBuildYaml@v0.1", "definedInMaterial": "-1", "entryPoint": "cloudbuild.yaml",
            "arguments": {{"@type": "type.googleapis.com/google.devtools.cloudbuild.v1.Build", "substitutions": {{"COMMIT_SHA": "@SHA@", "BRANCH_NAME": "main"}}}}}},
        "metadata": {{"buildStartedOn": "2022-08-16T22:32:24Z", "completeness": {{"arguments": true}}, "buildInvocationId": "b"}}, "materials": [{{"uri": "{uri}" {digest}}}]}}"#
            ),
        )
    };
    let found = v0_1("git+https://github.com/o/r", r#", "digest": {"sha1": "@SHA@"}"#);
    assert_eq!((source(&found), odd(&found)), ([REPO, COMMIT, "refs/heads/main"], vec![]));
    assert_eq!(
        (found.completeness.parameters, found.entry_point.as_deref()),
        (Some(true), Some("cloudbuild.yaml"))
    );
    assert_eq!(source(&v0_1(&format!("https://github.com/o/r/commit/{COMMIT}"), ""))[1], COMMIT);
    assert_eq!(source(&v0_1("gs://p_cloudbuild/source/1.tgz#2", ""))[0], "-");
}

#[test]
fn gitlab_and_npm() {
    let runner = read(
        "v0.2",
        r#"{"buildType": "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/v15.1.0/PROVENANCE.md", "builder": {"id": "https://gitlab.com/g/p/-/runners/14811533"},
        "invocation": {"configSource": {"uri": "https://gitlab.com/g/p", "digest": {"sha256": "@SHA@"}, "entryPoint": "build"},
            "environment": {"name": "local", "executor": "shell", "architecture": "amd64"}, "parameters": {"CI_COMMIT_SHA": "", "CI_PIPELINE_SOURCE": ""}},
        "metadata": {"buildStartedOn": "2026-01-01T00:00:00Z"}, "materials": []}"#,
    );
    assert_eq!(source(&runner), ["https://gitlab.com/g/p", COMMIT, "-"]);
    assert_eq!(
        (runner.environment.runner.as_deref(), runner.environment.trigger.as_deref()),
        (Some("shell"), None)
    );
    let self_managed = read(
        "v1",
        r#"{"buildDefinition": {"buildType": "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/v17/PROVENANCE.md",
        "externalParameters": {"source": "https://git.example.com/g/p", "entryPoint": "build", "variables": {"CI_COMMIT_TAG": "v2", "CI_COMMIT_SHA": "@SHA@", "GITLAB_USER_LOGIN": "me"}},
        "internalParameters": {"executor": "docker", "job": 5}, "resolvedDependencies": [{"uri": "https://git.example.com/g/p", "digest": {"sha256": "@SHA@"}}]},
        "runDetails": {"builder": {"id": "https://git.example.com/g/p/-/runners/1"}, "metadata": {"invocationID": "5"}}}"#,
    );
    assert_eq!(source(&self_managed), ["https://git.example.com/g/p", COMMIT, "refs/tags/v2"]);
    assert_eq!(
        (self_managed.entry_point.as_deref(), self_managed.environment.initiator.as_deref()),
        (Some("build"), Some("me"))
    );
    let npm = read(
        "v0.2",
        r#"{"buildType": "https://github.com/npm/cli/gha/v2", "builder": {"id": "https://github.com/actions/runner"},
        "invocation": {"configSource": {"uri": "git+https://github.com/o/r@refs/heads/main", "digest": {"sha1": "@SHA@"}, "entryPoint": "r.yml"},
            "environment": {"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main", "GITHUB_REPOSITORY": "o/r", "GITHUB_SHA": "@SHA@"}},
        "materials": [{"uri": "git+https://github.com/o/r@refs/heads/main", "digest": {"sha1": "@SHA@"}}]}"#,
    );
    assert_eq!((source(&npm), odd(&npm)), ([REPO, COMMIT, "refs/heads/main"], vec![]));
}

#[test]
fn jenkins_like() {
    let build = read(
        "v0.2",
        r#"{"buildType": "https://jenkins.example.com/pipeline", "builder": {"id": "https://jenkins.example.com"},
        "invocation": {"environment": {"GIT_URL": "https://git.example.com/o/r.git", "GIT_COMMIT": "@SHA@", "GIT_BRANCH": "origin/main"}}}"#,
    );
    assert_eq!(source(&build), ["https://git.example.com/o/r", COMMIT, "origin/main"]);
    assert_eq!(build.source.place.as_deref(), Some("environment"));
}

#[test]
fn says_where_two_places_disagree() {
    let of = |config: &str, material: &str, environment: &str| {
        read(
            "v0.2",
            &format!(
                r#"{{"invocation": {{"configSource": {{"uri": "{config}", "digest": {{"sha1": "@SHA@"}}}}, "environment": {{{environment}}}}},
            "materials": [{{"uri": "pkg:docker/x"}}, {{"uri": "{material}", "digest": {{"sha1": "@SHA@"}}}}]}}"#
            ),
        )
    };
    let uri = "git+https://github.com/o/r@refs/heads/main";
    assert_eq!(odd(&of(uri, uri, "")), [""; 0]);
    for (material, environment, wanted) in [
        (
            "git+https://github.com/o/evil@refs/heads/main",
            "",
            "the repository is `https://github.com/o/r` by invocation.configSource, and `https://github.com/o/evil` by materials[1]",
        ),
        ("git+https://github.com/o/r@refs/heads/evil", "", "the ref is `refs/heads/main` by"),
        (uri, r#""GITHUB_REPOSITORY": "o/evil""#, "`https://github.com/o/evil` by environment"),
        (uri, r#""github_sha1": "@OTHER@""#, "the commit is"),
        (uri, r#""github_ref": "refs/tags/main""#, "`refs/tags/main` by environment"),
    ] {
        let found = flags(&of(uri, material, environment), Signing::default());
        assert_eq!((found.len(), found[0].as_str()), (1, "source-disagrees"), "{found:?}");
        assert!(found[0].to_string().contains(wanted), "{}", found[0]);
    }
    let several = read(
        "v0.2",
        r#"{"materials": [{"uri": "git+https://github.com/o/r"}, {"uri": "git+https://github.com/o/x"}]}"#,
    );
    assert_eq!((source(&several), odd(&several)), (["-"; 3], vec!["several-sources"]));
}

#[test]
fn flags_times_and_branches() {
    let build = read(
        "v0.2",
        r#"{"invocation": {"configSource": {"uri": "git+https://github.com/o/r@refs/heads/main"}},
        "metadata": {"buildStartedOn": "2026-01-01T00:10:00Z", "buildFinishedOn": "2026-01-01T00:05:00Z"}}"#,
    );
    assert_eq!(odd(&build), ["times-reversed", "branch-without-commit"]);
    let at = |text: &str| text.parse::<Timestamp>().expect("a time");
    let words = |signing: Signing<'_>| -> Vec<_> {
        flags(&build, signing)
            .iter()
            .map(ToString::to_string)
            .filter(|flag| flag.contains("signed by"))
            .collect()
    };
    let logged = |time| words(Signing { signed_by: None, time: Some(at(time)) });
    assert_eq!(
        logged("2026-01-01T00:07:00Z"),
        [
            "the build started at 2026-01-01T00:10:00Z, and was signed by 2026-01-01T00:07:00Z at the latest"
        ]
    );
    assert_eq!(logged("2026-01-01T00:01:00Z").len(), 2);
    assert_eq!(logged("2026-01-01T00:10:00Z").len(), 0);
    assert_eq!(logged("2026-01-01T00:09:30Z").len(), 0, "clocks differ");
    let certified = |from, to| {
        let signer = signed(|certificate| certificate.lifetime = Some((at(from), at(to))));
        words(Signing { signed_by: Some(&signer), time: None }).len()
    };
    assert_eq!(certified("2026-01-01T00:00:00Z", "2026-01-01T00:07:00Z"), 1);
    assert_eq!(
        certified("2026-01-02T00:00:00Z", "2026-01-02T00:10:00Z"),
        0,
        "issued when the build was over"
    );
    let unreadable = read(
        "v0.2",
        r#"{"metadata": {"buildStartedOn": "yesterday", "buildFinishedOn": "0001-01-01T00:00:00Z"}}"#,
    );
    assert_eq!((odd(&unreadable), unreadable.finished_on), (vec!["time-unreadable"], None));
}

#[test]
fn flags_what_the_certificate_does_not_say() {
    let build = read(
        "v0.2",
        r#"{"invocation": {"configSource": {"uri": "git+https://github.com/o/r@refs/heads/main", "digest": {"sha1": "@SHA@"}}}}"#,
    );
    let found = |change: fn(&mut CertifiedIdentity)| {
        let signer = signed(change);
        let signing = Signing { signed_by: Some(&signer), time: None };
        flags(&build, signing).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(found(|_| {}), [""; 0]);
    let other =
        found(|certificate| certificate.source_repository = Some("https://github.com/o/x".into()));
    assert_eq!(
        other,
        [
            "the repository is `https://github.com/o/r` by invocation.configSource, and `https://github.com/o/x` by certificate"
        ]
    );
    assert!(
        found(|certificate| certificate.source_commit = Some(OTHER.into()))[0]
            .contains("the commit")
    );
    assert!(
        found(|certificate| certificate.source_ref = Some("refs/tags/main".into()))[0]
            .contains("the ref")
    );
}

#[test]
fn lists_every_material() {
    let many: Vec<String> = (0..1000)
        .map(|at| format!(r#"{{"name": "n{at}", "uri": "u", "digest": {{"sha256": "{at}"}}}}"#))
        .collect();
    let found = statement(
        "v1",
        &format!(
            r#"{{"buildDefinition": {{"resolvedDependencies": [{}, {{}}]}}}}"#,
            many.join(",")
        ),
    );
    assert_eq!(
        Build::read(&found).expect("provenance").materials,
        MaterialCount { total: 1001, without_digest: 1 }
    );
    let all: Result<Vec<_>, _> = materials(&found).expect("provenance").collect();
    let all = all.expect("materials");
    assert_eq!(
        (all.len(), all[999].digests[0].1.as_str(), all[999].name.as_deref()),
        (1001, "999", Some("n999"))
    );
    let old = statement("v0.1", r#"{"materials": [{"uri": "u"}]}"#);
    assert_eq!(materials(&old).expect("provenance").count(), 1);
    assert_eq!(materials(&statement("v1", "{}")).expect("provenance").count(), 0);
}

#[test]
fn refuses_what_is_malformed_or_ambiguous() {
    for (version, predicate, wanted) in [
        ("v3", "{}", "predicate type `https://slsa.dev/provenance/v3`"),
        ("v1.x", "{}", "predicate type"),
        ("v1", "null", "`predicate` must be an object"),
        ("v1", r#"{"runDetails": []}"#, "`runDetails` must be an object"),
        (
            "v1",
            r#"{"runDetails": {"builder": {"id": 5}}}"#,
            "`runDetails.builder.id` must be a string",
        ),
        ("v1", r#"{"runDetails": {"builder": {"id": "a", "id": "b"}}}"#, "`id` is there twice"),
        (
            "v1",
            r#"{"runDetails": {"builder": {"id": "a"}, "Builder": {}}}"#,
            "`Builder` is no field",
        ),
        (
            "v1",
            r#"{"runDetails": {"metadata": {"invocationId": "a", "invocationID": "b"}}}"#,
            "`invocationId` is there twice",
        ),
        (
            "v1",
            r#"{"buildDefinition": {"externalParameters": {"workflow": 1, "workflow": 2}}}"#,
            "`workflow` is there twice",
        ),
        (
            "v1",
            r#"{"buildDefinition": {"resolvedDependencies": {}}}"#,
            "`buildDefinition.resolvedDependencies` must be a list",
        ),
        ("v0.2", r#"{"materials": [5]}"#, "`materials` must be an object"),
        (
            "v0.2",
            r#"{"materials": [{"uri": "x", "digest": {"sha1": 1}}]}"#,
            "`materials.digest` must be an object of strings",
        ),
        (
            "v0.2",
            r#"{"materials": [{"uri": "x", "digest": {"sha1": "a", "sha1": "b"}}]}"#,
            "`sha1` is there twice",
        ),
        (
            "v0.2",
            r#"{"metadata": {"reproducible": "yes"}}"#,
            "`metadata.reproducible` must be true or false",
        ),
        (
            "v0.2",
            r#"{"invocation": {"environment": {"GITHUB_SHA": "a", "GITHUB_SHA": "b"}}}"#,
            "`GITHUB_SHA` is there twice",
        ),
        ("v0.1", r#"{"recipe": {"type": []}}"#, "`recipe.type` must be a string"),
    ] {
        let error = Build::read(&statement(version, predicate)).expect_err(predicate).to_string();
        assert!(error.contains(wanted), "{predicate}: {error}");
    }
    let both = r#"{"runDetails": {"metadata": {"invocationId": "a", "invocationID": "a"}}}"#;
    assert_eq!(read("v1.1", both).invocation.as_deref(), Some("a"));
    for empty in ["v0.1", "v0.2", "v1", "v1.0"] {
        let build = read(empty, "{}");
        assert_eq!(
            (build.builder_id, build.source.repository, build.materials.total),
            (None, None, 0)
        );
    }
}
