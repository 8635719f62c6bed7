//! Two reports: one thing changed is one change, and the other way round it is its mirror.

use std::collections::BTreeMap;

use records::{FindVerdict, PolicyResult, Verdict};
use report::difference::seen::carry;
use report::difference::{self, Change, Code, Severity, changes, difference};
use report::table::{Color, Look};
use report::{DriftState, Report, Row, UpdateState};
use serde_json::json;

use crate::{SHOP, assemble};

/// The rows of a container.
fn rows<'a>(report: &'a mut Report, workload: &str, container: &str) -> Vec<&'a mut Row> {
    let is = |row: &&mut Row| {
        row.workload.as_ref().is_some_and(|owner| owner.name == workload)
            && row.container.as_deref() == Some(container)
    };
    let rows: Vec<&mut Row> = report.images.iter_mut().filter(is).collect();
    assert!(!rows.is_empty(), "{workload} {container}");
    rows
}

fn web(report: &mut Report) -> Vec<&mut Row> {
    rows(report, "web", "web")
}

fn verdict(report: &mut Report, verdict: Verdict, why: Option<&str>) {
    for row in web(report) {
        row.signature.verdict = verdict;
        row.signature.error = why.map(str::to_owned);
    }
}

/// What may be said when the two reports are given the other way round.
fn mirror(code: Code) -> &'static [Code] {
    use Code as C;
    match code {
        C::SignatureInvalid => &[C::SignatureBetter, C::NotChecked],
        C::SignatureLost | C::SignatureWorse => &[C::SignatureBetter],
        C::SignatureBetter => &[C::SignatureInvalid, C::SignatureLost, C::SignatureWorse],
        C::ProvenanceInvalid => &[C::ProvenanceBetter, C::NotChecked],
        C::ProvenanceLost | C::ProvenanceWorse => &[C::ProvenanceBetter],
        C::ProvenanceBetter => &[C::ProvenanceInvalid, C::ProvenanceLost, C::ProvenanceWorse],
        C::LevelLower => &[C::LevelHigher],
        C::LevelHigher => &[C::LevelLower],
        C::SbomInvalid => &[C::SbomBetter, C::NotChecked],
        C::SbomLost | C::SbomWorse => &[C::SbomBetter],
        C::SbomBetter => &[C::SbomInvalid, C::SbomLost, C::SbomWorse],
        C::SignerChanged => &[C::SignerChanged, C::SignerGone, C::NotChecked],
        C::SignerGone => &[C::SignerChanged],
        C::BuilderChanged => &[C::BuilderChanged, C::BuilderGone, C::NotChecked],
        C::BuilderGone => &[C::BuilderChanged],
        C::SourceChanged => &[C::SourceChanged, C::SourceGone, C::NotChecked],
        C::SourceGone => &[C::SourceChanged],
        C::PolicyFailed => &[C::PolicyBetter, C::NotChecked],
        C::PolicyWorse => &[C::PolicyBetter],
        C::PolicyBetter => &[C::PolicyFailed, C::PolicyWorse],
        C::NotChecked => &[
            C::Checked,
            C::SignatureInvalid,
            C::ProvenanceInvalid,
            C::SbomInvalid,
            C::PolicyFailed,
            C::TagMoved,
            C::ManifestMissing,
            C::UpdateAppeared,
            C::ChartUpdateAppeared,
            C::SignerChanged,
            C::BuilderChanged,
            C::SourceChanged,
        ],
        C::Checked => &[C::NotChecked],
        C::NotCovered => &[C::NewlyCovered],
        C::NewlyCovered => &[C::NotCovered],
        C::ReportIncomplete => &[C::ReportComplete],
        C::ReportComplete => &[C::ReportIncomplete],
        C::ImageMoved => &[C::ImageMoved],
        C::TagMoved => &[C::TagSettled, C::NotChecked],
        C::TagSettled => &[C::TagMoved],
        C::ManifestMissing => &[C::ManifestBack, C::NotChecked],
        C::ManifestBack => &[C::ManifestMissing],
        C::ImageReplaced => &[C::ImageReplaced],
        C::ImageChanged => &[C::ImageChanged],
        C::ImageAppeared => &[C::ImageGone],
        C::ImageGone => &[C::ImageAppeared],
        C::UseAppeared => &[C::UseGone],
        C::UseGone => &[C::UseAppeared],
        C::UpdateAppeared => &[C::UpdateAppeared, C::UpdateGone, C::NotChecked],
        C::UpdateGone => &[C::UpdateAppeared],
        C::ChartUpdateAppeared => &[C::ChartUpdateAppeared, C::ChartUpdateGone, C::NotChecked],
        C::ChartUpdateGone => &[C::ChartUpdateAppeared],
        C::ReleaseFailed => &[C::ReleaseRecovered],
        C::ReleaseRecovered => &[C::ReleaseFailed],
        C::ReleaseDowngraded => &[C::ReleaseUpgraded],
        C::ReleaseUpgraded => &[C::ReleaseDowngraded],
        C::ReleaseChanged => &[C::ReleaseChanged],
        C::ReleaseAppeared => &[C::ReleaseGone],
        C::ReleaseGone => &[C::ReleaseAppeared],
        C::PrivilegesRaised => &[C::PrivilegesRaised, C::PrivilegesLowered],
        C::PrivilegesLowered => &[C::PrivilegesRaised],
        C::ConstraintsChanged => &[C::ConstraintsChanged],
        C::NodesChanged => &[C::NodesChanged],
    }
}

