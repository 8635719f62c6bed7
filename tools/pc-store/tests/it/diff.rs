//! `pc-store diff`: reports of the store, files and standard input; the formats; handing on.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use report::Report;
use serde_json::Value;
use testkit::Ran;

use crate::{Store, report, written};

const FIRST: &str = "provenance-20261124-060000.json";

/// Three reports: of two rows, of three rows, and of three rows again.
fn store() -> Store {
    let store = Store::new();
    for (time, rows) in
        [("2026-11-24T06:00:00Z", 2), ("2026-11-24T07:00:00Z", 3), ("2026-11-24T08:00:00Z", 3)]
    {
        let _ = store.keep(&written(&covered(time, rows)));
    }
    store
}

/// A report that says that the whole cluster was asked, with hostile names in it.
fn covered(time: &str, rows: usize) -> Report {
    let mut report = report(time, rows);
    report.stages.push(
        serde_json::from_value(serde_json::json!({
            "stage": "pc-discover", "version": "0", "startedAt": time, "endedAt": time,
            "written": {"image": rows}, "namespaces": ["shop"],
        }))
        .expect("a tally"),
    );
    report.metadata.namespaces_scanned = vec!["shop".into()];
    if let Some(row) = report.images.get_mut(2) {
        row.image = "ghcr.io/a|b\u{1b}[31m<b>:1".into();
    }
    report
}

fn json(ran: &Ran) -> Value {
    serde_json::from_slice(&ran.stdout).expect("JSON")
}

fn codes(difference: &Value) -> Vec<&str> {
    let changes = difference["changes"].as_array().expect("changes");
    changes.iter().map(|change| change["code"].as_str().expect("a code")).collect()
}

#[test]
fn reports_are_named_as_in_the_list_or_are_files() {
    let store = store();
    let diff = |args: &[&str]| {
        let run = store.pc(&["diff"]).args(args).args(["--format", "json"]);
        json(&run.run().ok())
    };
    // The newest against the one before: no change.
    let same = diff(&[]);
    assert_eq!(codes(&same), Vec::<&str>::new());
    assert_eq!(same["older"]["generatedAt"], "2026-11-24T07:00:00Z");
    assert_eq!(same["newer"]["generatedAt"], "2026-11-24T08:00:00Z");
    let list = json(&store.pc(&["list", "--format", "json"]).run().ok());
    let digest = format!("sha256:{}", list[0]["sha256"].as_str().expect("a hash"));
    assert_eq!(same["newer"]["digest"], digest.as_str());
    // What is before another one.
    let before = diff(&["previous", "provenance-20261124-070000.json"]);
    assert_eq!(before["older"]["generatedAt"], "2026-11-24T06:00:00Z");
    assert_eq!(codes(&before), ["image-appeared"]);
    assert_eq!(codes(&diff(&["latest", FIRST])), ["image-gone"]);
    // Files, and standard input.
    let path = store.path().join(FIRST).to_string_lossy().into_owned();
    assert_eq!(codes(&diff(&[&path, "latest"])), ["image-appeared"]);
    let run = store.pc(&["diff", "-", "latest", "--format", "json"]).stdin(store.read(FIRST));
    assert_eq!(codes(&json(&run.run().ok())), ["image-appeared"]);
    // Without any store, two files do.
    let run = testkit::pc("store").args(["diff", FIRST, "./provenance-latest.json"]);
    let run = run.env("PROVENANCE_REPORT_PATH", "/nowhere").dir(store.path());
    let _ = run.run().code(1).says("/nowhere");
    let run =
        testkit::pc("store").args(["diff", &format!("./{FIRST}"), "./provenance-latest.json"]);
    let run = run.env("PROVENANCE_REPORT_PATH", "/nowhere").dir(store.path());
    assert!(run.run().ok().text().contains("image-appeared"));
}

#[test]
fn of_several_reports_of_one_second_the_one_before_is_found() {
    let store = Store::new();
    for rows in [1, 2, 3] {
        let _ = store.keep(&written(&covered("2026-11-24T06:00:00Z", rows)));
    }
    let found = json(&store.pc(&["diff", "--format", "json"]).run().ok());
    assert_eq!(codes(&found).len(), 1, "{found:#}");
}

#[test]
fn the_first_report_is_compared_with_none_and_that_is_quiet() {
    let store = Store::new();
    for _ in 0..2 {
        let table = store.pc(&["diff"]).run().ok().text();
        assert!(table.starts_with("not compared: "), "{table}");
        let run = |format| store.pc(&["diff", "--format", format]).run().ok();
        assert_eq!(run("json").text(), "null\n");
        assert_eq!(run("cloudevents").says("not compared").text(), "[]\n");
        assert!(run("markdown").text().contains("Not compared"));
        let gate = store.pc(&["diff", "--fail-on", "info"]).run().code(3);
        let _ = gate.says("nothing was compared");
        let _ = store.keep(&written(&covered("2026-11-24T06:00:00Z", 2)));
    }
}

