//! How many requests a digest costs, by the kind of its registry, and how many of them wait for
//! each other: counted by the registry that is asked, and by the tool's own tally.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::registry::{Access, Asked, Bearer, Canned, FakeRegistry, Pushed};

use crate::support::{EMPTY_CONFIG, statement, tag};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";

/// How long an answer waits, so that all that can be asked before it has been asked.
const ROUND: Duration = Duration::from_millis(200);

/// The kinds of requests, in the order of the table.
const KINDS: [&str; 5] = ["token", "referrers", "head", "manifest", "blob"];

/// A kind of registry, with what it keeps of an image.
struct Kind {
    told: &'static str,
    behaves: fn(&FakeRegistry),
    keeps: fn(&FakeRegistry, &Image),
    lists_tags: bool,
}

fn kinds() -> Vec<Kind> {
    let api: fn(&FakeRegistry) = |registry| registry.switch(|all| all.referrers_api = true);
    let no_api: fn(&FakeRegistry) = |_| {};
    let tokens = |registry: &FakeRegistry| {
        registry.switch(|all| all.access = Access::Bearer(Bearer::default()));
    };
    let nothing: fn(&FakeRegistry, &Image) = |_, _| {};
    let kind = |told, behaves, keeps| Kind { told, behaves, keeps, lists_tags: false };
    vec![
        kind("with the referrers API, nothing there", api, nothing),
        kind("without it, nothing there", no_api, nothing),
        kind("that answers 404 to everything", hidden, nothing),
        Kind { lists_tags: true, ..kind("with it, and a `repository` record", api, nothing) },
        Kind { lists_tags: true, ..kind("without it, and a `repository` record", no_api, nothing) },
        kind("with it, and tokens", with_tokens, nothing),
        kind("with it; a `.sig` of one layer, an `.att` of two", api, by_tags),
        kind("without it; a `.sig` of one layer, an `.att` of two", no_api, by_tags),
        kind("with it; three bundles that refer to the index", api, by_referrers),
        kind("without it; three bundles behind the fallback tag", no_api, by_fallback),
        kind("without it, and tokens; three bundles behind the fallback tag", tokens, by_fallback),
    ]
}

fn with_tokens(registry: &FakeRegistry) {
    registry.switch(|all| {
        all.referrers_api = true;
        all.access = Access::Bearer(Bearer::default());
    });
}

/// Who may not know what a registry has is told that there is nothing.
fn hidden(registry: &FakeRegistry) {
    registry.switch(|all| all.manifests = Some(Canned::status(404)));
}

/// What cosign 2 writes: everything behind tags, for the index.
fn by_tags(registry: &FakeRegistry, image: &Image) {
    let [signature, provenance, sbom] = evidence(image);
    let signature = [(SIMPLE_SIGNING, signature)];
    let attestations = [(ENVELOPE, provenance), (ENVELOPE, sbom)];
    image.attach(registry, Some(&tag(&image.index, ".sig")), &signature);
    image.attach(registry, Some(&tag(&image.index, ".att")), &attestations);
}

/// What cosign 3 writes: one artifact for each, that refers to the index.
fn by_referrers(registry: &FakeRegistry, image: &Image) {
    for bytes in evidence(image) {
        image.attach(registry, None, &[(BUNDLE, bytes)]);
    }
}

/// The same where there is no referrers API: an index of them behind a tag.
fn by_fallback(registry: &FakeRegistry, image: &Image) {
    let artifacts = evidence(image).map(|bytes| image.attach(registry, None, &[(BUNDLE, bytes)]));
    let listed: Vec<_> = artifacts.iter().map(|pushed| ("unknown/unknown", pushed)).collect();
    registry.push_index(&image.repository, Some(&tag(&image.index, "")), &listed);
}

/// Three pieces; what they are worth changes no request.
fn evidence(image: &Image) -> [Vec<u8>; 3] {
    ["signature", "provenance", "sbom"]
        .map(|kind| statement(&image.index, &format!("https://example.com/{kind}"), &json!({})))
}

/// Images of two platforms in a repository of their own.
struct Image {
    repository: String,
    platforms: Vec<(&'static str, Pushed)>,
    index: Pushed,
}

impl Image {
    fn push(registry: &FakeRegistry, repository: &str, platforms: &[&'static str]) -> Self {
        let push = |platform: &&'static str| {
            (*platform, registry.push_image(repository, None, &format!("{platform} {repository}")))
        };
        let platforms: Vec<_> = platforms.iter().map(push).collect();
        let listed: Vec<_> = platforms.iter().map(|(at, pushed)| (*at, pushed)).collect();
        let index = registry.push_index(repository, Some("1"), &listed);
        Self { repository: repository.to_owned(), platforms, index }
    }

