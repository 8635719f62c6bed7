//! The same two reports the other way round.

use std::collections::BTreeMap;

use report::Report;
use report::difference::{Change, Code, changes};

use super::code;

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
pub(super) fn assert_mirrors(older: &Report, newer: &Report) {
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
