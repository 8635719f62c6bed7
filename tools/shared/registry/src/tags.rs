//! The tags of a repository, kept small: a hundred thousand of them take little more than a
//! megabyte, and none has an allocation of its own.

use std::fmt;

use records::Digest;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::reference::is_tag;

/// A list of tags that was read to its end, in the order in which they are listed.
///
/// Texts that are no tags (OCI distribution specification, "Pulling manifests") are counted and
/// not kept: nobody can ask for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags {
    /// The tags, each on a line.
    lines: String,
    /// How many texts were listed.
    count: usize,
    /// Digest and tag, a pair on a line; nothing where one page did not say what its tags mean.
    pairs: Option<String>,
    /// How many pages were read.
    pages: usize,
}

impl Tags {
    /// The tags.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.lines.lines()
    }

    /// How many texts were listed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nothing was listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The tags that stand for this digest, where the list itself says what its tags stand for:
    /// Google's registries add that to the answer (`manifest`). Nothing where it does not.
    #[must_use]
    pub fn of_digest(&self, digest: &Digest) -> Option<Vec<&str>> {
        let pairs = self.pairs.as_ref()?.lines().filter_map(|line| line.split_once(' '));
        Some(pairs.filter(|(of, _)| *of == digest.as_str()).map(|(_, tag)| tag).collect())
    }

    /// How much memory it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.lines.capacity() + self.pairs.as_ref().map_or(0, String::capacity)
    }

    /// Takes in one page of `/tags/list`.
    pub(crate) fn read_page(&mut self, page: &[u8]) -> Result<(), serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_slice(page);
        let says_digests = Page(self).deserialize(&mut reader)?;
        reader.end()?;
        if !says_digests {
            self.pairs = None;
        }
        self.pages += 1;
        Ok(())
    }

    /// What is not needed while it is kept goes.
    pub(crate) fn shrink(&mut self) {
        self.lines.shrink_to_fit();
        if let Some(pairs) = &mut self.pairs {
            pairs.shrink_to_fit();
        }
    }

    fn push(&mut self, text: &str) {
        self.count += 1;
        if is_tag(text) {
            self.lines.push_str(text);
            self.lines.push('\n');
        }
    }

    fn pair(&mut self, digest: &Digest, tag: &str) {
        if let Some(pairs) = &mut self.pairs
            && is_tag(tag)
        {
            pairs.extend([digest.as_str(), " ", tag, "\n"]);
        }
    }
}

impl<'t> FromIterator<&'t str> for Tags {
    fn from_iter<I: IntoIterator<Item = &'t str>>(texts: I) -> Self {
        let mut tags = Self::default();
        texts.into_iter().for_each(|text| tags.push(text));
        tags
    }
}

/// A page, of which nothing is kept but what goes into the list; tells whether it says what its
/// tags stand for.
struct Page<'t>(&'t mut Tags);

impl<'de> DeserializeSeed<'de> for Page<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Page<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of tags")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let (mut tags, mut digests) = (false, false);
        if self.0.pages == 0 {
            self.0.pairs = Some(String::new());
        }
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "tags" => {
                    map.next_value_seed(Texts(self.0, None))?;
                    tags = true;
                }
                "manifest" => digests |= map.next_value_seed(Manifests(self.0))?,
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        // A repository without tags has null in some registries; a page without the word is none.
        if tags { Ok(digests) } else { Err(A::Error::missing_field("tags")) }
    }
}

/// A list of tags, or null: all of them, or those of a digest.
struct Texts<'t>(&'t mut Tags, Option<&'t Digest>);

impl<'de> DeserializeSeed<'de> for Texts<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Texts<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of tags, or null")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self(tags, of) = self;
        while seq.next_element_seed(Text(&mut *tags, of))?.is_some() {}
        Ok(())
    }
}

/// One text of such a list.
struct Text<'t>(&'t mut Tags, Option<&'t Digest>);

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Text<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tag")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        match self.1 {
            None => self.0.push(text),
            Some(digest) => self.0.pair(digest, text),
        }
        Ok(())
    }
}

/// What Google's registries add: an object of manifests by digest, each with its tags. Tells
/// whether it is one; whatever else stands there is another registry's own affair.
struct Manifests<'t>(&'t mut Tags);

impl<'de> DeserializeSeed<'de> for Manifests<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Manifests<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("manifests by digest")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while let Some(digest) = map.next_key::<String>()? {
            match digest.parse::<Digest>() {
                Ok(digest) => map.next_value_seed(OneManifest(&mut *self.0, &digest))?,
                Err(_) => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(true)
    }
}

struct OneManifest<'t>(&'t mut Tags, &'t Digest);

impl<'de> DeserializeSeed<'de> for OneManifest<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneManifest<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a manifest with its tags")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(tags, digest) = self;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "tag" => map.next_value_seed(Texts(&mut *tags, Some(digest)))?,
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pages: &[&str]) -> Result<Tags, serde_json::Error> {
        let mut tags = Tags::default();
        for page in pages {
            tags.read_page(page.as_bytes())?;
        }
        Ok(tags)
    }

    fn digest(letter: &str) -> Digest {
        format!("sha256:{}", letter.repeat(64)).parse().expect("a digest")
    }

    #[test]
    fn pages_are_one_list_in_the_order_of_the_registry() {
        let tags = read(&[r#"{"name":"a","tags":["b","a"]}"#, r#"{"tags":["c"],"x":[{}]}"#])
            .expect("a list");
        assert_eq!(tags.iter().collect::<Vec<_>>(), ["b", "a", "c"]);
        assert_eq!((tags.len(), tags.is_empty()), (3, false));
        assert_eq!(
            read(&[r#"{"tags":null}"#]).expect("a list"),
            read(&[r#"{"tags":[]}"#]).unwrap()
        );
        for bad in ["", "[]", "{}", r#"{"tags":[1]}"#, r#"{"tags":[null]}"#, r#"{"tags":{}}"#] {
            assert!(read(&[bad]).is_err(), "{bad}");
        }
        assert!(read(&[r#"{"tags":["a"]} x"#]).is_err());
    }

    #[test]
    fn what_is_no_tag_is_counted_and_not_kept() {
        let long = "x".repeat(129);
        let texts = ["1.0", "", "a b", "é", "a\nb", &long, "1.1"];
        let tags: Tags = texts.into_iter().collect();
        assert_eq!((tags.iter().collect::<Vec<_>>(), tags.len()), (vec!["1.0", "1.1"], 7));
        assert!(tags.size() < 200, "{}", tags.size());
    }

    #[test]
    fn a_list_may_say_what_its_tags_stand_for() {
        let page = |letter: &str, tags: &str| {
            let digest = digest(letter);
            format!(
                r#"{{"child":[],"manifest":{{"{digest}":{{"imageSizeBytes":"1","tag":{tags}}},"x":1}},"name":"a","tags":{tags}}}"#
            )
        };
        let (one, two) = (page("a", r#"["1","1.0"]"#), page("b", "[]"));
        let tags = read(&[&one, &two]).expect("a list");
        assert_eq!(tags.of_digest(&digest("a")), Some(vec!["1", "1.0"]));
        assert_eq!(tags.of_digest(&digest("b")), Some(vec![]));
        for silent in [r#"{"tags":["2"]}"#, r#"{"tags":["2"],"manifest":null}"#] {
            let tags = read(&[&one, silent]).expect("a list");
            assert_eq!(tags.of_digest(&digest("a")), None, "one page says nothing");
            let tags = read(&[silent, &one]).expect("a list");
            assert_eq!(tags.of_digest(&digest("a")), None, "one page says nothing");
        }
    }
}
