//! SIGTERM, by which Kubernetes asks a container to stop.

use crate::error::EdgeError;

/// A future that is ready at SIGTERM.
///
/// # Errors
/// When the handler cannot be installed.
pub fn terminated() -> Result<Terminated, EdgeError> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::terminate()).map(Terminated).map_err(EdgeError::Start)
}

/// Waits for SIGTERM.
pub struct Terminated(tokio::signal::unix::Signal);

impl Terminated {
    /// Ready when SIGTERM came.
    pub async fn recv(&mut self) {
        // `None` says that no signal can come any more: wait for ever.
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}
