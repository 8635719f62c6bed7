//! A registry with an image, its index, and what hangs on them.

use serde_json::{Value, json};
use testkit::pc;
use testkit::registry::{FakeRegistry, Pushed};

/// The repository of all tests.
pub(crate) const REPOSITORY: &str = "shop/web";

/// An image for one platform, the index that lists it, and the registry that has both.
pub(crate) struct Shop {
    pub(crate) registry: FakeRegistry,
    pub(crate) manifest: Pushed,
    pub(crate) index: Pushed,
}

/// What a find is put into.
pub(crate) const EMPTY_CONFIG: &str = "application/vnd.oci.empty.v1+json";

impl Shop {
    /// Open, with a referrers API.
    pub(crate) fn open() -> Self {
        let registry = FakeRegistry::start();
        registry.switch(|switches| switches.referrers_api = true);
        let manifest = registry.push_image(REPOSITORY, None, "amd64");
        let index = registry.push_index(REPOSITORY, Some("1"), &[("linux/amd64", &manifest)]);
        Self { registry, manifest, index }
    }

    /// The `digest` record of what runs.
    pub(crate) fn digest_record(&self) -> Value {
        let image = format!("{}/{REPOSITORY}:1", self.registry.host());
        json!({
            "type": "digest", "v": 1, "image": image,
            "imageId": format!("{}/{REPOSITORY}@{}", self.registry.host(), self.index.digest),
            "platform": "linux/amd64",
            "repository": format!("{}/{REPOSITORY}", self.registry.host()), "tag": "1",
            "digest": self.index.digest, "how": "status", "present": true,
            "mediaType": self.index.media_type, "index": self.index.digest,
            "manifest": self.manifest.digest, "tagDigest": self.index.digest, "drift": "same",
            "platforms": [],
        })
    }

    /// Verifies one record and gives the tool's answers.
    pub(crate) fn verify(&self, record: &Value) -> Vec<Value> {
        self.verify_with(record, &[])
    }

    /// The same with more flags.
    pub(crate) fn verify_with(&self, record: &Value, flags: &[&str]) -> Vec<Value> {
        let end = json!({"type": "end", "v": 1, "stages": []});
        pc("verify")
            .args(flags)
            .env("PROVENANCE_PLAIN_HTTP", self.registry.host())
            .env("PROVENANCE_REGISTRY_TIMEOUT", "2s")
            .stdin(format!("{record}\n{end}\n"))
            .run()
            .ok()
            .records()
    }

    /// Puts an artifact with one layer there, and gives its digest.
    pub(crate) fn artifact(
        &self,
        tag: Option<&str>,
        layer_type: &str,
        bytes: &[u8],
        subject: Option<&Pushed>,
    ) -> Pushed {
        let config = self.registry.push_blob(REPOSITORY, b"{}");
        let layer = self.registry.push_blob(REPOSITORY, bytes);
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": layer_type,
            "config": {"mediaType": EMPTY_CONFIG, "digest": config, "size": 2},
            "layers": [{"mediaType": layer_type, "digest": layer, "size": bytes.len()}],
        });
        if let Some(subject) = subject {
            manifest["subject"] = json!({
                "mediaType": subject.media_type, "digest": subject.digest, "size": subject.size,
            });
        }
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        self.registry.push_json(REPOSITORY, tag, media_type, &manifest)
    }
}

/// An in-toto statement about `subject`.
pub(crate) fn statement(subject: &Pushed, predicate_type: &str, predicate: &Value) -> Vec<u8> {
    let hex = subject.digest.trim_start_matches("sha256:");
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "web", "digest": {"sha256": hex}}],
        "predicateType": predicate_type,
        "predicate": predicate,
    });
    statement.to_string().into_bytes()
}

/// The one record of a type.
pub(crate) fn one<'r>(records: &'r [Value], kind: &str) -> &'r Value {
    let mut found = records.iter().filter(|record| record["type"] == kind);
    let first = found.next();
    assert!(first.is_some(), "no {kind} in {records:#?}");
    assert!(found.next().is_none(), "more than one {kind}");
    first.expect("it is there")
}

/// cosign's tag for a digest.
pub(crate) fn tag(of: &Pushed, suffix: &str) -> String {
    format!("{}{suffix}", of.digest.replace(':', "-"))
}
