//! Mirrors: asked first, believed in what they show, and never in what they lack.

use std::fmt::Write as _;
use std::path::Path;

use http_asking::HttpArgs;
use records::{Digest, FailureCode};
use registry::{Authority, Referrers, Registry, RegistryArgs, Repository};
use serde_json::json;
use testkit::registry::{Access, Bearer, Canned, FakeRegistry, Pushed};

use crate::support::{Found, http_args, repository, tag};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A registry, and two mirrors that serve it below `hub/`.
struct Cast {
    upstream: FakeRegistry,
    mirrors: [FakeRegistry; 2],
    folder: tempfile::TempDir,
}

impl Cast {
    fn start() -> Self {
        let mirrors = [FakeRegistry::start(), FakeRegistry::start()];
        let upstream = FakeRegistry::start();
        Self { upstream, mirrors, folder: tempfile::tempdir().expect("a folder") }
    }

    fn web(&self) -> Repository {
        repository(&self.upstream, "acme/web")
    }

    /// Asks as the hosts file says; `more` are entries of it.
    fn registry(&self, upstream: &str, more: &str) -> Registry {
        let hosts: Vec<_> = self.mirrors.iter().map(FakeRegistry::host).collect();
        let mut text = format!(
            "hosts:\n  '{}': {{mirrors: ['{}/hub', '{}/hub'], upstream: {upstream}}}\n",
            self.upstream.host(),
            hosts[0],
            hosts[1],
        );
        write!(text, "{more}").expect("written");
        client(self.folder.path(), &text)
    }

    fn asked(&self) -> [usize; 3] {
        [&self.mirrors[0], &self.mirrors[1], &self.upstream].map(|fake| fake.log().len())
    }
}

fn client(folder: &Path, hosts: &str) -> Registry {
    let file = folder.join("hosts.yaml");
    std::fs::write(&file, hosts).expect("written");
    let auth = folder.join("config.json");
    if !auth.exists() {
        std::fs::write(&auth, "{}").expect("written");
    }
    let http = HttpArgs { hosts_file: Some(file), ..http_args() };
    Registry::new(RegistryArgs { registry_auth: Some(auth.into()), layout: None, http })
        .expect("a registry client")
}

fn digest(text: &str) -> Digest {
    text.parse().expect("a digest")
}

/// Pushes something that refers to an image, and gives its digest.
fn refer(fake: &FakeRegistry, name: &str, image: &Pushed, what: &str) -> String {
    let subject =
        json!({"mediaType": image.media_type, "digest": image.digest, "size": image.size});
    let config = json!({"mediaType": "application/vnd.oci.empty.v1+json", "digest": image.config, "size": 2});
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": what, "config": config,
        "layers": [], "subject": subject,
    });
    fake.push_json(name, None, MANIFEST, &manifest).digest
}

#[tokio::test]
async fn the_first_that_has_it_answers_and_the_registry_comes_last() {
    let cast = Cast::start();
    let registry = cast.registry("fallback", "");
    cast.mirrors[0].push_image("hub/acme/web", Some("both"), "first");
    cast.mirrors[1].push_image("hub/acme/web", Some("both"), "second");
    let second = cast.mirrors[1].push_image("hub/acme/web", Some("second"), "second");
    let own = cast.upstream.push_image("acme/web", Some("own"), "own");
    for (name, from, authoritative, asked) in [
        ("both", format!("{}/hub/acme/web", cast.mirrors[0].host()), false, [1, 0, 0]),
        ("second", format!("{}/hub/acme/web", cast.mirrors[1].host()), false, [1, 1, 0]),
        ("own", cast.web().to_string(), true, [1, 1, 1]),
    ] {
        cast.mirrors.iter().chain([&cast.upstream]).for_each(FakeRegistry::clear_log);
        let found = registry.head(&cast.web(), &tag(name)).await.expect("asked").expect("there");
        assert_eq!((found.from.to_string(), found.is_authoritative()), (from, authoritative));
        assert_eq!(cast.asked(), asked, "{name}");
    }
    for wanted in [&second, &own] {
        let manifest = registry.manifest(&cast.web(), &digest(&wanted.digest)).await;
        assert!(manifest.expect("asked").is_some());
        let config = registry.config_digest(&cast.web(), &digest(&wanted.digest)).await;
        assert_eq!(
            config.expect("asked").map(|found| found.to_string()),
            Some(wanted.config.clone())
        );
    }
    // The registry has spoken too.
    assert!(registry.found(&cast.web(), &tag("none")).await.expect("asked").is_none());
}

