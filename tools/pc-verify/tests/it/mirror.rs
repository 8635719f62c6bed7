//! Trusted roots by TUF: from a mirror over real sockets, and from what was kept of one.

use std::path::Path;

use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sigstore_tuf::canonical_json::to_canonical_bytes;
use testkit::registry::{Canned, FakeRegistry};
use testkit::{Ran, Run, pc, root};

const FAR: &str = "2999-01-01T00:00:00Z";
const PAST: &str = "2001-01-01T00:00:00Z";

/// A key of TUF.
struct Key(KeyPair);

impl Key {
    fn new() -> Self {
        Self(KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key"))
    }

    fn id(&self) -> String {
        hash(&self.0.subject_public_key_info())
    }

    fn json(&self) -> Value {
        json!({
            "keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256",
            "keyval": {"public": self.0.public_key_pem()},
        })
    }
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Metadata, signed by each of these keys.
fn signed(keys: &[&Key], mut what: Value, role: &str, version: u64, expires: &str) -> Vec<u8> {
    for (field, value) in [
        ("_type", json!(role)),
        ("spec_version", json!("1.0.31")),
        ("version", json!(version)),
        ("expires", json!(expires)),
    ] {
        what[field] = value;
    }
    let bytes = to_canonical_bytes(&what).expect("canonical");
    let signature = |key: &&Key| {
        let signature = key.0.sign(&bytes).expect("a signature");
        json!({"keyid": key.id(), "sig": hex::encode(signature)})
    };
    let signatures: Vec<Value> = keys.iter().map(signature).collect();
    json!({"signed": what, "signatures": signatures}).to_string().into_bytes()
}

/// A root of TUF: `own` signs roots, `online` everything else; `before` signed the last one.
fn tuf_root(own: &Key, online: &Key, before: Option<&Key>, version: u64) -> Vec<u8> {
    let role = |key: &Key| json!({"keyids": [key.id()], "threshold": 1});
    let what = json!({
        "consistent_snapshot": true,
        "keys": {own.id(): own.json(), online.id(): online.json()},
        "roles": {
            "root": role(own), "timestamp": role(online),
            "snapshot": role(online), "targets": role(online),
        },
    });
    let signers: Vec<&Key> = std::iter::once(own).chain(before).collect();
    signed(&signers, what, "root", version, FAR)
}

/// When the metadata of a publication ends.
#[derive(Clone, Copy)]
struct Ends {
    timestamp: &'static str,
    targets: &'static str,
}

const LATER: Ends = Ends { timestamp: FAR, targets: FAR };

/// A TUF repository on a web server, below `/tuf`.
struct Mirror {
    server: FakeRegistry,
    own: Key,
    online: Key,
    folder: tempfile::TempDir,
}

impl Mirror {
    fn start() -> Self {
        let mirror = Self {
            server: FakeRegistry::start(),
            own: Key::new(),
            online: Key::new(),
            folder: tempfile::tempdir().expect("a folder"),
        };
        let root = tuf_root(&mirror.own, &mirror.online, None, 1);
        std::fs::write(mirror.file("root.json"), root).expect("written");
        mirror
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    fn url(&self) -> String {
        format!("http://{}/tuf", self.server.host())
    }

    fn serve(&self, name: &str, bytes: &[u8]) {
        self.server.can(&format!("/tuf/{name}"), Canned::status(200).body(bytes.to_vec()));
    }

    /// Publishes a version, signed by whoever is online, and gives its metadata by role.
    fn publish(&self, version: u64, target: &[u8], ends: Ends) -> [(&'static str, Vec<u8>); 3] {
        let keys = [&self.online];
        let meta = |bytes: &[u8]| json!({"version": version, "length": bytes.len(), "hashes": {"sha256": hash(bytes)}});
        let file = json!({"length": target.len(), "hashes": {"sha256": hash(target)}});
        let targets = json!({"targets": {"trusted_root.json": file}});
        let targets = signed(&keys, targets, "targets", version, ends.targets);
        let snapshot = json!({"meta": {"targets.json": meta(&targets)}});
        let snapshot = signed(&keys, snapshot, "snapshot", version, FAR);
        let timestamp = json!({"meta": {"snapshot.json": meta(&snapshot)}});
        let timestamp = signed(&keys, timestamp, "timestamp", version, ends.timestamp);
        self.serve("timestamp.json", &timestamp);
        self.serve(&format!("{version}.snapshot.json"), &snapshot);
        self.serve(&format!("{version}.targets.json"), &targets);
        self.serve(&format!("targets/{}.trusted_root.json", hash(target)), target);
        [("timestamp", timestamp), ("snapshot", snapshot), ("targets", targets)]
    }

    /// A run that believes this mirror.
    fn run(&self, tool: Run) -> Run {
        tool.env("PROVENANCE_PLAIN_HTTP", self.server.host())
            .env("PROVENANCE_TUF_MIRROR", self.url())
            .env("PROVENANCE_TUF_ROOT", self.file("root.json"))
            .args(["--max-tries", "1"])
    }

    fn nothing(&self) -> Run {
        self.run(pc("verify").arg("-n"))
    }

    fn cached(&self) -> Run {
        self.nothing().args(["--tuf-cache", &self.file("cache")])
    }
}

/// The trusted root of the instance that signed the images in `testdata/evidence`.
fn trusted_root() -> Vec<u8> {
    std::fs::read(evidence("trusted-root.json")).expect("a root")
}

fn evidence(name: &str) -> String {
    root().join("testdata/evidence").join(name).to_string_lossy().into_owned()
}

/// What the tally says of the root of a mirror.
fn told(ran: Ran, mirror: &Mirror) -> Value {
    let records = ran.ok().records();
    let end = records.last().expect("an end");
    let roots = end["stages"][0]["settings"]["trustedRoots"].as_array().expect("roots");
    let found = roots.iter().find(|root| root["name"] == json!(mirror.url()));
    found.cloned().unwrap_or_default()
}

fn verdicts(run: Run, stream: &str) -> Vec<(Value, Value, Value)> {
    let records = run.stdin(stream).run().ok().records();
    let of = |record: &Value| {
        let finds = record["finds"].as_array()?.iter();
        let finds = finds.map(|find| json!([find["id"], find["verdict"], find["reason"]]));
        Some((record["type"].clone(), record["verdict"].clone(), finds.collect()))
    };
    records.iter().filter_map(of).collect()
}

#[test]
fn evidence_gets_the_verdicts_that_the_same_root_from_a_file_gives() {
    let mirror = Mirror::start();
    mirror.publish(1, &trusted_root(), LATER);
    let layouts = evidence("layouts");
    let run = || pc("verify").args(["--layout", &layouts, "--insecure-ignore-tlog"]);
    let manifest = std::fs::read(evidence("MANIFEST.json")).expect("the manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let image = |it: &Value| {
        let part = |name: &str| it[name].as_str().expect("text").to_owned();
        format!("{}/{}:{}", part("registry"), part("repository"), part("tag"))
    };
    let images = manifest["images"].as_array().expect("images").iter().take(12).map(image);
    let stream = pc("digest").args(["--layout", &layouts]).args(images).run().ok().text();
    let by_file = verdicts(run().args(["--trusted-root", &evidence("trusted-root.json")]), &stream);
    let by_mirror = verdicts(mirror.run(run()), &stream);
    assert_eq!(by_mirror, by_file);
    assert_ne!(by_mirror, verdicts(run(), &stream), "the root makes a difference");
}

#[test]
fn the_root_is_told_with_its_digest_and_age_and_kept() {
    let mirror = Mirror::start();
    mirror.publish(1, &trusted_root(), LATER);
    let asked = told(mirror.cached().run(), &mirror);
    assert_eq!(asked["digest"], json!(format!("sha256:{}", hash(&trusted_root()))));
    assert!(asked["newest"].is_string(), "{asked}");

    mirror.server.clear_log();
    let kept = told(mirror.cached().arg("--offline").run(), &mirror);
    assert_eq!(kept, asked);
    assert!(mirror.server.log().is_empty(), "nobody was asked");
    // Nothing is fetched again that is there already.
    assert_eq!(told(mirror.cached().run(), &mirror), asked);
    let paths: Vec<String> = mirror.server.log().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/tuf/2.root.json", "/tuf/timestamp.json"]);
}

#[test]
fn what_is_asked_of_a_mirror_is_in_the_tally() {
    let mirror = Mirror::start();
    mirror.publish(1, &trusted_root(), LATER);
    let end = mirror.nothing().run().ok().of_type("end");
    let requests = &end[0]["stages"][0]["requests"][mirror.server.host()];
    assert_eq!(requests, &json!({"blob": mirror.server.log().len()}));
}

/// The folder may be one that was brought here and may not be written.
#[test]
fn offline_nothing_is_written() {
    let mirror = Mirror::start();
    mirror.publish(1, &trusted_root(), LATER);
    let _ = mirror.cached().run().ok();
    let times = || {
        let mut files = Vec::new();
        walk(Path::new(&mirror.file("cache")), &mut files);
        files.sort();
        files
    };
    let before = times();
    assert!(before.len() > 4, "{before:?}");
    let ran = mirror.cached().arg("--offline").run().ok();
    assert_eq!(ran.stderr, "");
    assert_eq!(times(), before);
}

fn walk(folder: &Path, files: &mut Vec<(String, std::time::SystemTime)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, files);
        }
        let changed = path.metadata().and_then(|data| data.modified()).expect("a time");
        files.push((path.to_string_lossy().into_owned(), changed));
    }
}

#[test]
fn roots_are_followed_from_the_pinned_one() {
    let mirror = Mirror::start();
    let (old, new) = (Key::new(), Key::new());
    let pinned = tuf_root(&old, &mirror.online, None, 1);
    std::fs::write(mirror.file("root.json"), pinned).expect("written");
    mirror.publish(1, &trusted_root(), LATER);
    mirror.serve("2.root.json", &tuf_root(&new, &mirror.online, Some(&old), 2));
    let asked = told(mirror.cached().run(), &mirror);
    assert_eq!(told(mirror.cached().arg("--offline").run(), &mirror), asked);
    // The next one is by somebody whom the last does not name.
    mirror.serve("3.root.json", &tuf_root(&Key::new(), &mirror.online, None, 3));
    let _ = mirror.nothing().run().code(1).says("signature threshold not met for role root");
}

#[test]
fn what_the_mirror_may_not_say_ends_the_run() {
    for (why, change) in [
        ("timestamp metadata expired at 2001-01-01", Change::Ends(PAST, FAR)),
        ("targets metadata expired at 2001-01-01", Change::Ends(FAR, PAST)),
        ("integrity check failed", Change::Target(b"{}")),
        ("`timestamp.json`: asking", Change::Answer("timestamp.json", 403)),
        ("answered 500", Change::Answer("timestamp.json", 500)),
        ("timestamp.json not found", Change::Answer("timestamp.json", 404)),
        ("threshold not met for role timestamp: 0/1", Change::Signer),
        ("no trusted root of Sigstore", Change::NoRoot),
    ] {
        let mut mirror = Mirror::start();
        let (root, mut ends) = (trusted_root(), LATER);
        let mut target = root.as_slice();
        match change {
            Change::Ends(timestamp, targets) => ends = Ends { timestamp, targets },
            Change::NoRoot => target = b"{}",
            Change::Signer => mirror.online = Key::new(),
            Change::Target(_) | Change::Answer(..) => {}
        }
        mirror.publish(1, target, ends);
        match change {
            Change::Target(other) => {
                mirror.serve(&format!("targets/{}.trusted_root.json", hash(target)), other);
            }
            Change::Answer(name, status) => {
                mirror.server.can(&format!("/tuf/{name}"), Canned::status(status));
            }
            _ => {}
        }
        let ran = mirror.nothing().run().code(1).says(why).says(&mirror.url());
        assert_eq!(ran.stdout, b"", "{why}: nothing is begun");
    }
}

/// What is wrong with a mirror.
enum Change {
    Ends(&'static str, &'static str),
    Target(&'static [u8]),
    Answer(&'static str, u16),
    Signer,
    NoRoot,
}

#[test]
fn a_mirror_that_goes_back_is_noticed_by_what_was_kept() {
    let mirror = Mirror::start();
    mirror.publish(2, &trusted_root(), LATER);
    let _ = mirror.cached().run().ok();
    mirror.publish(1, &trusted_root(), LATER);
    let _ = mirror.cached().run().code(1).says("rollback detected for timestamp");
    let _ = mirror.nothing().run().ok();
}

#[test]
fn what_was_kept_is_checked_again() {
    let mirror = Mirror::start();
    let _ = mirror
        .cached()
        .arg("--offline")
        .run()
        .code(1)
        .says("nothing of a TUF mirror is kept")
        .says("hint: run once without `--offline`");
    mirror.publish(1, &trusted_root(), LATER);
    let _ = mirror.cached().run().ok();
    let target = mirror.file("cache/targets/trusted_root.json");
    std::fs::write(&target, b"{}").expect("written");
    let _ = mirror.cached().arg("--offline").run().code(1).says("integrity check failed");
    std::fs::write(&target, trusted_root()).expect("written");
    let _ = mirror.cached().arg("--offline").run().ok();
    let other = tuf_root(&Key::new(), &Key::new(), None, 1);
    std::fs::write(mirror.file("root.json"), other).expect("written");
    let _ = mirror.cached().arg("--offline").run().code(1).says("threshold not met");
}

/// Each role ends on its own; whichever it is, it is named.
#[test]
fn what_was_kept_and_has_expired_is_not_used() {
    for (role, ends) in [
        ("timestamp", Ends { timestamp: PAST, targets: FAR }),
        ("targets", Ends { timestamp: FAR, targets: PAST }),
    ] {
        let mirror = Mirror::start();
        let cache = mirror.file("cache");
        std::fs::create_dir_all(format!("{cache}/targets")).expect("a folder");
        // As a run before the end would have left it.
        let metadata = mirror.publish(1, &trusted_root(), ends);
        for (name, bytes) in metadata {
            std::fs::write(format!("{cache}/{name}.json"), bytes).expect("written");
        }
        let target = format!("{cache}/targets/trusted_root.json");
        std::fs::write(target, trusted_root()).expect("written");
        let _ = mirror
            .cached()
            .arg("--offline")
            .run()
            .code(1)
            .says(&format!("{role} metadata expired at 2001-01-01"))
            .says("(`--tuf-cache`)")
            .says("hint: run once without `--offline`");
    }
}

#[test]
fn settings_that_do_not_go_together_are_refused() {
    let mirror = Mirror::start();
    let (root, cache) = (mirror.file("root.json"), mirror.file("cache"));
    let junk = mirror.file("junk.json");
    std::fs::write(&junk, "{}").expect("written");
    let url = "https://tuf.example";
    for (args, why) in [
        (vec!["--tuf-mirror", url], "give `--tuf-root` too"),
        (vec!["--tuf-root", &root], "give `--tuf-mirror` too"),
        (vec!["--tuf-cache", &cache], "give `--tuf-mirror` and `--tuf-root` too"),
        (vec!["--offline"], "give `--tuf-mirror` and `--tuf-root` too"),
        (vec!["--tuf-mirror", url, "--tuf-root", &root, "--offline"], "give `--tuf-cache` too"),
        (vec!["--tuf-mirror", "tuf.example", "--tuf-root", &root], "is no http or https URL"),
        (vec!["--tuf-mirror", "https://a/?b", "--tuf-root", &root], "no `?` or `#`"),
        (vec!["--tuf-mirror", url, "--tuf-root", &junk], "is no root of TUF"),
        (vec!["--tuf-mirror", url, "--tuf-root", "nowhere.json"], "cannot read `nowhere.json`"),
        (vec!["--tuf-mirror", &mirror.url(), "--tuf-root", &root], "over plain http"),
    ] {
        let _ = pc("verify").arg("-n").args(&args).run().code(2).says(why);
    }
    let file = mirror.file("root.json/cache");
    mirror.publish(1, &trusted_root(), LATER);
    let _ = mirror.nothing().args(["--tuf-cache", &file]).run().code(1).says("cannot be made");
}

/// Policies find the root of a mirror by the address of its authority, as they find those of files.
#[test]
fn a_policy_may_mean_the_root_of_a_mirror() {
    let mirror = Mirror::start();
    let address = "https://fulcio.mirrored.example";
    let mut root: Value = serde_json::from_slice(&trusted_root()).expect("JSON");
    root["certificateAuthorities"][0]["uri"] = json!(address);
    mirror.publish(1, root.to_string().as_bytes(), LATER);
    let policy = json!({
        "apiVersion": "policy.sigstore.dev/v1beta1", "kind": "ClusterImagePolicy",
        "metadata": {"name": "acme"},
        "spec": {
            "images": [{"glob": "**"}],
            "authorities": [{"keyless": {
                "url": address,
                "identities": [{"issuer": "https://a.example", "subject": "b@a.example"}],
            }}],
        },
    });
    std::fs::write(mirror.file("policy.json"), policy.to_string()).expect("written");
    let policies = ["--trust-policy", &mirror.file("policy.json")].map(str::to_owned);
    let _ = mirror.nothing().args(&policies).run().ok();
    let _ = pc("verify").arg("-n").args(&policies).run().code(2).says("no configured root has");
}
