//! From a request to its answer.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::json;

use super::content::{Repository, digest};
use super::{Asked, Bytes, Canned, DigestHeader, Pages, Payload, Shared, State, Switches, token};

pub(super) async fn answer(shared: &Arc<Shared>, request: Request<Incoming>) -> Response<Payload> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let header = |name: &hyper::header::HeaderName, value: &hyper::header::HeaderValue| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let mut asked = Asked {
        method: head.method.to_string(),
        version: format!("{:?}", head.version),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(|(name, value)| header(name, value)).collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
        status: 0,
        at: std::time::Instant::now(),
        round: 0,
    };
    let path = asked.path.clone();
    let (canned, delay, round) = {
        let mut state = shared.state();
        let canned = decide(&mut state, &asked);
        asked.status = canned.status;
        asked.round = state.deepest + 1;
        let round = asked.round;
        state.log.push(asked);
        state.now += 1;
        state.most = state.most.max(state.now);
        (canned, patience(&state.switches, &path), round)
    };
    let waiting = Waiting(shared);
    tokio::time::sleep(delay).await;
    drop(waiting);
    shared.state().note_answered(path, round);
    let mut response = Response::builder().status(canned.status);
    for (name, value) in &canned.headers {
        response = response.header(name, value);
    }
    response.body(canned.body).expect("a test's status and headers are well-formed")
}

impl State {
    fn note_answered(&mut self, path: String, round: usize) {
        self.answered.push(path);
        self.deepest = self.deepest.max(round);
    }
}

/// A request that waits for its answer, or whose client hangs up before.
struct Waiting<'a>(&'a Shared);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state().now -= 1;
    }
}

/// How long the answer to a request for this path waits.
fn patience(switches: &Switches, path: &str) -> Duration {
    let repository = path.strip_prefix("/v2/").and_then(split).map(|(name, ..)| name);
    repository.and_then(|name| switches.delays.get(name)).copied().unwrap_or(switches.delay)
}

fn decide(state: &mut State, asked: &Asked) -> Canned {
    if let Some(canned) = state.canned.get(&asked.path) {
        return canned.clone();
    }
    if asked.path == "/token" {
        return token::issue(state, asked);
    }
    if let Some(file) = state.files.get(&asked.path) {
        let refusal = token::refusal(state, asked, "");
        return refusal.unwrap_or_else(|| file_answer(file, asked));
    }
    let Some(rest) = asked.path.strip_prefix("/v2/") else {
        return Canned::status(404);
    };
    let Some((name, what, reference)) = split(rest) else {
        return token::refusal(state, asked, "").unwrap_or_else(|| Canned::status(200));
    };
    if let Some(refusal) = token::refusal(state, asked, name) {
        return refusal;
    }
    if let ("manifests", Some(canned)) = (what, manifests(&mut state.switches)) {
        return canned;
    }
    let Some(repository) = state.repositories.get(name) else {
        return missing("NAME_UNKNOWN");
    };
    match what {
        "manifests" => manifest(state, repository, reference),
        "blobs" => blob(state, repository, reference),
        "tags" => tags(state, repository, asked),
        _ if state.switches.referrers_api => {
            let body = repository.referrers(reference).to_string();
            let answer = Canned::status(200)
                .header("content-type", "application/vnd.oci.image.index.v1+json")
                .body(body.as_str());
            paged(state, answer, asked, None)
        }
        _ => Canned::status(404),
    }
}

/// A file, unless the client has it already (RFC 9110, section 13.1.2).
fn file_answer(file: &[u8], asked: &Asked) -> Canned {
    let etag = format!("\"{}\"", digest(file));
    match asked.header("if-none-match") == Some(&etag) {
        true => Canned::status(304).header("etag", &etag),
        false => Canned::status(200).header("etag", &etag).body(file.to_vec()),
    }
}

/// `<name>/<what>/<reference>`; the name may have slashes.
fn split(rest: &str) -> Option<(&str, &str, &str)> {
    let (head, reference) = rest.rsplit_once('/')?;
    let (name, what) = head.rsplit_once('/')?;
    matches!(what, "manifests" | "blobs" | "tags" | "referrers").then_some((name, what, reference))
}

fn missing(code: &str) -> Canned {
    let body = json!({"errors": [{"code": code, "message": "not here"}]}).to_string();
    Canned::status(404).header("content-type", "application/json").body(body.as_str())
}

/// The fixed answer to a question about a manifest, as long as there is one.
fn manifests(switches: &mut Switches) -> Option<Canned> {
    let canned = switches.manifests.clone()?;
    if let Some(times) = &mut switches.manifests_times {
        *times = times.checked_sub(1)?;
    }
    Some(canned)
}

fn manifest(state: &State, repository: &Repository, reference: &str) -> Canned {
    let Some((own, manifest)) = repository.manifest(reference) else {
        return missing("MANIFEST_UNKNOWN");
    };
    let answer = Canned::status(200)
        .header("content-type", &manifest.media_type)
        .body(served(state, &manifest.bytes));
    match state.switches.digest_header {
        DigestHeader::Right => answer.header("docker-content-digest", own),
        DigestHeader::Missing => answer,
        DigestHeader::Empty => answer.header("docker-content-digest", ""),
        DigestHeader::Malformed => answer.header("docker-content-digest", "sha256:zz"),
        DigestHeader::Wrong => answer.header("docker-content-digest", &digest(b"something else")),
    }
}

fn blob(state: &State, repository: &Repository, reference: &str) -> Canned {
    let Some(bytes) = repository.blobs.get(reference) else {
        return missing("BLOB_UNKNOWN");
    };
    match &state.switches.blobs_at {
        Some(place) => Canned::status(307).header("location", &format!("{place}{reference}")),
        None => Canned::status(200).body(served(state, bytes)),
    }
}

fn served(state: &State, bytes: &[u8]) -> Payload {
    let mut bytes = bytes.to_vec();
    if state.switches.bytes == Bytes::Tampered {
        bytes.push(b' ');
    }
    bytes.into()
}

fn tags(state: &State, repository: &Repository, asked: &Asked) -> Canned {
    let last = asked.query.split('&').find_map(|pair| pair.strip_prefix("last="));
    let (page, more) = repository.tags(last.unwrap_or_default(), state.switches.tags_per_page);
    let body = json!({"name": "fake", "tags": page}).to_string();
    let answer = Canned::status(200).header("content-type", "application/json");
    let next = page.last().filter(|_| more).map(|last| format!("{}?last={last}", asked.path));
    paged(state, answer.body(body.as_str()), asked, next)
}

/// A page of a list, with a link to the page behind it: `next`, or what the registry says instead.
fn paged(state: &State, answer: Canned, asked: &Asked, next: Option<String>) -> Canned {
    let next = match &state.switches.pages {
        Pages::Right => next,
        Pages::Circle => Some(with_query(asked)),
        Pages::Many(pages) => {
            let page = asked.query.strip_prefix("page=").and_then(|page| page.parse().ok());
            let page: usize = page.unwrap_or(1);
            (page < *pages).then(|| format!("{}?page={}", asked.path, page + 1))
        }
        Pages::At(place) => Some(place.clone()),
    };
    match next {
        Some(next) => answer.header("link", &format!("<{next}>; rel=\"next\"")),
        None => answer,
    }
}

/// What was asked for, as it stands.
fn with_query(asked: &Asked) -> String {
    if asked.query.is_empty() {
        asked.path.clone()
    } else {
        format!("{}?{}", asked.path, asked.query)
    }
}
