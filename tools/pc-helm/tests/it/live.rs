//! Over HTTP, from an API server that this test plays: what is asked, and what is said where that
//! may not be.

use serde_json::{Value, json};
use testkit::api::{FakeApi, Reply};

use crate::{config_map, failed, helm, metadata, release, short, stored, tally};

fn groups(all: &Value) -> Reply {
    Reply::Json(200, json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": all}))
}

fn meta(all: &[(&str, &str, u64, &str)]) -> Reply {
    let items: Vec<Value> = all
        .iter()
        .map(|(namespace, name, number, status)| json!({"metadata": metadata(namespace, name, *number, status)}))
        .collect();
    Reply::list(&items, "")
}

/// `web` in `shop` at revision 12, which failed; `pay` in `bank`, in a ConfigMap.
fn two(uri: &str) -> Reply {
    const SECRETS: [(&str, &str, u64, &str); 4] = [
        ("shop", "web", 10, "superseded"),
        ("shop", "web", 11, "deployed"),
        ("shop", "web", 12, "failed"),
        ("shop", "web", 9, "superseded"),
    ];
    let body = release("bank", "pay", 1, "deployed").to_string();
    match uri.split('?').next().unwrap_or_default() {
        "/apis" => groups(&json!([])),
        "/api/v1/namespaces" => Reply::list(
            &["bank", "empty", "shop"].map(|name| json!({"metadata": {"name": name}})),
            "",
        ),
        "/api/v1/namespaces/empty" => Reply::Json(200, json!({"metadata": {"name": "empty"}})),
        "/api/v1/secrets" | "/api/v1/namespaces/shop/secrets" => meta(&SECRETS),
        "/api/v1/configmaps" | "/api/v1/namespaces/bank/configmaps" => {
            meta(&[("bank", "pay", 1, "deployed")])
        }
        "/api/v1/namespaces/bank/configmaps/sh.helm.release.v1.pay.v1" => {
            Reply::Json(200, config_map(&metadata("bank", "pay", 1, "deployed"), body.as_bytes()))
        }
        "/api/v1/namespaces/shop/secrets/sh.helm.release.v1.web.v12" => {
            Reply::Json(200, stored("shop", "web", 12, "failed"))
        }
        "/api/v1/namespaces/shop/secrets/sh.helm.release.v1.web.v11" => {
            Reply::Json(200, stored("shop", "web", 11, "deployed"))
        }
        path if path.ends_with("/secrets") || path.ends_with("/configmaps") => meta(&[]),
        _ => Reply::refused(404),
    }
}

const BOTH: [&str; 2] = [
    "bank/pay configmap v1 deployed 1.1.0 of 1",
    "shop/web secret v12 failed 1.12.0 of 4 over 11 1.11.0",
];

#[test]
fn metadata_first_and_then_only_what_is_worth_reading() {
    let api = FakeApi::start(two);
    let ran = helm(&api).run().ok();
    assert_eq!((short(&ran), failed(&ran)), (BOTH.map(str::to_owned).to_vec(), Vec::new()));
    let asked = api.asked();
    assert_eq!(asked.len(), 6, "{asked:?}");
    assert!(asked[..2].iter().all(|uri| uri.contains("labelSelector=owner%3Dhelm")), "{asked:?}");
    assert!(!asked.iter().any(|uri| uri.contains("v10") || uri.contains("v9")), "{asked:?}");
    let requests = json!({"api": {"apis": 1, "configmaps": 2, "secrets": 3}});
    assert_eq!(tally(&ran)["requests"], requests);
    let settings =
        json!({"helmEnabled": true, "helmDriver": ["secret", "configmap"], "origins": ["auto"]});
    assert_eq!(tally(&ran)["settings"], settings);
}

#[test]
fn namespaces_are_asked_one_by_one_where_they_are_named_or_must_be() {
    let api = FakeApi::start(two);
    let ran = helm(&api).args(["--namespaces", "shop,empty,typo"]).run().ok();
    assert_eq!(short(&ran), BOTH[1..]);
    assert_eq!(failed(&ran), ["typo/- namespace-not-found"]);
    assert_eq!(
        (api.count("/api/v1/secrets"), api.count("/api/v1/namespaces/shop/secrets")),
        (0, 1)
    );

    let api = FakeApi::start(|uri| match uri.split('?').next().unwrap_or_default() {
        "/api/v1/secrets" | "/api/v1/namespaces/empty/secrets" => Reply::refused(403),
        _ => two(uri),
    });
    let ran = helm(&api).run().ok();
    assert_eq!(short(&ran), BOTH);
    assert_eq!(failed(&ran), ["empty/- forbidden"]);
}

#[test]
fn a_missing_right_is_one_failure_and_hides_nothing_else() {
    let forbidden = |what: &'static str| {
        FakeApi::start(move |uri| {
            let path = uri.split('?').next().unwrap_or_default();
            if path.ends_with(what) { Reply::refused(403) } else { two(uri) }
        })
    };
    let ran = helm(&forbidden("/secrets")).run().ok();
    assert_eq!(
        (short(&ran), failed(&ran)),
        (BOTH[..1].iter().map(ToString::to_string).collect(), vec!["-/- forbidden".to_owned()])
    );
    let failure = &ran.of_type("failure")[0];
    let message = failure["message"].as_str().unwrap_or_default();
    for words in [
        "{apiGroups: [\"\"], resources: [\"secrets\"], verbs: [\"list\"]}",
        "--helm-driver",
        "PROVENANCE_HELM_ENABLED=false",
    ] {
        assert!(message.contains(words), "{message}");
    }
    assert_eq!((&failure["about"], &failure["status"]), (&json!(["release"]), &json!(403)));
    let ran = helm(&forbidden("/secrets")).args(["--helm-driver", "configmap"]).run().ok();
    assert_eq!(failed(&ran), Vec::<String>::new());
    // Listed, and not to be read.
    let ran = helm(&forbidden("web.v12")).run().ok();
    assert_eq!(
        (short(&ran)[1].as_str(), failed(&ran)),
        ("shop/web secret v12 failed - of 4 over 11 1.11.0", vec!["shop/web forbidden".to_owned()])
    );
}

