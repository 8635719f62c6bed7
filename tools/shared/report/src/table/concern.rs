//! Which rows need a person most, for when not all can be shown.

use records::Verdict;

use crate::{DriftState, Row, UpdateState};

/// At most `limit` rows: the gravest, the first among equals, in the order of the report.
pub(crate) fn gravest(rows: &[Row], limit: usize) -> Vec<&Row> {
    if rows.len() <= limit {
        return rows.iter().collect();
    }
    let mut order: Vec<usize> = (0..rows.len()).collect();
    // Stable: the first among equals stays the first.
    order.sort_by_key(|at| std::cmp::Reverse(concern(&rows[*at])));
    order.truncate(limit);
    order.sort_unstable();
    order.into_iter().map(|at| &rows[at]).collect()
}

/// How grave the worst answer of a row is, and then how grave all are together.
fn concern(row: &Row) -> (u32, u32) {
    let answers = [
        verdict(row.signature.verdict),
        verdict(row.provenance.verdict),
        verdict(row.sbom.verdict),
        drift(row),
        update(row.update.status),
        presence(row),
    ];
    (answers.into_iter().max().unwrap_or_default(), answers.iter().sum())
}

fn verdict(verdict: Verdict) -> u32 {
    match verdict {
        Verdict::Invalid => 7,
        Verdict::Unknown => 4,
        Verdict::Absent => 3,
        Verdict::Present => 2,
        Verdict::Valid => 1,
        Verdict::Trusted | Verdict::Skipped => 0,
    }
}

fn presence(row: &Row) -> u32 {
    match row.present {
        Some(false) => 5,
        None if row.presence_is_open() => 4,
        None | Some(true) => 0,
    }
}

fn drift(row: &Row) -> u32 {
    match row.drift {
        DriftState::Moved => 6,
        DriftState::Unknown if row.runs() => 4,
        DriftState::Unknown | DriftState::Same | DriftState::Pinned | DriftState::Skipped => 0,
    }
}

fn update(status: UpdateState) -> u32 {
    match status {
        UpdateState::Unknown => 4,
        UpdateState::Available => 2,
        UpdateState::NotComparable | UpdateState::Ignored => 1,
        UpdateState::Current | UpdateState::Skipped => 0,
    }
}