fn code(change: &Change) -> Code {
    change.code.parse().expect("a code")
}

/// One kind of change: what it is about, and what was and is. Which image it is told of depends on
/// which report is the newer one, so this is what has a mirror.
type Kind = (Option<String>, Vec<String>, Vec<String>);

/// What was and is; where one side was not asked for, what the other side said is told only where
/// that is news.
fn sides(change: &Change, mirrored: bool) -> (Vec<String>, Vec<String>) {
    let (before, after) = (change.before.clone(), change.after.clone());
    let is_skipped = |side: &[String]| side == ["skipped"];
    let (before, after) = match (is_skipped(&before), is_skipped(&after)) {
        (true, _) => (before, Vec::new()),
        (_, true) => (Vec::new(), after),
        _ => (before, after),
    };
    if mirrored { (after, before) } else { (before, after) }
}

fn weights(changes: &[Change], mirrored: bool) -> BTreeMap<Kind, u64> {
    let mut all = BTreeMap::new();
    for change in changes {
        let (before, after) = sides(change, mirrored);
        *all.entry((change.subject.about.clone(), before, after)).or_default() +=
            change.uses.max(1);
    }
    all
}

/// Both directions must say the same, each in its own words.
#[track_caller]
fn assert_mirrors(older: &Report, newer: &Report) {
    let (there, back) = (changes(older, newer), changes(newer, older));
    assert_eq!(weights(&there, false), weights(&back, true));
    for change in &there {
        let is_mirror = |other: &&Change| {
            mirror(code(change)).contains(&code(other))
                && sides(other, true) == sides(change, false)
        };
        assert!(back.iter().any(|other| is_mirror(&other)), "{change:#?}\n{back:#?}");
    }
}

#[track_caller]
fn assert_ordered(changes: &[Change]) {
    let key = |change: &Change| (change.severity, change.subject.clone());
    assert!(changes.windows(2).all(|pair| key(&pair[0]) <= key(&pair[1])));
}

/// One edit of the example.
type Edit = fn(&mut Report);

