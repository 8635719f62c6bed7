//! Counting what was asked.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::{Host, Kind};

/// Requests by host and kind, as the `end` record shows them.
pub type RequestCounts = BTreeMap<String, BTreeMap<String, u64>>;

/// Counts every request that is sent, each hop of a redirect and each retry included.
#[derive(Debug, Default)]
pub struct Counts(Mutex<BTreeMap<Host, BTreeMap<Kind, u64>>>);

impl Counts {
    /// Counts one request.
    pub fn add(&self, host: &Host, kind: Kind) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(host.clone()).or_default().entry(kind).or_default() += 1;
    }

    /// What was counted so far.
    #[must_use]
    pub fn snapshot(&self) -> RequestCounts {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let named = |kinds: &BTreeMap<Kind, u64>| {
            kinds.iter().map(|(kind, count)| (kind.to_string(), *count)).collect()
        };
        counts.iter().map(|(host, kinds)| (host.to_string(), named(kinds))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_host_and_kind() {
        let counts = Counts::default();
        let host: Host = "ghcr.io".parse().expect("a host");
        counts.add(&host, Kind::Head);
        counts.add(&host, Kind::Head);
        counts.add(&host, Kind::Token);
        let snapshot = counts.snapshot();
        assert_eq!(snapshot["ghcr.io"]["head"], 2);
        assert_eq!(snapshot["ghcr.io"]["token"], 1);
        assert_eq!(snapshot.len(), 1);
    }
}
