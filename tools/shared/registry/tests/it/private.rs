//! Registries that do not let everybody in, for real: every kind of request carries what it takes,
//! counted where it arrives.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use http_asking::HttpArgs;
use records::{Digest, FailureCode};
use registry::{Descriptor, Referrers, Registry, RegistryArgs, Repository};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::Testbed;

use crate::support::{Found, http_args, tag};

/// The testbed, and a folder for configurations.
struct Place {
    testbed: Testbed,
    home: TempDir,
    user: String,
    password: String,
}

/// What was put into a repository.
struct Put {
    repository: Repository,
    digest: Digest,
    config: Digest,
}

impl Place {
    fn new(test: &str) -> Option<Self> {
        let testbed = Testbed::from_env(test)?;
        let user = testbed.var("AUTH_REGISTRY_USER");
        let password = testbed.var("AUTH_REGISTRY_PASSWORD");
        Some(Self { testbed, home: tempfile::tempdir().expect("a folder"), user, password })
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        fs::write(&path, text).expect("written");
        path
    }

    fn log_in(&self, host: &str, user: &str, password: &str) {
        let config = json!({"auths": {host: {"username": user, "password": password}}});
        self.file("config.json", &config.to_string());
    }

    fn run(&self, tool: &str, args: &[&str]) -> String {
        let run = self.testbed.tool(tool, self.home.path()).dir(self.home.path()).args(args);
        run.run().ok().text().trim().to_owned()
    }

    /// Puts an image there at `host`, and an SBOM that refers to it, by whoever is logged in.
    fn put(&self, host: &str, path: &str) -> Put {
        let name = format!("{host}/{path}:1");
        self.file("layer.tar", &"\0".repeat(1024));
        self.file("sbom.json", "{}");
        self.run("crane", &["append", "--oci-empty-base", "-f", "layer.tar", "-t", &name]);
        let over_tls = ["BASIC_REGISTRY", "TOKEN_REGISTRY"].map(|name| self.testbed.var(name));
        let plain = format!("--plain-http={}", !over_tls.iter().any(|tls| tls == host));
        let attach = ["attach", &plain, "--artifact-type", "application/spdx+json", &name];
        self.run("oras", &[&attach[..], &["sbom.json:application/spdx+json"]].concat());
        let manifest: Value =
            serde_json::from_str(&self.run("crane", &["manifest", &name])).expect("JSON");
        Put {
            repository: format!("{host}/{path}").parse().expect("a repository"),
            digest: self.run("crane", &["digest", &name]).parse().expect("a digest"),
            config: manifest["config"]["digest"].as_str().expect("text").parse().expect("a digest"),
        }
    }

    /// Asks with the hosts file, the authority and whoever is logged in.
    fn registry(&self, hosts: Option<&str>) -> Registry {
        let http = HttpArgs {
            plain_http: Vec::new(),
            ca_file: vec![self.testbed.var("CA").into()],
            hosts_file: hosts.map(|text| self.file("hosts.yaml", text)),
            ..http_args()
        };
        let registry_auth = Some(self.home.path().join("config.json").into());
        Registry::new(RegistryArgs { registry_auth, layout: None, http }).expect("a registry")
    }
}

/// Asks every kind of question, and gives what refers to the image.
async fn ask_all(registry: &Registry, put: &Put) -> Referrers {
    let Put { repository, digest, config } = put;
    let head = registry.found(repository, &tag("1")).await.expect("asked").expect("there");
    assert_eq!(head.digest, *digest);
    assert!(registry.manifest(repository, digest).await.expect("asked").is_some());
    assert!(registry.image_platform(repository, digest).await.is_ok());
    let blob = Descriptor { digest: config.clone(), media_type: None, size: None };
    assert!(registry.blob(repository, &blob, 10_000).await.expect("asked").is_some());
    let tags = registry.tags(repository).await.expect("asked").expect("there");
    assert!(tags.value.iter().any(|tag| tag == "1"));
    let referrers = registry.referrers(repository, digest).await.expect("asked");
    assert!(referrers.is_authoritative());
    (*referrers.value).clone()
}

