//! An exception for some namespaces, from the file to the rows of the report.

use serde_json::{Value, json};
use testkit::pc;

use crate::support::{REPOSITORY, Shop, one};

#[test]
fn a_row_is_excused_where_its_namespace_is() {
    let shop = Shop::open();
    let digest = shop.digest_record();
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let glob = format!("{}/{REPOSITORY}*", shop.registry.host());
    let policy = json!({
        "apiVersion": "policy.sigstore.dev/v1beta1", "kind": "ClusterImagePolicy",
        "metadata": {"name": "signed"},
        "spec": {
            "images": [{"glob": format!("{}/**", shop.registry.host())}],
            "authorities": [{"keyless": {
                "url": "https://fulcio.sigstore.dev",
                "identities": [{"issuer": "https://a.example", "subject": "b@a.example"}],
            }}],
        },
    });
    let exception = json!({
        "image": glob, "namespace": "billing-*", "policy": "signed",
        "reason": "not yet", "owner": "team-billing", "until": "2999-12-31",
    });
    std::fs::write(file("policy.json"), policy.to_string()).expect("written");
    let exceptions = json!({"exceptions": [exception]}).to_string();
    std::fs::write(file("exceptions.json"), exceptions).expect("written");

    let image = |namespace: &str| {
        json!({
            "type": "image", "v": 1, "namespace": namespace,
            "workload": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "containerType": "container", "container": "web", "image": digest["image"],
            "imageId": digest["imageId"], "platform": "linux/amd64",
            "runningDigest": digest["digest"], "pinned": false, "pods": 1, "nodes": 1,
            "podNames": [], "pullSecrets": [], "annotations": {}, "idle": false,
        })
    };
    // The second namespace comes behind the answer, as it does in a long stream.
    let end = json!({"type": "end", "v": 1, "stages": []});
    let lines = [image("shop"), digest.clone(), image("billing-eu"), end];
    let stream: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let flags = ["--trust-policy", &file("policy.json"), "--exceptions", &file("exceptions.json")]
        .map(str::to_owned);
    let verified = pc("verify")
        .args(flags)
        .env("PROVENANCE_PLAIN_HTTP", shop.registry.host())
        .stdin(stream)
        .run()
        .ok();
    let records = verified.records();
    let told = one(&records, "policy");
    let text = "not yet (owner: team-billing, until 2999-12-31)";
    assert_eq!((&told["result"], &told["exception"]), (&json!("fail"), &Value::Null));
    let excused = json!([{"namespace": "billing-*", "until": "2999-12-31", "text": text}]);
    assert_eq!(told["exceptions"], excused);

    let assembled = pc("assemble").arg("--allow-incomplete").stdin(verified.stdout).run().ok();
    let report: Value = serde_json::from_slice(&assembled.stdout).expect("a report");
    let policies = |namespace: &str| {
        let mut rows = report["images"].as_array().expect("rows").iter();
        rows.find(|row| row["namespace"] == namespace).expect("a row")["policies"].clone()
    };
    let row = |result: &str, text: Option<&str>| json!([{"policy": "signed", "result": result, "exception": text}]);
    assert_eq!(policies("shop"), row("fail", None));
    assert_eq!(policies("billing-eu"), row("skip", Some(text)));
    assert_eq!(report["evidence"][0]["policies"][0]["exceptions"], excused);
}
