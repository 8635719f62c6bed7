//! The dashboard and the API over real stores: in the process for answers, as a process for what
//! only a process has.

mod api;
mod doors;
mod issuer;
mod pages;
mod process;
mod store;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use jiff::Timestamp;
use pc_web::app::{self, App};
use pc_web::doors::Doors;
use pc_web::library::{Library, Reader};
use report::{Report, Summary};
use serde_json::{Value, json};
use stage::clock::Clock;
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt;

/// When these tests are.
const NOW: &str = "2026-11-24T08:00:00Z";

/// A row of a report, as JSON, to be changed.
fn row(image: &str, namespace: &str) -> Value {
    json!({
        "image": image, "digest": null, "namespace": namespace,
        "workload": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "container": "main", "containerType": "container", "imageId": "sha256:unknown",
        "platform": "linux/amd64", "pinned": false, "idle": false, "pods": 1, "nodes": 1,
        "podNames": ["web-1"], "repository": image.split(':').next(), "tag": null,
        "index": null, "manifest": null, "how": null, "present": null, "foundIn": null,
        "tagDigest": null, "drift": "same", "error": null,
        "signature": {"signed": false, "verified": false, "error": null, "verdict": "absent"},
        "sbom": {"hasSBOM": false, "format": null, "formatVersion": null, "error": null, "verdict": "absent"},
        "provenance": {"hasProvenance": false, "predicateType": null, "level": null, "error": null, "verdict": "absent"},
        "policies": null,
        "update": {"currentTag": null, "latestInMajor": null, "newestAvailable": null,
            "updateAvailable": null, "status": "not-comparable", "reason": null, "rule": ""},
    })
}

/// The report of these rows, made at `time`.
fn report(time: &str, rows: &[Value]) -> Report {
    let value = json!({
        "schemaVersion": report::SCHEMA_VERSION,
        "metadata": {"generatedAt": time, "collectorVersion": "0.1.0", "clusterName": "prod",
            "namespacesScanned": ["shop"], "complete": true, "incompleteWhy": []},
        "images": rows, "evidence": [], "helmReleases": [], "failures": [], "stages": [],
        "summary": Summary::of(&[], &[], 0),
    });
    let mut report: Report = serde_json::from_value(value).expect("a report");
    report.summary = Summary::of(&report.images, &report.helm_releases, report.failures.len());
    report
}

/// Puts a report into a store, under its name.
fn shelve(folder: &Path, report: &Report) -> String {
    let time: Timestamp = report.metadata.generated_at.parse().expect("a time");
    let name = pc_store::names::ReportName::new(time, 0).to_string();
    let mut bytes = Vec::new();
    report.write_to(&mut bytes).expect("written");
    fs::write(folder.join(&name), bytes).expect("written");
    name
}

/// A store and a server over it.
struct Site {
    folder: TempDir,
    reader: Reader,
    renew: watch::Sender<Option<Arc<Library>>>,
    router: Router,
}

/// An answer.
struct Got {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect(&self.text)
    }
}

impl Site {
    /// A site whose store is empty and was not read yet.
    fn new() -> Self {
        Self::behind(Doors::open())
    }

    /// The same behind these doors.
    fn behind(doors: Doors) -> Self {
        let folder = TempDir::new().expect("a folder");
        let reader = Reader::new(folder.path(), 256 << 20);
        let (renew, library) = watch::channel(None);
        let clock = Clock::Fixed(NOW.parse().expect("a time"));
        let router = app::routes().into_router(App::new(library, doors, clock));
        Self { folder, reader, renew, router }
    }

    /// A site with these reports.
    fn with(reports: &[Report]) -> Self {
        let mut site = Self::new();
        for report in reports {
            shelve(site.folder.path(), report);
        }
        site.read();
        site
    }

    /// Reads the store, as the watch does.
    fn read(&mut self) -> Arc<Library> {
        let library = Arc::new(self.reader.read(NOW.parse().expect("a time")));
        self.renew.send_replace(Some(Arc::clone(&library)));
        library
    }

    fn get(&self, path: &str) -> Got {
        self.ask(Request::get(path).body(Body::empty()).expect("a request"))
    }

    fn ask(&self, request: Request<Body>) -> Got {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let answer = self.router.clone().oneshot(request).await.expect("an answer");
            let (parts, body) = answer.into_parts();
            let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Got { status: parts.status, headers: parts.headers, text }
        })
    }
}

#[test]
fn flags_are_whole_and_written_down() {
    let command = stage::cli::command::<pc_web::Cli>();
    assert_eq!(stage::reference::faults(&command), Vec::<String>::new());
    testkit::generated("docs/tools/pc-web.md", &stage::reference::page(&command));
}
