//! The `index.yaml` of a chart repository (helm.sh, "The Chart Repository Guide").
//!
//! It may have 20 MB and describe 15,000 versions, of which five short facts each are wanted: it
//! is read as a stream of events, and everything else is passed over.

use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;
use records::FailureCode;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_saphyr::{Budget, options::AliasLimits};

use super::version::ChartVersion;

/// How many versions of charts an index may have.
const MAX_VERSIONS: usize = 200_000;

/// The longest text of an entry that is kept, in bytes.
const MAX_TEXT: usize = 256;

/// A version of a chart that is to be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chart {
    /// The version as it is written.
    pub text: Box<str>,
    /// What it says.
    pub version: ChartVersion,
    /// The version of the application in it.
    pub app_version: Option<Box<str>>,
    /// When it was put into the index, where that says so, in seconds since 1970.
    pub created: Option<i64>,
    /// Whether its publisher calls it deprecated.
    pub deprecated: bool,
    /// Whether its publisher took it back.
    pub removed: bool,
}

impl Chart {
    /// A tag of a chart in a registry, in which `_` stands for `+` (helm.sh, "Use OCI-based
    /// registries"); nothing if it is no version.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::of_version(&tag.replace('_', "+"))
    }

    /// A version of which nothing else is known; nothing if it is none.
    pub(crate) fn of_version(text: &str) -> Option<Self> {
        let version = ChartVersion::parse(text)?;
        let text = text.into();
        Some(Self {
            text,
            version,
            app_version: None,
            created: None,
            deprecated: false,
            removed: false,
        })
    }
}

/// The charts of a repository.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Index(HashMap<String, Vec<Chart>>, HashMap<String, Unread>);

/// Versions of a chart that are no semantic versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub first: Box<str>,
}

impl Unread {
    /// Takes a note of one.
    pub(crate) fn note(&mut self, text: &str) {
        if self.count == 0 {
            self.first = records::text::cut(text).into();
        }
        self.count += 1;
    }
}

/// An index that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// It is no index.
    #[error("it is no index of charts: {0}")]
    Malformed(String),
    /// It lists more than is read.
    #[error("the index has more than {MAX_VERSIONS} versions of charts")]
    TooMany,
}

impl IndexError {
    /// The stable word for scripts.
    #[must_use]
    pub fn code(&self) -> FailureCode {
        match self {
            Self::Malformed(_) => FailureCode::BadResponse,
            Self::TooMany => FailureCode::TooLarge,
        }
    }
}

impl Index {
    /// Reads an index.
    ///
    /// # Errors
    /// An [`IndexError`] when it is none, or too large a one. Half an index is none.
    pub fn read(bytes: &[u8]) -> Result<Self, IndexError> {
        let file: File =
            serde_saphyr::from_slice_with_options(bytes, options()).map_err(|error| {
                let text = error.without_snippet().to_string();
                match text.contains(TOO_MANY) {
                    true => IndexError::TooMany,
                    false => IndexError::Malformed(records::text::shown(&text)),
                }
            })?;
        Ok(Self(file.entries.0, file.entries.1))
    }

    /// The versions of a chart that can be read; nothing if it is not there.
    #[must_use]
    pub fn versions(&self, chart: &str) -> Option<&[Chart]> {
        self.0.get(chart).map(Vec::as_slice)
    }

    /// The versions of a chart that cannot be read, if there are any.
    #[must_use]
    pub fn unread(&self, chart: &str) -> Option<&Unread> {
        self.1.get(chart)
    }
}

/// What the reader of entries says, to be told from what the parser says.
const TOO_MANY: &str = "too many versions of charts";

fn options() -> serde_saphyr::Options {
    let mut budget = Budget::default();
    // 15,000 entries have about a million events; the body's limit bounds what can come.
    budget.max_events = 50_000_000;
    budget.max_nodes = 50_000_000;
    budget.max_total_scalar_bytes = 128 * 1024 * 1024;
    budget.max_depth = 64;
    budget.flow_nesting_limit = 64;
    budget.max_documents = 1;
    // Helm writes none; with few of them nothing can be blown up.
    budget.max_anchors = 100;
    budget.max_aliases = 100;
    let mut aliases = AliasLimits::default();
    aliases.max_total_replayed_events = 10_000;
    serde_saphyr::options! { budget: Some(budget), alias_limits: aliases, with_snippet: false }
}

