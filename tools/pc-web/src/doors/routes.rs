//! The way in and out: `/login`, `/oauth2/callback`, `/logout`, and `/api/me`.

use axum::Json;
use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::caller::{Caller, SESSION};
use super::oidc::{Oidc, OidcError, Pending};
use crate::api::ApiError;
use crate::app::{Access, App, Routes};

/// The cookie of a login that is under way.
const PENDING: &str = "login";
const CALLBACK: &str = "/oauth2/callback";
/// Where one asks who one is.
pub(super) const ME: &str = "/api/me";

pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .route("/login", Access::Anyone, get(login))
        .route(CALLBACK, Access::Anyone, get(callback))
        .route("/logout", Access::Anyone, post(logout))
        .route(ME, Access::Anyone, get(me))
}

/// Where one logs in to come back to `to`.
pub(super) fn login_for(to: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish();
    format!("/login?{query}")
}

#[derive(Debug, Deserialize)]
struct To {
    #[serde(default)]
    to: String,
}

async fn login(State(app): State<App>, Query(To { to }): Query<To>) -> Result<Response, Response> {
    let oidc = oidc(&app).map_err(ApiError::into_response)?;
    let (url, pending) = oidc.start(own(&to)).await.map_err(OidcError::into_response)?;
    let sealed = serde_json::to_string(&pending).unwrap_or_default();
    let jar =
        PrivateCookieJar::new(app.doors.key.clone()).add(cookie(oidc, PENDING, sealed, CALLBACK));
    Ok((jar, Redirect::to(url.as_str())).into_response())
}

#[derive(Debug, Deserialize)]
struct Back {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

async fn callback(
    State(app): State<App>,
    headers: axum::http::HeaderMap,
    Query(back): Query<Back>,
) -> Result<Response, Response> {
    let oidc = oidc(&app).map_err(ApiError::into_response)?;
    let jar = PrivateCookieJar::from_headers(&headers, app.doors.key.clone());
    let failed = |why: &str| OidcError::Login(why.to_owned()).into_response();
    if let Some(error) = &back.error {
        return Err(failed(&format!("the issuer says `{}`", records::text::shown(error))));
    }
    let pending: Option<Pending> =
        jar.get(PENDING).and_then(|cookie| serde_json::from_str(cookie.value()).ok());
    let pending = pending.ok_or_else(|| failed("it was not started in this browser"))?;
    let (Some(state), Some(code)) = (back.state, back.code) else {
        return Err(failed("the issuer sent neither a code nor an error"));
    };
    let person = oidc.finish(&pending, &state, code).await.map_err(OidcError::into_response)?;
    let sealed = serde_json::to_string(&person).unwrap_or_default();
    let jar = PrivateCookieJar::new(app.doors.key.clone())
        .add(cookie(oidc, SESSION, sealed, "/"))
        .add(gone(PENDING, CALLBACK));
    Ok((jar, Redirect::to(own(&pending.to))).into_response())
}

async fn logout(State(app): State<App>) -> Response {
    let jar = PrivateCookieJar::new(app.doors.key.clone()).add(gone(SESSION, "/"));
    (jar, Redirect::to("/")).into_response()
}

/// Who asks, and what that one may.
async fn me(State(app): State<App>, Extension(caller): Extension<Caller>) -> Json<Value> {
    let mut me = json!({
        "authEnabled": app.doors.has_login(),
        "canRunScan": app.doors.admits(&caller, Access::Scan),
        "features": {"timelineDeltas": true},
    });
    if let Caller::Person(person) = &caller {
        me["email"] = person.email.clone().into();
        me["groups"] = person.groups.clone().into();
    }
    Json(me)
}

fn oidc(app: &App) -> Result<&Oidc, ApiError> {
    let none = || ApiError::new(StatusCode::NOT_FOUND, "there is no login here");
    app.doors.oidc.as_deref().ok_or_else(none)
}

/// A place on this site; the start page for every other.
fn own(to: &str) -> &str {
    // Browsers drop control characters and take a backslash for a slash (WHATWG URL).
    let is_own = to.starts_with('/')
        && !to.starts_with("//")
        && !to.contains(|c: char| c == '\\' || c.is_control());
    if is_own { to } else { "/" }
}

/// A cookie that no script reads and no other site sends, but the way back from the issuer.
fn cookie(oidc: &Oidc, name: &'static str, value: String, path: &'static str) -> Cookie<'static> {
    Cookie::build((name, value))
        .path(path)
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(oidc.is_https())
        .build()
}

fn gone(name: &'static str, path: &'static str) -> Cookie<'static> {
    let mut cookie = Cookie::build((name, "")).path(path).http_only(true).build();
    cookie.make_removal();
    cookie
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_back_to_this_site_alone() {
        assert_eq!(own("/images?q=a"), "/images?q=a");
        for other in [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "",
            "images",
            "/a\r\nb",
            "/\t/evil.example",
        ] {
            assert_eq!(own(other), "/", "{other}");
        }
        assert_eq!(login_for("/images?q=a&b"), "/login?to=%2Fimages%3Fq%3Da%26b");
    }
}
