//! CycloneDX 1.6 (ECMA-424), JSON: the cluster as the component that the document is about, each
//! image that it uses as a container, each Helm release as an application that depends on images.
//!
//! A component is a repository and a digest; where it is not known which digest runs, it is the
//! reference, without a hash. Verdicts are properties (`provenance:…`), each value that some use
//! of the component has: the document says what was found, and claims nothing in `declarations`,
//! which would need somebody who affirms them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use crate::{HelmRelease, Report, Row};

use super::{Source, json, view};

/// How many values of one property a component has at most.
const VALUES: usize = 100;

/// The `bom-ref` of the cluster.
const CLUSTER: &str = "cluster";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom<C, D> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Value,
    components: C,
    dependencies: D,
    compositions: [Value; 1],
}

/// Rows by the component that they are uses of.
type Images<'a> = BTreeMap<String, Vec<&'a Row>>;

/// Writes the report as CycloneDX.
pub(super) fn write(report: &Report, source: &Source<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut images = Images::new();
    for row in &report.images {
        images.entry(image_ref(row)).or_default().push(row);
    }
    let by_reference = by_reference(&report.images);
    let components = json::Streamed(|| {
        let containers = images.iter().map(|(name, rows)| container(name, rows));
        containers.chain(report.helm_releases.iter().map(application))
    });
    let dependencies = json::Streamed(|| {
        let cluster = std::iter::once(of_cluster(report, &images));
        cluster.chain(report.helm_releases.iter().map(|release| of_release(release, &by_reference)))
    });
    let bom = Bom {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: serial(source),
        version: 1,
        metadata: metadata(report, source),
        components,
        dependencies,
        compositions: [json!({
            // Whether every namespace was asked is not in a report.
            "aggregate": if report.metadata.complete { "unknown" } else { "incomplete" },
            "assemblies": [CLUSTER],
        })],
    };
    json::write(&bom, 2, out)
}

/// A UUID of the report's hash (RFC 9562, section 5.8: version 8), so that equal reports have
/// equal documents.
fn serial(source: &Source<'_>) -> String {
    let mut hex: Vec<char> = source.digest.hex().chars().take(32).collect();
    hex[12] = '8';
    hex[16] = 'a';
    let part = |from: usize, to: usize| hex[from..to].iter().collect::<String>();
    let parts = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)];
    format!("urn:uuid:{}", parts.join("-"))
}

fn metadata(report: &Report, source: &Source<'_>) -> Value {
    let metadata = &report.metadata;
    let mut properties = vec![
        property("provenance:report", source.digest.as_str()),
        property("provenance:complete", if metadata.complete { "true" } else { "false" }),
    ];
    properties.extend(source.name.map(|name| property("provenance:report-name", name)));
    let why = metadata.incomplete_why.iter();
    properties.extend(why.map(|why| property("provenance:incomplete-why", why)));
    let scanned = metadata.namespaces_scanned.iter();
    let name = metadata.cluster_name.as_deref().unwrap_or("(cluster without a name)");
    json!({
        "timestamp": metadata.generated_at,
        "lifecycles": [{ "phase": "operations" }],
        "tools": { "components": [{
            "type": "application",
            "name": "provenance-collector",
            "version": metadata.collector_version,
        }] },
        "component": {
            "type": "platform",
            "bom-ref": CLUSTER,
            "name": view::shown(name),
            "properties": scanned
                .map(|namespace| property("provenance:namespace-scanned", namespace))
                .collect::<Vec<_>>(),
        },
        "properties": properties,
    })
}

fn property(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": view::shown(value) })
}

/// The `bom-ref` of the component that a row is a use of; encoded, so that two are never one.
fn image_ref(row: &Row) -> String {
    match (&row.repository, &row.digest) {
        (Some(repository), Some(digest)) => {
            format!("image:{}@{digest}", encoded(repository, "/:"))
        }
        _ => format!("image:{}", encoded(&row.image, "/:@")),
    }
}

fn release_ref(release: &HelmRelease) -> String {
    format!("release:{}/{}", encoded(&release.namespace, ""), encoded(&release.release_name, ""))
}

/// Component by reference, for releases, which name images by reference.
fn by_reference(rows: &[Row]) -> BTreeMap<&str, BTreeSet<String>> {
    let mut map: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for row in rows {
        map.entry(&row.image).or_default().insert(image_ref(row));
    }
    map
}

fn container(name: &str, rows: &[&Row]) -> Value {
    // Never empty: a component is made for its first row.
    let digest = rows.first().and_then(|row| row.digest.as_ref());
    let repository = rows.first().and_then(|row| row.repository.as_deref());
    let tags: BTreeSet<&str> = rows.iter().filter_map(|row| row.tag.as_deref()).collect();
    let image = rows.first().map_or("", |row| row.image.as_str());
    let mut component = json!({
        "type": "container",
        "bom-ref": name,
        "name": view::shown(repository.unwrap_or(image)),
    });
    if let Some(digest) = digest {
        component["version"] = json!(digest);
        component["hashes"] = hashes(digest);
        if let Some(purl) = repository.map(|repository| purl(repository, digest, &tags)) {
            component["purl"] = json!(purl);
        }
    } else if let Some(tag) = tags.first() {
        component["version"] = json!(view::shown(tag));
    }
    component["properties"] = json!(properties(rows));
    component
}

