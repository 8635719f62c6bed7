//! The question that an `image` record raises.

use records::{Digest, Image};
use registry::SecretName;

/// What is asked: the subject of a `digest` record, and what its status says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// The reference, verbatim.
    pub(crate) image: String,
    /// The status's imageID, verbatim.
    pub(crate) image_id: Option<String>,
    /// The platform, verbatim.
    pub(crate) platform: Option<String>,
    /// The manifest digest that the status names.
    pub(crate) running_digest: Option<Digest>,
    /// The pull secrets on whose behalf it is asked, sorted; none where they are not to be used.
    pub(crate) pull_secrets: Vec<SecretName>,
}

/// Whether the pods' pull secrets are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UseSecrets {
    /// Those that the pods name, for their images.
    Named,
    /// None.
    Never,
}

/// What the status says that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Running {
    /// This index or manifest, which the status ascribes to this repository.
    Manifest {
        /// Its digest.
        digest: Digest,
        /// The repository in the imageID, if it has one.
        repository: Option<registry::Repository>,
    },
    /// The image with this id: the digest of its config, most likely.
    ImageId(Digest),
    /// Something that cannot be named: the imageID is of no known form, or names no digest.
    Unnamed,
    /// Nothing: pending, or idle.
    Nothing,
}

impl Question {
    /// The question of a record.
    pub(crate) fn of(image: Image, secrets: UseSecrets) -> Self {
        let pull_secrets = match (secrets, image.namespace) {
            (UseSecrets::Named, Some(namespace)) => {
                let named = |name| SecretName { namespace: namespace.clone(), name };
                let mut names: Vec<_> = image.pull_secrets.into_iter().map(named).collect();
                names.sort();
                names.dedup();
                names
            }
            _ => Vec::new(),
        };
        Self {
            image: image.image,
            image_id: image.image_id,
            platform: image.platform,
            running_digest: image.running_digest,
            pull_secrets,
        }
    }

    /// The subject, and on whose behalf it is asked: two questions with one key have one answer.
    pub(crate) fn key(&self) -> (String, Option<String>, Option<String>, Vec<SecretName>) {
        let Self { image, image_id, platform, pull_secrets, .. } = self;
        (image.clone(), image_id.clone(), platform.clone(), pull_secrets.clone())
    }

    /// Whether the status names something that runs, in whatever form.
    pub(crate) fn runs(&self) -> bool {
        self.image_id.is_some()
    }

    /// What runs, by the forms that runtimes give an imageID.
    pub(crate) fn running(&self) -> Running {
        let Some(id) = self.image_id.as_deref() else {
            return Running::Nothing;
        };
        let bare = id.split_once("://").map_or(id, |(_, rest)| rest);
        if let Some(digest) = &self.running_digest {
            let repository = bare
                .parse::<registry::Reference>()
                .ok()
                .map(|reference| reference.repository().clone());
            return Running::Manifest { digest: digest.clone(), repository };
        }
        let hex = |text: &str| text.len() == 64 && !text.contains(':');
        let id = if hex(bare) { format!("sha256:{bare}") } else { bare.to_owned() };
        id.parse().map_or(Running::Unnamed, Running::ImageId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(image_id: &str, running: Option<&str>) -> Question {
        Question {
            image: "nginx:1.27".into(),
            image_id: Some(image_id.into()),
            platform: None,
            pull_secrets: Vec::new(),
            running_digest: running.map(|digest| digest.parse().expect("a digest")),
        }
    }

    #[test]
    fn every_form_of_an_image_id() {
        let hex = "a".repeat(64);
        let digest = format!("sha256:{hex}");
        let named = |id: String| match question(&id, Some(&digest)).running() {
            Running::Manifest { repository, .. } => repository.map(|name| name.to_string()),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            named(format!("mirror.example.net/a/b@{digest}")).as_deref(),
            Some("mirror.example.net/a/b")
        );
        assert_eq!(
            named(format!("docker-pullable://nginx@{digest}")).as_deref(),
            Some("docker.io/library/nginx")
        );
        for bare in [digest.clone(), hex, format!("docker://{digest}")] {
            assert_eq!(
                question(&bare, None).running(),
                Running::ImageId(digest.parse().expect("a digest")),
                "{bare}"
            );
        }
        for unnamed in ["what?", "r.io/a/b:1", "sha512:aa"] {
            assert_eq!(question(unnamed, None).running(), Running::Unnamed, "{unnamed}");
        }
        let pending = Question { image_id: None, ..question("", None) };
        assert_eq!(pending.running(), Running::Nothing);
    }
}
