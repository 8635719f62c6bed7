//! With exactly the rights that the documents name, and with less.

use serde_json::{Value, json};
use testkit::{Run, pc, root};

use super::api::{Pod, Space};

/// A ServiceAccount with a kubeconfig of its own.
struct Account<'a> {
    space: &'a Space,
    folder: tempfile::TempDir,
}

impl<'a> Account<'a> {
    /// A new account in the test's namespace.
    fn new(space: &'a Space, name: &str) -> Self {
        let accounts = format!("/api/v1/namespaces/{}/serviceaccounts", space.name);
        space.post(
            &accounts,
            &json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}),
        );
        Self::of(space, &space.name, name)
    }

    /// An account that is there.
    fn of(space: &'a Space, namespace: &str, name: &str) -> Self {
        let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}});
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token");
        let token = space.post(&path, &request);
        let folder = tempfile::tempdir().expect("a folder");
        // JSON is YAML.
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": [{"name": "it", "cluster": {"server": space.testbed.apiserver, "certificate-authority": space.testbed.apiserver_ca}}],
            "users": [{"name": "it", "user": {"token": token["status"]["token"]}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        });
        std::fs::write(folder.path().join("config"), config.to_string()).expect("written");
        Self { space, folder }
    }

    /// Binds rules to the account: everywhere, or in its namespace.
    fn may(&self, account: &str, rules: &Value, everywhere: bool) {
        let name = format!("{account}-{}", self.space.name);
        let (kind, prefix) = if everywhere {
            ("ClusterRole", String::new())
        } else {
            ("Role", format!("/namespaces/{}", self.space.name))
        };
        let base = format!("/apis/rbac.authorization.k8s.io/v1{prefix}/{}", kind.to_lowercase());
        let version = "rbac.authorization.k8s.io/v1";
        self.space.post(&format!("{base}s"), &json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}, "rules": rules}));
        self.space.post(&format!("{base}bindings"), &json!({
            "apiVersion": version, "kind": format!("{kind}Binding"), "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": self.space.name}],
        }));
    }

    fn discover(&self) -> Run {
        self.asks("discover")
    }

    /// A tool that asks the cluster as this account.
    fn asks(&self, tool: &str) -> Run {
        pc(tool).arg("--kubeconfig").arg(self.folder.path().join("config"))
    }
}

/// The objects of the manifest that the documents say to apply.
fn manifest() -> Vec<Value> {
    let text = std::fs::read_to_string(root().join("docs/examples/rbac.json")).expect("a file");
    let list: Value = serde_json::from_str(&text).expect("JSON");
    list["items"].as_array().expect("objects").clone()
}

/// The rules of its ClusterRole.
fn documented_rules() -> Vec<Value> {
    let objects = manifest();
    let role = objects.iter().find(|object| object["kind"] == "ClusterRole").expect("a role");
    role["rules"].as_array().expect("rules").clone()
}

fn with_a_pod(name: &str) -> Option<Space> {
    let space = Space::new(name)?;
    let pod =
        Pod { image: "nginx:1.27".into(), image_id: Some("sha256:00".into()), ..Pod::default() };
    space.workload("Deployment", "web", &pod, &json!({"replicas": 1}));
    space.settle(1);
    Some(space)
}

#[test]
fn the_page_shows_the_manifest() {
    let text = std::fs::read_to_string(root().join("docs/examples/rbac.json")).expect("a file");
    testkit::generated_part("docs/rbac.md", "manifest", &format!("\n```json\n{text}```\n\n"));
    for rule in documented_rules() {
        for verb in rule["verbs"].as_array().expect("verbs") {
            assert!(["get", "list"].contains(&verb.as_str().unwrap_or_default()), "{verb} writes");
        }
    }
}

