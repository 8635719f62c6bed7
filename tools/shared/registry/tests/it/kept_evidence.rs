//! Evidence in layouts as real tools keep it: what a tool copied is found, wherever it put it.

use std::fs;
use std::path::Path;

use http_asking::HttpArgs;
use records::{Digest, FailureCode};
use registry::{Referrers, Registry, RegistryArgs, Repository};
use serde_json::Value;
use tempfile::TempDir;
use testkit::Testbed;

use crate::support::{Found, http_args, tag};

/// A bundle's annotation, as cosign 3 writes it.
const PREDICATE: &str = "dev.sigstore.bundle.predicateType";

/// An image with an SBOM, a signature of cosign 2 and one of cosign 3, all by a key.
struct Signed {
    testbed: Testbed,
    home: TempDir,
    place: String,
    digest: Digest,
}

impl Signed {
    fn new(test: &str) -> Option<Self> {
        let testbed = Testbed::from_env(test)?;
        let place = format!("{}/{}", testbed.oci_registry, testbed.fresh("evidence/web"));
        let home = tempfile::tempdir().expect("a folder");
        fs::write(home.path().join("layer.tar"), [0; 1024]).expect("written");
        fs::write(home.path().join("sbom.json"), "{}").expect("written");
        let digest = format!("sha256:{}", "0".repeat(64)).parse().expect("a digest");
        let mut signed = Self { testbed, home, place, digest };
        let name = signed.name();
        signed.run("crane", &["append", "--oci-empty-base", "-f", "layer.tar", "-t", &name]);
        signed.digest = signed.run("crane", &["digest", &name]).parse().expect("a digest");
        signed.run("cosign", &["generate-key-pair", "--output-key-prefix", "key"]);
        let pinned = format!("{}@{}", signed.place, signed.digest);
        let config = signed.testbed.var("SIGNING_CONFIG");
        signed.run("cosign2", &["sign", "--key", "key.key", "--tlog-upload=false", "-y", &pinned]);
        let by_config = ["sign", "--key", "key.key", "--signing-config", &config, "-y", &pinned];
        signed.run("cosign", &by_config);
        let attach = ["attach", "--plain-http", "--artifact-type", "application/spdx+json", &name];
        signed.run("oras", &[&attach[..], &["sbom.json:application/spdx+json"]].concat());
        Some(signed)
    }

    fn name(&self) -> String {
        format!("{}:1", self.place)
    }

    fn run(&self, tool: &str, args: &[&str]) -> String {
        let run = self.testbed.tool(tool, self.home.path()).env("COSIGN_PASSWORD", "x");
        run.dir(self.home.path()).args(args).run().ok().text().trim().to_owned()
    }

    fn layout(&self, tree: &str) -> String {
        let layout = self.home.path().join(tree).join(&self.place);
        fs::create_dir_all(&layout).expect("made");
        layout.to_str().expect("text").to_owned()
    }

    fn open(&self, tree: &str) -> Registry {
        open(&self.home.path().join(tree))
    }

    fn repository(&self) -> Repository {
        self.place.parse().expect("a repository")
    }

    /// The artifact types of what refers to the image, and the predicate types of bundles.
    async fn referrers(&self, registry: &Registry) -> Vec<String> {
        let answer = registry.referrers(&self.repository(), &self.digest).await.expect("read");
        let Referrers::Listed(listed) = &*answer.value else { unreachable!("a layout has them") };
        let word = |entry: &registry::ImageIndexEntry| {
            let annotations = entry.annotations.clone().unwrap_or_default();
            let predicate = annotations.get(PREDICATE).cloned();
            predicate.or_else(|| entry.artifact_type.clone()).unwrap_or_default()
        };
        let mut words: Vec<_> = listed.iter().map(word).collect();
        words.sort_unstable();
        words
    }

    /// The digest behind the tag of cosign 2's signatures.
    async fn signatures(&self, registry: &Registry) -> Option<Digest> {
        let tag = tag(&format!("sha256-{}.sig", self.digest.hex()));
        registry.found(&self.repository(), &tag).await.expect("read").map(|found| found.digest)
    }
}

