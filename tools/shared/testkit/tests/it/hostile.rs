//! `hostile-registry`, as people start it from a shell: it stays until it is told to go, and tells
//! every lie that its help lists.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{Shell, binaries};

/// One that runs, with its standard input at `/dev/null`, as a shell's `&` puts it there.
struct Hostile {
    child: Child,
    host: String,
}

impl Drop for Hostile {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long a lie is listened to.
const PATIENCE: Duration = Duration::from_millis(700);

impl Hostile {
    fn start(args: &str, stdin: Stdio) -> Self {
        let mut command = Command::new(binaries().join("hostile-registry"));
        command.args(args.split_whitespace()).stdin(stdin).stdout(Stdio::piped());
        let mut child = command.spawn().expect("cargo builds the binaries before the tests");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        out.read_line(&mut line).expect("a line");
        // Nobody reads the requests; they must not fill the pipe or break it.
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        let listens: Value = serde_json::from_str(&line).expect("where it listens");
        Self { host: listens["listens"].as_str().expect("a host").to_owned(), child }
    }

    /// What comes within [`PATIENCE`] of an answer, at most some MiB, and whether it ended.
    fn get(&self, path: &str, headers: &str) -> (String, bool) {
        let mut stream = TcpStream::connect(&self.host).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let question = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}\r\n",
            self.host
        );
        stream.write_all(question.as_bytes()).expect("asked");
        let (mut came, mut piece) = (Vec::new(), [0; 65536]);
        let started = Instant::now();
        let ended = loop {
            match stream.read(&mut piece) {
                Ok(0) => break true,
                Ok(length) => came.extend_from_slice(&piece[..length]),
                Err(_) => break false,
            }
            if came.len() > 4 << 20 || started.elapsed() > 4 * PATIENCE {
                break false;
            }
        };
        // One character a byte, so that lengths are those of the bytes.
        (came.into_iter().map(char::from).collect(), ended)
    }
}

const MANIFEST: &str = "/v2/shop/web/manifests/1";
const TAGS: &str = "/v2/shop/web/tags/list";

/// Arguments, what is asked, what the answer must have, and whether it ends.
const LIES: [(&str, &str, &str, bool); 21] = [
    ("", MANIFEST, "HTTP/1.1 200", true),
    ("--delay 60000", MANIFEST, "", false),
    ("--mute", MANIFEST, "", false),
    ("--tls --mute", MANIFEST, "", false),
    ("--digest-header malformed", MANIFEST, "docker-content-digest: sha256:zz", true),
    ("--digest-header empty", MANIFEST, "docker-content-digest: \r\n", true),
    ("--tamper", MANIFEST, "} ", true),
    ("--basic ann:s3cret", MANIFEST, "www-authenticate: Basic", true),
    ("--bearer --realm http://x.example/t", MANIFEST, "realm=\"http://x.example/t\"", true),
    ("--pages circle", TAGS, "link: </v2/shop/web/tags/list>; rel=\"next\"", true),
    ("--pages million", TAGS, "link: </v2/shop/web/tags/list?page=2>; rel=\"next\"", true),
    ("--pages-at http://x.example/", TAGS, "link: <http://x.example/>; rel=\"next\"", true),
    ("--referrers --pages circle", "/v2/shop/web/referrers/sha256:0", "rel=\"next\"", true),
    ("--manifests 429 --retry-after 9", MANIFEST, "retry-after: 9", true),
    ("--manifests 307 --location http://x.example/", MANIFEST, "location: http://x.example/", true),
    ("--manifests 200 --body endless", MANIFEST, "xxxxxxxx", false),
    ("--manifests 200 --body stalled", MANIFEST, "{", false),
    ("--manifests 200 --body huge", MANIFEST, "content-length: 400000000\r\n", false),
    ("--manifests 200 --body bomb", MANIFEST, "content-encoding: gzip\r\n", true),
    ("--manifests 200 --body not-json", MANIFEST, "{\"schemaVersion\": 2,", true),
    ("--manifests 503 --times 1", MANIFEST, "HTTP/1.1 503", true),
];

#[test]
fn it_tells_every_lie() {
    for (args, path, wanted, ends) in LIES {
        let registry = Hostile::start(args, Stdio::null());
        let (answer, ended) = registry.get(path, "");
        let start: String = answer.chars().take(600).collect();
        assert_eq!(ended, ends, "{args}: {start}");
        assert!(answer.contains(wanted), "{args}: {start}");
        assert_eq!(answer.is_empty(), wanted.is_empty(), "{args}: {start}");
    }
}

