//! Asking an API server that pages, refuses, expires and stutters.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use cluster::resource::{DEPLOYMENTS, PODS, REPLICA_SETS};
use cluster::types::{Owned, Pod};
use cluster::{AskError, Cluster, Scope, View, Why};
use http::{Request, Response};
use kube::client::Body;
use records::FailureCode;

/// What the fake API server saw: path with query, and the Accept header.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

/// A cluster whose API server is `answer`, given the number of the request from 0.
fn fake(
    answer: impl Fn(usize, &str) -> (u16, String) + Clone + Send + Sync + 'static,
) -> (Cluster, Seen) {
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    let service = tower::service_fn(move |request: Request<Body>| {
        let (answer, log) = (answer.clone(), Arc::clone(&log));
        async move {
            let uri = request.uri().to_string();
            let accept = request.headers()["accept"].to_str().expect("text").to_owned();
            let number = {
                let mut log = log.lock().expect("the log");
                log.push((uri.clone(), accept));
                log.len() - 1
            };
            let (status, body) = answer(number, &uri);
            let response = Response::builder().status(status).body(Body::from(body.into_bytes()));
            Ok::<_, Infallible>(response.expect("a response"))
        }
    });
    (Cluster::from_client(kube::Client::new(service, "default"), "api.test:6443"), seen)
}

