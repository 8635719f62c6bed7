//! Since when digests are known: carried from report to report.
//!
//! A report that is compared with an earlier one knows from there when a digest was first seen in
//! the cluster, and when its signature was first trusted. What is not in the earlier report was
//! first seen now: a digest that went and came back is new again, since nobody keeps all reports.

use std::collections::{HashMap, HashSet};

use records::{Digest, Verdict};

use crate::{Report, Row};

/// What is known of a digest.
#[derive(Debug, Clone, Copy)]
struct Known<'a> {
    first_seen: &'a str,
    first_trusted: Option<&'a str>,
}

/// What a digest is known by: its repository, or the reference where that names none, and itself.
fn key(row: &Row) -> Option<(&str, &Digest)> {
    let digest = row.digest.as_ref().filter(|_| row.digest_is_proven())?;
    Some((row.repository.as_deref().unwrap_or(&row.image), digest))
}

/// The earlier of two times; as texts they need not be of one form.
fn earlier<'a>(a: &'a str, b: &'a str) -> &'a str {
    let time = |text: &str| text.parse::<jiff::Timestamp>().ok();
    match (time(a), time(b)) {
        (Some(first), Some(second)) if second < first => b,
        (None, Some(_)) => b,
        _ => a,
    }
}

/// Fills in `firstSeen` and `firstTrusted` of a new report. Without an earlier one, this is the
/// first.
pub fn carry(older: Option<&Report>, newer: &mut Report) {
    let mut known: HashMap<(&str, &Digest), Known<'_>> = HashMap::new();
    for row in older.iter().flat_map(|report| &report.images) {
        let Some(key) = key(row) else { continue };
        let made = older.map_or("", |report| report.metadata.generated_at.as_str());
        // A report from before there were such times had seen it at the latest then.
        let first_seen = row.first_seen.as_deref().unwrap_or(made);
        let trusted_now = (row.signature.verdict == Verdict::Trusted).then_some(made);
        let first_trusted = row.first_trusted.as_deref().or(trusted_now);
        let entry = known.entry(key).or_insert(Known { first_seen, first_trusted });
        entry.first_seen = earlier(entry.first_seen, first_seen);
        entry.first_trusted = match (entry.first_trusted, first_trusted) {
            (Some(a), Some(b)) => Some(earlier(a, b)),
            (a, b) => a.or(b),
        };
    }
    let now = newer.metadata.generated_at.clone();
    // One platform of a digest may be trusted and another not: of each digest the first counts.
    let mut trusted: HashSet<(String, Digest)> = HashSet::new();
    for row in newer.images.iter().filter(|row| row.signature.verdict == Verdict::Trusted) {
        if let Some((repository, digest)) = key(row) {
            trusted.insert((repository.to_owned(), digest.clone()));
        }
    }
    for row in &mut newer.images {
        let Some((repository, digest)) = key(row) else { continue };
        let is_trusted = trusted.contains(&(repository.to_owned(), digest.clone()));
        let found = known.get(&(repository, digest));
        let first_seen = found.map_or(now.as_str(), |known| earlier(known.first_seen, &now));
        let first_trusted = found.and_then(|known| known.first_trusted);
        let first_trusted = first_trusted.or(is_trusted.then_some(now.as_str()));
        let (seen, trusted) = (first_seen.to_owned(), first_trusted.map(str::to_owned));
        (row.first_seen, row.first_trusted) = (Some(seen), trusted);
    }
}
