//! Which rows need a person most, for when not all can be shown.

use crate::{Answers, Row};

/// At most `limit` rows: the gravest, the first among equals, in the order of the report.
pub(crate) fn gravest(rows: &[Row], limit: usize) -> Vec<&Row> {
    if rows.len() <= limit {
        return rows.iter().collect();
    }
    let mut order: Vec<usize> = (0..rows.len()).collect();
    // Stable: the first among equals stays the first.
    order.sort_by_key(|at| std::cmp::Reverse(Answers::of(&rows[*at]).concern()));
    order.truncate(limit);
    order.sort_unstable();
    order.into_iter().map(|at| &rows[at]).collect()
}
