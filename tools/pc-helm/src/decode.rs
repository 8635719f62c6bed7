//! Unpacking a stored release: base64, gzip, JSON.
//!
//! Helm stores `base64(gzip(JSON))` (`pkg/storage/driver/util.go`), and a Secret's data is base64
//! once more. Old records are not packed. Nothing of what is read is in an error's text: it may be
//! a password from somebody's values.

use std::fmt;
use std::io::{self, BufReader, Cursor, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::read::DecoderReader;
use flate2::read::MultiGzDecoder;

use crate::contents::Contents;

/// How large a release may be when unpacked, in bytes. Etcd takes 1.5 MiB packed, which is 10 to
/// 20 MiB of YAML.
pub(crate) const UNPACKED: u64 = 32 * 1024 * 1024;

/// What nearly all releases are smaller than when unpacked, in bytes: several such may be in memory
/// at a time.
pub(crate) const ORDINARY: u64 = 4 * 1024 * 1024;

/// The first bytes of what gzip packed (RFC 1952, 2.3.1), with its only method.
const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];

/// Why a stored release cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// The object has no `data.release`.
    #[error("it has no `release` in its data")]
    Missing,
    /// The text is longer than any that etcd takes.
    #[error("its `release` is longer than {0} bytes")]
    TooLong(usize),
    /// Not base64, or cut.
    #[error("its `release` is not base64")]
    Base64,
    /// Not gzip after all, cut, or of another checksum.
    #[error("its gzip stream is broken")]
    Gzip,
    /// More bytes than were to be unpacked.
    #[error("it is larger than {0} bytes when unpacked")]
    TooLarge(u64),
    /// The JSON is cut.
    #[error("its JSON ends too early (line {line} column {column})")]
    Truncated {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// The JSON is none, or has another form.
    #[error("it is no release as Helm stores them (line {line} column {column})")]
    Form {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// It is a release, and another than the object's name says.
    #[error("it holds {0}, which its name does not say")]
    Another(&'static str),
}

/// Reads what `data.release` of a Secret holds, base64 of its own included, up to `limit` bytes
/// of JSON.
///
/// # Errors
/// [`Unreadable`].
pub(crate) fn from_secret(text: &str, limit: u64) -> Result<Contents, Unreadable> {
    let inner = STANDARD.decode(text).map_err(|_| Unreadable::Base64)?;
    from_base64(&inner, limit)
}

/// Reads what `data.release` of a ConfigMap holds, up to `limit` bytes of JSON.
///
/// # Errors
/// [`Unreadable`].
pub(crate) fn from_base64(text: &[u8], limit: u64) -> Result<Contents, Unreadable> {
    let mut packed =
        Marked { inner: DecoderReader::new(Cursor::new(text), &STANDARD), mark: Mark::Base64 };
    let mut start = [0; GZIP.len()];
    let got = fill(&mut packed, &mut start).map_err(|error| unpacking(&error, limit))?;
    let whole = Cursor::new(start[..got].to_vec()).chain(packed);
    if start == GZIP {
        let unpacked =
            Marked { inner: MultiGzDecoder::new(BufReader::new(whole)), mark: Mark::Gzip };
        parse(unpacked, limit)
    } else {
        parse(whole, limit)
    }
}

/// Reads until `buffer` is full or the end is there.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match from.read(&mut buffer[got..])? {
            0 => break,
            more => got += more,
        }
    }
    Ok(got)
}

/// Unpacks all of it first: what the JSON seems to have wrong may be wrong further down, and the
/// checksum that tells is at the end.
fn parse(from: impl Read, limit: u64) -> Result<Contents, Unreadable> {
    // At once, since a buffer that grows leaves holes behind that the allocator keeps; pages that
    // are not written to cost nothing.
    let mut json = Vec::with_capacity(usize::try_from(limit).unwrap_or_default() + 1);
    let mut limited = Limited { inner: from, left: limit };
    limited.read_to_end(&mut json).map_err(|error| unpacking(&error, limit))?;
    serde_json::from_slice(&json).map_err(|error| malformed(&error))
}

fn malformed(error: &serde_json::Error) -> Unreadable {
    use serde_json::error::Category;
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Eof => Unreadable::Truncated { line, column },
        Category::Io | Category::Syntax | Category::Data => Unreadable::Form { line, column },
    }
}

/// Which layer failed; the innermost one knows.
fn unpacking(error: &io::Error, limit: u64) -> Unreadable {
    let mark = error.get_ref().and_then(|inner| inner.downcast_ref::<Mark>());
    match mark {
        Some(Mark::TooLarge) => Unreadable::TooLarge(limit),
        Some(Mark::Gzip) => Unreadable::Gzip,
        Some(Mark::Base64) | None => Unreadable::Base64,
    }
}

/// Which layer an error comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Base64,
    Gzip,
    TooLarge,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Mark {}

/// A layer whose errors say which one it is.
struct Marked<R> {
    inner: R,
    mark: Mark,
}

