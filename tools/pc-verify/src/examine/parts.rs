//! Long lists that evidence has, in parts that fit into records: packages and materials.

use std::io::Read;

use records::text::{MAX_LIST, cut};
use records::{MaterialsEntry, PackagesEntry};

use crate::judged::Content;
use crate::material::Material;
use crate::provenance::{self, ProvenanceError};
use crate::sbom::{self, ReadDocument};
use crate::statement::{Kind, Statement};

/// How large the list of one record may be, in bytes of its texts; escaped they are twice as long
/// at most but for control characters.
const PART_BYTES: usize = 256 * 1024;

/// A list in parts.
struct Parts<T> {
    parts: Vec<Vec<T>>,
    /// What is left in the last one.
    room: usize,
}

impl<T> Parts<T> {
    fn new() -> Self {
        Self { parts: Vec::new(), room: 0 }
    }

    /// Adds an entry whose texts have so many bytes.
    fn add(&mut self, entry: T, texts: usize) {
        let size = 64 + texts;
        self.room = match (self.parts.last_mut(), size <= self.room) {
            (Some(part), true) => {
                part.push(entry);
                self.room - size
            }
            _ => {
                self.parts.push(vec![entry]);
                PART_BYTES.saturating_sub(size)
            }
        };
    }
}

/// Adds a package.
fn take(parts: &mut Parts<PackagesEntry>, entry: PackagesEntry) {
    let texts = [&entry.version, &entry.purl, &entry.license].into_iter().flatten();
    let size = entry.name.len() + texts.map(String::len).sum::<usize>();
    parts.add(entry, size);
}

/// The packages of a bill of materials. Nothing of what cannot be read to its end: half a list
/// would be taken for the whole.
pub(super) fn packages(content: &Content, material: &Material) -> Vec<Vec<PackagesEntry>> {
    let mut parts = Parts::new();
    let add = |entry| take(&mut parts, entry);
    let read = match (content, material) {
        (Content::Statement(statement), _) if statement.kind() == Kind::Sbom => {
            sbom::packages_in_predicate(statement, add).is_ok()
        }
        (Content::Sbom(_), Material::Sbom { bytes, .. }) => sbom::packages(&bytes[..], add).is_ok(),
        (Content::Sbom(Some(_)), Material::Document { read, .. }) => return read.packages.clone(),
        _ => false,
    };
    if read { parts.parts } else { Vec::new() }
}

/// Reads a document to its end, with its packages where they are wanted; its digest may be known.
pub(crate) fn read_document(
    reader: impl Read,
    keeps_packages: bool,
    known: Option<[u8; 32]>,
) -> ReadDocument {
    if !keeps_packages {
        return ReadDocument::read(reader, None, known);
    }
    let mut parts = Parts::new();
    let read = ReadDocument::read(reader, Some(&mut |entry| take(&mut parts, entry)), known);
    ReadDocument { packages: parts.parts, ..read }
}

/// The materials that provenance lists. Nothing of what cannot be read to its end.
pub(super) fn materials(content: &Content) -> Vec<Vec<MaterialsEntry>> {
    match content {
        Content::Statement(statement) if statement.kind() == Kind::Provenance => {
            all_materials(statement).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn all_materials(statement: &Statement) -> Result<Vec<Vec<MaterialsEntry>>, ProvenanceError> {
    let short = |text: String| cut(&text).into_owned();
    let mut parts = Parts::new();
    for material in provenance::materials(statement)? {
        let provenance::Material { name, uri, digests } = material?;
        let digests = digests.into_iter().take(MAX_LIST);
        let entry = MaterialsEntry {
            name: name.map(short),
            uri: uri.map(short),
            digests: digests.map(|(algorithm, hex)| (short(algorithm), short(hex))).collect(),
        };
        let texts = entry.digests.iter().flat_map(|(algorithm, hex)| [algorithm, hex]);
        let texts = texts.chain(&entry.name).chain(&entry.uri);
        let size = texts.map(String::len).sum();
        parts.add(entry, size);
    }
    Ok(parts.parts)
}
