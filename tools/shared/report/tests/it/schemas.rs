//! Exports against what others publish: schemas, parsers, and a real API server with the kinds of
//! policy reports. `scripts/schemas` gets those; without them these tests say that they skip.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use jsonschema::Registry;
use report::Report;
use report::export::Format;
use serde_json::Value;
use testkit::{Testbed, published};

use crate::exports::{export, hostile};
use crate::{SHOP, assemble};

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("a schema")).expect("JSON")
}

fn reports() -> [Report; 3] {
    let mut empty = assemble(SHOP);
    empty.images.clear();
    empty.helm_releases.clear();
    empty.metadata.cluster_name = None;
    empty.summary = report::Summary::of(&[], &[], 0);
    [assemble(SHOP), hostile(), empty]
}

#[track_caller]
fn assert_valid(validator: &jsonschema::Validator, document: &Value) {
    let faults: Vec<String> = validator
        .iter_errors(document)
        .map(|fault| format!("{}: {fault}", fault.instance_path()).chars().take(300).collect())
        .collect();
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn sarif_is_valid_by_its_schema() {
    let Some(path) = published("sarif_is_valid_by_its_schema", "sarif.json") else { return };
    let options = jsonschema::options().should_validate_formats(true);
    let mut schema = read(&path);
    // The published pattern of these two, which we do not write, has a bracket too many and is no
    // regular expression.
    for of in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][of]["properties"]["language"];
        assert!(language.as_object_mut().expect("a schema").remove("pattern").is_some());
    }
    let validator = options.build(&schema).expect("a schema");
    for report in reports() {
        let document: Value = serde_json::from_str(&export(Format::Sarif, &report)).expect("JSON");
        assert_valid(&validator, &document);
    }
    let mut wrong: Value =
        serde_json::from_str(&export(Format::Sarif, &assemble(SHOP))).expect("JSON");
    wrong["runs"][0]["results"][0]["kind"] = Value::from("closed");
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn cyclonedx_is_valid_by_its_schema() {
    let Some(folder) = published("cyclonedx_is_valid_by_its_schema", "cyclonedx") else { return };
    let schema = |name: &str| read(&folder.join(format!("{name}.schema.json")));
    // The published schema refers to its neighbours by these names.
    let address = |name: &str| format!("http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json");
    let (spdx, jsf) = (schema("spdx"), schema("jsf-0.82"));
    let registry = Registry::new()
        .add(address("spdx"), &spdx)
        .and_then(|registry| registry.add(address("jsf-0.82"), &jsf))
        .and_then(|registry| registry.prepare())
        .expect("schemas");
    let options = jsonschema::options().with_registry(&registry).should_validate_formats(true);
    let validator = options.build(&schema("bom-1.6")).expect("a schema");
    for report in reports() {
        let document: Value =
            serde_json::from_str(&export(Format::CycloneDx, &report)).expect("JSON");
        assert_valid(&validator, &document);
        assert_references_resolve(&document);
    }
    let mut wrong: Value =
        serde_json::from_str(&export(Format::CycloneDx, &assemble(SHOP))).expect("JSON");
    wrong["components"][0]["hashes"][0]["content"] = Value::from("short");
    assert!(!validator.is_valid(&wrong));
}

/// Every `bom-ref` is there once, and all that is referred to is there: a schema cannot say that.
#[track_caller]
fn assert_references_resolve(bom: &Value) {
    let components = bom["components"].as_array().into_iter().flatten();
    let mut known: Vec<&str> =
        components.map(|one| one["bom-ref"].as_str().expect("a reference")).collect();
    known.push("cluster");
    known.sort_unstable();
    let all = known.len();
    known.dedup();
    assert_eq!(known.len(), all, "{known:?}");
    for dependency in bom["dependencies"].as_array().expect("dependencies") {
        let on = dependency["dependsOn"].as_array().into_iter().flatten();
        for name in on.chain([&dependency["ref"]]) {
            let name = name.as_str().expect("a reference");
            assert!(known.binary_search(&name).is_ok(), "{name}");
        }
    }
}

/// Gives a program a text and asserts that it takes it.
#[track_caller]
fn assert_takes(command: &mut Command, text: &str) {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().expect("started");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(text.as_bytes()).expect("written");
    drop(stdin);
    let ended = child.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success() && said.is_empty(), "{said}");
}

#[test]
fn promtool_finds_no_fault_in_the_metrics() {
    let test = "promtool_finds_no_fault_in_the_metrics";
    let Some(promtool) = published(test, "promtool") else { return };
    for report in reports() {
        let metrics = export(Format::Prometheus, &report);
        assert_takes(Command::new(&promtool).args(["check", "metrics"]), &metrics);
    }
}

