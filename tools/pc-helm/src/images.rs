//! The images that a manifest names.
//!
//! Every string field called `image`, wherever it stands: in the containers of pods and of the
//! templates of workloads, and in custom resources whose operator will run it. So are image
//! volumes (`image: {reference: …}`). Not looked at: what is data or a schema (ConfigMaps, Secrets,
//! CustomResourceDefinitions), `metadata`, and block devices of Ceph, whose names are images too.

use std::collections::BTreeSet;
use std::fmt;

use cluster::types::Text;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Budget, DuplicateKeyPolicy, Options};

/// What manifests name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    /// The images, sorted.
    pub(crate) images: BTreeSet<Text>,
    /// How many documents are no YAML that can be read, or too long.
    pub(crate) unread: u64,
}

/// Kinds whose fields are data, or describe fields.
const NOT_LOOKED_AT: [&str; 3] = ["ConfigMap", "Secret", "CustomResourceDefinition"];

/// Fields that hold no image wherever they stand, or are long and hold none.
const SKIPPED: [&str; 6] = ["metadata", "data", "stringData", "rbd", "env", "openAPIV3Schema"];

/// How much of a release's manifest is looked at, and of its hooks, in bytes. Ordinary ones have
/// less than one MiB; a MiB of hostile YAML takes a third of a second.
pub(crate) const LOOKED_AT: usize = 8 * 1024 * 1024;

/// How deep documents go that are read.
const DEEPEST: usize = 128;

/// The stack for documents of that depth, in bytes: without optimisation a level takes 30 KiB, and
/// threads have 2 MiB. Only what is used is ever in memory.
const STACK: usize = 16 * 1024 * 1024;

/// The images of a manifest, of those documents that fit into what is `left` of [`LOOKED_AT`].
pub(crate) fn named(manifest: &str, left: &mut usize) -> Named {
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().stack_size(STACK);
        let reader = reader.spawn_scoped(scope, || read(manifest, left)).ok();
        let named = reader.and_then(|reader| reader.join().ok());
        // Where the system has no thread to give, nothing was read.
        named.unwrap_or_else(|| Named {
            unread: documents(manifest).count() as u64,
            ..Named::default()
        })
    })
}

/// Reads document by document, so that one is in memory at a time.
fn read(manifest: &str, left: &mut usize) -> Named {
    let mut named = Named::default();
    for document in documents(manifest) {
        let Some(rest) = left.checked_sub(document.len()) else {
            named.unread += 1;
            continue;
        };
        *left = rest;
        match serde_saphyr::from_str_with_options::<Node>(document, options(document.len())) {
            Ok(node) => named.images.extend(node.images),
            Err(_) => named.unread += 1,
        }
    }
    named
}

/// The documents that say anything. A line that begins with `---` ends one (YAML 1.2, 9.1.2); no
/// text inside a document can.
fn documents(manifest: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(manifest);
    let split = std::iter::from_fn(move || {
        let text = rest?;
        let mut from = 0;
        loop {
            let line_end = text[from..].find('\n').map_or(text.len(), |at| from + at + 1);
            let line = &text[from..line_end];
            if from > 0 && is_marker(line) {
                let (document, behind) = text.split_at(from);
                rest = Some(behind);
                return Some(document);
            }
            if line_end == text.len() {
                rest = None;
                return Some(text);
            }
            from = line_end;
        }
    });
    split.filter(|document| document.lines().any(says_anything))
}