/// What makes exactly one change of this code.
const EDITS: &[(Code, Edit)] = &[
    (Code::SignatureInvalid, |report| verdict(report, Verdict::Invalid, Some("bad-signature"))),
    (Code::SignatureLost, |report| verdict(report, Verdict::Absent, None)),
    (Code::SignatureWorse, |report| verdict(report, Verdict::Valid, Some("nobody trusts it"))),
    (Code::NotChecked, |report| verdict(report, Verdict::Unknown, Some("rate-limited: 429"))),
    (Code::NotChecked, |report| verdict(report, Verdict::Skipped, None)),
    (Code::SignatureBetter, |report| {
        rows(report, "agent", "agent")[0].signature.verdict = Verdict::Trusted;
    }),
    (Code::Checked, |report| {
        rows(report, "ledger", "ledger")[0].signature.verdict = Verdict::Absent;
    }),
    (Code::SignatureInvalid, |report| {
        rows(report, "ledger", "ledger")[0].signature.verdict = Verdict::Invalid;
    }),
    (Code::ProvenanceLost, |report| {
        for row in web(report) {
            (row.provenance.verdict, row.provenance.level) = (Verdict::Absent, None);
        }
    }),
    (Code::ProvenanceInvalid, |report| {
        rows(report, "agent", "agent")[0].provenance.verdict = Verdict::Invalid;
    }),
    (Code::ProvenanceWorse, |report| {
        rows(report, "agent", "agent")[0].provenance.verdict = Verdict::Present;
    }),
    (Code::ProvenanceBetter, |report| {
        rows(report, "agent", "agent")[0].provenance.verdict = Verdict::Trusted;
    }),
    (Code::LevelLower, |report| rows(report, "agent", "agent")[0].provenance.level = Some(2)),
    (Code::LevelHigher, |report| {
        web(report).into_iter().for_each(|row| row.provenance.level = Some(3));
    }),
    (Code::SbomLost, |report| {
        web(report).into_iter().for_each(|row| row.sbom.verdict = Verdict::Absent);
    }),
    (Code::SbomInvalid, |report| {
        web(report).into_iter().for_each(|row| row.sbom.verdict = Verdict::Invalid);
    }),
    (Code::SbomWorse, |report| rows(report, "agent", "agent")[0].sbom.verdict = Verdict::Valid),
    (Code::SbomBetter, |report| {
        web(report).into_iter().for_each(|row| row.sbom.verdict = Verdict::Valid);
    }),
    (Code::SignerChanged, |report| {
        for find in signatures(report, "ghcr.io/acme/web") {
            find.signer.as_mut().expect("a signer").key_id = Some("sha256:evil".into());
        }
    }),
    (Code::SignerChanged, |report| {
        for find in signatures(report, "docker.io/envoyproxy/envoy") {
            let identity =
                "https://github.com/evil/envoy/.github/workflows/release.yml@refs/tags/1";
            find.signer.as_mut().expect("a signer").identity = Some(identity.into());
        }
    }),
    (Code::PolicyFailed, |report| policy(report, PolicyResult::Fail, None)),
    (Code::PolicyWorse, |report| policy(report, PolicyResult::Warn, None)),
    (Code::PolicyWorse, |report| policy(report, PolicyResult::Skip, Some("until May: ops"))),
    (Code::NotChecked, |report| policy(report, PolicyResult::Unknown, None)),
    (Code::NotChecked, |report| web(report).into_iter().for_each(|row| row.policies = None)),
    (Code::ImageMoved, |report| {
        let digest = format!("sha256:{}", "7".repeat(64)).parse().expect("a digest");
        rows(report, "agent", "agent")[0].digest = Some(digest);
    }),
    (Code::NotChecked, |report| {
        let row = &mut rows(report, "agent", "agent")[0];
        (row.digest, row.how) = (None, None);
        row.present = Some(true);
        row.error = Some("timeout: no answer".into());
        // Presence is asked of a digest.
    }),
    (Code::TagMoved, |report| {
        web(report).into_iter().for_each(|row| row.drift = DriftState::Moved);
    }),
    (Code::TagMoved, |report| web(report)[0].drift = DriftState::Moved),
    (Code::NotChecked, |report| web(report)[0].drift = DriftState::Unknown),
    (Code::ManifestMissing, |report| web(report)[1].present = Some(false)),
    (Code::NotChecked, |report| web(report)[1].present = None),
    (Code::ImageChanged, |report| {
        rows(report, "web", "setup")[0].image = "busybox:1.37".into();
    }),
    (Code::UpdateAppeared, |report| {
        let update = &mut rows(report, "web", "proxy")[0].update;
        update.status = UpdateState::Available;
        update.newest_available = Some("v1.32.0".into());
    }),
    (Code::UpdateAppeared, |report| {
        for row in web(report) {
            row.update.newest_available = Some("2.2".into());
        }
    }),
    (Code::UpdateGone, |report| {
        for row in web(report) {
            (row.update.status, row.update.newest_available) = (UpdateState::Current, None);
        }
    }),
    (Code::NotChecked, |report| {
        rows(report, "web", "proxy")[0].update.status = UpdateState::Unknown;
    }),
    (Code::ReportIncomplete, |report| {
        report.metadata.complete = false;
        report.metadata.incomplete_why = vec!["a stream was cut".into()];
    }),
    (Code::ReleaseFailed, |report| report.helm_releases[0].status = "failed".into()),
    (Code::ReleaseUpgraded, |report| report.helm_releases[0].version = Some("1.5.0".into())),
    (Code::ReleaseDowngraded, |report| report.helm_releases[0].version = Some("1.3.9".into())),
    (Code::ReleaseChanged, |report| report.helm_releases[0].chart = Some("other".into())),
    (Code::ReleaseChanged, |report| report.helm_releases[0].version = Some("latest".into())),
    (Code::ReleaseGone, |report| {
        report.helm_releases.pop();
    }),
    (Code::ChartUpdateAppeared, |report| {
        let update = &mut report.helm_releases[1].update;
        (update.status, update.newest) = (UpdateState::Available, Some("9.9.9".into()));
    }),
    (Code::ImageGone, |report| gone(report, "agent")),
    (Code::UseGone, |report| gone(report, "close")),
    (Code::PrivilegesRaised, |report| report.runtimes[0].constraints.push("privileged".into())),
    (Code::ConstraintsChanged, |report| report.runtimes[0].constraints.clear()),
    (Code::NodesChanged, |report| {
        report.runtimes[0].kernels = [("6.12.49".to_owned(), 3)].into();
    }),
    (Code::NotChecked, |report| report.runtimes[0].dropped = 3),
];