#[tokio::test]
async fn where_only_mirrors_are_asked_nothing_is_absent() {
    let cast = Cast::start();
    let registry = cast.registry("never", "");
    cast.upstream.push_image("acme/web", Some("own"), "own");
    let image = cast.mirrors[1].push_image("hub/acme/web", Some("1"), "amd64");
    let web = cast.web();
    assert!(registry.found(&web, &tag("1")).await.expect("asked").is_some());
    let unknown = digest(&format!("sha256:{}", "a".repeat(64)));
    for error in [
        registry.found(&web, &tag("own")).await.expect_err("not known"),
        registry.manifest(&web, &unknown).await.expect_err("not known"),
        registry.tags(&repository(&cast.upstream, "no/such")).await.expect_err("not known"),
    ] {
        assert_eq!(error.code(), FailureCode::Mirror, "{error}");
    }
    let tags = registry.tags(&web).await.expect("asked").expect("a list");
    assert_eq!((tags.is_authoritative(), tags.value.iter().collect()), (false, vec!["1"]));
    cast.mirrors[1].switch(|switches| switches.referrers_api = true);
    let error = registry.referrers(&web, &digest(&image.digest)).await.expect_err("none is none");
    assert_eq!(error.code(), FailureCode::Mirror);
    assert!(cast.upstream.log().is_empty());
}

#[tokio::test]
async fn a_mirror_that_lacks_the_evidence_hides_none() {
    let cast = Cast::start();
    let registry = cast.registry("fallback", "");
    let image = cast.upstream.push_image("acme/web", Some("1"), "amd64");
    cast.mirrors[0].push_image("hub/acme/web", Some("1"), "amd64");
    let signature = refer(&cast.upstream, "acme/web", &image, "signature");
    let local = refer(&cast.mirrors[1], "hub/acme/web", &image, "local");
    for fake in cast.mirrors.iter().chain([&cast.upstream]) {
        fake.switch(|switches| switches.referrers_api = true);
    }
    let web = cast.web();
    let answer = registry.referrers(&web, &digest(&image.digest)).await.expect("asked");
    let Referrers::Listed(found) = &*answer.value else { panic!("a list") };
    let found: Vec<_> = found.iter().map(|entry| entry.digest.clone()).collect();
    assert_eq!((found, answer.is_authoritative()), (vec![signature, local.clone()], true));
    // What only a mirror has can be had.
    assert!(registry.manifest(&web, &digest(&local)).await.expect("asked").is_some());

    // The tags are the registry's, whatever a mirror lists.
    cast.mirrors[0].push_image("hub/acme/web", Some("stale"), "amd64");
    let tags = registry.tags(&web).await.expect("asked").expect("a list");
    assert_eq!((tags.is_authoritative(), tags.value.iter().collect()), (true, vec!["1"]));
}

#[tokio::test]
async fn an_answer_in_place_of_a_registry_that_fails_says_so() {
    let cast = Cast::start();
    let registry = cast.registry("fallback", "");
    let image = cast.mirrors[0].push_image("hub/acme/web", Some("1"), "amd64");
    refer(&cast.mirrors[0], "hub/acme/web", &image, "signature");
    let bare = cast.mirrors[0].push_image("hub/acme/web", Some("2"), "arm64");
    cast.mirrors[0].switch(|switches| switches.referrers_api = true);
    for image in [&image, &bare] {
        let path = format!("/v2/acme/web/referrers/{}", image.digest);
        cast.upstream.can(&path, Canned::status(429));
    }
    let answer = registry.referrers(&cast.web(), &digest(&image.digest)).await.expect("some");
    let Authority::MirrorInstead(error) = &answer.authority else { panic!("{answer:?}") };
    assert_eq!((error.code(), answer.value.is_some()), (FailureCode::RateLimited, true));
    // An empty list of a mirror is no list.
    let error = registry.referrers(&cast.web(), &digest(&bare.digest)).await.expect_err("none");
    assert_eq!(error.code(), FailureCode::RateLimited);
}

