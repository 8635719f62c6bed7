//! Which hosts have no referrers API, so that each is asked once.
//!
//! Until a host has said so, or anything else, few ask it: however many digests there are, the
//! others wait for those answers rather than ask what is known a moment later.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use http_asking::{Answer, Host};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Repository;

/// How many may ask a host that has said nothing yet: those about an index and its manifest.
const UNTIL_KNOWN: usize = 2;

/// What is known of hosts and their referrers API.
#[derive(Debug, Default)]
pub(crate) struct Apis(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    without: HashSet<Host>,
    shown: HashSet<Repository>,
    /// Where a 404 would say it of the host, had the repository shown us something before.
    doubted: HashMap<Repository, Host>,
    /// Closed once there is nothing more to wait for.
    turns: HashMap<Host, Arc<Semaphore>>,
}

impl State {
    fn turns(&mut self, host: &Host) -> Arc<Semaphore> {
        let fresh = || Arc::new(Semaphore::new(UNTIL_KNOWN));
        Arc::clone(self.turns.entry(host.clone()).or_insert_with(fresh))
    }

    fn is_without(&mut self, host: Host) {
        self.turns(&host).close();
        self.without.insert(host);
    }
}

impl Apis {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a repository has shown us something. What a 404 from it meant is clear then, also
    /// where the two were on their way at the same time.
    pub(crate) fn note_shown(&self, repository: &Repository) {
        let mut state = self.state();
        if !state.shown.contains(repository) {
            state.shown.insert(repository.clone());
            if let Some(host) = state.doubted.remove(repository) {
                state.is_without(host);
            }
        }
    }

    /// Notes an answer by which a host says that it has no such API. A 404 says it of the host
    /// only where it comes from a repository that we may see, and names nothing else as missing:
    /// what is not there may be the repository or the manifest.
    pub(crate) fn note_without(&self, repository: &Repository, answer: &Answer) {
        let host = answer.host.clone();
        let mut state = self.state();
        if answer.status != StatusCode::NOT_FOUND {
            state.is_without(host);
        } else if names_what_is_missing(&answer.body) {
            state.turns(&host).close();
        } else if state.shown.contains(repository) {
            state.is_without(host);
        } else {
            state.doubted.insert(repository.clone(), host);
        }
    }

    /// Notes that a host has answered, or failed, in a way that says nothing against the API:
    /// nobody has to wait for more.
    pub(crate) fn note_other(&self, host: &Host) {
        self.state().turns(host).close();
    }

    /// Waits for the right to ask `host`, which is held until the answer was noted; nothing where
    /// there is nothing to wait for.
    pub(crate) async fn turn(&self, host: &Host) -> Option<OwnedSemaphorePermit> {
        let turns = self.state().turns(host);
        turns.acquire_owned().await.ok()
    }

    /// Whether `host` has said so.
    pub(crate) fn is_known_without(&self, host: &Host) -> bool {
        self.state().without.contains(host)
    }
}

/// Whether a body is an error document of the OCI distribution specification ("Error Codes") with
/// another code than that for what is not supported.
fn names_what_is_missing(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Document {
        errors: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        code: String,
    }
    serde_json::from_slice(body).is_ok_and(|document: Document| {
        document.errors.iter().any(|entry| entry.code != "UNSUPPORTED")
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http_asking::Kind;

    use super::*;

    fn answered(apis: &Apis, status: StatusCode, body: &str) {
        let host = "r.io".parse().expect("a host");
        let (kind, headers, body) = (Kind::Referrers, HeaderMap::new(), body.to_owned().into());
        let answer = Answer { host, kind, status, headers, body };
        apis.note_without(&"r.io/acme/web".parse().expect("a repository"), &answer);
    }

    #[test]
    fn a_404_counts_where_it_can_only_mean_the_api() {
        let known = |shown: bool, status: StatusCode, body: &str| {
            let apis = Apis::default();
            if shown {
                apis.note_shown(&"r.io/acme/web".parse().expect("a repository"));
            }
            answered(&apis, status, body);
            apis.is_known_without(&"r.io".parse().expect("a host"))
        };
        let missing = r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#;
        let unsupported = r#"{"errors":[{"code":"UNSUPPORTED"}]}"#;
        assert!(known(true, StatusCode::NOT_FOUND, "404 page not found"));
        assert!(known(true, StatusCode::NOT_FOUND, unsupported));
        assert!(!known(true, StatusCode::NOT_FOUND, missing));
        assert!(!known(false, StatusCode::NOT_FOUND, "404 page not found"));
        assert!(known(false, StatusCode::BAD_REQUEST, ""));
        assert!(known(false, StatusCode::OK, "<html>"));
    }

    #[test]
    fn the_order_in_which_a_404_and_the_first_success_come_is_of_no_matter() {
        let apis = Apis::default();
        let host: Host = "r.io".parse().expect("a host");
        answered(&apis, StatusCode::NOT_FOUND, "404 page not found");
        assert!(!apis.is_known_without(&host));
        apis.note_shown(&"r.io/acme/other".parse().expect("a repository"));
        assert!(!apis.is_known_without(&host));
        apis.note_shown(&"r.io/acme/web".parse().expect("a repository"));
        assert!(apis.is_known_without(&host));
    }

    #[tokio::test]
    async fn few_ask_until_something_is_known() {
        use futures::FutureExt as _;

        let host: Host = "r.io".parse().expect("a host");
        let settle: [fn(&Apis); 3] = [
            |apis| apis.note_other(&"r.io".parse().expect("a host")),
            |apis| answered(apis, StatusCode::BAD_REQUEST, ""),
            |apis| answered(apis, StatusCode::NOT_FOUND, r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#),
        ];
        for settle in settle {
            let apis = Apis::default();
            let held = [apis.turn(&host).await, apis.turn(&host).await];
            assert!(held.iter().all(Option::is_some));
            answered(&apis, StatusCode::NOT_FOUND, "404 page not found");
            let mut third = std::pin::pin!(apis.turn(&host));
            assert!((&mut third).now_or_never().is_none(), "nothing is known yet");
            settle(&apis);
            assert!(third.now_or_never().is_some_and(|turn| turn.is_none()));
        }
    }
}