fn gone(report: &mut Report, workload: &str) {
    let is = |row: &Row| row.workload.as_ref().is_some_and(|owner| owner.name == workload);
    report.images.retain(|row| !is(row));
}

fn policy(report: &mut Report, result: PolicyResult, exception: Option<&str>) {
    for row in web(report) {
        let policy = &mut row.policies.as_mut().expect("policies")[0];
        (policy.result, policy.exception) = (result, exception.map(str::to_owned));
    }
}

fn signatures<'a>(
    report: &'a mut Report,
    repository: &str,
) -> impl Iterator<Item = &'a mut records::SignatureFind> {
    let evidence = report.evidence.iter_mut().filter(move |one| one.repository == repository);
    let finds = evidence.flat_map(|one| &mut one.signature.as_mut().expect("a check").finds);
    let finds: Vec<_> = finds.collect();
    assert!(!finds.is_empty());
    finds.into_iter()
}

/// The example, every idle thing asked for.
fn shop() -> Report {
    let mut report = assemble(SHOP);
    for tally in report.stages.iter_mut().filter(|tally| tally.stage == "pc-discover") {
        tally.settings.insert("includeIdle".into(), json!(true));
    }
    report
}

#[test]
fn a_report_has_no_change_against_itself_and_scheduling_is_none() {
    let older = shop();
    assert_eq!(changes(&older, &older), []);
    let mut newer = older.clone();
    newer.metadata.generated_at = "2026-11-25T06:00:00Z".into();
    for row in &mut newer.images {
        (row.pods, row.nodes) = (row.pods + 5, row.nodes + 1);
        row.pod_names = vec!["other".into()];
    }
    // All pods of one of two platforms are elsewhere now.
    let arm = newer.images.iter().position(|row| row.platform.as_deref() == Some("linux/arm64"));
    newer.images.remove(arm.expect("an arm row"));
    newer.runtimes[0].kernels.insert("6.12.48".into(), 99);
    newer.images.reverse();
    for find in signatures(&mut newer, "docker.io/envoyproxy/envoy") {
        let identity = find.signer.as_mut().and_then(|signer| signer.identity.as_mut());
        *identity.expect("an identity") =
            "https://github.com/envoyproxy/envoy/.github/workflows/release.yml@refs/tags/v2".into();
    }
    assert_eq!(changes(&older, &newer), []);
    assert_eq!(changes(&newer, &older), []);
}

