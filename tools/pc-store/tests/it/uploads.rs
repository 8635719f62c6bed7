//! An HTTP server as a sink: one that counts, and that can fail in every way.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use testkit::{Run, pc};

use crate::{Store, report_at};

/// How a server deals with one request.
#[derive(Debug, Clone, Copy)]
enum How {
    /// Takes the report, 202.
    Take,
    /// Says this and takes nothing.
    Say(u16),
    /// Closes in the middle of the request.
    Half,
    /// Takes the report, and the connection breaks before the answer.
    TakeAndBreak,
    /// Takes the report, and closes in the middle of the answer.
    TakeAndStammer,
    /// Takes nothing and says nothing.
    Sleep,
}

#[derive(Default)]
struct Seen {
    next: VecDeque<How>,
    /// By their keys.
    stored: BTreeMap<String, Vec<u8>>,
    /// The keys in the order of arrival, each time that a report was taken.
    taken: Vec<String>,
    requests: usize,
}

#[derive(Clone)]
struct Server {
    url: String,
    seen: Arc<Mutex<Seen>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let url = format!("http://{}/internal/reports", listener.local_addr().expect("an address"));
        let server = Self { url, seen: Arc::default() };
        let serving = server.clone();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let server = serving.clone();
                thread::spawn(move || while server.serve(&connection).is_some() {});
            }
        });
        server
    }

    /// Deals so with the next requests, and takes all that follow.
    fn will(&self, hows: &[How]) {
        self.seen().next.extend(hows);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut connection: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(connection);
        let mut headers = BTreeMap::new();
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        assert_eq!(line, "POST /internal/reports HTTP/1.1\r\n");
        loop {
            line.clear();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        let how = {
            let mut seen = self.seen();
            seen.requests += 1;
            seen.next.pop_front().unwrap_or(How::Take)
        };
        let length: usize = headers["content-length"].parse().expect("a number");
        let mut body = vec![0; if matches!(how, How::Half) { length / 2 } else { length }];
        reader.read_exact(&mut body).ok()?;
        if matches!(how, How::Take | How::TakeAndBreak | How::TakeAndStammer) {
            self.take(&headers, &body);
        }
        let said = match how {
            How::Take => format!(
                "HTTP/1.1 202 Accepted\r\nidempotency-key: {}\r\ncontent-length: 2\r\n\r\n{{}}",
                headers["idempotency-key"]
            ),
            How::Say(status) => format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n"),
            How::TakeAndStammer => "HTTP/1.1 20".to_owned(),
            How::Half | How::TakeAndBreak => String::new(),
            How::Sleep => {
                thread::sleep(Duration::from_secs(60));
                String::new()
            }
        };
        connection.write_all(said.as_bytes()).ok()?;
        matches!(how, How::Take | How::Say(_)).then_some(())
    }

    fn take(&self, headers: &BTreeMap<String, String>, body: &[u8]) {
        assert_eq!(headers["authorization"], "Bearer s3cret");
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["content-encoding"], "gzip");
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(body).read_to_end(&mut bytes).expect("gzip");
        let key = headers["idempotency-key"].clone();
        let digest = pc_store::document::digest(&bytes);
        assert_eq!(digest.as_str(), format!("sha256:{key}"));
        let mut seen = self.seen();
        seen.taken.push(key.clone());
        seen.stored.insert(key, bytes);
    }

    fn pc(&self, args: &[&str]) -> Run {
        pc("store")
            .env("PROVENANCE_REPORT_OUTPUT", "http")
            .env("PROVENANCE_REPORT_UPLOAD_URL", &self.url)
            .env("PROVENANCE_REPORT_UPLOAD_TOKEN", "s3cret")
            .env("PROVENANCE_REPORT_UPLOAD_TIMEOUT", "2s")
            .env("PROVENANCE_DEADLINE", "30s")
            .env("PROVENANCE_PRINT", "summary")
            .args(args)
    }

    fn stored(&self) -> Vec<Vec<u8>> {
        self.seen().stored.values().cloned().collect()
    }
}

fn waiting(spool: &Path) -> usize {
    std::fs::read_dir(spool).map_or(0, Iterator::count)
}

#[test]
fn a_report_is_taken_once() {
    let server = Server::start();
    let report = report_at("2026-11-24T06:00:00Z");
    let ran = server.pc(&[]).stdin(report.clone()).run().ok();
    assert!(ran.text().contains("Sent: 127.0.0.1:"), "{}", ran.text());
    assert!(!ran.stderr.contains("s3cret"));
    assert_eq!((server.stored(), server.seen().requests), (vec![report], 1));
}

#[test]
fn whatever_happens_on_the_way_it_is_taken_and_stored_once() {
    let troubles = [
        How::Say(500),
        How::Say(503),
        How::Say(429),
        How::Half,
        How::TakeAndBreak,
        How::TakeAndStammer,
        How::Sleep,
    ];
    thread::scope(|scope| {
        for trouble in troubles {
            scope.spawn(move || {
                let server = Server::start();
                server.will(&[trouble]);
                let report = report_at("2026-11-24T06:00:00Z");
                let _ = server.pc(&[]).stdin(report.clone()).run().ok();
                assert_eq!(server.stored(), [report], "{trouble:?}");
                assert_eq!(server.seen().requests, 2, "{trouble:?}");
            });
        }
    });
}

