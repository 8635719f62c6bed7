//! Layouts as real tools make them, in place of the registry that they were made from.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Ran, Testbed, pc};

use crate::{image, stream};

/// An image for two platforms at a registry, signed, and folders for copies of it.
struct Copied {
    testbed: Testbed,
    home: TempDir,
    /// The repository, with its registry.
    place: String,
    index: String,
    amd64: String,
}

impl Copied {
    fn new(test: &str) -> Option<Self> {
        let testbed = Testbed::from_env(test)?;
        let place = format!("{}/{}", testbed.oci_registry, testbed.fresh("copied/web"));
        let home = tempfile::tempdir().expect("a folder");
        let mut copied = Self { testbed, home, place, index: String::new(), amd64: String::new() };
        fs::write(copied.home.path().join("layer.tar"), [0; 1024]).expect("written");
        let name = |tag: &str| format!("{}:{tag}", copied.place);
        for architecture in ["amd64", "arm64"] {
            let (tag, platform) = (name(architecture), format!("linux/{architecture}"));
            copied.run("crane", &["append", "--oci-empty-base", "-f", "layer.tar", "-t", &tag]);
            copied.run("crane", &["mutate", &tag, "--set-platform", &platform, "-t", &tag]);
        }
        let (amd64, arm64, both) = (name("amd64"), name("arm64"), name("1"));
        copied.run("crane", &["index", "append", "-m", &amd64, "-m", &arm64, "-t", &both]);
        copied.index = copied.run("crane", &["digest", &both]);
        copied.amd64 = copied.run("crane", &["digest", &amd64]);
        copied.run("cosign", &["generate-key-pair", "--output-key-prefix", "key"]);
        let signed = format!("{}@{}", copied.place, copied.index);
        copied.run("cosign2", &["sign", "--key", "key.key", "--tlog-upload=false", "-y", &signed]);
        Some(copied)
    }

    fn run(&self, tool: &str, args: &[&str]) -> String {
        let run = self.testbed.tool(tool, self.home.path()).env("COSIGN_PASSWORD", "x");
        run.dir(self.home.path()).args(args).run().ok().text().trim().to_owned()
    }

    /// A folder of this name, and the place of this repository's layout in the tree that it is.
    fn tree(&self, name: &str) -> (String, String) {
        let tree = self.home.path().join(name);
        let layout = tree.join(&self.place);
        fs::create_dir_all(&layout).expect("made");
        let text = |path: &Path| path.to_str().expect("text").to_owned();
        (text(&tree), text(&layout))
    }

    /// What pc-digest says of a running container, with a layout in place of the registry.
    fn of_running(&self, layout: &str, platform: &str) -> Ran {
        let id = format!("{}@{}", self.place, self.index);
        let record = image(&format!("{}:1", self.place), Some(&id), Some(platform), "web");
        let ran = pc("digest").args(["--layout", layout]).stdin(stream(&[record])).run().ok();
        let end = &ran.of_type("end")[0]["stages"][0];
        assert_eq!(end["requests"], json!({}), "nobody is asked");
        ran
    }

    /// The tag is known in the layout, and what runs is what it stands for.
    fn assert_whole(&self, layout: &str) {
        let ran = self.of_running(layout, "linux/amd64");
        let record = &ran.of_type("digest")[0];
        assert_eq!(ran.of_type("failure"), Vec::<Value>::new(), "{layout}");
        for (key, wanted) in [
            ("digest", json!(self.index)),
            ("tagDigest", json!(self.index)),
            ("index", json!(self.index)),
            ("manifest", json!(self.amd64)),
            ("present", json!(true)),
            ("drift", json!("same")),
        ] {
            assert_eq!(record[key], wanted, "{key} of {layout}");
        }
        let given = pc("digest").args(["--layout", layout, &format!("{}:1", self.place)]);
        let given = given.run().ok().of_type("digest");
        assert_eq!(given.len(), 2, "one for each platform");
    }

