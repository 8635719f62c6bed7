//! Against the real API server: what only it can show.

use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::{Run, Testbed, pc};

/// A kubeconfig for the real API server, with these fields of cluster and user.
fn config(testbed: &Testbed, cluster: &Value, user: &Value) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    let mut all = json!({"server": testbed.apiserver});
    all.as_object_mut().expect("an object").extend(cluster.as_object().expect("an object").clone());
    // JSON is YAML.
    let text = json!({
        "current-context": "it", "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": all}], "users": [{"name": "it", "user": user}],
    });
    std::fs::write(&file, text.to_string()).expect("written");
    (folder, file)
}

fn discover(file: &std::path::Path) -> Run {
    pc("discover").arg("--kubeconfig").arg(file)
}

#[test]
fn an_authority_that_is_not_known() {
    let Some(testbed) = Testbed::from_env("an_authority_that_is_not_known") else { return };
    let user = json!({"token": testbed.token});
    let (_folder, file) = config(&testbed, &json!({}), &user);
    let ran = discover(&file).run().code(1).says("invalid peer certificate: UnknownIssuer");
    let ran = ran.says("hint: set `certificate-authority`");
    assert!(ran.stdout.is_empty());

    let (_folder, file) =
        config(&testbed, &json!({"certificate-authority-data": "bm90IFBFTQ=="}), &user);
    let _ = discover(&file).run().code(1).says("certificate-authority holds no certificate");

    let (_folder, file) = config(&testbed, &json!({"insecure-skip-tls-verify": true}), &user);
    let _ = discover(&file)
        .args(["--namespaces", "default"])
        .run()
        .ok()
        .says("who answers is not checked");
}

#[test]
fn credentials_that_are_not_accepted() {
    let Some(testbed) = Testbed::from_env("credentials_that_are_not_accepted") else { return };
    let authority = json!({"certificate-authority": testbed.apiserver_ca});
    let (_folder, file) = config(&testbed, &authority, &json!({"token": "wr0ng"}));
    let ran =
        discover(&file).run().code(1).says("does not accept the credentials").says("log in again");
    assert!(!ran.stderr.contains("wr0ng"));

    // Nobody at all is allowed in by some set-ups, and turned away by others; never answered.
    let (_folder, file) = config(&testbed, &authority, &json!({}));
    let ran = discover(&file).run().code(1).says("hint: ");
    assert_eq!(ran.of_type("end"), Vec::<Value>::new());
}

#[test]
fn a_namespace_that_does_not_exist() {
    let Some(testbed) = Testbed::from_env("a_namespace_that_does_not_exist") else { return };
    let names = ["--namespaces", "default,no-such-namespace"];
    let ran = discover(&testbed.kubeconfig).args(names).run().ok();
    let failures = ran.of_type("failure");
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!(
        (&failures[0]["code"], &failures[0]["namespace"]),
        (&json!("namespace-not-found"), &json!("no-such-namespace"))
    );
}
