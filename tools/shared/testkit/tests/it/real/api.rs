//! Making objects at the real API server.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Run, Testbed, pc};

/// How long objects may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(60);

/// A namespace of its own at the real API server.
pub(crate) struct Space {
    pub(crate) testbed: Testbed,
    pub(crate) name: String,
}

impl Space {
    /// Makes a namespace; the test is skipped where there is no testbed.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let testbed = Testbed::from_env(name)?;
        let name = format!("{name}-{}", std::process::id());
        let space = Self { testbed, name };
        space.post(
            "/api/v1/namespaces",
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space.name}}),
        );
        Some(space)
    }

    /// Asks the API server as the administrator.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let patch = method == "PATCH";
        let kind = if patch { "application/merge-patch+json" } else { "application/json" };
        self.send(method, path, kind, body)
    }

    /// Applies an object of a manifest, as `kubectl apply --server-side` does.
    pub(crate) fn apply(&self, object: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let version = text(&object["apiVersion"]);
        let group = if version == "v1" { "/api/v1".to_owned() } else { format!("/apis/{version}") };
        let space = &object["metadata"]["namespace"];
        let space = space.as_str().map(|space| format!("/namespaces/{space}")).unwrap_or_default();
        let kind = text(&object["kind"]).to_lowercase();
        let name = text(&object["metadata"]["name"]);
        let path = format!("{group}{space}/{kind}s/{name}?fieldManager=it");
        self.send("PATCH", &path, "application/apply-patch+yaml", Some(object));
    }

    fn send(&self, method: &str, path: &str, kind: &str, body: Option<&Value>) -> Value {
        use std::io::Write;
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail-with-body", "-X", method, "--cacert"])
            .arg(&self.testbed.apiserver_ca)
            .args(["-H", &format!("Authorization: Bearer {}", self.testbed.token)])
            .args(["-H", &format!("Content-Type: {kind}")])
            .arg(format!("{}{path}", self.testbed.apiserver))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if body.is_some() {
            curl.args(["--data-binary", "@-"]);
        }
        let mut child = curl.spawn().expect("curl");
        let mut pipe = child.stdin.take().expect("a pipe");
        pipe.write_all(body.map(ToString::to_string).unwrap_or_default().as_bytes()).expect("sent");
        drop(pipe);
        let output = child.wait_with_output().expect("waited");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{method} {path}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Makes an object.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", path, Some(body))
    }

    /// Makes a workload of the `apps` group whose one container is `main`.
    pub(crate) fn workload(&self, kind: &str, name: &str, pod: &Pod, spec: &Value) {
        let labels = json!({"app": name});
        let mut all =
            json!({"selector": {"matchLabels": labels}, "template": pod.template(&labels)});
        merge(&mut all, spec);
        let path = format!("/apis/apps/v1/namespaces/{}/{}s", self.name, kind.to_lowercase());
        self.post(&path, &json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": all}));
    }

    /// Waits until so many pods exist and all that are meant to run do.
    pub(crate) fn settle(&self, pods: usize) {
        let started = Instant::now();
        loop {
            let list = self.ask("GET", &format!("/api/v1/namespaces/{}/pods", self.name), None);
            let items = list["items"].as_array().cloned().unwrap_or_default();
            let settled = |pod: &&Value| {
                let pending =
                    !pod["metadata"]["annotations"]["testbed.provenance/pending"].is_null();
                pod["status"]["phase"] == if pending { "Pending" } else { "Running" }
                    && (pending
                        || pod["status"]["containerStatuses"][0]["imageID"]
                            .as_str()
                            .is_some_and(|id| !id.is_empty()))
            };
            if items.len() == pods && items.iter().filter(settled).count() == pods {
                return;
            }
            let phases: Vec<String> = items
                .iter()
                .map(|pod| format!("{} {}", pod["metadata"]["name"], pod["status"]["phase"]))
                .collect();
            assert!(started.elapsed() < PATIENCE, "{pods} pods were wanted: {phases:?}");
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// pc-discover over this namespace, as the administrator.
    pub(crate) fn discover(&self) -> Run {
        pc("discover")
            .arg("--kubeconfig")
            .arg(&self.testbed.kubeconfig)
            .args(["--namespaces", &self.name])
    }
}

/// A pod with one container.
#[derive(Default)]
pub(crate) struct Pod {
    pub(crate) image: String,
    pub(crate) image_id: Option<String>,
    pub(crate) architecture: Option<&'static str>,
    pub(crate) pending: bool,
}

impl Pod {
    pub(crate) fn template(&self, labels: &Value) -> Value {
        let mut annotations = serde_json::Map::new();
        if let Some(id) = &self.image_id {
            annotations.insert("testbed.provenance/image-id.main".into(), json!(id));
        }
        if self.pending {
            annotations.insert("testbed.provenance/pending".into(), json!("true"));
        }
        let selector =
            self.architecture.map_or(json!({}), |arch| json!({"kubernetes.io/arch": arch}));
        json!({
            "metadata": {"labels": labels, "annotations": annotations},
            "spec": {
                "nodeSelector": selector,
                "tolerations": [{"operator": "Exists"}],
                "containers": [{"name": "main", "image": self.image}],
            },
        })
    }
}

fn merge(into: &mut Value, from: &Value) {
    if let (Some(into), Some(from)) = (into.as_object_mut(), from.as_object()) {
        into.extend(from.clone());
    }
}