#[derive(Deserialize)]
struct File {
    entries: Entries,
}

#[derive(Default)]
struct Entries(HashMap<String, Vec<Chart>>, HashMap<String, Unread>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("charts by name")
    }

    /// An empty repository has null.
    fn visit_unit<E>(self) -> Result<Entries, E> {
        Ok(Entries::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let (mut charts, mut all_unread) = (HashMap::new(), HashMap::new());
        let mut count = 0;
        while let Some(name) = map.next_key::<String>()? {
            let Versions(versions, unread) = map.next_value()?;
            count += versions.len();
            if count > MAX_VERSIONS {
                return Err(serde::de::Error::custom(TOO_MANY));
            }
            if name.len() <= MAX_TEXT {
                if unread.count > 0 {
                    all_unread.insert(name.clone(), unread);
                }
                charts.insert(name, versions);
            }
        }
        Ok(Entries(charts, all_unread))
    }
}

/// The versions of one chart, and a note of those that are none.
struct Versions(Vec<Chart>, Unread);

impl<'de> Deserialize<'de> for Versions {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(VersionsVisitor)
    }
}

struct VersionsVisitor;

impl<'de> Visitor<'de> for VersionsVisitor {
    type Value = Versions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of a chart's versions")
    }

    fn visit_unit<E>(self) -> Result<Versions, E> {
        Ok(Versions(Vec::new(), Unread::default()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Versions, A::Error> {
        let (mut versions, mut unread) = (Vec::new(), Unread::default());
        while let Some(entry) = seq.next_element::<Option<Entry>>()? {
            let Some(entry) = entry else { continue };
            let text = entry.version.0.clone();
            match (entry.chart(), text) {
                (Some(chart), _) => versions.push(chart),
                (None, Some(text)) => unread.note(&text),
                (None, None) => {}
            }
            if versions.len() > MAX_VERSIONS {
                return Err(serde::de::Error::custom(TOO_MANY));
            }
        }
        Ok(Versions(versions, unread))
    }
}

/// One version, as it is written. What is not wanted is passed over by the parser.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Entry {
    version: Scalar,
    app_version: Scalar,
    created: Scalar,
    deprecated: Flag,
    removed: Flag,
}

impl Entry {
    fn chart(self) -> Option<Chart> {
        let text = self.version.0.filter(|text| text.len() <= MAX_TEXT)?;
        let version = ChartVersion::parse(&text)?;
        let app_version = self.app_version.0.filter(|text| text.len() <= MAX_TEXT);
        let created = self.created.0.and_then(|text| text.parse::<Timestamp>().ok());
        Some(Chart {
            text,
            version,
            app_version,
            created: created.map(Timestamp::as_second),
            deprecated: self.deprecated.0,
            removed: self.removed.0,
        })
    }
}

/// A scalar as text; anything else is none. `appVersion: 1.10` is a number to YAML, and a text to
/// whoever wrote it.
#[derive(Default)]
struct Scalar(Option<Box<str>>);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar(Some(text.into())))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar(None))
    }

    fn visit_none<E>(self) -> Result<Scalar, E> {
        Ok(Scalar(None))
    }
}

/// A flag that is set where it says `true`, quoted or not.
#[derive(Default)]
struct Flag(bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(FlagVisitor)
    }
}

struct FlagVisitor;

