//! Statements as lines: JSON Lines of statements, or of whatever a signer makes of each.

use std::io::{self, Write};

use serde::Serialize;

use super::{Stated, Statement, scai, vsa};
use crate::Report;
use crate::export::Source;

/// A kind of statements of which a report makes many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`vsa`].
    Vsa,
    /// [`scai`].
    Scai,
}

/// Writes all statements of a kind, a line each. `seal` makes the line of a statement: the same
/// bytes, or a signed envelope of them.
///
/// What it gives says what has no statement and why, a sentence each.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(
    kind: Kind,
    report: &Report,
    source: &Source<'_>,
    seal: &dyn Fn(Vec<u8>) -> Vec<u8>,
    out: &mut dyn Write,
) -> io::Result<Vec<String>> {
    let stated = match kind {
        Kind::Vsa => vsa::each(report, |statement| line(statement, seal, out)),
        Kind::Scai => scai::each(report, source, |statement| line(statement, seal, out)),
    }?;
    out.flush()?;
    Ok(notes(kind, &stated))
}

fn line<P: Serialize>(
    statement: &Statement<P>,
    seal: &dyn Fn(Vec<u8>) -> Vec<u8>,
    out: &mut dyn Write,
) -> io::Result<()> {
    out.write_all(&seal(statement.to_json()?))?;
    out.write_all(b"\n")
}

fn notes(kind: Kind, stated: &Stated) -> Vec<String> {
    let (one, many, what) = match kind {
        Kind::Vsa => ("answer has", "answers have", "verification summary"),
        Kind::Scai => ("row is", "rows are", "part of any statement"),
    };
    let note = |(why, count): (&&str, &u64)| {
        let whose = if *count == 1 { one } else { many };
        let no = if kind == Kind::Vsa { "no" } else { "not" };
        format!("{count} {whose} {no} {what}: {why}")
    };
    stated.left_out.iter().map(note).collect()
}
