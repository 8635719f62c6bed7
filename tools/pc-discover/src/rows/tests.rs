//! Rows from pods, as they would be written.

use cluster::types::{Node, Owned, OwnerReference, Pod, Templated};

use super::*;
use crate::idle;

fn read<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).expect("an object")
}

struct Case {
    gathered: Gathered,
    owners: Owners,
    nodes: Nodes,
}

impl Case {
    fn new() -> Self {
        let mut nodes = Nodes::new(None);
        for (name, arch) in [("n1", "amd64"), ("n2", "amd64"), ("n3", "arm64")] {
            nodes.learn(&read::<Node>(&format!(
                r#"{{"metadata":{{"name":"{name}"}},"status":{{"nodeInfo":{{"operatingSystem":"linux","architecture":"{arch}",
                    "osImage":"Debian 13","kernelVersion":"6.12","containerRuntimeVersion":"containerd://2.1","kubeletVersion":"v1.35.4"}}}}}}"#
            )));
        }
        Self { gathered: Gathered::new("shop"), owners: Owners::default(), nodes }
    }

    /// A pod of ReplicaSet `set` with one container.
    fn pod(&mut self, name: &str, set: &str, node: &str, image: &str, image_id: &str) {
        self.gathered.add(&read::<Pod>(&format!(
            r#"{{"metadata":{{"name":"{name}","ownerReferences":[{{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"{set}","uid":"{set}","controller":true}}]}},
                "spec":{{"nodeName":"{node}","runtimeClassName":"gvisor","containers":[{{"name":"c","image":"{image}"}}]}},
                "status":{{"phase":"Running","containerStatuses":[{{"name":"c","imageID":"{image_id}"}}]}}}}"#
        )));
    }

    fn deployment(&mut self, set: &str, name: &str) {
        let owners: Vec<OwnerReference> = read::<Owned>(&format!(
            r#"{{"metadata":{{"ownerReferences":[{{"apiVersion":"apps/v1","kind":"Deployment","name":"{name}","controller":true}}]}}}}"#
        ))
        .metadata
        .owner_references;
        self.owners.learn(set.into(), &owners);
    }

    fn rows(self) -> Rows {
        Rows::new(self.gathered, &self.owners, &self.nodes)
    }

    fn written(self) -> Vec<Written> {
        self.rows().into_records(None).collect()
    }
}

fn short(written: &[Written]) -> Vec<String> {
    let line = |written: &Written| match written {
        Written::Image(image) => format!(
            "{} {} {} {} {} {}",
            image.workload.as_ref().map_or("-", |workload| &workload.name),
            image.image,
            image.image_id.as_deref().unwrap_or("-"),
            image.platform.as_deref().unwrap_or("-"),
            image.pods,
            image.nodes
        ),
        Written::Runtime(runtime) => {
            format!("{} runs on {:?}", runtime.workload.name, runtime.architectures)
        }
    };
    written.iter().map(line).collect()
}

#[test]
fn replica_sets_of_one_deployment_are_one_row_and_platforms_are_two() {
    let mut case = Case::new();
    case.pod("web-a-1", "web-a", "n1", "web:1", "web@sha256:1");
    case.pod("web-b-1", "web-b", "n2", "web:1", "web@sha256:1");
    case.pod("web-b-2", "web-b", "n3", "web:1", "web@sha256:1");
    case.pod("web-b-3", "web-b", "", "web:1", "");
    case.deployment("web-a", "web");
    case.deployment("web-b", "web");
    assert_eq!(
        short(&case.written()),
        [
            "web web:1 - - 1 0",
            r#"web runs on {"amd64": 2, "arm64": 1}"#,
            "web web:1 web@sha256:1 linux/amd64 2 2",
            "web web:1 web@sha256:1 linux/arm64 1 1",
        ]
    );
}

#[test]
fn two_digests_in_a_roll_out_are_two_rows() {
    let mut case = Case::new();
    case.pod("web-1", "s", "n1", "web:1", "web@sha256:1");
    case.pod("web-2", "s", "n1", "web:1", "web@sha256:2");
    case.deployment("s", "web");
    let written = case.written();
    assert_eq!(short(&written).len(), 3, "{written:?}");
}

#[test]
fn a_record_has_all_its_facts() {
    let mut case = Case::new();
    let digest = format!("sha256:{}", "a".repeat(64));
    case.pod(
        "web-1",
        "s",
        "n1",
        &format!("web@{digest}"),
        &format!("docker.io/library/web@{digest}"),
    );
    case.deployment("s", "web");
    let written = case.written();
    let [Written::Image(image), Written::Runtime(runtime)] = &written[..] else {
        panic!("{written:?}");
    };
    assert_eq!(image.running_digest.as_ref().map(ToString::to_string), Some(digest));
    assert!(image.pinned && !image.idle);
    assert_eq!(image.pod_names, ["web-1"]);
    assert_eq!(runtime.kernels, [("6.12".to_owned(), 1)].into());
    assert_eq!(runtime.container_runtimes, [("containerd://2.1".to_owned(), 1)].into());
    assert_eq!(runtime.constraints, ["runtimeClass gvisor"]);
}

