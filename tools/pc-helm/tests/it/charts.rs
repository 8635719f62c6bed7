//! Where charts come from, asked of an API server that this test plays.

use serde_json::{Value, json};
use testkit::Ran;
use testkit::api::{FakeApi, Reply};

use crate::{failed, helm, keeps_secrets, metadata, stored, tally};

/// Three releases in `shop`, and Flux with everything for `web`; Argo CD's group is there by
/// another of its projects; `odd` changes the answers.
fn cluster(uri: &str) -> Reply {
    let version = |versions: &[&str]| -> Value {
        versions.iter().map(|version| json!({"groupVersion": "x", "version": version})).collect()
    };
    let kinds = |names: &[&str]| {
        let names: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
        Reply::Json(200, json!({"kind": "APIResourceList", "resources": names}))
    };
    let object = |name: &str, spec: Value| json!({"metadata": {"namespace": "shop", "name": name}, "spec": spec});
    match uri.split('?').next().unwrap_or_default() {
        "/api/v1/secrets" => {
            let names = ["api", "other", "web"];
            let items =
                names.map(|name| json!({"metadata": metadata("shop", name, 1, "deployed")}));
            Reply::list(&items, "")
        }
        "/apis" => Reply::Json(
            200,
            json!({"kind": "APIGroupList", "groups": [
                {"name": "apps", "versions": version(&["v1"])},
                {"name": "argoproj.io", "versions": version(&["v1alpha1"])},
                {"name": "helm.toolkit.fluxcd.io", "versions": version(&["v2beta2", "v2beta1"])},
                {"name": "source.toolkit.fluxcd.io", "versions": version(&["v1", "v1beta2"])},
            ]}),
        ),
        "/apis/argoproj.io/v1alpha1" => kinds(&["workflows"]),
        "/apis/helm.toolkit.fluxcd.io/v2beta2" => kinds(&["helmreleases", "helmreleases/status"]),
        "/apis/source.toolkit.fluxcd.io/v1" => kinds(&["helmrepositories", "helmcharts"]),
        "/apis/source.toolkit.fluxcd.io/v1beta2" => kinds(&["ocirepositories", "helmrepositories"]),
        "/apis/helm.toolkit.fluxcd.io/v2beta2/helmreleases" => Reply::list(
            &[
                object(
                    "web",
                    json!({"chart": {"spec": {"chart": "web", "sourceRef": {"kind": "HelmRepository", "name": "acme"}}}}),
                ),
                object("api", json!({"chartRef": {"kind": "OCIRepository", "name": "api"}})),
            ],
            "",
        ),
        "/apis/source.toolkit.fluxcd.io/v1/helmrepositories" => Reply::list(
            &[object("acme", json!({"url": "https://u:hunter2@charts.acme.example/"}))],
            "",
        ),
        "/apis/source.toolkit.fluxcd.io/v1beta2/ocirepositories" => {
            Reply::list(&[object("api", json!({"url": "oci://ghcr.io/acme/charts/api"}))], "")
        }
        path if path.starts_with("/api/v1/namespaces/shop/secrets/") => {
            let name =
                path.trim_start_matches("/api/v1/namespaces/shop/secrets/sh.helm.release.v1.");
            Reply::Json(200, stored("shop", name.trim_end_matches(".v1"), 1, "deployed"))
        }
        _ => Reply::list(&[], ""),
    }
}

/// Kind and address by release.
fn origins(ran: &Ran) -> Vec<String> {
    let words = |record: Value| {
        let origin = &record["origin"];
        let text = |key: &str| origin[key].as_str().unwrap_or("-").to_owned();
        format!("{} {}", text("kind"), text("url"))
    };
    ran.of_type("release").into_iter().map(words).collect()
}