#[test]
fn the_manifest_is_all_that_has_to_be_applied() {
    let Some(space) = with_a_pod("rights-all") else { return };
    // Twice, as people do.
    for object in manifest().iter().chain(&manifest()) {
        space.apply(object);
    }
    let account = Account::of(&space, "provenance", "provenance-collector");
    let ran = account.discover().args(["--include-idle"]).run().ok();
    assert_eq!(ran.of_type("failure"), Vec::<Value>::new(), "{}", ran.stderr);
    let row = ran
        .of_type("image")
        .into_iter()
        .find(|row| row["namespace"] == space.name.as_str())
        .expect("the row");
    assert_eq!(
        (&row["workload"]["kind"], row["platform"].is_null()),
        (&json!("Deployment"), false)
    );
}

/// These rules without one verb on one resource.
fn without(rules: &[Value], resource: &str, verb: &str) -> Value {
    let mut left = Vec::new();
    for rule in rules {
        for one in rule["resources"].as_array().expect("resources") {
            let verbs: Vec<&Value> = rule["verbs"]
                .as_array()
                .expect("verbs")
                .iter()
                .filter(|known| one != resource || *known != verb)
                .collect();
            if !verbs.is_empty() {
                left.push(
                    json!({"apiGroups": rule["apiGroups"], "resources": [one], "verbs": verbs}),
                );
            }
        }
    }
    left.into()
}

#[test]
fn each_documented_right_is_missed_when_it_is_not_given() {
    let Some(space) = with_a_pod("rights-each") else { return };
    let pod = json!({"metadata": {"labels": {"app": "old"}}, "spec": {"containers": [{"name": "main", "image": "nginx:1.27"}], "restartPolicy": "Always"}});
    space.post(
        &format!("/api/v1/namespaces/{}/replicationcontrollers", space.name),
        &json!({
            "apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "old"},
            "spec": {"replicas": 1, "selector": {"app": "old"}, "template": pod},
        }),
    );
    let mut once = pod;
    once["spec"]["restartPolicy"] = json!("Never");
    space.post(&format!("/apis/batch/v1/namespaces/{}/jobs", space.name), &json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"}, "spec": {"template": once},
    }));
    // Those two say no image id, so only their existence is waited for.
    wait_for_pods(&space, 3);
    let empty = format!("{}-empty", space.name);
    space.post(
        "/api/v1/namespaces",
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": empty}}),
    );
    let rules = documented_rules();
    let mut number = 0;
    for rule in &rules {
        for resource in rule["resources"].as_array().expect("resources") {
            for verb in rule["verbs"].as_array().expect("verbs") {
                let (resource, verb) =
                    (resource.as_str().expect("text"), verb.as_str().expect("text"));
                let name = format!("less-{number}");
                number += 1;
                let account = Account::new(&space, &name);
                account.may(&name, &without(&rules, resource, verb), true);
                // A namespace is looked at by itself only where it is named and seems empty.
                let run = match (resource, verb) {
                    ("namespaces", "get") => account.discover().args(["--namespaces", &empty]),
                    _ => account.discover().args(["--include-idle"]),
                };
                let ran = run.run();
                let said = format!("{}{}", ran.text(), ran.stderr);
                assert!(
                    said.contains("forbidden") && said.contains(resource),
                    "{verb} {resource}: {said}"
                );
            }
        }
    }
    assert_eq!(number, 11);
}

