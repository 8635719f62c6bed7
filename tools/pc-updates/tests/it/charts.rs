//! Charts of Helm releases: from web servers and registries.

use serde_json::{Value, json};
use testkit::registry::{Access, Canned, FakeRegistry};

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
    assert_eq!(
        first["leftOut"],
        json!(["a pre-release: 3.0.0-rc.1", "deprecated: 2.0.0", "no semantic version: nonsense"])
    );
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

/// An index with these versions of `web`.
fn index(versions: &[&str]) -> String {
    let entry = |version: &&str| format!("  - {{name: web, version: {version}}}\n");
    let entries: String = versions.iter().map(entry).collect();
    format!("entries:\n  web:\n{entries}")
}

#[test]
fn a_server_gets_the_credentials_that_dockers_file_has_for_it() {
    let server = FakeRegistry::start();
    server.serve_file("/charts/index.yaml", INDEX);
    server.switch(|switches| switches.access = Access::basic("ann", "hunter2"));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.json");
    let ask = |place: &str, password: &str| {
        let auths = json!({"auths": {place: {"username": "ann", "password": password}}});
        std::fs::write(&file, auths.to_string()).expect("written");
        server.clear_log();
        let record = release("web", "web", "1.2.3", Some(&url(&server)));
        let run = updates(&server).arg("--registry-auth").arg(&file).stdin(stream(&[record]));
        let ran = run.run().ok();
        assert!(!ran.text().contains("hunter2") && !ran.stderr.contains("hunter2"));
        let sent = server.log().into_iter().map(|asked| asked.header("authorization").is_some());
        (word(&update(&ran), "status").to_owned(), codes(&ran), sent.collect::<Vec<_>>())
    };
    let let_in = ("available".to_owned(), vec![], vec![false, true]);
    assert_eq!(ask(&server.host(), "hunter2"), let_in);
    assert_eq!(ask(&format!("{}/charts", server.host()), "hunter2"), let_in);
    assert_eq!(ask(&format!("http://{}/charts/", server.host()), "hunter2"), let_in);
    let unauthorized = vec!["unauthorized".to_owned()];
    let refused = |sent| ("unknown".to_owned(), unauthorized.clone(), sent);
    assert_eq!(ask(&server.host(), "wrong"), refused(vec![false, true]));
    assert_eq!(ask("other.example.com", "hunter2"), refused(vec![false]));
    assert_eq!(ask(&format!("{}/other", server.host()), "hunter2"), refused(vec![false]));
}

#[test]
fn a_server_is_trusted_by_the_authorities_that_registries_are() {
    let server = FakeRegistry::start_tls();
    server.serve_file("/charts/index.yaml", INDEX);
    let folder = tempfile::tempdir().expect("a folder");
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, server.authority().expect("it speaks https")).expect("written");
    let record = release("web", "web", "1.2.3", Some(&format!("https://{}/charts", server.host())));
    let run = || {
        let run = testkit::pc("updates").args(["--allow-address", "127.0.0.1", "--max-tries", "1"]);
        run.stdin(stream(std::slice::from_ref(&record)))
    };
    let ran = run().arg("--ca-file").arg(&authority).run().ok();
    assert_eq!(word(&update(&ran), "status"), "available");
    assert_eq!(codes(&run().run().ok()), ["tls"]);
}

