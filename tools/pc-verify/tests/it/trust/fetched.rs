//! Keys that come over real sockets: from an https address, and from a Secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Command, FromArgMatches};
use cluster::{Cluster, ClusterArgs};
use http_asking::{Client, HttpArgs, install_crypto_provider};
use pc_verify::trust::{Trust, TrustArgs, fetch, get, read_secret};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::registry::{Canned, FakeRegistry};

use super::{Folder, KEY, OTHER_KEY, id, shared};

fn client(server: &FakeRegistry, folder: &Folder) -> Client {
    install_crypto_provider();
    std::fs::write(folder.path("ca.pem"), server.authority().expect("TLS")).expect("written");
    let authority = folder.path("ca.pem").to_string_lossy().into_owned();
    let command = HttpArgs::augment_args(Command::new("x"));
    let words = ["x", "--ca-file", &authority, "--allow-address", "127.0.0.1", "--max-tries", "1"];
    let matches = command.try_get_matches_from(words).expect("flags");
    let args = HttpArgs::from_arg_matches(&matches).expect("flags");
    Client::new(args.settings().expect("settings")).expect("a client")
}

async fn connect(api: &FakeRegistry, folder: &Folder) -> Cluster {
    let config = json!({
        "current-context": "it", "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": format!("http://{}", api.host())}}],
        "users": [{"name": "it", "user": {"token": "t"}}],
    });
    std::fs::write(folder.path("config"), config.to_string()).expect("written");
    let kubeconfig = Some(folder.path("config").into());
    Cluster::connect(&ClusterArgs { kubeconfig, context: None }).await.expect("a cluster")
}

fn secret(data: &Value) -> Canned {
    let body = json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": data});
    Canned::status(200).header("content-type", "application/json").body(body.to_string().as_str())
}

/// The trust of these keys, or why they cannot be had.
fn load(keys: &[String], server: &FakeRegistry, api: &FakeRegistry) -> Result<Trust, String> {
    let folder = Folder::of(&[]);
    let args = TrustArgs { key: keys.to_vec(), ..TrustArgs::default() };
    let sources = args.sources(None).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let fetched = runtime.expect("a runtime").block_on(async {
        let client = client(server, &folder);
        let cluster = connect(api, &folder).await;
        fetch(
            sources.wanted(),
            async |at| get(&client, at).await,
            async |at| read_secret(&cluster, at).await,
        )
        .await
        .map_err(|error| error.to_string())
    })?;
    let now = super::NOW.parse().expect("a time");
    Trust::new(sources, &fetched, now, shared()).map_err(|error| super::words(&error))
}

#[test]
fn keys_are_fetched_and_checked() {
    let (server, api) = (FakeRegistry::start_tls(), FakeRegistry::start());
    server.can("/key.pub", Canned::status(200).body(KEY));
    api.can(
        "/api/v1/namespaces/trust/secrets/keys",
        secret(&json!({"cosign.pub": STANDARD.encode(OTHER_KEY), "cosign.key": "eA=="})),
    );
    let hash = hex::encode(Sha256::digest(KEY));
    let at = |path: &str, hash: &str| format!("https://{}{path}#sha256={hash}", server.host());
    let secret = "k8s://trust/keys".to_owned();
    let trust =
        load(&[at("/key.pub", &hash), secret.clone(), secret], &server, &api).expect("keys");
    let keys: Vec<_> = trust.keys().iter().map(|key| (&*key.name, key.id.clone())).collect();
    let name = format!("https://{}/key.pub", server.host());
    assert_eq!(keys, [(&*name, id(KEY)), ("k8s://trust/keys", id(OTHER_KEY))]);
    assert_eq!(api.count("GET", "/api/v1/namespaces/trust/secrets/keys"), 1);

    server.can("/large.pub", Canned::status(200).body("x".repeat(100_000).as_str()));
    for (key, why) in [
        (at("/key.pub", &"0".repeat(64)), "is demanded"),
        (at("/missing.pub", &hash), "404"),
        (at("/large.pub", &hash), "larger than 65536 bytes"),
    ] {
        let error = load(&[key], &server, &api).map(|_| ()).expect_err("refused");
        assert!(error.contains(why) && error.contains("cannot be had"), "{error}");
    }
}

#[test]
fn a_secret_that_gives_no_key_is_named() {
    let (server, api) = (FakeRegistry::start_tls(), FakeRegistry::start());
    let path = |name: &str| format!("/api/v1/namespaces/trust/secrets/{name}");
    api.can(&path("several"), secret(&json!({"a": "eA==", "b": "eA=="})));
    api.can(&path("garbled"), secret(&json!({"cosign.pub": "%"})));
    let private = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----";
    api.can(&path("private"), secret(&json!({"cosign.pub": STANDARD.encode(private)})));
    let forbidden = Canned::status(403).header("content-type", "application/json");
    let forbidden = forbidden.body(r#"{"kind":"Status","message":"secrets is forbidden"}"#);
    api.can(&path("forbidden"), forbidden);
    for (name, why) in [
        ("several", "2 entries and none is named `cosign.pub`"),
        ("garbled", "not base64"),
        ("private", "private key"),
        ("forbidden", "resources: [\"secrets\"], verbs: [\"get\"]"),
        ("missing", "has no such thing"),
    ] {
        let error = load(&[format!("k8s://trust/{name}")], &server, &api).map(|_| ());
        let error = error.expect_err("refused");
        assert!(error.contains(why) && error.contains(&format!("k8s://trust/{name}")), "{error}");
        assert!(!error.contains("MAA"), "{error}");
    }
}
