//! A registry over HTTP: the OCI distribution specification's pull endpoints.

use std::sync::Arc;

use bytes::Bytes;
use http::{StatusCode, header};
use http_asking::{Client, Host, Kind, Request, Sink};
use records::Digest;
use tokio::sync::Semaphore;

use crate::answer::Answer;
use crate::apis::Apis;
use crate::auth::Auth;
use crate::content::{Descriptor, sha256, verify};
use crate::error::Error;
use crate::keychain::Keychain;
use crate::lists::LARGE_AT_ONCE;
use crate::manifest::ACCEPT;
use crate::mirrors::Failing;
use crate::stream::Checked;
use crate::view::View;
use crate::{Repository, TagOrDigest};

/// The header by which registries say the digest of a manifest.
const DIGEST_HEADER: &str = "docker-content-digest";

/// A manifest's bytes, checked, and the media type that came with them.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) bytes: Bytes,
    pub(crate) media_type: Option<String>,
}

/// Every registry there is.
#[derive(Debug)]
pub(crate) struct Remote {
    auth: Auth,
    apis: Apis,
    failing: Failing,
    large_lists: Semaphore,
}

impl Remote {
    pub(crate) fn new(client: Client, keychain: Keychain) -> Self {
        let auth = Auth::new(client, keychain);
        let large_lists = Semaphore::new(LARGE_AT_ONCE);
        Self { auth, apis: Apis::default(), failing: Failing::default(), large_lists }
    }

    /// The turns of those who read a large list of tags.
    pub(crate) fn large_lists(&self) -> &Semaphore {
        &self.large_lists
    }

    /// What is known of referrers APIs.
    pub(crate) fn apis(&self) -> &Apis {
        &self.apis
    }

    /// The mirrors that fail.
    pub(crate) fn failing(&self) -> &Failing {
        &self.failing
    }

    pub(crate) fn auth(&self) -> &Auth {
        &self.auth
    }

    pub(crate) fn client(&self) -> &Client {
        self.auth.client()
    }

    /// What a tag or digest stands for; nothing if the registry has no such manifest.
    pub(crate) async fn head(
        &self,
        view: &View,
        what: &TagOrDigest,
    ) -> Result<Option<Answer<Descriptor>>, Error> {
        self.first(view, |view| async move { self.head_at(&view, what).await }).await
    }

    /// The manifest of a digest; nothing if the registry has none.
    pub(crate) async fn manifest(
        &self,
        view: &View,
        digest: &Digest,
    ) -> Result<Option<Fetched>, Error> {
        let what = &digest.into();
        let ask = |view: View| async move { self.manifest_at(&view, what).await };
        Ok(self.first(view, ask).await?.map(|answer| answer.value.0))
    }

    /// A blob of at most `limit` bytes; nothing if the registry has none.
    pub(crate) async fn blob(
        &self,
        view: &View,
        digest: &Digest,
        kind: Kind,
        limit: u64,
    ) -> Result<Option<Bytes>, Error> {
        let ask = |view: View| async move { self.blob_at(&view, digest, kind, limit).await };
        Ok(self.first(view, ask).await?.map(|answer| answer.value))
    }

    /// The same into a sink, which is given the whole of it by each place that has it.
    pub(crate) async fn blob_into(
        &self,
        view: &View,
        digest: &Digest,
        limit: u64,
        sink: &Arc<dyn Sink>,
    ) -> Result<Option<()>, Error> {
        let ask = |view: View| async move {
            let checked = Arc::new(Checked::new(Arc::clone(sink), digest));
            let into = Arc::clone(&checked) as Arc<dyn Sink>;
            let repository = &view.repository;
            let path = blob_path(repository, digest);
            let request = |address| Request::get(Kind::Blob, address).limit(limit).into_sink(into);
            let Some(answer) = self.ask(&view, &path, request).await? else {
                return Ok(None);
            };
            let wrong = |found| mismatch(repository, &answer.host, digest, found);
            checked.verify().map(Some).map_err(wrong)
        };
        Ok(self.first(view, ask).await?.map(|answer| answer.value))
    }

    async fn head_at(&self, view: &View, what: &TagOrDigest) -> Result<Option<Descriptor>, Error> {
        let repository = &view.repository;
        let request = |address| Request::head(address).accept(ACCEPT);
        let Some(answer) = self.ask(view, &manifest_path(repository, what), request).await? else {
            return Ok(None);
        };
        let Some(digest) = digest_header(repository, what, &answer)? else {
            // A registry that says no digest leaves one way to learn it.
            let fetched = self.manifest_at(view, what).await?;
            return Ok(fetched.map(|(fetched, digest)| Descriptor {
                digest,
                size: Some(fetched.bytes.len() as u64),
                media_type: fetched.media_type,
            }));
        };
        if let TagOrDigest::Digest(asked) = what
            && *asked != digest
        {
            return Err(mismatch(repository, &answer.host, asked, digest));
        }
        let size = answer.header(header::CONTENT_LENGTH).and_then(|size| size.parse().ok());
        Ok(Some(Descriptor { digest, media_type: media_type(&answer), size }))
    }

