//! Credentials: which are found, and where they go.

use records::FailureCode;
use registry::{Denial, Descriptor, Error, Keychain, Registry};
use testkit::registry::{Access, Asked, Bearer, FakeRegistry};

use crate::support::{
    Found, anonymous, as_user, client, denial, http_args, keychain, of_status, repository, tag,
    tokens, user, with_config,
};

#[tokio::test]
async fn basic_credentials_follow_the_first_refusal() {
    let fake = FakeRegistry::start();
    for name in ["acme/web", "acme/app"] {
        fake.push_image(name, Some("1"), "amd64");
    }
    fake.switch(|switches| switches.access = Access::basic("user", "secret"));
    let registry = as_user(&fake);
    for name in ["acme/web", "acme/app"] {
        registry.found(&repository(&fake, name), &tag("1")).await.expect("let in").expect("there");
    }
    assert_eq!((of_status(&fake, 401), fake.log().len()), (1, 3));
    assert_eq!(fake.log()[0].header("authorization"), None, "not before it is wanted");

    let error = anonymous().found(&repository(&fake, "acme/web"), &tag("1")).await;
    let error = error.expect_err("no credentials");
    assert!(matches!(denial(&error), Some(Denial::NoCredentials(_))), "{error}");
    assert_eq!(error.code(), FailureCode::Unauthorized);
}

#[tokio::test]
async fn wrong_credentials_are_said_and_not_swallowed() {
    let basic = FakeRegistry::start();
    basic.push_image("acme/web", Some("1"), "amd64");
    basic.switch(|switches| switches.access = Access::basic("user", "another"));
    let other = Some(("user".to_owned(), "another".to_owned()));
    for fake in [basic, tokens(Bearer { user: other, ..Bearer::default() })] {
        let registry = as_user(&fake);
        let web = repository(&fake, "acme/web");
        let error = registry.found(&web, &tag("1")).await.expect_err("refused");
        assert!(
            matches!(denial(&error), Some(Denial::CredentialsRefused(of)) if *of == web),
            "{error}"
        );
        assert_eq!(error.code(), FailureCode::Unauthorized);
        let anonymous = fake
            .log()
            .iter()
            .filter(|asked| asked.path == "/token")
            .any(|asked| asked.header("authorization").is_none());
        assert!(!anonymous, "wrong credentials are not replaced by none");
        assert!(!error.to_string().contains("secret"));
        registry.found(&web, &tag("2")).await.expect_err("refused");
        assert!(
            fake.count("GET", "/token") <= 1,
            "a token that was refused is not asked for again"
        );
    }
}

/// A registry on 127.0.0.1 whose tokens come from one that is called `localhost`: another party.
fn elsewhere(user: Option<(String, String)>) -> (FakeRegistry, FakeRegistry) {
    let server = FakeRegistry::start();
    server.switch(|switches| {
        switches.access = Access::Bearer(Bearer { user, ..Bearer::default() });
    });
    let realm = Some(format!("http://localhost:{}/token", server.address().port()));
    let fake = tokens(Bearer { realm, ..Bearer::default() });
    (fake, server)
}

fn carries_credentials(asked: &Asked) -> bool {
    asked.header("authorization").is_some() || asked.body.contains("refresh_token")
}

