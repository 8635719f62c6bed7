//! Layout directories in place of a registry.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use records::{Digest, FailureCode};
use registry::{
    Descriptor, Error, Manifest, Reference, Registry, RegistryArgs, Selection, SetupError, platform,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Found, tag};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    registry: RegistryArgs,
}

fn open(folder: &Path) -> Result<Registry, SetupError> {
    let folder = folder.to_str().expect("text");
    let cli = Cli::try_parse_from(["tool", "--layout", folder]).expect("parsed");
    Registry::new(cli.registry)
}

/// A layout that is being made.
struct Made {
    folder: PathBuf,
    entries: Vec<Value>,
}

impl Made {
    fn at(folder: &Path) -> Self {
        fs::create_dir_all(folder.join("blobs/sha256")).expect("made");
        fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("written");
        let made = Self { folder: folder.to_owned(), entries: Vec::new() };
        made.write_index();
        made
    }

    fn write_index(&self) {
        let index = json!({"schemaVersion": 2, "manifests": self.entries});
        fs::write(self.folder.join("index.json"), index.to_string()).expect("written");
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join("blobs/sha256").join(digest.hex())
    }

    fn blob(&self, bytes: &[u8]) -> Digest {
        let hex = hex::encode(Sha256::digest(bytes));
        let digest = format!("sha256:{hex}").parse().expect("a digest");
        fs::write(self.path(&digest), bytes).expect("written");
        digest
    }

    fn image(&self, seed: &str) -> Digest {
        let config = json!({"os": "linux", "architecture": seed}).to_string();
        let config_digest = self.blob(config.as_bytes());
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "layers": [],
            "config": {"mediaType": "c", "digest": config_digest, "size": config.len()},
        });
        self.blob(manifest.to_string().as_bytes())
    }

    fn index(&self, children: &[(&str, &Digest)]) -> Digest {
        let manifests: Vec<Value> = children
            .iter()
            .map(|(architecture, digest)| {
                let platform = json!({"os": "linux", "architecture": architecture});
                json!({"mediaType": MANIFEST, "digest": digest, "size": 1, "platform": platform})
            })
            .collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        self.blob(index.to_string().as_bytes())
    }

    fn name(&mut self, name: &str, media_type: &str, digest: &Digest) {
        let annotations = json!({"org.opencontainers.image.ref.name": name});
        let entry = json!({"mediaType": media_type, "digest": digest, "size": 1, "annotations": annotations});
        self.entries.push(entry);
        self.write_index();
    }
}

async fn head(registry: &Registry, image: &str) -> Result<Option<Descriptor>, Error> {
    let reference: Reference = image.parse().expect(image);
    registry.found(reference.repository(), reference.tag_or_digest()).await
}

#[tokio::test]
async fn a_tree_of_layouts_is_every_registry() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut nginx = Made::at(&folder.path().join("docker.io/library/nginx"));
    let (amd64, arm64) = (nginx.image("amd64"), nginx.image("arm64"));
    let index = nginx.index(&[("amd64", &amd64), ("arm64", &arm64)]);
    nginx.name("1.27", INDEX, &index);
    let mut web = Made::at(&folder.path().join("localhost:5000/acme/web"));
    let image = web.image("amd64");
    web.name("localhost:5000/acme/web:2", MANIFEST, &image);

    let registry = open(folder.path()).expect("opened");
    let found = head(&registry, "nginx:1.27").await.expect("read").expect("there");
    assert_eq!((&found.digest, found.media_type.as_deref()), (&index, Some(INDEX)));
    let other = head(&registry, "localhost:5000/acme/web:2").await.expect("read").expect("there");
    assert_eq!(other.digest, image);
    for absent in [
        "nginx:1.28",
        "redis:1.27",
        "localhost:5000/acme/web:1.27",
        "ghcr.io/library/nginx:1.27",
        "nginx/blobs:1",
    ] {
        assert_eq!(head(&registry, absent).await.expect("read"), None, "{absent}");
    }

    let nginx = "nginx".parse().expect("a repository");
    let manifest = registry.manifest(&nginx, &index).await.expect("read").expect("there");
    let Manifest::Index(parsed) = &*manifest else { panic!("no index") };
    let wanted = "linux/arm64".parse().expect("a platform");
    assert_eq!(platform::select(parsed, &wanted), Selection::One(arm64.clone()));
    assert_eq!(registry.image_platform(&nginx, &arm64).await.expect("read"), Some(wanted));
    let config = registry.config_digest(&nginx, &arm64).await.expect("read").expect("there");
    let blob = Descriptor { digest: config, media_type: None, size: None };
    assert!(registry.blob(&nginx, &blob, 1000).await.expect("read").is_some());
    let limited = registry.blob(&"redis".parse().expect("a repository"), &blob, 1).await;
    assert_eq!(limited.expect("no layout"), None);
    assert!(registry.requests().is_empty());
}

