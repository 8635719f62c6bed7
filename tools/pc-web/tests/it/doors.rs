//! Doors: who is let in, by which proof, and who is not.

use std::fs;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use pc_web::app::{self, Access};
use pc_web::doors::{DoorArgs, DoorError};

use crate::issuer::{CLIENT, Issuer, SECRET};
use crate::{Got, Site, report, row};

const TOKEN: &str = "a token that machines read with";

/// The settings of a whole login.
fn args(issuer: &Issuer, folder: &std::path::Path) -> DoorArgs {
    let secret = folder.join("secret");
    fs::write(&secret, format!("{SECRET}\n")).expect("written");
    let token = folder.join("token");
    fs::write(&token, TOKEN).expect("written");
    DoorArgs {
        oidc_issuer: Some(issuer.url().parse().expect("a URL")),
        oidc_client_id: Some(CLIENT.into()),
        oidc_client_secret_file: Some(secret),
        oidc_groups_claim: "groups".into(),
        public_url: Some("http://provenance.example".parse().expect("a URL")),
        read_groups: vec!["readers".into()],
        admin_groups: vec!["admins".into()],
        session_lifetime: std::time::Duration::from_secs(3600),
        read_token_file: Some(token),
        ..DoorArgs::default()
    }
}

fn site(issuer: &Issuer) -> Site {
    let folder = tempfile::TempDir::new().expect("a folder");
    let doors = args(issuer, folder.path()).doors().expect("doors");
    let mut site = Site::behind(doors);
    crate::shelve(site.folder.path(), &report("2026-11-24T06:00:00Z", &[row("a:1", "shop")]));
    site.read();
    site
}

fn with(site: &Site, path: &str, headers: &[(&str, &str)]) -> Got {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    site.ask(request.body(Body::empty()).expect("a request"))
}

fn bearer(site: &Site, token: &str) -> StatusCode {
    with(site, "/api/reports", &[("authorization", &format!("Bearer {token}"))]).status
}

#[test]
fn nothing_but_probes_and_the_way_in_is_open() {
    let issuer = Issuer::start();
    let site = site(&issuer);
    let mut closed = 0;
    for (path, access) in app::routes().list() {
        let asked = path
            .replace("{file}", "latest")
            .replace("{*reference}", "a:1")
            .replace("{version}/{name}", "x/app.js");
        let got = site.get(&asked);
        if *access == Access::Anyone {
            assert!(!got.headers.contains_key(header::WWW_AUTHENTICATE), "{path}");
            continue;
        }
        closed += 1;
        assert_eq!(got.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(got.headers[header::WWW_AUTHENTICATE], "Bearer", "{path}");
        assert!(!got.text.contains("registry") && !got.text.contains("shop"), "{path}");
    }
    assert!(closed >= 10, "only {closed} routes are closed");
    let open: Vec<&str> = app::routes()
        .list()
        .iter()
        .filter(|(_, access)| *access == Access::Anyone)
        .map(|(path, _)| *path)
        .collect();
    assert_eq!(
        open,
        [
            "/healthz",
            "/readyz",
            "/login",
            "/oauth2/callback",
            "/logout",
            "/api/me",
            "/assets/{version}/{name}"
        ]
    );
}

#[test]
fn a_person_logs_in_and_has_what_the_groups_allow() {
    let issuer = Issuer::start();
    let site = site(&issuer);
    let turned = with(&site, "/images?q=a", &[("accept", "text/html")]);
    assert_eq!(turned.status, StatusCode::SEE_OTHER);
    let cookie = log_in(
        &site,
        &issuer,
        turned.headers[header::LOCATION].to_str().expect("text"),
        "/images?q=a",
    );
    assert_eq!(with(&site, "/images", &[("cookie", &cookie)]).status, StatusCode::OK);
    let me = with(&site, "/api/me", &[("cookie", &cookie)]).json();
    assert_eq!(
        (&me["email"], &me["canRunScan"], &me["authEnabled"]),
        (&"person@example.com".into(), &false.into(), &true.into())
    );

    // Other groups from the next login on.
    issuer.set_groups(&["/admins"]);
    let cookie = log_in(&site, &issuer, "/login?to=%2F", "/");
    assert_eq!(with(&site, "/api/me", &[("cookie", &cookie)]).json()["canRunScan"], true);
    issuer.set_groups(&["others"]);
    let cookie = log_in(&site, &issuer, "/login?to=%2F", "/");
    assert_eq!(with(&site, "/images", &[("cookie", &cookie)]).status, StatusCode::FORBIDDEN);

    // A cookie that somebody made or changed is none.
    let forged = format!("{}x", cookie.trim_end_matches('x'));
    for cookie in [&*forged, "session=eyJzdWJqZWN0Ijoi", "session="] {
        assert_eq!(
            with(&site, "/api/reports", &[("cookie", cookie)]).status,
            StatusCode::UNAUTHORIZED
        );
    }
}

/// Walks the way of a browser from the login to the session's cookie.
fn log_in(site: &Site, issuer: &Issuer, login: &str, back_to: &str) -> String {
    let start = site.get(login);
    assert_eq!(start.status, StatusCode::SEE_OTHER, "{}", start.text);
    let pending = start.headers[header::SET_COOKIE].to_str().expect("text");
    assert!(pending.contains("HttpOnly") && pending.contains("SameSite=Lax"), "{pending}");
    let way = start.headers[header::LOCATION].to_str().expect("text").to_owned();
    let back = issuer.runtime.block_on(async move {
        let browser = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a browser");
        let answer = browser.get(&way).send().await.expect("an answer");
        answer.headers()[header::LOCATION].to_str().expect("text").to_owned()
    });
    let back = back.trim_start_matches("http://provenance.example").to_owned();
    // Another browser, which did not start this login, gets nothing from its address.
    assert_eq!(site.get(&back).status, StatusCode::UNAUTHORIZED);
    let pending = pending.split(';').next().expect("a cookie");
    let ended = with(site, &back, &[("cookie", pending)]);
    assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.text);
    assert_eq!(ended.headers[header::LOCATION], back_to);
    // A code works once.
    assert_eq!(with(site, &back, &[("cookie", pending)]).status, StatusCode::UNAUTHORIZED);
    let cookies = ended.headers.get_all(header::SET_COOKIE).iter();
    let session = cookies
        .filter_map(|cookie| cookie.to_str().ok())
        .find(|cookie| cookie.starts_with("session="));
    session.and_then(|cookie| cookie.split(';').next()).expect("a session").to_owned()
}

