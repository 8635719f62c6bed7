//! The routes, each with who may use it, and what handlers share.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get};
use stage::clock::Clock;
use tokio::sync::watch;
use tower_http::compression::CompressionLayer;

use crate::api;
use crate::doors::{self, Doors};
use crate::library::Library;
use crate::pages;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody: probes, and the way to log in.
    Anyone,
    /// Who may read reports.
    Read,
    /// Who may start a scan.
    Scan,
}

/// What handlers share.
#[derive(Debug, Clone)]
pub struct App {
    library: watch::Receiver<Option<Arc<Library>>>,
    /// Who may come in.
    pub(crate) doors: Arc<Doors>,
    accesses: Arc<HashMap<&'static str, Access>>,
    /// The clock by which reports are old.
    pub clock: Clock,
}

impl App {
    /// The app over a view of the store that is renewed; `None` until it was read for the first
    /// time.
    #[must_use]
    pub fn new(library: watch::Receiver<Option<Arc<Library>>>, doors: Doors, clock: Clock) -> Self {
        let accesses = routes().list().iter().copied().collect();
        Self { library, doors: Arc::new(doors), accesses: Arc::new(accesses), clock }
    }

    /// Who may use a route; nobody, where it is not in the list.
    pub(crate) fn access(&self, path: &str) -> Access {
        self.accesses.get(path).copied().unwrap_or(Access::Scan)
    }

    /// What the store holds, where it was read already.
    #[must_use]
    pub fn library(&self) -> Option<Arc<Library>> {
        self.library.borrow().clone()
    }
}

/// The routes as they are made: a list of who may use what grows beside the router, so that no
/// route is without.
#[derive(Debug)]
pub struct Routes {
    router: Router<App>,
    list: Vec<(&'static str, Access)>,
}

impl Routes {
    fn new() -> Self {
        Self { router: Router::new(), list: Vec::new() }
    }

    /// Adds a route.
    #[must_use]
    pub(crate) fn route(
        mut self,
        path: &'static str,
        access: Access,
        methods: MethodRouter<App>,
    ) -> Self {
        self.list.push((path, access));
        self.router = self.router.route(path, methods);
        self
    }

    /// Every route, and who may use it.
    #[must_use]
    pub fn list(&self) -> &[(&'static str, Access)] {
        &self.list
    }

    /// The router.
    pub fn into_router(self, app: App) -> Router {
        self.router
            .route_layer(axum::middleware::from_fn_with_state(app.clone(), doors::guard))
            .fallback(pages::no_such_page)
            .layer(CompressionLayer::new())
            .layer(axum::middleware::map_response(doors::headers))
            .with_state(app)
    }
}

/// All routes of the public listener.
#[must_use]
pub fn routes() -> Routes {
    let routes = Routes::new()
        .route("/healthz", Access::Anyone, get(api::health::alive))
        .route("/readyz", Access::Anyone, get(api::health::ready))
        .route("/metrics", Access::Read, get(api::metrics::page));
    pages::add(api::v1::add(api::peer::add(doors::add(routes))))
}

/// The answer where the store was not read yet.
pub(crate) const NOT_READY: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
