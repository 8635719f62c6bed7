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
    fn new(space: &'a Space, name: &str) -> Self {
        let accounts = format!("/api/v1/namespaces/{}/serviceaccounts", space.name);
        space.post(
            &accounts,
            &json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}),
        );
        let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}});
        let token = space.post(&format!("{accounts}/{name}/token"), &request);
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
        pc("discover").arg("--kubeconfig").arg(self.folder.path().join("config"))
    }
}

/// The rules of the ClusterRole in docs/rbac.md.
fn documented_rules() -> Value {
    let page = std::fs::read_to_string(root().join("docs/rbac.md")).expect("the page");
    let block =
        page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    let role: Value = serde_json::from_str(block).expect("JSON");
    role["rules"].clone()
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
fn the_documented_rights_are_enough_and_none_is_idle() {
    let Some(space) = with_a_pod("rights-all") else { return };
    let account = Account::new(&space, "all");
    let rules = documented_rules();
    account.may("all", &rules, true);
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
    for rule in rules.as_array().expect("rules") {
        for verb in rule["verbs"].as_array().expect("verbs") {
            assert!(["get", "list"].contains(&verb.as_str().unwrap_or_default()), "{verb} writes");
        }
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
