//! What the report says of workloads whose truth is known.

use serde_json::{Value, json};
use testkit::{Testbed, pc};

use super::api::{Pod, Space};
use super::images::Images;

#[test]
fn rows_are_true_against_a_registry_without_the_referrers_api() {
    rows_are_true("rows-plain", |testbed| testbed.registry.clone());
}

#[test]
fn rows_are_true_against_a_registry_with_the_referrers_api() {
    rows_are_true("rows-oci", |testbed| testbed.oci_registry.clone());
}

fn rows_are_true(name: &str, registry: impl Fn(&Testbed) -> String) {
    let Some(space) = Space::new(name) else { return };
    let host = registry(&space.testbed);
    let web = Images::push(&space.testbed, &host, "shop/web");
    let search = Images::push(&space.testbed, &host, "shop/search");
    let pay = Images::push(&space.testbed, &host, "bank/pay");
    let deleted = pay.delete(&space.testbed, "5.0.2", "5.1.0");
    deploy(&space, &web, &search, &pay, &deleted);
    space.settle(12);
    let report = report(&space, &host);
    let index = web.tag("2.4.1");
    let (amd64, arm64) = (web.child(&index, "amd64"), web.child(&index, "arm64"));

    let rows = rows(&report, "daemon");
    assert_eq!(
        facts(&rows, &["platform", "digest", "manifest", "drift"]),
        [
            json!(["linux/amd64", index, amd64, "same"]),
            json!(["linux/arm64", index, arm64, "same"]),
        ]
    );
    assert_eq!(
        facts(&self::rows(&report, "child"), &["digest", "index", "manifest", "drift"]),
        [json!([amd64, index, amd64, "same"])]
    );
    assert_eq!(
        facts(&self::rows(&report, "bare"), &["digest", "how", "drift"]),
        [json!([index, "config", "same"])]
    );
    let before = search.untagged().swap_remove(0);
    assert_eq!(
        facts(&self::rows(&report, "moved"), &["digest", "tagDigest", "drift"]),
        [json!([before, search.tag("stable"), "moved"])]
    );
    assert_eq!(
        facts(&self::rows(&report, "gone"), &["digest", "present", "tagDigest", "drift"]),
        // What is gone cannot be compared with what the tag means now.
        [json!([deleted.1, false, pay.tag("5.1.0"), "unknown"])]
    );
    assert_eq!(facts(&self::rows(&report, "pending"), &["imageId", "pods"]), [json!([null, 1])]);
    let mut digests = facts(&self::rows(&report, "roll"), &["digest"]);
    digests.sort_by_key(Value::to_string);
    let mut wanted = [json!([pay.tag("5.0.2")]), json!([pay.tag("5.1.0")])];
    wanted.sort_by_key(Value::to_string);
    assert_eq!(digests, wanted);
    let kinds = facts(&self::rows(&report, "nightly"), &["workload"]);
    assert_eq!(kinds, [json!([{"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly"}])]);
    let names: Vec<&str> = report["images"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["workload"]["kind"].as_str())
        .collect();
    assert!(!names.contains(&"ReplicaSet") && !names.contains(&"Job"), "{names:?}");
    assert_eq!(report["metadata"]["namespacesScanned"], json!([space.name]));
}

/// Twelve pods. What `deleted` names, a repository and a digest, was there once.
fn deploy(
    space: &Space,
    web: &Images,
    search: &Images,
    pay: &Images,
    (repository, gone): &(String, String),
) {
    let index = web.tag("2.4.1");
    let amd64 = web.child(&index, "amd64");
    let of = |images: &Images, tag: &str, id: String| Pod {
        image: format!("{}:{tag}", images.name),
        image_id: Some(id),
        architecture: Some("amd64"),
        pending: false,
    };
    let at = |images: &Images, digest: &str| format!("{}@{digest}", images.name);
    let one = json!({"replicas": 1});
    let before = of(pay, "5.0.2", at(pay, &pay.tag("5.0.2")));
    roll_out(space, &before, &of(pay, "5.1.0", at(pay, &pay.tag("5.1.0"))));
    let everywhere = Pod { architecture: None, ..of(web, "2.4.1", at(web, &index)) };
    space.workload("DaemonSet", "daemon", &everywhere, &json!({}));
    space.workload(
        "Deployment",
        "child",
        &of(web, "2.4.1", at(web, &amd64)),
        &json!({"replicas": 3}),
    );
    space.workload("Deployment", "bare", &of(web, "2.4.1", web.config(&amd64)), &one);
    let before = search.untagged().swap_remove(0);
    space.workload("StatefulSet", "moved", &of(search, "stable", at(search, &before)), &one);
    let image = format!("{repository}:1");
    let gone = Pod { image, ..of(pay, "1", format!("{repository}@{gone}")) };
    space.workload("Deployment", "gone", &gone, &one);
    let pending = Pod { image_id: None, pending: true, ..of(web, "2.4.1", String::new()) };
    space.workload("Deployment", "pending", &pending, &one);
    cron(space, &of(web, "2.4.1", at(web, &index)));
}

/// A Deployment in the middle of a roll-out: one pod before, one after, and no end of it, since
/// nothing is ever available.
fn roll_out(space: &Space, before: &Pod, after: &Pod) {
    let slow = json!({"replicas": 1, "minReadySeconds": 3600, "progressDeadlineSeconds": 7200,
                      "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}});
    space.workload("Deployment", "roll", before, &slow);
    // The pod of the first template must be there before the second comes.
    space.settle(1);
    let template = after.template(&json!({"app": "roll"}));
    let path = format!("/apis/apps/v1/namespaces/{}/deployments/roll", space.name);
    space.ask("PATCH", &path, Some(&json!({"spec": {"template": template}})));
}

/// A Job of a CronJob, as `kubectl create job --from` makes it.
fn cron(space: &Space, pod: &Pod) {
    let mut template = pod.template(&json!({"app": "nightly"}));
    template["spec"]["restartPolicy"] = json!("Never");
    let jobs = format!("/apis/batch/v1/namespaces/{}", space.name);
    let cron = space.post(&format!("{jobs}/cronjobs"), &json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 3 * * *", "suspend": true, "jobTemplate": {"spec": {"template": template}}},
    }));
    let owner = json!({"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "uid": cron["metadata"]["uid"], "controller": true});
    space.post(&format!("{jobs}/jobs"), &json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "nightly-29398230", "ownerReferences": [owner]}, "spec": {"template": template},
    }));
}

fn report(space: &Space, host: &str) -> Value {
    let found = space.discover().run().ok();
    let stream = pc("digest").args(["--plain-http", host]).stdin(found.stdout).run().ok();
    let report = pc("assemble").stdin(stream.stdout).run().ok();
    serde_json::from_slice(&report.stdout).expect("a report")
}

fn rows<'a>(report: &'a Value, name: &str) -> Vec<&'a Value> {
    report["images"]
        .as_array()
        .expect("rows")
        .iter()
        .filter(|row| row["workload"]["name"] == name)
        .collect()
}

fn facts(rows: &[&Value], keys: &[&str]) -> Vec<Value> {
    rows.iter().map(|row| keys.iter().map(|key| row[*key].clone()).collect()).collect()
}
