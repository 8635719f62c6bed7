//! Charts of Helm releases: from web servers and registries.

use serde_json::{Value, json};
use testkit::registry::{Canned, FakeRegistry};

use crate::{codes, stream, update, updates};

fn word<'v>(record: &'v Value, key: &str) -> &'v str {
    record[key].as_str().unwrap_or("-")
}

/// A `release` record.
pub(crate) fn release(name: &str, chart: &str, version: &str, url: Option<&str>) -> Value {
    let (kind, how) = match url {
        Some(_) => ("configuration", "rule 1"),
        None => ("unknown", "no object of Flux, Argo CD or k3s says so"),
    };
    json!({
        "type": "release", "v": 1, "namespace": "shop", "releaseName": name, "driver": "secret",
        "chart": chart, "version": version, "appVersion": null, "revision": 1,
        "status": "deployed", "deprecated": false, "firstDeployed": null, "lastDeployed": null,
        "revisions": 1, "images": [], "origin": {"kind": kind, "url": url, "how": how},
    })
}

const INDEX: &str = "apiVersion: v1
entries:
  web:
  - {name: web, version: 2.1.0, appVersion: 9.0}
  - {name: web, version: 2.0.0, appVersion: 8.0, deprecated: true}
  - {name: web, version: 3.0.0-rc.1}
  - {name: web, version: 1.2.4, appVersion: '7.1'}
  - {name: web, version: 1.2.3, appVersion: '7.0'}
  - {name: web, version: nonsense}
  other: []
";

fn server(index: &str) -> FakeRegistry {
    let server = FakeRegistry::start();
    server.can("/charts/index.yaml", Canned::status(200).body(index));
    server
}

fn url(server: &FakeRegistry) -> String {
    format!("http://{}/charts", server.host())
}

#[test]
fn a_web_server_is_asked_once_for_all_releases() {
    let server = server(INDEX);
    let url = url(&server);
    let records: Vec<Value> = (0..30)
        .map(|n| release(&format!("web-{n}"), "web", "1.2.3", Some(&url)))
        .chain([
            release("new", "web", "2.1.0", Some(&url)),
            release("gone", "web", "2.2.0", Some(&url)),
            release("lost", "mail", "1.0.0", Some(&url)),
            release("odd", "web", "latest", Some(&url)),
        ])
        .collect();
    let ran = updates(&server).stdin(stream(&records)).run().ok();
    let answers = ran.of_type("update");
    assert_eq!((answers.len(), server.log().len()), (34, 1));
    let first = &answers[0];
    assert_eq!((word(first, "kind"), word(first, "releaseName")), ("release", "web-0"));
    assert_eq!((word(first, "status"), word(first, "newest")), ("available", "2.1.0"));
    assert_eq!((word(first, "latestInPatch"), word(first, "latestInMajor")), ("1.2.4", "1.2.4"));
    assert_eq!((word(first, "newestAppVersion"), &first["behind"]), ("9.0", &json!(2)));
    assert_eq!(first["leftOut"], json!(["a pre-release: 3.0.0-rc.1", "deprecated: 2.0.0"]));
    let statuses: Vec<_> = answers[30..].iter().map(|answer| word(answer, "status")).collect();
    assert_eq!(statuses, ["current", "unknown", "unknown", "not-comparable"]);
    assert_eq!(codes(&ran), ["not-found", "not-found"]);
    let failure = &ran.of_type("failure")[0];
    assert_eq!((word(failure, "namespace"), word(failure, "releaseName")), ("shop", "gone"));
}

#[test]
fn a_registry_has_the_versions_as_tags() {
    let registry = FakeRegistry::start();
    for tag in ["1.2.3", "1.3.0_up.1", "1.3.0_up.2", "2.0.0-beta.1", "latest", "v9", "20240101"] {
        registry.push_image("charts/web", Some(tag), tag);
    }
    let url = format!("oci://{}/charts/web", registry.host());
    let records = [
        release("web", "web", "1.2.3", Some(&url)),
        release("up", "web", "1.3.0+up.1", Some(&url)),
    ];
    let ran = updates(&registry).stdin(stream(&records)).run().ok();
    let answers = ran.of_type("update");
    assert_eq!(
        (word(&answers[0], "status"), word(&answers[0], "newest")),
        ("available", "1.3.0+up.2")
    );
    assert_eq!((word(&answers[1], "status"), registry.log().len()), ("current", 1));
}

