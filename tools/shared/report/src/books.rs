//! Keeping the books: whether everything that the stages wrote has arrived.
//!
//! A stream that was cut can end well (`cat cut whole` does), and somebody may filter one and keep
//! its `end`. So the sink counts what arrives and compares it with what the tallies say was
//! written; and it looks whether the parts of a cluster that was collected in parts are all there.

use std::collections::{BTreeMap, BTreeSet};

use records::text::shown;
use records::{Shard, Tally};

/// The stage without whose tally nobody knows what should be here.
const DISCOVERY: &str = "pc-discover";

/// How many missing parts a reason names.
const NAMED: usize = 5;

/// One reason why a stream is not whole. The texts are stable, and distinct for each reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Gap {
    /// The input ended too early.
    #[error("the stream is truncated: {0}")]
    Truncated(String),
    /// What runs was not listed in this stream.
    #[error("no tally of `{DISCOVERY}` came: nothing says what should be here")]
    NoDiscovery,
    /// Records came whose stage did not live to count them.
    #[error("a stream was cut: {arrived} `{}` records came, the tallies know of {written}", shown(.kind))]
    Cut {
        /// The record type.
        kind: String,
        /// How many came.
        arrived: u64,
        /// How many the tallies name.
        written: u64,
    },
    /// Records that were written did not come.
    #[error("records were filtered out: {written} `{}` records were written, {arrived} came", shown(.kind))]
    Filtered {
        /// The record type.
        kind: String,
        /// How many came.
        arrived: u64,
        /// How many the tallies name.
        written: u64,
    },
    /// Parts of a cluster are not here.
    #[error("{} is missing{}", parts(.stage, .first), more(*.missing, .first.len()))]
    ShardMissing {
        /// The stage that was run in parts.
        stage: String,
        /// The first of the missing parts.
        first: Vec<Shard>,
        /// How many are missing in all.
        missing: u64,
    },
    /// A part is here more than once.
    #[error("{} came more than once", parts(.stage, std::slice::from_ref(.shard)))]
    ShardTwice {
        /// The stage that was run in parts.
        stage: String,
        /// The part.
        shard: Shard,
    },
    /// A part is here that the division does not have.
    #[error("{} is no part of its division", parts(.stage, std::slice::from_ref(.shard)))]
    ShardBeyond {
        /// The stage that was run in parts.
        stage: String,
        /// The part.
        shard: Shard,
    },
    /// Parts of different divisions, or parts beside a whole, are mixed.
    #[error("shards of different divisions of `{}` are mixed: {}", shown(.stage), .divisions.join(", "))]
    ShardsMixed {
        /// The stage that was run in parts.
        stage: String,
        /// The divisions, as `of 2`, `of 3`, `unsharded`.
        divisions: Vec<String>,
    },
    /// The streams of several clusters were concatenated.
    #[error("streams of different clusters are mixed: {}", quoted(.0))]
    Clusters(Vec<String>),
}

/// Parts of a stage's work, for a sentence.
fn parts(stage: &str, shards: &[Shard]) -> String {
    let shards: Vec<String> = shards.iter().map(ToString::to_string).collect();
    format!("shard {} of `{}`", shards.join(", "), shown(stage))
}

