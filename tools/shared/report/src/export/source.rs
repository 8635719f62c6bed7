//! Which report an export was made of.

use std::io::{self, Write};

use records::Digest;
use sha2::{Digest as _, Sha256};

use crate::Report;

/// Which report an export was made of, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source<'a> {
    /// The name under which the report is kept; `None` where it is not kept yet.
    pub name: Option<&'a str>,
    /// The SHA-256 of the report's JSON, as it is kept.
    pub digest: Digest,
    /// The size of that, in bytes.
    pub size: u64,
    /// The version of the tool that writes the export.
    pub version: &'a str,
}

impl<'a> Source<'a> {
    /// The report whose JSON is `bytes`, kept under `name`.
    #[must_use]
    pub fn kept(name: Option<&'a str>, bytes: &[u8], version: &'a str) -> Self {
        let mut counted = Counted::default();
        counted.take(bytes);
        Self { name, digest: counted.digest(), size: counted.size, version }
    }

    /// A report that is not kept yet: the hash of the JSON that [`Report::write_to`] gives of it.
    ///
    /// # Errors
    /// When it cannot be put in JSON.
    pub fn fresh(report: &Report, version: &'a str) -> io::Result<Self> {
        let mut counted = Counted::default();
        report.write_to(&mut counted)?;
        Ok(Self { name: None, digest: counted.digest(), size: counted.size, version })
    }
}

/// Bytes that are hashed and counted, and forgotten.
#[derive(Default)]
struct Counted {
    hash: Sha256,
    size: u64,
}

impl Counted {
    fn take(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
    }

    fn digest(&self) -> Digest {
        let text = format!("sha256:{}", hex::encode(self.hash.clone().finalize()));
        text.parse().expect("64 hexadecimal digits behind `sha256:` are a digest")
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