#[test]
fn the_table_and_the_markdown_keep_strangers_names_harmless() {
    let store = store();
    let table = store.pc(&["diff", FIRST, "latest"]).run().ok().text();
    assert!(table.contains("1 change: 1 info") && table.contains("image-appeared"), "{table}");
    assert!(!table.contains('\u{1b}'));
    let markdown = store.pc(&["diff", FIRST, "latest", "--format", "markdown"]).run().ok().text();
    assert!(!markdown.contains('\u{1b}') && !markdown.contains("<b>"), "{markdown}");
    assert!(markdown.contains("a\\|b"), "{markdown}");
}

#[test]
fn a_gate_is_a_severity_or_a_code() {
    let store = store();
    let diff = |word: &str| store.pc(&["diff", FIRST, "latest", "--fail-on", word]).run();
    let ran = diff("info").code(3).says("gate not met: 1 change: image-appeared");
    assert!(ran.text().contains("image-appeared"));
    let _ = diff("high,image-appeared").code(3);
    let _ = diff("high,signature-lost").ok();
    let _ = diff("bad").code(2).says("`bad`");
    let run = store.pc(&["diff", FIRST, "latest"]).env("PROVENANCE_DIFF_FAIL_ON", "low").run();
    let _ = run.ok();
}

#[test]
fn what_is_no_report_is_named() {
    let store = store();
    let diff = |args: &[&str]| store.pc(&["diff"]).args(args).run();
    let _ = diff(&["nothing.json", "latest"]).code(1).says("nothing.json").says("hint: ");
    let _ = diff(&["provenance-20200101-000000.json"]).code(1).says("provenance-20200101");
    let _ = diff(&["previous", "previous"]).code(2).says("so it is the older");
    let _ = diff(&["-", "-"]).code(2).says("cannot be both");
    let path = store.path().join("x.json");
    fs::write(&path, "{}").expect("written");
    let path = path.to_string_lossy();
    let _ = diff(&[&path, "latest"]).code(1).says("x.json").says("not a report");
    let _ = diff(&["previous", &path]).code(2).says("not of the store");
    let _ = store.pc(&["diff", "-", "latest"]).stdin("").run().code(1).says("is empty");
    let _ = diff(&[&path, "latest", "--max-bytes", "1"]).code(1).says("larger than 1 bytes");
}

/// A request that was taken: its head, and its body.
type Taken = (String, Vec<u8>);

/// A receiver of events that answers with these statuses, one after the other, and from then on
/// with 202; a status of 0 breaks the connection.
struct Receiver {
    url: String,
    taken: Arc<Mutex<Vec<Taken>>>,
}

impl Receiver {
    fn start(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/events", listener.local_addr().expect("an address"));
        let taken = Arc::<Mutex<Vec<Taken>>>::default();
        let log = Arc::clone(&taken);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let mut reader = BufReader::new(stream.try_clone().expect("a clone"));
                let (mut head, mut line) = (String::new(), String::new());
                while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
                    head.push_str(&line.to_lowercase());
                    line.clear();
                }
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let length = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
                let mut body = vec![0; length];
                reader.read_exact(&mut body).expect("a body");
                let mut log = log.lock().expect("no panic");
                let status = statuses.get(log.len()).copied().unwrap_or(202);
                log.push((head, body));
                if status != 0 {
                    let answer = format!(
                        "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                    );
                    let _ = stream.write_all(answer.as_bytes());
                }
            }
        });
        Self { url, taken }
    }

    fn taken(&self) -> Vec<Taken> {
        self.taken.lock().expect("no panic").clone()
    }
}