/// What of a registry's API a path is about.
fn kind(method: &str, path: &str) -> String {
    let kinds = ["/manifests/", "/blobs/", "/tags/", "/referrers/"];
    let of = kinds.iter().find(|kind| path.contains(**kind)).unwrap_or(&"?");
    format!("{method}{of}")
}

const KINDS: [&str; 5] =
    ["GET/blobs/", "GET/manifests/", "GET/referrers/", "GET/tags/", "HEAD/manifests/"];

#[tokio::test]
async fn a_password_and_a_certificate_go_with_every_kind() {
    let Some(place) = Place::new("a_password_and_a_certificate_go_with_every_kind") else { return };
    let (front, behind) = (place.testbed.var("FRONT"), place.testbed.var("BEHIND_FRONT"));
    place.log_in(&behind, &place.user, &place.password);
    let path = place.testbed.fresh("kinds/web");
    let put = place.put(&behind, &path);
    let put = Put { repository: format!("{front}/{path}").parse().expect("text"), ..put };
    place.log_in(&front, &place.user, &place.password);
    let hosts = format!(
        "hosts:\n  '{front}': {{clientCertificate: {{certFile: '{}', keyFile: '{}'}}}}\n",
        place.testbed.var("CLIENT_CERTIFICATE"),
        place.testbed.var("CLIENT_KEY"),
    );
    let referrers = ask_all(&place.registry(Some(&hosts)), &put).await;
    let Referrers::Listed(listed) = referrers else { unreachable!("{referrers:?}") };
    assert_eq!(listed.len(), 1);

    let log = place.testbed.logged("FRONT_LOG", &format!("/{path}/"), 6);
    let log: Vec<Value> =
        log.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |asked: &Value| {
        kind(asked["method"].as_str().expect("text"), asked["path"].as_str().expect("text"))
    };
    // The first is how the registry says what it wants.
    assert_eq!((&log[0]["status"], &log[0]["authorization"]), (&json!(401), &json!("none")));
    assert!(log[1..].iter().all(|asked| asked["authorization"] == "basic"), "{log:#?}");
    assert!(log[1..].iter().all(|asked| asked["status"] == 200), "{log:#?}");
    assert!(log.iter().all(|asked| asked["client"] == "testbed-client"), "{log:#?}");
    let kinds: BTreeSet<_> = log[1..].iter().map(of).collect();
    assert_eq!(kinds, KINDS.map(str::to_owned).into());
}

