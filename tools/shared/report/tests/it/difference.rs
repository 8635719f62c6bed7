//! Two reports: one thing changed is one change, and the other way round it is its mirror.

mod edits;
mod mirror;
mod random;

use records::{FindVerdict, PolicyResult, Verdict};
use report::difference::seen::carry;
use report::difference::{self, Change, Code, Severity, changes, difference};
use report::table::{Color, Look};
use report::{Report, Row};
use serde_json::json;

use crate::{SHOP, assemble};

use edits::{EDITS, Edit};
use mirror::assert_mirrors;

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

#[track_caller]
fn assert_ordered(changes: &[Change]) {
    let key = |change: &Change| (change.severity, change.subject.clone());
    assert!(changes.windows(2).all(|pair| key(&pair[0]) <= key(&pair[1])));
}

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

fn code(change: &Change) -> Code {
    change.code.parse().expect("a code")
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

/// Leaves a namespace out of a report, as settings would.
fn leave_out(report: &mut Report, namespace: &str) {
    report.images.retain(|row| row.namespace.as_deref() != Some(namespace));
    report.metadata.namespaces_scanned.retain(|name| name != namespace);
    for tally in report.stages.iter_mut().filter(|tally| tally.stage == "pc-discover") {
        tally.settings.insert("excludeNamespaces".into(), json!([namespace]));
    }
}

/// The web container of the example once more, in a namespace of its own.
fn twice() -> (Report, String) {
    let mut older = shop();
    let row = web(&mut older)[0].clone();
    let image = row.image.clone();
    older.images.push(Row { namespace: Some("elsewhere".into()), ..row });
    older.metadata.namespaces_scanned.push("elsewhere".into());
    (older, image)
}

#[test]
fn an_image_that_also_ran_where_nobody_looked_is_not_gone() {
    let (older, image) = twice();
    let mut newer = older.clone();
    leave_out(&mut newer, "elsewhere");
    newer.images.retain(|row| row.image != image);
    let codes = |changes: &[Change]| -> Vec<Code> {
        let about = changes.iter().filter(|change| change.subject.image.as_deref() == Some(&image));
        about.map(code).collect()
    };
    let left = codes(&changes(&older, &newer));
    assert!(left.contains(&Code::UseGone) && !left.contains(&Code::ImageGone), "{left:?}");
    let came = codes(&changes(&newer, &older));
    assert!(came.contains(&Code::UseAppeared) && !came.contains(&Code::ImageAppeared), "{came:?}");
}

#[test]
fn a_signer_whose_images_run_where_nobody_looked_is_not_gone() {
    let mut older = shop();
    let repository = "docker.io/envoyproxy/envoy";
    let row = older.images.iter().find(|row| row.repository.as_deref() == Some(repository));
    let row = row.expect("a row").clone();
    older.images.push(Row { namespace: Some("elsewhere".into()), ..row });
    older.metadata.namespaces_scanned.push("elsewhere".into());
    // Another signer beside the first, of which the newer report knows nothing.
    let mut evidence =
        older.evidence.iter().find(|one| one.repository == repository).expect("it").clone();
    evidence.index = None;
    for find in &mut evidence.signature.as_mut().expect("a check").finds {
        find.signer.as_mut().expect("a signer").identity =
            Some("https://other.example/workflow".into());
    }
    let mut newer = older.clone();
    older.evidence.push(evidence);
    let said = |older: &Report, newer: &Report| -> Vec<(Code, Option<String>)> {
        let all = changes(older, newer);
        let about = all.iter().filter(|change| change.subject.about.as_deref() == Some("signer"));
        about.map(|change| (code(change), change.reason.clone())).collect()
    };
    assert_eq!(said(&older, &newer), [(Code::SignerGone, None)]);
    leave_out(&mut newer, "elsewhere");
    let why = |report: &str| {
        Some(format!("not-covered: the {report} report does not cover all uses of the repository"))
    };
    assert_eq!(said(&older, &newer), [(Code::NotChecked, why("newer"))]);
    assert_eq!(said(&newer, &older), [(Code::SignerChanged, why("older"))]);
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
    assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    insta::assert_snapshot!("narrow", narrow);
    let coloured = difference::table::render(&found, &Look { color: Color::Yes, ..look });
    assert!(coloured.contains("\u{1b}[1;31mhigh\u{1b}[0m"));
    insta::assert_snapshot!("markdown", difference::markdown::render(&found));
    let none = difference((&older, None), (&older, None));
    assert!(difference::table::render(&none, &look).ends_with("no change\n"));
    assert!(difference::markdown::render(&none).ends_with("No change.\n"));
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