#[tokio::test]
async fn a_mirror_that_fails_or_lies_is_passed_over() {
    let cast = Cast::start();
    let image = cast.upstream.push_image("acme/web", Some("1"), "amd64");
    let path = "/v2/hub/acme/web/manifests/1";
    for status in [401, 403, 429, 500] {
        cast.mirrors[0].can(path, Canned::status(status));
        let found = cast.registry("fallback", "").found(&cast.web(), &tag("1")).await;
        assert_eq!(found.expect("asked").expect("there").digest.as_str(), image.digest);
        let error = cast.registry("never", "").found(&cast.web(), &tag("1")).await;
        assert_ne!(error.expect_err("not known").code(), FailureCode::Mirror, "{status}");
    }
    let by_digest = format!("/v2/hub/acme/web/manifests/{}", image.digest);
    cast.mirrors[0].can(&by_digest, Canned::status(200).body("{}"));
    let manifest =
        cast.registry("fallback", "").manifest(&cast.web(), &digest(&image.digest)).await;
    assert!(manifest.expect("the registry's own").is_some());
    let error = cast.registry("never", "").manifest(&cast.web(), &digest(&image.digest)).await;
    assert_eq!(error.expect_err("a lie").code(), FailureCode::DigestMismatch);
}

#[tokio::test]
async fn everybody_gets_their_own_credentials_and_no_others() {
    let cast = Cast::start();
    let user = |name: &str| Some((name.to_owned(), format!("{name}-secret")));
    cast.mirrors[0].switch(|switches| {
        switches.access = Access::Bearer(Bearer { user: user("mirror"), ..Bearer::default() });
    });
    cast.mirrors[1].switch(|switches| switches.access = Access::basic("second", "second-secret"));
    cast.upstream.switch(|switches| switches.access = Access::basic("own", "own-secret"));
    let image = cast.upstream.push_image("acme/web", Some("1"), "amd64");
    let entry = |name: &str| json!({"username": name, "password": format!("{name}-secret")});
    let (first, second) = (cast.mirrors[0].host(), cast.mirrors[1].host());
    let auths = json!({"auths": {
        format!("{first}/hub"): entry("mirror"), second: entry("second"),
    }});
    std::fs::write(cast.folder.path().join("config.json"), auths.to_string()).expect("written");
    let password = cast.folder.path().join("password");
    std::fs::write(&password, "own-secret").expect("written");
    let own = format!("username: own, passwordFile: {}", password.display());
    let text = format!(
        "hosts:\n  '{}': {{mirrors: ['{first}/hub', '{}/hub'], credentials: {{{own}}}}}\n",
        cast.upstream.host(),
        cast.mirrors[1].host(),
    );
    let registry = client(cast.folder.path(), &text);
    registry.found(&cast.web(), &tag("1")).await.expect("let in").expect("there");
    registry.manifest(&cast.web(), &digest(&image.digest)).await.expect("let in").expect("there");
    registry.tags(&cast.web()).await.expect("let in").expect("there");
    let carried = |fake: &FakeRegistry| -> Vec<String> {
        let of = |asked: testkit::registry::Asked| asked.header("authorization").map(str::to_owned);
        let mut carried: Vec<_> = fake.log().into_iter().filter_map(of).collect();
        carried.retain(|value| value.starts_with("Basic"));
        carried.sort();
        carried.dedup();
        carried
    };
    for (fake, name) in
        [(&cast.mirrors[0], "mirror"), (&cast.mirrors[1], "second"), (&cast.upstream, "own")]
    {
        assert_eq!(carried(fake), [basic(name)], "{name}");
    }
}

/// The header of a user whose password is `<name>-secret`.
fn basic(name: &str) -> String {
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{name}-secret"));
    format!("Basic {pair}")
}