#[tokio::test]
async fn credentials_do_not_go_to_a_foreign_realm() {
    for user in [user(), None] {
        let (fake, server) = elsewhere(user);
        let host = fake.host();
        let password =
            format!(r#"{{"auths":{{"{host}":{{"username":"user","password":"secret"}}}}}}"#);
        let identity = format!(r#"{{"auths":{{"{host}":{{"identitytoken":"secret"}}}}}}"#);
        for config in [password, identity] {
            let registry = with_config(&config);
            // The token server gives a token that is not the registry's, or none.
            let error = registry.found(&repository(&fake, "acme/web"), &tag("1")).await;
            let error = error.expect_err("refused");
            assert_eq!(error.code(), FailureCode::RealmRefused, "{error}");
            assert!(matches!(denial(&error), Some(Denial::RealmRefused(_))), "{error}");
            assert!(error.to_string().contains("`localhost:"), "{error}");
        }
        assert_eq!(server.log().len(), 2);
        assert!(!server.log().iter().any(carries_credentials), "{:?}", server.log());
        assert!(!fake.log().iter().any(|asked| asked.body.contains("secret")));
    }
}

#[tokio::test]
async fn an_https_registry_has_no_plain_realm() {
    let fake = FakeRegistry::start_tls();
    fake.push_image("acme/web", Some("1"), "amd64");
    let server = FakeRegistry::start();
    let realm = Some(format!("http://{}/token", server.host()));
    fake.switch(|switches| {
        switches.access = Access::Bearer(Bearer { realm, ..Bearer::default() });
    });
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, fake.authority().expect("an authority")).expect("written");
    let mut args = http_args();
    args.ca_file = vec![ca.into()];
    args.plain_http = vec![server.host()];
    let client = http_asking::Client::new(args.settings().expect("settings")).expect("a client");
    let registry = Registry::remote(client, Keychain::empty());
    let error =
        registry.found(&repository(&fake, "acme/web"), &tag("1")).await.expect_err("refused");
    assert!(matches!(error, Error::PlainRealm { .. }), "{error}");
    assert_eq!(error.code(), FailureCode::RealmRefused);
    assert!(server.log().is_empty());
}

#[tokio::test]
async fn a_redirected_blob_goes_without_the_token() {
    let fake = tokens(Bearer::default());
    let digest = fake.push_blob("acme/web", b"payload");
    let store = FakeRegistry::start();
    store.push_blob("acme/web", b"payload");
    fake.switch(|switches| {
        switches.blobs_at = Some(format!("http://{}/v2/acme/web/blobs/", store.host()));
    });
    let blob =
        Descriptor { digest: digest.parse().expect("a digest"), media_type: None, size: None };
    let (registry, web) = (anonymous(), repository(&fake, "acme/web"));
    let bytes = registry.blob(&web, &blob, 1000).await.expect("asked").expect("there");
    assert_eq!(bytes, "payload");
    assert!(!store.log().iter().any(carries_credentials));
    assert_eq!(registry.requests()[&store.host()]["blob"], 1);
    // What the store asks for is not the registry's to want.
    store.switch(|switches| switches.access = Access::basic("user", "secret"));
    let registry = as_user(&fake);
    let error = registry.blob(&web, &blob, 1000).await.expect_err("refused");
    assert!(matches!(error, Error::Ask(_)), "{error}");
    assert!(!store.log().iter().any(carries_credentials));
    let is_password = |asked: &Asked| {
        let carried = asked.header("authorization").unwrap_or_default();
        asked.path != "/token" && carried.starts_with("Basic")
    };
    assert!(!fake.log().iter().any(is_password), "the store's wish is not the registry's");
}

/// In a process of its own, since programs are found by the environment.
#[tokio::test]
async fn a_credential_helper_is_asked_once() {
    const TEST: &str = "credentials::a_credential_helper_is_asked_once";
    let Some(folder) = std::env::var_os("TEST_HELPERS") else {
        let folder = tempfile::tempdir().expect("a folder");
        helper(
            folder.path(),
            "good",
            r#"read host; echo "$host" >> "$TEST_HELPERS/asked"
            echo '{"ServerURL":"x","Username":"user","Secret":"secret"}'"#,
        );
        helper(folder.path(), "empty", "echo credentials not found in native keychain; exit 1");
        helper(folder.path(), "broken", "echo boom; exit 1");
        let path = std::env::var("PATH").unwrap_or_default();
        let status = std::process::Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", TEST])
            .env("TEST_HELPERS", folder.path())
            .env("PATH", format!("{}:{path}", folder.path().display()))
            .status();
        assert!(status.expect("run").success());
        return;
    };
    let fake = FakeRegistry::start();
    for name in ["acme/web", "acme/app"] {
        fake.push_image(name, Some("1"), "amd64");
    }
    fake.switch(|switches| switches.access = Access::basic("user", "secret"));
    let asks = |config: &str| {
        let config = config.replace("HOST", &fake.host());
        let path = std::path::Path::new(&folder).join("config.json");
        std::fs::write(&path, config).expect("written");
        Registry::remote(client(), keychain(&path))
    };
    let (web, app) = (repository(&fake, "acme/web"), repository(&fake, "acme/app"));
    let registry = asks(r#"{"credsStore": "empty", "credHelpers": {"HOST": "good"}}"#);
    for repository in [&web, &app] {
        registry.found(repository, &tag("1")).await.expect("let in").expect("there");
    }
    let asked = std::fs::read_to_string(std::path::Path::new(&folder).join("asked"));
    assert_eq!(asked.expect("asked"), format!("{}\n", fake.host()));

    let error = asks(r#"{"credsStore": "empty"}"#).found(&web, &tag("1")).await.expect_err("none");
    assert!(matches!(denial(&error), Some(Denial::NoCredentials(_))), "{error}");
    for broken in ["broken", "not-installed"] {
        let registry = asks(&format!(r#"{{"credsStore": "{broken}"}}"#));
        let error = registry.found(&web, &tag("1")).await.expect_err("refused");
        assert_eq!(error.code(), FailureCode::Credentials, "{error}");
        assert!(error.to_string().contains(&format!("docker-credential-{broken}")), "{error}");
    }
    // What is public can be asked all the same.
    fake.switch(|switches| switches.access = Access::Open);
    let registry = asks(r#"{"credsStore": "broken"}"#);
    registry.found(&web, &tag("1")).await.expect("public").expect("there");
}

fn helper(folder: &std::path::Path, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join(format!("docker-credential-{name}"));
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&path, mode).expect("made executable");
}
