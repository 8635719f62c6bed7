//! The log in ConfigMaps of its own: when one is full, the next one is made behind it.

use std::collections::BTreeMap;

use cluster::{ConfigMap, Written};

use super::error::MapError;
use super::pack::ROOM;
use super::{ConfigMapStore, Role};
use crate::chain::Tip;
use crate::document::digest;
use crate::place::Appended;

/// How many ConfigMaps the log has at most: over thirty thousand entries.
const PARTS: u16 = 16;

const LINES: &str = "log.jsonl";

impl ConfigMapStore {
    /// All of it, in order.
    pub(super) fn read_log(&self) -> Result<Vec<u8>, MapError> {
        Ok(self.parts()?.iter().flat_map(|part| lines(part).bytes()).collect())
    }

    /// Adds a line behind `tip`.
    pub(super) fn append_line(&self, tip: &Tip, line: &[u8]) -> Result<Appended, MapError> {
        let text = String::from_utf8_lossy(line);
        let parts = self.parts()?;
        if !ends_at(&whole(&parts), tip) {
            return Ok(Appended::Moved);
        }
        let written = self.write_line(parts, tip, &text);
        match written {
            Ok(Written::Done) => Ok(Appended::Added),
            // Whoever wrote it, it is there or not.
            other => {
                let now = self.read_log()?;
                let before = usize::try_from(tip.length).unwrap_or(usize::MAX);
                if now.get(before..) == Some(line) {
                    return Ok(Appended::Added);
                }
                other.map(|_| Appended::Moved)
            }
        }
    }

    fn write_line(
        &self,
        mut parts: Vec<ConfigMap>,
        tip: &Tip,
        line: &str,
    ) -> Result<Written, MapError> {
        let count = u16::try_from(parts.len()).unwrap_or(u16::MAX);
        let before: usize = parts.iter().rev().skip(1).map(|part| lines(part).len()).sum();
        // Up to the tip: a torn line behind it, which only a person can have left, is dropped.
        let kept = usize::try_from(tip.length).unwrap_or(usize::MAX).saturating_sub(before);
        if let Some(mut last) = parts.pop() {
            let text = lines(&last).get(..kept).unwrap_or_default();
            if text.len() + line.len() <= ROOM {
                let text = format!("{text}{line}");
                last.data.get_or_insert_default().insert(LINES.to_owned(), text);
                last.metadata.managed_fields = None;
                return Ok(self.wait(self.maps.replace(&last))?);
            }
        }
        if count >= PARTS {
            return Err(MapError::LogFull { name: self.log_name(0), parts: PARTS });
        }
        let mut next = self.blank(Role::Log);
        next.metadata.name = Some(self.log_name(count));
        next.data = Some(BTreeMap::from([(LINES.to_owned(), line.to_owned())]));
        Ok(self.wait(self.maps.create(&next))?)
    }

    fn parts(&self) -> Result<Vec<ConfigMap>, MapError> {
        let mut parts = Vec::new();
        for number in 0..PARTS {
            match self.wait(self.maps.get(&self.log_name(number)))? {
                Some(part) => parts.push(part),
                None => break,
            }
        }
        Ok(parts)
    }

    fn log_name(&self, number: u16) -> String {
        match number {
            0 => format!("{}-log", self.name),
            number => format!("{}-log-{number:03}", self.name),
        }
    }
}

fn whole(parts: &[ConfigMap]) -> String {
    parts.iter().map(lines).collect()
}

fn lines(part: &ConfigMap) -> &str {
    part.data.as_ref().and_then(|data| data.get(LINES)).map_or("", String::as_str)
}

/// Whether the log still ends at `tip`, but for a torn line behind it.
fn ends_at(log: &str, tip: &Tip) -> bool {
    let length = usize::try_from(tip.length).unwrap_or(usize::MAX);
    let (Some(before), Some(behind)) = (log.get(..length), log.get(length..)) else {
        return false;
    };
    let last = before.lines().next_back().map(|line| digest(line.as_bytes()));
    last == tip.head && !behind.contains('\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_ends_at_its_tip_only() {
        let tip = Tip::default().behind(b"one\n");
        assert!(ends_at("one\n", &tip) && ends_at("one\ntor", &tip));
        for other in ["", "one", "two\n", "one\ntwo\n", "öne\n"] {
            assert!(!ends_at(other, &tip), "{other}");
        }
        assert!(ends_at("", &Tip::default()) && !ends_at("one\n", &Tip::default()));
    }
}
