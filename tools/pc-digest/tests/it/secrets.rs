//! The pods' pull secrets, from an API server that counts.

use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::registry::{Access, Canned, FakeRegistry};
use testkit::{Ran, Testbed, pc};

use crate::{digest, image, stream};

/// A kubeconfig for a server.
fn kubeconfig(server: &str, authority: &Value, token: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    let mut cluster = json!({"server": server});
    cluster
        .as_object_mut()
        .expect("an object")
        .extend(authority.as_object().cloned().unwrap_or_default());
    let text = json!({
        "current-context": "it", "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": cluster}],
        "users": [{"name": "it", "user": {"token": token}}],
    });
    std::fs::write(&file, text.to_string()).expect("written");
    (folder, file)
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// The data of a Secret that lets `user:s3cret` into a registry.
fn data(registry: &FakeRegistry, user: &str) -> Value {
    let auths = json!({"auths": {registry.host(): {"username": user, "password": "s3cret"}}});
    json!({".dockerconfigjson": base64(&auths.to_string())})
}

fn secret(kind: &str, data: &Value) -> Canned {
    let body = json!({"apiVersion": "v1", "kind": "Secret", "type": kind, "data": data});
    Canned::status(200).header("content-type", "application/json").body(body.to_string().as_str())
}

/// An `image` record of a namespace whose pod names these pull secrets.
fn of_pod(reference: &str, namespace: &str, workload: &str, secrets: &[&str]) -> Value {
    let mut record = image(reference, None, None, workload);
    record["namespace"] = namespace.into();
    record["pullSecrets"] = json!(secrets);
    record
}

/// A registry that lets in `user:s3cret` only, with `shop/web:1`.
fn private() -> FakeRegistry {
    let registry = FakeRegistry::start();
    registry.push_image("shop/web", Some("1"), "web");
    registry.switch(|switches| switches.access = Access::basic("user", "s3cret"));
    registry
}

/// Whether each `digest` record has a digest, and the codes and messages of the failures.
fn told(ran: &Ran) -> (Vec<bool>, Vec<(String, String)>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let known = ran.of_type("digest").iter().map(|record| !record["digest"].is_null()).collect();
    let failures = ran.of_type("failure");
    let failures = failures.iter().map(|f| (text(&f["code"]), text(&f["message"]))).collect();
    (known, failures)
}

#[test]
fn a_secret_serves_the_images_of_the_pods_that_name_it() {
    let (registry, api) = (private(), FakeRegistry::start());
    let kind = "kubernetes.io/dockerconfigjson";
    api.can("/api/v1/namespaces/shop/secrets/regcred", secret(kind, &data(&registry, "user")));
    api.can("/api/v1/namespaces/bank/secrets/regcred", secret(kind, &data(&registry, "other")));
    let reference = format!("{}/shop/web:1", registry.host());
    let mut records: Vec<Value> =
        (0..50).map(|n| of_pod(&reference, "shop", &format!("w{n}"), &["regcred"])).collect();
    records.push(of_pod(&reference, "bank", "theirs", &["regcred"]));
    records.push(of_pod(&reference, "free", "none", &[]));
    let (_folder, config) = kubeconfig(&format!("http://{}", api.host()), &json!({}), "t");
    let run = |flags: &[&str]| {
        let run = digest(&registry).arg("--kubeconfig").arg(&config).args(flags);
        run.args(["--log-level", "debug"]).stdin(stream(&records)).run().ok()
    };
    let ran = run(&["--pull-secrets"]);
    let (known, failures) = told(&ran);
    assert_eq!(known, [true, false, false]);
    assert!(failures[0].1.contains("`bank/regcred` was not accepted"), "{failures:?}");
    assert_eq!(failures[1].0, "unauthorized");
    for namespace in ["shop", "bank"] {
        assert_eq!(api.count("GET", &format!("/api/v1/namespaces/{namespace}/secrets/regcred")), 1);
    }
    let tally = &ran.of_type("end")[0]["stages"][0];
    assert_eq!(
        (&tally["requests"]["api"]["secrets"], &tally["settings"]["pullSecrets"]),
        (&json!(2), &json!(true))
    );
    let hidden = base64("user:s3cret");
    for shown in [ran.text(), ran.stderr] {
        assert!(!shown.contains("s3cret") && !shown.contains(&hidden));
        assert!(
            !shown.contains(data(&registry, "user")[".dockerconfigjson"].as_str().expect("text"))
        );
    }

    api.clear_log();
    let (known, _) = told(&run(&[]));
    assert_eq!((known, api.log().len()), (vec![false], 0));
}

