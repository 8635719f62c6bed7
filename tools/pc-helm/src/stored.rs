//! An object that holds a release, as it comes from the API server or stands in a dump.

use std::fmt;

use cluster::types::or_default;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::contents::Contents;
use crate::decode::{self, Unreadable};
use crate::object::Driver;

/// The longest text that is taken, in bytes. Etcd takes 1.5 MiB in an object, and no more than
/// 3 MiB where somebody raised that.
const LONGEST: usize = 4 * 1024 * 1024;

/// A Secret or ConfigMap, of which only what holds the release is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Stored {
    #[serde(deserialize_with = "or_default")]
    pub(crate) data: Data,
}

/// `data` of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Data {
    #[serde(deserialize_with = "or_default")]
    release: Packed,
}

/// A release as it is stored. It may hold secrets, and is never shown.
#[derive(Default)]
enum Packed {
    #[default]
    Missing,
    TooLong,
    Given(String),
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "Missing",
            Self::TooLong => "TooLong",
            Self::Given(_) => "Given(…)",
        })
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(PackedVisitor)
    }
}

struct PackedVisitor;

impl Visitor<'_> for PackedVisitor {
    type Value = Packed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Packed, E> {
        Ok(if text.len() > LONGEST { Packed::TooLong } else { Packed::Given(text.to_owned()) })
    }
}

impl Data {
    /// Unpacks the release, which must be the one that the object's name says, up to `limit` bytes.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub(crate) fn unpack(
        &self,
        driver: Driver,
        release: &str,
        number: u64,
        limit: u64,
    ) -> Result<Box<Contents>, Unreadable> {
        let contents = match (&self.release, driver) {
            (Packed::Missing, _) => return Err(Unreadable::Missing),
            (Packed::TooLong, _) => return Err(Unreadable::TooLong(LONGEST)),
            (Packed::Given(text), Driver::Secret) => decode::from_secret(text, limit)?,
            (Packed::Given(text), Driver::ConfigMap) => {
                decode::from_base64(text.as_bytes(), limit)?
            }
        };
        if contents.name.is_empty() {
            return Err(Unreadable::Another("something that has no name"));
        }
        if &*contents.name != release {
            return Err(Unreadable::Another("another release"));
        }
        if contents.version != number {
            return Err(Unreadable::Another("another revision"));
        }
        Ok(Box::new(contents))
    }
}
