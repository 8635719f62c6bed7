//! Each way in which a registry may lie or fail: its own code, within its time, and the password
//! goes nowhere but to the registry that it is for. Wrong digests and other bytes are in the table
//! of `answers`.

use std::iter;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::registry::{Access, Asked, Bearer, Canned, DigestHeader, FakeRegistry, Payload};

use crate::{image, stream};

/// A registry with a password, and another host that it may try to send us to.
struct Cast {
    registry: FakeRegistry,
    other: FakeRegistry,
}

const MANIFEST: &str = "/v2/shop/web/manifests/1";

impl Cast {
    fn new() -> Self {
        let cast = Self { registry: FakeRegistry::start(), other: FakeRegistry::start() };
        cast.registry.push_image("shop/web", Some("1"), "amd64");
        cast.registry.switch(|switches| switches.access = Access::basic("ann", "s3cret"));
        cast
    }

    /// The other host by a name of its own: another party than the registry, which is an address.
    fn elsewhere(&self) -> String {
        format!("localhost:{}", self.other.address().port())
    }

    /// One answer to every question about a manifest, once we are let in.
    fn all(&self, answer: Canned) {
        self.registry.switch(|switches| switches.manifests = Some(answer));
    }

    fn bearer(&self, change: impl FnOnce(&mut Bearer)) {
        let mut bearer =
            Bearer { user: Some(("ann".into(), "s3cret".into())), ..Bearer::default() };
        change(&mut bearer);
        self.registry.switch(|switches| switches.access = Access::Bearer(bearer));
    }
}

/// What it does, the code of the failure that follows, and how long that may take, in seconds: what
/// the tool may wait for, since it is told to answer within four seconds each.
type Lie = (&'static str, fn(&Cast), &'static str, u64);

/// The lies that lead to the other host, which must have been asked.
const ELSEWHERE: [&str; 4] = [
    "a realm elsewhere",
    "a realm elsewhere that wants the password",
    "a redirect elsewhere",
    "a redirect elsewhere that wants the password",
];

fn to(location: &str) -> Canned {
    Canned::status(307).header("location", location)
}