    /// The tag cannot be told, and the image is there all the same.
    fn assert_by_digest_alone(&self, layout: &str) {
        let ran = self.of_running(layout, "linux/amd64");
        let record = &ran.of_type("digest")[0];
        assert_eq!((&record["digest"], &record["tagDigest"]), (&json!(self.index), &Value::Null));
        assert_eq!((&record["present"], &record["drift"]), (&json!(true), &json!("unknown")));
        let failures = ran.of_type("failure");
        assert!(failures.iter().all(|failure| failure["code"] == "layout"), "{failures:#?}");
        let said = failures[0]["message"].as_str().expect("text");
        assert!(said.contains("names no image"), "{said}");
        let pinned = format!("{}@{}", self.place, self.index);
        let given = pc("digest").args(["--layout", layout, &pinned]).run().ok();
        assert_eq!(given.of_type("failure"), Vec::<Value>::new());
        assert_eq!(given.of_type("digest")[0]["present"], json!(true));
    }
}

#[test]
fn those_of_crane() {
    let Some(copied) = Copied::new("those_of_crane") else { return };
    let name = format!("{}:1", copied.place);
    let (tree, layout) = copied.tree("named");
    copied.run("crane", &["pull", "--format=oci", "--annotate-ref", &name, &layout]);
    copied.assert_whole(&tree);
    // As it is, too: it names its image in full.
    copied.assert_whole(&layout);
    let (tree, layout) = copied.tree("unnamed");
    copied.run("crane", &["pull", "--format=oci", &name, &layout]);
    copied.assert_by_digest_alone(&tree);
    copied.assert_by_digest_alone(&layout);
}

#[test]
fn those_of_oras() {
    let Some(copied) = Copied::new("those_of_oras") else { return };
    let name = format!("{}:1", copied.place);
    for (folder, more) in [("alone", &[][..]), ("with-referrers", &["-r"])] {
        let (tree, layout) = copied.tree(folder);
        let to = format!("{layout}:1");
        let copy = ["copy", "--from-plain-http", "--to-oci-layout", &name, &to];
        copied.run("oras", &[&copy[..], more].concat());
        copied.assert_whole(&tree);
        // A tag alone does not say of which repository it is.
        let ran = copied.of_running(&layout, "linux/amd64");
        let said = ran.of_type("failure")[0]["message"].to_string();
        assert!(said.contains("does not say of which repository"), "{said}");
    }
    // One platform of two: the index is not there, and nothing is claimed of it.
    let (tree, layout) = copied.tree("one-platform");
    let to = format!("{layout}:1");
    let one = ["copy", "--from-plain-http", "--to-oci-layout", "--platform", "linux/amd64"];
    copied.run("oras", &[&one[..], &[&name, &to]].concat());
    let ran = copied.of_running(&tree, "linux/amd64");
    assert_eq!(ran.of_type("digest")[0]["tagDigest"], json!(copied.amd64), "{}", ran.text());
    assert_ne!(ran.of_type("digest")[0]["present"], json!(true), "{}", ran.text());
}

/// skopeo writes into `org.opencontainers.image.ref.name` what stands behind `oci:DIR:`, word for
/// word (its documentation, "oci:path:reference"); the rest is as crane makes it.
#[test]
fn those_named_as_skopeo_names_them() {
    let Some(copied) = Copied::new("those_named_as_skopeo_names_them") else { return };
    let full = format!("{}:1", copied.place);
    for (folder, name, as_it_is) in [("tag", "1", false), ("full", full.as_str(), true)] {
        let (tree, layout) = copied.tree(folder);
        copied.run("crane", &["pull", "--format=oci", &full, &layout]);
        let file = Path::new(&layout).join("index.json");
        let mut index: Value =
            serde_json::from_str(&fs::read_to_string(&file).expect("read")).expect("JSON");
        index["manifests"][0]["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        fs::write(&file, index.to_string()).expect("written");
        copied.assert_whole(&tree);
        if as_it_is {
            copied.assert_whole(&layout);
        }
    }
}

#[test]
fn those_that_cosign_saves() {
    let Some(copied) = Copied::new("those_that_cosign_saves") else { return };
    for cosign in ["cosign2", "cosign"] {
        let (tree, layout) = copied.tree(cosign);
        let save = ["save", "--allow-insecure-registry", "--dir", &layout];
        copied.run(cosign, &[&save[..], &[&format!("{}:1", copied.place)]].concat());
        copied.assert_by_digest_alone(&tree);
        copied.assert_by_digest_alone(&layout);
    }
}