fn open(folder: &Path) -> Registry {
    let http = HttpArgs { plain_http: Vec::new(), ..http_args() };
    let layout = Some(folder.into());
    Registry::new(RegistryArgs { registry_auth: None, layout, http }).expect("opened")
}

const REFERRERS: [&str; 2] = ["application/spdx+json", "https://sigstore.dev/cosign/sign/v1"];

#[tokio::test]
async fn what_cosign_saves_is_all_there() {
    let Some(signed) = Signed::new("what_cosign_saves_is_all_there") else { return };
    let sig = format!("{}:sha256-{}.sig", signed.place, signed.digest.hex());
    let signatures: Digest = signed.run("crane", &["digest", &sig]).parse().expect("a digest");
    for (cosign, referrers) in [("cosign2", &[][..]), ("cosign", &REFERRERS)] {
        let layout = signed.layout(cosign);
        let save = ["save", "--allow-insecure-registry", "--dir", &layout, &signed.name()];
        signed.run(cosign, &save);
        let registry = signed.open(cosign);
        assert_eq!(signed.signatures(&registry).await.as_ref(), Some(&signatures), "{cosign}");
        assert_eq!(signed.referrers(&registry).await, referrers, "{cosign}");
        // Whether the image is `1` nobody says, and what tags there are neither.
        let image = registry.found(&signed.repository(), &tag("1")).await;
        assert_eq!(image.expect_err("unnamed").code(), FailureCode::Layout);
        let tags = registry.tags(&signed.repository()).await;
        assert_eq!(tags.expect_err("unnamed").code(), FailureCode::Layout);
    }
}

#[tokio::test]
async fn what_oras_copies_with_its_referrers_is_there() {
    let Some(signed) = Signed::new("what_oras_copies_with_its_referrers_is_there") else { return };
    let to = format!("{}:1", signed.layout("recursive"));
    let copy = ["copy", "-r", "--from-plain-http", "--to-oci-layout", &signed.name(), &to];
    signed.run("oras", &copy);
    let registry = signed.open("recursive");
    assert_eq!(signed.referrers(&registry).await, REFERRERS);
    assert_eq!(signed.signatures(&registry).await, None, "a tag of its own, not copied");
    let tag = format!("sha256-{}.sig", signed.digest.hex());
    let (from, to) =
        (format!("{}:{tag}", signed.place), format!("{}:{tag}", signed.layout("recursive")));
    signed.run("oras", &["copy", "--from-plain-http", "--to-oci-layout", &from, &to]);
    assert!(signed.signatures(&signed.open("recursive")).await.is_some());
}

#[tokio::test]
async fn evidence_that_is_broken_is_an_error_and_not_absent() {
    let Some(signed) = Signed::new("evidence_that_is_broken_is_an_error_and_not_absent") else {
        return;
    };
    let layout = signed.layout("broken");
    let save = ["save", "--allow-insecure-registry", "--dir", &layout, &signed.name()];
    signed.run("cosign", &save);
    let blobs = Path::new(&layout).join("blobs/sha256");
    let refers = |path: &Path| {
        let bytes = fs::read(path).expect("read");
        serde_json::from_slice::<Value>(&bytes).is_ok_and(|json| json["subject"].is_object())
    };
    let mut paths = fs::read_dir(&blobs).expect("a folder").map(|entry| entry.expect("one").path());
    let referrer = paths.find(|path| refers(path)).expect("one that refers");
    let text = fs::read_to_string(&referrer).expect("text");
    fs::write(&referrer, format!("{text} ")).expect("written");
    let registry = signed.open("broken");
    let error = registry.referrers(&signed.repository(), &signed.digest).await;
    assert_eq!(error.expect_err("tampered").code(), FailureCode::DigestMismatch);

    fs::remove_file(&referrer).expect("removed");
    let index = fs::read_to_string(Path::new(&layout).join("index.json")).expect("read");
    let index: Value = serde_json::from_str(&index).expect("JSON");
    let listed: Digest =
        index["manifests"][1]["digest"].as_str().expect("text").parse().expect("a digest");
    fs::remove_file(blobs.join(listed.hex())).expect("removed");
    let error = signed.open("broken").referrers(&signed.repository(), &signed.digest).await;
    assert_eq!(error.expect_err("listed and not there").code(), FailureCode::Layout);
}
