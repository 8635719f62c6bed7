//! Work that is done in parts, each by a process of its own: `--shard I/N`.

use std::hash::Hasher;
use std::str::FromStr;

use records::{Shard, ShardError};
use siphasher::sip::SipHasher13;

/// The word that stands for the number of an Indexed Job's pod, which Kubernetes counts from 0.
pub const JOB_INDEX: &str = "JOB_COMPLETION_INDEX";

/// Reads `I/N`, or `JOB_COMPLETION_INDEX/N` in a pod of an Indexed Job.
///
/// # Errors
/// [`ShardError`].
pub fn parse(text: &str) -> Result<Shard, ShardError> {
    let job = text.strip_prefix(JOB_INDEX).and_then(|rest| {
        let index: u32 = std::env::var(JOB_INDEX).ok()?.parse().ok()?;
        Some(format!("{}{rest}", index.checked_add(1)?))
    });
    Shard::from_str(job.as_deref().unwrap_or(text))
}

/// Whether what is called `key` belongs to `shard`. The hash has a fixed key, so that all pods of
/// a Job agree.
#[must_use]
pub fn holds(shard: Shard, key: &str) -> bool {
    let mut hasher = SipHasher13::new();
    hasher.write(key.as_bytes());
    hasher.finish() % u64::from(shard.count) == u64::from(shard.index - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_counted_from_one() {
        assert_eq!(parse("2/3"), Ok(Shard { index: 2, count: 3 }));
        assert!(parse("0/3").is_err() && parse("JOB_COMPLETION_INDEX/3").is_err());
    }

    #[test]
    fn every_key_belongs_to_one_shard() {
        for key in ["", "shop/web", "docker.io/library/nginx"] {
            let owners = (1..=5).filter(|index| holds(Shard { index: *index, count: 5 }, key));
            assert_eq!(owners.count(), 1, "{key}");
        }
    }
}
