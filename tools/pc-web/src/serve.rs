//! Listeners, the watch over the store, and a graceful stop.
//!
//! A listener takes a bounded number of connections, waits a bounded time for a request's head,
//! and reads a bounded head: a client that is slow or large costs one place, for a while.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use stage::clock::Clock;
use stage::{Fault, Outcome};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt as _;

use crate::app::{self, App};
use crate::cli::{Cli, StoreArgs};
use crate::library::{Library, Reader};

/// How many connections are taken at once; others wait in the kernel's queue.
const CONNECTIONS: usize = 2048;
/// How long the head of a request may take, from the first byte or from the request before.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// How large the head of a request may be, in bytes.
const HEAD_BYTES: usize = 32 * 1024;
/// How long what is being answered may take at a stop. Kubernetes waits 30 s.
const STOP_TIME: Duration = Duration::from_secs(20);

/// Serves until the process is asked to stop.
pub(crate) async fn serve(cli: Cli, clock: Clock) -> Result<Outcome, Fault> {
    let doors = cli.doors.doors().map_err(|error| {
        let hint = error.hint();
        Fault::usage(error).with_hint(hint)
    })?;
    let listener = listen(cli.listen.listen).await?;
    let (renew, library) = watch::channel(None);
    let reading = tokio::spawn(keep_reading(cli.store, clock, renew));
    let router = app::routes().into_router(App::new(library, doors, clock));
    let at = listener.local_addr().map_err(Fault::incomplete)?;
    tracing::info!("listening on http://{at}");
    let mut terminated = stage::terminated()?;
    accept(&listener, &router, terminated.recv()).await;
    reading.abort();
    Ok(Outcome::Complete)
}

async fn listen(address: std::net::SocketAddr) -> Result<TcpListener, Fault> {
    TcpListener::bind(address).await.map_err(|error| {
        Fault::incomplete(error).with_hint(format!("`{address}` cannot be listened on"))
    })
}

/// Takes connections until `stop`, and then lets what is being answered come to its end.
async fn accept(listener: &TcpListener, router: &Router, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let taking = async {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => converse(stream, router.clone(), &graceful, place),
                // Of the client (it is gone), or of this process (no more files): try again.
                Err(error) => {
                    tracing::debug!("a connection was not taken: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    };
    tokio::select! {
        () = taking => {}
        () = stop => {}
    }
    if tokio::time::timeout(STOP_TIME, graceful.shutdown()).await.is_err() {
        tracing::warn!("some answers were cut off by the stop");
    }
}

/// Answers what comes by one connection.
fn converse(
    stream: TcpStream,
    router: Router,
    graceful: &GracefulShutdown,
    place: OwnedSemaphorePermit,
) {
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        router.clone().oneshot(request.map(axum::body::Body::new))
    });
    // HTTP/1.1 alone: telling HTTP/2 from it would wait for a first byte without any limit.
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_BYTES);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = watched.await {
            tracing::debug!("a connection ended: {error}");
        }
        drop(place);
    });
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