fn wait_for_pods(space: &Space, wanted: usize) {
    let started = std::time::Instant::now();
    loop {
        let list = space.ask("GET", &format!("/api/v1/namespaces/{}/pods", space.name), None);
        if list["items"].as_array().is_some_and(|pods| pods.len() == wanted) {
            return;
        }
        assert!(started.elapsed().as_secs() < 60, "{list}");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}

#[test]
fn a_role_in_one_namespace_is_enough_for_it() {
    let Some(space) = with_a_pod("rights-one") else { return };
    let account = Account::new(&space, "one");
    let rules = json!([
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
        {"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": ["list"]},
    ]);
    account.may("one", &rules, false);
    let ran = account
        .discover()
        .args(["--namespaces", &space.name, "--default-platform", "linux/amd64"])
        .run()
        .ok();
    let rows = ran.of_type("image");
    assert_eq!(
        (rows.len(), &rows[0]["platform"], &rows[0]["workload"]["kind"]),
        (1, &json!("linux/amd64"), &json!("Deployment"))
    );
    // Without that flag the platform is not known, and why is said.
    let ran = account.discover().args(["--namespaces", &space.name]).run().ok();
    assert_eq!(ran.of_type("image")[0]["platform"], Value::Null);
    assert!(
        ran.of_type("failure").iter().any(|failure| failure["code"] == "forbidden"
            && failure["message"].as_str().is_some_and(|text| text.contains("nodes"))),
        "{}",
        ran.text()
    );
    // Another namespace is forbidden, not empty.
    let ran = account
        .discover()
        .args(["--namespaces", &format!("{},kube-system", space.name)])
        .run()
        .ok();
    let failure = ran
        .of_type("failure")
        .into_iter()
        .find(|failure| failure["namespace"] == "kube-system")
        .expect("a failure");
    assert_eq!((&failure["code"], &failure["about"]), (&json!("forbidden"), &json!(["image"])));
}

#[test]
fn no_rights_at_all_is_an_error_that_says_what_is_missing() {
    let Some(space) = Space::new("rights-none") else { return };
    let account = Account::new(&space, "none");
    let ran = account.discover().run().code(1);
    let _ = ran.says("pods").says("list");
}

/// The rules that the page gives for Helm releases.
fn rules_for_helm() -> Vec<Value> {
    let page = std::fs::read_to_string(root().join("docs/rbac.md")).expect("a page");
    let part = page.split("## Helm releases").nth(1).expect("a part");
    let block = part.split("```json").nth(1).and_then(|rest| rest.split("```").next());
    serde_json::from_str(block.expect("a block")).expect("rules")
}

#[test]
fn helm_releases_need_the_rights_that_the_page_names_and_each_of_them() {
    let Some(space) = Space::new("rights-helm") else { return };
    // What is in it cannot be read, which only somebody finds out who may read it.
    space.post(
        &format!("/api/v1/namespaces/{}/secrets", space.name),
        &json!({
            "metadata": {"name": "sh.helm.release.v1.web.v1", "labels": {"owner": "helm", "status": "deployed"}},
            "type": "helm.sh/release.v1", "data": {"release": "eA=="},
        }),
    );
    let ours = |ran: &testkit::Ran, kind: &str| -> Vec<Value> {
        let here = |record: &Value| {
            record["namespace"].is_null() || record["namespace"] == space.name.as_str()
        };
        ran.of_type(kind).into_iter().filter(here).collect()
    };
    let account = |name: &str, rules: &Value| {
        let account = Account::new(&space, name);
        account.may(name, rules, true);
        account
    };
    let all = account("helm-all", &rules_for_helm().into());
    let ran = all.asks("helm").arg("-n").run().ok();
    let failures = ours(&ran, "failure");
    assert_eq!((ours(&ran, "release").len(), failures.len()), (1, 1), "{failures:?}");
    assert_eq!(failures[0]["code"], "release-unreadable");

    let resources = ["secrets", "configmaps"].map(|resource| (resource, ["list", "get"]));
    for (number, (resource, verb)) in resources
        .into_iter()
        .flat_map(|(resource, verbs)| verbs.map(|verb| (resource, verb)))
        .enumerate()
        .filter(|(_, (resource, verb))| *resource == "secrets" || *verb == "list")
    {
        let less = without(&rules_for_helm(), resource, verb);
        let ran = account(&format!("helm-less-{number}"), &less).asks("helm").arg("-n").run().ok();
        let missed = ours(&ran, "failure").into_iter().any(|failure| {
            let message = failure["message"].as_str().unwrap_or_default().to_owned();
            failure["code"] == "forbidden" && message.contains(resource) && message.contains(verb)
        });
        assert!(missed, "{verb} {resource}: {}", ran.text());
    }
    // Switched off, it needs none.
    let none = Account::new(&space, "helm-none");
    let ran = none.asks("helm").args(["-n", "--helm-enabled", "false"]).run().ok();
    assert_eq!(ran.records().len(), 1);
}