fn page(names: &[&str], next: &str) -> String {
    let items: Vec<String> =
        names.iter().map(|name| format!(r#"{{"metadata":{{"name":"{name}"}}}}"#)).collect();
    format!(
        r#"{{"kind":"PodList","metadata":{{"continue":"{next}"}},"items":[{}]}}"#,
        items.join(",")
    )
}

fn status(message: &str) -> String {
    format!(r#"{{"kind":"Status","status":"Failure","message":"{message}"}}"#)
}

fn names(pods: &[Pod]) -> Vec<String> {
    pods.iter().map(|pod| pod.metadata.name.to_string()).collect()
}

async fn refusal(cluster: &Cluster) -> AskError {
    let list = cluster.list::<Pod>(PODS, Scope::Namespace("shop".into()), View::Whole);
    list.all(|_| true).await.expect_err("refused")
}

#[tokio::test]
async fn pages_are_followed_and_counted() {
    let (cluster, seen) = fake(|number, _| {
        (200, if number == 0 { page(&["a", "b"], "t=1&x") } else { page(&["c"], "") })
    });
    let list = cluster.list(PODS, Scope::Cluster, View::Whole).labels(Some("a in (b,c)".into()));
    let pods: Vec<Pod> = list.all(|_| true).await.expect("pods");
    assert_eq!(names(&pods), ["a", "b", "c"]);
    let uris: Vec<String> = seen.lock().expect("log").iter().map(|(uri, _)| uri.clone()).collect();
    assert_eq!(
        uris,
        [
            "/api/v1/pods?limit=500&labelSelector=a%20in%20%28b%2Cc%29",
            "/api/v1/pods?limit=500&labelSelector=a%20in%20%28b%2Cc%29&continue=t%3D1%26x",
        ]
    );
    assert_eq!(cluster.requests(), [("pods".to_owned(), 2)].into());
}

#[tokio::test]
async fn owners_are_asked_by_metadata_alone() {
    let (cluster, seen) =
        fake(|_, _| (200, r#"{"kind":"PartialObjectMetadataList","items":null}"#.into()));
    let list = cluster.list(REPLICA_SETS, Scope::Namespace("shop".into()), View::Metadata);
    assert!(list.all(|_: &Owned| true).await.expect("none").is_empty());
    let seen = seen.lock().expect("log");
    assert_eq!(seen[0].0, "/apis/apps/v1/namespaces/shop/replicasets?limit=500");
    assert!(
        seen[0].1.starts_with("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
    );
}

#[tokio::test]
async fn an_expired_list_begins_again_once() {
    let (cluster, _) = fake(|number, _| match number {
        0 | 2 => (200, page(&["a"], "t")),
        1 => (410, status("too old")),
        _ => (200, page(&["b"], "")),
    });
    let mut list = cluster.list::<Pod>(PODS, Scope::Cluster, View::Whole);
    let mut read = Vec::new();
    while let Some(page) = list.page().await.expect("a page") {
        read.push((names(&page.items), page.restarted));
    }
    let read: Vec<(String, bool)> =
        read.into_iter().map(|(names, again)| (names.join(","), again)).collect();
    assert_eq!(read, [("a".into(), false), ("a".into(), true), ("b".into(), false)]);

    // All in one go: what was read before does not count twice.
    let (cluster, _) = fake(|number, _| match number {
        0 | 2 => (200, page(&["a"], "t")),
        1 => (410, status("too old")),
        _ => (200, page(&["b"], "")),
    });
    let list = cluster.list::<Pod>(PODS, Scope::Cluster, View::Whole);
    assert_eq!(names(&list.all(|_| true).await.expect("pods")), ["a", "b"]);
}

#[tokio::test]
async fn a_list_that_always_expires_is_given_up() {
    let (cluster, _) = fake(|_, uri| {
        if uri.contains("continue") { (410, status("old")) } else { (200, page(&["a"], "t")) }
    });
    assert!(matches!(refusal(&cluster).await.why, Why::Expired { .. }));
    assert_eq!(cluster.requests()["pods"], 4);
}

#[tokio::test]
async fn a_list_that_turns_in_circles_is_given_up() {
    let (cluster, _) = fake(|_, _| (200, page(&["a"], "t")));
    let error = refusal(&cluster).await;
    assert_eq!(error.code(), FailureCode::BadResponse);
    assert!(error.message().contains("back to the same page"), "{}", error.message());
}

#[tokio::test(start_paused = true)]
async fn passing_troubles_are_sat_out() {
    let (cluster, _) = fake(|number, _| match number {
        0 => (503, "gateway".into()),
        1 => (429, status("slow down")),
        _ => (200, page(&["a"], "")),
    });
    let list = cluster.list::<Pod>(PODS, Scope::Cluster, View::Whole);
    assert_eq!(names(&list.all(|_| true).await.expect("pods")), ["a"]);

    let (cluster, _) = fake(|_, _| (503, "<html>".into()));
    let error = refusal(&cluster).await;
    assert_eq!((error.code(), error.status()), (FailureCode::ServerError, Some(503)));
    assert_eq!(cluster.requests()["pods"], 4, "tries are limited");
}

#[tokio::test]
async fn refusals_are_told_apart_and_not_repeated() {
    for (code, wanted, word) in [
        (401, FailureCode::Unauthorized, "log in again"),
        (403, FailureCode::Forbidden, "resources: [\\\"pods\\\"]"),
        (404, FailureCode::NotFound, "no such thing"),
        (500, FailureCode::ServerError, "answered 500: why it is"),
        (400, FailureCode::BadResponse, "answered 400: why it is"),
    ] {
        let (cluster, _) = fake(move |_, _| (code, status("why it is")));
        let error = refusal(&cluster).await;
        assert_eq!(error.code(), wanted, "{code}");
        let message = format!("{:?}", error.message());
        assert!(message.contains(word), "{message}");
        assert_eq!(cluster.requests()["pods"], 1, "{code}");
    }
}

#[tokio::test]
async fn a_bad_body_is_never_quoted() {
    for body in
        [r#"{"items":["s3cret"]}"#, "s3cret", r#"{"items":[{"metadata":{"name":"s3cret"#, ""]
    {
        let (cluster, _) = fake(move |_, _| (200, body.to_owned()));
        let error = refusal(&cluster).await;
        assert_eq!(error.code(), FailureCode::BadResponse, "{body}");
        assert!(error.message().contains("line 1 column"), "{}", error.message());
        assert!(!format!("{} {error:?}", error.message()).contains("s3cret"), "{error:?}");
    }
}

#[tokio::test]
async fn hostile_messages_are_cleaned() {
    let (cluster, _) = fake(|_, _| (403, status(r"\u001b[2Jgone\u202e")));
    assert!(refusal(&cluster).await.message().contains("\u{fffd}[2Jgone\u{fffd}"));
}

#[tokio::test]
async fn one_object_by_name() {
    let (cluster, seen) = fake(|_, _| (200, r#"{"metadata":{"name":"web","uid":"u"}}"#.into()));
    let scope = Scope::Namespace("shop".into());
    let found: Owned = cluster.get(DEPLOYMENTS, scope, "web", View::Metadata).await.expect("found");
    assert_eq!(&*found.metadata.uid, "u");
    assert_eq!(seen.lock().expect("log")[0].0, "/apis/apps/v1/namespaces/shop/deployments/web");
}

#[tokio::test(start_paused = true)]
async fn silence_is_not_waited_out() {
    let service = tower::service_fn(|_: Request<Body>| {
        std::future::pending::<Result<Response<Body>, Infallible>>()
    });
    let cluster = Cluster::from_client(kube::Client::new(service, "default"), "api.test:6443");
    let error = refusal(&cluster).await;
    assert_eq!(error.code(), FailureCode::Timeout);
    assert!(error.message().contains("silent for 30 s"), "{}", error.message());
    assert_eq!(cluster.requests()["pods"], 2, "there is an end to patience");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_not_asked_for_ever() {
    let (cluster, _) = fake(|_, _| (503, String::new()));
    for _ in 0..10 {
        assert!(refusal(&cluster).await.code().retryable());
    }
    assert_eq!(cluster.requests()["pods"], 12, "three questions of four tries each");
    let message = refusal(&cluster).await.message();
    assert!(message.contains("not asked any more"), "{message}");
}

/// Whoever answers 200 with something else than a list has not said that there is nothing.
#[tokio::test]
async fn what_is_no_list_is_never_an_empty_one() {
    for body in [
        "{}",
        "[]",
        r#"{"message":"please log in"}"#,
        r#"{"kind":"Status","status":"Failure","code":500}"#,
        r#"{"kind":"PodList","metadata":{}}"#,
        r#"{"kind":"Pod","items":[]}"#,
    ] {
        let (cluster, _) = fake(move |_, _| (200, body.into()));
        let asked = cluster.list::<Pod>(PODS, Scope::Cluster, View::Whole).page().await;
        let error = asked.expect_err(body);
        assert!(matches!(error.why, Why::Malformed { .. }), "{body}: {error:?}");
    }
}
