//! Dumps: what is in them is found, and what is not is not made up.

use serde_json::{Value, json};

use crate::{example, from, of, tally};

#[test]
fn the_example_cluster() {
    let ran = from(&example()).args(["--include-idle", "--cluster-name", "example"]).run().ok();
    let records = ran.records();
    assert_eq!(ran.of_type("failure"), Vec::<Value>::new());

    let web = of(&records, "shop", "web");
    let kinds: Vec<&Value> = web.iter().map(|record| &record["containerType"]).collect();
    assert_eq!(
        kinds,
        ["container", "container", "initContainer", "initContainer", "sidecar", "sidecar"]
    );
    assert_eq!(web[0]["workload"]["kind"], "Deployment");
    assert_eq!(
        (&web[0]["platform"], &web[1]["platform"]),
        (&json!("linux/amd64"), &json!("linux/arm64"))
    );
    assert_eq!(
        (&web[0]["pods"], &web[0]["runningDigest"]),
        (&json!(2), &json!(digest(&web[0]["imageId"])))
    );

    let kind = |namespace, name| of(&records, namespace, name)[0]["workload"]["kind"].clone();
    assert_eq!(kind("shop", "checkout"), "Rollout");
    assert_eq!(kind("shop", "maintenance-page"), "Pod");
    assert_eq!(kind("kube-system", "node-control"), "Node");
    assert_eq!(kind("batch", "nightly-report"), "CronJob");
    let records = ran.of_type("image");
    let kinds: Vec<&str> =
        records.iter().filter_map(|one| one["workload"]["kind"].as_str()).collect();
    assert!(!kinds.contains(&"ReplicaSet"), "{kinds:?}");

    assert_eq!(of(&records, "bank", "pay").len(), 2, "two versions in a roll-out");
    assert_eq!(of(&records, "bank", "audit")[0]["runningDigest"], Value::Null, "an image id");
    let pending = of(&records, "shop", "recommendations");
    assert_eq!(
        (&pending[0]["imageId"], &pending[1]["containerType"]),
        (&Value::Null, &json!("imageVolume"))
    );
    let idle: Vec<&Value> = records.iter().filter(|one| one["idle"] == true).collect();
    assert_eq!(
        idle.iter().map(|one| &one["workload"]["name"]).collect::<Vec<_>>(),
        ["cleanup", "legacy-import"]
    );
    assert!(idle.iter().all(|one| one["pods"] == 0 && one["imageId"].is_null()));

    let tally = tally(&ran);
    assert_eq!(tally["cluster"], "example");
    assert_eq!(
        tally["namespaces"],
        json!([
            "bank",
            "batch",
            "default",
            "kube-node-lease",
            "kube-public",
            "kube-system",
            "sandbox",
            "shop"
        ])
    );
    assert_eq!(tally["written"]["image"], records.len());
}

fn digest(image_id: &Value) -> String {
    let text = image_id.as_str().expect("an id");
    text.rsplit_once('@').expect("a repository digest").1.to_owned()
}

#[test]
fn each_runtime_stands_behind_the_first_image_of_its_subject() {
    let records = from(&example()).run().ok().records();
    let subject = |record: &Value| {
        ["namespace", "workload", "containerType", "container"].map(|key| record[key].clone())
    };
    let mut seen = Vec::new();
    for (at, record) in records.iter().enumerate().filter(|(_, record)| record["type"] == "image") {
        if !seen.contains(&subject(record)) {
            seen.push(subject(record));
            let next = &records[at + 1];
            assert_eq!((&next["type"], subject(next)), (&json!("runtime"), subject(record)));
        }
    }
    let runtimes = records.iter().filter(|record| record["type"] == "runtime").count();
    assert_eq!(
        (runtimes, records.last().expect("an end")["stages"][0]["written"]["runtime"].clone()),
        (seen.len(), json!(seen.len()))
    );
}

#[test]
fn every_record_fits_its_schema() {
    let ran = from(&example()).arg("--include-idle").run().ok();
    for kind in ["image", "runtime", "end"] {
        let path = testkit::root().join(format!("docs/schema/{kind}.json"));
        let schema =
            serde_json::from_str(&std::fs::read_to_string(path).expect("a schema")).expect("JSON");
        let schema = jsonschema::validator_for(&schema).expect("a schema");
        let records = ran.of_type(kind);
        assert!(!records.is_empty());
        for record in records {
            let faults: Vec<String> =
                schema.iter_errors(&record).map(|fault| fault.to_string()).collect();
            assert!(faults.is_empty(), "{faults:?}: {record}");
        }
    }
}

