//! From real Helm releases to the report: charts from a plain web server and from real registries,
//! origins as Flux, Argo CD and k3s say them on a real API server, and one that nobody knows.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use testkit::{Run, Testbed, pc};

use crate::{failed, tally};

/// How many versions of charts the repository's index has.
const ENTRIES: usize = 15_000;

/// busybox's httpd over a folder.
struct WebServer {
    host: String,
    child: Child,
}

impl WebServer {
    fn over(folder: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = free.local_addr().expect("an address").to_string();
        drop(free);
        let mut command = Command::new("busybox");
        command.args(["httpd", "-f", "-p", &host, "-h"]).arg(folder).stdout(Stdio::null());
        let child = command.spawn().expect("busybox, which scripts/test installs");
        let server = Self { host, child };
        for _ in 0..200 {
            if TcpStream::connect(&server.host).is_ok() {
                return server;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        unreachable!("{} does not listen", server.host);
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A namespace of its own, and a place for charts.
struct Space<'a> {
    testbed: &'a Testbed,
    name: String,
    folder: tempfile::TempDir,
}

impl Space<'_> {
    fn helm(&self, tool: &str, args: &[&str]) -> Run {
        self.testbed.tool(tool, self.folder.path()).args(args)
    }

    fn in_cluster(&self, tool: &str, args: &[&str]) -> Run {
        let run = self.helm(tool, args).arg("--kubeconfig").arg(&self.testbed.kubeconfig);
        run.args(["--namespace", &self.name])
    }

    /// A chart whose files are these, packed into `below`.
    fn packed(&self, below: &str, name: &str, version: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = self.folder.path().join(format!("source/{name}-{version}"));
        let chart =
            format!("apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: '{version}'\n");
        for (file, text) in [("Chart.yaml", chart.as_str())].iter().chain(files) {
            let file = folder.join(file);
            fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            fs::write(file, text).expect("written");
        }
        let to = self.folder.path().join(below);
        fs::create_dir_all(&to).expect("made");
        let (source, to) = (folder.display().to_string(), to.display().to_string());
        let _ = self.helm("helm", &["package", &source, "--destination", &to]).run().ok();
        Path::new(&to).join(format!("{name}-{version}.tgz"))
    }

    /// A chart of a ConfigMap.
    fn plain(&self, below: &str, name: &str, version: &str) -> PathBuf {
        let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"{{ .Release.Name }}\"}\n";
        self.packed(below, name, version, &[("templates/map.yaml", map)])
    }
}

/// Helm's own index of the packed charts, and as many made-up ones of the same form.
fn index(space: &Space<'_>, url: &str) {
    let folder = space.folder.path().join("web/stable");
    let path = folder.display().to_string();
    let _ = space.helm("helm", &["repo", "index", &path, "--url", url]).run().ok();
    let file = folder.join("index.yaml");
    let made = fs::read_to_string(&file).expect("an index");
    let mut more = String::from("entries:\n");
    for chart in 0..ENTRIES / 30 {
        more.push_str(&format!("  chart-{chart:03}:\n"));
        for version in 0..30 {
            more.push_str(&format!(
                "  - apiVersion: v2\n    appVersion: 1.{version}.0\n    created: \"2026-01-01T00:00:00Z\"\n    description: One of many\n    digest: {}\n    keywords:\n    - a\n    - b\n    maintainers:\n    - email: a@example.com\n      name: a\n    name: chart-{chart:03}\n    urls:\n    - {url}/chart-{chart:03}-1.{version}.0.tgz\n    version: 1.{version}.0\n",
                "0".repeat(64)
            ));
        }
    }
    fs::write(&file, made.replacen("entries:\n", &more, 1)).expect("written");
}

fn definition(plural: &str, group: &str, version: &str, kind: &str) -> String {
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase()},
            "versions": [{"name": version, "served": true, "storage": true, "schema":
                {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        },
    });
    definition.to_string()
}

/// The objects of Flux and Argo CD that say where these releases come from, by a chart of theirs.
fn say_origins(space: &Space<'_>, web: &str) {
    let object = |version: &str, kind: &str, name: &str, spec: Value| {
        json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec})
            .to_string()
    };
    let (helm, source) = ("helm.toolkit.fluxcd.io/v2", "source.toolkit.fluxcd.io/v1");
    let oci = &space.testbed.oci_registry;
    let objects = [
        object(source, "HelmRepository", "stable", json!({"url": web})),
        object(
            helm,
            "HelmRelease",
            "served",
            json!({"chart": {"spec": {"chart": "web", "sourceRef": {"kind": "HelmRepository", "name": "stable"}}}}),
        ),
        object(
            source,
            "OCIRepository",
            "pushed",
            json!({"url": format!("oci://{oci}/{}/web", space.name)}),
        ),
        object(
            helm,
            "HelmRelease",
            "pushed",
            json!({"chartRef": {"kind": "OCIRepository", "name": "pushed"}}),
        ),
        object(
            "argoproj.io/v1alpha1",
            "Application",
            "argo",
            json!({
                "destination": {"server": "https://kubernetes.default.svc", "namespace": space.name},
                "source": {"repoURL": format!("{}/{}", space.testbed.registry, space.name), "chart": "web", "targetRevision": "1.x"},
            }),
        ),
    ];
    let objects = objects.join("\n---\n");
    let crds = [
        definition("helmreleases", "helm.toolkit.fluxcd.io", "v2", "HelmRelease"),
        definition("helmrepositories", "source.toolkit.fluxcd.io", "v1", "HelmRepository"),
        definition("ocirepositories", "source.toolkit.fluxcd.io", "v1", "OCIRepository"),
        definition("applications", "argoproj.io", "v1alpha1", "Application"),
    ];
    let crds = crds.join("\n---\n");
    let files = [("crds/all.yaml", crds.as_str()), ("templates/all.yaml", objects.as_str())];
    let chart = space.packed("more", "origins", "1.0.0", &files).display().to_string();
    let _ =
        space.in_cluster("helm", &["install", "origins", &chart, "--create-namespace"]).run().ok();
}

