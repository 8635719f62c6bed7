//! Releases that Helm 3 and Helm 4 made on a real API server.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::{Ran, Run, Testbed, pc};

use crate::{failed, short, tally};

/// One Helm, a namespace, and a place for charts.
struct Helm<'a> {
    testbed: &'a Testbed,
    tool: &'static str,
    namespace: String,
    folder: tempfile::TempDir,
}

const DEPLOYMENT: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: "{{ .Release.Name }}"}
spec:
  replicas: {{ if .Values.slow }}1{{ else }}0{{ end }}
  selector: {matchLabels: {app: "{{ .Release.Name }}"}}
  template:
    metadata: {labels: {app: "{{ .Release.Name }}"}}
    spec:
      nodeSelector: {there-is: no-such-node}
      containers: [{name: web, image: "registry.example/web:{{ .Chart.Version }}"}]
{{- if .Values.broken }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: broken, namespace: there-is-no-such-namespace}
{{- end }}
"#;

const HOOK: &str = r#"apiVersion: batch/v1
kind: Job
metadata: {name: "{{ .Release.Name }}-hook", annotations: {"helm.sh/hook": post-rollback}}
spec: {template: {spec: {restartPolicy: Never, nodeSelector: {there-is: no-such-node}, containers: [{name: hook, image: "registry.example/hook:1"}]}}}
"#;

const CRD: &str = r#"apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: helmcharts.helm.cattle.io}
spec:
  group: helm.cattle.io
  scope: Namespaced
  names: {kind: HelmChart, plural: helmcharts, singular: helmchart}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
"#;

impl<'a> Helm<'a> {
    fn new(testbed: &'a Testbed, tool: &'static str) -> Self {
        let namespace = format!("{tool}-{}", std::process::id());
        Self { testbed, tool, namespace, folder: tempfile::tempdir().expect("a folder") }
    }

    /// A chart of this version, with these files more.
    fn chart(&self, version: &str, more: &[(&str, &[u8])]) -> PathBuf {
        let folder = self.folder.path().join(version);
        let chart = format!(
            "apiVersion: v2\nname: shop-web\nversion: {version}\nappVersion: \"7.1\"\ndeprecated: {}\n",
            version.starts_with("1.1")
        );
        let hook = [
            ("templates/web.yaml", DEPLOYMENT.as_bytes()),
            ("templates/hook.yaml", HOOK.as_bytes()),
        ];
        let files = [("Chart.yaml", chart.as_bytes()), ("values.yaml", b"password: hunter2\n")];
        for (name, text) in files.iter().chain(&hook).chain(more) {
            let file = folder.join(name);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            std::fs::write(file, text).expect("written");
        }
        folder
    }

    fn run(&self, args: &[&str]) -> Run {
        let run = self.testbed.tool(self.tool, self.folder.path()).args(args);
        let run = run.arg("--kubeconfig").arg(&self.testbed.kubeconfig);
        run.args(["--namespace", &self.namespace])
    }

    /// Installs or upgrades a release.
    fn up(&self, name: &str, chart: &Path, more: &[&str]) -> Run {
        let chart = chart.display().to_string();
        let run = self.run(&["upgrade", "--install", "--create-namespace", name, &chart]);
        run.args(more)
    }

