//! Attacks on what reads objects of a cluster; see `testkit::fuzz`.

use std::io::BufReader;

use crate::types::{Node, Pod, Templated};
use crate::{Object, read_dump};

/// A dump: what is read of it does not depend on how its bytes come, and there are never more
/// objects than bytes that could make one.
pub fn dump(bytes: &[u8]) {
    let (at_once, whole) = objects(bytes, bytes.len().max(1));
    let (by_few, parts) = objects(bytes, 7);
    assert_eq!(whole, parts, "the cut of the bytes changes the answer");
    assert_eq!(at_once, by_few);
    assert!(at_once.len() <= bytes.len() / 2);
}

fn objects(bytes: &[u8], buffer: usize) -> (Vec<String>, Result<(), String>) {
    let mut objects = Vec::new();
    let sink = |object: Object| objects.push(format!("{object:?}"));
    let read = read_dump(BufReader::with_capacity(buffer, bytes), sink);
    (objects, read.map_err(|error| error.to_string()))
}

/// An object as the API sends it.
pub fn object(bytes: &[u8]) {
    let _ = serde_json::from_slice::<Pod>(bytes);
    let _ = serde_json::from_slice::<Node>(bytes);
    let _ = serde_json::from_slice::<Templated>(bytes);
}

#[cfg(test)]
mod tests {
    use testkit::fuzz::{Target, attack};

    #[test]
    fn dumps_under_attack() {
        let words = &["items", "kind", "apiVersion", "List", "PodList", "v1", "metadata", "Status"];
        let target = Target::new(env!("CARGO_MANIFEST_DIR"), "dump", super::dump, words);
        attack(target, Vec::new());
    }

    #[test]
    fn objects_under_attack() {
        let words = &["spec", "status", "metadata", "containers", "imageID"];
        let target = Target::new(env!("CARGO_MANIFEST_DIR"), "object", super::object, words);
        attack(target, Vec::new());
    }
}
