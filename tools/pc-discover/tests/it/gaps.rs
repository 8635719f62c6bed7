//! Over HTTP, from an API server whose lists break, and of which names are asked that it lacks:
//! what was not read is said, and nothing more is claimed.

use serde_json::{Value, json};
use testkit::api::{FakeApi, Reply};
use testkit::{Ran, Run, pc};

use crate::tally;

const NAMESPACES: [&str; 6] = ["a", "a0", "b", "c", "rest", "z"];

fn named(names: &[&str]) -> Reply {
    let items: Vec<Value> = names.iter().map(|name| json!({"metadata": {"name": name}})).collect();
    Reply::list(&items, "")
}

fn pod(namespace: &str) -> Value {
    json!({"metadata": {"namespace": namespace, "name": "p"}, "spec": {"containers": [{"name": "c", "image": format!("{namespace}:1")}]}})
}

/// A Deployment that is scaled to zero in `a0` and one in `rest`, beside `a`, `b` and `c`, which have pods, and
/// `z`, which is empty. The second page of the pods is what `second` says.
fn cluster(uri: &str, second: &Reply) -> Reply {
    let template = json!({"spec": {"containers": [{"name": "c", "image": "idle:1"}]}});
    let zero = json!({"metadata": {"name": "zero"}, "spec": {"replicas": 0, "template": template}});
    match uri.split('?').next().unwrap_or_default() {
        "/api/v1/pods" if uri.contains("continue=") => second.clone(),
        "/api/v1/pods" => Reply::list(&[pod("a"), pod("b")], "two"),
        "/api/v1/namespaces" => named(&NAMESPACES),
        "/apis/apps/v1/namespaces/a0/deployments" | "/apis/apps/v1/namespaces/rest/deployments" => {
            Reply::list(&[zero], "")
        }
        _ => Reply::list(&[], ""),
    }
}

fn breaking(second: Reply) -> FakeApi {
    FakeApi::start(move |uri| cluster(uri, &second))
}

fn discover(api: &FakeApi) -> Run {
    pc("discover").arg("--kubeconfig").arg(api.kubeconfig())
}

/// The namespaces that failed, each with its code, sorted.
fn failed(ran: &Ran) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let failures = ran.of_type("failure");
    let mut all: Vec<(String, String)> = failures
        .iter()
        .map(|failure| (text(&failure["namespace"]), text(&failure["code"])))
        .collect();
    all.sort();
    all
}

fn images(ran: &Ran) -> Vec<String> {
    ran.of_type("image").iter().filter_map(|row| Some(row["image"].as_str()?.to_owned())).collect()
}

fn pairs(names: &[&str], code: &str) -> Vec<(String, String)> {
    names.iter().map(|name| ((*name).to_owned(), code.to_owned())).collect()
}

#[test]
fn a_list_that_is_whole_has_pods_and_what_is_idle() {
    let api = breaking(Reply::list(&[pod("c")], ""));
    let ran = discover(&api).args(["--include-idle"]).run().ok();
    assert_eq!(
        (images(&ran), failed(&ran)),
        (["a:1", "b:1", "c:1", "idle:1", "idle:1"].map(str::to_owned).to_vec(), Vec::new(),)
    );
    assert_eq!(tally(&ran)["namespaces"], json!(NAMESPACES));
}

