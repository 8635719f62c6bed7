//! The end of a stream: what each stage did, so that the sink can keep the books.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Record;

/// One part of a cluster that is collected in parts: `index` of `count`, from 1.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase", try_from = "Parts")]
pub struct Shard {
    /// Which part, from 1.
    pub index: u32,
    /// Of how many.
    pub count: u32,
}

// A shard as it is read, before anybody has looked at its numbers; the schema shows this.
/// One part of a cluster that is collected in parts: `index` of `count`, from 1.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Shard")]
struct Parts {
    /// Which part, from 1, and at most `count`.
    #[schemars(range(min = 1))]
    index: u32,
    /// Of how many.
    #[schemars(range(min = 1))]
    count: u32,
}

impl TryFrom<Parts> for Shard {
    type Error = ShardError;

    fn try_from(Parts { index, count }: Parts) -> Result<Self, Self::Error> {
        Self::new(index, count).ok_or_else(|| ShardError(format!("{index}/{count}")))
    }
}

impl Shard {
    /// Part `index` of `count`, if there is such a part.
    fn new(index: u32, count: u32) -> Option<Self> {
        (1..=count).contains(&index).then_some(Self { index, count })
    }
}

/// A text that is no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a shard: write I/N with 1 ≤ I ≤ N, as in `2/3`", crate::text::shown(.0))]
pub struct ShardError(String);

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text
            .split_once('/')
            .and_then(|(index, count)| Self::new(index.parse().ok()?, count.parse().ok()?));
        parsed.ok_or_else(|| ShardError(text.to_owned()))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// What one stage did in one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// The stage's name, `pc-digest` for example.
    pub stage: String,
    /// The stage's version.
    pub version: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC.
    pub ended_at: String,
    /// How many records of each type this stage itself wrote, `end` aside.
    pub written: BTreeMap<String, u64>,
    /// pc-discover: the cluster's name, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// pc-discover: the namespaces that were asked, sorted, those without an image too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<Vec<String>>,
    /// pc-discover: the part of the cluster that this stream is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Requests by host and kind.
    #[serde(default)]
    pub requests: BTreeMap<String, BTreeMap<String, u64>>,
    /// The settings that bear on what the records say.
    #[serde(default)]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// How long things took, by what they are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub timings: BTreeMap<String, Histogram>,
}

/// How long something took that was done many times: a cumulative histogram, as Prometheus has
/// them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Histogram {
    /// How many times.
    pub count: u64,
    /// In all, in seconds.
    pub seconds: f64,
    /// How many of them took at most so long.
    pub buckets: Vec<Bucket>,
}

/// A bucket of a [`Histogram`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bucket {
    /// The upper bound, in seconds.
    pub le: f64,
    /// How many were below it or at it.
    pub count: u64,
}

impl Histogram {
    /// The bounds of buckets, in seconds.
    const BOUNDS: [f64; 9] = [0.005, 0.02, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

    /// Counts one more.
    pub fn count(&mut self, took: std::time::Duration) {
        if self.buckets.is_empty() {
            self.buckets = Self::BOUNDS.map(|le| Bucket { le, count: 0 }).to_vec();
        }
        let seconds = took.as_secs_f64();
        self.count += 1;
        self.seconds += seconds;
        for bucket in self.buckets.iter_mut().filter(|bucket| seconds <= bucket.le) {
            bucket.count += 1;
        }
    }
}

/// `end`: the stream is whole. Exactly one, last; the tallies of all stages, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct End {
    /// The tallies, in the order of the pipeline; never added up.
    pub stages: Vec<Tally>,
}

impl Record for End {
    const TYPE: &'static str = "end";
    const VERSION: u32 = 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_that_is_none_is_not_read() {
        let read = |text: &str| serde_json::from_str::<Shard>(text);
        let shard = read(r#"{"index": 2, "count": 2}"#).expect("a shard");
        assert_eq!(shard, Shard { index: 2, count: 2 });
        for (index, count) in [(0, 2), (3, 2), (1, 0), (0, 0)] {
            let why = read(&format!(r#"{{"index": {index}, "count": {count}}}"#)).expect_err("bad");
            let said = format!("`{index}/{count}` is not a shard: write I/N");
            assert!(why.to_string().starts_with(&said), "{why}");
        }
    }
}
