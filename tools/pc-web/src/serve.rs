//! Listeners, the watch over the store, and a graceful stop.

use std::sync::Arc;

use stage::clock::Clock;
use stage::{Fault, Outcome};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::{self, App};
use crate::cli::{Cli, StoreArgs};
use crate::library::{Library, Reader};

/// Serves until the process is asked to stop.
pub(crate) async fn serve(cli: Cli, clock: Clock) -> Result<Outcome, Fault> {
    let doors = cli.doors.doors().map_err(|error| {
        let hint = error.hint();
        Fault::usage(error).with_hint(hint)
    })?;
    let listener = TcpListener::bind(cli.listen.listen).await.map_err(|error| {
        Fault::incomplete(error).with_hint(format!("`{}` cannot be listened on", cli.listen.listen))
    })?;
    let (renew, library) = watch::channel(None);
    let reading = tokio::spawn(keep_reading(cli.store, clock, renew));
    let app = App::new(library, doors, clock);
    let router = app::routes().into_router(app);
    let at = listener.local_addr().map_err(Fault::incomplete)?;
    tracing::info!("listening on http://{at}");
    let mut terminated = stage::terminated()?;
    let served = axum::serve(listener, router)
        .with_graceful_shutdown(async move { terminated.recv().await })
        .await;
    reading.abort();
    served.map_err(Fault::incomplete)?;
    Ok(Outcome::Complete)
}

/// Reads the store again and again.
async fn keep_reading(store: StoreArgs, clock: Clock, renew: watch::Sender<Option<Arc<Library>>>) {
    let mut reader = Reader::new(&store.report_path, store.max_bytes);
    loop {
        let read = tokio::task::spawn_blocking(move || {
            let library = reader.read(clock.now());
            (reader, library)
        });
        let Ok((returned, library)) = read.await else { return };
        reader = returned;
        if renew.send(Some(Arc::new(library))).is_err() {
            return;
        }
        tokio::time::sleep(store.watch_interval).await;
    }
}