#[test]
fn tokens_are_checked_in_every_part() {
    let issuer = Issuer::start();
    let site = site(&issuer);
    assert_eq!(bearer(&site, TOKEN), StatusCode::OK);
    assert_eq!(bearer(&site, &TOKEN[1..]), StatusCode::UNAUTHORIZED);
    assert_eq!(bearer(&site, &issuer.token(|_| ())), StatusCode::OK);
    assert_eq!(
        bearer(&site, &issuer.token(|claims| claims["groups"] = "readers".into())),
        StatusCode::OK
    );
    assert_eq!(
        bearer(&site, &issuer.token(|claims| claims["groups"] = "others".into())),
        StatusCode::FORBIDDEN
    );
    for (what, token) in [
        ("expired", issuer.token(|claims| claims["exp"] = 1_700_000_000.into())),
        ("for another client", issuer.token(|claims| claims["aud"] = "grafana".into())),
        (
            "of another issuer",
            issuer.token(|claims| claims["iss"] = "https://issuer.example".into()),
        ),
        ("by an unknown key", issuer.foreign_token()),
        ("not signed", issuer.unsigned_token()),
        ("nothing", String::new()),
        ("no token", "a.b.c".into()),
        ("large", "a".repeat(1 << 20)),
    ] {
        assert_eq!(bearer(&site, &token), StatusCode::UNAUTHORIZED, "{what}");
    }
}

#[test]
fn an_issuer_that_is_down_is_said_and_lets_nobody_in() {
    let issuer = Issuer::start();
    let site = site(&issuer);
    let token = issuer.token(|_| ());
    drop(issuer);
    assert_eq!(bearer(&site, &token), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(bearer(&site, TOKEN), StatusCode::OK);
    assert_eq!(site.get("/api/reports").status, StatusCode::UNAUTHORIZED);
}

#[test]
fn half_a_login_is_none() {
    let issuer = Issuer::start();
    let folder = tempfile::TempDir::new().expect("a folder");
    let refused = |change: fn(&mut DoorArgs)| {
        let mut args = args(&issuer, folder.path());
        change(&mut args);
        args.doors().expect_err("refused").to_string()
    };
    assert!(refused(|args| args.oidc_client_id = None).contains("--oidc-client-id"));
    assert!(refused(|args| args.public_url = None).contains("--public-url"));
    assert!(refused(|args| args.oidc_issuer = None).contains("--oidc-issuer"));
    assert!(refused(|args| args.no_login = true).contains("--oidc-issuer"));
    assert!(
        refused(|args| args.oidc_issuer = Some("http://issuer.example".parse().expect("a URL")))
            .contains("https")
    );
    assert!(
        refused(|args| args.oidc_client_secret_file = Some("/nowhere".into())).contains("/nowhere")
    );
    assert!(matches!(DoorArgs::default().doors(), Err(DoorError::Undecided)));
}

#[test]
fn a_page_of_another_site_changes_nothing() {
    let issuer = Issuer::start();
    let site = site(&issuer);
    let ask = |headers: &[(&str, &str)]| {
        let mut request = Request::post("/logout");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        site.ask(request.body(Body::empty()).expect("a request")).status
    };
    assert_eq!(ask(&[("sec-fetch-site", "cross-site")]), StatusCode::FORBIDDEN);
    assert_eq!(
        ask(&[("host", "provenance.example"), ("origin", "https://evil.example")]),
        StatusCode::FORBIDDEN
    );
    assert_eq!(ask(&[("sec-fetch-site", "same-origin")]), StatusCode::SEE_OTHER);
}