/// Method, path and status of the lines of distribution's access log about a repository by us.
fn of_access_log(place: &Place, log: &str, path: &str, count: usize) -> Vec<(String, u16)> {
    // There are those of crane and oras as well, and warnings.
    let is_ours =
        |line: &&String| line.starts_with("127.") && line.contains("provenance-collector");
    for _ in 0..100 {
        let lines = place.testbed.logged(log, &format!("/v2/{path}/"), 1);
        let lines: Vec<_> = lines.iter().filter(is_ours).map(|line| of_line(line)).collect();
        if lines.len() >= count {
            return lines;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    Vec::new()
}

fn of_line(line: &str) -> (String, u16) {
    let mut quoted = line.split('"');
    let mut request = quoted.nth(1).unwrap_or_default().split(' ');
    let (method, path) = (request.next().unwrap_or("?"), request.next().unwrap_or("?"));
    let status = quoted.next().and_then(|behind| behind.split_whitespace().next());
    (kind(method, path), status.and_then(|status| status.parse().ok()).unwrap_or_default())
}

/// Every kind was let in, and only the first request was not at once.
fn assert_let_in(asked: &[(String, u16)]) {
    assert_eq!(asked.iter().filter(|(_, status)| *status == 401).count(), 1, "{asked:?}");
    assert_eq!(asked[0].1, 401, "{asked:?}");
    let kinds: BTreeSet<_> =
        asked.iter().filter(|(_, status)| *status == 200).map(|(kind, _)| kind.as_str()).collect();
    // It has no referrers API, and says so to everybody.
    let wanted = KINDS.into_iter().filter(|kind| !kind.contains("referrers"));
    assert_eq!(kinds, wanted.collect(), "{asked:?}");
    assert!(asked.contains(&("GET/referrers/".to_owned(), 404)), "{asked:?}");
}

#[tokio::test]
async fn distribution_with_passwords_gets_one_with_every_kind() {
    let Some(place) = Place::new("distribution_with_passwords_gets_one_with_every_kind") else {
        return;
    };
    let host = place.testbed.var("BASIC_REGISTRY");
    place.log_in(&host, &place.user, &place.password);
    let path = place.testbed.fresh("kinds/basic");
    let put = place.put(&host, &path);
    let referrers = ask_all(&place.registry(None), &put).await;
    assert!(matches!(referrers, Referrers::NoApi), "{referrers:?}");
    assert_let_in(&of_access_log(&place, "BASIC_REGISTRY_LOG", &path, 6));
}

#[tokio::test]
async fn distribution_with_tokens_gets_one_token_for_every_kind() {
    let Some(place) = Place::new("distribution_with_tokens_gets_one_token_for_every_kind") else {
        return;
    };
    let host = place.testbed.var("TOKEN_REGISTRY");
    place.log_in(&host, "owner", &place.testbed.var("TOKEN_REGISTRY_OWNER_PASSWORD"));
    let path = place.testbed.fresh("kinds/token");
    let put = place.put(&host, &path);
    place.log_in(&host, &place.user, &place.password);
    let registry = place.registry(None);
    let referrers = ask_all(&registry, &put).await;
    assert!(matches!(referrers, Referrers::NoApi), "{referrers:?}");
    assert_let_in(&of_access_log(&place, "TOKEN_REGISTRY_LOG", &path, 6));
    let scope = format!("\"repository:{path}:pull\"");
    let granted = place.testbed.logged("TOKEN_SERVER_LOG", &scope, 1);
    let ours = format!("\"account\":\"{}\"", place.user);
    assert_eq!(granted.iter().filter(|line| line.contains(&ours)).count(), 1, "{granted:?}");
    assert_eq!(registry.requests()[&place.testbed.var("TOKEN_SERVER")]["token"], 1);
}

#[tokio::test]
async fn a_mirror_that_lacks_the_evidence_does_not_hide_it() {
    let Some(place) = Place::new("a_mirror_that_lacks_the_evidence_does_not_hide_it") else {
        return;
    };
    let (host, mirror) = (place.testbed.oci_registry.clone(), place.testbed.var("MIRROR"));
    let put = place.put(&host, &place.testbed.fresh("kinds/mirrored"));
    place.file("config.json", "{}");
    let hosts = |upstream: &str| {
        format!(
            "hosts:\n  '{host}': {{plainHttp: true, mirrors: ['{mirror}'], upstream: {upstream}}}\n  '{mirror}': {{plainHttp: true}}\n"
        )
    };
    let registry = place.registry(Some(&hosts("fallback")));
    let found = registry.head(&put.repository, &tag("1")).await.expect("asked").expect("there");
    assert!(!found.is_authoritative() && found.value.digest == put.digest);
    let listed = registry.referrers(&put.repository, &put.digest).await.expect("asked");
    assert!(listed.is_authoritative() && listed.value.is_some(), "{listed:?}");

    // Without the registry's word nothing is known of what refers to it.
    let registry = place.registry(Some(&hosts("never")));
    assert!(registry.manifest(&put.repository, &put.digest).await.expect("asked").is_some());
    match registry.referrers(&put.repository, &put.digest).await {
        Ok(answer) => assert!(!answer.is_authoritative(), "{answer:?}"),
        Err(error) => assert_eq!(error.code(), FailureCode::Mirror, "{error}"),
    }
    assert!(!registry.requests().contains_key(&host));
}