fn more(missing: u64, named: usize) -> String {
    match missing.saturating_sub(named as u64) {
        0 => String::new(),
        rest => format!(", and {rest} more"),
    }
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{}`", shown(name))).collect();
    names.join(", ")
}

/// How many records of each type arrived, `end` aside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    arrived: BTreeMap<String, u64>,
}

impl Books {
    /// One more record of type `kind` arrived.
    pub fn count(&mut self, kind: &str) {
        if let Some(count) = self.arrived.get_mut(kind) {
            *count += 1;
        } else {
            self.arrived.insert(kind.to_owned(), 1);
        }
    }

    /// How many records of type `kind` arrived.
    #[must_use]
    pub fn arrived(&self, kind: &str) -> u64 {
        self.arrived.get(kind).copied().unwrap_or_default()
    }

    /// Every reason why the stream is not whole, in a stable order; none when it is.
    ///
    /// `truncation` says how the input ended too early, if it did.
    #[must_use]
    pub fn gaps(&self, tallies: &[Tally], truncation: Option<&str>) -> Vec<Gap> {
        let mut gaps: Vec<Gap> =
            truncation.map(|how| Gap::Truncated(how.to_owned())).into_iter().collect();
        // Without any `end` there is nothing to compare with: that it is cut says it all.
        if truncation.is_some() && tallies.is_empty() {
            return gaps;
        }
        if !tallies.iter().any(|tally| tally.stage == DISCOVERY) {
            gaps.push(Gap::NoDiscovery);
        }
        gaps.extend(self.miscounts(tallies));
        gaps.extend(missing_shards(tallies));
        gaps.extend(mixed_clusters(tallies));
        gaps
    }

    fn miscounts(&self, tallies: &[Tally]) -> Vec<Gap> {
        let mut written: BTreeMap<&str, u64> = BTreeMap::new();
        for (kind, count) in tallies.iter().flat_map(|tally| &tally.written) {
            let sum = written.entry(kind).or_default();
            *sum = sum.saturating_add(*count);
        }
        let kinds: BTreeSet<&str> =
            written.keys().copied().chain(self.arrived.keys().map(String::as_str)).collect();
        kinds
            .into_iter()
            .filter_map(|kind| {
                let written = written.get(kind).copied().unwrap_or_default();
                let arrived = self.arrived(kind);
                let kind = kind.to_owned();
                match arrived.cmp(&written) {
                    std::cmp::Ordering::Equal => None,
                    std::cmp::Ordering::Greater => Some(Gap::Cut { kind, arrived, written }),
                    std::cmp::Ordering::Less => Some(Gap::Filtered { kind, arrived, written }),
                }
            })
            .collect()
    }
}

/// Parts that are missing, here twice, or of different divisions, stage by stage.
fn missing_shards(tallies: &[Tally]) -> Vec<Gap> {
    let mut stages: BTreeMap<&str, Vec<Option<Shard>>> = BTreeMap::new();
    for tally in tallies {
        stages.entry(&tally.stage).or_default().push(tally.shard);
    }
    stages
        .into_iter()
        .filter(|(_, shards)| shards.iter().any(Option::is_some))
        .flat_map(|(stage, shards)| shards_of(stage, &shards))
        .collect()
}

fn shards_of(stage: &str, shards: &[Option<Shard>]) -> Vec<Gap> {
    let counts: BTreeSet<Option<u32>> = shards.iter().map(|s| s.map(|s| s.count)).collect();
    let (Some(Some(count)), 1) = (counts.first(), counts.len()) else {
        let divisions = counts.iter().map(|count| match count {
            Some(count) => format!("of {count}"),
            None => "unsharded".to_owned(),
        });
        return vec![Gap::ShardsMixed { stage: stage.to_owned(), divisions: divisions.collect() }];
    };
    let mut seen: BTreeMap<u32, u32> = BTreeMap::new();
    for shard in shards.iter().flatten() {
        *seen.entry(shard.index).or_default() += 1;
    }
    let shard = |index: &u32| Shard { index: *index, count: *count };
    let twice = seen.iter().filter(|(_, times)| **times > 1);
    let mut gaps: Vec<Gap> = twice
        .map(|(index, _)| Gap::ShardTwice { stage: stage.to_owned(), shard: shard(index) })
        .collect();
    let part = |index: &u32| (1..=*count).contains(index);
    // What is read is checked, but a tally may be made in other ways.
    gaps.extend(
        seen.keys()
            .filter(|index| !part(index))
            .map(|index| Gap::ShardBeyond { stage: stage.to_owned(), shard: shard(index) }),
    );
    let here = seen.keys().filter(|index| part(index)).count() as u64;
    let missing = u64::from(*count).saturating_sub(here);
    if missing > 0 {
        let absent = (1..=*count).filter(|index| !seen.contains_key(index));
        gaps.push(Gap::ShardMissing {
            stage: stage.to_owned(),
            first: absent.take(NAMED).map(|index| shard(&index)).collect(),
            missing,
        });
    }
    gaps
}

fn mixed_clusters(tallies: &[Tally]) -> Option<Gap> {
    let names: BTreeSet<&String> =
        tallies.iter().filter_map(|tally| tally.cluster.as_ref()).collect();
    (names.len() > 1).then(|| Gap::Clusters(names.into_iter().cloned().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(stage: &str, written: &[(&str, u64)], shard: Option<(u32, u32)>) -> Tally {
        Tally {
            stage: stage.into(),
            version: "0.1.0".into(),
            started_at: "2026-11-24T06:00:00Z".into(),
            ended_at: "2026-11-24T06:00:01Z".into(),
            written: written.iter().map(|(k, n)| ((*k).into(), *n)).collect(),
            cluster: None,
            namespaces: None,
            shard: shard.map(|(index, count)| Shard { index, count }),
            requests: BTreeMap::new(),
            settings: serde_json::Map::new(),
            timings: BTreeMap::new(),
        }
    }

    fn books(arrived: &[(&str, u64)]) -> Books {
        Books { arrived: arrived.iter().map(|(k, n)| ((*k).into(), *n)).collect() }
    }

    fn texts(gaps: &[Gap]) -> Vec<String> {
        gaps.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn books_that_balance_have_no_gap() {
        let tallies = [
            tally("pc-discover", &[("image", 2)], None),
            tally("pc-digest", &[("digest", 2), ("failure", 1)], None),
            tally("pc-verify", &[("failure", 1), ("novel", 1)], None),
        ];
        let arrived = [("image", 2), ("digest", 2), ("failure", 2), ("novel", 1)];
        assert_eq!(books(&arrived).gaps(&tallies, None), []);
    }

    #[test]
    fn more_is_a_cut_stream_and_fewer_a_filter() {
        let tallies = [tally("pc-discover", &[("image", 3), ("runtime", 2), ("failure", 0)], None)];
        let gaps = books(&[("image", 5), ("runtime", 1), ("digest", 1)]).gaps(&tallies, None);
        assert_eq!(
            texts(&gaps),
            [
                "a stream was cut: 1 `digest` records came, the tallies know of 0",
                "a stream was cut: 5 `image` records came, the tallies know of 3",
                "records were filtered out: 2 `runtime` records were written, 1 came",
            ]
        );
    }

    #[test]
    fn without_discovery_nobody_knows_what_runs() {
        let gaps = books(&[]).gaps(&[tally("pc-digest", &[], None)], None);
        assert_eq!(gaps, [Gap::NoDiscovery]);
        assert_eq!(books(&[]).gaps(&[], None), [Gap::NoDiscovery]);
    }

    #[test]
    fn a_truncated_stream_without_an_end_has_one_reason() {
        let gaps =
            books(&[("image", 2)]).gaps(&[], Some("the input stops in the middle of line 3"));
        assert_eq!(
            texts(&gaps),
            ["the stream is truncated: the input stops in the middle of line 3"]
        );
    }

    #[test]
    fn a_cut_stream_behind_a_whole_one_keeps_its_books_too() {
        let whole = [tally("pc-discover", &[("image", 2)], None)];
        let gaps = books(&[("image", 3)]).gaps(&whole, Some("cut"));
        assert_eq!(gaps.len(), 2, "{gaps:?}");
    }

    #[test]
    fn shards_are_all_there_each_once() {
        let shard = |index, count| tally("pc-discover", &[], Some((index, count)));
        let gaps = |tallies: &[Tally]| texts(&books(&[]).gaps(tallies, None));
        assert_eq!(gaps(&[shard(2, 2), shard(1, 2)]), Vec::<String>::new());
        assert_eq!(gaps(&[shard(1, 3)]), ["shard 2/3, 3/3 of `pc-discover` is missing"]);
        assert_eq!(
            gaps(&[shard(1, 2), shard(2, 2), shard(1, 2)]),
            ["shard 1/2 of `pc-discover` came more than once"]
        );
        assert_eq!(
            gaps(&[shard(1, 2), shard(2, 2), shard(7, 2)]),
            ["shard 7/2 of `pc-discover` is no part of its division"]
        );
        assert_eq!(gaps(&[shard(1, 0)]), ["shard 1/0 of `pc-discover` is no part of its division"]);
        assert_eq!(
            gaps(&[shard(1, 2), shard(2, 3), tally("pc-discover", &[], None)]),
            ["shards of different divisions of `pc-discover` are mixed: unsharded, of 2, of 3"]
        );
        assert_eq!(
            gaps(&[shard(1, 4_000_000_000)]),
            ["shard 2/4000000000, 3/4000000000, 4/4000000000, 5/4000000000, 6/4000000000 of \
                 `pc-discover` is missing, and 3999999994 more"]
        );
    }

    #[test]
    fn two_clusters_make_no_report() {
        let of = |cluster: &str| Tally {
            cluster: Some(cluster.into()),
            ..tally("pc-discover", &[], None)
        };
        assert_eq!(books(&[]).gaps(&[of("a"), of("a")], None), []);
        let gaps = books(&[]).gaps(&[of("b"), of("a\u{1b}")], None);
        assert_eq!(texts(&gaps), ["streams of different clusters are mixed: `a\u{fffd}`, `b`"]);
    }
}