impl<R: Read> Read for Marked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.inner.read(out).map_err(|error| {
            let below = error.get_ref().is_some_and(|inner| inner.is::<Mark>());
            if below { error } else { io::Error::other(self.mark) }
        })
    }
}

/// So many bytes, and an error where more come.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(out)?;
        match self.left.checked_sub(got as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(Mark::TooLarge)),
        }
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const RELEASE: &str = r#"{"name":"web","info":{"first_deployed":"2026-10-01T08:00:00Z","last_deployed":"","deleted":"","description":"Upgrade complete","status":"deployed","notes":"hi"},
        "chart":{"metadata":{"name":"web","version":"1.4.0","appVersion":"1.4","deprecated":true},"lock":null,"templates":[{"name":"t","data":"eA=="}],"values":{"a":1},"schema":null,"files":null},
        "config":{"password":"hunter2"},"manifest":"---\nkind: Pod\nspec: {containers: [{image: 'a:1'}]}\n",
        "hooks":[{"manifest":"image: hook:1","events":["pre-upgrade","test"]},{"manifest":"image: test:1","events":["test"]},{"manifest":"image: old:1"}],"version":7,"namespace":"shop","apply_method":"ssa"}"#;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("packed");
        encoder.finish().expect("packed")
    }

    fn secret(inner: &[u8]) -> Result<Contents, Unreadable> {
        from_secret(&STANDARD.encode(STANDARD.encode(inner)), UNPACKED)
    }

    #[test]
    fn packed_and_not_in_secrets_and_config_maps() {
        let packed = gzip(RELEASE.as_bytes());
        let all = [
            secret(&packed),
            secret(RELEASE.as_bytes()),
            from_base64(STANDARD.encode(&packed).as_bytes(), UNPACKED),
            from_base64(STANDARD.encode(RELEASE).as_bytes(), UNPACKED),
        ];
        for contents in all {
            let contents = contents.expect("a release");
            let (images, unread) = contents.images();
            let images: Vec<&str> = images.into_iter().map(|image| &**image).collect();
            assert_eq!((images, unread), (vec!["a:1", "hook:1", "old:1"], 0));
            assert_eq!(
                (&*contents.name, contents.version, &*contents.namespace),
                ("web", 7, "shop")
            );
            let chart = contents.chart.metadata;
            assert_eq!(
                (&*chart.name, &*chart.version, &*chart.app_version),
                ("web", "1.4.0", "1.4")
            );
            assert!(chart.deprecated && contents.info.last_deployed.is_empty());
        }
    }

    #[test]
    fn each_layer_that_is_broken_is_named() {
        let packed = gzip(RELEASE.as_bytes());
        assert_eq!(from_secret("%", UNPACKED).err(), Some(Unreadable::Base64));
        assert_eq!(
            from_secret(&STANDARD.encode("no base64!"), UNPACKED).err(),
            Some(Unreadable::Base64)
        );
        assert_eq!(
            from_base64(b"", UNPACKED).err(),
            Some(Unreadable::Truncated { line: 1, column: 0 })
        );
        let cut = STANDARD.encode(&packed);
        assert_eq!(
            from_base64(&cut.as_bytes()[..cut.len() - 5], UNPACKED).err(),
            Some(Unreadable::Base64)
        );

        assert_eq!(secret(&packed[..packed.len() / 2]).err(), Some(Unreadable::Gzip));
        let mut damaged = packed;
        let crc = damaged.len() - 6;
        damaged[crc] ^= 1;
        assert_eq!(secret(&damaged).err(), Some(Unreadable::Gzip), "the checksum is looked at");
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0xff;
        assert_eq!(secret(&damaged).err(), Some(Unreadable::Gzip), "before what is in it");
        assert_eq!(
            secret(&[&GZIP[..], b"nonsense nonsense"].concat()).err(),
            Some(Unreadable::Gzip)
        );

        let half = &RELEASE.as_bytes()[..RELEASE.len() / 2];
        for cut in [secret(half), secret(&gzip(half))] {
            assert!(matches!(cut.err(), Some(Unreadable::Truncated { .. })));
        }
        for other in
            ["[5]", "\"x\"", "{\"version\":\"seven\"}", "{\"chart\":5}", "{} {}", "hunter2"]
        {
            let error = secret(&gzip(other.as_bytes())).expect_err(other);
            assert!(matches!(error, Unreadable::Form { .. }), "{other}: {error}");
            assert!(!error.to_string().contains("seven") && !error.to_string().contains("hunter"));
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked_to_its_end() {
        for filler in [b' ', b'x'] {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(b"{\"chart\":{\"files\":\"").expect("packed");
            let block = vec![filler; 1 << 20];
            (0..33).for_each(|_| encoder.write_all(&block).expect("packed"));
            let bomb = encoder.finish().expect("packed");
            assert!(bomb.len() < 1 << 20, "{}", bomb.len());
            assert_eq!(secret(&bomb).err(), Some(Unreadable::TooLarge(UNPACKED)));
        }
    }
}