    /// Begins an upgrade that waits for a pod that never runs, and is killed.
    fn killed(&self, name: &str, chart: &Path) {
        let mut child = Command::new(self.testbed.bin.join(self.tool));
        child.args(["upgrade", name, "--set", "slow=true", "--wait", "--timeout", "60s"]);
        child.arg(chart).arg("--kubeconfig").arg(&self.testbed.kubeconfig);
        child.args(["--namespace", &self.namespace]).env("HOME", self.folder.path());
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("helm");
        for _ in 0..300 {
            let shown = self.run(&["status", name, "-o", "json"]).run();
            if shown.code == Some(0) && shown.text().contains("pending-upgrade") {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        child.kill().expect("killed");
        let _ = child.wait();
    }

    /// Everything that can become of a release.
    fn make_all(&self) {
        let (one, two) = (self.chart("1.0.0", &[]), self.chart("1.1.0", &[]));
        for name in ["back", "failed", "gone", "pending", "several"] {
            let _ = self.up(name, &one, &[]).run().ok();
        }
        for version in [&two, &one, &two] {
            let _ = self.up("several", version, &[]).run().ok();
        }
        let _ = self.up("back", &two, &[]).run().ok();
        let _ = self.run(&["rollback", "back", "1", "--no-hooks"]).run().ok();
        let _ = self.up("failed", &two, &["--set", "broken=true"]).run().code(1);
        let _ = self.run(&["uninstall", "gone", "--keep-history"]).run().ok();
        self.killed("pending", &two);
        let large = self.chart("2.0.0", &[("noise.bin", &noise(675_000))]);
        let _ = self.up("large", &large, &[]).run().ok();
        let _ = self.up("kept", &one, &[]).env("HELM_DRIVER", "configmap").run().ok();
        let said = format!(
            "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {{name: several}}\nspec: {{chart: shop-web, repo: 'https://u:hunter2@charts.example/', targetNamespace: {}}}\n",
            self.namespace
        );
        let more: [(&str, &[u8]); 2] =
            [("crds/k3s.yaml", CRD.as_bytes()), ("templates/said.yaml", said.as_bytes())];
        let _ = self.up("origin", &self.chart("3.0.0", &more), &[]).run().ok();
    }

    fn list(&self, flags: &[&str]) -> Ran {
        let run = pc("helm").arg("-n").arg("--kubeconfig").arg(&self.testbed.kubeconfig);
        run.args(["--namespaces", &self.namespace]).args(flags).run().ok()
    }

    /// What Helm itself says of a release.
    fn status(&self, record: &Value) -> Value {
        let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let run = self.run(&["status", &text("releaseName"), "-o", "json"]);
        let ran = run.env("HELM_DRIVER", text("driver")).run().ok();
        serde_json::from_slice(&ran.stdout).expect("JSON")
    }

    fn history(&self, record: &Value) -> usize {
        let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let run = self.run(&["history", &text("releaseName"), "-o", "json"]);
        let ran = run.env("HELM_DRIVER", text("driver")).run().ok();
        let all: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
        all.as_array().map(Vec::len).unwrap_or_default()
    }
}

/// Bytes that do not pack.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes
}

/// Makes everything, and demands that it is told as it is.
fn told_as_it_is(testbed: &Testbed, tool: &'static str) {
    let helm = Helm::new(testbed, tool);
    helm.make_all();
    let ran = helm.list(&["--log-level", "debug"]);
    let wanted = [
        "back secret v3 deployed 1.0.0 of 3",
        "failed secret v2 failed 1.1.0 of 2 over 1 1.0.0",
        "gone secret v1 uninstalled 1.0.0 of 1",
        "kept configmap v1 deployed 1.0.0 of 1",
        "large secret v1 deployed 2.0.0 of 1",
        "origin secret v1 deployed 3.0.0 of 1",
        "pending secret v2 pending-upgrade 1.1.0 of 2 over 1 1.0.0",
        "several secret v4 deployed 1.1.0 of 4",
    ];
    let wanted = wanted.map(|line| format!("{}/{line}", helm.namespace));
    assert_eq!((short(&ran), failed(&ran)), (wanted.to_vec(), Vec::new()), "{}", ran.stderr);
    assert!(!ran.text().contains("hunter2") && !ran.stderr.contains("hunter2"));
    let asked = &tally(&ran)["requests"]["api"];
    assert_eq!((&asked["secrets"], &asked["configmaps"]), (&json!(1 + 7 + 2), &json!(1 + 1)));

    let records = ran.of_type("release");
    for record in &records {
        let said = helm.status(record);
        assert_eq!(
            (&record["status"], &record["revision"], &record["description"]),
            (&said["info"]["status"], &said["version"], &said["info"]["description"]),
            "{record}"
        );
        assert_eq!(record["revisions"], json!(helm.history(record)), "{record}");
        assert_eq!((&record["chart"], &record["appVersion"]), (&json!("shop-web"), &json!("7.1")));
        assert_eq!(record["deprecated"], record["version"] == "1.1.0");
        let image =
            format!("registry.example/web:{}", record["version"].as_str().unwrap_or_default());
        assert_eq!(record["images"], json!(["registry.example/hook:1", image]));
        for time in ["firstDeployed", "lastDeployed"] {
            assert!(record[time].as_str().is_some_and(|time| time.ends_with('Z')), "{record}");
        }
    }
    let several = &records[7]["origin"];
    assert_eq!(
        (&several["kind"], &several["url"]),
        (&json!("k3s"), &json!("https://charts.example"))
    );
    assert_eq!(records[0]["origin"]["kind"], "unknown");
    let names = |flags: &[&str]| helm.list(flags).of_type("release").len();
    assert_eq!(
        (names(&["--helm-driver", "configmap"]), names(&["--helm-driver", "secret"])),
        (1, 7)
    );
}

#[test]
fn releases_of_helm_3() {
    let Some(testbed) = Testbed::from_env("releases_of_helm_3") else { return };
    told_as_it_is(&testbed, "helm3");
}

#[test]
fn releases_of_helm_4() {
    let Some(testbed) = Testbed::from_env("releases_of_helm_4") else { return };
    told_as_it_is(&testbed, "helm");
}