    /// Puts an artifact there, behind a tag, or so that it refers to the index.
    fn attach(
        &self,
        registry: &FakeRegistry,
        tag: Option<&str>,
        layers: &[(&str, Vec<u8>)],
    ) -> Pushed {
        let layers = layers.iter().map(|(media_type, bytes)| {
            let digest = registry.push_blob(&self.repository, bytes);
            json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
        });
        let config = registry.push_blob(&self.repository, b"{}");
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": EMPTY_CONFIG, "digest": config, "size": 2},
            "layers": layers.collect::<Vec<_>>(),
        });
        if tag.is_none() {
            let index = &self.index;
            manifest["subject"] = json!({"mediaType": index.media_type, "digest": index.digest,
                "size": index.size});
        }
        registry.push_json(&self.repository, tag, MANIFEST, &manifest)
    }

    /// The `digest` records of what runs, by this tag.
    fn records(&self, host: &str, tag: &str) -> Vec<Value> {
        let repository = format!("{host}/{}", self.repository);
        let index = &self.index;
        let record = |(platform, manifest): &(&str, Pushed)| {
            json!({
                "type": "digest", "v": 1, "image": format!("{repository}:{tag}"),
                "imageId": format!("{repository}@{}", index.digest), "platform": platform,
                "repository": repository, "tag": tag, "digest": index.digest, "how": "status",
                "present": true, "mediaType": index.media_type, "index": index.digest,
                "manifest": manifest.digest, "tagDigest": index.digest, "drift": "same",
                "platforms": [],
            })
        };
        self.platforms.iter().map(record).collect()
    }
}

/// A running tool that is given one record after the other.
struct Session {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Session {
    fn start(registry: &FakeRegistry) -> Self {
        let mut command = Command::new(testkit::binaries().join("pc-verify"));
        // As many as there are: a request that waits for room waits for no answer.
        command.env_clear().env("PROVENANCE_PLAIN_HTTP", registry.host()).args([
            "--max-in-flight-per-host",
            "64",
            "--max-in-flight",
            "64",
        ]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the tool is built");
        let stdin = child.stdin.take().expect("a pipe");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, stdin, lines }
    }

    fn write(&mut self, record: &Value) {
        writeln!(self.stdin, "{record}").expect("it reads");
        self.stdin.flush().expect("it reads");
    }

    /// Closes the stream, and gives how many requests of each kind the tool says it made.
    fn end(mut self, host: &str) -> BTreeMap<String, u64> {
        self.write(&json!({"type": "end", "v": 1, "stages": []}));
        let Self { mut child, stdin, mut lines } = self;
        drop(stdin);
        let end = read_to(&mut lines, "end");
        assert!(child.wait().expect("it ends").success());
        let requests = end["stages"][0]["requests"][host].clone();
        serde_json::from_value(requests).expect("counts")
    }
}

/// Reads up to the first record of a type.
fn read_to(lines: &mut Lines<BufReader<ChildStdout>>, kind: &str) -> Value {
    let records = lines
        .by_ref()
        .map(|line| -> Value { serde_json::from_str(&line.expect("a line")).expect("JSON") });
    let mut wanted = records.skip_while(|record| record["type"] != kind);
    wanted.next().expect("the record, before the stream stops")
}

/// What was asked for one digest.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cost {
    kinds: BTreeMap<&'static str, u64>,
    chain: usize,
}

impl Cost {
    fn of(log: &[Asked]) -> Self {
        let mut kinds = BTreeMap::new();
        for asked in log {
            *kinds.entry(kind(asked)).or_insert(0) += 1;
        }
        let chain = log.iter().map(|asked| asked.round).max().unwrap_or_default();
        Self { kinds, chain }
    }

    fn cells(&self) -> String {
        let counts = KINDS.map(|kind| self.kinds.get(kind).copied().unwrap_or_default());
        let cells = counts.iter().map(|count| match count {
            0 => " |".to_owned(),
            count => format!(" {count} |"),
        });
        format!("{} **{}** |", cells.collect::<String>(), counts.iter().sum::<u64>())
    }
}

fn kind(asked: &Asked) -> &'static str {
    let is = |part: &str| asked.path.contains(part);
    match asked.method.as_str() {
        "HEAD" => "head",
        _ if asked.path == "/token" => "token",
        _ if is("/referrers/") => "referrers",
        _ if is("/manifests/") => "manifest",
        _ if is("/blobs/") => "blob",
        _ => unreachable!("nobody asks for that: {asked:?}"),
    }
}

/// What the first digest of a host costs, and what another of another repository after it.
fn costs(of: &Kind) -> [Cost; 2] {
    let registry = FakeRegistry::start();
    registry.switch(|all| all.delay = ROUND);
    (of.behaves)(&registry);
    let host = registry.host();
    let mut session = Session::start(&registry);
    let costs = ["shop/web", "shop/pay"].map(|repository| {
        let image = Image::push(&registry, repository, &["linux/amd64"]);
        (of.keeps)(&registry, &image);
        if of.lists_tags {
            let name = format!("{host}/{repository}");
            session.write(&json!({"type": "repository", "v": 1, "repository": name, "tags": 1,
                "evidence": []}));
        }
        registry.clear_log();
        session.write(&image.records(&host, "1")[0]);
        read_to(&mut session.lines, "attestation");
        let log = registry.log();
        // One request shows what the host wants to see, and is made again with it.
        let refused = log.iter().filter(|asked| asked.status == 401).count();
        assert_eq!(twice(&log).len(), refused, "{}: {:#?}", of.told, twice(&log));
        assert!(refused <= 1, "{}", of.told);
        Cost::of(&log)
    });
    let told = session.end(&host);
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    for (kind, count) in costs.iter().flat_map(|cost| &cost.kinds) {
        *counted.entry((*kind).to_owned()).or_default() += count;
    }
    assert_eq!(told, counted, "{}", of.told);
    costs
}

