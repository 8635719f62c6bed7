//! Joining, over a whole stream: each case that a report tells apart.

use records::{How, PolicyResult, Verdict};
use report::{DriftState, Report, Row, UpdateState};

use crate::{SHOP, assemble, bytes};

fn row<'a>(report: &'a Report, workload: &str, container: &str) -> &'a Row {
    report
        .images
        .iter()
        .find(|row| {
            let name = row.workload.as_ref().map(|workload| workload.name.as_str());
            name == Some(workload) && row.container.as_deref() == Some(container)
        })
        .expect(workload)
}

/// The stream with some of its lines left out, its tallies with it.
fn without(stream: &str, dropped: impl Fn(&str) -> bool, stages: &[&str]) -> String {
    let lines = stream.lines().filter(|line| !dropped(line)).map(|line| {
        if !line.starts_with(r#"{"type":"end""#) {
            return line.to_owned();
        }
        let mut end: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let tallies = end["stages"].as_array_mut().expect("tallies");
        tallies.retain(|tally| !stages.contains(&tally["stage"].as_str().unwrap_or_default()));
        end.to_string()
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn a_whole_stream_makes_a_complete_report() {
    let report = assemble(SHOP);
    assert_eq!(report.metadata.incomplete_why, Vec::<String>::new());
    assert!(report.metadata.complete);
    assert_eq!(report.metadata.cluster_name.as_deref(), Some("prod"));
    assert_eq!(
        report.metadata.namespaces_scanned,
        ["bank", "empty", "kube-system", "shop", "tools"]
    );
    assert_eq!(Report::read(&bytes(&report)).expect("a report").1, report);
}

#[test]
fn a_row_has_its_digest_evidence_and_update() {
    let report = assemble(SHOP);
    let web = row(&report, "web", "web");
    assert_eq!((web.pods, web.nodes, web.pod_names.len()), (2, 2, 2));
    assert_eq!(
        (web.how, web.drift, web.present),
        (Some(How::Status), DriftState::Same, Some(true))
    );
    assert_eq!((web.signature.signed, web.signature.verified), (Some(true), true));
    assert_eq!(web.signature.error, None);
    assert_eq!(web.sbom.format.as_deref(), Some("spdx"));
    assert_eq!(web.sbom.format_version.as_deref(), Some("2.3"));
    assert_eq!(web.provenance.level, Some(1));
    assert_eq!(web.update.update_available, Some(true));
    assert_eq!(web.update.newest_available.as_deref(), Some("2.1"));
    let evidence = report.evidence.iter().find(|evidence| evidence.manifest == web.manifest);
    let evidence = evidence.expect("the evidence of the row");
    assert_eq!(evidence.policies[0].policy, "release-signed");
    assert_eq!(evidence.attestation.as_ref().map(|a| a.verdict), Some(Verdict::Absent));
}

/// One answer of a policy is for all namespaces; what it excuses in some is applied row by row.
#[test]
fn an_exception_for_namespaces_holds_for_the_rows_there() {
    let web = r#""namespace":"shop","workload":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},"containerType":"container","container":"web""#;
    let mut stream = String::new();
    for line in SHOP.lines().filter(|line| !line.starts_with(r#"{"type":"end""#)) {
        let line = line.replace(
            r#""result":"pass","authority":"acme-release","reasons":[],"exception":null"#,
            r#""result":"fail","authority":null,"reasons":["unsigned"],"exception":null,"exceptions":[{"namespace":"bank*","until":"2027-03-31","text":"moving (BILL-1)"},{"namespace":"*","until":"2027-01-31","text":"second"}]"#,
        );
        let line = match line.contains(web) {
            true => format!("{line}\n{}\n", line.replace("\"shop\"", "\"bank-eu\"")),
            false => line + "\n",
        };
        stream.push_str(&line);
    }
    let told = |stream: &str, namespace: Option<&str>| {
        let report = assemble(stream);
        let at = |row: &&Row| {
            row.namespace.as_deref() == namespace && row.image == "ghcr.io/acme/web:1.4"
        };
        let policies = report.images.iter().find(at).expect("a row").policies.clone();
        let [told] = &policies.expect("judged")[..] else { unreachable!("one policy") };
        let result = told.result;
        (result, told.exception.clone(), report)
    };
    let (result, text, report) = told(&stream, Some("bank-eu"));
    assert_eq!((result, text.as_deref()), (PolicyResult::Skip, Some("moving (BILL-1)")));
    let (result, text, _) = told(&stream, Some("shop"));
    assert_eq!((result, text.as_deref()), (PolicyResult::Skip, Some("second")));
    let narrow = stream.replace(r#""namespace":"*""#, r#""namespace":"bank""#);
    let (result, text, _) = told(&narrow, Some("shop"));
    assert_eq!((result, text), (PolicyResult::Fail, None));
    // The evidence keeps the answer for all namespaces, and what excuses it where.
    let policies = report.evidence.iter().flat_map(|evidence| &evidence.policies);
    let results: Vec<_> = policies.map(|told| (told.result, told.exceptions.len())).collect();
    assert_eq!(results, [(PolicyResult::Fail, 2), (PolicyResult::Fail, 2)]);
    // What was named as an argument runs in no namespace, not even in any.
    let argument = stream.replace(web, &web.replace("\"shop\"", "null"));
    assert_eq!(told(&argument, None).0, PolicyResult::Fail);
    // A policy that passes or could not be judged is nothing to excuse.
    for (word, wanted) in [("pass", PolicyResult::Pass), ("unknown", PolicyResult::Unknown)] {
        let other = stream.replace(r#""result":"fail""#, &format!(r#""result":"{word}""#));
        assert_eq!(told(&other, Some("bank-eu")).0, wanted);
    }
}

#[test]
fn policies_that_nobody_judged_are_not_none() {
    let report = assemble(SHOP);
    let policies = |workload, container| row(&report, workload, container).policies.clone();
    assert_eq!(policies("web", "web").expect("judged")[0].policy, "release-signed");
    assert_eq!(policies("web", "proxy"), Some(vec![]), "none is about it");
    assert_eq!(policies("new", "new"), None, "its digest is not known");
}

#[test]
fn signed_and_not_verified_says_why() {
    let report = assemble(SHOP);
    let proxy = &row(&report, "web", "proxy").signature;
    assert_eq!((proxy.signed, proxy.verified), (Some(true), false));
    assert!(proxy.error.as_deref().is_some_and(|why| {
        why.starts_with("not-trusted: ") && why.contains("https://github.com/envoyproxy/")
    }));
    let pay = &row(&report, "pay", "pay").signature;
    assert_eq!(pay.error.as_deref(), Some("no-key: no configured key made it"));
    let agent = &row(&report, "agent", "agent").signature;
    assert_eq!((agent.signed, agent.verdict), (Some(false), Verdict::Invalid));
    let why = agent.error.as_deref();
    assert_eq!(why, Some("subject-mismatch: the payload names another digest"));
}

#[test]
fn what_could_not_be_checked_is_null_and_says_why() {
    let report = assemble(SHOP);
    let pay = row(&report, "pay", "pay");
    assert_eq!((pay.sbom.has_sbom, pay.provenance.has_provenance), (None, None));
    let limited = "rate-limited (attTag): 429 from registry.acme.io after 3 tries";
    assert_eq!(pay.sbom.error.as_deref(), Some(limited));
    assert_eq!(pay.update.update_available, None);
    assert_eq!(
        pay.update.reason.as_deref(),
        Some("rate-limited: 429 from registry.acme.io after 3 tries")
    );
    let ledger = row(&report, "ledger", "ledger");
    assert_eq!(ledger.present, Some(false));
    assert_eq!(
        ledger.signature.error.as_deref(),
        Some("not-present: the repository no longer has this manifest")
    );
    let new = row(&report, "new", "new");
    assert_eq!((new.digest.as_ref(), new.how, new.drift), (None, None, DriftState::Unknown));
    assert!(new.error.as_deref().is_some_and(|why| why.starts_with("unauthorized: 401")));
    let why = new.signature.error.as_deref();
    assert!(
        why.is_some_and(|why| why.starts_with("manifest-unknown: unauthorized: 401")),
        "{why:?}"
    );
    let side = row(&report, "side", "side");
    assert!(!side.digest_is_proven());
    assert!(side.error.as_deref().is_some_and(|why| why.starts_with("image-id-unproven: ")));
}

#[test]
fn an_answer_that_is_missing_is_unknown_where_its_stage_ran() {
    let report = assemble(SHOP);
    let api = row(&report, "node-1", "kube-apiserver");
    assert_eq!((api.signature.verdict, api.signature.signed), (Verdict::Unknown, None));
    assert_eq!(
        api.signature.error.as_deref(),
        Some("no-record: no answer came although pc-verify ran")
    );
    assert_eq!(api.sbom.verdict, Verdict::Absent);
    let digest = r#"{"type":"digest","v":1,"image":"busybox""#;
    let report = assemble(&without(SHOP, |line| line.starts_with(digest), &[]));
    let setup = row(&report, "web", "setup");
    assert_eq!(setup.drift, DriftState::Unknown);
    assert_eq!(setup.how, Some(How::Status), "the status itself names the digest");
    assert!(setup.error.as_deref().is_some_and(|why| why.starts_with("no-record: ")));
    assert!(!report.metadata.complete);
}

#[test]
fn a_stage_that_was_not_there_is_skipped_and_not_unknown() {
    let by = |stage: &str| match stage {
        "pc-verify" => ["signature", "provenance", "sbom", "attestation", "policy"].as_slice(),
        _ => ["update", "repository"].as_slice(),
    };
    let is = |line: &str, kind: &str| line.starts_with(&format!(r#"{{"type":"{kind}""#));
    let wrote = |line: &str, stage: &str| {
        let failed = is(line, "failure") && line.contains(&format!(r#""stage":"{stage}""#));
        failed || by(stage).iter().any(|kind| is(line, kind))
    };
    let stages = ["pc-verify", "pc-updates"];
    let stream = without(SHOP, |line| stages.iter().any(|stage| wrote(line, stage)), &stages);
    let report = assemble(&stream);
    assert_eq!(report.metadata.incomplete_why, Vec::<String>::new());
    for row in &report.images {
        assert_eq!((row.signature.verdict, row.signature.signed), (Verdict::Skipped, None));
        assert_eq!((row.sbom.verdict, row.sbom.error.as_ref()), (Verdict::Skipped, None));
        assert_eq!(row.update.status, UpdateState::Skipped);
        assert_eq!(row.update.update_available, None);
    }
    assert_eq!(report.summary.signature.skipped, report.summary.unique_images);
    assert_eq!(report.summary.unknown.signature, 0);
    assert_eq!(report.summary.coverage.signature.definite, 0);
    assert_eq!(report.helm_releases[0].update.status, UpdateState::Skipped);
}

#[test]
fn a_check_that_is_switched_off_is_skipped_and_its_neighbours_are_not() {
    let sbom = |line: &str| line.starts_with(r#"{"type":"sbom""#);
    let stream = without(SHOP, sbom, &[])
        .replace(r#""settings":{}}"#, r#""settings":{"checks":["signature","provenance"]}}"#);
    let report = assemble(&stream);
    let web = row(&report, "web", "web");
    assert_eq!((web.sbom.verdict, web.signature.verdict), (Verdict::Skipped, Verdict::Trusted));
}

#[test]
fn without_any_tally_nothing_counts_as_switched_off() {
    let images = SHOP.lines().filter(|line| line.starts_with(r#"{"type":"image""#));
    let report = assemble(&images.collect::<Vec<_>>().join("\n"));
    assert!(report.images.iter().all(|row| row.signature.verdict == Verdict::Unknown));
    assert!(report.images.iter().all(|row| row.drift == DriftState::Unknown));
}

#[test]
fn what_is_idle_or_pending_runs_nothing() {
    let report = assemble(SHOP);
    let close = row(&report, "close", "close");
    assert!(close.idle && !close.runs() && !close.is_pending());
    assert_eq!((close.how, close.error.as_ref()), (Some(How::Tag), None));
    assert!(row(&report, "new", "new").is_pending());
    assert_eq!(report.summary.coverage.drift.of, 10);
    assert_eq!((report.summary.pending, report.summary.idle), (3, 0));
}

#[test]
fn which_digest_an_image_volume_mounts_is_not_proven_and_it_is_not_pending() {
    let stream = SHOP.replace(
        r#""containerType":"container","container":"close""#,
        r#""containerType":"imageVolume","container":"close""#,
    );
    let report = assemble(&stream.replace(r#""idle":true"#, r#""idle":false"#));
    let close = row(&report, "close", "close");
    assert!(close.runs() && !close.is_pending() && !close.digest_is_proven());
}

#[test]
fn counts_are_true_shares_of_distinct_images() {
    let report = assemble(SHOP);
    let summary = &report.summary;
    assert_eq!((summary.total_images, summary.unique_images), (14, 11));
    let of = summary.unique_images;
    for counts in [summary.signature, summary.provenance, summary.sbom] {
        let sum = counts.there() + counts.absent + counts.invalid + counts.unknown + counts.skipped;
        assert_eq!(sum, of);
    }
    let drift = summary.drift;
    assert_eq!(
        drift.same + drift.moved + drift.pinned + drift.unknown + drift.skipped + drift.not_running,
        of
    );
    assert_eq!((summary.signed_images, summary.verified_images), (3, 1));
    assert_eq!((summary.images_with_sbom, summary.images_with_provenance), (2, 2));
    assert_eq!((summary.images_with_updates, summary.helm_releases_with_updates), (1, 1));
    assert_eq!((summary.pinned, summary.not_present, summary.failures), (1, 1, 7));
    // One of two digests of the roll-out has moved, so its reference has.
    assert_eq!((drift.moved, drift.same), (1, 5));
    assert_eq!((summary.unknown.sbom, summary.unknown.helm_update), (5, 1));
    let coverage = summary.coverage.update;
    assert_eq!((coverage.definite, coverage.of, coverage.ratio), (6, 10, Some(0.6)));
}

/// The shop, where the registry of the pinned image was dead.
pub(crate) fn with_a_dead_registry() -> String {
    let answered: &str = r#""how":"status","present":false"#;
    assert_eq!(SHOP.matches(answered).count(), 1);
    SHOP.replace(answered, r#""how":"status","present":null"#)
}

#[test]
fn presence_that_was_not_answered_is_counted_as_unknown() {
    let report = assemble(&with_a_dead_registry());
    let ledger = row(&report, "ledger", "ledger");
    assert!(ledger.presence_is_open() && ledger.digest_is_proven());
    let (summary, before) = (&report.summary, assemble(SHOP).summary);
    assert_eq!((summary.unknown.present, before.unknown.present), (1, 0));
    assert_eq!((summary.not_present, before.not_present), (0, 1));
    // Which digest runs is as well known as before; that it is still there is not.
    assert_eq!(summary.coverage.digest, before.coverage.digest);
    let (now, was) = (summary.coverage.present, before.coverage.present);
    assert_eq!((now.definite + 1, now.of), (was.definite, was.of));
}

#[test]
fn presence_that_nobody_asked_for_is_not_unknown() {
    let stream: String = SHOP
        .lines()
        .filter(|line| !line.starts_with(r#"{"type":"digest""#))
        .map(|line| format!("{}\n", line.replace(r#""stage":"pc-digest""#, r#""stage":"x""#)))
        .collect();
    let report = assemble(&stream);
    assert!(report.images.iter().all(|row| row.drift == DriftState::Skipped));
    assert_eq!(report.summary.unknown.present, 0);
    assert!(!report.images.iter().any(Row::presence_is_open));
}

#[test]
fn the_order_of_records_does_not_matter() {
    let mut lines: Vec<&str> = SHOP.lines().collect();
    let end = lines.pop().expect("an end");
    lines.reverse();
    let reversed = format!("{}\n{end}\n", lines.join("\n"));
    assert!(bytes(&assemble(SHOP)) == bytes(&assemble(&reversed)));
}

#[test]
fn the_same_records_twice_are_the_same_report() {
    let once = assemble(SHOP);
    let mut twice = assemble(&format!("{SHOP}{SHOP}"));
    assert!(twice.metadata.complete);
    assert_eq!(twice.stages.len(), 2 * once.stages.len());
    twice.stages.clone_from(&once.stages);
    assert!(bytes(&twice) == bytes(&once));
}

#[test]
fn unknown_records_are_kept_and_known_ones_that_are_not_reported_are_not() {
    let report = assemble(SHOP);
    assert_eq!(report.other.len(), 1);
    assert_eq!(report.other[0]["type"], "hub");
    assert_eq!(report.metadata.other_dropped, 0);
    assert_eq!(report.runtimes.len(), 1);
}

#[test]
fn releases_have_the_answer_about_their_chart() {
    let report = assemble(SHOP);
    let update = &report.helm_releases[0].update;
    assert_eq!((update.status, update.update_available), (UpdateState::Available, Some(true)));
    assert_eq!(
        (update.newest.as_deref(), update.newest_available.as_deref()),
        (Some("1.5.2"), Some("1.5.2"))
    );
    let update = &report.helm_releases[1].update;
    assert_eq!((update.status, update.update_available), (UpdateState::Unknown, None));
    assert_eq!(update.reason.as_deref(), Some("origin-unknown"));
}

#[test]
fn of_several_rules_a_row_gets_its_own_answer_or_none() {
    let update = |rule: &str, status: &str| {
        SHOP.lines()
            .find(|line| line.starts_with(r#"{"type":"update","v":1,"image":"busybox""#))
            .expect("an update")
            .replace(r#""rule":"""#, &format!(r#""rule":"{rule}""#))
            .replace("not-comparable", status)
    };
    let stream = |annotations: &str| {
        let image =
            SHOP.lines().find(|line| line.contains(r#""image":"busybox""#)).expect("an image");
        let image =
            image.replace(r#""annotations":{}"#, &format!(r#""annotations":{annotations}"#));
        [image, update("", "current"), update("level=major", "available")].join("\n")
    };
    let status = |annotations: &str| {
        let report = assemble(&stream(annotations));
        let update = report.images[0].update.clone();
        (update.status, update.reason.unwrap_or_default())
    };
    assert_eq!(status("{}").0, UpdateState::Current);
    assert_eq!(
        status(r#"{"provenance.nebari.dev/update":"level=major"}"#).0,
        UpdateState::Available
    );
    let (unclear, why) = status(r#"{"provenance.nebari.dev/update":"level=minor"}"#);
    assert_eq!(unclear, UpdateState::Unknown);
    assert!(why.starts_with("rule-unknown: "), "{why}");
}

#[test]
fn an_answer_that_is_not_the_rows_own_is_never_shown_for_it() {
    let line = |kind: &str| {
        let start = format!(r#"{{"type":"{kind}","v":1,"#);
        let is_it = |line: &&str| line.starts_with(&start) && line.contains(r#""image":"busybox""#);
        SHOP.lines().find(is_it).expect("a line").to_owned()
    };
    let status = |annotations: &str, change: &dyn Fn(String) -> String| {
        let image = line("image")
            .replace(r#""annotations":{}"#, &format!(r#""annotations":{annotations}"#));
        let update = change(line("update").replace("not-comparable", "current"));
        assemble(&[image, update].join("\n")).images[0].update.status
    };
    // A rule that another workload's annotation set.
    let annotated = |update: String| {
        update.replace(r#""rule":"""#, r#""rule":"level=major pin=1","ruleFrom":"annotation""#)
    };
    assert_eq!(status("{}", &annotated), UpdateState::Unknown);
    let own = r#"{"provenance.nebari.dev/update":" pin=1  level=major"}"#;
    assert_eq!(status(own, &annotated), UpdateState::Current);
    // A floating name that is judged by what runs elsewhere.
    let elsewhere = |update: String| {
        update.replace(r#""rule":"""#, r#""rule":"","imageId":"busybox@sha256:00","platform":null"#)
    };
    assert_eq!(status("{}", &elsewhere), UpdateState::Unknown);
    // An annotation that nobody counts.
    assert_eq!(status(own, &|update| update), UpdateState::Current);
}

#[test]
fn a_stage_that_is_switched_off_is_skipped() {
    let image = SHOP.lines().find(|line| line.contains(r#""image":"busybox""#)).expect("an image");
    let end = r#"{"type":"end","v":1,"stages":[{"stage":"pc-updates","version":"1","startedAt":"2026-11-24T06:00:00Z","endedAt":"2026-11-24T06:00:00Z","written":{},"requests":{},"settings":{"checkUpdates":CHECK}}]}"#;
    let status = |check: &str| {
        let report = assemble(&[image, &end.replace("CHECK", check)].join("\n"));
        report.images[0].update.status
    };
    assert_eq!(status("false"), UpdateState::Skipped);
    assert_eq!(status("true"), UpdateState::Unknown);
}