    async fn blob_at(
        &self,
        view: &View,
        digest: &Digest,
        kind: Kind,
        limit: u64,
    ) -> Result<Option<Bytes>, Error> {
        let repository = &view.repository;
        let path = blob_path(repository, digest);
        let request = |address| Request::get(kind, address).limit(limit);
        let Some(answer) = self.ask(view, &path, request).await? else {
            return Ok(None);
        };
        verify(&answer.body, digest)
            .map_err(|found| mismatch(repository, &answer.host, digest, found))?;
        Ok(Some(answer.body))
    }

    async fn manifest_at(
        &self,
        view: &View,
        what: &TagOrDigest,
    ) -> Result<Option<(Fetched, Digest)>, Error> {
        let repository = &view.repository;
        let request = |address| Request::get(Kind::Manifest, address).accept(ACCEPT);
        let Some(answer) = self.ask(view, &manifest_path(repository, what), request).await? else {
            return Ok(None);
        };
        let digest = match what {
            TagOrDigest::Tag(_) => sha256(&answer.body),
            TagOrDigest::Digest(asked) => {
                verify(&answer.body, asked)
                    .map_err(|found| mismatch(repository, &answer.host, asked, found))?;
                asked.clone()
            }
        };
        let media_type = media_type(&answer);
        Ok(Some((Fetched { bytes: answer.body, media_type }, digest)))
    }

    /// The answer to any question, with the credentials that it takes.
    pub(crate) async fn send(
        &self,
        view: &View,
        request: Request,
    ) -> Result<http_asking::Answer, Error> {
        let answer = self.auth.ask(view, request).await?;
        if answer.status.is_success() {
            self.apis.note_shown(&view.repository);
        }
        Ok(answer)
    }

    /// The host that is asked about a repository.
    pub(crate) fn host(&self, repository: &Repository) -> Result<Host, Error> {
        let named = repository.host();
        named.map_err(|source| Error::Host { repository: repository.clone(), source })
    }

    /// The answer to a question about `path`; nothing for 404, an error for every other status
    /// that is no success.
    async fn ask(
        &self,
        view: &View,
        path: &str,
        request: impl FnOnce(http_asking::Address) -> Request,
    ) -> Result<Option<http_asking::Answer>, Error> {
        let host = self.host(&view.repository)?;
        let request = request(self.client().address(&host, path));
        let answer = self.send(view, request).await?;
        match answer.status {
            status if status.is_success() => Ok(Some(answer)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(Error::Ask(answer.refusal())),
        }
    }
}

fn blob_path(repository: &Repository, digest: &Digest) -> String {
    format!("/v2/{}/blobs/{digest}", repository.path())
}

fn manifest_path(repository: &Repository, what: &TagOrDigest) -> String {
    format!("/v2/{}/manifests/{what}", repository.path())
}

/// The digest that an answer names; nothing if it names none. One that is none is an error, or a
/// broken registry would look like one that says nothing.
fn digest_header(
    repository: &Repository,
    asked: &TagOrDigest,
    answer: &http_asking::Answer,
) -> Result<Option<Digest>, Error> {
    let Some(value) = answer.headers.get(DIGEST_HEADER) else {
        return Ok(None);
    };
    let digest = String::from_utf8_lossy(value.as_bytes()).parse();
    digest.map(Some).map_err(|source| Error::DigestHeader {
        host: answer.host.clone(),
        repository: repository.clone(),
        asked: asked.clone(),
        source,
    })
}

/// The media type of an answer, without parameters.
pub(crate) fn media_type(answer: &http_asking::Answer) -> Option<String> {
    let media_type = answer.header(header::CONTENT_TYPE)?.split(';').next()?;
    let media_type = media_type.trim().to_ascii_lowercase();
    // RFC 6838 section 4.2: type and subtype have up to 127 characters each.
    (!media_type.is_empty() && media_type.len() <= 255).then_some(media_type)
}

fn mismatch(repository: &Repository, host: &Host, asked: &Digest, found: Digest) -> Error {
    let (repository, host, asked) = (repository.clone(), host.clone(), asked.clone());
    Error::DigestMismatch { host, repository, asked, found }
}
