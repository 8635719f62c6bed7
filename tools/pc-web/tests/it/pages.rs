//! Pages: true in every state, hostile names as text, small, and every count leads to what it
//! counts.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use pc_web::app;
use serde_json::json;

use crate::{Site, report, row};

const PAGES: [&str; 4] = ["/", "/images", "/releases", "/reports"];

/// The address of every link on a page whose text has the class.
fn links<'a>(page: &'a str, class: &str) -> Vec<(&'a str, &'a str)> {
    page.split("<a ")
        .skip(1)
        .filter(|link| link.split('>').next().is_some_and(|tag| tag.contains(class)))
        .map(|link| {
            let href = link.split("href=\"").nth(1).and_then(|rest| rest.split('"').next());
            let text = link.split("</a>").next().unwrap_or_default();
            (href.expect("an address"), text)
        })
        .collect()
}

/// The number behind a text, or none.
fn number(text: &str, before: &str) -> Option<usize> {
    let rest = text.split(before).nth(1)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[test]
fn every_card_counts_what_its_list_has() {
    let verdicts = ["trusted", "valid", "present", "absent", "invalid", "unknown", "skipped"];
    let drifts = ["same", "moved", "unknown", "skipped"];
    let mut rows = Vec::new();
    for at in 0..60 {
        // Three uses of each image, which do not always agree.
        let mut row = row(&format!("registry.example.com/app{}:1.0.0", at / 3), "shop");
        row["signature"]["verdict"] = json!(verdicts[at % 7]);
        row["provenance"]["verdict"] = json!(verdicts[(at / 2) % 7]);
        row["sbom"]["verdict"] = json!(verdicts[(at / 3) % 7]);
        row["drift"] = json!(drifts[(at / 5) % 4]);
        row["update"]["status"] = json!(["available", "current", "unknown"][(at / 4) % 3]);
        row["idle"] = json!(at % 11 == 0);
        rows.push(row);
    }
    let site = Site::with(&[report("2026-11-24T06:00:00Z", &rows)]);
    let overview = site.get("/").text;
    let cards = links(&overview, "card");
    assert_eq!(cards.len(), 13);
    for (href, card) in cards.iter().filter(|(href, _)| href.starts_with("/images")) {
        let list = site.get(&href.replace("&amp;", "&")).text;
        let counted = number(card, "<span class=\"number\">");
        assert!(counted.is_some(), "{card}");
        assert_eq!(number(&list, "<p class=\"quiet\">"), counted, "{href}");
        let shown = list.matches("<td class=\"name\">").count();
        assert_eq!(Some(shown), counted, "{href}");
    }
}

#[test]
fn hostile_names_are_text() {
    let names = [
        "<script>alert(1)</script>:1",
        "\"><img src=x onerror=alert(1)>:1",
        "registry.example.com/\u{202e}gpj.exe:1",
        "javascript:alert(1)",
        &format!("registry.example.com/{}:1", "a/".repeat(200)),
    ];
    let mut rows: Vec<_> = names.iter().map(|name| row(name, "<b>shop</b>")).collect();
    rows[0]["error"] = json!("x".repeat(1 << 20));
    rows[0]["workload"]["name"] = json!("</td><script>");
    let mut report = report("2026-11-24T06:00:00Z", &rows);
    report.metadata.cluster_name = Some("<script>prod".into());
    report.metadata.incomplete_why = vec!["<script>why".into()];
    report.metadata.complete = false;
    let site = Site::with(&[report]);
    for page in PAGES
        .into_iter()
        .chain(["/images?group=use&q=%3Cscript%3E", "/images?signature=%3Cscript%3E"])
    {
        let text = site.get(page).text;
        let scripts = text.matches("<script").count();
        assert_eq!(scripts, 2, "only our own: {page}");
        assert!(!text.contains("<img src=x") && !text.contains("<b>shop"), "{page}");
    }
    for (href, _) in links(&site.get("/images").text, "href=\"/images/") {
        let page = site.get(href);
        assert_eq!(page.status, StatusCode::OK, "{href}");
        assert_eq!(page.text.matches("<script").count(), 2, "{href}");
    }
}

#[test]
fn every_answer_has_the_headers_that_keep_others_out() {
    let site = Site::with(&[report("2026-11-24T06:00:00Z", &[row("a:1", "shop")])]);
    for (path, _) in app::routes().list() {
        let path = path
            .replace("{file}", "latest")
            .replace("{*reference}", "a:1")
            .replace("{version}/{name}", "x/app.js");
        for path in [&*path, "/nothing-here"] {
            let got = site.get(path);
            let policy = got.headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
            assert!(
                policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
                "{path}"
            );
            assert!(!policy.contains("unsafe"), "{path}");
            assert_eq!(got.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert!(!got.text.contains(" style=") && !got.text.contains(" onclick="), "{path}");
        }
        // What changes something is asked for by POST, and by nothing else.
        let posted = ["/logout"].contains(&&*path);
        let others: &[&str] = if posted { &["GET"] } else { &["POST"] };
        for method in ["PUT", "DELETE", "PATCH"].iter().chain(others) {
            let request = Request::builder()
                .method(*method)
                .uri(&path)
                .body(Body::empty())
                .expect("a request");
            assert_eq!(site.ask(request).status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
    }
}

#[test]
fn the_first_view_is_small_however_many_images_run() {
    for count in [5_000, 20_000] {
        let rows: Vec<_> = (0..count)
            .map(|at| {
                row(
                    &format!("registry{}.example.com/team{}/app{at}:1.{at}.0", at % 9, at % 50),
                    &format!("ns-{}", at % 180),
                )
            })
            .collect();
        let site = Site::with(&[report("2026-11-24T06:00:00Z", &rows)]);
        for page in ["/", "/images"] {
            let size = wire_size(&site, page);
            assert!(size < 30 * 1024, "{page} of {count}: {size} bytes");
        }
    }
}

fn wire_size(site: &Site, page: &str) -> usize {
    use tower::ServiceExt as _;
    let request = Request::get(page)
        .header(header::ACCEPT_ENCODING, "gzip")
        .body(Body::empty())
        .expect("a request");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let answer = site.router.clone().oneshot(request).await.expect("an answer");
        assert_eq!(answer.headers()[header::CONTENT_ENCODING], "gzip");
        axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body").len()
    })
}

#[test]
fn what_is_not_known_in_an_address_is_said() {
    let site = Site::with(&[report("2026-11-24T06:00:00Z", &[row("a:1", "shop")])]);
    let page = site.get("/images?signature=green").text;
    assert!(page.contains("`signature=green` is not known here, and was left out."));
    assert!(site.get("/images?q=nothing-like-this").text.contains("Nothing fits"));
    let gone = site.get("/?report=provenance-20200101-000000.json");
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert!(gone.text.contains("no longer stored"));
}

#[test]
fn a_stale_or_incomplete_report_says_so_on_every_page() {
    let mut old = report("2026-11-20T06:00:00Z", &[row("a:1", "shop")]);
    old.metadata.complete = false;
    old.metadata.incomplete_why = vec!["the stream of pc-digest was cut".into()];
    let site = Site::with(&[old]);
    for page in PAGES {
        let text = site.get(page).text;
        assert!(text.contains("The newest report is from"), "{page}");
        assert!(text.contains("the stream of pc-digest was cut"), "{page}");
    }
}

#[test]
fn what_one_variant_says_is_not_hidden_by_another() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let mut good = row("registry.example.com/app:1", "shop");
    good["digest"] = json!(digest);
    let mut bad = good.clone();
    bad["image"] = json!("registry.example.com/app:2");
    bad["signature"]["verdict"] = json!("invalid");
    bad["drift"] = json!("moved");
    let site = Site::with(&[report("2026-11-24T06:00:00Z", &[good, bad])]);
    let page = site.get(&format!("/images/registry.example.com/app@{digest}")).text;
    assert!(
        page.contains("app:2") && page.contains("is-invalid") && page.contains(">moved<"),
        "{page}"
    );
    let first = page.find("app:2 ").or_else(|| page.find("app:2")).expect("there");
    assert!(first < page.find("app:1").expect("there"), "what needs a person comes first");
}

#[test]
fn what_nobody_asked_for_is_no_zero() {
    let mut rows = vec![row("a:1", "shop")];
    for check in ["signature", "provenance", "sbom"] {
        rows[0][check]["verdict"] = json!("skipped");
    }
    rows[0]["drift"] = json!("skipped");
    rows[0]["update"]["status"] = json!("skipped");
    let site = Site::with(&[report("2026-11-24T06:00:00Z", &rows)]);
    let page = site.get("/").text;
    assert!(page.contains("not asked") && !page.contains("nothing is contradicted"), "{page}");
    let unsigned = page.split("Unsigned").nth(1).expect("a card");
    assert!(unsigned.split("</a>").next().expect("it").contains("not asked"), "{unsigned}");
}