#[test]
fn two_runs_and_any_order_of_objects_give_the_same_rows() {
    let clock = ("SOURCE_DATE_EPOCH", "1700000000");
    let run =
        |file: &std::path::Path| from(file).arg("--include-idle").env(clock.0, clock.1).run().ok();
    let (first, second) = (run(&example()), run(&example()));
    assert_eq!(first.stdout, second.stdout);

    let text = std::fs::read_to_string(example()).expect("the dump");
    let mut dump: Value = serde_json::from_str(&text).expect("JSON");
    dump["items"].as_array_mut().expect("items").reverse();
    let folder = tempfile::tempdir().expect("a folder");
    let reversed = folder.path().join("dump.json");
    // `preserve_order` keeps `kind` where it was; a sorted dump has it in front of the rest, too.
    std::fs::write(&reversed, dump.to_string()).expect("written");
    let reversed = run(&reversed);
    let sorted = |ran: &testkit::Ran| {
        let mut lines: Vec<String> =
            ran.records().iter().filter(|one| one["type"] != "end").map(Value::to_string).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&first), sorted(&reversed));
}

#[test]
fn a_dump_by_standard_input_and_in_pieces() {
    let text = std::fs::read_to_string(example()).expect("the dump");
    let dump: Value = serde_json::from_str(&text).expect("JSON");
    let items = dump["items"].as_array().expect("items");
    let part = |kinds: &[&str]| {
        let chosen: Vec<&Value> =
            items.iter().filter(|item| kinds.iter().any(|kind| item["kind"] == **kind)).collect();
        json!({"apiVersion": "v1", "items": chosen, "kind": "List"}).to_string()
    };
    let rest = part(&["Node", "ReplicaSet", "Job", "Deployment", "CronJob", "Namespace"]);
    // The pods twice, as overlapping dumps have them.
    let pieces = format!("{}\n{rest}\n{}", part(&["Pod"]), part(&["Pod"]));
    let whole = from(&example()).run().ok();
    let pieced = testkit::pc("discover").args(["--from", "-"]).stdin(pieces).run().ok();
    assert_eq!(whole.of_type("image"), pieced.of_type("image"));
    assert_eq!(whole.of_type("runtime"), pieced.of_type("runtime"));
}

#[test]
fn what_a_dump_lacks_is_a_failure() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web-5f6d-a", "namespace": "shop", "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5f6d", "uid": "u", "controller": true}]},
        "spec": {"nodeName": "n1", "containers": [{"name": "web", "image": "web:1"}]}, "status": {"phase": "Running"}});
    let dump = |extra: &[&str]| {
        testkit::pc("discover").args(["--from", "-"]).args(extra).stdin(pod.to_string()).run().ok()
    };
    let ran = dump(&["--namespaces", "shop,gone,team-*"]);
    let image = ran.of_type("image").swap_remove(0);
    assert_eq!(
        image["workload"],
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5f6d"})
    );
    assert_eq!(image["platform"], Value::Null);
    let failures: Vec<Value> = ran
        .of_type("failure")
        .iter()
        .map(|one| json!([one["code"], one["namespace"], one["about"][0]]))
        .collect();
    assert_eq!(
        failures,
        [
            json!(["platform-unknown", null, "image"]),
            json!(["not-found", "shop", "image"]),
            json!(["namespace-not-found", "gone", "image"]),
        ]
    );
    assert_eq!(tally(&ran)["namespaces"], json!(["gone", "shop"]));

    let ran = dump(&["--default-platform", "linux/arm64"]);
    assert_eq!(ran.of_type("image")[0]["platform"], "linux/arm64");
}

