//! What a pod runs: containers of every kind, image volumes, and what their node says of them.

use cluster::types::{Container, ContainerStatus, Pod, PodSpec, Text};
use records::{ContainerType, Digest};

/// One use of an image by a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use<'a> {
    /// In which list of the pod it stands.
    pub(crate) container_type: ContainerType,
    /// The container's or the volume's name.
    pub(crate) container: &'a str,
    /// The reference: that of the spec, else what the container runtime calls it.
    pub(crate) image: &'a str,
    /// `imageID` of the status, verbatim; `None` until the image is pulled.
    pub(crate) image_id: Option<&'a str>,
}

/// Whether the pod still runs, or will: one that succeeded or failed does not.
#[must_use]
pub(crate) fn runs(pod: &Pod) -> bool {
    !matches!(&*pod.status.phase, "Succeeded" | "Failed")
}

/// Every image that the pod uses. Init containers that are done are among them: their image is
/// part of what runs.
#[must_use]
pub(crate) fn uses(pod: &Pod) -> Vec<Use<'_>> {
    let status = &pod.status;
    let mut uses = from_spec(&pod.spec);
    for used in &mut uses {
        let statuses = match used.container_type {
            ContainerType::Container => &status.container_statuses,
            ContainerType::InitContainer | ContainerType::Sidecar => {
                &status.init_container_statuses
            }
            ContainerType::EphemeralContainer => &status.ephemeral_container_statuses,
            ContainerType::ImageVolume => {
                used.image_id = mounted(pod, used.container);
                continue;
            }
        };
        if let Some(status) = statuses.iter().find(|status| *status.name == *used.container) {
            used.image_id = status.image_id.given();
            if used.image.is_empty() {
                used.image = &status.image;
            }
        }
    }
    uses
}

/// Every image that pods of this spec use; nothing is known yet of what will run.
#[must_use]
pub(crate) fn from_spec(spec: &PodSpec) -> Vec<Use<'_>> {
    fn plain<'a>(container_type: ContainerType, name: &'a Text, image: &'a Text) -> Use<'a> {
        Use { container_type, container: name, image, image_id: None }
    }
    let init = |container: &Container| match &*container.restart_policy {
        "Always" => ContainerType::Sidecar,
        _ => ContainerType::InitContainer,
    };
    let containers = spec.containers.iter().map(|container| (ContainerType::Container, container));
    let inits = spec.init_containers.iter().map(|container| (init(container), container));
    let ephemeral = spec
        .ephemeral_containers
        .iter()
        .map(|container| (ContainerType::EphemeralContainer, container));
    let volumes = spec.volumes.iter().filter_map(|volume| {
        let image = volume.image.as_ref()?;
        Some(plain(ContainerType::ImageVolume, &volume.name, &image.reference))
    });
    containers
        .chain(inits)
        .chain(ephemeral)
        .map(|(kind, container)| plain(kind, &container.name, &container.image))
        .chain(volumes)
        .collect()
}

/// The image behind a volume, by the first container that has it mounted (KEP-5365).
fn mounted<'a>(pod: &'a Pod, volume: &str) -> Option<&'a str> {
    let status = &pod.status;
    [
        &status.container_statuses,
        &status.init_container_statuses,
        &status.ephemeral_container_statuses,
    ]
    .into_iter()
    .flatten()
    .flat_map(|container: &ContainerStatus| &container.volume_mounts)
    .filter(|mount| *mount.name == *volume)
    .find_map(|mount| mount.volume_status.image.image_ref.given())
}

/// The manifest digest that an `imageID` names, if it names one.
///
/// `repository@sha256:…` and dockershim's `docker-pullable://repository@sha256:…` do. A bare
/// `sha256:…`, a bare hexadecimal id and `docker://sha256:…` are the id of an image's
/// configuration, which is no manifest digest.
#[must_use]
pub(crate) fn running_digest(image_id: &str) -> Option<Digest> {
    let pullable = image_id.strip_prefix("docker-pullable://").unwrap_or(image_id);
    let (repository, digest) = pullable.rsplit_once('@')?;
    if repository.is_empty() { None } else { digest.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(json: &str) -> Pod {
        serde_json::from_str(json).expect("a pod")
    }

    fn short(uses: &[Use<'_>]) -> Vec<String> {
        uses.iter()
            .map(|used| {
                let id = used.image_id.unwrap_or("-");
                format!("{} {} {} {id}", used.container_type.as_str(), used.container, used.image)
            })
            .collect()
    }

    #[test]
    fn every_kind_of_use() {
        let pod = pod(r#"{"spec":{
            "containers":[{"name":"web","image":"web:1"},{"name":"same","image":""}],
            "initContainers":[{"name":"prepare","image":"i:1"},{"name":"mesh","image":"m:1","restartPolicy":"Always"}],
            "ephemeralContainers":[{"name":"debug","image":"busybox"}],
            "volumes":[{"name":"conf","configMap":{}},{"name":"model","image":{"reference":"model:7"}},{"name":"other","image":{"reference":"o"}}]},
          "status":{"phase":"Running",
            "containerStatuses":[{"name":"web","image":"docker.io/web:1","imageID":"web@sha256:1",
               "volumeMounts":[{"name":"model","volumeStatus":{"image":{"imageRef":"model@sha256:7"}}},{"name":"other"}]},
              {"name":"same","image":"local:2","imageID":""}],
            "initContainerStatuses":[{"name":"prepare","imageID":"i@sha256:2"},{"name":"mesh","imageID":"m@sha256:3"}],
            "ephemeralContainerStatuses":[{"name":"debug","imageID":"sha256:4"}]}}"#);
        assert_eq!(
            short(&uses(&pod)),
            [
                "container web web:1 web@sha256:1",
                "container same local:2 -",
                "initContainer prepare i:1 i@sha256:2",
                "sidecar mesh m:1 m@sha256:3",
                "ephemeralContainer debug busybox sha256:4",
                "imageVolume model model:7 model@sha256:7",
                "imageVolume other o -",
            ]
        );
    }

    #[test]
    fn a_pod_without_status_is_pending() {
        let pod = pod(r#"{"spec":{"containers":[{"name":"web","image":"web:1"}]},"status":null}"#);
        assert!(runs(&pod));
        assert_eq!(short(&uses(&pod)), ["container web web:1 -"]);
    }

    #[test]
    fn what_is_over_does_not_run() {
        for (phase, over) in [
            ("Pending", false),
            ("Running", false),
            ("Unknown", false),
            ("Succeeded", true),
            ("Failed", true),
        ] {
            let pod = pod(&format!(r#"{{"status":{{"phase":"{phase}"}}}}"#));
            assert_eq!(!runs(&pod), over, "{phase}");
        }
    }

    #[test]
    fn only_a_repository_digest_is_a_manifest_digest() {
        let hex = "a1".repeat(32);
        let digest = format!("sha256:{hex}");
        for (image_id, is_manifest) in [
            (format!("ghcr.io/acme/web@{digest}"), true),
            (format!("docker-pullable://nginx@{digest}"), true),
            (format!("registry:5000/a@{digest}"), true),
            (digest.clone(), false),
            (hex, false),
            (format!("docker://{digest}"), false),
            (format!("@{digest}"), false),
            (format!("docker-pullable://@{digest}"), false),
            ("nginx@sha256:short".to_owned(), false),
            ("nginx:1.27".to_owned(), false),
            (String::new(), false),
        ] {
            let found = running_digest(&image_id).map(|digest| digest.to_string());
            assert_eq!(found, is_manifest.then(|| digest.clone()), "{image_id}");
        }
    }
}
