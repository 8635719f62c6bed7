//! Dumps, as kubectl prints them.

use serde_json::{Value, json};
use testkit::{Ran, pc};

use crate::{
    config_map, failed, gzip, keeps_secrets, metadata, release, secret, short, stored, tally,
};

fn list(items: &[Value]) -> String {
    json!({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}})
        .to_string()
}

fn over(items: &[Value], flags: &[&str]) -> Ran {
    pc("helm")
        .args(["--from", "-", "--log-level", "debug"])
        .args(flags)
        .stdin(list(items))
        .run()
        .ok()
}

fn cluster() -> Vec<Value> {
    let other = json!({"apiVersion": "v1", "data": {"password": "aHVudGVyMg=="}, "kind": "Secret", "metadata": {"namespace": "shop", "name": "db"}});
    let odd = json!({"apiVersion": "example.com/v1", "data": [1], "kind": "Odd", "metadata": {"name": "x"}, "spec": 5});
    let old = release("shop", "old", 1, "superseded");
    let mut moved = release("bank", "pay", 3, "deployed");
    moved["namespace"] = "vault".into();
    vec![
        stored("shop", "web", 1, "superseded"),
        stored("shop", "web", 10, "pending-upgrade"),
        stored("shop", "web", 2, "superseded"),
        stored("shop", "web", 9, "deployed"),
        other,
        odd,
        config_map(&metadata("shop", "old", 1, "uninstalled"), old.to_string().as_bytes()),
        config_map(&metadata("bank", "pay", 3, "deployed"), &gzip(moved.to_string().as_bytes())),
        stored("shop", "web", 9, "deployed"),
    ]
}

#[test]
fn releases_of_both_stores_in_order() {
    let ran = over(&cluster(), &[]);
    assert_eq!(
        short(&ran),
        [
            "bank/pay configmap v3 deployed 1.3.0 of 1",
            "shop/old configmap v1 superseded 1.1.0 of 1",
            "shop/web secret v10 pending-upgrade 1.10.0 of 4 over 9 1.9.0",
        ]
    );
    assert_eq!(failed(&ran), Vec::<String>::new());
    keeps_secrets(&ran);
    let records = ran.of_type("release");
    assert_eq!(
        (&records[0]["targetNamespace"], &records[1]["targetNamespace"]),
        (&json!("vault"), &Value::Null)
    );
    let web = &records[2];
    assert_eq!(
        (&web["firstDeployed"], &web["lastDeployed"], &web["description"]),
        (
            &json!("2026-10-01T08:00:00Z"),
            &json!("2026-11-20T11:00:00Z"),
            &json!("Upgrade complete")
        )
    );
    assert_eq!(
        (&web["images"], &web["deployed"]["images"]),
        (&json!(["web:10"]), &json!(["web:9"]))
    );
    assert_eq!(web["origin"]["kind"], "unknown");
    let schema = std::fs::read_to_string(testkit::root().join("docs/schema/release.json"));
    let schema: Value = serde_json::from_str(&schema.expect("a schema")).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    assert!(records.iter().all(|record| schema.is_valid(record)));
    assert_eq!(tally(&ran)["written"], json!({"release": 3}));
}

#[test]
fn what_is_chosen() {
    let names = |flags: &[&str]| -> Vec<String> {
        let ran = over(&cluster(), flags);
        let name = |record: Value| record["releaseName"].as_str().unwrap_or_default().to_owned();
        ran.of_type("release").into_iter().map(name).collect()
    };
    assert_eq!(names(&["--helm-driver", "secret"]), ["web"]);
    assert_eq!(names(&["--namespaces", "b*"]), ["pay"]);
    assert_eq!(names(&["--exclude-namespaces", "bank"]), ["old", "web"]);
    let parts = ["1/3", "2/3", "3/3"].map(|part| names(&["--shard", part]));
    let mut all = parts.concat();
    all.sort();
    assert_eq!(all, ["old", "pay", "web"]);
    assert_eq!(
        tally(&over(&cluster(), &["--shard", "2/3"]))["shard"],
        json!({"index": 2, "count": 3})
    );
}

#[test]
fn two_stores_with_one_name_are_one_release_and_a_failure() {
    let mut newer = metadata("shop", "web", 1, "deployed");
    newer["creationTimestamp"] = "2026-11-21T00:00:00Z".into();
    let body = release("shop", "web", 1, "deployed").to_string();
    let ran =
        over(&[stored("shop", "web", 5, "deployed"), config_map(&newer, body.as_bytes())], &[]);
    assert_eq!(short(&ran), ["shop/web configmap v1 deployed 1.1.0 of 1"]);
    assert_eq!(failed(&ran), ["shop/web release-twice"]);
}

#[test]
fn objects_that_say_where_charts_come_from_are_read_as_well() {
    let mut items = cluster();
    items.push(json!({"apiVersion": "helm.cattle.io/v1", "kind": "HelmChart", "metadata": {"namespace": "kube-system", "name": "web"}, "spec": {"chart": "web", "repo": "https://u:hunter2@charts.example", "targetNamespace": "shop"}}));
    let ran = over(&items, &[]);
    let origin = &ran.of_type("release")[2]["origin"];
    assert_eq!(
        origin,
        &json!({"kind": "k3s", "url": "https://charts.example", "how": "HelmChart kube-system/web"})
    );
    keeps_secrets(&ran);
    let ran = over(&items, &["--origins", "none"]);
    assert_eq!(ran.of_type("release")[2]["origin"]["kind"], "skipped");
}

#[test]
fn a_dump_without_stores_says_so_and_one_that_is_none_is_refused() {
    let ran = over(&[json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}})], &[]);
    assert_eq!((short(&ran), failed(&ran)), (Vec::new(), vec!["-/- not-found".to_owned()]));
    for (text, says) in [
        ("", "the dump is empty"),
        ("apiVersion: v1", "no JSON object"),
        ("{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[", "ends in the middle"),
    ] {
        let ran = pc("helm").args(["--from", "-"]).stdin(text).run().code(1).says(says);
        assert!(ran.says("hint: ").stdout.is_empty());
    }
    let _ = pc("helm")
        .args(["--from", "/nowhere", "-n"])
        .run()
        .code(1)
        .says("`/nowhere` cannot be opened");
}

#[test]
fn values_of_secrets_are_in_no_error() {
    // A release whose JSON breaks right in a password, and one that has it where a number belongs.
    let meta = |name: &str| metadata("shop", name, 1, "deployed");
    let items = [
        secret(&meta("a"), b"{\"name\":\"a\",\"config\":{\"password\":\"hunter2"),
        secret(&meta("b"), b"{\"name\":\"b\",\"version\":\"hunter2\"}"),
        secret(&meta("c"), b"{\"name\":\"hunter2\",\"version\":1}"),
        json!({"apiVersion": "v1", "data": {"release": 5, "x": "hunter2"}, "kind": "Secret", "metadata": meta("d")}),
        json!({"apiVersion": "v1", "data": {"release": "hunter2"}, "kind": "Secret", "metadata": meta("e")}),
        json!({"apiVersion": "v1", "data": "hunter2", "kind": "Secret", "metadata": meta("f")}),
    ];
    let ran = over(&items, &[]);
    keeps_secrets(&ran);
    assert_eq!(ran.of_type("release").len(), 6);
    assert_eq!(
        failed(&ran),
        ["a", "b", "c", "d", "e", "f"].map(|name| format!("shop/{name} release-unreadable"))
    );
}
