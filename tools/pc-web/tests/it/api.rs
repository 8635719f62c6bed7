//! The API: the older shapes and the flat ones.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::{Site, report, row};

fn site() -> Site {
    let mut signed = row("registry.example.com/b:1", "shop");
    signed["signature"] =
        json!({"signed": true, "verified": true, "error": null, "verdict": "trusted"});
    let mut unknown = row("registry.example.com/c:1", "bank");
    unknown["signature"] =
        json!({"signed": null, "verified": false, "error": "401", "verdict": "unknown"});
    Site::with(&[
        report("2026-11-23T06:00:00Z", &[row("registry.example.com/a:1", "shop")]),
        report("2026-11-24T06:00:00Z", &[row("registry.example.com/a:1", "shop"), signed, unknown]),
    ])
}

#[test]
fn reports_have_the_names_that_panels_read() {
    let site = site();
    let list = site.get("/api/reports").json();
    assert_eq!(list[0]["filename"], "provenance-20261124-060000.json");
    assert_eq!(list[0]["generatedAt"], "2026-11-24T06:00:00Z");
    assert_eq!(list[0]["clusterName"], "prod");
    assert_eq!(list[0]["summary"]["uniqueImages"], 3);
    assert_eq!(list[1]["filename"], "provenance-20261123-060000.json");
    let latest = site.get("/api/reports/latest");
    assert_eq!(latest.headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(latest.json()["images"][1]["signature"]["verified"], true);
    assert_eq!(
        site.get("/api/reports/provenance-20261123-060000.json").json()["summary"]["totalImages"],
        1
    );
    assert_eq!(site.get("/api/reports/provenance-latest.json").status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/api/reports/nothing.json").status, StatusCode::NOT_FOUND);
    for outside in ["..%2f..%2fetc%2fpasswd", "..", "a%2fb", "a%5cb"] {
        assert_eq!(
            site.get(&format!("/api/reports/{outside}")).status,
            StatusCode::BAD_REQUEST,
            "{outside}"
        );
    }
}

#[test]
fn every_key_is_always_there_and_unknown_is_null() {
    let site = site();
    let images = site.get("/api/v1/images?sort=image").json();
    let rows = images.as_array().expect("an array");
    assert_eq!(rows.len(), 3);
    let keys =
        |row: &Value| row.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert!(rows.iter().all(|row| keys(row) == keys(&rows[0])));
    assert!(rows.iter().all(|row| {
        row.as_object()
            .expect("an object")
            .values()
            .all(|value| !value.is_object() && !value.is_array())
    }));
    let signed: Vec<&Value> = rows.iter().map(|row| &row["signed"]).collect();
    assert_eq!(signed, [&json!(0), &json!(1), &Value::Null]);
    assert_eq!(rows[2]["signature"], "unknown");
    assert_eq!(rows[2]["unchecked"], 1);
}

#[test]
fn questions_are_answered_or_refused() {
    let site = site();
    assert_eq!(site.get("/api/v1/images?offset=1000").text, "[]");
    assert_eq!(
        site.get("/api/v1/images?namespace=bank&fields=image,signature").json(),
        json!([{"image": "registry.example.com/c:1", "signature": "unknown"}])
    );
    assert_eq!(
        site.get("/api/v1/images?filter=signature:trusted").json().as_array().map(Vec::len),
        Some(1)
    );
    let namespaces = site.get("/api/v1/namespaces?filter=namespace:bank").json();
    assert_eq!(
        (&namespaces[0]["uses"], &namespaces[0]["signatureUnknown"]),
        (&json!(1), &json!(1))
    );
    let history = site.get("/api/v1/history?from=2026-11-24T00:00:00Z").json();
    assert_eq!(history.as_array().map(Vec::len), Some(1));
    assert_eq!(history[0]["generatedAtMs"], 1_795_500_000_000_i64);
    assert_eq!(
        site.get("/api/v1/summary?report=provenance-20261123-060000.json").json()["uniqueImages"],
        1
    );
    for bad in [
        "/api/v1/images?limit=9999",
        "/api/v1/images?fields=nothing",
        "/api/v1/images?novel=1",
        "/api/v1/history?from=x",
    ] {
        let got = site.get(bad);
        assert_eq!(got.status, StatusCode::BAD_REQUEST, "{bad}");
        assert!(got.json()["error"].is_string());
    }
}

#[test]
fn who_has_the_answer_is_told_so() {
    let site = site();
    for path in ["/api/reports/latest", "/api/v1/images?limit=1", "/api/v1/summary"] {
        let first = site.get(path);
        let tag = first.headers[header::ETAG].clone();
        let again = Request::get(path)
            .header(header::IF_NONE_MATCH, &tag)
            .body(Body::empty())
            .expect("a request");
        let again = site.ask(again);
        assert_eq!((again.status, &*again.text), (StatusCode::NOT_MODIFIED, ""), "{path}");
    }
    let one = site.get("/api/v1/images?limit=1").headers[header::ETAG].clone();
    assert_ne!(one, site.get("/api/v1/images?limit=2").headers[header::ETAG]);
}

#[test]
fn metrics_count_in_words_that_dashboards_know() {
    let text = site().get("/metrics").text;
    for line in [
        "provenance_last_report_timestamp_seconds{cluster=\"prod\"} 1795500000",
        "provenance_report_complete{cluster=\"prod\"} 1",
        "provenance_images{cluster=\"prod\",namespace=\"shop\"} 2",
        "provenance_check_results{cluster=\"prod\",namespace=\"shop\",check=\"signature\",result=\"pass\"} 1",
        "provenance_check_results{cluster=\"prod\",namespace=\"bank\",check=\"signature\",result=\"error\"} 1",
        "provenance_stored_reports 2",
    ] {
        assert!(text.lines().any(|found| found == line), "no `{line}` in\n{text}");
    }
    assert!(!text.contains("sha256:") && !text.contains("registry.example.com"));
}