#[test]
fn one_thing_changed_is_one_change_and_its_mirror() {
    for (number, (wanted, edit)) in EDITS.iter().enumerate() {
        let (older, mut newer) = (shop(), shop());
        edit(&mut newer);
        let found = changes(&older, &newer);
        assert_eq!(found.len(), 1, "{number} {wanted:?}: {found:#?}");
        assert_eq!(code(&found[0]), *wanted, "{number}: {found:#?}");
        assert_eq!(found[0].severity, wanted.severity());
        assert_eq!(found[0].places.len() as u64, found[0].uses.min(10), "{number}");
        assert_mirrors(&older, &newer);
        assert_eq!(changes(&newer, &newer), []);
    }
}

#[test]
fn what_is_not_checked_is_never_said_to_be_lost() {
    for open in [Verdict::Unknown, Verdict::Skipped] {
        let (older, mut newer) = (shop(), shop());
        verdict(&mut newer, open, (open == Verdict::Unknown).then_some("timeout: no answer"));
        let found = changes(&older, &newer);
        assert_eq!((code(&found[0]), found[0].severity), (Code::NotChecked, Severity::Medium));
        let why = found[0].reason.as_deref().expect("a reason");
        assert!(why.starts_with("timeout: ") || why.starts_with("not-asked: "), "{why}");
    }
    // A check that is switched off is one change for all images.
    let (older, mut newer) = (shop(), shop());
    newer.images.iter_mut().for_each(|row| row.sbom.verdict = Verdict::Skipped);
    let found = changes(&older, &newer);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].uses > 3 && found[0].subject.image.is_none(), "{found:#?}");
    assert_mirrors(&older, &newer);
}

/// Reports of which the newer lacks a namespace, and why.
#[test]
fn what_was_not_covered_is_not_gone() {
    let without = |change: Edit| {
        let (older, mut newer) = (shop(), shop());
        newer.images.retain(|row| row.namespace.as_deref() != Some("tools"));
        newer.helm_releases.retain(|release| release.namespace != "tools");
        newer.metadata.namespaces_scanned.retain(|name| name != "tools");
        newer.runtimes.retain(|runtime| runtime.namespace != "tools");
        change(&mut newer);
        assert_mirrors(&older, &newer);
        changes(&older, &newer)
    };
    fn setting(report: &mut Report, name: &str, value: &serde_json::Value) {
        for tally in &mut report.stages {
            tally.settings.insert(name.into(), value.clone());
        }
    }
    // The whole cluster was asked, so the namespace is not there any more.
    let codes = |changes: &[Change]| {
        let mut codes: Vec<Code> = changes.iter().map(code).collect();
        codes.sort();
        codes.dedup();
        codes
    };
    assert_eq!(codes(&without(|_| ())), [Code::ImageGone, Code::ReleaseGone]);
    let edits: [(&str, Edit); 7] = [
        ("incomplete: ", |report| report.metadata.complete = false),
        ("other-cluster: ", |report| report.metadata.cluster_name = Some("west".into())),
        ("setting: ", |report| setting(report, "excludeNamespaces", &json!(["too*"]))),
        ("setting: ", |report| setting(report, "namespaces", &json!(["shop", "bank"]))),
        ("setting: ", |report| {
            setting(report, "selector", &json!("app=web"));
            setting(report, "helmDriver", &json!("configmap"));
        }),
        ("not-asked: ", |report| report.stages.clear()),
        ("failed: forbidden: ", |report| {
            for (stage, about) in [("pc-discover", "image"), ("pc-helm", "release")] {
                report.failures.push(records::Failure {
                    namespace: Some(Some("tools".into())),
                    ..records::Failure::new(
                        stage,
                        &[about],
                        records::FailureCode::Forbidden,
                        "may not list",
                    )
                });
            }
        }),
    ];
    for (why, edit) in edits {
        let found = without(edit);
        let found: Vec<&Change> =
            found.iter().filter(|change| code(change) != Code::ReportIncomplete).collect();
        // One for what runs and one for releases, unless the other cluster has more to tell.
        assert!(found.iter().all(|change| code(change) == Code::NotCovered), "{why} {found:#?}");
        assert_eq!(found.len(), 2, "{why} {found:#?}");
        for change in found {
            assert_eq!(change.subject.namespace.as_deref(), Some("tools"));
            assert!(
                change.reason.as_ref().is_some_and(|said| said.starts_with(why)),
                "{change:#?}"
            );
        }
    }
    // Idle workloads that were not asked for.
    let (older, mut newer) = (shop(), assemble(SHOP));
    gone(&mut newer, "close");
    let found = changes(&older, &newer);
    assert_eq!(codes(&found), [Code::NotCovered], "{found:#?}");
}

