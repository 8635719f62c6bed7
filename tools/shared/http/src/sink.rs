//! Bodies that are taken as they come, because they are too large to lie in memory.

use std::pin::Pin;

use bytes::Bytes;

/// Takes the body of a successful answer as it comes.
///
/// Asking may be tried again, and other places may be asked: each body that begins makes all that
/// came before count for nothing. Whether the last one came to its end is the answer's to say.
pub trait Sink: Send + Sync {
    /// A body begins.
    fn begin(&self);

    /// The next bytes of it. Whoever asks waits until they are taken, so that somebody slow slows
    /// the sender and fills no memory. Bytes that nobody wants any more are dropped here.
    fn take(&self, bytes: Bytes) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}