#[tokio::test]
async fn what_index_json_does_not_list_is_there_by_digest() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = Made::at(&folder.path().join("docker.io/library/nginx"));
    let (image, layer) = (made.image("amd64"), made.blob(b"a layer"));
    let registry = open(folder.path()).expect("opened");
    let found = head(&registry, &format!("nginx@{image}")).await.expect("read").expect("there");
    assert_eq!((found.digest, found.media_type.as_deref()), (image, Some(MANIFEST)));
    assert_eq!(head(&registry, &format!("nginx@{layer}")).await.expect("read"), None);
    let absent = format!("nginx@sha256:{}", "a".repeat(64));
    assert_eq!(head(&registry, &absent).await.expect("read"), None);
}

#[tokio::test]
async fn a_single_layout_names_its_images_in_full() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut made = Made::at(folder.path());
    let (web, bare) = (made.image("amd64"), made.image("arm64"));
    made.name("ghcr.io/acme/web:2", MANIFEST, &web);
    made.name("1.27", MANIFEST, &bare);
    let registry = open(folder.path()).expect("opened");
    let found = head(&registry, "ghcr.io/acme/web:2").await.expect("read").expect("there");
    assert_eq!(found.digest, web);
    assert_eq!(head(&registry, "nginx:2").await.expect("read"), None);
    // Whose 1.27 it is nobody says, so it is nobody's.
    let error = head(&registry, "nginx:1.27").await.expect_err("nameless");
    assert_eq!(error.code(), FailureCode::Layout);
    assert!(error.to_string().contains("<registry>/<repository>/"), "{error}");
    assert!(head(&registry, &format!("nginx@{bare}")).await.expect("read").is_some());
}

#[tokio::test]
async fn bytes_must_be_what_their_name_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut made = Made::at(&folder.path().join("docker.io/library/nginx"));
    let (image, gone) = (made.image("amd64"), made.image("arm64"));
    made.name("1", MANIFEST, &image);
    made.name("2", MANIFEST, &gone);
    fs::write(made.path(&image), "tampered").expect("written");
    fs::remove_file(made.path(&gone)).expect("removed");
    let registry = open(folder.path()).expect("opened");
    let nginx = "nginx".parse().expect("a repository");
    let digest = format!("nginx@{image}");
    for error in [
        head(&registry, "nginx:1").await.expect_err("tampered"),
        head(&registry, &digest).await.expect_err("tampered"),
        registry.manifest(&nginx, &image).await.expect_err("tampered"),
    ] {
        assert_eq!(error.code(), FailureCode::DigestMismatch, "{error}");
    }
    let error = head(&registry, "nginx:2").await.expect_err("listed and not there");
    assert_eq!(error.code(), FailureCode::Layout);
    assert!(error.to_string().contains("is not there"), "{error}");
    assert!(registry.manifest(&nginx, &gone).await.expect("read").is_none());
}

