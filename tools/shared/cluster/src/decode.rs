//! Reading an answer while it arrives: the body streams into the decoder and is never held whole.

use std::io::{self, Read};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures::StreamExt;
use http_body_util::BodyExt;
use kube::client::Body;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How many chunks (of 8 to 64 KB) may wait for the decoder.
const CHUNKS_IN_FLIGHT: usize = 4;

/// How long the API server may send nothing.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a body gave no value.
#[derive(Debug)]
pub(crate) enum DecodeError {
    /// The connection failed in the middle.
    Connection(kube::Error),
    /// Nothing came for [`IDLE_TIMEOUT`].
    Silence,
    /// The body is not the JSON that was expected.
    Json(serde_json::Error),
    /// The decoding thread is gone, as when the runtime shuts down.
    Cancelled,
}

/// Decodes `body` as `T` on a blocking thread.
pub(crate) async fn decode<T>(body: Body) -> Result<T, DecodeError>
where
    T: DeserializeOwned + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(CHUNKS_IN_FLIGHT);
    let decoder = tokio::task::spawn_blocking(move || {
        let mut chunks = Chunks { receiver, current: Bytes::new() };
        let value = serde_json::from_reader(&mut chunks);
        // A body whose rest is not read would keep its connection from being used again.
        drain(&mut chunks);
        value
    });
    let mut frames = body.into_data_stream();
    loop {
        let frame = match timeout(IDLE_TIMEOUT, frames.next()).await {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(_) => return Err(DecodeError::Silence),
        };
        match frame {
            Ok(chunk) => {
                if sender.send(chunk).await.is_err() {
                    break;
                }
            }
            Err(error) => return Err(DecodeError::Connection(error)),
        }
    }
    drop(sender);
    match decoder.await {
        Ok(value) => value.map_err(DecodeError::Json),
        Err(_) => Err(DecodeError::Cancelled),
    }
}

fn drain(chunks: &mut Chunks) {
    while chunks.receiver.blocking_recv().is_some() {}
}

/// The first bytes of a body, at most `limit`.
pub(crate) async fn beginning(body: Body, limit: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut frames = body.into_data_stream();
    while let Ok(Some(Ok(chunk))) = timeout(IDLE_TIMEOUT, frames.next()).await {
        let room = limit - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if bytes.len() == limit {
            break;
        }
    }
    bytes
}

/// Chunks that arrive by a channel, as a reader.
struct Chunks {
    receiver: mpsc::Receiver<Bytes>,
    current: Bytes,
}

impl Read for Chunks {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(chunk) => self.current = chunk,
                None => return Ok(0),
            }
        }
        let n = out.len().min(self.current.len());
        self.current.copy_to_slice(&mut out[..n]);
        Ok(n)
    }
}
