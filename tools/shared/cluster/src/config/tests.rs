//! Configurations that are found, and those that are not.

use std::error::Error;

use super::*;

const TWO: &str = r#"
apiVersion: v1
kind: Config
current-context: one
clusters:
- name: near
  cluster: {server: "https://api.near:6443", proxy-url: "http://proxy.near:3128"}
- name: far
  cluster: {server: "https://api.far/k8s/c-1", tls-server-name: far}
users:
- name: me
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: aws
      interactiveMode: Always
- name: you
  user: {token: s3cret}
contexts:
- name: one
  context: {cluster: near, user: me, namespace: shop}
- name: two
  context: {cluster: far, user: you}
- name: lost
  context: {cluster: gone}
"#;

struct Case {
    folder: tempfile::TempDir,
    variables: Vec<(&'static str, &'static str)>,
}

impl Case {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("written");
        }
        Self { folder, variables: Vec::new() }
    }

    fn find(&self, files: Option<&[&str]>, context: Option<&str>) -> Result<Config, ConfigError> {
        let kubeconfig = files.map(|files| {
            std::env::join_paths(files.iter().map(|file| self.folder.path().join(file)))
                .expect("paths")
        });
        let args = ClusterArgs { kubeconfig, context: context.map(str::to_owned) };
        let variable = |name: &str| {
            let found = self.variables.iter().find(|(key, _)| *key == name)?;
            Some(OsString::from(found.1))
        };
        let surroundings =
            Surroundings { variable: &variable, home: Some(self.folder.path().to_owned()) };
        find(&args, &surroundings)
    }
}

#[test]
fn the_current_context_is_followed() {
    let config = Case::new(&[("k", TWO)]).find(Some(&["k"]), None).expect("found");
    assert_eq!(config.cluster_url, "https://api.near:6443");
    assert_eq!(config.default_namespace, "shop");
    assert_eq!(config.proxy_url.expect("a proxy"), "http://proxy.near:3128");
    let exec = config.auth_info.exec.expect("a plugin");
    assert_eq!(exec.interactive_mode, Some(ExecInteractiveMode::Never), "it would eat our input");
    assert!(!config.default_retry);
    assert_eq!(config.connect_timeout, Some(CONNECT_TIMEOUT));
}

#[test]
fn another_context_of_the_default_file() {
    let config = Case::new(&[(".kube/config", TWO)]).find(None, Some("two")).expect("found");
    assert_eq!(config.cluster_url, "https://api.far/k8s/c-1");
    assert_eq!(config.tls_server_name.as_deref(), Some("far"));
    assert!(config.auth_info.exec.is_none() && config.auth_info.token.is_some());
}

#[test]
fn files_are_merged_and_missing_ones_skipped() {
    let contexts = "apiVersion: v1\nkind: Config\ncurrent-context: two\n";
    let case = Case::new(&[("a", contexts), ("b", TWO)]);
    let config = case.find(Some(&["a", "gone", "b"]), None).expect("found");
    assert_eq!(config.cluster_url.host(), Some("api.far"));
}

#[test]
fn a_trailing_comma_in_no_proxy_is_no_error() {
    let mut case = Case::new(&[("k", TWO)]);
    case.variables = vec![("HTTPS_PROXY", "http://proxy:1"), ("NO_PROXY", "a,.b,")];
    let config = case.find(Some(&["k"]), Some("two")).expect("found");
    assert_eq!(config.proxy_url.expect("a proxy"), "http://proxy:1");
}

fn message(found: Result<Config, ConfigError>) -> String {
    let error = found.expect_err("an error");
    let source = error.source().map_or_else(String::new, |source| format!(": {source}"));
    format!("{error}{source}")
}

#[test]
fn what_cannot_be_used_is_named() {
    let case = Case::new(&[
        ("k", TWO),
        ("bad", "users:\n- name: x\n  user: {token: s3cret\n"),
        ("none", "apiVersion: v1\nkind: Config\n"),
    ]);
    for (files, context, wanted) in [
        (None, None, ".kube/config` is not there"),
        (None, Some("x"), "context `x` needs a kubeconfig"),
        (Some(["gone"]), None, "gone` cannot be read: entity not found"),
        (Some(["bad"]), None, "bad` is malformed at line "),
        (Some(["none"]), None, "has no current context, only nothing at all"),
        (Some(["k"]), Some("three"), "has no context `three`, only `one`, `two`, `lost`"),
        (Some(["k"]), Some("lost"), "no cluster `gone`"),
    ] {
        let text = message(case.find(files.as_ref().map(<[&str; 1]>::as_slice), context));
        assert!(text.contains(wanted), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[test]
fn a_pod_without_a_service_account_says_so() {
    let mut case = Case::new(&[]);
    case.variables = vec![("KUBERNETES_SERVICE_HOST", "10.96.0.1")];
    let error = case.find(None, None).expect_err("an error");
    assert!(matches!(error, ConfigError::InPod { .. }), "{error}");
    assert!(error.hint().expect("a hint").contains("automountServiceAccountToken"));
}
