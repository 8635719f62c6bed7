//! The example's images, pushed to a real registry.

use std::fs;
use std::process::Command;

use serde_json::Value;
use testkit::{Testbed, root};

/// A repository of the example, below a real registry.
pub(crate) struct Images {
    layout: std::path::PathBuf,
    /// `host:port/path`.
    pub(crate) name: String,
}

impl Images {
    /// Pushes a layout of `registry.example.com` to `host` under the same path.
    pub(crate) fn push(testbed: &Testbed, host: &str, path: &str) -> Self {
        let layout = root().join("testdata/layouts/registry.example.com").join(path);
        let name = format!("{host}/{path}");
        let output = Command::new(testbed.bin.join("oci-images"))
            .arg("push")
            .arg(&layout)
            .arg(&name)
            .output()
            .expect("oci-images");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self { layout, name }
    }

    /// Pushes what the tag `before` means to a repository of its own, moves its tag `1` to `now`,
    /// and deletes what it was. Gives the repository's name and the digest that is gone.
    pub(crate) fn delete(&self, testbed: &Testbed, before: &str, now: &str) -> (String, String) {
        let home = tempfile::tempdir().expect("a folder");
        let crane = |args: &[&str]| testbed.tool("crane", home.path()).args(args).run();
        let host = self.name.split('/').next().expect("a host");
        let name = format!("{host}/{}", testbed.fresh("shop/deleted"));
        let gone = self.tag(before);
        let manifest = format!("{name}@{gone}");
        let _ = crane(&["copy", &format!("{}:{before}", self.name), &format!("{name}:1")]).ok();
        let _ = crane(&["copy", &format!("{}:{now}", self.name), &format!("{name}:1")]).ok();
        let _ = crane(&["manifest", &manifest]).ok();
        let _ = crane(&["delete", &manifest]).ok();
        assert_ne!(crane(&["manifest", &manifest]).code, Some(0), "`{manifest}` is still there");
        (name, gone)
    }

    /// The digest that a tag means.
    pub(crate) fn tag(&self, tag: &str) -> String {
        self.entries(|name| name == Some(tag)).swap_remove(0)
    }

    /// Indexes without a tag: what a tag meant before.
    pub(crate) fn untagged(&self) -> Vec<String> {
        self.entries(|name| name.is_none())
    }

    fn entries(&self, wanted: impl Fn(Option<&str>) -> bool) -> Vec<String> {
        let index: Value = self.json("index.json");
        let entries = index["manifests"].as_array().expect("entries");
        let is_index =
            |entry: &&Value| entry["mediaType"].as_str().is_some_and(|kind| kind.contains("index"));
        entries
            .iter()
            .filter(is_index)
            .filter(|entry| {
                wanted(entry["annotations"]["org.opencontainers.image.ref.name"].as_str())
            })
            .filter_map(|entry| entry["digest"].as_str().map(str::to_owned))
            .collect()
    }

    /// The manifest of an index for linux on this architecture.
    pub(crate) fn child(&self, index: &str, architecture: &str) -> String {
        let index = self.blob(index);
        let entries = index["manifests"].as_array().expect("entries");
        let child = entries.iter().find(|entry| entry["platform"]["architecture"] == architecture);
        child.expect("the platform")["digest"].as_str().expect("a digest").to_owned()
    }

    /// The config digest of a manifest.
    pub(crate) fn config(&self, manifest: &str) -> String {
        self.blob(manifest)["config"]["digest"].as_str().expect("a digest").to_owned()
    }

    fn blob(&self, digest: &str) -> Value {
        self.json(&format!("blobs/{}", digest.replace(':', "/")))
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&fs::read(self.layout.join(path)).expect("a file")).expect("JSON")
    }
}