#[test]
fn a_signer_that_is_only_not_seen_is_not_gone() {
    let (older, mut newer) = (shop(), shop());
    let add = |report: &mut Report| {
        let evidence = report.evidence.iter_mut().find(|one| one.repository == "ghcr.io/acme/web");
        let check = evidence.expect("evidence").signature.as_mut().expect("a check");
        let mut second = check.finds[0].clone();
        second.signer.as_mut().expect("a signer").key_id = Some("sha256:second".into());
        second.verdict = FindVerdict::Valid;
        check.finds.push(second);
    };
    add(&mut newer);
    let found = changes(&older, &newer);
    assert_eq!((found.len(), code(&found[0])), (1, Code::SignerChanged));
    assert_eq!((found[0].before.len(), found[0].after.len()), (1, 2));
    assert_eq!(code(&changes(&newer, &older)[0]), Code::SignerGone);
    let mut partly = older;
    for one in &mut partly.evidence {
        one.signature.iter_mut().for_each(|check| check.whole = false);
    }
    assert_eq!(code(&changes(&newer, &partly)[0]), Code::NotChecked);
    assert_mirrors(&newer, &partly);
}

#[test]
fn builders_and_sources_are_compared_without_their_runs() {
    let origin = |report: &mut Report, builder: &str, source: &str| {
        for one in report.evidence.iter_mut().filter(|one| one.repository == "ghcr.io/acme/web") {
            for find in &mut one.provenance.as_mut().expect("a check").finds {
                (find.builder_id, find.source_repository) =
                    (Some(builder.into()), Some(source.into()));
            }
        }
    };
    let report = |builder, source| {
        let mut report = shop();
        origin(&mut report, builder, source);
        report
    };
    let older = report("https://github.com/acme/web/actions/runs/1", "https://github.com/acme/web");
    let same = report(
        "https://github.com/acme/web/actions/runs/27/attempts/2",
        "git+https://github.com/acme/web.git@refs/tags/v2",
    );
    assert_eq!(changes(&older, &same), []);
    let other = report("https://evil.example/builder", "https://github.com/acme/web");
    assert_eq!(
        changes(&older, &other).iter().map(code).collect::<Vec<_>>(),
        [Code::BuilderChanged]
    );
    let other = report("https://github.com/acme/web/actions/runs/1", "https://github.com/evil/web");
    assert_eq!(changes(&older, &other).iter().map(code).collect::<Vec<_>>(), [Code::SourceChanged]);
    assert_mirrors(&older, &other);
}

#[test]
fn what_many_have_in_common_is_one_change() {
    let mut older = shop();
    let row = older.images.iter().find(|row| row.image == "busybox").expect("busybox").clone();
    for number in 0..40 {
        let mut one = row.clone();
        one.workload.as_mut().expect("a workload").name = format!("job-{number:02}");
        older.images.push(one);
    }
    let mut newer = older.clone();
    let digest: records::Digest = format!("sha256:{}", "7".repeat(64)).parse().expect("a digest");
    for row in newer.images.iter_mut().filter(|row| row.image == "busybox") {
        row.digest = Some(digest.clone());
    }
    let found = changes(&older, &newer);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].uses, found[0].places.len()), (41, 10));
    assert_eq!(found[0].subject.digest.as_ref(), Some(&digest));
}

