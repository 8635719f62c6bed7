//! Against real registries, with images that crane made: what crane says is what we find.

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::Parser;
use records::FailureCode;
use registry::{Descriptor, Manifest, Registry, RegistryArgs, Repository, Selection, platform};
use testkit::Testbed;

use crate::support::{Found, anonymous, tag, with_config};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    registry: RegistryArgs,
}

/// crane, with credentials of its own.
struct Crane<'a> {
    testbed: &'a Testbed,
    config: &'a Path,
}

impl Crane<'_> {
    fn run(&self, args: &[&str]) -> String {
        let mut crane = Command::new(self.testbed.bin.join("crane"));
        let output = crane.args(args).env("DOCKER_CONFIG", self.config).output().expect("crane");
        assert!(
            output.status.success(),
            "crane {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    /// An index of two platforms at `place:1`, and one image in Docker's own media types.
    fn push(&self, place: &str) {
        let layer = self.config.join("layer.tar");
        // A tar archive without entries is two blocks of zeros.
        fs::write(&layer, [0; 1024]).expect("written");
        let layer = layer.to_str().expect("text");
        let (one, two, docker) =
            (format!("{place}:amd64"), format!("{place}:arm64"), format!("{place}:docker"));
        for (image, platform) in [(&one, "linux/amd64"), (&two, "linux/arm64/v8")] {
            self.run(&["append", "--oci-empty-base", "-f", layer, "-t", image]);
            self.run(&["mutate", image, "--set-platform", platform, "-t", image]);
        }
        self.run(&["append", "-f", layer, "-t", &docker]);
        self.run(&["index", "append", "-m", &one, "-m", &two, "-t", &format!("{place}:1")]);
    }
}

async fn agrees(crane: &Crane<'_>, registry: &Registry, place: &str) {
    let repository: Repository = place.parse().expect("a repository");
    let index = crane.run(&["digest", &format!("{place}:1")]);
    let head = registry.found(&repository, &tag("1")).await.expect("asked").expect("there");
    assert_eq!(head.digest.as_str(), index);
    let manifest = registry.manifest(&repository, &head.digest).await.expect("asked");
    let Some(Manifest::Index(parsed)) = manifest.as_deref() else {
        unreachable!("no index: {manifest:?}");
    };
    assert_eq!(platform::platforms(parsed).len(), 2);
    for (wanted, tag) in [("linux/amd64", "amd64"), ("linux/arm64", "arm64")] {
        let wanted = wanted.parse().expect("a platform");
        let child = crane.run(&["digest", &format!("{place}:{tag}")]).parse().expect("a digest");
        assert_eq!(platform::select(parsed, &wanted), Selection::One(child));
    }
    let docker = registry.found(&repository, &tag("docker")).await.expect("asked").expect("there");
    let media_type = "application/vnd.docker.distribution.manifest.v2+json";
    assert_eq!(docker.media_type.as_deref(), Some(media_type));
    let image = registry.manifest(&repository, &docker.digest).await.expect("asked");
    let Some(Manifest::Image(image)) = image.as_deref() else {
        unreachable!("no image: {image:?}");
    };
    let config = crane.run(&["config", &format!("{place}:docker")]);
    let config_digest = image.config.digest.parse().expect("a digest");
    let blob = Descriptor { digest: config_digest, media_type: None, size: None };
    let bytes = registry.blob(&repository, &blob, 100_000).await.expect("asked").expect("there");
    assert_eq!(String::from_utf8_lossy(&bytes).trim(), config);
    assert_eq!(registry.found(&repository, &tag("absent")).await.expect("asked"), None);
    let absent: Repository = format!("{place}/absent").parse().expect("a repository");
    assert_eq!(registry.found(&absent, &docker.digest).await.expect("asked"), None);
}

#[tokio::test]
async fn open_registries_and_the_layouts_made_of_them() {
    let Some(testbed) = Testbed::from_env("open_registries_and_the_layouts_made_of_them") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let crane = Crane { testbed: &testbed, config: folder.path() };
    for host in [&testbed.registry, &testbed.oci_registry] {
        let place = format!("{host}/real/web");
        crane.push(&place);
        agrees(&crane, &anonymous(), &place).await;

        let tree = folder.path().join(format!("tree-{host}"));
        let layout = tree.join(&place);
        fs::create_dir_all(&layout).expect("made");
        let layout = layout.to_str().expect("text");
        crane.run(&["pull", "--format=oci", "--annotate-ref", &format!("{place}:1"), layout]);
        let tree = tree.to_str().expect("text");
        let cli = Cli::try_parse_from(["tool", "--layout", tree]).expect("parsed");
        let copied = Registry::new(cli.registry).expect("opened");
        let repository: Repository = place.parse().expect("a repository");
        let expected = anonymous().found(&repository, &tag("1")).await.expect("asked");
        assert_eq!(copied.found(&repository, &tag("1")).await.expect("read"), expected);
    }
}

#[tokio::test]
async fn a_registry_with_tokens() {
    let Some(testbed) = Testbed::from_env("a_registry_with_tokens") else {
        return;
    };
    let var = |name| std::env::var(name).expect("a variable of the testbed");
    let host = var("PC_TESTBED_AUTH_REGISTRY");
    let user = var("PC_TESTBED_AUTH_REGISTRY_USER");
    let password = var("PC_TESTBED_AUTH_REGISTRY_PASSWORD");
    let config = |password: &str| {
        let auth = serde_json::json!({"username": user, "password": password});
        serde_json::json!({"auths": {&host: auth}}).to_string()
    };
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("config.json"), config(&password)).expect("written");
    let crane = Crane { testbed: &testbed, config: folder.path() };
    let (private, public) = (format!("{host}/real/web"), format!("{host}/public/web"));
    crane.push(&private);
    crane.push(&public);

    agrees(&crane, &with_config(&config(&password)), &private).await;
    let token = serde_json::json!({"auths": {&host: {"identitytoken": &password}}}).to_string();
    agrees(&crane, &with_config(&token), &private).await;

    let repository: Repository = private.parse().expect("a repository");
    for denied in [anonymous(), with_config(&config("wrong"))] {
        let error = denied.found(&repository, &tag("1")).await.expect_err("denied");
        assert_eq!(error.code(), FailureCode::Unauthorized, "{error}");
    }
    let repository: Repository = public.parse().expect("a repository");
    assert!(anonymous().found(&repository, &tag("1")).await.expect("let in").is_some());
}