#[test]
fn the_reference_parser_reads_openmetrics() {
    let test = "the_reference_parser_reads_openmetrics";
    let Some(wheel) = published(test, "openmetrics.whl") else { return };
    let script = "import sys; from prometheus_client.openmetrics.parser import \
                  text_string_to_metric_families as read; \
                  assert len(list(read(sys.stdin.read()))) > 5";
    for report in reports() {
        let metrics = export(Format::OpenMetrics, &report);
        let mut python = Command::new("python3");
        assert_takes(python.args(["-c", script]).env("PYTHONPATH", &wheel), &metrics);
    }
}

/// The API server of the testbed, asked by curl as its administrator.
struct Server(Testbed);

impl Server {
    /// Sends a body (YAML, of which JSON is a part); gives the status code and the answer.
    fn send(&self, method: &str, path: &str, kind: &str, body: &str) -> (u16, String) {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--noproxy", "*", "-X", method, "-w", "\n%{http_code}"]);
        curl.arg("--cacert").arg(&self.0.apiserver_ca);
        curl.args(["-H", &format!("Authorization: Bearer {}", self.0.token)]);
        curl.args(["-H", &format!("Content-Type: {kind}"), "--data-binary", "@-"]);
        curl.arg(format!("{}{path}", self.0.apiserver));
        let mut child =
            curl.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("curl is installed");
        child.stdin.take().expect("a pipe").write_all(body.as_bytes()).expect("written");
        let answer = child.wait_with_output().expect("ended").stdout;
        let answer = String::from_utf8(answer).expect("UTF-8");
        let (text, code) = answer.rsplit_once('\n').expect("a status code");
        (code.parse().expect("a number"), text.to_owned())
    }

    /// What `kubectl apply --server-side --validate=strict` sends.
    fn apply(&self, path: &str, body: &str) -> (u16, String) {
        let query = "fieldManager=provenance-collector&fieldValidation=Strict&force=true";
        self.send("PATCH", &format!("{path}?{query}"), "application/apply-patch+yaml", body)
    }
}

/// The report with all its namespaces called otherwise, so that other tests of the same API server
/// see nothing that they know.
fn apart(report: Report) -> Report {
    let mut report = report;
    let own = |name: &str| format!("exports-{name}");
    for name in &mut report.metadata.namespaces_scanned {
        *name = own(name);
    }
    for row in &mut report.images {
        row.namespace = row.namespace.as_deref().map(own);
    }
    // Images that were named as arguments belong to the cluster.
    let mut named = report.images[0].clone();
    (named.namespace, named.workload, named.container) = (None, None, None);
    report.images.push(named);
    for release in &mut report.helm_releases {
        release.namespace = own(&release.namespace);
    }
    report
}

#[test]
fn a_real_api_server_takes_policy_reports_and_misses_no_field() {
    let test = "a_real_api_server_takes_policy_reports_and_misses_no_field";
    let Some(server) = Testbed::from_env(test).map(Server) else { return };
    let kinds = [(Format::PolicyReport, "wgpolicyk8s"), (Format::OpenReports, "openreports")];
    let report = apart(assemble(SHOP));
    for name in &report.metadata.namespaces_scanned {
        let body = format!("{{\"metadata\": {{\"name\": \"{name}\"}}}}");
        let (code, said) = server.send("POST", "/api/v1/namespaces", "application/json", &body);
        assert!([201, 409].contains(&code), "{said}");
    }
    for (format, folder) in kinds {
        let Some(folder) = published(test, folder) else { return };
        for file in fs::read_dir(folder).expect("a folder") {
            let crd = fs::read_to_string(file.expect("a file").path()).expect("a CRD");
            let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
            let (code, said) = server.send("POST", path, "application/yaml", &crd);
            assert!([201, 409].contains(&code), "{said}");
        }
        let list: Value = serde_json::from_str(&export(format, &report)).expect("JSON");
        let items = list["items"].as_array().expect("items");
        assert_eq!(items.len(), report.metadata.namespaces_scanned.len() + 1);
        // The second time as the first: it is the same report.
        for item in items.iter().chain(items) {
            let kept = applied(&server, item);
            for part in ["summary", "results"] {
                assert_eq!(kept[part], item[part], "{part}");
            }
        }
    }
}

/// Applies an object once its kind is served, and gives what the server keeps.
fn applied(server: &Server, item: &Value) -> Value {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let plural = format!("{}s", text(&item["kind"]).to_lowercase());
    let place = match item["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("namespaces/{namespace}/{plural}"),
        None => plural,
    };
    let name = text(&item["metadata"]["name"]);
    let path = format!("/apis/{}/{place}/{name}", text(&item["apiVersion"]));
    let mut last = (0, String::new());
    for _ in 0..100 {
        last = server.apply(&path, &item.to_string());
        // The kind is not served yet.
        if last.0 != 404 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!([200, 201].contains(&last.0), "{path}: {last:?}");
    serde_json::from_str(&last.1).expect("JSON")
}
