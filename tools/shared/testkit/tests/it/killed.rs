//! A stage that is killed, for real and at a known moment: nothing behind it says that all is
//! well, and the store stays as it was.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::api::{FakeApi, Reply};
use testkit::registry::FakeRegistry;
use testkit::{Ran, Shell, root};

use crate::cut::contents;
use crate::{assemble, digest, made};

/// How long a stage may take until it can go no further.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much of the output came out before the stage was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    /// Not a byte.
    Nothing,
    /// Whole lines.
    Lines,
    /// The last line only in part.
    PartOfALine,
}

/// A pipeline one of whose stages is killed when it can go no further: `before`, which may wait
/// for the file `go`, feeds `stage`, and `after` is what stands between it and pc-store.
struct Killed<'a> {
    before: &'a str,
    stage: &'a str,
    after: &'a [&'a str],
    signal: &'a str,
    came: Came,
}

/// Nothing goes on before the stage was killed.
const GATE: &str = "until [ -e $F/go ]; do sleep 0.05; done";

impl Killed<'_> {
    /// Runs it in every shell, with a report in the store that must survive.
    fn in_every_shell(&self) {
        for shell in Shell::ALL {
            let store = tempfile::tempdir().expect("a folder");
            keep_a_report(store.path());
            let before = contents(store.path());
            let folder = tempfile::tempdir().expect("a folder");
            let ran = self.run(shell, folder.path(), store.path());
            let ran = ran.code(1);
            assert_eq!(contents(store.path()), before, "{shell:?}: {}", ran.stderr);
            assert!(ran.stderr.contains("pc-store: error"), "{shell:?}: {}", ran.stderr);
            let read = |file: usize| fs::read(folder.path().join(file.to_string())).expect("seen");
            let came = match read(0).as_slice() {
                [] => Came::Nothing,
                [.., b'\n'] => Came::Lines,
                [..] => Came::PartOfALine,
            };
            assert_eq!(came, self.came, "{shell:?}: {}", ran.stderr);
            for file in 0..=self.after.len() {
                let seen = String::from_utf8_lossy(&read(file)).into_owned();
                assert!(!seen.contains(r#""type":"end""#), "{shell:?}, {file}: {seen}");
                assert!(file == 0 || !seen.contains("schemaVersion"), "{shell:?}: a report");
            }
        }
    }

    fn run(&self, shell: Shell, folder: &Path, store: &Path) -> Ran {
        let Self { before, stage, after, .. } = self;
        // A job in the background would read from /dev/null.
        let mut script = format!(
            "{before} | {{ exec 3<&0; {stage} <&3 & echo $! > $F/pid.new; mv $F/pid.new $F/pid; wait $!; }} \
             | {{ {GATE}; tee $F/0; }}"
        );
        for (at, stage) in after.iter().enumerate() {
            script.push_str(&format!(" | {stage} | tee $F/{}", at + 1));
        }
        script.push_str(" | pc-store --print none");
        let run =
            shell.script(&script).dir(root()).env("F", folder).env("PROVENANCE_REPORT_PATH", store);
        let running = thread::spawn(move || run.run());
        let pid = resting(folder);
        let mut kill = Command::new("kill");
        let killed = kill.arg(format!("-{}", self.signal)).arg(&pid).status().expect("kill");
        assert!(killed.success(), "{stage} had ended by itself");
        gone(&pid);
        fs::write(folder.join("go"), "").expect("written");
        running.join().expect("the pipeline")
    }
}

fn keep_a_report(store: &Path) {
    let report = assemble(crate::stream()).run().ok().stdout;
    let ran = testkit::pc("store").env("PROVENANCE_REPORT_PATH", store);
    let _ = ran.args(["--print", "none"]).stdin(report).run().ok();
    assert!(contents(store).len() >= 2, "a report and the latest");
}

/// The pid of the stage once all its threads sleep and use no time: it waits for something.
fn resting(folder: &Path) -> String {
    let (started, mut quiet, mut last) = (Instant::now(), 0, None);
    while quiet < 10 {
        assert!(started.elapsed() < PATIENCE, "the stage does not come to rest");
        thread::sleep(Duration::from_millis(50));
        let Ok(pid) = fs::read_to_string(folder.join("pid")) else { continue };
        let now = asleep(pid.trim());
        quiet = if now.is_some() && now == last { quiet + 1 } else { 0 };
        last = now;
    }
    fs::read_to_string(folder.join("pid")).expect("a pid").trim().to_owned()
}

/// The CPU time of a process in ticks, if all its threads sleep (proc(5), `stat`) and it is past
/// the shell that it was forked from.
fn asleep(pid: &str) -> Option<u64> {
    let process = Path::new("/proc").join(pid);
    let name = fs::read_to_string(process.join("comm")).ok()?;
    let mut ticks = name.starts_with("pc-").then_some(0)?;
    for thread in fs::read_dir(process.join("task")).ok()?.flatten() {
        let stat = fs::read_to_string(thread.path().join("stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        if *fields.first()? != "S" {
            return None;
        }
        ticks += fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    }
    Some(ticks)
}

/// Waits until a process has ended; nobody else may have waited for it yet.
fn gone(pid: &str) {
    let stat = format!("/proc/{pid}/stat");
    let started = Instant::now();
    let over = |stat: String| stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'));
    while !fs::read_to_string(&stat).map_or(true, over) {
        assert!(started.elapsed() < PATIENCE, "{pid} does not end");
        thread::sleep(Duration::from_millis(20));
    }
}

/// An API server with so many pods, `each` to a namespace; behind the first page, and where there
/// are no pods everywhere, it says nothing for ever.
fn api(pods: usize, each: usize, next: &'static str) -> FakeApi {
    FakeApi::start(move |uri| {
        let pod = |at: usize| {
            json!({
                "metadata": {"namespace": format!("ns-{:05}", at / each), "name": format!("p{at}")},
                "spec": {"containers": [{"name": "c", "image": format!("registry.example.com/shop/i{at}:1")}]},
            })
        };
        let named = |at: usize| json!({"metadata": {"name": format!("ns-{at:05}")}});
        match uri.split('?').next().unwrap_or_default() {
            _ if pods == 0 || uri.contains("continue=") => Reply::Silence,
            "/api/v1/pods" => Reply::list(&(0..pods).map(pod).collect::<Vec<_>>(), next),
            "/api/v1/namespaces" => {
                Reply::list(&(0..pods / each).map(named).collect::<Vec<_>>(), "")
            }
            _ => Reply::list(&[], ""),
        }
    })
}

const BEHIND_DISCOVER: &[&str] =
    &["pc-digest --layout testdata/layouts", BEHIND_DIGEST[0], BEHIND_DIGEST[1]];
const BEHIND_DIGEST: &[&str] = &["pc-verify --layout testdata/layouts", "pc-assemble"];

fn kill_discover(api: &FakeApi, signal: &str, came: Came) {
    let stage = format!("pc-discover --kubeconfig {}", api.kubeconfig().display());
    let after = BEHIND_DISCOVER;
    Killed { before: ":", stage: &stage, after, signal, came }.in_every_shell();
}

#[test]
fn discover_before_its_first_byte() {
    kill_discover(&api(0, 1, ""), "KILL", Came::Nothing);
}

#[test]
fn discover_between_two_pages() {
    let api = api(20, 1, "two");
    kill_discover(&api, "KILL", Came::Lines);
    kill_discover(&api, "TERM", Came::Lines);
}

#[test]
fn discover_in_the_middle_of_a_line() {
    // Small writes to a pipe are whole or not at all; a namespace that is large makes large ones.
    kill_discover(&api(2000, 1000, ""), "KILL", Came::PartOfALine);
}

/// A long stream of one image that no layout has, in a file. Small writes to a pipe are whole or not
/// at all: each line is larger than that, and the one answer is small.
fn long_stream(folder: &Path) -> String {
    let stream = made::stream(std::iter::repeat_n("registry.example.com/shop/i:1", 1000));
    let filler = format!(r#""annotations":{{"example.com/filler":"{}"}}"#, "x".repeat(9000));
    let file = folder.join("stream");
    fs::write(&file, stream.replace(r#""annotations":{}"#, &filler)).expect("written");
    file.display().to_string()
}

#[test]
fn digest_before_its_first_byte() {
    let stage = "pc-digest --layout testdata/layouts";
    let before = format!("{{ {GATE}; }}");
    let after = BEHIND_DIGEST;
    Killed { before: &before, stage, after, signal: "KILL", came: Came::Nothing }.in_every_shell();
}

#[test]
fn digest_while_it_asks() {
    let registry = FakeRegistry::start();
    registry.switch(|switches| switches.delay = Duration::from_secs(3));
    let references: Vec<String> =
        (0..20).map(|at| format!("{}/shop/i{at}:1", registry.host())).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("stream");
    fs::write(&file, made::stream(references.iter().map(String::as_str))).expect("written");
    let stage = format!("pc-digest --plain-http {}", registry.host());
    let (before, after) = (format!("cat {}", file.display()), BEHIND_DIGEST);
    for signal in ["KILL", "TERM"] {
        Killed { before: &before, stage: &stage, after, signal, came: Came::Lines }
            .in_every_shell();
    }
}

#[test]
fn digest_in_the_middle_of_a_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let (stage, after) = ("pc-digest --layout testdata/layouts", BEHIND_DIGEST);
    let before = format!("cat {}", long_stream(folder.path()));
    Killed { before: &before, stage, after, signal: "KILL", came: Came::PartOfALine }
        .in_every_shell();
}

const BEHIND_VERIFY: &[&str] = &["pc-assemble"];

#[test]
fn verify_before_its_first_byte() {
    let stage = "pc-verify --layout testdata/layouts";
    let before = format!("{{ {GATE}; }}");
    let after = BEHIND_VERIFY;
    Killed { before: &before, stage, after, signal: "KILL", came: Came::Nothing }.in_every_shell();
}

#[test]
fn verify_while_it_asks() {
    let registry = FakeRegistry::start();
    registry.switch(|switches| switches.referrers_api = true);
    let push = |at: usize| {
        registry.push_image(&format!("shop/i{at}"), Some("1"), &format!("{at}"));
        format!("{}/shop/i{at}:1", registry.host())
    };
    let references: Vec<String> = (0..20).map(push).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("stream");
    let stream = made::stream(references.iter().map(String::as_str));
    let digest = testkit::pc("digest").args(["--plain-http", &registry.host()]).stdin(stream);
    fs::write(&file, digest.run().ok().stdout).expect("written");
    registry.switch(|switches| switches.delay = Duration::from_secs(3));
    let stage = format!("pc-verify --plain-http {}", registry.host());
    let (before, after) = (format!("cat {}", file.display()), BEHIND_VERIFY);
    for signal in ["KILL", "TERM"] {
        Killed { before: &before, stage: &stage, after, signal, came: Came::Lines }
            .in_every_shell();
    }
}

#[test]
fn verify_in_the_middle_of_a_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let (stage, after) = ("pc-verify --layout testdata/layouts", BEHIND_VERIFY);
    let before = format!("cat {}", long_stream(folder.path()));
    Killed { before: &before, stage, after, signal: "KILL", came: Came::PartOfALine }
        .in_every_shell();
}

#[test]
fn assemble_before_its_first_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    // All but the end came.
    let before = format!("{{ sed '$d' {}; {GATE}; }}", long_stream(folder.path()));
    for signal in ["KILL", "TERM"] {
        Killed { before: &before, stage: "pc-assemble", after: &[], signal, came: Came::Nothing }
            .in_every_shell();
    }
}

#[test]
fn assemble_in_the_middle_of_its_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let stream = fs::read(long_stream(folder.path())).expect("the stream");
    let file = folder.path().join("whole");
    fs::write(&file, digest(stream).run().ok().stdout).expect("written");
    let before = format!("cat {}", file.display());
    Killed {
        before: &before,
        stage: "pc-assemble",
        after: &[],
        signal: "KILL",
        came: Came::PartOfALine,
    }
    .in_every_shell();
}