fn is_marker(line: &str) -> bool {
    line.strip_prefix("---")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

fn says_anything(line: &str) -> bool {
    let text = line.trim();
    !text.is_empty() && !text.starts_with('#') && text != "---" && text != "..."
}

/// As lenient as Helm's own reader, in bounds that grow with the text: nothing it can refer to
/// makes a document larger than it is.
fn options(length: usize) -> Options {
    let mut budget = Budget::default();
    budget.max_depth = DEEPEST;
    budget.max_events = 2 * length + 1000;
    budget.max_nodes = length + 1000;
    serde_saphyr::options! {
        budget: Some(budget),
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        with_snippet: false
    }
}

/// A node of a document, as far as it matters above it.
#[derive(Debug, Default)]
struct Node {
    /// The text, where it is one.
    text: Option<Text>,
    /// `reference`, where it is a mapping with that.
    reference: Option<Text>,
    /// The images below it.
    images: Vec<Text>,
}

impl Node {
    /// Takes a field of this mapping.
    fn take(&mut self, key: &str, value: Self) {
        match key {
            "image" => self.images.extend(value.text.or(value.reference).filter(is_image)),
            "reference" => self.reference = value.text,
            _ => {}
        }
        self.images.extend(value.images);
    }
}

/// An image's name has no blanks in it, and is no address of a picture.
fn is_image(text: &Text) -> bool {
    text.given().is_some_and(|text| !text.contains("://") && !text.contains(char::is_whitespace))
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node { text: Some(Text::from(text)), ..Node::default() })
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Node, D::Error> {
        from.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut node = Node::default();
        while let Some(entry) = seq.next_element::<Node>()? {
            node.images.extend(entry.images);
        }
        Ok(node)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let (mut node, mut hidden) = (Node::default(), false);
        while let Some(key) = map.next_key::<Node>()? {
            let key = key.text.unwrap_or_default();
            if SKIPPED.contains(&&*key) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = map.next_value::<Node>()?;
            let kind = value.text.as_ref().filter(|_| &*key == "kind");
            hidden |= kind.is_some_and(|kind| NOT_LOOKED_AT.contains(&&**kind));
            node.take(&key, value);
        }
        if hidden {
            node.images.clear();
        }
        Ok(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(manifest: &str) -> (Vec<String>, u64) {
        let mut left = LOOKED_AT;
        let named = named(manifest, &mut left);
        (named.images.iter().map(ToString::to_string).collect(), named.unread)
    }

    fn images(manifest: &str) -> Vec<String> {
        let (images, unread) = of(manifest);
        assert_eq!(unread, 0, "{manifest}");
        images
    }

    #[test]
    fn containers_of_all_kinds_and_image_volumes() {
        let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  annotations: {image: not-me:1}\nspec:\n  template:\n    metadata:\n      labels: {image: nor-me}\n    spec:\n      initContainers:\n      - {name: i, image: busybox}\n      containers:\n      - name: web\n        image: \"ghcr.io/acme/web:1.4\"\n        env: [{name: IMAGE, value: x, image: y}]\n      - image: nginx:1.27\n      volumes:\n      - name: model\n        image:\n          reference: quay.io/acme/model:2\n          pullPolicy: Always\n      - name: disk\n        rbd: {image: block-device, monitors: [a]}\n";
        let cron = "kind: CronJob\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{image: 'redis:8'}]}}}}}\n";
        assert_eq!(
            images(&format!("---\n# Source: web.yaml\n{deployment}---\n{cron}")),
            ["busybox", "ghcr.io/acme/web:1.4", "nginx:1.27", "quay.io/acme/model:2", "redis:8"]
        );
    }

    #[test]
    fn custom_resources_count_and_data_and_schemas_do_not() {
        let manifest = "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nspec: {image: 'quay.io/prometheus/prometheus:v3', logo: {image: 'https://x/y.png'}, note: {image: two words}, size: {image: 5}, none: {image: }}\n---\nimage: before-the-kind:1\nkind: CustomResourceDefinition\nspec: {versions: [{image: no:1}]}\n---\nkind: ConfigMap\nimage: no:2\ndata: {x: 'image: no:3'}\n---\nkind: List\nitems:\n- {kind: Secret, image: no:4}\n- {kind: Pod, spec: {containers: [{image: yes:1}]}}\n";
        assert_eq!(images(manifest), ["quay.io/prometheus/prometheus:v3", "yes:1"]);
    }

    #[test]
    fn documents_are_split_where_yaml_splits_them() {
        let manifest = "\n--- # first\nimage: a:1\ntext: |\n  ---\n  image: no:1\n---\n\n# nothing\n---\n---\nimage: b:1\r\n---\r\nimage: c:1\n--- {image: 'd:1'}\n----\n";
        let (images, _) = of(manifest);
        assert_eq!(images, ["a:1", "b:1", "c:1"]);
        assert_eq!(of(""), (Vec::new(), 0));
        assert_eq!(of("---\n...\n"), (Vec::new(), 0));
    }

    #[test]
    fn a_document_that_is_none_hides_no_other() {
        let (images, unread) = of("image: a:1\n---\n\"x: [\n---\nimage: b:1\nimage: c:1\n");
        assert_eq!((images.len(), unread), (3, 1));
        let deep = format!("a: {}{}\n---\nimage: d:1\n", "[".repeat(5000), "]".repeat(5000));
        assert_eq!(of(&deep), (vec!["d:1".into()], 1));
    }

    #[test]
    fn deep_documents_are_read_on_any_stack() {
        let nested = |depth: usize| -> String {
            let lines = (0..depth).map(|level| format!("{}a:\n", " ".repeat(level)));
            format!("{}{}image: e:1\n", lines.collect::<String>(), " ".repeat(depth))
        };
        let all = [nested(DEEPEST - 2), nested(DEEPEST + 2)].join("---\n");
        let small = std::thread::Builder::new().stack_size(256 * 1024);
        let found = small.spawn(move || of(&all)).expect("a thread").join().expect("an answer");
        assert_eq!(found, (vec!["e:1".into()], 1));
    }

    #[test]
    fn aliases_cannot_make_more_than_there_is() {
        let mut bomb = String::from("a0: &a0 [{image: 'x:1'}, {image: 'y:1'}]\n");
        for n in 1..30 {
            bomb.push_str(&format!("a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1));
        }
        assert_eq!(of(&bomb).1, 1);
        assert_eq!(images("x: &x {image: 'a:1'}\ny: *x\nz:\n  <<: *x\n  b: 1\n"), ["a:1"]);
    }

    #[test]
    fn what_is_too_long_is_counted_and_the_rest_is_read() {
        let long = format!("image: long:1\nnote: {}\n", "x".repeat(90));
        let text = format!("image: a:1\n---\n{long}---\nimage: b:1\n");
        let mut left = 40;
        let found = named(&text, &mut left);
        let images: Vec<&str> = found.images.iter().map(|image| &**image).collect();
        assert_eq!((images, found.unread), (vec!["a:1", "b:1"], 1));
        assert_eq!(named("image: c:1\nkind: Another\n", &mut left).unread, 1, "of all together");
    }
}
