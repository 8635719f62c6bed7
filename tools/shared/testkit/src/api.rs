//! An API server inside the test, for what a real one will not do when asked: lists that break
//! off, pages without end, rights that come and go.
//!
//! It speaks plain http on `127.0.0.1`, wants the bearer token [`TOKEN`], and answers each
//! question by a function of the test's, from path with query to [`Reply`]. What must hold against
//! an API server as such is tested against a real one.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// The token that is let in.
pub const TOKEN: &str = "t0ken";

/// How a question is answered.
#[derive(Debug, Clone)]
pub enum Reply {
    /// This status and this JSON.
    Json(u16, Value),
    /// This text as the body of a 200.
    Text(String),
    /// The first half of this JSON's bytes, and then the connection is closed.
    Half(Value),
    /// Nothing, for ever.
    Silence,
}

impl Reply {
    /// A list of these objects, with the token of the page behind it (empty: none).
    #[must_use]
    pub fn list(items: &[Value], next: &str) -> Self {
        Self::Json(200, json!({"kind": "List", "metadata": {"continue": next}, "items": items}))
    }

    /// A refusal, as API servers word it.
    #[must_use]
    pub fn refused(status: u16) -> Self {
        let body = json!({"kind": "Status", "status": "Failure", "message": "no", "code": status});
        Self::Json(status, body)
    }
}

type Answer = dyn Fn(&str) -> Reply + Send + Sync;

/// A running API server. Its threads end with the process of the test.
#[derive(Debug)]
pub struct FakeApi {
    folder: tempfile::TempDir,
    asked: Arc<Mutex<Vec<String>>>,
}

impl FakeApi {
    /// Starts one, and makes a kubeconfig whose user brings the right token.
    #[must_use]
    pub fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_for(&format!("{{token: {TOKEN}}}"), answer)
    }

    /// Starts one, and makes a kubeconfig with this `user` (YAML).
    ///
    /// # Panics
    /// When there is no port or no place for the kubeconfig.
    #[must_use]
    pub fn start_for(user: &str, answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let address = listener.local_addr().expect("a bound listener has an address");
        let answer: Arc<Answer> = Arc::new(answer);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                thread::spawn(move || serve(connection, &*answer, &log));
            }
        });
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!(
            "current-context: a\ncontexts: [{{name: a, context: {{cluster: c, user: u}}}}]\n\
             clusters: [{{name: c, cluster: {{server: 'http://{address}'}}}}]\nusers: [{{name: u, user: {user}}}]\n"
        );
        fs::write(folder.path().join("config"), text).expect("written");
        Self { folder, asked }
    }

    /// The kubeconfig that leads here; it goes with the server.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// What was asked so far: paths with queries, in the order of arrival.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often exactly this path was asked, whatever the query.
    #[must_use]
    pub fn count(&self, path: &str) -> usize {
        self.asked().iter().filter(|uri| uri.split('?').next() == Some(path)).count()
    }
}

/// Serves a connection until its client leaves.
fn serve(mut connection: TcpStream, answer: &Answer, log: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    loop {
        let (uri, authorization) = request(&mut reader)?;
        log.lock().unwrap_or_else(PoisonError::into_inner).push(uri.clone());
        let known = authorization == format!("bearer {TOKEN}");
        let reply = if known { answer(&uri) } else { Reply::Json(401, json!({"message": "who?"})) };
        let (status, body) = match reply {
            Reply::Json(status, body) => (status, body.to_string()),
            Reply::Text(body) => (200, body),
            Reply::Half(body) => {
                let body = body.to_string();
                let _ = connection.write_all(head(200, body.len()).as_bytes());
                let _ = connection.write_all(&body.as_bytes()[..body.len() / 2]);
                return connection.shutdown(Shutdown::Both).ok();
            }
            Reply::Silence => loop {
                thread::sleep(Duration::from_secs(3600));
            },
        };
        connection.write_all(head(status, body.len()).as_bytes()).ok()?;
        connection.write_all(body.as_bytes()).ok()?;
    }
}

/// Path with query, and the `Authorization` header in lower case.
fn request(reader: &mut impl BufRead) -> Option<(String, String)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let uri = line.split(' ').nth(1)?.to_owned();
    let mut authorization = String::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let header = line.trim_end().to_lowercase();
        if header.is_empty() {
            return Some((uri, authorization));
        }
        if let Some(value) = header.strip_prefix("authorization: ") {
            value.clone_into(&mut authorization);
        }
    }
}

fn head(status: u16, length: usize) -> String {
    format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
}
