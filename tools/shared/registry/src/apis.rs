//! Which repositories have no referrers API, so that each is asked once.
//!
//! Not which hosts: behind one name there may be registries of several kinds, and what one of them
//! lacks would silence the signatures of all the others.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use http::StatusCode;
use http_asking::Answer;
use serde::Deserialize;

use crate::Repository;

/// What is known of repositories and their referrers API.
#[derive(Debug, Default)]
pub(crate) struct Apis(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    without: HashSet<Repository>,
    shown: HashSet<Repository>,
}

impl Apis {
    /// Notes that a repository has shown us something.
    pub(crate) fn note_shown(&self, repository: &Repository) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.shown.contains(repository) {
            state.shown.insert(repository.clone());
        }
    }

    /// Notes an answer by which a repository says that it has no such API. A 404 says it only of
    /// one that we may see, and where it names nothing else as missing: what is not there may be
    /// the repository or the manifest.
    pub(crate) fn note_without(&self, repository: &Repository, answer: &Answer) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_the_api = answer.status != StatusCode::NOT_FOUND
            || state.shown.contains(repository) && !names_what_is_missing(&answer.body);
        if of_the_api {
            state.without.insert(repository.clone());
        }
    }

    /// Whether `repository` has said so.
    pub(crate) fn is_known_without(&self, repository: &Repository) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).without.contains(repository)
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

    #[test]
    fn a_404_counts_where_it_can_only_mean_the_api() {
        let known = |shown: bool, status: StatusCode, body: &str| {
            let repository = "r.io/acme/web".parse().expect("a repository");
            let apis = Apis::default();
            if shown {
                apis.note_shown(&repository);
            }
            let (kind, headers) = (Kind::Referrers, HeaderMap::new());
            let body = body.to_owned().into();
            let host = "r.io".parse().expect("a host");
            let answer = Answer { host, kind, status, headers, body };
            apis.note_without(&repository, &answer);
            apis.is_known_without(&repository)
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
}