#[test]
fn only_kinds_that_the_cluster_has_are_asked() {
    let api = FakeApi::start(cluster);
    let ran = helm(&api).run().ok();
    assert_eq!(
        origins(&ran),
        [
            "flux-oci oci://ghcr.io/acme/charts/api",
            "unknown -",
            "flux-helm https://charts.acme.example"
        ]
    );
    assert_eq!(failed(&ran), Vec::<String>::new());
    keeps_secrets(&ran);
    let how = ran.of_type("release")[1]["origin"]["how"].as_str().unwrap_or_default().to_owned();
    assert!(how.starts_with("none of these says it: HelmReleases (helm.toolkit"), "{how}");
    let asked = api.asked();
    assert!(
        !asked.iter().any(|uri| uri.contains("applications") || uri.contains("cattle")),
        "{asked:?}"
    );
    assert_eq!(tally(&ran)["requests"]["api"]["helmreleases"], 1);
}

#[test]
fn nobody_is_asked_where_that_is_switched_off() {
    let api = FakeApi::start(cluster);
    let ran = helm(&api).args(["--origins", "none"]).run().ok();
    assert_eq!(origins(&ran), ["skipped -"; 3]);
    assert!(!api.asked().iter().any(|uri| uri.starts_with("/apis")));
}

#[test]
fn who_is_named_must_be_there() {
    let api = FakeApi::start(cluster);
    let ran = helm(&api).args(["--origins", "flux,k3s"]).run().ok();
    assert_eq!(origins(&ran)[1], "unread -");
    let message = ran.of_type("failure")[0]["message"].as_str().unwrap_or_default().to_owned();
    assert!(
        message.contains("has no HelmCharts (helm.cattle.io), which --origins names"),
        "{message}"
    );
    let _ = helm(&api).args(["--origins", "auto,k3s"]).run().code(2).says("`auto` stands alone");
}

#[test]
fn a_missing_right_is_a_failure_and_no_unknown_origin() {
    for (path, kind) in [
        (
            "/apis/helm.toolkit.fluxcd.io/v2beta2/helmreleases",
            "helmreleases.helm.toolkit.fluxcd.io",
        ),
        ("/apis", "which API groups there are"),
        ("/apis/source.toolkit.fluxcd.io/v1", "which kinds `source.toolkit.fluxcd.io/v1` has"),
    ] {
        let api = FakeApi::start(move |uri| {
            if uri.split('?').next() == Some(path) { Reply::refused(403) } else { cluster(uri) }
        });
        let ran = helm(&api).run().ok();
        assert_eq!(origins(&ran), ["unread -"; 3], "{path}");
        assert_eq!(failed(&ran), ["-/- forbidden"]);
        let message = ran.of_type("failure")[0]["message"].as_str().unwrap_or_default().to_owned();
        assert!(
            message.starts_with("where charts come from is not known: cannot ")
                && message.contains(kind),
            "{message}"
        );
    }
}

#[test]
fn the_users_word_goes_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("origins.yaml");
    let rules = "charts:\n- chart: other\n  url: oci://mirror.example/charts/{chart}\n- release: web\n  url: https://mirror.example\n";
    std::fs::write(&file, rules).expect("written");
    let api = FakeApi::start(cluster);
    let ran = helm(&api).arg("--chart-origins").arg(&file).run().ok();
    assert_eq!(
        origins(&ran),
        [
            "flux-oci oci://ghcr.io/acme/charts/api",
            "configuration oci://mirror.example/charts/other",
            "configuration https://mirror.example"
        ]
    );
    let how = ran.of_type("release")[2]["origin"]["how"].as_str().unwrap_or_default().to_owned();
    assert!(how.ends_with("origins.yaml`, rule 2"), "{how}");
    std::fs::write(&file, "charts: [{chart: a}]").expect("written");
    let _ = helm(&api).arg("--chart-origins").arg(&file).run().code(2).says("missing field `url`");
    let _ = helm(&api).args(["--chart-origins", "/nowhere"]).run().code(2).says("cannot be read");
}