#[test]
fn choices() {
    let names = |args: &[&str]| {
        let records = from(&example()).args(args).run().ok().of_type("image");
        let mut names: Vec<String> = records
            .iter()
            .map(|one| format!("{}/{}", one["namespace"], one["workload"]["name"]).replace('"', ""))
            .collect();
        names.dedup();
        names
    };
    let spaces = |names: &[String]| {
        let mut spaces: Vec<String> =
            names.iter().filter_map(|name| Some(name.split_once('/')?.0.to_owned())).collect();
        spaces.dedup();
        spaces
    };
    assert_eq!(
        spaces(&names(&["-n", "b*,shop", "--exclude-namespaces", "batch"])),
        ["bank", "shop"]
    );
    assert_eq!(spaces(&names(&["--exclude-namespaces", "kube-*,shop"])), ["bank", "batch"]);
    let selector = "app.kubernetes.io/name in (web, cart), !gone";
    assert_eq!(names(&["-l", selector]), ["shop/cart", "shop/web"]);
}

#[test]
fn shards_together_are_the_whole() {
    let all = from(&example()).run().ok();
    let mut parts = Vec::new();
    for index in 1..=3 {
        let ran = from(&example()).args(["--shard", &format!("{index}/3")]).run().ok();
        assert_eq!(tally(&ran)["shard"], json!({"index": index, "count": 3}));
        parts.extend(ran.of_type("image"));
    }
    let sorted = |records: Vec<Value>| {
        let mut lines: Vec<String> = records.iter().map(Value::to_string).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(parts), sorted(all.of_type("image")));
    let job = from(&example())
        .env("PROVENANCE_SHARD", "JOB_COMPLETION_INDEX/3")
        .env("JOB_COMPLETION_INDEX", "0")
        .run()
        .ok();
    assert_eq!(tally(&job)["shard"], json!({"index": 1, "count": 3}));
}

#[test]
fn one_page_of_a_list_is_not_a_dump() {
    let list = |metadata: &str| {
        format!(r#"{{"apiVersion":"v1","kind":"PodList","metadata":{metadata},"items":[]}}"#)
    };
    for page in [r#"{"continue":"abc"}"#, r#"{"remainingItemCount":1420}"#] {
        let ran = testkit::pc("discover").args(["--from", "-"]).stdin(list(page)).run().code(1);
        assert!(ran.of_type("end").is_empty());
        let _ = ran.says("one page of a list");
    }
    let without = r#"{"apiVersion":"v1","kind":"List"}"#;
    let _ = testkit::pc("discover")
        .args(["--from", "-"])
        .stdin(without)
        .run()
        .code(1)
        .says("without `items`");
}

#[test]
fn a_dump_without_pods_says_so_in_the_stream() {
    let empty = r#"{"apiVersion":"v1","kind":"List","items":[]}"#;
    let ran = testkit::pc("discover").args(["--from", "-"]).stdin(empty).run().ok();
    let failures = ran.of_type("failure");
    assert!(
        failures[0]["message"].as_str().is_some_and(|text| text.contains("no pods")),
        "{failures:?}"
    );
}

#[test]
fn what_an_image_record_leaves_out_is_counted() {
    let annotations: serde_json::Map<String, Value> = (0..150)
        .map(|n| (format!("provenance.nebari.dev/a{n:03}"), Value::from(n.to_string())))
        .collect();
    let secrets: Vec<Value> = (0..103).map(|n| json!({"name": format!("s{n:03}")})).collect();
    let pod = |name: &str, annotations: &Value, secrets: &Value, image: &str| {
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "shop", "annotations": annotations},
            "spec": {"containers": [{"name": "c", "image": image}], "imagePullSecrets": secrets}})
    };
    let long = format!("ghcr.io/acme/{}", "x".repeat(5_000));
    let few = json!({"provenance.nebari.dev/rule": "y".repeat(5_000)});
    let dump = json!({"kind": "List", "items": [
        pod("many", &annotations.into(), &secrets.into(), "nginx:1"),
        pod("long", &few, &json!([]), &long),
        pod("plain", &json!({}), &json!([]), "nginx:1"),
    ]});
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dump.json");
    std::fs::write(&file, dump.to_string()).expect("written");
    let records = from(&file).run().ok().records();
    let dropped = |name: &str| of(&records, "shop", name)[0]["dropped"].clone();
    assert_eq!(
        (dropped("many"), dropped("long"), dropped("plain")),
        (53.into(), 2.into(), 0.into())
    );
    let many = of(&records, "shop", "many")[0];
    assert_eq!(many["annotations"].as_object().map(|all| all.len()), Some(100));
    assert_eq!(many["pullSecrets"][99], "s099");
}
