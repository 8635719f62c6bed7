//! Attacks on what reads evidence, and on the judge; see `testkit::fuzz`.

mod evidence;

use bytes::Bytes;
use records::{Digest, FindVerdict};

use crate::judged::{Content, Judged};
use crate::material::Material;
use crate::provenance::{self, Build, Table, git};
use crate::sbom;
use crate::statement::Statement;
use evidence::Genuine;

pub use crate::trust::fuzz::{exceptions, keys, policies};

/// An in-toto statement, and what its predicate says.
pub fn statement(bytes: &[u8]) {
    let Ok(statement) = Statement::parse(bytes) else { return };
    let kind = statement.kind();
    let named = statement.subjects.iter().flat_map(|subject| &subject.digests);
    for (algorithm, hex) in named {
        if let Ok(digest) = format!("{algorithm}:{hex}").parse::<Digest>() {
            assert!(statement.names(&digest));
        }
    }
    assert!(!statement.names(&nobody()), "it names what nobody named");
    provenance_of(&statement);
    let _ = provenance::materials(&statement);
    let whole = sbom::read_predicate(&statement);
    let mut count = 0;
    let listed = sbom::packages_in_predicate(&statement, |_| count += 1);
    same_facts(whole, listed, count);
    assert_eq!(kind, crate::statement::Kind::of(&statement.predicate_type));
}

fn provenance_of(statement: &Statement) {
    let Ok(build) = Build::read(statement) else { return };
    let earned = Table::built_in().level(&build, None);
    assert!(earned.level.as_u8() <= 1, "unsigned provenance earns level {:?}", earned.level);
}

/// The address of a repository, or a commit, as provenance has them: what was made of it stays.
pub fn source(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(repository) = git::repository(text) {
        let again = git::repository(&repository);
        // Of several `.git` at the end one is taken off each time.
        assert_eq!(again.as_deref().map(bare), Some(bare(&repository)), "{text:?}");
    }
    if let Some(commit) = git::commit(text) {
        assert!(commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{commit:?}");
    }
}

fn bare(repository: &str) -> &str {
    match repository.strip_suffix(".git").or_else(|| repository.strip_suffix('/')) {
        Some(shorter) => bare(shorter),
        None => repository,
    }
}

/// A bill of materials: the same is read of it whether or not somebody wants the packages, however
/// its bytes come.
pub fn bill(bytes: &[u8]) {
    let whole = sbom::read(bytes);
    let mut count = 0;
    let listed = sbom::packages(Slowly(bytes), |_| count += 1);
    same_facts(whole, listed, count);
    assert!(count <= bytes.len() as u64);
}

fn same_facts(
    whole: Result<sbom::Facts, sbom::SbomError>,
    listed: Result<sbom::Facts, sbom::SbomError>,
    count: u64,
) {
    match (whole, listed) {
        (Ok(whole), Ok(listed)) => {
            assert_eq!(whole, listed);
            assert_eq!(whole.packages, count, "packages counted, and packages handed over");
        }
        // Who wants the packages reads more fields, so may find more that is wrong.
        (_, Err(_)) => {}
        (Err(error), Ok(_)) => unreachable!("read with its packages, refused without: {error}"),
    }
}

/// Five bytes at a time.
struct Slowly<'a>(&'a [u8]);

impl std::io::Read for Slowly<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = out.len().min(5).min(self.0.len());
        let (now, rest) = self.0.split_at(count);
        out[..count].copy_from_slice(now);
        self.0 = rest;
        Ok(count)
    }
}

/// The table of builders.
pub fn builders(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(table) = Table::parse(text, "builders.yaml") else { return };
    let count = table.rules().len();
    let all = table.before_built_in();
    assert_eq!(all.rules().len(), count + Table::built_in().rules().len());
}

/// A Sigstore bundle.
pub fn bundle(bytes: &[u8]) {
    judged(&Material::Bundle { bytes: Bytes::copy_from_slice(bytes) });
}

/// A layer of a `.sig` or `.att` image, as [`evidence::Layer`] writes it.
pub fn layer(bytes: &[u8]) {
    let Some(layer) = evidence::Layer::read(bytes) else { return };
    judged(&layer.material());
}

/// Evidence that nobody signed, or that is named and not judged: whatever it is, it is never
/// valid.
pub fn unsigned(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    let sbom = |media_type: &str| Material::Sbom {
        media_type: media_type.to_owned(),
        bytes: bytes.clone(),
    };
    let notation = |media_type: &str| Material::Notation {
        media_type: media_type.to_owned(),
        bytes: bytes.clone(),
    };
    let all = [
        Material::Statement { bytes: bytes.clone() },
        sbom("application/spdx+json"),
        sbom("text/plain"),
        notation("application/jose+json"),
        notation("application/cose"),
    ];
    for material in all {
        let judged = Genuine::get().judge.judge(&material, &nobody(), &[]);
        assert_ne!(judged.verdict, FindVerdict::Valid);
        assert!(judged.signer.is_none() && judged.signed_by.is_none());
    }
}

/// A digest that nothing was ever signed for.
fn nobody() -> Digest {
    format!("sha256:{}", "5a".repeat(32)).parse().expect("a digest")
}

/// Judges against roots and keys whose private halves were thrown away. So what is valid is a
/// signature that was there before, over the bytes that were there before, for the digests that it
/// was made for, by the one who made it and at a time that was proven; all else that a mutant has
/// is not covered by any signature.
fn judged(material: &Material) {
    let genuine = Genuine::get();
    let elsewhere = genuine.judge.judge(material, &nobody(), &[]);
    assert_ne!(elsewhere.verdict, FindVerdict::Valid, "valid for a digest that nobody signed");
    told_whole(&elsewhere);
    let judged = genuine.judge.judge(material, &genuine.digests[0], &genuine.digests);
    told_whole(&judged);
    if judged.verdict == FindVerdict::Valid {
        assert!(genuine.has(&judged), "valid, and not as it was made: {judged:?}");
    }
}

/// What every judgement has, whatever it is.
fn told_whole(judged: &Judged) {
    let is_valid = judged.verdict == FindVerdict::Valid;
    assert_eq!(is_valid, judged.reason.is_none());
    assert_eq!(is_valid, judged.signed_by.is_some());
    assert!(is_valid || (judged.time.is_none() && judged.log.is_none()));
    assert!(!is_valid || !matches!(judged.content, Content::Unreadable));
    assert!(judged.id.starts_with("sha256:") && judged.id.len() == 71);
    let detail = judged.detail.as_deref().unwrap_or_default();
    assert!(!detail.chars().any(char::is_control), "{detail:?}");
}

#[cfg(test)]
mod tests;
