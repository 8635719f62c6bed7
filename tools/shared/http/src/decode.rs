//! Content codings (RFC 9110, section 8.4): bodies that were packed for their way.
//!
//! Digests are over what is unpacked. What is packed was bounded when it was read; here what it
//! unpacks to is, or a few kilobytes could become any number of gigabytes.

use std::io::{BufReader, Read};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use http::{HeaderMap, header};

use crate::Problem;
use crate::error::Cause;

/// What a request says that it understands.
pub(crate) const ACCEPTED: &str = "gzip, zstd";

/// How far back a zstd body may refer, as a power of two: 8 MiB, as RFC 9659 bounds it for HTTP.
const ZSTD_WINDOW: u32 = 23;

/// How a body is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Identity,
    Gzip,
    Zstd,
}

impl Coding {
    /// What the headers say of the body.
    ///
    /// # Errors
    /// [`Problem::UnknownCoding`] for one that was not asked for, and for several on top of each
    /// other, by which a bomb could be hidden in a bomb.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let values = headers.get_all(header::CONTENT_ENCODING).iter();
        let words: Vec<String> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase())
            .collect();
        let words = words.iter().flat_map(|value| value.split(',')).map(str::trim);
        let mut words = words.filter(|word| !matches!(*word, "" | "identity"));
        match (words.next(), words.next()) {
            (None, _) => Ok(Self::Identity),
            // RFC 9110, section 8.4.1.3.
            (Some("gzip" | "x-gzip"), None) => Ok(Self::Gzip),
            (Some("zstd"), None) => Ok(Self::Zstd),
            (Some(first), second) => {
                let all = [first].into_iter().chain(second).chain(words);
                Err(Problem::UnknownCoding(all.collect::<Vec<_>>().join(", ")))
            }
        }
    }

    /// Refuses whatever is packed, where that was not asked for and cannot be unpacked piece by
    /// piece within bounds.
    ///
    /// # Errors
    /// [`Problem::UnknownCoding`].
    pub(crate) fn must_be_none(self) -> Result<(), Problem> {
        match self {
            Self::Identity => Ok(()),
            Self::Gzip | Self::Zstd => Err(Problem::UnknownCoding(self.as_str().to_owned())),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// What a whole body unpacks to.
    ///
    /// # Errors
    /// [`Problem::TooLarge`] where that is more than `limit` bytes, [`Problem::NotDecoded`] where
    /// it is not what it is said to be, or ends early.
    pub(crate) fn unpack(self, body: Bytes, limit: u64) -> Result<Bytes, Problem> {
        let (unpacked, end) = match self {
            Self::Identity => return Ok(body),
            _ => self.read(&body, limit.saturating_add(1)),
        };
        match end {
            _ if unpacked.len() as u64 > limit => Err(Problem::TooLarge(limit)),
            Ok(()) => Ok(unpacked.into()),
            Err(error) => Err(Problem::NotDecoded(self.as_str(), Cause::of(&error))),
        }
    }

    /// What the start of a body unpacks to, at most `limit` bytes of it, as far as it makes sense.
    pub(crate) fn unpack_start(self, body: Bytes, limit: u64) -> Bytes {
        match self {
            Self::Identity => body,
            _ => self.read(&body, limit).0.into(),
        }
    }

    /// Unpacks until the end, a fault, or so many bytes.
    fn read(self, body: &[u8], most: u64) -> (Vec<u8>, std::io::Result<()>) {
        let mut unpacked = Vec::new();
        let end = self.reader(body).and_then(|reader| {
            let mut reader = reader.take(most);
            reader.read_to_end(&mut unpacked).map(drop)
        });
        (unpacked, end)
    }

    fn reader<'b>(self, body: &'b [u8]) -> std::io::Result<Box<dyn Read + 'b>> {
        Ok(match self {
            Self::Identity => Box::new(body),
            Self::Gzip => Box::new(MultiGzDecoder::new(body)),
            Self::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(BufReader::new(body))?;
                decoder.window_log_max(ZSTD_WINDOW)?;
                Box::new(decoder)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use http::HeaderValue;

    use super::*;

    fn of(values: &[&'static str]) -> Result<Coding, Problem> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        Coding::of(&headers)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("written");
        encoder.finish().expect("finished")
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 3).expect("packed")
    }

    fn unpack(coding: Coding, body: &[u8], limit: u64) -> Result<Bytes, Problem> {
        coding.unpack(Bytes::copy_from_slice(body), limit)
    }

    #[test]
    fn one_coding_is_read_and_identity_is_none() {
        for none in [&[][..], &["identity"], &[""], &["identity, identity"]] {
            assert!(matches!(of(none), Ok(Coding::Identity)), "{none:?}");
        }
        for one in [&["gzip"][..], &["X-GZip"], &["identity", "gzip"], &[" gzip ,"]] {
            assert!(matches!(of(one), Ok(Coding::Gzip)), "{one:?}");
        }
        assert!(matches!(of(&["zstd"]), Ok(Coding::Zstd)));
        for (bad, named) in [
            (&["gzip, gzip"][..], "gzip, gzip"),
            (&["gzip", "zstd"], "gzip, zstd"),
            (&["br"], "br"),
            (&["deflate"], "deflate"),
            (&["gzip;q=1"], "gzip;q=1"),
        ] {
            let told = matches!(of(bad), Err(Problem::UnknownCoding(what)) if what == named);
            assert!(told, "{bad:?}");
        }
    }

    #[test]
    fn what_was_packed_is_unpacked_within_the_limit() {
        let body = "all there is ".repeat(1000);
        for (coding, packed) in
            [(Coding::Gzip, gzip(body.as_bytes())), (Coding::Zstd, zstd(body.as_bytes()))]
        {
            let whole = unpack(coding, &packed, 13_000).expect("unpacked");
            assert_eq!(whole, body.as_bytes());
            let over = unpack(coding, &packed, 12_999);
            assert!(matches!(over, Err(Problem::TooLarge(12_999))), "{over:?}");
            // Both may be made of several parts.
            let twice = unpack(coding, &[packed.clone(), packed].concat(), 26_000);
            assert_eq!(twice.expect("unpacked").len(), 26_000);
        }
    }

    #[test]
    fn what_is_not_what_it_is_said_to_be_is_told() {
        let (gzipped, zstandard) = (gzip(b"whole"), zstd(b"whole"));
        for (coding, body) in [
            (Coding::Gzip, &b"plain"[..]),
            (Coding::Gzip, b""),
            (Coding::Gzip, &gzipped[..gzipped.len() - 1]),
            (Coding::Gzip, &[&gzipped[..], b"garbage"].concat()),
            (Coding::Gzip, &zstandard),
            (Coding::Zstd, b"plain"),
            (Coding::Zstd, &zstandard[..zstandard.len() - 1]),
            (Coding::Zstd, &[&zstandard[..], b"garbage"].concat()),
            (Coding::Zstd, &gzipped),
        ] {
            let told = unpack(coding, body, 100);
            assert!(matches!(told, Err(Problem::NotDecoded(..))), "{coding:?} {body:?}: {told:?}");
        }
    }

    #[test]
    fn a_window_beyond_what_http_allows_is_refused() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
        encoder.window_log(27).expect("a window");
        encoder.write_all(&[0; 100]).expect("written");
        let packed = encoder.finish().expect("finished");
        let told = unpack(Coding::Zstd, &packed, 1000);
        assert!(matches!(told, Err(Problem::NotDecoded(..))), "{told:?}");
    }

    #[test]
    fn of_a_cut_body_the_start_is_had() {
        let body: Vec<u8> = (0..50_000_u32).flat_map(|n| (n * 7919).to_le_bytes()).collect();
        for (coding, packed) in [(Coding::Gzip, gzip(&body)), (Coding::Zstd, zstd(&body))] {
            let cut = Bytes::copy_from_slice(&packed[..packed.len() / 2 + 70_000]);
            let start = coding.unpack_start(cut, 1000);
            assert_eq!(start, &body[..1000], "{coding:?}");
        }
        assert!(Coding::Gzip.unpack_start(Bytes::from_static(b"plain"), 1000).is_empty());
    }
}