/// A generator of numbers that is the same everywhere (Knuth's MMIX).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let high = usize::try_from(self.0 >> 33).expect("31 bits");
        high % limit
    }
}

/// The example with a few random edits, rows doubled and taken away among them.
fn random(numbers: &mut Numbers) -> Report {
    const VERDICTS: [Verdict; 7] = [
        Verdict::Trusted,
        Verdict::Valid,
        Verdict::Present,
        Verdict::Absent,
        Verdict::Invalid,
        Verdict::Unknown,
        Verdict::Skipped,
    ];
    let mut report = shop();
    // One alone: it may take away what another would change.
    EDITS[numbers.below(EDITS.len())].1(&mut report);
    for _ in 0..numbers.below(12) {
        let at = numbers.below(report.images.len());
        let (pick, digit) = (numbers.below(7), numbers.below(8));
        let row = &mut report.images[at];
        match numbers.below(7) {
            0 => row.signature.verdict = VERDICTS[pick],
            1 => row.provenance.verdict = VERDICTS[pick],
            2 => row.sbom.verdict = VERDICTS[pick],
            3 => {
                let digest = format!("sha256:{}", digit.to_string().repeat(64));
                row.digest = Some(digest.parse().expect("a digest"));
            }
            4 => row.workload.as_mut().expect("a workload").name = format!("w{digit}"),
            5 => row.present = [None, Some(true), Some(false)][pick % 3],
            _ => {
                report.images.remove(at);
            }
        }
    }
    report
}

#[test]
fn random_reports_mirror_each_other() {
    for seed in 0..400 {
        let mut numbers = Numbers(seed);
        let (a, b) = (random(&mut numbers), random(&mut numbers));
        assert_eq!(changes(&a, &a), [], "seed {seed}");
        let found = changes(&a, &b);
        assert_ordered(&found);
        let mut shuffled = b.clone();
        let by = numbers.below(shuffled.images.len());
        shuffled.images.rotate_left(by);
        shuffled.evidence.reverse();
        assert_eq!(changes(&a, &shuffled), found, "seed {seed}");
        let result = std::panic::catch_unwind(|| assert_mirrors(&a, &b));
        assert!(result.is_ok(), "seed {seed}");
    }
}

#[test]
fn first_seen_and_first_trusted_are_carried() {
    let at = |day: u32, older: Option<&Report>, edit: Edit| {
        let mut report = shop();
        report.metadata.generated_at = format!("2026-11-{day}T06:00:00Z");
        edit(&mut report);
        carry(older, &mut report);
        report
    };
    let of = |report: &mut Report, workload: &str| {
        let row = rows(report, workload, workload).remove(0);
        (row.first_seen.clone(), row.first_trusted.clone())
    };
    let day = |day: u32| Some(format!("2026-11-{day}T06:00:00Z"));
    let mut first = at(20, None, |_| ());
    assert_eq!(of(&mut first, "web"), (day(20), day(20)));
    assert_eq!(of(&mut first, "agent"), (day(20), None));
    // Which digest of these runs is not proven.
    assert_eq!(of(&mut first, "new"), (None, None));
    let mut second = at(21, Some(&first), |report| {
        rows(report, "agent", "agent")[0].signature.verdict = Verdict::Trusted;
        verdict(report, Verdict::Unknown, None);
    });
    assert_eq!(of(&mut second, "web"), (day(20), day(20)));
    assert_eq!(of(&mut second, "agent"), (day(20), day(21)));
    let mut third = at(22, Some(&second), |report| {
        let digest = format!("sha256:{}", "7".repeat(64)).parse().expect("a digest");
        rows(report, "agent", "agent")[0].digest = Some(digest);
    });
    assert_eq!(of(&mut third, "agent"), (day(22), None));
    // A report from before these fields, and one from the future.
    let mut bare = shop();
    bare.metadata.generated_at = "2026-11-19T06:00:00Z".into();
    let mut fourth = at(23, Some(&bare), |_| ());
    assert_eq!(of(&mut fourth, "web"), (day(19), day(19)));
    let mut back = at(18, Some(&fourth), |_| ());
    assert_eq!(of(&mut back, "web").0, day(18));
}

