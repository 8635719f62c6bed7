//! Dumps as kubectl prints them, in every order, and those that are none.

use cluster::{DumpError, Object, read_dump};

fn read(dump: &str) -> Result<Vec<String>, DumpError> {
    let mut seen = Vec::new();
    read_dump(dump.as_bytes(), |object| {
        seen.push(match object {
            Object::Pod(pod) => format!(
                "pod {} {} {}",
                pod.metadata.name,
                pod.spec
                    .containers
                    .iter()
                    .map(|c| c.image.to_string())
                    .collect::<Vec<_>>()
                    .join("+"),
                pod.status.phase
            ),
            Object::Node(node) => {
                format!("node {} {}", node.metadata.name, node.status.node_info.architecture)
            }
            Object::Namespace(name) => format!("namespace {name}"),
            Object::Workload(resource, workload) => format!(
                "{} {} {}",
                resource.kind,
                workload.metadata.name,
                workload.pod_template().spec.containers.len()
            ),
            Object::Other => "other".to_owned(),
        });
    })?;
    Ok(seen)
}

const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"image":"i:1"}]},"status":{"phase":"Running"}}"#;
const NODE: &str = r#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"},"spec":{"podCIDR":"x"},"status":{"nodeInfo":{"architecture":"arm64"}}}"#;
const CRON_JOB: &str = r#"{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"c"},"spec":{"jobTemplate":{"spec":{"template":{"spec":{"containers":[{"image":"i"}]}}}}}}"#;

#[test]
fn lists_of_mixed_kinds() {
    let service = r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"s"},"spec":{"containers":7,"template":"x"},"status":"odd"}"#;
    let namespace = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}}"#;
    let list = format!(
        r#"{{"apiVersion":"v1","items":[{NODE},{POD},{service},{namespace},{CRON_JOB}],"kind":"List","metadata":{{"resourceVersion":""}}}}"#
    );
    assert_eq!(
        read(&list).expect("a dump"),
        ["node n arm64", "pod a i:1 Running", "other", "namespace shop", "CronJob c 1"]
    );
}

#[test]
fn several_documents_and_single_objects() {
    let empty = r#"{"apiVersion":"v1","items":[],"kind":"List"}"#;
    let null = r#"{"apiVersion":"v1","items":null,"kind":"List"}"#;
    let dump = format!("\n{empty}\n{POD}{NODE}\n{null}\n \n");
    assert_eq!(read(&dump).expect("a dump"), ["pod a i:1 Running", "node n arm64"]);
    assert_eq!(read(empty).expect("a dump"), Vec::<String>::new());
}

#[test]
fn kind_may_come_last() {
    let pod = r#"{"status":{"phase":"Pending"},"spec":{"containers":[{"image":"i:2"}]},"metadata":{"name":"b"},"kind":"Pod","apiVersion":"v1"}"#;
    let other =
        r#"{"status":7,"spec":"x","metadata":{"name":"b"},"kind":"Widget","apiVersion":"acme/v1"}"#;
    let null = r#"{"status":null,"spec":null,"metadata":null,"kind":"Pod","apiVersion":"v1"}"#;
    assert_eq!(
        read(&format!("{pod}{other}{null}")).expect("a dump"),
        ["pod b i:2 Pending", "other", "pod   "]
    );
}

#[test]
fn lists_of_one_kind_as_the_api_sends_them() {
    let list = r#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"a"},"spec":{"containers":[{"image":"i"}]},"status":{"phase":"Running"}}]}"#;
    assert_eq!(read(list).expect("a dump"), ["pod a i Running"]);
    let metrics = r#"{"kind":"PodMetricsList","apiVersion":"metrics.k8s.io/v1beta1","items":[{"metadata":{"name":"a"},"spec":3}]}"#;
    assert_eq!(read(metrics).expect("a dump"), ["other"]);
}

#[test]
fn what_is_no_dump_is_said_to_be_none() {
    assert!(matches!(read(""), Err(DumpError::Empty)));
    for yaml in ["apiVersion: v1\nkind: List\n", "[]", "No resources found\n", "\u{1f}\u{8b}"] {
        let error = read(yaml).expect_err("refused");
        assert!(matches!(error, DumpError::NotJson), "{yaml}: {error:?}");
        assert!(error.hint().expect("a hint").contains("-o json"));
    }
    let cut = format!("{{\"apiVersion\":\"v1\",\"items\":[\n{POD},\n{{\"apiV");
    let error = read(&cut).expect_err("refused");
    assert_eq!(error.to_string(), "the dump ends in the middle, at line 3 column 6");
    for (bad, wanted) in [
        ("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\n\"spec\":{\"containers\":7}}", "line 2 column"),
        (
            r#"{"items":[{"metadata":{}}],"kind":"List","apiVersion":"v1"}"#,
            "without `apiVersion` and `kind`",
        ),
        (
            r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"pods is forbidden"}"#,
            "pods is forbidden",
        ),
        (&format!("{POD}]"), "line 1 column"),
        ("{}", "without `apiVersion` and `kind`"),
    ] {
        let error = read(bad).expect_err("refused");
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(source.contains(wanted), "{bad}: {source}");
    }
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let deep =
        format!(r#"{{"kind":"List","apiVersion":"v1","items":[{{"x":{}"#, "[".repeat(100_000));
    assert!(read(&deep).is_err());
    let lists = r#"{"items":["#.repeat(100_000);
    assert!(read(&lists).is_err());
}
