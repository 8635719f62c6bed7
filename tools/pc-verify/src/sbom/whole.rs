//! A bill of materials that was read to its end, and its digest.

use std::io::{self, Read};

use records::PackagesEntry;
use sha2::{Digest as _, Sha256};

use super::{Facts, SbomError, open};

/// What a document is, and which document it is. Nothing of its bytes is kept.
#[derive(Debug)]
pub struct ReadDocument {
    /// What it says.
    pub facts: Result<Facts, SbomError>,
    /// The SHA-256 of all of its bytes.
    pub sha256: [u8; 32],
    /// Its first byte that is no white space.
    pub first: Option<u8>,
    /// The packages, in parts, where they were wanted. They count where `facts` are there.
    pub packages: Vec<Vec<PackagesEntry>>,
}

impl ReadDocument {
    /// Reads a document to the end of its bytes, whatever is wrong with it; `each` is handed every
    /// package, where there is somebody who wants them. Its digest is not taken where somebody else
    /// checks that it is `known`.
    pub fn read(
        reader: impl Read,
        each: Option<&mut dyn FnMut(PackagesEntry)>,
        known: Option<[u8; 32]>,
    ) -> Self {
        let hash = known.is_none().then(Sha256::new);
        let mut hashed = Hashed { inner: reader, hash, first: None };
        let mut facts = open::read(&mut hashed, each);
        // What comes behind a fault belongs to the digest all the same.
        if let Err(error) = io::copy(&mut hashed, &mut io::sink()) {
            facts = facts.and(Err(SbomError::Read(error)));
        }
        let Hashed { hash, first, .. } = hashed;
        let found = hash.map(|hash| hash.finalize().into());
        let sha256 = known.or(found).unwrap_or_default();
        Self { facts, sha256, first, packages: Vec::new() }
    }

    /// Whether it may be a document of a format that is not read here: JSON or XML.
    pub(crate) fn may_be_another(&self) -> bool {
        matches!(self.first, Some(b'{' | b'<'))
    }
}

/// Takes the digest of what is read.
struct Hashed<R> {
    inner: R,
    hash: Option<Sha256>,
    first: Option<u8>,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..read]);
        }
        if self.first.is_none() {
            self.first = buffer[..read].iter().copied().find(|byte| !byte.is_ascii_whitespace());
        }
        Ok(read)
    }
}