#[tokio::test]
async fn files_of_web_servers_lie_in_the_tree_as_well() {
    let tree = tempfile::tempdir().expect("a folder");
    let _ = Made::at(&tree.path().join("registry.example.com/shop/web"));
    let place = tree.path().join("charts.example.com:8443/stable");
    fs::create_dir_all(&place).expect("made");
    fs::write(place.join("index.yaml"), "entries: {}").expect("written");
    std::os::unix::fs::symlink("/etc/hostname", place.join("out")).expect("linked");
    let registry = open(tree.path()).expect("opened");
    let read = async |url: &str, limit: u64| {
        let address = url.parse::<http_asking::Address>().expect("an address");
        registry.laid_out(&address, limit).await.expect("the directory stands for all hosts")
    };
    let whole = read("https://charts.example.com:8443/stable//index.yaml", 11).await;
    assert_eq!(whole.expect("read").as_deref(), Some(&b"entries: {}"[..]));
    for elsewhere in [
        "https://charts.example.com:8443/index.yaml",
        "https://charts.example.com/stable/index.yaml",
        "https://charts.example.com:8443/",
        "https://charts.example.com:8443/../../etc/hostname",
        "https://charts.example.com:8443/%2e%2e/%2e%2e/%2e%2e/etc/hostname",
    ] {
        assert!(read(elsewhere, 11).await.expect("read").is_none(), "{elsewhere}");
    }
    let large = read("https://charts.example.com:8443/stable/index.yaml", 10).await;
    assert_eq!(large.expect_err("one byte more").code(), FailureCode::TooLarge);
    assert!(read("https://charts.example.com:8443/stable/out", 100).await.is_err());
}

#[tokio::test]
async fn links_do_not_lead_out() {
    let (outside, folder) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let other = Made::at(outside.path());
    let image = other.image("amd64");
    let mut made = Made::at(&folder.path().join("docker.io/library/nginx"));
    made.name("1", MANIFEST, &image);
    std::os::unix::fs::symlink(other.path(&image), made.path(&image)).expect("linked");
    let place = folder.path().join("docker.io/library/redis");
    std::os::unix::fs::symlink(outside.path(), place).expect("linked");
    // Inside the directory links are as good as what they lead to.
    let twin = folder.path().join("docker.io/library/twin");
    std::os::unix::fs::symlink(&made.folder, twin).expect("linked");
    let own = made.image("arm64");
    made.name("2", MANIFEST, &own);

    let registry = open(folder.path()).expect("opened");
    for image in ["nginx:1".to_owned(), "redis:1".to_owned(), format!("redis@{image}")] {
        let error = head(&registry, &image).await.expect_err("outside");
        assert!(error.to_string().contains("leads out of the layout directory"), "{error}");
    }
    assert_eq!(head(&registry, "twin:2").await.expect("read").expect("there").digest, own);
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, file, text) in [
        ("index", "index.json", "{"),
        ("version", "oci-layout", r#"{"imageLayoutVersion":"2.0.0"}"#),
        ("marker", "oci-layout", "[]"),
    ] {
        let made = Made::at(&folder.path().join("docker.io/library").join(name));
        fs::write(made.folder.join(file), text).expect("written");
    }
    let none = Made::at(&folder.path().join("docker.io/library/none"));
    fs::remove_file(none.folder.join("index.json")).expect("removed");
    let registry = open(folder.path()).expect("opened");
    for image in ["index", "version", "marker", "none"] {
        let error = head(&registry, image).await.expect_err(image);
        assert_eq!(error.code(), FailureCode::Layout, "{error}");
        assert!(error.host().is_none() && !error.retryable());
    }
    let error = registry.found(&"version".parse().expect("a repository"), &tag("x")).await;
    assert!(error.expect_err("version").to_string().contains("`2.0.0`"));
}

#[test]
fn a_directory_that_is_no_layout_is_said_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = |path: &Path| open(path).expect_err("refused").to_string();
    assert!(error(folder.path()).contains("there must be a file `oci-layout`"));
    assert!(error(&folder.path().join("none")).contains("cannot read"));
    // One level too high is not a tree: every question would be answered by "not there".
    Made::at(&folder.path().join("layouts/docker.io/library/nginx"));
    assert!(error(folder.path()).contains("holds none"));
    assert!(open(&folder.path().join("layouts")).is_ok());
    fs::write(folder.path().join("oci-layout"), "{}").expect("written");
    assert!(error(folder.path()).contains("is malformed"));
}
