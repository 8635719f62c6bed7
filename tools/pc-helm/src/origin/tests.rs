use super::*;

fn place(namespace: &str, name: &str) -> Place {
    Place { namespace: namespace.into(), name: name.into() }
}

/// What these objects say together: kind, `namespace/name`, spec.
fn objects(all: &[(Kind, &str, &str)]) -> Objects {
    let mut objects = Objects { asked: Asked::Objects, ..Objects::default() };
    for (kind, at, spec) in all {
        let (namespace, name) = at.split_once('/').expect("namespace/name");
        objects.take(*kind, &place(namespace, name), spec);
    }
    objects.finish();
    objects
}

/// Kind, address and how, of a release of a chart.
fn of(objects: &Objects, release: &str, chart: Option<&str>) -> (String, Option<String>, String) {
    let (namespace, name) = release.split_once('/').expect("namespace/name");
    let key = Key { namespace: namespace.into(), name: name.into() };
    let origin = objects.origin(&key, chart);
    (origin.kind, origin.url, origin.how)
}

fn told(kind: &str, url: Option<&str>, how: &str) -> (String, Option<String>, String) {
    (kind.to_owned(), url.map(str::to_owned), how.to_owned())
}

#[test]
fn flux_by_every_way_to_a_chart() {
    let all = objects(&[
        (
            Kind::FluxHelmRepository,
            "flux-system/podinfo",
            r#"{"url":"https://u:hunter2@stefanprodan.github.io/podinfo/"}"#,
        ),
        (
            Kind::FluxHelmRepository,
            "flux-system/acme",
            r#"{"type":"oci","url":"oci://ghcr.io/acme/charts"}"#,
        ),
        (
            Kind::FluxOciRepository,
            "shop/api",
            r#"{"url":"oci://ghcr.io/acme/charts/api","ref":{"semver":"1.x"}}"#,
        ),
        (
            Kind::FluxChart,
            "shop/cart",
            r#"{"chart":"cart","version":"*","sourceRef":{"kind":"HelmRepository","name":"acme"}}"#,
        ),
        (
            Kind::FluxChart,
            "flux-system/cart",
            r#"{"chart":"cart","sourceRef":{"kind":"HelmRepository","name":"acme"}}"#,
        ),
        (
            Kind::FluxRelease,
            "shop/podinfo",
            r#"{"chart":{"spec":{"chart":"podinfo","sourceRef":{"kind":"HelmRepository","name":"podinfo","namespace":"flux-system"}}},"values":{"x":[1]}}"#,
        ),
        (
            Kind::FluxRelease,
            "flux-system/web",
            r#"{"targetNamespace":"shop","storageNamespace":"shop","chart":{"spec":{"chart":"web","sourceRef":{"kind":"HelmRepository","name":"acme"}}}}"#,
        ),
        (
            Kind::FluxRelease,
            "shop/api",
            r#"{"chartRef":{"kind":"OCIRepository","name":"api"},"releaseName":"api-v2"}"#,
        ),
        (
            Kind::FluxRelease,
            "shop/cart",
            r#"{"chartRef":{"kind":"HelmChart","name":"cart","namespace":"flux-system"}}"#,
        ),
        (
            Kind::FluxRelease,
            "shop/git",
            r#"{"chart":{"spec":{"chart":"./charts/git","sourceRef":{"kind":"GitRepository","name":"mono"}}}}"#,
        ),
        (Kind::FluxRelease, "shop/gone", r#"{"chartRef":{"kind":"OCIRepository","name":"gone"}}"#),
        (
            Kind::FluxRelease,
            "shop/far",
            r#"{"kubeConfig":{"secretRef":{"name":"x"}},"chartRef":{"kind":"OCIRepository","name":"api"}}"#,
        ),
    ]);
    let told_of = |release, chart| of(&all, release, Some(chart));
    assert_eq!(
        told_of("shop/podinfo", "podinfo"),
        told(
            "flux-helm",
            Some("https://stefanprodan.github.io/podinfo"),
            "HelmRelease shop/podinfo -> HelmRepository flux-system/podinfo"
        )
    );
    assert_eq!(
        told_of("shop/shop-web", "web"),
        told(
            "flux-oci",
            Some("oci://ghcr.io/acme/charts/web"),
            "HelmRelease flux-system/web -> HelmRepository flux-system/acme"
        )
    );
    assert_eq!(
        told_of("shop/api-v2", "api"),
        told(
            "flux-oci",
            Some("oci://ghcr.io/acme/charts/api"),
            "HelmRelease shop/api -> OCIRepository shop/api"
        )
    );
    assert_eq!(
        told_of("shop/cart", "cart"),
        told(
            "flux-oci",
            Some("oci://ghcr.io/acme/charts/cart"),
            "HelmRelease shop/cart -> HelmChart flux-system/cart -> HelmRepository flux-system/acme"
        )
    );
    assert_eq!(
        told_of("shop/git", "git"),
        told("flux-other", None, "HelmRelease shop/git -> GitRepository shop/mono")
    );
    assert_eq!(
        told_of("shop/gone", "gone").2,
        "HelmRelease shop/gone -> OCIRepository shop/gone (not there)"
    );
    assert_eq!(told_of("shop/far", "api").0, "unknown", "it is in another cluster");
    // The release is older than what the HelmRelease says now.
    let other = told_of("shop/podinfo", "nginx");
    assert_eq!((other.0.as_str(), other.1.as_deref()), ("unknown", None));
    assert!(other.2.ends_with("is of another chart, `podinfo`"), "{}", other.2);
    // Of a release that could not be read the chart is not known, and the object still speaks.
    assert_eq!(of(&all, "shop/podinfo", None).0, "flux-helm");
}

#[test]
fn argo_cd_and_k3s() {
    let all = objects(&[
        (
            Kind::Application,
            "argocd/cert",
            r#"{"destination":{"server":"https://kubernetes.default.svc","namespace":"cert-manager"},"source":{"repoURL":"https://charts.jetstack.io","chart":"cert-manager","helm":{"releaseName":"cm"}}}"#,
        ),
        (
            Kind::Application,
            "argocd/redis",
            r#"{"destination":{"name":"in-cluster","namespace":"shop"},"sources":[{"repoURL":"https://git.example/values","ref":"v"},{"repoURL":"registry-1.docker.io/bitnamicharts","chart":"redis"}]}"#,
        ),
        (
            Kind::Application,
            "argocd/far",
            r#"{"destination":{"server":"https://other:6443","namespace":"shop"},"source":{"repoURL":"https://x.example","chart":"far"}}"#,
        ),
        (
            Kind::Application,
            "argocd/git",
            r#"{"destination":{"name":"in-cluster","namespace":"shop"},"source":{"repoURL":"https://git.example/mono","path":"charts/git"}}"#,
        ),
        (
            Kind::K3sChart,
            "kube-system/traefik",
            r#"{"chart":"https://%{KUBERNETES_API}%/static/charts/traefik-34.tgz","targetNamespace":""}"#,
        ),
        (
            Kind::K3sChart,
            "kube-system/grafana",
            r#"{"chart":"grafana","repo":"https://grafana.github.io/helm-charts","targetNamespace":"monitoring"}"#,
        ),
        (Kind::K3sChart, "kube-system/own", r#"{"chart":"oci://ghcr.io/acme/charts/own"}"#),
        (Kind::K3sChart, "kube-system/held", r#"{"chartContent":"H4sI"}"#),
    ]);
    assert_eq!(
        of(&all, "cert-manager/cm", Some("cert-manager")),
        told("argo-cd", Some("https://charts.jetstack.io"), "Application argocd/cert")
    );
    assert_eq!(
        of(&all, "shop/redis", Some("redis")).1.as_deref(),
        Some("oci://registry-1.docker.io/bitnamicharts/redis")
    );
    for (release, chart) in [("shop/far", "far"), ("shop/git", "git"), ("shop/redis", "valkey")] {
        assert_eq!(of(&all, release, Some(chart)).0, "unknown", "{release}");
    }
    assert_eq!(
        of(&all, "kube-system/traefik", Some("traefik")),
        told("k3s", None, "HelmChart kube-system/traefik, which names an archive")
    );
    assert_eq!(
        of(&all, "monitoring/grafana", Some("grafana")),
        told("k3s", Some("https://grafana.github.io/helm-charts"), "HelmChart kube-system/grafana")
    );
    assert_eq!(
        of(&all, "kube-system/own", Some("own")).1.as_deref(),
        Some("oci://ghcr.io/acme/charts/own")
    );
    assert_eq!(of(&all, "kube-system/held", Some("x")).0, "k3s");
}

#[test]
fn what_nobody_says_is_unknown_and_what_was_not_read_is_not() {
    let nobody = Objects::default();
    assert_eq!(of(&nobody, "shop/web", Some("web")).0, "skipped");
    let none = objects(&[]);
    assert_eq!(of(&none, "shop/web", Some("web")).0, "unknown");
    let mut some = objects(&[(Kind::K3sChart, "kube-system/x", "{}")]);
    let how = "none of these says it: HelmCharts (helm.cattle.io)";
    assert_eq!(of(&some, "shop/web", Some("web")), told("unknown", None, how));
    some.miss(Kind::FluxHelmRepository.plural());
    let how = "not read: HelmRepositories (source.toolkit.fluxcd.io)";
    assert_eq!(of(&some, "shop/web", Some("web")), told("unread", None, how));
    let odd = objects(&[(Kind::FluxRelease, "shop/x", r#"{"releaseName":5}"#)]);
    assert_eq!(
        of(&odd, "shop/web", None),
        told("unread", None, "not read: HelmRelease shop/x of another form")
    );
}

#[test]
fn objects_that_contradict_each_other_prove_nothing() {
    let k3s = |name, repo| (Kind::K3sChart, name, repo);
    let same = r#"{"chart":"web","repo":"https://a.example","targetNamespace":"shop"}"#;
    let other = r#"{"chart":"web","repo":"https://b.example","targetNamespace":"shop"}"#;
    let all = objects(&[k3s("one/web", same), k3s("two/web", same)]);
    assert_eq!(of(&all, "shop/web", Some("web")).1.as_deref(), Some("https://a.example"));
    let all = objects(&[k3s("one/web", same), k3s("two/web", other)]);
    let (kind, url, how) = of(&all, "shop/web", Some("web"));
    assert_eq!((kind.as_str(), url), ("unknown", None));
    assert!(how.starts_with("two objects contradict each other: HelmChart one/web; "), "{how}");
}
