//! One thing changed at a time.

use records::{PolicyResult, Verdict};
use report::difference::Code;
use report::{DriftState, Report, UpdateState};

use super::{gone, policy, rows, signatures, verdict, web};

/// One edit of the example.
pub(super) type Edit = fn(&mut Report);

/// What makes exactly one change of this code.
pub(super) const EDITS: &[(Code, Edit)] = &[
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