#[test]
fn a_secret_that_cannot_be_used_is_named_with_its_reason() {
    let (registry, api) = (private(), FakeRegistry::start());
    let kind = "kubernetes.io/dockerconfigjson";
    api.can("/api/v1/namespaces/shop/secrets/opaque", secret("Opaque", &json!({"x": "eA=="})));
    api.can("/api/v1/namespaces/shop/secrets/empty", secret(kind, &json!({})));
    api.can(
        "/api/v1/namespaces/shop/secrets/garbled",
        secret(kind, &json!({".dockerconfigjson": "%"})),
    );
    let bad = json!({".dockerconfigjson": base64("{\"auths\": hunter2}")});
    api.can("/api/v1/namespaces/shop/secrets/bad", secret(kind, &bad));
    let forbidden = Canned::status(403).header("content-type", "application/json");
    let forbidden = forbidden.body(r#"{"kind":"Status","message":"secrets is forbidden"}"#);
    api.can("/api/v1/namespaces/shop/secrets/forbidden", forbidden);
    let (_folder, config) = kubeconfig(&format!("http://{}", api.host()), &json!({}), "t");
    let reference = format!("{}/shop/web:1", registry.host());
    for (name, words) in [
        ("opaque", "it is of type `Opaque`"),
        ("empty", "it has no `.dockerconfigjson`"),
        ("garbled", "is not base64"),
        ("bad", "it is no Docker configuration (line 1"),
        (
            "forbidden",
            "allow it by the rule {apiGroups: [\"\"], resources: [\"secrets\"], verbs: [\"get\"]}",
        ),
        ("missing", "has no such thing"),
        ("../../../../version", "it is no name of a Secret"),
    ] {
        let record = of_pod(&reference, "shop", "web", &[name]);
        let run = digest(&registry).arg("--kubeconfig").arg(&config).arg("--pull-secrets");
        let (known, failures) = told(&run.stdin(stream(&[record])).run().ok());
        assert_eq!((known, failures[0].0.as_str()), (vec![false], "credentials"), "{name}");
        assert!(
            failures[0].1.contains(words) && !failures[0].1.contains("hunter2"),
            "{failures:?}"
        );
    }
    assert!(
        api.log().iter().all(|asked| asked.path.starts_with("/api/v1/namespaces/shop/secrets/"))
    );
}

#[test]
fn a_cluster_that_is_not_there_is_told_at_the_start() {
    let ran = pc("digest").args(["--pull-secrets", "--kubeconfig", "/nowhere"]).stdin("").run();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("/nowhere"), "{}", ran.stderr);
}

#[test]
fn secrets_of_a_real_cluster() {
    let Some(testbed) = Testbed::from_env("secrets_of_a_real_cluster") else { return };
    let registry = private();
    let auths = json!({registry.host(): {"username": "user", "password": "s3cret"}});
    let ours = json!({".dockerconfigjson": base64(&json!({"auths": auths}).to_string())});
    let older = json!({".dockercfg": base64(&auths.to_string())});
    let namespace = format!("pull-{}", std::process::id());
    let post = |path: &str, body: &Value| {
        let args =
            ["-fsS", "--noproxy", "*", "-o", "/dev/null", "-H", "Content-Type: application/json"];
        let mut curl = std::process::Command::new("curl");
        curl.args(args).arg("--cacert").arg(&testbed.apiserver_ca);
        curl.args(["-H", &format!("Authorization: Bearer {}", testbed.token)]);
        curl.args(["-d", &body.to_string(), &format!("{}{path}", testbed.apiserver)]);
        assert!(curl.status().expect("curl").success(), "{path}");
    };
    post("/api/v1/namespaces", &json!({"metadata": {"name": namespace}}));
    let secrets = format!("/api/v1/namespaces/{namespace}/secrets");
    for (name, kind, data) in [
        ("new", "kubernetes.io/dockerconfigjson", &ours),
        ("old", "kubernetes.io/dockercfg", &older),
    ] {
        post(&secrets, &json!({"metadata": {"name": name}, "type": kind, "data": data}));
    }
    let authority = json!({"certificate-authority": testbed.apiserver_ca});
    let (_folder, config) = kubeconfig(&testbed.apiserver, &authority, &testbed.token);
    let reference = format!("{}/shop/web:1", registry.host());
    let records = [
        of_pod(&reference, &namespace, "new", &["new"]),
        of_pod(&reference, &namespace, "old", &["old"]),
        of_pod(&reference, &namespace, "gone", &["gone"]),
        of_pod(&reference, "default", "elsewhere", &["new"]),
    ];
    let run = digest(&registry).arg("--kubeconfig").arg(&config).arg("--pull-secrets");
    let (known, _) = told(&run.stdin(stream(&records)).run().ok());
    assert_eq!(known, [true, true, false, false]);
}
