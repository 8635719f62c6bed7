//! Object metadata, and who controls an object.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{Text, or_default};

/// In front of every annotation that speaks to these tools.
pub const ANNOTATION_PREFIX: &str = "provenance.nebari.dev/";

/// `metadata` of an object whose labels and annotations are read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// The name, unique in its namespace for a kind at a time.
    pub name: Text,
    /// The namespace; empty for what has none.
    pub namespace: Text,
    /// Unique in the cluster for all time.
    pub uid: Text,
    /// When it was made, RFC 3339.
    #[serde(deserialize_with = "or_default")]
    pub creation_timestamp: Text,
    /// All labels.
    #[serde(deserialize_with = "or_default")]
    pub labels: BTreeMap<Text, Text>,
    /// Our annotations; those of others are skipped while reading.
    #[serde(deserialize_with = "or_default")]
    pub annotations: Annotations,
    /// Who owns it.
    #[serde(deserialize_with = "or_default")]
    pub owner_references: Vec<OwnerReference>,
    /// Of a list in a dump: where its next page begins, if it is not the last.
    #[serde(rename = "continue", deserialize_with = "or_default")]
    pub(crate) next_page: Text,
    /// Of a list in a dump: how many objects follow on further pages.
    pub(crate) remaining_item_count: Option<u64>,
}

/// `metadata` of an object of which only the owner is asked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnedMetadata {
    /// The name.
    pub name: Text,
    /// The namespace.
    pub namespace: Text,
    /// Unique in the cluster for all time.
    pub uid: Text,
    /// Who owns it.
    #[serde(deserialize_with = "or_default")]
    pub owner_references: Vec<OwnerReference>,
}

/// Any object, read for its owner alone (a PartialObjectMetadata).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Owned {
    /// The object's metadata.
    pub metadata: OwnedMetadata,
}

/// Any object, read for its name alone.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct NamedObject {
    /// The object's metadata.
    pub metadata: LocalName,
}

/// `metadata` of which only the name is read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct LocalName {
    /// The name.
    pub name: Text,
}

/// `metadata` of a list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMetadata {
    /// Asks for the next page; empty on the last.
    #[serde(rename = "continue", deserialize_with = "or_default")]
    pub next: String,
    /// About how many objects follow; not given with selectors.
    pub remaining_item_count: Option<u64>,
}

/// One owner of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnerReference {
    /// Group and version of the owner.
    pub api_version: Text,
    /// Kind of the owner.
    pub kind: Text,
    /// Name of the owner, in the same namespace or in none.
    pub name: Text,
    /// Uid of the owner.
    pub uid: Text,
    /// Whether this owner is the one that controls the object; at most one does.
    pub controller: Option<bool>,
}

/// The owner that controls an object, if any does.
#[must_use]
pub fn controller(owners: &[OwnerReference]) -> Option<&OwnerReference> {
    owners.iter().find(|owner| owner.controller == Some(true))
}

/// The annotations below [`ANNOTATION_PREFIX`], by their whole names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Annotations(pub BTreeMap<Text, Text>);

impl<'de> Deserialize<'de> for Annotations {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(AnnotationsVisitor)
    }
}

struct AnnotationsVisitor;

impl<'de> Visitor<'de> for AnnotationsVisitor {
    type Value = Annotations;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of annotations")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Annotations, A::Error> {
        let mut ours = BTreeMap::new();
        while let Some(key) = map.next_key::<Text>()? {
            if key.starts_with(ANNOTATION_PREFIX) {
                ours.insert(key, map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Annotations(ours))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_annotations_stay() {
        let read: Metadata = serde_json::from_str(
            r#"{"name":"web","labels":null,"annotations":{"a/b":"1","provenance.nebari.dev/x":"2"}}"#,
        )
        .expect("metadata");
        let ours: Vec<(&str, &str)> =
            read.annotations.0.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(ours, [("provenance.nebari.dev/x", "2")]);
    }

    #[test]
    fn the_controller_is_the_owner_that_says_so() {
        let read: OwnedMetadata = serde_json::from_str(
            r#"{"ownerReferences":[{"kind":"A","name":"a"},{"kind":"B","name":"b","controller":false},
                {"kind":"C","name":"c","controller":true}]}"#,
        )
        .expect("metadata");
        assert_eq!(controller(&read.owner_references).map(|owner| &*owner.kind), Some("C"));
        assert_eq!(controller(&[]), None);
    }
}
