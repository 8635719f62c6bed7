//! Bodies, some of which no honest server sends.

use std::convert::Infallible;
use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::{Body, Frame, SizeHint};

/// The body of an answer.
#[derive(Debug, Clone)]
pub enum Payload {
    /// These bytes, with their length announced.
    Whole(Bytes),
    /// These bytes, without their length announced.
    Chunked(Bytes),
    /// These bytes, and then nothing more, for ever.
    Stalled(Bytes),
    /// One byte after another, without end.
    Endless,
    /// These bytes, again and again, without end.
    Repeated(Bytes),
}

impl Payload {
    /// A gzip body (RFC 1952) that unpacks to so many MiB of zeros, from about a KiB for each.
    #[must_use]
    pub fn bomb(mib: usize) -> Self {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(&vec![0; 1 << 20]).expect("a Vec takes all");
        let member = packer.finish().expect("a Vec takes all");
        // Members may follow one another (section 2.2).
        Self::Chunked(member.repeat(mib).into())
    }
}

impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        Self::Whole(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Whole(bytes.into())
    }
}

/// How much of an endless body is made at a time.
const PIECE: usize = 16 * 1024;

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let bytes = match this {
            Self::Endless => Bytes::from_static(&[b'x'; PIECE]),
            Self::Repeated(bytes) => bytes.clone(),
            Self::Whole(bytes) | Self::Chunked(bytes) | Self::Stalled(bytes) => {
                std::mem::take(bytes)
            }
        };
        match (bytes.is_empty(), this) {
            (false, _) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            // Nobody wakes this task again: that is the stall.
            (true, Self::Stalled(_)) => Poll::Pending,
            (true, _) => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            _ => SizeHint::default(),
        }
    }
}
