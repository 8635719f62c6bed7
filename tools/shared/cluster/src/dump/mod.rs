//! Reading a cluster from a file: what `kubectl get pods,replicasets,jobs,nodes -A -o json`
//! prints, streamed object by object.
//!
//! Lists of mixed kinds in any order, single objects, lists of one kind as the API itself sends
//! them, and several of these one after the other. `kind` may stand behind the rest of its object.
//! What becomes of an object is its reader's to say ([`Gather`]); `objects` has what pods need.

mod objects;

use std::fmt;
use std::io::{self, BufRead};
use std::marker::PhantomData;

use records::text::shown;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::types::{Metadata, Text};

pub use objects::Object;

/// Why a dump cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// There is nothing in it; not even an empty list.
    #[error("the dump is empty: whatever should have written it failed")]
    Empty,
    /// It is YAML, or something else that is no JSON object.
    #[error("the dump is no JSON object")]
    NotJson,
    /// It ends in the middle.
    #[error("the dump ends in the middle, at line {line} column {column}")]
    Truncated {
        /// The last line, from 1.
        line: usize,
        /// The last column, from 1.
        column: usize,
    },
    /// It is JSON of another form.
    #[error("the dump is malformed")]
    Malformed(#[source] serde_json::Error),
    /// It cannot be read from its file.
    #[error("the dump cannot be read")]
    Read(#[source] io::Error),
}

impl DumpError {
    /// What would mend it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Read(_) => None,
            Self::Truncated { .. } => Some("write it again, and check that the disk is not full"),
            Self::Empty | Self::NotJson | Self::Malformed(_) => Some(
                "write it by `kubectl get pods,replicasets,replicationcontrollers,jobs,nodes -A -o json`",
            ),
        }
    }
}

/// What an object says that it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectKind {
    /// Group and version.
    pub api_version: Text,
    /// The kind.
    pub kind: Text,
}

/// What a reader of dumps makes of one object: fields go in as they come, an object comes out.
///
/// `apiVersion`, `kind` and `metadata` are read for it; lists are taken apart.
pub trait Gather: Default {
    /// What becomes of an object.
    type Object;

    /// Reads the value of a field, or passes over it by [`pass_over`]. `kind` is what the object
    /// is, where that was said before the field.
    ///
    /// # Errors
    /// Those of the value.
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        kind: Option<&ObjectKind>,
        map: &mut A,
    ) -> Result<(), A::Error>;

    /// The object is over.
    ///
    /// # Errors
    /// When a field was none of its kind after all.
    fn finish<E: serde::de::Error>(
        self,
        kind: &ObjectKind,
        metadata: Metadata,
    ) -> Result<Self::Object, E>;
}

/// Passes over the value of a field.
///
/// # Errors
/// When it is no JSON.
pub fn pass_over<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

/// Reads a dump and hands each object that pods are made of to `sink` as soon as it is read.
///
/// # Errors
/// [`DumpError`]; what was handed over before is not to be trusted then.
pub fn read_dump<R: BufRead>(reader: R, sink: impl FnMut(Object)) -> Result<(), DumpError> {
    gather_dump::<objects::Parts>(reader, sink)
}

/// Reads a dump and hands what `G` makes of each object to `sink` as soon as it is read.
///
/// # Errors
/// [`DumpError`]; what was handed over before is not to be trusted then.
pub fn gather_dump<G: Gather>(
    mut reader: impl BufRead,
    mut sink: impl FnMut(G::Object),
) -> Result<(), DumpError> {
    let beginning = reader.fill_buf().map_err(DumpError::Read)?;
    if beginning.is_empty() {
        return Err(DumpError::Empty);
    }
    match beginning.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') | None => {}
        Some(_) => return Err(DumpError::NotJson),
    }
    let mut json = serde_json::Deserializer::from_reader(reader);
    let mut documents = 0_u64;
    // `end` looks one character ahead and leaves it there.
    while documents == 0 || json.end().is_err() {
        let seed = ObjectSeed::<G, _> { sink: &mut sink, inherited: None, gather: PhantomData };
        seed.deserialize(&mut json).map_err(why)?;
        documents += 1;
    }
    Ok(())
}

fn why(error: serde_json::Error) -> DumpError {
    use serde_json::error::Category;
    match error.classify() {
        Category::Io => DumpError::Read(error.into()),
        Category::Eof => DumpError::Truncated { line: error.line(), column: error.column() },
        Category::Syntax | Category::Data => DumpError::Malformed(error),
    }
}

/// Reads one object, or a list of objects.
struct ObjectSeed<'a, G, F> {
    sink: &'a mut F,
    /// What the list around it says about its items.
    inherited: Option<&'a ObjectKind>,
    gather: PhantomData<G>,
}

/// Reads the `items` of a list.
struct ItemsSeed<'a, G, F> {
    sink: &'a mut F,
    inherited: Option<&'a ObjectKind>,
    gather: PhantomData<G>,
}

