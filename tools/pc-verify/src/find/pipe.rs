//! A bill of materials that is read as it comes: from the socket into the reader, and nothing of it
//! into memory.

use std::io::{self, Read};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf as _, Bytes};
use registry::Sink;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

/// How many pieces may wait for the reader; each is what one read of a socket gives.
const WAITING: usize = 8;

/// How a body is read.
type Reader<T> = Arc<dyn Fn(Incoming) -> T + Send + Sync>;

/// Reads each body that begins on a thread of its own, which may block.
pub(super) struct Pipe<T> {
    read: Reader<T>,
    runtime: Handle,
    current: Mutex<Option<(Sender<Bytes>, JoinHandle<T>)>>,
}

impl<T: Send + 'static> Pipe<T> {
    /// A pipe into `read`. It is made inside a runtime.
    pub(super) fn new(read: impl Fn(Incoming) -> T + Send + Sync + 'static) -> Self {
        Self { read: Arc::new(read), runtime: Handle::current(), current: Mutex::default() }
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<(Sender<Bytes>, JoinHandle<T>)>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was read of the body that began last; none where none did, or reading broke off.
    pub(super) async fn end(&self) -> Option<T> {
        let (sender, reading) = self.current().take()?;
        drop(sender);
        reading.await.ok()
    }
}

impl<T: Send + 'static> Sink for Pipe<T> {
    /// The reader of a body before finds its end, and what it read goes nowhere.
    fn begin(&self) {
        let (sender, receiver) = channel(WAITING);
        let read = Arc::clone(&self.read);
        let incoming = Incoming { receiver, piece: Bytes::new() };
        let reading = self.runtime.spawn_blocking(move || read(incoming));
        *self.current() = Some((sender, reading));
    }

    fn take(&self, bytes: Bytes) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            let sender = self.current().as_ref().map(|(sender, _)| sender.clone());
            if let Some(sender) = sender {
                // A reader that is gone broke off, and is told so at the end.
                let _ = sender.send(bytes).await;
            }
        })
    }
}

/// The reader's end.
pub(super) struct Incoming {
    receiver: Receiver<Bytes>,
    piece: Bytes,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}