#[test]
fn every_switch_is_tried() {
    let hostile = binaries().join("hostile-registry");
    let help = Shell::Dash.script("\"$0\" --help").arg(hostile).run().ok().text();
    let switches =
        help.split(|c: char| c.is_whitespace() || c == '[').filter(|word| word.starts_with("--"));
    let switches: std::collections::BTreeSet<&str> =
        switches.map(|word| word.trim_end_matches([',', ':', ']', ';'])).collect();
    assert!(switches.len() > 15, "{help}");
    // Those have tests of their own.
    let others = "--until-stdin-closes --token-lives --blobs-at --help";
    let tried: Vec<&str> =
        LIES.iter().flat_map(|lie| lie.0.split(' ')).chain(others.split(' ')).collect();
    let untried: Vec<&str> =
        switches.into_iter().filter(|switch| !tried.contains(switch)).collect();
    // Those of the example, which are of pc-digest.
    assert_eq!(untried, ["--plain-http"]);
}

#[test]
fn a_bomb_is_much_larger_unpacked() {
    let registry = Hostile::start("--manifests 200 --body bomb", Stdio::null());
    let (answer, _) = registry.get(MANIFEST, "");
    assert!(answer.len() < 2 << 20, "{} bytes for 1 GiB", answer.len());
    // How long it is by `gzip`'s own count is the test of the tools that unpack it.
    let digest = testkit::pc("digest").args(["--plain-http", &registry.host]);
    let ran = digest.arg(format!("{}/shop/web:1", registry.host)).run().ok();
    assert_eq!(ran.of_type("failure")[0]["code"], "too-large", "{}", ran.text());
}

#[test]
fn it_fails_as_often_as_it_is_told_to() {
    let registry = Hostile::start("--manifests 503 --times 2", Stdio::null());
    let statuses: Vec<String> =
        (0..4).map(|_| registry.get(MANIFEST, "").0[9..12].to_owned()).collect();
    assert_eq!(statuses, ["503", "503", "200", "200"]);
}

#[test]
fn its_pages_go_on_to_the_millionth() {
    let registry = Hostile::start("--pages million", Stdio::null());
    let (before, _) = registry.get(&format!("{TAGS}?page=999999"), "");
    assert!(before.contains("?page=1000000>"), "{before}");
    let (last, _) = registry.get(&format!("{TAGS}?page=1000000"), "");
    assert!(last.contains("200 OK") && !last.contains("link:"), "{last}");
}

#[test]
fn blobs_are_sent_elsewhere() {
    let registry = Hostile::start("--blobs-at http://x.example/", Stdio::null());
    let (manifest, _) = registry.get("/v2/shop/one/manifests/1", "");
    let config = manifest.split_once("\"config\"").expect("a config").1;
    let digest = &config[config.find("sha256:").expect("a digest")..][..71];
    let (answer, _) = registry.get(&format!("/v2/shop/one/blobs/{digest}"), "");
    assert!(answer.contains(&format!("location: http://x.example/{digest}")), "{answer}");
}

#[test]
fn its_tokens_expire_before_they_say() {
    let registry = Hostile::start("--bearer --token-lives 1500", Stdio::null());
    let (issued, _) = registry.get("/token?service=fake&scope=repository:shop/web:pull", "");
    let body: Value =
        serde_json::from_str(issued.split_once("\r\n\r\n").expect("a body").1).expect("JSON");
    assert_eq!(body["expires_in"], 300);
    let header = format!("authorization: Bearer {}\r\n", body["token"].as_str().expect("a token"));
    assert!(registry.get(MANIFEST, &header).0.starts_with("HTTP/1.1 200"));
    std::thread::sleep(Duration::from_millis(1600));
    assert!(registry.get(MANIFEST, &header).0.starts_with("HTTP/1.1 401"));
}

/// Whether it is gone within some seconds.
fn goes(hostile: &mut Hostile) -> bool {
    (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        hostile.child.try_wait().expect("waited").is_some()
    })
}

#[test]
fn it_stays_in_the_background_until_a_signal() {
    let mut hostile = Hostile::start("", Stdio::null());
    std::thread::sleep(Duration::from_millis(500));
    assert!(hostile.child.try_wait().expect("waited").is_none(), "it left by itself");
    assert!(hostile.get(MANIFEST, "").0.starts_with("HTTP/1.1 200"));
    let kill = Command::new("kill").arg(hostile.child.id().to_string()).status();
    assert!(kill.expect("kill").success() && goes(&mut hostile));
}

#[test]
fn it_leaves_with_its_standard_input_when_asked_to() {
    let mut hostile = Hostile::start("--until-stdin-closes", Stdio::piped());
    std::thread::sleep(Duration::from_millis(300));
    assert!(hostile.child.try_wait().expect("waited").is_none(), "its input is open");
    drop(hostile.child.stdin.take());
    assert!(goes(&mut hostile), "its input ended");
}
