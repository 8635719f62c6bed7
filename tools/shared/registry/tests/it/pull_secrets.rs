//! The pods' pull secrets: for those who name them, where the collector alone is not let in.

use records::FailureCode;
use registry::{Denial, PullSecret, PullSecrets, SecretForm, SecretName};
use serde_json::json;
use testkit::registry::{Access, Bearer, FakeRegistry};

use crate::support::{Found, anonymous, denial, of_status, repository, tag, with_config};

fn name(namespace: &str, name: &str) -> SecretName {
    SecretName { namespace: namespace.into(), name: name.into() }
}

/// A secret with one entry for `key`.
fn secret(called: SecretName, key: &str, user: &str) -> PullSecret {
    let auths = json!({"auths": {key: {"username": user, "password": "secret"}}});
    PullSecret::parse(called, SecretForm::DockerConfigJson, auths.to_string().as_bytes())
}

/// A registry that lets in `user:secret`, by password or token.
fn closed(access: Access) -> FakeRegistry {
    let fake = FakeRegistry::start();
    fake.push_image("acme/web", Some("1"), "amd64");
    fake.push_image("acme/api", Some("1"), "amd64");
    fake.switch(|switches| switches.access = access);
    fake
}

fn accesses() -> [Access; 2] {
    let user = Some(("user".into(), "secret".into()));
    [Access::basic("user", "secret"), Access::Bearer(Bearer { user, ..Bearer::default() })]
}

#[tokio::test]
async fn a_secret_lets_in_those_who_name_it_and_nobody_else() {
    for access in accesses() {
        let fake = closed(access);
        let (registry, web) = (anonymous(), repository(&fake, "acme/web"));
        let ours = PullSecrets::new([secret(name("shop", "ours"), &fake.host(), "user")]);
        let shop = registry.on_behalf(ours.clone());
        // Before and after the one who may.
        for _ in 0..2 {
            let error = registry.found(&web, &tag("1")).await.expect_err("not let in");
            assert_eq!(error.code(), FailureCode::Unauthorized);
            let found = shop.found(&web, &tag("1")).await.expect("let in").expect("there");
            assert!(shop.manifest(&web, &found.digest).await.expect("let in").is_some());
            assert!(shop.tags(&web).await.expect("let in").is_some());
            registry.manifest(&web, &found.digest).await.expect_err("not let in");
            registry.tags(&web).await.expect_err("not let in");
            let theirs = secret(name("bank", "theirs"), &fake.host(), "other");
            let bank = registry.on_behalf(PullSecrets::new([theirs]));
            let error = bank.found(&web, &tag("1")).await.expect_err("not let in");
            let Some(Denial::PullSecretRefused { secret, .. }) = denial(&error) else {
                panic!("{error:?}");
            };
            assert_eq!(
                (secret.to_string().as_str(), error.code()),
                ("bank/theirs", FailureCode::Unauthorized)
            );
        }
        // Who names the same secrets has the same answers.
        let asked = fake.log().len();
        registry.on_behalf(ours).found(&web, &tag("1")).await.expect("let in").expect("there");
        assert_eq!(fake.log().len(), asked);
    }
}

#[tokio::test]
async fn what_is_shown_without_a_secret_is_everybodys_answer() {
    let fake = closed(Access::Open);
    let (registry, web) = (anonymous(), repository(&fake, "acme/web"));
    for tenant in ["shop", "bank"] {
        let secrets = PullSecrets::new([secret(name(tenant, "own"), &fake.host(), "user")]);
        let registry = registry.on_behalf(secrets);
        registry.found(&web, &tag("1")).await.expect("open").expect("there");
    }
    assert_eq!((fake.log().len(), fake.log()[0].header("authorization")), (1, None));
    // With the collector's own credentials it is the same.
    fake.switch(|switches| switches.access = Access::basic("collector", "secret"));
    fake.clear_log();
    let auths = json!({"auths": {fake.host(): {"username": "collector", "password": "secret"}}});
    let secrets = PullSecrets::new([secret(name("shop", "own"), &fake.host(), "user")]);
    let own = with_config(&auths.to_string()).on_behalf(secrets);
    own.found(&web, &tag("1")).await.expect("let in").expect("there");
    assert_eq!((fake.log().len(), of_status(&fake, 200)), (2, 1));
}

#[tokio::test]
async fn every_fitting_entry_is_tried_the_longest_first() {
    for access in accesses() {
        let fake = closed(access);
        let (registry, web) = (anonymous(), repository(&fake, "acme/web"));
        let host = fake.host();
        let secrets = PullSecrets::new([
            secret(name("shop", "a"), &host, "user"),
            secret(name("shop", "b"), &format!("{host}/acme/web"), "expired"),
            secret(name("shop", "c"), &format!("{host}/other"), "never tried"),
        ]);
        let shop = registry.on_behalf(secrets);
        assert!(shop.found(&web, &tag("1")).await.expect("let in").is_some());
        let never = "never tried";
        assert!(fake.log().iter().all(|asked| {
            asked.header("authorization").is_none_or(|value| {
                use base64::Engine as _;
                let pair = value.strip_prefix("Basic ").unwrap_or_default();
                let pair = base64::engine::general_purpose::STANDARD.decode(pair);
                !String::from_utf8_lossy(&pair.unwrap_or_default()).contains(never)
            })
        }));
        assert!(shop.found(&repository(&fake, "acme/api"), &tag("1")).await.expect("in").is_some());
    }
}

#[tokio::test]
async fn a_404_may_be_a_repository_that_is_hidden() {
    let user = Some(("user".into(), "secret".into()));
    let fake = closed(Access::Bearer(Bearer { user, ..Bearer::default() }));
    let (registry, web) = (anonymous(), repository(&fake, "acme/web"));
    let secrets = PullSecrets::new([secret(name("shop", "ours"), &fake.host(), "user")]);
    let shop = registry.on_behalf(secrets);
    // What nobody has is absent for who may look.
    assert!(shop.found(&web, &tag("none")).await.expect("let in").is_none());
    registry.found(&web, &tag("none")).await.expect_err("not let in");
}

#[tokio::test]
async fn a_secret_that_cannot_be_used_is_named_when_it_is_missed() {
    let fake = closed(Access::basic("user", "secret"));
    let (registry, web) = (anonymous(), repository(&fake, "acme/web"));
    let gone = || PullSecret::unusable(name("shop", "gone"), "it is not there");
    let error = registry.on_behalf(PullSecrets::new([gone()])).found(&web, &tag("1")).await;
    let error = error.expect_err("not let in");
    assert_eq!(error.code(), FailureCode::Credentials);
    assert!(error.to_string().contains("`shop/gone` cannot be used: it is not there"), "{error}");
    // Another one lets in.
    let ours = secret(name("shop", "ours"), &fake.host(), "user");
    let both = registry.on_behalf(PullSecrets::new([gone(), ours]));
    assert!(both.found(&web, &tag("1")).await.expect("let in").is_some());
    // Where nobody needs it, nobody misses it.
    fake.switch(|switches| switches.access = Access::Open);
    let open = anonymous().on_behalf(PullSecrets::new([gone()]));
    assert!(open.found(&web, &tag("1")).await.expect("open").is_some());
}
