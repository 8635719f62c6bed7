//! Blobs that are read as they come: checked at their end, and nothing before counts.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_asking::Sink;
use records::Digest;

use crate::content::{Descriptor, Hasher};
use crate::error::Error;
use crate::layout::read;
use crate::registry::Backend;
use crate::view::View;
use crate::{Registry, Repository};

impl Registry {
    /// A blob, given to `sink` as it comes: only when this says that it is there is what the sink
    /// was given since it last began all of the blob, with the descriptor's digest; else nothing of
    /// it counts. It is not remembered: who may want it again keeps what was made of it.
    ///
    /// # Errors
    /// As [`Registry::blob`].
    pub async fn blob_into(
        &self,
        repository: &Repository,
        descriptor: &Descriptor,
        limit: u64,
        sink: &Arc<dyn Sink>,
    ) -> Result<Option<()>, Error> {
        announced_within(repository, descriptor, limit)?;
        let digest = &descriptor.digest;
        let ask = |view: View| async move {
            match &self.inner.backend {
                Backend::Remote(remote) => remote.blob_into(&view, digest, limit, sink).await,
                Backend::Layout(layout) => {
                    let (repository, digest) = (view.repository.clone(), digest.clone());
                    let (sink, now) = (Arc::clone(sink), tokio::runtime::Handle::current());
                    read(layout, move |layout| {
                        sink.begin();
                        let pass = |bytes| now.block_on(sink.take(bytes));
                        layout.blob_into(&repository, &digest, limit, pass)
                    })
                    .await
                }
            }
        };
        self.seen(repository, Option::is_some, ask).await
    }
}

/// Whether what is announced of a blob is within the limit.
pub(crate) fn announced_within(
    repository: &Repository,
    descriptor: &Descriptor,
    limit: u64,
) -> Result<(), Error> {
    match descriptor.size {
        Some(size) if size > limit => {
            let (repository, digest) = (repository.clone(), descriptor.digest.clone());
            Err(Error::TooLarge { repository, digest, size, limit })
        }
        _ => Ok(()),
    }
}

/// Passes a blob on and takes its digest meanwhile.
pub(crate) struct Checked {
    sink: Arc<dyn Sink>,
    expected: Digest,
    /// Of the body that began last.
    hash: Mutex<Hasher>,
}

impl Checked {
    pub(crate) fn new(sink: Arc<dyn Sink>, expected: &Digest) -> Self {
        let hash = Mutex::new(Hasher::like(expected));
        Self { sink, expected: expected.clone(), hash }
    }

    /// Checks that the body that began last has the digest.
    ///
    /// # Errors
    /// The digest that it does have.
    pub(crate) fn verify(&self) -> Result<(), Digest> {
        let hash = self.hash.lock().unwrap_or_else(PoisonError::into_inner).clone();
        hash.verify(&self.expected)
    }
}

impl Sink for Checked {
    fn begin(&self) {
        let new = Hasher::like(&self.expected);
        *self.hash.lock().unwrap_or_else(PoisonError::into_inner) = new;
        self.sink.begin();
    }

    fn take(&self, bytes: Bytes) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.hash.lock().unwrap_or_else(PoisonError::into_inner).update(&bytes);
        self.sink.take(bytes)
    }
}