fn pair() -> (Report, Report) {
    let (older, mut newer) = (shop(), shop());
    newer.metadata.generated_at = "2026-11-25T06:00:00Z".into();
    for (_, edit) in EDITS.iter().step_by(5) {
        edit(&mut newer);
    }
    rows(&mut newer, "web", "proxy")[0].image = "a|b`c`<script>\u{1b}[31m\u{202e}@all/x:1".into();
    (older, newer)
}

#[test]
fn changes_for_people_are_as_they_were() {
    let (older, newer) = pair();
    let found = difference((&older, None), (&newer, None));
    let look = Look { width: 132, color: Color::No, rows: 200 };
    let table = difference::table::render(&found, &look);
    assert!(!table.contains('\u{1b}') && !table.contains('\u{202e}'));
    insta::assert_snapshot!("table", table);
    let narrow = difference::table::render(&found, &Look { width: 80, rows: 4, ..look });
    assert!(narrow.lines().all(|line| unicode_width(line) <= 80), "{narrow}");
    insta::assert_snapshot!("narrow", narrow);
    let coloured = difference::table::render(&found, &Look { color: Color::Yes, ..look });
    assert!(coloured.contains("\u{1b}[1;31mhigh\u{1b}[0m"));
    insta::assert_snapshot!("markdown", difference::markdown::render(&found));
    let none = difference((&older, None), (&older, None));
    assert!(difference::table::render(&none, &look).ends_with("no change\n"));
    assert!(difference::markdown::render(&none).ends_with("No change.\n"));
}

fn unicode_width(line: &str) -> usize {
    line.chars().count()
}

#[test]
fn the_page_of_codes_is_that_of_the_types() {
    let mut table = String::from("| code | severity | event | meaning |\n|---|---|---|---|\n");
    for code in Code::ALL {
        let (word, severity) = (code.as_str(), code.severity().as_str());
        let (event, meaning) = (code.event(), code.meaning().trim());
        table.push_str(&format!("| `{word}` | {severity} | `{event}` | {meaning} |\n"));
    }
    testkit::generated_part("docs/changes.md", "codes", &table);
}

/// 20,000 rows and 3,000 pieces of evidence, of which a tenth changed.
#[test]
fn large_reports_take_linear_time() {
    let large = |copies: usize| {
        let (mut report, small) = (shop(), shop());
        report.images.clear();
        report.evidence.clear();
        for copy in 0..copies {
            report.images.extend(small.images.iter().map(|row| {
                let mut row = row.clone();
                row.image = format!("{}-{copy}", row.image);
                row.repository = row.repository.map(|name| format!("{name}-{copy}"));
                row.workload.as_mut().expect("a workload").name.push_str(&copy.to_string());
                row
            }));
            report.evidence.extend(small.evidence.iter().take(2).cloned().map(|mut one| {
                one.repository.push_str(&format!("-{copy}"));
                one
            }));
        }
        report
    };
    let time = |copies: usize| {
        let older = large(copies);
        let mut newer = older.clone();
        newer.images.iter_mut().step_by(10).for_each(|row| row.signature.verdict = Verdict::Absent);
        let start = std::time::Instant::now();
        let found = changes(&older, &newer);
        assert!(found.len() > copies / 10, "{}", found.len());
        (older.images.len(), older.evidence.len(), start.elapsed())
    };
    let (small, large) = (time(150), time(1500));
    assert!((18_000..25_000).contains(&large.0) && large.1 == 3_000, "{large:?}");
    // Ten times as much; what is quadratic would take a hundred times as long.
    assert!(large.2 < small.2 * 40, "{small:?} {large:?}");
    eprintln!("{} rows, {} pieces of evidence: {:?}", large.0, large.1, large.2);
}
