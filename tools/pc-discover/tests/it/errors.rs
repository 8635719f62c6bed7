//! What goes wrong is said: what, where, and how to mend it.

use testkit::pc;

use crate::{example, from};

#[test]
fn no_cluster_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let ran = pc("discover").env("HOME", folder.path()).run().code(1);
    let ran = ran.says("no cluster to ask").says(".kube/config` is not there").says("hint: ");
    assert!(ran.stderr.contains("--from FILE") && ran.stdout.is_empty());
}

#[test]
fn a_kubeconfig_that_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    std::fs::write(
        &file,
        "clusters: [{name: c, cluster: {server: 'https://x'}}]\nusers: {token: s3cret",
    )
    .expect("written");
    let ran = pc("discover").env("KUBECONFIG", &file).run().code(1).says("is malformed at line ");
    assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);
    let ran = pc("discover").arg("--kubeconfig").arg(folder.path().join("gone")).run().code(1);
    let _ = ran.says("gone` cannot be read");
    let known = "current-context: a\ncontexts: [{name: a, context: {cluster: c}}, {name: b, context: {cluster: c}}]\n";
    std::fs::write(&file, known).expect("written");
    let ran = pc("discover").arg("--kubeconfig").arg(&file).args(["--context", "z"]).run().code(1);
    let _ = ran.says("has no context `z`, only `a`, `b`");
}

#[test]
fn nobody_listens() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    let text = "current-context: a\ncontexts: [{name: a, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n";
    std::fs::write(&file, text).expect("written");
    let ran = pc("discover").arg("--kubeconfig").arg(&file).run().code(1);
    let ran = ran.says("cannot list `nodes`").says("127.0.0.1:1").says("connection refused");
    assert!(ran.stdout.is_empty());
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "one error and one hint: {lines:?}");
    assert!(lines[1].starts_with("hint: is the cluster running"), "{lines:?}");
}

#[test]
fn bad_usage() {
    for (args, wanted) in [
        (["--namespaces", "Shop"], "`Shop` is no namespace"),
        (["--namespaces", "a[b"], "is no pattern of namespaces"),
        (["--selector", "a in b"], "is no label selector"),
        (["--shard", "4/3"], "is not a shard"),
        (["--default-platform", "arm64"], "is not a platform"),
        (["--include-idle=perhaps", "--log-level=off"], "perhaps"),
    ] {
        let ran = from(&example()).args(args).run().code(2).says(wanted);
        assert!(ran.stdout.is_empty());
    }
}

#[test]
fn dumps_that_are_none() {
    for (dump, wanted, hint) in [
        ("", "the dump is empty", "kubectl get pods,"),
        ("apiVersion: v1\nkind: List\n", "the dump is no JSON object", "-o json`"),
        (
            "{\"apiVersion\":\"v1\",\n\"items\":[{",
            "ends in the middle, at line 2",
            "disk is not full",
        ),
        (
            "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\n\"spec\":7}",
            "is malformed: invalid type",
            "-o json`",
        ),
    ] {
        let ran = pc("discover").args(["--from", "-"]).stdin(dump).run().code(1);
        let ran = ran.says(wanted).says(hint);
        assert!(ran.stdout.is_empty(), "no record of a dump that cannot be trusted");
    }
    let _ = from("/no/such/dump".as_ref())
        .run()
        .code(1)
        .says("`/no/such/dump` cannot be opened: No such file");
}

#[test]
fn a_choice_of_no_namespace_is_usage_and_no_empty_cluster() {
    let choose = |include: &str, exclude: &str| {
        let run = from(&example()).args(["--exclude-namespaces", exclude]);
        run.env("PROVENANCE_NAMESPACES", include).run()
    };
    for (include, exclude) in [("shop", "shop"), ("shop,bank", "*"), ("", "*")] {
        let ran = choose(include, exclude).code(2).says("no namespace is left");
        assert!(ran.stdout.is_empty());
    }
    let ran = choose("shop,bank", "shop").ok();
    assert!(ran.of_type("image").iter().all(|image| image["namespace"] == "bank"));
}