impl<'de> Visitor<'de> for FlagVisitor {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true or false")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Flag, E> {
        Ok(Flag(flag))
    }

    fn visit_str<E>(self, text: &str) -> Result<Flag, E> {
        Ok(Flag(text == "true"))
    }

    fn visit_unit<E>(self) -> Result<Flag, E> {
        Ok(Flag(false))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Flag, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Flag(false))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn read(text: &str) -> Result<Vec<String>, IndexError> {
        let index = Index::read(text.as_bytes())?;
        let told = |chart: &Chart| {
            let mark = if chart.deprecated { " deprecated" } else { "" };
            let gone = if chart.removed { " removed" } else { "" };
            format!("{} {}{mark}{gone}", chart.text, chart.app_version.as_deref().unwrap_or("-"))
        };
        Ok(index.versions("web").unwrap_or_default().iter().map(told).collect())
    }

    #[test]
    fn an_index_is_read_as_publishers_write_it() {
        let index = "apiVersion: v1\nentries:\n  other:\n  - version: 9.9.9\n  web:\n\
            \x20 - apiVersion: v2\n    appVersion: 1.10\n    created: \"2026-01-01T00:00:00Z\"\n\
            \x20   dependencies: [{name: x, version: 1.x}]\n    digest: abc\n    name: web\n\
            \x20   urls: [https://example.com/web-1.0.0.tgz]\n    version: 1.0.0\n\
            \x20 - {version: v1.1.0-rc.1, deprecated: true, appVersion: '2.0'}\n\
            \x20 - {version: \"0.9.0\", removed: true}\n  - {version: 1.2}\n  - {name: none}\n\
            generated: \"2026-01-01T00:00:00Z\"\n";
        let wanted = ["1.0.0 1.10", "v1.1.0-rc.1 2.0 deprecated", "0.9.0 - removed"];
        assert_eq!(read(index), Ok(wanted.map(str::to_owned).to_vec()));
        assert_eq!(read("apiVersion: v1\nentries: null\n"), Ok(vec![]));
        assert_eq!(read("entries: {}\n"), Ok(vec![]));
        assert_eq!(
            read("{\"entries\":{\"web\":[{\"version\":\"1.0.0\"}]}}"),
            Ok(vec!["1.0.0 -".into()])
        );
    }

    #[test]
    fn what_is_no_index_is_told_and_half_of_one_is_none() {
        for bad in [
            "",
            "<html>login</html>",
            "apiVersion: v1\n",
            "entries: [1]\n",
            "entries: {web: {version: 1.0.0}}\n",
            "entries:\n  web:\n  - version: 1.0.0\n  - version: \"1.1",
            "entries: &a [*a]\n",
        ] {
            assert!(matches!(read(bad), Err(IndexError::Malformed(_))), "{bad}: {:?}", read(bad));
        }
        let mut bomb = String::from("a: &a [x,x,x,x,x,x,x,x,x,x]\n");
        for n in 0..8 {
            let (name, before) = (char::from(b'b' + n), char::from(b'a' + n));
            let refs = format!("*{before},").repeat(10);
            let _ = writeln!(bomb, "{name}: &{name} [{refs}]");
        }
        bomb.push_str("entries: {}\n");
        assert!(read(&bomb).is_err());
    }

    #[test]
    fn fifteen_thousand_entries_are_read() {
        let mut index = String::from("apiVersion: v1\nentries:\n");
        for chart in 0..100 {
            let name = if chart == 0 { "web".to_owned() } else { format!("chart-{chart}") };
            let _ = writeln!(index, "  {name}:");
            for version in 0..150 {
                let text = "some words of description ".repeat(40);
                let _ = writeln!(
                    index,
                    "  - apiVersion: v2\n    appVersion: 1.{version}.0\n    annotations:\n      \
                     category: Infrastructure\n    created: \"2026-01-01T00:00:00.123456789Z\"\n    \
                     description: {text}\n    digest: {version:064x}\n    home: https://example.com\n    \
                     keywords:\n    - a\n    - b\n    maintainers:\n    - name: x\n      url: y\n    \
                     name: {name}\n    urls:\n    - https://example.com/{name}-1.{version}.0.tgz\n    \
                     version: 1.{version}.0",
                );
            }
        }
        assert!(index.len() > 20_000_000, "{}", index.len());
        let read = Index::read(index.as_bytes()).expect("an index");
        assert_eq!(read.0.values().map(Vec::len).sum::<usize>(), 15_000);
        assert_eq!(read.versions("web").map(<[Chart]>::len), Some(150));
    }
}