#[test]
fn what_will_not_pass_is_said_at_once() {
    for (status, hint) in [
        (413, "raise what the server takes"),
        (401, "PROVENANCE_REPORT_UPLOAD_TOKEN"),
        (404, "check the path"),
        (400, "answered 400"),
    ] {
        let server = Server::start();
        server.will(&[How::Say(status)]);
        let ran = server.pc(&[]).stdin(report_at("2026-11-24T06:00:00Z")).run().code(1);
        assert!(ran.stdout.is_empty());
        let _ = ran.says("the report was not taken").says(hint);
        assert_eq!(server.seen().requests, 1, "{status}");
    }
}

#[test]
fn a_server_that_is_down_is_a_failure_at_the_deadline_and_no_other_sink_suffers() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    drop(listener);
    let (server, store) = (Server::start(), Store::new());
    let args = ["--report-output", "http,pvc", "--report-upload-url", &url, "--deadline", "2s"];
    let run = server.pc(&args).env("PROVENANCE_REPORT_PATH", store.path());
    let ran = run.stdin(report_at("2026-11-24T06:00:00Z")).run().code(1);
    let ran = ran.says("not taken within the time given").says("connection refused");
    let _ = ran.says("1 of 2 sinks do not have the report as they should: http");
    assert_eq!(store.names().len(), 2);
}

#[test]
fn what_waits_in_the_spool_is_sent_by_the_next_run_in_order() {
    let (server, store) = (Server::start(), Store::new());
    let spool = store.file("spool");
    let args = ["--spool", spool.to_str().expect("text")];
    let reports: Vec<Vec<u8>> =
        (6..9).map(|hour| report_at(&format!("2026-11-24T0{hour}:00:00Z"))).collect();
    server.will(&[How::Say(503); 3]);
    let ran = server.pc(&args).stdin(reports[0].clone()).run().ok().says("stays in the spool");
    assert!(ran.text().contains("Spooled: 1 wait in "), "{}", ran.text());
    assert_eq!(waiting(&spool), 1);
    // The same once more waits once; the answer to the last try is lost, and it stays.
    server.will(&[How::TakeAndBreak; 3]);
    let _ = server.pc(&args).stdin(reports[0].clone()).run().ok();
    assert_eq!((waiting(&spool), server.stored().len()), (1, 1));
    // One that the server will never take does not stop the others.
    server.will(&[How::Say(413)]);
    let ran = server.pc(&args).stdin(reports[1].clone()).run().code(1);
    let _ = ran.says("raise what the server").says("1 in the spool at ");
    assert_eq!((waiting(&spool), server.stored().len()), (1, 2));
    let ran = server.pc(&args).stdin(reports[2].clone()).run().ok();
    assert!(ran.text().contains("Sent: 2 to "), "{}", ran.text());
    assert_eq!((waiting(&spool), server.stored().len()), (0, 3));
    let last = server.seen().taken.last().cloned().expect("one");
    assert_eq!(server.seen().stored[&last], reports[2]);
}

#[test]
fn what_others_put_into_the_spool_is_theirs_and_what_they_changed_is_not_sent() {
    let (server, store) = (Server::start(), Store::new());
    let spool = store.file("spool");
    let args = ["--spool", spool.to_str().expect("text")];
    server.will(&[How::Say(503); 3]);
    let _ = server.pc(&args).stdin(report_at("2026-11-24T06:00:00Z")).run().ok();
    std::fs::write(spool.join("waiting-notes.json"), "mine").expect("written");
    std::fs::create_dir(spool.join("waiting-00.json")).expect("made");
    let name = std::fs::read_dir(&spool).expect("a folder").flatten();
    let name =
        name.map(|entry| entry.path()).find(|path| path.to_string_lossy().contains("-060000-"));
    std::fs::write(name.expect("it waits"), "{}").expect("written");
    let ran = server.pc(&args).stdin(report_at("2026-11-24T07:00:00Z")).run().code(1);
    let _ = ran.says("is not the report that was put there");
    assert_eq!(server.stored(), [report_at("2026-11-24T07:00:00Z")]);
    assert_eq!(std::fs::read(spool.join("waiting-notes.json")).expect("there"), b"mine");
}

#[test]
fn what_is_no_server_for_reports_takes_none() {
    let (server, store) = (Server::start(), Store::new());
    let spool = store.file("spool");
    server.will(&[How::Say(200)]);
    let args = ["--spool", spool.to_str().expect("text")];
    let ran = server.pc(&args).stdin(report_at("2026-11-24T06:00:00Z")).run().code(1);
    let _ = ran.says("does not name the report");
    assert_eq!((waiting(&spool), server.stored().len()), (1, 0));
}

#[test]
fn the_token_may_lie_in_a_file() {
    let (server, store) = (Server::start(), Store::new());
    let file = store.file("token");
    let run = || {
        server
            .pc(&["--report-upload-token-file", file.to_str().expect("text")])
            .env("PROVENANCE_REPORT_UPLOAD_TOKEN", "")
            .stdin(report_at("2026-11-24T06:00:00Z"))
    };
    let _ = run().run().code(1).says("cannot read the upload token");
    std::fs::write(&file, "s3cret\n").expect("written");
    let _ = run().run().ok();
    assert_eq!(server.stored().len(), 1);
}

#[test]
fn settings_that_make_no_sense_touch_nothing() {
    let (server, store) = (Server::start(), Store::new());
    for url in ["", "ftp://a/b", "no url", "http://user:pw@a/"] {
        let args = ["--report-output", "pvc,http", "--report-upload-url", url];
        let run = server.pc(&args).env("PROVENANCE_REPORT_PATH", store.path());
        let _ = run.stdin(report_at("2026-11-24T06:00:00Z")).run().code(2);
    }
    assert_eq!(store.names().len(), 0);
}
