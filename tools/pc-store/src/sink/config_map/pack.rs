//! How bytes fit into ConfigMaps: as they are where they do, else gzip, in parts where that is too
//! much for one.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

/// The most that is put into one ConfigMap, in bytes. The API server takes 1 MiB of values.
pub(super) const ROOM: usize = 1_000_000;

/// How bytes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Coding {
    /// As they are, as text.
    Plain,
    /// RFC 1952.
    Gzip,
}

/// Bytes, ready to be put into ConfigMaps.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) coding: Coding,
    /// What goes into each, at least one.
    pub(super) parts: Vec<Vec<u8>>,
}

/// Packs `bytes` into as few ConfigMaps as can be.
pub(super) fn pack(bytes: &[u8]) -> io::Result<Packed> {
    if bytes.len() <= ROOM && std::str::from_utf8(bytes).is_ok() {
        return Ok(Packed { coding: Coding::Plain, parts: vec![bytes.to_vec()] });
    }
    let parts = gzip(bytes)?.chunks(ROOM).map(<[u8]>::to_vec).collect();
    Ok(Packed { coding: Coding::Gzip, parts })
}

pub(super) fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// What was packed. Of more than `size` bytes only one more is unpacked.
pub(super) fn unpack(coding: Coding, packed: Vec<u8>, size: u64) -> io::Result<Vec<u8>> {
    match coding {
        Coding::Plain => Ok(packed),
        Coding::Gzip => {
            let mut bytes = Vec::new();
            GzDecoder::new(&packed[..]).take(size.saturating_add(1)).read_to_end(&mut bytes)?;
            Ok(bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that do not shrink much.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 7_u64;
        let mut step = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        (0..length).map(|_| step()).collect()
    }

    #[test]
    fn what_fits_stays_text_and_the_rest_is_packed() {
        for (bytes, coding, parts) in [
            (b"{}".to_vec(), Coding::Plain, 1),
            (vec![b' '; ROOM], Coding::Plain, 1),
            (vec![b' '; ROOM + 1], Coding::Gzip, 1),
            (vec![0xff], Coding::Gzip, 1),
            (noise(3 * ROOM), Coding::Gzip, 4),
        ] {
            let packed = pack(&bytes).expect("packed");
            assert_eq!((packed.coding, packed.parts.len()), (coding, parts));
            assert!(packed.parts.iter().all(|part| part.len() <= ROOM));
            let size = bytes.len() as u64;
            assert!(unpack(coding, packed.parts.concat(), size).expect("unpacked") == bytes);
        }
    }

    #[test]
    fn what_unpacks_to_more_is_not_unpacked() {
        let bomb = gzip(&vec![0; 10 * ROOM]).expect("packed");
        assert_eq!(unpack(Coding::Gzip, bomb, 100).expect("unpacked").len(), 101);
        assert!(unpack(Coding::Gzip, b"no gzip".to_vec(), 100).is_err());
    }
}