enum Key {
    ApiVersion,
    Kind,
    Metadata,
    Items,
    Message,
    Other(Text),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = Text::deserialize(from)?;
        Ok(match &*name {
            "apiVersion" => Self::ApiVersion,
            "kind" => Self::Kind,
            "metadata" => Self::Metadata,
            "items" => Self::Items,
            "message" => Self::Message,
            _ => Self::Other(name),
        })
    }
}

/// What is known of an object, or of a list, while it is read.
struct Frame<'a> {
    own: ObjectKind,
    inherited: Option<&'a ObjectKind>,
    metadata: Metadata,
    message: Text,
    is_list: bool,
}

impl<'a> Frame<'a> {
    fn new(inherited: Option<&'a ObjectKind>) -> Self {
        Self {
            own: ObjectKind::default(),
            inherited,
            metadata: Metadata::default(),
            message: Text::default(),
            is_list: false,
        }
    }

    fn kind(&self) -> Option<&ObjectKind> {
        let ObjectKind { api_version, kind } = &self.own;
        let said = api_version.given().is_some() && kind.given().is_some();
        if said { Some(&self.own) } else { self.inherited }
    }

    /// Of what the items of this list are, where its own kind tells.
    fn kind_of_items(&self) -> Option<ObjectKind> {
        let kind = self.own.kind.strip_suffix("List").filter(|kind| !kind.is_empty())?;
        let api_version = self.own.api_version.given()?;
        Some(ObjectKind { api_version: api_version.into(), kind: kind.into() })
    }

    fn may_be_list(&self) -> bool {
        self.inherited.is_none() && self.own.kind.given().is_none_or(|kind| kind.ends_with("List"))
    }

    /// Whether this is the API server's word for an error.
    fn is_refusal(&self) -> bool {
        self.kind().is_some_and(|kind| &*kind.api_version == "v1" && &*kind.kind == "Status")
    }

    /// One page of a list is not the list.
    fn check_whole<E: serde::de::Error>(&self) -> Result<(), E> {
        let remaining = self.metadata.remaining_item_count.unwrap_or(0);
        if self.metadata.next_page.is_empty() && remaining == 0 {
            return Ok(());
        }
        Err(E::custom("it holds one page of a list, and more objects follow on others"))
    }

    fn finish<G: Gather, E: serde::de::Error>(self, gathered: G) -> Result<G::Object, E> {
        if self.is_refusal() {
            let message = shown(&self.message);
            return Err(E::custom(format!("it holds a refusal of the API server: {message}")));
        }
        let kind = self.kind().cloned().ok_or_else(|| {
            E::custom(
                "an object without `apiVersion` and `kind`: no Kubernetes object is like that",
            )
        })?;
        gathered.finish(&kind, self.metadata)
    }
}

impl<'de, G: Gather, F: FnMut(G::Object)> DeserializeSeed<'de> for ObjectSeed<'_, G, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de, G: Gather, F: FnMut(G::Object)> Visitor<'de> for ObjectSeed<'_, G, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Kubernetes object or a list of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut frame = Frame::new(self.inherited);
        let mut gathered = G::default();
        while let Some(key) = map.next_key()? {
            match key {
                Key::ApiVersion => frame.own.api_version = map.next_value()?,
                Key::Kind => frame.own.kind = map.next_value()?,
                Key::Metadata => frame.metadata = null_or_default(&mut map)?,
                Key::Message if frame.is_refusal() => frame.message = map.next_value()?,
                Key::Items if frame.may_be_list() => {
                    let inherited = frame.kind_of_items();
                    let gather = PhantomData::<G>;
                    let inherited = inherited.as_ref();
                    map.next_value_seed(ItemsSeed { sink: &mut *self.sink, inherited, gather })?;
                    frame.is_list = true;
                }
                Key::Items | Key::Message => pass_over(&mut map)?,
                Key::Other(name) => gathered.field(&name, frame.kind(), &mut map)?,
            }
        }
        if frame.is_list {
            return frame.check_whole();
        }
        if self.inherited.is_none() && frame.own.kind.ends_with("List") {
            return Err(A::Error::custom("it has a list without `items`"));
        }
        (self.sink)(frame.finish(gathered)?);
        Ok(())
    }
}

fn null_or_default<'de, A: MapAccess<'de>, T: Deserialize<'de> + Default>(
    map: &mut A,
) -> Result<T, A::Error> {
    map.next_value::<Option<T>>().map(Option::unwrap_or_default)
}

impl<'de, G: Gather, F: FnMut(G::Object)> DeserializeSeed<'de> for ItemsSeed<'_, G, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de, G: Gather, F: FnMut(G::Object)> Visitor<'de> for ItemsSeed<'_, G, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the items of a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        loop {
            let (sink, inherited) = (&mut *self.sink, self.inherited);
            let seed = ObjectSeed::<G, _> { sink, inherited, gather: PhantomData };
            if items.next_element_seed(seed)?.is_none() {
                return Ok(());
            }
        }
    }
}
