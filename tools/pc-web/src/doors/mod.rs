//! What keeps others out: who asks, what that one may, and what no browser is made to do.
//!
//! Every route has an [`Access`]; `guard` stands before all of them and knows no exception.
//! People log in with OpenID Connect (authorization code with PKCE, on the server) and have a
//! cookie; scripts and Grafana bring a token of the same issuer, or the read token.
//!
//! - `args`: the settings; half of them refuse to start.
//! - `caller`: who asks.
//! - `oidc`: the issuer: login, callback, tokens.
//! - `routes`: `/login`, `/oauth2/callback`, `/logout`, `/api/me`.
//! - `origin`: that a change is asked for by our own pages.
//! - `headers`: what every answer says to browsers.

mod args;
mod caller;
mod headers;
mod oidc;
mod origin;
mod routes;

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::Key;

pub use args::{DoorArgs, DoorError};
pub use caller::Caller;
pub(crate) use headers::headers;
pub(crate) use routes::add;

use crate::app::{Access, App};
use caller::Bearer;
use oidc::Oidc;

/// Who may come in, and how.
#[derive(Debug)]
pub struct Doors {
    /// Everybody may read: said so in the settings.
    open: bool,
    /// The token by which machines read.
    read_token: Option<Bearer>,
    oidc: Option<Arc<Oidc>>,
    /// Groups that may read; everybody who logs in where there is none.
    readers: Vec<String>,
    /// Groups that may start a scan.
    admins: Vec<String>,
    /// Seals cookies.
    key: Key,
}

impl Doors {
    /// Doors that stand open: everybody may read, nobody may do anything.
    #[must_use]
    pub fn open() -> Self {
        Self {
            open: true,
            read_token: None,
            oidc: None,
            readers: Vec::new(),
            admins: Vec::new(),
            key: Key::generate(),
        }
    }

    /// Whether there is a login at all.
    fn has_login(&self) -> bool {
        self.oidc.is_some()
    }

    /// Whether a caller may use what has this access.
    fn admits(&self, caller: &Caller, access: Access) -> bool {
        match (access, caller) {
            (Access::Anyone, _) => true,
            (Access::Read, Caller::Nobody) => self.open,
            (Access::Read, Caller::Machine) => true,
            (Access::Read, Caller::Person(person)) => {
                self.open
                    || self.readers.is_empty()
                    || person.is_in(&self.readers)
                    || person.is_in(&self.admins)
            }
            (Access::Scan, Caller::Person(person)) => person.is_in(&self.admins),
            (Access::Scan, Caller::Nobody | Caller::Machine) => false,
        }
    }
}

/// Stands before every route.
pub(crate) async fn guard(
    State(app): State<App>,
    path: MatchedPath,
    mut request: Request,
    next: Next,
) -> Response {
    let access = app.access(path.as_str());
    // What is open to anyone asks nobody who it is, so that probes do not hang on the issuer.
    let asks = access != Access::Anyone || path.as_str() == routes::ME;
    let caller = if asks {
        match caller::of(&app.doors, request.headers()).await {
            Ok(caller) => caller,
            Err(error) => return error.into_response(),
        }
    } else {
        Caller::Nobody
    };
    if *request.method() != Method::GET
        && *request.method() != Method::HEAD
        && !origin::is_our_own(&caller, request.headers())
    {
        return refused(StatusCode::FORBIDDEN, "this was asked for by a page of another site");
    }
    if !app.doors.admits(&caller, access) {
        return turned_away(&app.doors, &caller, access, &request);
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// To the login for people, a status for everybody else.
fn turned_away(doors: &Doors, caller: &Caller, access: Access, request: &Request) -> Response {
    if matches!(caller, Caller::Person(_) | Caller::Machine) {
        return refused(
            StatusCode::FORBIDDEN,
            "you are known, and this is not among what you may do",
        );
    }
    let wants_page = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    if doors.has_login() && wants_page && access == Access::Read {
        let to = request.uri().path_and_query().map_or("/", |path| path.as_str());
        return Redirect::to(&routes::login_for(to)).into_response();
    }
    let mut response =
        refused(StatusCode::UNAUTHORIZED, "log in, or send a token: `Authorization: Bearer …`");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    response
}

fn refused(status: StatusCode, why: &'static str) -> Response {
    crate::api::ApiError::new(status, why).into_response()
}
