//! Images by way of a mirror: who said what is on record.

use serde_json::{Value, json};
use testkit::registry::FakeRegistry;

use crate::{digest, image, stream};

/// The `digest` record of a running image, the failures' codes, and the mirrors in the tally.
fn ask(upstream: &FakeRegistry, mirror: &FakeRegistry, after: &str, id: &str) -> [Value; 3] {
    let folder = tempfile::tempdir().expect("a folder");
    let hosts = folder.path().join("hosts.yaml");
    let text = format!(
        "hosts:\n  '{}': {{mirrors: ['{}/hub'], upstream: {after}}}\n  '{1}': {{plainHttp: true, allowAddresses: [127.0.0.1]}}\n",
        upstream.host(),
        mirror.host(),
    );
    std::fs::write(&hosts, text).expect("written");
    let reference = format!("{}/shop/web:1", upstream.host());
    let id = format!("{}/shop/web@{id}", upstream.host());
    let record = image(&reference, Some(&id), Some("linux/amd64"), "web");
    let ran = digest(upstream).env("PROVENANCE_HOSTS_FILE", hosts).stdin(stream(&[record])).run();
    let ran = ran.ok();
    let codes: Vec<Value> =
        ran.of_type("failure").iter().map(|failure| failure["code"].clone()).collect();
    let mirrors = ran.of_type("end")[0]["stages"][0]["settings"]["mirrors"].clone();
    [ran.of_type("digest").swap_remove(0), codes.into(), mirrors]
}

#[test]
fn what_a_mirror_has_is_found_in_it() {
    let (upstream, mirror) = (FakeRegistry::start(), FakeRegistry::start());
    let web = mirror.push_image("hub/shop/web", Some("1"), "web");
    let [answer, failures, mirrors] = ask(&upstream, &mirror, "never", &web.digest);
    let place = format!("{}/hub/shop/web", mirror.host());
    assert_eq!((&answer["present"], &answer["foundIn"]), (&json!(true), &json!(place)));
    assert_eq!((&answer["drift"], failures), (&json!("same"), json!([])));
    let wanted = json!({"mirrors": [format!("{}/hub", mirror.host())], "upstream": "never"});
    assert_eq!(mirrors[upstream.host()], wanted);
    assert!(upstream.log().is_empty());
}

#[test]
fn what_a_mirror_lacks_is_absent_by_the_registrys_word_alone() {
    let (upstream, mirror) = (FakeRegistry::start(), FakeRegistry::start());
    let gone = mirror.push_image("hub/other/web", None, "gone");
    mirror.push_image("hub/shop/web", Some("1"), "web");
    // The mirror shows the tag, and not what runs.
    let [answer, failures, _] = ask(&upstream, &mirror, "never", &gone.digest);
    assert_eq!((&answer["present"], failures), (&Value::Null, json!(["mirror"])));
    // The registry has not it either, and shows us nothing at all.
    let [answer, failures, _] = ask(&upstream, &mirror, "fallback", &gone.digest);
    assert_eq!((&answer["present"], failures), (&Value::Null, json!(["not-found"])));
    // The registry shows us the tag: now its 404 means something.
    mirror.delete_manifest("hub/shop/web", &mirror_tag(&mirror));
    upstream.push_image("shop/web", Some("1"), "web");
    let [answer, _, _] = ask(&upstream, &mirror, "fallback", &gone.digest);
    assert_eq!((&answer["present"], &answer["foundIn"]), (&json!(false), &Value::Null));
}

/// The digest behind the mirror's tag.
fn mirror_tag(mirror: &FakeRegistry) -> String {
    mirror.push_image("hub/shop/web", Some("1"), "web").digest
}