const LIES: [Lie; 31] = [
    (
        "an empty digest header",
        |c| c.registry.switch(|s| s.digest_header = DigestHeader::Empty),
        "bad-response",
        2,
    ),
    (
        "a digest header that is none",
        |c| c.registry.switch(|s| s.digest_header = DigestHeader::Malformed),
        "bad-response",
        2,
    ),
    ("401 for ever", |c| c.all(Canned::status(401)), "unauthorized", 2),
    (
        "401 whatever token is brought",
        |c| c.bearer(|b| b.denied = vec!["shop/web".into()]),
        "unauthorized",
        2,
    ),
    (
        "another password",
        |c| c.registry.switch(|s| s.access = Access::basic("ann", "new")),
        "unauthorized",
        2,
    ),
    (
        "403",
        |c| c.all(Canned::status(403).body(r#"{"errors":[{"code":"DENIED"}]}"#)),
        "forbidden",
        2,
    ),
    (
        "429",
        |c| c.all(Canned::status(429).body(r#"{"errors":[{"code":"TOOMANYREQUESTS"}]}"#)),
        "rate-limited",
        5,
    ),
    (
        "429 for a second",
        |c| c.all(Canned::status(429).header("retry-after", "1")),
        "rate-limited",
        5,
    ),
    (
        "429 for ever",
        |c| c.all(Canned::status(429).header("retry-after", "1000000000")),
        "rate-limited",
        2,
    ),
    (
        "429 until a date",
        |c| c.all(Canned::status(429).header("retry-after", "Fri, 31 Dec 2100 23:59:59 GMT")),
        "rate-limited",
        2,
    ),
    ("500", |c| c.all(Canned::status(500)), "server-error", 2),
    ("503", |c| c.all(Canned::status(503)), "server-error", 5),
    ("a redirect to loopback", |c| c.all(to("https://[::1]:1/x")), "address-refused", 2),
    (
        "a redirect to a metadata address",
        |c| c.all(to("https://169.254.169.254/latest")),
        "address-refused",
        2,
    ),
    (
        "a redirect to a mapped address",
        |c| c.all(to("https://[::ffff:169.254.169.254]/x")),
        "address-refused",
        2,
    ),
    (
        "a redirect to plain http elsewhere",
        |c| c.all(to("http://example.com/x")),
        "redirect-refused",
        2,
    ),
    ("a redirect in a circle", |c| c.all(to(MANIFEST)), "redirect-refused", 2),
    ("a redirect that is none", |c| c.all(to("file:///etc/passwd")), "redirect-refused", 2),
    (
        "a realm at a metadata address",
        |c| c.bearer(|b| b.realm = Some("http://169.254.169.254/token".into())),
        "address-refused",
        2,
    ),
    (
        "a realm that is no address",
        |c| c.bearer(|b| b.realm = Some("ftp://x".into())),
        "unauthorized",
        2,
    ),
    (
        "a realm elsewhere",
        |c| {
            let realm = format!("http://{}/token", c.elsewhere());
            c.other.switch(|s| s.access = Access::Bearer(Bearer::default()));
            c.bearer(|b| b.realm = Some(realm));
        },
        "realm-refused",
        2,
    ),
    (
        "a realm elsewhere that wants the password",
        |c| {
            let realm = format!("http://{}/token", c.elsewhere());
            let user = Some(("ann".into(), "s3cret".into()));
            c.other.switch(|s| s.access = Access::Bearer(Bearer { user, ..Bearer::default() }));
            c.bearer(|b| b.realm = Some(realm));
        },
        "realm-refused",
        2,
    ),
    (
        "a redirect elsewhere",
        |c| c.all(to(&format!("http://{}{MANIFEST}", c.elsewhere()))),
        "not-found",
        2,
    ),
    (
        "a redirect elsewhere that wants the password",
        |c| {
            c.other.switch(|s| s.access = Access::basic("ann", "s3cret"));
            c.all(to(&format!("http://{}{MANIFEST}", c.elsewhere())));
        },
        "unauthorized",
        2,
    ),
    (
        "a manifest of 400 MB",
        |c| c.all(Canned::status(200).header("content-length", "400000000").body(Payload::Endless)),
        "too-large",
        4,
    ),
    (
        "a manifest without end",
        |c| c.all(Canned::status(200).body(Payload::Endless)),
        "too-large",
        10,
    ),
    (
        "a manifest that stalls",
        |c| c.all(Canned::status(200).body(Payload::Stalled("{".into()))),
        "timeout",
        8,
    ),
    ("silence", |c| c.registry.switch(|s| s.delay = Duration::from_secs(20)), "timeout", 8),
    (
        "a manifest that is packed twice",
        |c| c.all(Canned::status(200).header("content-encoding", "gzip, gzip").body("x")),
        "bad-coding",
        2,
    ),
    (
        "a manifest that is not packed",
        |c| c.all(Canned::status(200).header("content-encoding", "gzip").body("{}")),
        "bad-coding",
        2,
    ),
    (
        "a manifest that is no JSON",
        |c| c.all(Canned::status(200).body("\u{0}\u{1b}[2J\u{202e}{")),
        "bad-response",
        2,
    ),
];

/// What a busy machine may need beside, to start a process for instance.
const SLACK: Duration = Duration::from_secs(2);

/// How many lies are told at a time: all at once, they would wait for each other.
const AT_ONCE: usize = 4;

/// Whether a request carried the password in any form.
fn carries(asked: &Asked) -> bool {
    asked.header("authorization").is_some() || asked.body.contains("s3cret")
}

fn tell(lie: &Lie) -> Result<(), String> {
    let cast = Cast::new();
    lie.1(&cast);
    let (host, other) = (cast.registry.host(), cast.elsewhere());
    let home = tempfile::tempdir().expect("a folder");
    let config = json!({"auths": {&host: {"username": "ann", "password": "s3cret"}}});
    std::fs::write(home.path().join("config.json"), config.to_string()).expect("written");
    let started = Instant::now();
    let ran = testkit::pc("digest")
        .args(["--plain-http", &host, "--plain-http", &other, "--registry-timeout", "4s"])
        .env("PROVENANCE_REGISTRY_AUTH", home.path())
        // Asked for by hand, the manifest is fetched too.
        .arg(format!("{host}/shop/web:1"))
        .run()
        .ok();
    let took = started.elapsed();
    let codes: Vec<_> = ran.of_type("failure").into_iter().map(|f| f["code"].clone()).collect();
    let wrong = |what: String| Err(format!("{}: {what}", lie.0));
    if codes.is_empty() || codes.iter().any(|code| code != lie.2) {
        return wrong(format!("{codes:?} and not {}: {}", lie.2, ran.text()));
    }
    if took > Duration::from_secs(lie.3) + SLACK {
        return wrong(format!("took {took:?}"));
    }
    let asked = cast.other.log();
    if asked.is_empty() == ELSEWHERE.contains(&lie.0) {
        return wrong(format!("the other host was asked: {asked:?}"));
    }
    if asked.iter().any(carries) || ran.text().contains("s3cret") {
        return wrong("the password got out".to_owned());
    }
    if ran.text().contains('\u{1b}') || ran.text().contains('\u{202e}') {
        return wrong("foreign control characters".to_owned());
    }
    Ok(())
}

#[test]
fn each_has_its_code_within_its_time() {
    let known = |name: &&str| LIES.iter().any(|lie| lie.0 == *name);
    assert!(ELSEWHERE.iter().all(known));
    let next = AtomicUsize::new(0);
    let work = || -> Vec<String> {
        let lies = iter::from_fn(|| LIES.get(next.fetch_add(1, Ordering::Relaxed)));
        lies.filter_map(|lie| tell(lie).err()).collect()
    };
    let wrong: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("told")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A registry that sends us to another host, which asks for a password or a token of its own.
#[test]
fn the_password_stays_with_its_registry() {
    for access in [Access::basic("ann", "s3cret"), Access::Bearer(Bearer::default())] {
        let cast = Cast::new();
        cast.other.push_image("shop/web", Some("1"), "amd64");
        cast.other.switch(|switches| switches.access = access);
        cast.all(to(&format!("http://{}{MANIFEST}", cast.other.host())));
        let host = cast.registry.host();
        let home = tempfile::tempdir().expect("a folder");
        let config = json!({"auths": {&host: {"username": "ann", "password": "s3cret"}}});
        std::fs::write(home.path().join("config.json"), config.to_string()).expect("written");
        let ran = crate::digest(&cast.registry)
            .args(["--plain-http", &cast.other.host()])
            .env("PROVENANCE_REGISTRY_AUTH", home.path())
            .stdin(stream(&[image(&format!("{host}/shop/web:1"), None, None, "web")]))
            .run()
            .ok();
        assert_eq!(ran.of_type("failure")[0]["code"], "unauthorized", "{}", ran.text());
        let log = cast.other.log();
        assert!(!log.is_empty() && !log.iter().any(carries), "{log:#?}");
        // To its own registry it went, once that had asked.
        assert!(cast.registry.log().iter().skip(1).all(carries));
    }
}
