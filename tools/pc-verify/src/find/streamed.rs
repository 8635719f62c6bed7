//! Large bills of materials that nobody signed: read as they come, each once a run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use records::Digest;
use registry::{Descriptor, Error, Registry, Repository, Sink};
use tokio::sync::{OnceCell, Semaphore};

use super::pipe::Pipe;
use crate::examine::read_document;
use crate::sbom::ReadDocument;

/// From which size on a document is read as it comes, in bytes. Smaller ones are fetched whole, and
/// remembered as all blobs are.
pub(super) const STREAMED_ABOVE: u64 = 1024 * 1024;

/// How many are read at a time. Each takes a thread that may block, from a pool that is not endless
/// and that reads the files of layouts too.
const AT_A_TIME: usize = 64;

/// What came of reading one; nothing where the registry does not have it.
pub(super) type Read = Result<Option<Came>, Error>;

/// An answer that is asked for once.
type Once = Arc<OnceCell<Read>>;

/// A document that is there.
#[derive(Clone)]
pub(super) enum Came {
    /// It was read to its end, and its digest holds.
    Read(Arc<ReadDocument>),
    /// Reading it broke off here, whatever it is.
    BrokeOff,
}

/// Reads documents as they come, and remembers what they say. Package lists are not remembered,
/// since they have no bound: with them a document is asked for as often as it is found.
pub(super) struct Streamed {
    turns: Semaphore,
    known: Mutex<HashMap<(Repository, Digest), Once>>,
}

impl Default for Streamed {
    fn default() -> Self {
        Self { turns: Semaphore::new(AT_A_TIME), known: Mutex::default() }
    }
}

impl Streamed {
    /// What a document of at most `limit` bytes says. Nothing that was read counts before its
    /// digest holds.
    pub(super) async fn read(
        &self,
        registry: &Registry,
        (repository, blob, limit): (&Repository, &Descriptor, u64),
        keeps_packages: bool,
    ) -> Read {
        if keeps_packages {
            return self.ask(registry, (repository, blob, limit), keeps_packages).await;
        }
        let cell = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry((repository.clone(), blob.digest.clone())).or_default())
        };
        let ask = || self.ask(registry, (repository, blob, limit), keeps_packages);
        cell.get_or_init(ask).await.clone()
    }

    async fn ask(
        &self,
        registry: &Registry,
        (repository, blob, limit): (&Repository, &Descriptor, u64),
        keeps_packages: bool,
    ) -> Read {
        // There is no turn only where the semaphore is closed, and it never is.
        let _turn = self.turns.acquire().await.ok();
        let known = sha256(&blob.digest);
        let pipe = Pipe::new(move |reader| read_document(reader, keeps_packages, known));
        let pipe = Arc::new(pipe);
        let sink = Arc::clone(&pipe) as Arc<dyn Sink>;
        let there = registry.blob_into(repository, blob, limit, &sink).await;
        let read = pipe.end().await;
        let came = |read: Option<ReadDocument>| match read {
            Some(read) => Came::Read(Arc::new(read)),
            None => Came::BrokeOff,
        };
        Ok(there?.map(|()| came(read)))
    }
}

/// The digest, where it is by SHA-256: then the registry's client checks just that.
fn sha256(digest: &Digest) -> Option<[u8; 32]> {
    let hex = (digest.algorithm() == "sha256").then(|| hex::decode(digest.hex()).ok());
    hex.flatten()?.try_into().ok()
}