#[test]
fn behind_a_list_that_broke_nothing_is_idle_and_nothing_is_absent() {
    let breaks = [
        (Reply::refused(400), "bad-response"),
        (Reply::refused(403), "forbidden"),
        (
            Reply::Half(json!({"kind": "PodList", "metadata": {}, "items": [pod("c"), pod("z")]})),
            "",
        ),
        (Reply::Text("<html>a login page</html>".into()), "bad-response"),
    ];
    for (second, code) in breaks {
        let what = format!("{second:?}");
        let api = breaking(second);
        // Of `a` all is known; `b` may have gone on, and who rests was not looked up anywhere.
        let ran = discover(&api).args(["--include-idle"]).run().ok();
        let found = failed(&ran);
        let code = if code.is_empty() { found[0].1.clone() } else { code.to_owned() };
        assert_eq!(found, pairs(&["a0", "b", "c", "rest", "z"], &code), "{what}");
        assert_eq!(images(&ran), ["a:1"], "{what}");
        assert_eq!(tally(&ran)["namespaces"], json!(NAMESPACES), "{what}");
        // Where nobody asked for what rests, `a0`, which the list had passed, is known to be empty.
        let found = failed(&discover(&api).run().ok());
        assert_eq!(found, pairs(&["b", "c", "rest", "z"], &code), "{what}");
        // A failure of the list is no failure of the run: the stream is whole, and says so.
        assert!(ran.of_type("failure").iter().all(|failure| failure["about"][0] == "image"));
    }
}

#[test]
fn a_named_namespace_that_is_not_there_is_said_beside_a_pattern() {
    let api = breaking(Reply::list(&[pod("c")], ""));
    let ran = discover(&api).args(["--namespaces", "[ab],rest,typo"]).run().ok();
    assert_eq!(images(&ran), ["a:1", "b:1"]);
    assert_eq!(failed(&ran), pairs(&["typo"], "namespace-not-found"));
    assert_eq!(tally(&ran)["namespaces"], json!(["a", "b", "rest", "typo"]));
}

#[test]
fn a_named_namespace_that_is_not_there_is_said_when_the_list_broke() {
    let api = breaking(Reply::refused(400));
    let ran = discover(&api).args(["--namespaces", "?,typo"]).run().ok();
    let mut wanted = pairs(&["b", "c", "z"], "bad-response");
    wanted.extend(pairs(&["typo"], "namespace-not-found"));
    wanted.sort();
    assert_eq!((images(&ran), failed(&ran)), (vec!["a:1".to_owned()], wanted));
}

/// An API server where namespaces may not be listed, and only `shop`, which is there, and `dark`
/// may be looked at one by one.
fn narrow(uri: &str) -> Reply {
    match uri.split('?').next().unwrap_or_default() {
        "/api/v1/nodes" => Reply::list(&[], ""),
        "/api/v1/namespaces/shop/pods" => Reply::list(&[pod("shop")], ""),
        "/api/v1/namespaces/empty/pods" | "/api/v1/namespaces/typo/pods" => Reply::list(&[], ""),
        "/api/v1/namespaces/empty" => Reply::Json(200, json!({"metadata": {"name": "empty"}})),
        "/api/v1/namespaces/typo" => Reply::refused(404),
        _ => Reply::refused(403),
    }
}

#[test]
fn of_namespaces_asked_by_name_the_missing_one_is_told_from_the_empty_and_the_forbidden() {
    let api = FakeApi::start(narrow);
    let ran = discover(&api).args(["--namespaces", "shop,empty,typo,dark"]).run().ok();
    assert_eq!(images(&ran), ["shop:1"]);
    assert_eq!(
        failed(&ran),
        [("dark", "forbidden"), ("typo", "namespace-not-found")]
            .map(|(name, code)| (name.to_owned(), code.to_owned()))
    );
    assert_eq!(api.count("/api/v1/namespaces/typo"), 1);
    assert_eq!(tally(&ran)["namespaces"], json!(["dark", "empty", "shop", "typo"]));
}

#[test]
fn alone_a_namespace_that_is_not_there_is_a_failure_and_no_empty_answer() {
    let api = FakeApi::start(narrow);
    let ran = discover(&api).args(["--namespaces", "typo"]).run().ok();
    assert_eq!((images(&ran), failed(&ran)), (Vec::new(), pairs(&["typo"], "namespace-not-found")));
    // Where not even that may be asked, nothing was answered at all.
    let ran = discover(&api).args(["--namespaces", "dark"]).run().code(1);
    assert_eq!(ran.of_type("end"), Vec::<Value>::new());
}