#[test]
fn an_index_that_has_not_changed_is_not_fetched_again() {
    let server = FakeRegistry::start();
    server.serve_file("/charts/index.yaml", INDEX);
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache");
    let ask = || {
        server.clear_log();
        let record = release("web", "web", "1.2.3", Some(&url(&server)));
        let ran = updates(&server).env("PROVENANCE_CHART_CACHE", &cache).stdin(stream(&[record]));
        let ran = ran.run().ok();
        let statuses: Vec<u16> = server.log().iter().map(|asked| asked.status).collect();
        (update(&ran), statuses, ran.stderr)
    };
    let (first, statuses, _) = ask();
    assert_eq!((word(&first, "newest"), statuses), ("2.1.0", vec![200]));
    let (again, statuses, said) = ask();
    assert_eq!((&again, statuses, said.as_str()), (&first, vec![304], ""));
    // A changed index has another ETag.
    server.serve_file("/charts/index.yaml", index(&["1.2.3", "4.0.0"]));
    let (changed, statuses, _) = ask();
    assert_eq!((word(&changed, "newest"), statuses), ("4.0.0", vec![200]));
    assert_eq!(ask().1, [304]);
    // What is corrupt is fetched again, and said.
    let kept = std::fs::read_dir(&cache).expect("a folder").next().expect("a file").expect("read");
    let mut bytes = std::fs::read(kept.path()).expect("read");
    let at = bytes.len() - 20;
    bytes[at] ^= 1;
    std::fs::write(kept.path(), bytes).expect("written");
    let (healed, statuses, said) = ask();
    assert_eq!((&healed, statuses), (&changed, vec![200]));
    assert!(said.contains("a kept index of charts is of no use"), "{said}");
    assert_eq!(ask().1, [304]);
    // A server that fails is not answered for.
    server.can("/charts/index.yaml", Canned::status(500));
    let record = release("web", "web", "1.2.3", Some(&url(&server)));
    let run = updates(&server).args(["--max-tries", "1", "--chart-cache"]).arg(&cache);
    assert_eq!(word(&update(&run.stdin(stream(&[record])).run().ok()), "status"), "unknown");
}

#[test]
fn a_folder_for_indexes_that_is_none_is_a_fault_of_usage() {
    let server = server(INDEX);
    let file = tempfile::NamedTempFile::new().expect("a file");
    let ran = updates(&server).arg("-n").arg("--chart-cache").arg(file.path()).run().code(2);
    let _ = ran.says("`--chart-cache`");
}

#[test]
fn age_and_filter_hold_for_charts_and_a_version_that_was_taken_back_is_told() {
    let server = server(
        "entries:\n  web:\n  - {version: 1.2.3, created: '2026-01-01T00:00:00Z', removed: true}\n  \
         - {version: 1.3.0, created: '2026-11-01T00:00:00.5Z'}\n  \
         - {version: 1.4.0, created: '2026-11-23T00:00:00Z'}\n",
    );
    let folder = tempfile::tempdir().expect("a folder");
    let rules = folder.path().join("rules.yaml");
    let text = "rules:\n- {charts: [web], minimumAge: 7d, filter: '^1[.]'}\n";
    std::fs::write(&rules, text).expect("written");
    let record = release("web", "web", "1.2.3", Some(&url(&server)));
    // 2026-11-24T06:00:00Z
    let run = updates(&server).env("SOURCE_DATE_EPOCH", "1795500000").arg("--rules").arg(&rules);
    let answer = update(&run.stdin(stream(&[record])).run().ok());
    assert_eq!((word(&answer, "status"), word(&answer, "newest")), ("available", "1.3.0"));
    assert_eq!(answer["leftOut"], json!(["younger than the minimum age: 1.4.0"]));
    assert_eq!(word(&answer, "reason"), "its publisher took this version back");
    assert_eq!(word(&answer, "rule"), "filter=^1[.] minimumAge=7d");
}

#[test]
fn what_is_no_version_is_named_and_a_hole_hides_nothing() {
    let server = server(
        "entries:\n  web:\n  - {name: web, version: 1.2.3}\n  - null\n  - {version: '1.9'}\n  - {version: 01.3.0}\n",
    );
    let record = release("web", "web", "1.2.3", Some(&url(&server)));
    let update = update(&updates(&server).stdin(stream(&[record])).run().ok());
    assert_eq!(word(&update, "status"), "current", "{update}");
    let left_out = update["leftOut"].to_string();
    assert!(left_out.contains("1.9") && left_out.contains("no semantic version"), "{update}");
}
