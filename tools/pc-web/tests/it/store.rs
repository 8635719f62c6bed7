//! The store changes under the server: pages say so and go on; a report is parsed once.

use std::fs;

use axum::http::StatusCode;

use crate::{Site, report, row, shelve};

#[test]
fn each_report_is_parsed_once_whatever_is_asked() {
    let reports: Vec<_> = (10..20)
        .map(|day| {
            report(&format!("2026-11-{day}T06:00:00Z"), &[row("a:1", "shop"), row("b:1", "shop")])
        })
        .collect();
    let mut site = Site::with(&reports);
    for _ in 0..20 {
        for path in [
            "/",
            "/images",
            "/reports",
            "/api/reports",
            "/api/v1/images",
            "/api/v1/history",
            "/metrics",
            "/images/a:1",
        ] {
            assert_eq!(site.get(path).status, StatusCode::OK, "{path}");
        }
    }
    assert_eq!(site.read().parsed, 10);
}

#[test]
fn new_pruned_corrupt_and_replaced_files_are_seen() {
    let mut site = Site::with(&[]);
    let empty = site.get("/").text;
    assert!(empty.contains("No report yet") && empty.contains("kubectl create job"), "{empty}");
    assert_eq!(site.get("/api/reports").text, "[]");

    let folder = site.folder.path().to_owned();
    let first = shelve(&folder, &report("2026-11-24T06:00:00Z", &[row("a:1", "shop")]));
    site.read();
    assert!(site.get("/images").text.contains("1 images"));

    // Half a file under a report's name, and a report under another's.
    fs::write(folder.join("provenance-20261124-070000.json"), "{\"schemaVersion\":")
        .expect("written");
    fs::copy(folder.join(&first), folder.join("provenance-20261124-073000.json")).expect("copied");
    let library = site.read();
    assert_eq!(library.reports(None).count(), 1);
    let history = site.get("/reports").text;
    assert!(
        history.contains("stops in the middle") && history.contains("renamed or replaced"),
        "{history}"
    );
    let asked = site.get("/?report=provenance-20261124-070000.json");
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        site.get("/api/reports/provenance-20261124-070000.json").status,
        StatusCode::UNPROCESSABLE_ENTITY
    );

    // Replaced while it is indexed: parts of the other file are never shown as this one's.
    let more = report("2026-11-24T06:00:00Z", &[row("b:1", "shop"), row("c:1", "shop")]);
    shelve(&folder, &more);
    assert_eq!(site.get("/images/a:1").status, StatusCode::GONE);
    site.read();
    assert!(site.get("/images").text.contains("2 images"));

    fs::remove_file(folder.join(&first)).expect("removed");
    site.read();
    assert!(site.get("/").text.contains("No report yet"));
}

#[test]
fn a_lost_store_is_shown_as_it_was_and_says_so() {
    let mut site = Site::with(&[report("2026-11-24T06:00:00Z", &[row("a:1", "shop")])]);
    let away = site.folder.path().with_extension("away");
    fs::rename(site.folder.path(), &away).expect("moved");
    site.read();
    let page = site.get("/").text;
    assert!(page.contains("The store cannot be read since"), "{page}");
    assert!(site.get("/images").text.contains("1 images"));
    assert!(site.get("/readyz").text.contains("store"));
    fs::rename(&away, site.folder.path()).expect("moved");
    site.read();
    assert!(!site.get("/").text.contains("cannot be read"));
}

#[test]
fn before_the_first_reading_nothing_is_claimed() {
    let site = Site::new();
    assert_eq!(site.get("/readyz").status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.get("/healthz").json()["status"], "ok");
    assert_eq!(site.get("/").status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.get("/api/reports").status, StatusCode::SERVICE_UNAVAILABLE);
}

#[test]
fn several_clusters_are_kept_apart() {
    let mut east = report("2026-11-24T06:00:00Z", &[row("a:1", "shop")]);
    east.metadata.cluster_name = Some("east".into());
    let mut west = report("2026-11-24T05:00:00Z", &[row("b:1", "shop")]);
    west.metadata.cluster_name = Some("west".into());
    let site = Site::with(&[east, west]);
    assert!(
        site.get("/images?cluster=west").text.contains(">/b:1<")
            || site.get("/images?cluster=west").text.contains("b:1")
    );
    assert!(!site.get("/images?cluster=west").text.contains("a:1"));
    // The older report of one cluster is not an older report of the other.
    assert!(!site.get("/?cluster=west").text.contains("An older report is shown"));
    assert!(site.get("/?cluster=north").text.contains("No report of this cluster"));
}