/// Installs one release from each kind of place, by the Helm that the place is given with.
fn install_all(space: &Space<'_>, web: &str) {
    let from = space.folder.path().join("web/stable/web-1.0.0.tgz").display().to_string();
    let _ = space
        .in_cluster("helm3", &["install", "served", "web", "--repo", web, "--version", "1.0.0"])
        .run()
        .ok();
    for (release, registry, tool) in [
        ("pushed", &space.testbed.oci_registry, "helm"),
        ("argo", &space.testbed.registry, "helm3"),
    ] {
        let place = format!("oci://{registry}/{}", space.name);
        for version in ["1.0.0", "1.1.0", "2.0.0-rc.1", "1.2.0+up.1"] {
            let chart = space.plain("pushed", "web", version).display().to_string();
            let _ = space.helm(tool, &["push", &chart, &place, "--plain-http"]).run().ok();
        }
        let chart = format!("{place}/web");
        let args = ["install", release, &chart, "--version", "1.0.0", "--plain-http"];
        let _ = space.in_cluster(tool, &args).run().ok();
    }
    let _ = space.in_cluster("helm", &["install", "lost", &from]).run().ok();
}

/// Each release in few words: who says where its chart came from, and what is newer.
fn told(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let words = |row: &Value| {
        let update = &row["update"];
        [
            &row["releaseName"],
            &row["version"],
            &row["origin"]["kind"],
            &update["status"],
            &update["newest"],
        ]
        .map(text)
        .join(" ")
    };
    report["helmReleases"].as_array().expect("releases").iter().map(words).collect()
}

#[test]
fn charts_of_real_releases_have_their_updates_found() {
    let Some(testbed) = Testbed::from_env("charts_of_real_releases_have_their_updates_found")
    else {
        return;
    };
    let name = testbed.fresh("ends");
    let space = Space { testbed: &testbed, name, folder: tempfile::tempdir().expect("a folder") };
    fs::create_dir_all(space.folder.path().join("web/stable")).expect("made");
    for version in ["1.0.0", "1.4.2", "2.1.0"] {
        let _ = space.plain("web/stable", "web", version);
    }
    let server = WebServer::over(&space.folder.path().join("web"));
    let web = format!("http://{}/stable", server.host);
    index(&space, &web);
    say_origins(&space, &web);
    install_all(&space, &web);

    let run = pc("helm").arg("-n").arg("--kubeconfig").arg(&testbed.kubeconfig);
    let listed = run.args(["--namespaces", &space.name]).run().ok();
    assert_eq!(failed(&listed), Vec::<String>::new());
    let plain = [&server.host, &testbed.registry, &testbed.oci_registry].map(String::as_str);
    let asked = pc("updates").args(["--plain-http", &plain.join(",")]).stdin(listed.stdout);
    let asked = asked.run().ok();
    assert_eq!(failed(&asked), Vec::<String>::new());
    let counts = tally(&asked)["requests"][&server.host].clone();
    let counts = counts.as_object().expect("counts").values().filter_map(Value::as_u64);
    assert_eq!(counts.sum::<u64>(), 1, "one index for all");
    let report = pc("assemble").arg("--allow-incomplete").stdin(asked.stdout).run().ok();
    let report: Value = serde_json::from_slice(&report.stdout).expect("a report");
    assert_eq!(
        told(&report),
        [
            "argo 1.0.0 argo-cd available 1.2.0+up.1",
            "lost 1.0.0 unknown unknown -",
            "origins 1.0.0 unknown unknown -",
            "pushed 1.0.0 flux-oci available 1.2.0+up.1",
            "served 1.0.0 flux-helm available 2.1.0",
        ]
    );
    let lost = &report["helmReleases"][1];
    let reason = lost["update"]["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("origin-unknown: ") && reason.contains("`web`"), "{reason}");
    assert_eq!(
        (&lost["origin"]["url"], &lost["update"]["updateAvailable"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(report["helmReleases"][4]["update"]["latestInMajor"], "1.4.2");
}