fn ids(events: &Value) -> Vec<String> {
    let events = events.as_array().expect("a batch");
    events.iter().map(|event| event["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn events_are_cloudevents_with_ids_that_stay() {
    let store = store();
    let events = || {
        let run = store.pc(&["diff", FIRST, "latest", "--format", "cloudevents"]);
        json(&run.run().ok())
    };
    let batch = events();
    assert_eq!(batch, events());
    let event = &batch[0];
    assert_eq!(
        (&event["specversion"], &event["type"], &event["source"]),
        (
            &"1.0".into(),
            &"dev.nebari.provenance.image.appeared.v1".into(),
            &"/clusters/prod/provenance".into()
        )
    );
    assert_eq!(event["time"], "2026-11-24T08:00:00Z");
    assert_eq!(event["datacontenttype"], "application/json");
    assert_eq!(event["data"]["change"]["code"], "image-appeared");
    assert!(event["subject"].as_str().is_some_and(|subject| subject.starts_with("ghcr.io/")));
    // Many events, all of them different.
    let large = Store::new();
    let mut older = covered("2026-11-24T06:00:00Z", 0);
    let newer = covered("2026-11-24T07:00:00Z", 250);
    older.metadata.cluster_name = newer.metadata.cluster_name.clone();
    let _ = large.keep(&written(&older));
    let _ = large.keep(&written(&newer));
    let batch = json(&large.pc(&["diff", "--format", "cloudevents"]).run().ok());
    let ids = ids(&batch);
    assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (250, 250));
    // Handed on, at most a hundred at a time.
    let receiver = Receiver::start(&[]);
    let ran = large.pc(&["diff", "--post", &receiver.url]).run().ok();
    let host = receiver.url.trim_start_matches("http://").trim_end_matches("/events");
    let _ = ran.says(&format!("250 events were handed to `{host}`"));
    let taken = receiver.taken();
    assert_eq!(taken.len(), 3);
    let sent: Vec<Value> = taken
        .iter()
        .flat_map(|(_, body)| serde_json::from_slice::<Vec<Value>>(body).expect("a batch"))
        .collect();
    assert_eq!(Value::from(sent), batch);
    assert!(taken[0].0.starts_with("post /events http/1.1"));
    assert!(taken[0].0.contains("content-type: application/cloudevents-batch+json; charset=utf-8"));
    assert!(!taken[0].0.contains("authorization"));
}

#[test]
fn what_passes_is_tried_again_and_what_does_not_is_a_failure() {
    let store = store();
    let diff = |receiver: &Receiver| {
        store
            .pc(&["diff", FIRST, "latest", "--format", "json", "--post", &receiver.url])
            .env("PROVENANCE_EVENTS_TOKEN", "s3cr3t")
    };
    let receiver = Receiver::start(&[503, 0]);
    let ran = diff(&receiver).run().ok().says("over plain http");
    assert_eq!(codes(&json(&ran)), ["image-appeared"]);
    let taken = receiver.taken();
    assert_eq!(taken.len(), 3);
    assert!(taken.iter().all(|(head, body)| {
        head.contains("authorization: bearer s3cr3t\r\n") && *body == taken[0].1
    }));
    for (statuses, count) in [(&[413, 413][..], 1), (&[401], 1), (&[500], 1), (&[302], 1)] {
        let receiver = Receiver::start(statuses);
        let ran =
            diff(&receiver).run().code(1).says("not handed on").says(&statuses[0].to_string());
        assert!(ran.stdout.is_empty() && !ran.stderr.contains("s3cr3t"), "{}", ran.stderr);
        assert_eq!(receiver.taken().len(), count, "{statuses:?}");
    }
    // Nobody is there.
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", gone.local_addr().expect("an address"));
    drop(gone);
    let run = store.pc(&["diff", FIRST, "latest", "--post", &url, "--max-tries", "1"]);
    let _ = run.run().code(1).says("connection refused");
}

#[test]
fn nothing_is_sent_where_nothing_changed_or_nothing_was_compared() {
    let receiver = Receiver::start(&[]);
    let _ = store().pc(&["diff", "--post", &receiver.url]).run().ok();
    let _ = Store::new().pc(&["diff", "--post", &receiver.url]).run().ok();
    assert_eq!(receiver.taken().len(), 0);
}

#[test]
fn the_token_comes_from_a_file_and_settings_are_checked() {
    let store = store();
    let receiver = Receiver::start(&[]);
    let token = store.path().join("token");
    let diff = |text: &str| {
        fs::write(&token, text).expect("written");
        let run = store.pc(&["diff", FIRST, "latest", "--post", &receiver.url]);
        run.env("PROVENANCE_EVENTS_TOKEN_FILE", &token).run()
    };
    let _ = diff("from-a-file\n").ok();
    assert!(receiver.taken()[0].0.contains("authorization: bearer from-a-file\r\n"));
    let ran = diff("two words").code(2).says("token");
    assert!(!ran.stderr.contains("two words"));
    let _ = diff("").code(2).says("is empty");
    fs::remove_file(&token).expect("removed");
    let run = store.pc(&["diff", FIRST, "latest", "--post", &receiver.url]);
    let _ = run.env("PROVENANCE_EVENTS_TOKEN_FILE", &token).run().code(2).says("cannot read");
    for url in ["nonsense", "ftp://x/", "http://user:word@x/"] {
        let ran = store.pc(&["diff", "--post", url]).run().code(2).says("--post");
        assert!(!ran.stderr.contains("word@"), "{}", ran.stderr);
    }
}