/// The requests that came more than once.
fn twice(log: &[Asked]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let line = |asked: &Asked| format!("{} {}?{}", asked.method, asked.path, asked.query);
    log.iter().map(line).filter(|line| !seen.insert(line.clone())).collect()
}

/// The costs, by the shorter of two runs: what a busy machine sends late seems to wait.
fn steady(of: &Kind) -> [Cost; 2] {
    let [first, second] = [costs(of), costs(of)];
    let shorter = |at: usize| {
        let chain = first[at].chain.min(second[at].chain);
        assert_eq!(first[at].kinds, second[at].kinds, "{}", of.told);
        Cost { chain, ..first[at].clone() }
    };
    [shorter(0), shorter(1)]
}

#[test]
fn what_a_digest_costs_is_in_the_document() {
    let kinds = kinds();
    let costs: Vec<[Cost; 2]> = std::thread::scope(|scope| {
        let runs: Vec<_> = kinds.iter().map(|kind| scope.spawn(|| steady(kind))).collect();
        runs.into_iter().map(|run| run.join().expect("it ran")).collect()
    });
    let mut table = String::from(
        "| a registry | digest | tokens | referrers | tags | manifests | blobs | in all | in a chain |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for (kind, costs) in kinds.iter().zip(&costs) {
        for (which, cost) in ["first", "further"].iter().zip(costs) {
            let name = if *which == "first" { kind.told } else { "" };
            table += &format!("| {name} | {which} |{} {} |\n", cost.cells(), cost.chain);
        }
    }
    let longest = |which: usize| costs.iter().map(|costs| costs[which].chain).max();
    let (first, further) = (longest(0).expect("kinds"), longest(1).expect("kinds"));
    table += &format!(
        "\nThe longest chain is {first} for the first digest of a host, {further} for another.\n"
    );
    testkit::generated_part("docs/verify.md", "requests", &table);
}

/// Five hundred workloads: fifty repositories with an index of two platforms each, run by five tags.
fn fleet(behaves: fn(&FakeRegistry)) -> Vec<Asked> {
    let registry = FakeRegistry::start();
    registry.switch(|all| all.delay = Duration::from_millis(5));
    behaves(&registry);
    let mut stream = String::new();
    for at in 0..50 {
        let platforms = ["linux/amd64", "linux/arm64"];
        let image = Image::push(&registry, &format!("shop/app-{at}"), &platforms);
        for tag in 1..=5 {
            for record in image.records(&registry.host(), &tag.to_string()) {
                stream += &format!("{record}\n");
            }
        }
    }
    stream += &format!("{}\n", json!({"type": "end", "v": 1, "stages": []}));
    let run = testkit::pc("verify").env("PROVENANCE_PLAIN_HTTP", registry.host()).stdin(stream);
    let records = run.run().ok().records();
    let count = |kind: &str| records.iter().filter(|record| record["type"] == kind).count();
    assert_eq!((count("digest"), count("signature"), count("failure")), (500, 100, 0));
    registry.log()
}

/// The requests for an index and its two platforms: each of the three has four tags, and is
/// looked at itself before anything is absent.
const OF_AN_IMAGE: usize = 3 * 4 + 3;

#[test]
fn of_five_hundred_workloads_nothing_is_asked_twice() {
    let log = fleet(|registry| registry.switch(|all| all.referrers_api = true));
    assert_eq!(twice(&log), Vec::<String>::new());
    assert_eq!(log.len(), 50 * (OF_AN_IMAGE + 3));
}

#[test]
fn nor_with_tokens_but_for_the_request_that_shows_that_they_are_wanted() {
    let log = fleet(with_tokens);
    let tokens = log.iter().filter(|asked| asked.path == "/token").count();
    assert_eq!((twice(&log).len(), tokens), (1, 50));
    assert_eq!(log.len(), 50 * (OF_AN_IMAGE + 3 + 1) + 1);
}

#[test]
fn without_the_referrers_api_it_is_asked_for_once_by_each_digest_at_most() {
    let log = fleet(|_| {});
    assert_eq!(twice(&log), Vec::<String>::new());
    let referrers = log.iter().filter(|asked| kind(asked) == "referrers").count();
    assert!((50..=150).contains(&referrers), "{referrers} times");
    assert_eq!(log.len() - referrers, 50 * OF_AN_IMAGE);
}
