//! Discovering from an API server that pages, refuses and expires.

use std::convert::Infallible;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use cluster::Namespaces;
use http::{Request, Response};
use kube::client::Body;
use serde_json::{Value, json};
use stage::clock::Clock;
use stage::{Emitter, Progress};

use super::*;

/// What was written so far.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        String::from_utf8(bytes).expect("UTF-8")
    }

    fn records(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

/// An API server, as a function from path with query to status and answer; it is told how many
/// bytes are written already.
type Api = Arc<dyn Fn(&str, &str) -> (u16, Value) + Send + Sync>;

struct Ran {
    result: Result<(), Fault>,
    records: Vec<Value>,
    asked: Vec<String>,
}

async fn discover(settings: Settings, api: Api) -> Ran {
    let sink = Sink::default();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (log, written) = (Arc::clone(&asked), sink.clone());
    let service = tower::service_fn(move |request: Request<Body>| {
        let uri = request.uri().to_string();
        log.lock().expect("the log").push(uri.clone());
        let (status, answer) = api(&uri, &written.text());
        let body = Body::from(answer.to_string().into_bytes());
        let response = Response::builder().status(status).body(body).expect("a response");
        async move { Ok::<_, Infallible>(response) }
    });
    let cluster = Cluster::from_client(kube::Client::new(service, "default"), "api.test:6443");
    let emitter = Emitter::new(Box::new(sink.clone()), "pc-discover", "0", Clock::System);
    let mut out = Output::new(emitter, Progress::hidden());
    let result = Live::new(&cluster, &settings, &mut out).discover().await;
    match &result {
        Ok(()) => out.end(settings.facts()).expect("ended"),
        Err(_) => out.flush().expect("flushed"),
    }
    let asked = asked.lock().expect("the log").clone();
    Ran { result, records: sink.records(), asked }
}

impl Ran {
    /// Every record but `end`, in few words.
    fn short(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let words = |record: &Value| match text(&record["type"]).as_str() {
            "image" => {
                let owner = &record["workload"];
                let (kind, name) = (text(&owner["kind"]), text(&owner["name"]));
                format!(
                    "{}/{kind}/{name} {} x{}",
                    text(&record["namespace"]),
                    text(&record["image"]),
                    record["pods"]
                )
            }
            "failure" => {
                format!("failure {} {}", text(&record["namespace"]), text(&record["code"]))
            }
            other => other.to_owned(),
        };
        let records = self.records.iter().filter(|record| record["type"] != "end");
        records.filter(|record| record["type"] != "runtime").map(words).collect()
    }

    fn end(&self) -> &Value {
        let end = self.records.last().expect("an end");
        assert_eq!(end["type"], "end");
        &end["stages"][0]
    }

    fn count(&self, path: &str) -> usize {
        self.asked.iter().filter(|uri| uri.split('?').next() == Some(path)).count()
    }
}

fn pod(namespace: &str, name: &str) -> Value {
    json!({"metadata": {"namespace": namespace, "name": name, "uid": name}, "spec": {"nodeName": "n1",
        "containers": [{"name": "c", "image": format!("{name}:1")}]}, "status": {"phase": "Running"}})
}

fn owned(mut pod: Value, kind: &str, owner: &str) -> Value {
    let api_version = if kind == "Job" { "batch/v1" } else { "apps/v1" };
    pod["metadata"]["ownerReferences"] = json!([{"apiVersion": api_version, "kind": kind, "name": owner, "uid": owner, "controller": true}]);
    pod
}

fn list(items: &[Value], next: &str) -> (u16, Value) {
    (200, json!({"kind": "List", "metadata": {"continue": next}, "items": items}))
}

fn named(names: &[&str]) -> (u16, Value) {
    let items: Vec<Value> = names.iter().map(|name| json!({"metadata": {"name": name}})).collect();
    list(&items, "")
}

fn refused(code: u16) -> (u16, Value) {
    (code, json!({"kind": "Status", "status": "Failure", "message": "no", "code": code}))
}

fn nodes() -> (u16, Value) {
    let info = json!({"operatingSystem": "linux", "architecture": "amd64", "osImage": "Debian 13"});
    list(&[json!({"metadata": {"name": "n1"}, "status": {"nodeInfo": info}})], "")
}

fn only(include: &[&str]) -> Settings {
    let include: Vec<String> = include.iter().map(|name| (*name).to_owned()).collect();
    Settings {
        namespaces: Namespaces::parse(&include, &[]).expect("a choice"),
        ..Settings::default()
    }
}

#[tokio::test]
async fn a_namespace_is_written_before_the_page_after_its_last_is_asked_for() {
    let api: Api = Arc::new(|uri, written| match uri {
        "/api/v1/nodes?limit=500" => nodes(),
        "/api/v1/namespaces?limit=500" => named(&["a", "b", "c", "empty"]),
        "/api/v1/pods?limit=500" => list(&[pod("a", "p1"), pod("b", "p2")], "two"),
        "/api/v1/pods?limit=500&continue=two" => {
            assert!(written.contains("p1:1"), "`a` ended on the page before");
            assert!(!written.contains("p2:1"), "`b` may go on");
            list(&[pod("b", "p3"), pod("c", "p4")], "")
        }
        other => panic!("{other}"),
    });
    let ran = discover(Settings::default(), api).await;
    ran.result.as_ref().expect("whole");
    assert_eq!(
        ran.short(),
        ["a/Pod/p1 p1:1 x1", "b/Pod/p2 p2:1 x1", "b/Pod/p3 p3:1 x1", "c/Pod/p4 p4:1 x1"]
    );
    assert_eq!(ran.end()["namespaces"], json!(["a", "b", "c", "empty"]));
    let (image, runtime) = (&ran.records[0], &ran.records[1]);
    assert_eq!(
        (&image["platform"], &runtime["osImages"]),
        (&json!("linux/amd64"), &json!({"Debian 13": 1}))
    );
}

#[tokio::test]
async fn owners_are_looked_up_where_they_are_needed() {
    let api: Api = Arc::new(|uri, _| match uri {
        "/api/v1/nodes?limit=500" => nodes(),
        "/api/v1/namespaces?limit=500" => named(&["a", "b", "c"]),
        "/api/v1/pods?limit=500" => list(
            &[
                pod("a", "bare"),
                owned(pod("b", "p1"), "ReplicaSet", "web-1"),
                owned(pod("b", "p2"), "ReplicaSet", "gone-1"),
                owned(pod("b", "p3"), "StatefulSet", "db"),
                owned(pod("c", "p4"), "Job", "nightly-1"),
            ],
            "",
        ),
        "/apis/apps/v1/namespaces/b/replicasets?limit=500" => {
            let set = json!({"metadata": {"uid": "web-1"}});
            list(
                &[
                    owned(set, "Deployment", "web"),
                    owned(json!({"metadata": {"uid": "x"}}), "Deployment", "y"),
                ],
                "",
            )
        }
        "/apis/batch/v1/namespaces/c/jobs?limit=500" => refused(403),
        other => panic!("{other}"),
    });
    let ran = discover(Settings::default(), api).await;
    assert_eq!(
        ran.short(),
        [
            "a/Pod/bare bare:1 x1",
            "b/Deployment/web p1:1 x1",
            "b/ReplicaSet/gone-1 p2:1 x1",
            "b/StatefulSet/db p3:1 x1",
            "failure b not-found",
            "c/Job/nightly-1 p4:1 x1",
            "failure c forbidden",
        ]
    );
    let failure =
        ran.records.iter().find(|record| record["code"] == "forbidden").expect("a failure");
    assert!(
        failure["message"].as_str().expect("text").contains(r#"resources: ["jobs"]"#),
        "{failure}"
    );
    assert_eq!((&failure["status"], &failure["host"]), (&json!(403), &json!("api.test:6443")));
}

#[tokio::test]
async fn names_alone_are_asked_one_by_one() {
    let api: Api = Arc::new(|uri, _| match uri {
        "/api/v1/nodes?limit=500" => refused(403),
        "/api/v1/namespaces/shop/pods?limit=500" => list(&[pod("shop", "p1")], ""),
        "/api/v1/namespaces/bank/pods?limit=500" => refused(403),
        "/api/v1/namespaces/empty/pods?limit=500"
        | "/api/v1/namespaces/typo/pods?limit=500"
        | "/api/v1/namespaces/dark/pods?limit=500" => list(&[], ""),
        "/api/v1/namespaces/empty" => (200, json!({"metadata": {"name": "empty"}})),
        "/api/v1/namespaces/typo" => refused(404),
        "/api/v1/namespaces/dark" => refused(403),
        other => panic!("{other}"),
    });
    let ran = discover(only(&["shop", "bank", "empty", "typo", "dark"]), api).await;
    ran.result.as_ref().expect("whole");
    assert_eq!(
        ran.short(),
        [
            "failure - forbidden",
            "failure bank forbidden",
            "failure dark forbidden",
            "shop/Pod/p1 p1:1 x1",
            "failure typo namespace-not-found",
        ]
    );
    assert_eq!(ran.end()["namespaces"], json!(["bank", "dark", "empty", "shop", "typo"]));
    let image = ran.records.iter().find(|record| record["type"] == "image").expect("an image");
    assert_eq!((&image["platform"], &image["nodes"]), (&Value::Null, &json!(1)));
    let nodes = &ran.records[0];
    assert_eq!((&nodes["about"], nodes.get("namespace")), (&json!(["image", "runtime"]), None));
}

#[tokio::test]
async fn a_default_platform_stands_in_for_nodes() {
    let api: Api = Arc::new(|uri, _| match uri {
        "/api/v1/nodes?limit=500" => refused(403),
        _ => list(&[pod("shop", "p1")], ""),
    });
    let settings = Settings { default_platform: Some("linux/arm64".into()), ..only(&["shop"]) };
    let ran = discover(settings, api).await;
    assert_eq!(ran.records[0]["about"], json!(["runtime"]));
    assert_eq!(ran.records[1]["platform"], "linux/arm64");
}

#[tokio::test]
async fn without_a_cluster_wide_right_each_namespace_is_tried() {
    let api: Api = Arc::new(|uri, _| match uri {
        "/api/v1/nodes?limit=500" => nodes(),
        "/api/v1/namespaces?limit=500" => named(&["a", "b", "kube-system"]),
        "/api/v1/namespaces/a/pods?limit=500" => list(&[pod("a", "p1")], ""),
        _ => refused(403),
    });
    let ran = discover(only(&["?"]), api).await;
    ran.result.as_ref().expect("whole");
    assert_eq!(ran.short(), ["a/Pod/p1 p1:1 x1", "failure b forbidden"]);
    assert_eq!(ran.end()["namespaces"], json!(["a", "b"]));
}

#[tokio::test]
async fn no_right_at_all_is_no_answer() {
    let nothing: Api = Arc::new(|_, _| refused(403));
    for settings in [Settings::default(), only(&["shop"]), only(&["shop", "bank"])] {
        let ran = discover(settings, Arc::clone(&nothing)).await;
        let fault = ran.result.as_ref().expect_err("an error");
        assert_eq!(fault.status(), stage::Status::Incomplete);
        assert!(fault.message("x").contains("hint: "), "{}", fault.message("x"));
        assert!(ran.records.iter().all(|record| record["type"] != "end"));
    }
    let ran = discover(Settings::default(), Arc::new(|_, _| refused(401))).await;
    assert!(ran.result.as_ref().expect_err("an error").message("x").contains("log in again"));
    assert!(ran.records.is_empty(), "{:?}", ran.records);
}

#[tokio::test]
async fn an_expired_list_is_begun_again_without_counting_twice() {
    let tries = Mutex::new(0);
    let api: Api = Arc::new(move |uri, _| match uri {
        "/api/v1/nodes?limit=500" => nodes(),
        "/api/v1/namespaces?limit=500" => named(&["a", "b", "c"]),
        "/api/v1/pods?limit=500" => list(&[pod("a", "p1"), pod("b", "p2")], "two"),
        "/api/v1/pods?limit=500&continue=two" => {
            let mut tries = tries.lock().expect("the count");
            *tries += 1;
            if *tries == 1 { refused(410) } else { list(&[pod("b", "p3"), pod("c", "p4")], "") }
        }
        other => panic!("{other}"),
    });
    let ran = discover(Settings::default(), api).await;
    assert_eq!(
        ran.short(),
        ["a/Pod/p1 p1:1 x1", "b/Pod/p2 p2:1 x1", "b/Pod/p3 p3:1 x1", "c/Pod/p4 p4:1 x1"]
    );
    assert_eq!(ran.end()["written"], json!({"image": 4, "runtime": 4}));
}

#[tokio::test]
async fn a_list_that_breaks_off_is_a_failure_of_what_it_did_not_reach() {
    let api: Api = Arc::new(|uri, _| match uri {
        "/api/v1/nodes?limit=500" => nodes(),
        "/api/v1/namespaces?limit=500" => named(&["a", "a-b", "b", "c", "empty"]),
        // By keys `a-b/…` stands before `a/…`.
        "/api/v1/pods?limit=500" => {
            list(&[pod("a-b", "p0"), pod("a", "p1"), pod("b", "p2")], "two")
        }
        _ => refused(400),
    });
    let ran = discover(Settings::default(), api).await;
    ran.result.as_ref().expect("whole");
    assert_eq!(
        ran.short(),
        [
            "a-b/Pod/p0 p0:1 x1",
            "a/Pod/p1 p1:1 x1",
            "failure b bad-response",
            "failure c bad-response",
            "failure empty bad-response",
        ]
    );
}

#[tokio::test]
async fn a_namespace_that_comes_twice_is_said_to() {
    let api: Api = Arc::new(|uri, _| match uri {
        "/api/v1/nodes?limit=500" => nodes(),
        "/api/v1/namespaces?limit=500" => named(&["a", "b"]),
        _ => list(&[pod("a", "p1"), pod("b", "p2"), pod("a", "p3")], ""),
    });
    let ran = discover(Settings::default(), api).await;
    assert_eq!(
        ran.short(),
        ["a/Pod/p1 p1:1 x1", "b/Pod/p2 p2:1 x1", "failure a bad-response", "a/Pod/p3 p3:1 x1"]
    );
}

#[tokio::test]
async fn idle_templates_of_all_namespaces() {
    let api: Api = Arc::new(|uri, _| {
        let template = json!({"spec": {"containers": [{"name": "c", "image": "idle:1"}]}});
        let path = uri.split('?').next().unwrap_or_default();
        match path {
            "/api/v1/nodes" => nodes(),
            "/api/v1/namespaces" => named(&["a", "b"]),
            "/api/v1/pods" => list(&[owned(pod("a", "p1"), "StatefulSet", "db")], ""),
            "/apis/apps/v1/namespaces/b/deployments" => list(
                &[
                    json!({"metadata": {"name": "zero"}, "spec": {"replicas": 0, "template": template}}),
                ],
                "",
            ),
            "/apis/apps/v1/namespaces/a/statefulsets" => {
                list(&[json!({"metadata": {"name": "db"}, "spec": {"template": template}})], "")
            }
            "/apis/batch/v1/namespaces/b/cronjobs" => refused(403),
            _ => list(&[], ""),
        }
    });
    let ran = discover(Settings { idle: Idle::Included, ..Settings::default() }, api).await;
    assert_eq!(
        ran.short(),
        ["a/StatefulSet/db p1:1 x1", "b/Deployment/zero idle:1 x0", "failure b forbidden"]
    );
    assert_eq!(ran.count("/apis/apps/v1/namespaces/a/deployments"), 1);
    let idle = ran.records.iter().find(|record| record["image"] == "idle:1").expect("an image");
    assert_eq!(
        (&idle["idle"], &idle["imageId"], &idle["platform"]),
        (&json!(true), &Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn selectors_go_to_the_server() {
    let api: Api = Arc::new(|uri, _| match uri.split('?').next().unwrap_or_default() {
        "/api/v1/nodes" => nodes(),
        "/api/v1/namespaces" => refused(403),
        _ => list(&[pod("a", "p1")], ""),
    });
    let settings = Settings {
        selector: Some("app in (x,y)".parse().expect("a selector")),
        ..Settings::default()
    };
    let ran = discover(settings, api).await;
    assert_eq!(ran.short(), ["a/Pod/p1 p1:1 x1"]);
    assert!(
        ran.asked
            .iter()
            .any(|uri| uri == "/api/v1/pods?limit=500&labelSelector=app%20in%20%28x%2Cy%29")
    );
    assert_eq!(ran.end()["namespaces"], json!(["a"]), "those that may not be listed are not known");
}

#[tokio::test]
async fn a_record_that_a_tenant_made_too_large_does_not_hide_the_image() {
    let value = "\u{1}".repeat(4000);
    let annotations: serde_json::Map<String, Value> = (0..60)
        .map(|number| (format!("provenance.nebari.dev/{number}"), Value::from(value.clone())))
        .collect();
    let mut large = pod("a", "p1");
    large["metadata"]["annotations"] = annotations.into();
    let api: Api = Arc::new(move |uri, _| match uri.split('?').next().unwrap_or_default() {
        "/api/v1/nodes" => nodes(),
        _ => list(&[large.clone()], ""),
    });
    let ran = discover(only(&["a"]), api).await;
    assert_eq!(ran.short(), ["a/Pod/p1 p1:1 x1", "failure a too-large"]);
    assert_eq!(ran.records[0]["annotations"], json!({}));
}