fn hashes(digest: &records::Digest) -> Value {
    match digest.algorithm() {
        "sha256" => json!([{ "alg": "SHA-256", "content": digest.hex() }]),
        "sha512" => json!([{ "alg": "SHA-512", "content": digest.hex() }]),
        _ => json!([]),
    }
}

/// `pkg:oci/web@sha256%3A…?repository_url=ghcr.io/acme/web&tag=1.4` (the purl type `oci`).
fn purl(repository: &str, digest: &records::Digest, tags: &BTreeSet<&str>) -> String {
    let last = repository.rsplit('/').next().unwrap_or(repository).to_lowercase();
    let version = encoded(digest.as_str(), "");
    let mut purl = format!(
        "pkg:oci/{}@{version}?repository_url={}",
        encoded(&last, ""),
        encoded(repository, "/")
    );
    // One tag names it; of several none does.
    if let (1, Some(tag)) = (tags.len(), tags.first()) {
        purl.push_str("&tag=");
        purl.push_str(&encoded(tag, ""));
    }
    purl
}

/// Percent-encoded, but for the unreserved characters (RFC 3986) and those in `keep`.
fn encoded(text: &str, keep: &str) -> String {
    let plain = |byte: u8| {
        byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.as_bytes().contains(&byte)
    };
    let encode = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// Each value that some row has, once.
fn properties(rows: &[&Row]) -> Vec<Value> {
    let mut properties = Vec::new();
    let mut add = |name: &str, values: BTreeSet<&str>| {
        let shown = values.iter().take(VALUES).map(|value| property(name, value));
        properties.extend(shown);
        let more = values.len().saturating_sub(VALUES);
        if more > 0 {
            properties.push(property(&format!("{name}:more"), &more.to_string()));
        }
    };
    let all = |value: fn(&Row) -> Option<&str>| rows.iter().filter_map(|row| value(row)).collect();
    add("provenance:reference", all(|row| Some(row.image.as_str())));
    add("provenance:namespace", all(|row| row.namespace.as_deref()));
    add("provenance:platform", all(|row| row.platform.as_deref()));
    add("provenance:manifest", all(|row| row.manifest.as_ref().map(records::Digest::as_str)));
    add("provenance:drift", all(|row| Some(row.drift.as_str())));
    add("provenance:signature", all(|row| Some(row.signature.verdict.as_str())));
    add("provenance:slsa-provenance", all(|row| Some(row.provenance.verdict.as_str())));
    add("provenance:sbom", all(|row| Some(row.sbom.verdict.as_str())));
    add("provenance:update", all(|row| Some(row.update.status.as_str())));
    let proven = rows.iter().all(|row| row.digest_is_proven());
    add("provenance:digest-proven", BTreeSet::from([if proven { "true" } else { "false" }]));
    let (uses, pods) =
        (rows.len().to_string(), rows.iter().map(|row| row.pods).sum::<u64>().to_string());
    add("provenance:uses", BTreeSet::from([uses.as_str()]));
    add("provenance:pods", BTreeSet::from([pods.as_str()]));
    properties
}

fn application(release: &HelmRelease) -> Value {
    let chart = release.chart.as_deref().unwrap_or(&release.release_name);
    let mut component = json!({
        "type": "application",
        "bom-ref": release_ref(release),
        "group": view::shown(&release.namespace),
        "name": view::shown(chart),
    });
    if let Some(version) = &release.version {
        component["version"] = json!(view::shown(version));
    }
    if let Some(url) = release.origin.url.as_deref().filter(|url| is_plain_url(url)) {
        component["externalReferences"] = json!([{ "type": "distribution", "url": url }]);
    }
    let texts = [
        ("provenance:release", Some(release.release_name.as_str())),
        ("provenance:app-version", release.app_version.as_deref()),
        ("provenance:status", Some(release.status.as_str())),
        ("provenance:chart-origin", Some(release.origin.kind.as_str())),
        ("provenance:chart-update", Some(release.update.status.as_str())),
    ];
    let texts = texts.into_iter().filter_map(|(name, value)| Some(property(name, value?)));
    component["properties"] = json!(texts.collect::<Vec<_>>());
    component
}

/// Whether a URL is one without anything odd in it; others are left out.
fn is_plain_url(url: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/@%+=".contains(c);
    (url.starts_with("oci://") || url.starts_with("https://")) && url.chars().all(plain)
}

fn of_cluster(report: &Report, images: &Images<'_>) -> Value {
    let releases = report.helm_releases.iter().map(release_ref);
    let all: BTreeSet<String> = images.keys().cloned().chain(releases).collect();
    json!({ "ref": CLUSTER, "dependsOn": all })
}

/// The images that a release names and that are used in the cluster.
fn of_release(release: &HelmRelease, images: &BTreeMap<&str, BTreeSet<String>>) -> Value {
    let named = release.images.iter().filter_map(|image| images.get(image.as_str()));
    let all: BTreeSet<&String> = named.flatten().collect();
    json!({ "ref": release_ref(release), "dependsOn": all })
}
