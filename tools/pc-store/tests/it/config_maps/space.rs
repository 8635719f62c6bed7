//! A namespace of the real API server, an account with the rights of docs/rbac.md, and reports.

use std::path::PathBuf;
use std::process::Command;

use report::join::Gathered;
use serde_json::{Value, json};
use testkit::{Ran, Run, Testbed, pc};

use crate::{finished, image};

/// A namespace of the testbed, and in it an account that may do what the store needs.
pub(super) struct Space {
    testbed: Testbed,
    name: String,
    folder: tempfile::TempDir,
}

impl Space {
    pub(super) fn new(test: &str) -> Option<Self> {
        let testbed = Testbed::from_env(test)?;
        let name = testbed.fresh("store");
        let space = Self { testbed, name, folder: tempfile::tempdir().expect("a folder") };
        space.post("/api/v1/namespaces", &json!({"metadata": {"name": space.name}}));
        space.grant();
        let token = space.post(
            &format!("{}/serviceaccounts/collector/token", space.path("")),
            &json!({"spec": {"expirationSeconds": 3600}}),
        );
        space.write_config(token["status"]["token"].as_str().expect("a token"));
        Some(space)
    }

    pub(super) fn grant(&self) {
        let list: Value = serde_json::from_str(&role()).expect("JSON");
        for object in list["items"].as_array().expect("objects") {
            let mut object = object.clone();
            object["metadata"]["namespace"] = json!(self.name);
            let path = match object["kind"].as_str().expect("a kind") {
                "ServiceAccount" => self.path("/serviceaccounts"),
                kind => format!(
                    "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/{}s",
                    self.name,
                    kind.to_lowercase()
                ),
            };
            if object["subjects"].is_array() {
                object["subjects"][0]["namespace"] = json!(self.name);
            }
            self.post(&path, &object);
        }
    }

    pub(super) fn path(&self, rest: &str) -> String {
        format!("/api/v1/namespaces/{}{rest}", self.name)
    }

    pub(super) fn write_config(&self, token: &str) {
        let testbed = &self.testbed;
        let cluster = json!({
            "server": testbed.apiserver, "certificate-authority": testbed.apiserver_ca,
        });
        let config = json!({
            "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "clusters": [{"name": "it", "cluster": cluster}],
            "users": [{"name": "it", "user": {"token": token}}],
        });
        std::fs::write(self.config(), config.to_string()).expect("written");
    }

    pub(super) fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// pc-store by the account, printing nothing, keeping for ever; at noon of 2026-11-24.
    pub(super) fn pc(&self, args: &[&str]) -> Run {
        pc("store")
            .env("KUBECONFIG", self.config())
            .env("PROVENANCE_REPORT_OUTPUT", "configmap")
            .env("PROVENANCE_REPORT_CONFIGMAP_NAMESPACE", &self.name)
            .env("PROVENANCE_REPORT_RETENTION", "-1")
            .env("PROVENANCE_PRINT", "none")
            .env("SOURCE_DATE_EPOCH", "1795521600")
            .args(args)
    }

    #[track_caller]
    pub(super) fn keep(&self, report: &[u8]) -> Ran {
        self.pc(&[]).stdin(report).run().ok()
    }

    #[track_caller]
    pub(super) fn get(&self, name: &str) -> Vec<u8> {
        self.pc(&["get", name]).run().ok().stdout
    }

    #[track_caller]
    pub(super) fn list(&self) -> Vec<Value> {
        let list = self.pc(&["list", "--format", "json"]).run().ok();
        serde_json::from_slice(&list.stdout).expect("JSON")
    }

    /// Asks as the administrator.
    pub(super) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let mut command = Command::new("curl");
        command.args(["-sS", "--noproxy", "*", "-X", method, "--cacert"]);
        command.arg(&self.testbed.apiserver_ca);
        command.arg("-H").arg(format!("authorization: Bearer {}", self.testbed.token));
        command.args(["-H", "content-type: application/json"]);
        if let Some(body) = body {
            let file = self.folder.path().join("body");
            std::fs::write(&file, body.to_string()).expect("written");
            command.arg("--data-binary").arg(format!("@{}", file.display()));
        }
        let output = command.arg(format!("{}{path}", self.testbed.apiserver)).output();
        serde_json::from_slice(&output.expect("curl").stdout).expect("JSON")
    }

    #[track_caller]
    pub(super) fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.ask("POST", path, Some(body));
        assert_ne!(answer["kind"], "Status", "{path}: {answer}");
        answer
    }

    pub(super) fn map(&self, name: &str) -> Value {
        self.ask("GET", &self.path(&format!("/configmaps/{name}")), None)
    }

    pub(super) fn put(&self, map: &Value) {
        let name = map["metadata"]["name"].as_str().expect("a name");
        let answer = self.ask("PUT", &self.path(&format!("/configmaps/{name}")), Some(map));
        assert_eq!(answer["kind"], "ConfigMap", "{answer}");
    }

    /// The names of all ConfigMaps of the store, by its label.
    pub(super) fn labelled(&self, more: &str) -> Vec<String> {
        let selector = format!("provenance.nebari.dev%2Fstore%3Dprovenance-report{more}");
        let path = self.path(&format!("/configmaps?labelSelector={selector}"));
        let list = self.ask("GET", &path, None);
        let items = list["items"].as_array().expect("a list").iter();
        items.map(|item| item["metadata"]["name"].as_str().expect("a name").to_owned()).collect()
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        self.ask("DELETE", &format!("/api/v1/namespaces/{}", self.name), None);
    }
}

/// The Role of docs/rbac.md for this store.
pub(super) fn role() -> String {
    let text = std::fs::read_to_string(testkit::root().join("docs/rbac.md")).expect("read");
    let (_, text) = text.split_once("<!-- begin: reports in ConfigMaps -->").expect("the mark");
    let (text, _) = text.split_once("<!-- end: reports in ConfigMaps -->").expect("the mark");
    let text = text.trim();
    let text = text.strip_prefix("```json").expect("JSON").strip_suffix("```").expect("JSON");
    text.to_owned()
}

/// A report of about so many bytes, which gzip makes not much smaller than half.
pub(super) fn report_of_size(time: &str, size: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let mut word = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:016x}", state ^ (state >> 29))
    };
    let mut of_rows = |rows: usize| {
        let mut gathered = Gathered::new();
        for row in 0..rows {
            let mut value = serde_json::to_value(image(row)).expect("JSON");
            let noise: String = (0..60).map(|_| word()).collect();
            value["workload"]["name"] = json!(noise);
            gathered.image(serde_json::from_value(value).expect("an image record"));
        }
        finished(gathered, time)
    };
    let (few, more) = (of_rows(10).len(), of_rows(60).len());
    of_rows(size.saturating_sub(few) / ((more - few) / 50) + 10)
}