#[test]
fn an_origin_that_nobody_knows_is_said() {
    let registry = FakeRegistry::start();
    let record = release("web", "web", "1.2.3", None);
    let ran = updates(&registry).stdin(stream(&[record])).run().ok();
    let answer = update(&ran);
    assert_eq!(word(&answer, "status"), "unknown");
    let reason = word(&answer, "reason");
    assert!(
        reason.starts_with("origin-unknown: ") && reason.contains("--chart-origins"),
        "{reason}"
    );
    assert!(reason.contains("no object of Flux"), "{reason}");
}

#[test]
fn a_server_that_does_not_answer_leaves_the_release_unknown() {
    for (answer, code) in [
        (Canned::status(404), "not-found"),
        (Canned::status(401), "unauthorized"),
        (Canned::status(429), "rate-limited"),
        (Canned::status(500), "server-error"),
        (Canned::status(200).body("<html>log in</html>"), "bad-response"),
        (
            Canned::status(200).body("entries:\n  web:\n  - version: 9.0.0\n  - version: \"1"),
            "bad-response",
        ),
        (Canned::status(302).header("location", "http://evil.example/"), "redirect-refused"),
    ] {
        let server = FakeRegistry::start();
        server.can("/charts/index.yaml", answer);
        let record = release("web", "web", "1.2.3", Some(&url(&server)));
        let ran = updates(&server).args(["--max-tries", "1"]).stdin(stream(&[record])).run().ok();
        let answer = update(&ran);
        assert_eq!((word(&answer, "status"), codes(&ran)), ("unknown", vec![code.to_owned()]));
    }
}

#[test]
fn plain_http_is_spoken_only_where_it_is_meant() {
    let (server, other) = (server(INDEX), FakeRegistry::start());
    let record = release("web", "web", "1.2.3", Some(&url(&server)));
    let ran = updates(&other).stdin(stream(&[record])).run().ok();
    assert_eq!(codes(&ran), ["host-not-allowed"]);
    assert!(server.log().is_empty());
}

#[test]
fn a_server_gets_the_credentials_of_the_hosts_file() {
    let server = server(INDEX);
    let folder = tempfile::tempdir().expect("a folder");
    let hosts = folder.path().join("hosts.yaml");
    let text = format!(
        "hosts:\n  '{}':\n    plainHttp: true\n    credentials: {{username: ann, passwordEnv: SECRET}}\n",
        server.host()
    );
    std::fs::write(&hosts, text).expect("written");
    let record = release("web", "web", "1.2.3", Some(&url(&server)));
    let ran = testkit::pc("updates")
        .arg("--hosts-file")
        .arg(&hosts)
        .env("SECRET", "hunter2")
        .stdin(stream(&[record]))
        .run()
        .ok();
    assert_eq!(word(&update(&ran), "status"), "available");
    let authorization = server.log()[0].header("authorization").map(str::to_owned);
    assert_eq!(authorization.as_deref(), Some("Basic YW5uOmh1bnRlcjI="));
    assert!(!ran.text().contains("hunter2") && !ran.stderr.contains("hunter2"));
}

#[test]
fn rules_hold_for_releases_too() {
    let server = server(INDEX);
    let folder = tempfile::tempdir().expect("a folder");
    let rules = folder.path().join("rules.yaml");
    let text =
        "rules:\n- {releases: ['shop/pinned'], pin: '1'}\n- {charts: [web], desired: 1.2.4}\n";
    std::fs::write(&rules, text).expect("written");
    let url = url(&server);
    let records = [
        release("pinned", "web", "1.2.3", Some(&url)),
        release("wanted", "web", "1.2.3", None),
        release("there", "web", "1.2.4", None),
    ];
    let ran = updates(&server).arg("--rules").arg(&rules).stdin(stream(&records)).run().ok();
    let answers = ran.of_type("update");
    let told: Vec<_> =
        answers.iter().map(|u| (word(u, "rule"), word(u, "status"), word(u, "newest"))).collect();
    assert_eq!(
        told,
        [
            ("pin=1", "available", "1.2.4"),
            ("desired=1.2.4", "available", "1.2.4"),
            ("desired=1.2.4", "current", "-"),
        ]
    );
}