#[test]
fn what_is_not_known_is_kept_apart() {
    let mut case = Case::new();
    case.pod("web-1", "s", "n9", "web:1", "sha256:1");
    let rows = case.rows();
    assert_eq!(rows.unproven, [cluster::resource::REPLICA_SETS].into());
    assert_eq!(rows.unknown_nodes, [Text::from("n9")].into());
    let written: Vec<Written> = rows.into_records(None).collect();
    assert_eq!(short(&written), ["s web:1 sha256:1 - 1 1", "s runs on {}"]);
    let Written::Image(image) = &written[0] else { panic!("{written:?}") };
    assert_eq!(image.running_digest, None, "an image id is no manifest digest");
}

#[test]
fn shards_share_the_images_and_agree_about_the_rest() {
    let all = |shard| {
        let mut case = Case::new();
        for number in 0..20 {
            case.pod("p", "s", "n1", &format!("app-{number}:1"), "");
        }
        case.deployment("s", "web");
        case.rows().into_records(shard).collect::<Vec<_>>()
    };
    let parts: Vec<Vec<Written>> =
        (1..=2).map(|index| all(Some(Shard { index, count: 2 }))).collect();
    let whole = all(None);
    let images =
        |part: &[Written]| part.iter().filter(|one| matches!(one, Written::Image(_))).count();
    assert_eq!(images(&parts[0]) + images(&parts[1]), images(&whole));
    assert!(parts.iter().all(|part| part[1] == whole[1]), "one `runtime`, whoever writes it");
}

const TEMPLATE: &str = r#"{"metadata":{"name":"web"},"spec":{"suspend":SUSPEND,"template":{"metadata":{"labels":{"app":"web"},"annotations":{"provenance.nebari.dev/x":"1"}},
    "spec":{"containers":[{"name":"c","image":"web:2"}],"imagePullSecrets":[{"name":"ghcr"}],"nodeSelector":{"gpu":"yes"}}}}}"#;

fn with_template(rows: &mut Rows, kind: Resource, suspend: &str, selector: Option<&str>) {
    let templated: Templated = read(&TEMPLATE.replace("SUSPEND", suspend));
    let selector = selector.map(|text| text.parse().expect("a selector"));
    idle::add(rows, kind, &templated, selector.as_ref());
}

#[test]
fn a_template_that_runs_nothing_is_idle() {
    use cluster::resource::DEPLOYMENTS;
    let mut rows = Case::new().rows();
    with_template(&mut rows, DEPLOYMENTS, "null", Some("app=web"));
    let written: Vec<Written> = rows.into_records(None).collect();
    let [Written::Image(image), Written::Runtime(runtime)] = &written[..] else {
        panic!("{written:?}");
    };
    assert!(image.idle && image.pods == 0 && image.image_id.is_none() && image.platform.is_none());
    assert_eq!(image.pull_secrets, ["ghcr"]);
    assert_eq!(image.annotations["provenance.nebari.dev/x"], "1");
    assert_eq!(runtime.constraints, ["node gpu=yes"]);
}

#[test]
fn a_template_that_runs_or_may_run_is_not_idle() {
    use cluster::resource::{DEPLOYMENTS, JOBS, STATEFUL_SETS};
    let count = |rows: Rows| {
        rows.into_records(None)
            .filter(|one| matches!(one, Written::Image(image) if image.idle))
            .count()
    };
    let running = |known: bool| {
        let mut case = Case::new();
        case.pod("web-1", "s", "n1", "web:1", "");
        if known {
            case.deployment("s", "web");
        }
        case.rows()
    };
    for (known, kind, suspend, selector, idle) in [
        (true, DEPLOYMENTS, "null", None, 0),
        // Whose the ReplicaSet is could not be looked up: it may be this Deployment's.
        (false, DEPLOYMENTS, "null", None, 0),
        (false, STATEFUL_SETS, "null", None, 1),
        (true, STATEFUL_SETS, "null", Some("app!=web"), 0),
        (true, JOBS, "null", None, 0),
        (true, JOBS, "true", None, 1),
    ] {
        let mut rows = running(known);
        with_template(&mut rows, kind, suspend, selector);
        assert_eq!(count(rows), idle, "{kind} {suspend} {selector:?}");
    }
}