#[test]
fn half_a_list_is_no_list() {
    for second in [Reply::refused(400), Reply::Half(json!({"kind": "List", "items": [1, 2, 3]}))] {
        let second = std::sync::Arc::new(second);
        let api = FakeApi::start(move |uri| match uri.split('?').next().unwrap_or_default() {
            "/api/v1/secrets" if uri.contains("continue=") => (*second).clone(),
            "/api/v1/secrets" => {
                Reply::list(&[json!({"metadata": metadata("shop", "web", 1, "deployed")})], "two")
            }
            _ => two(uri),
        });
        let ran = helm(&api).run().ok();
        assert_eq!(short(&ran), BOTH[..1], "a revision on page 2 may be newer");
        let failures = failed(&ran);
        assert_eq!(failures.len(), 1, "{failures:?}");
    }
}

#[test]
fn a_revision_that_went_away_meanwhile_is_told_as_that() {
    let api = FakeApi::start(|uri| match uri.split('?').next().unwrap_or_default() {
        "/api/v1/namespaces/bank/configmaps/sh.helm.release.v1.pay.v1" => Reply::refused(404),
        _ => two(uri),
    });
    let ran = helm(&api).run().ok();
    assert_eq!(short(&ran)[0], "bank/pay configmap v1 deployed - of 1");
    let failure = &ran.of_type("failure")[0];
    assert_eq!((&failure["code"], &failure["retryable"]), (&json!("not-found"), &json!(true)));
}

#[test]
fn a_cluster_that_cannot_be_asked() {
    let ran = testkit::pc("helm").args(["-n", "--kubeconfig", "/nowhere"]).run().code(1);
    assert!(ran.says("/nowhere").stdout.is_empty());
    let api = FakeApi::start_for("{token: wrong}", two);
    let ran = helm(&api).run().ok();
    assert_eq!(failed(&ran), ["-/- unauthorized"; 3], "both stores, and the origins");
    assert_eq!(short(&ran), Vec::<String>::new());
}
