//! The front: questions about repositories, each asked once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::HeaderValue;
use http_asking::{Address, Client, Host, HostSettings, Hosts, Kind, RequestCounts};
use records::{Digest, Platform};

use crate::answer::Answer;
use crate::content::Descriptor;
use crate::error::Error;
use crate::kept::{self, Kept};
use crate::keychain::{HelperError, Keychain, PullSecrets};
use crate::layout::{Layout, read};
use crate::lists::Referrers;
use crate::manifest::Manifest;
use crate::mirrors::Places;
use crate::once::Once;
use crate::remote::Remote;
use crate::stream::announced_within;
use crate::tags::Tags;
use crate::view::View;
use crate::{Repository, TagOrDigest};

/// How much of manifests is kept, in bytes of their JSON: tens of thousands of ordinary ones.
const MANIFESTS_KEPT: usize = 64 * 1024 * 1024;

/// How much of blobs is kept, in bytes.
const BLOBS_KEPT: usize = 16 * 1024 * 1024;

/// How much of tag lists is kept, in bytes.
const TAGS_KEPT: usize = 32 * 1024 * 1024;

type Definite<T> = Result<Option<T>, Error>;
type Refers = Result<Answer<Arc<Referrers>>, Error>;

/// All registries, or the layout directory in their place. Cheap to clone.
///
/// Every question is asked once a run: whoever asks the same while it is asked waits for that
/// answer, and later it is remembered, failures too. `None` is a definite answer: the registry
/// itself says that it has no such thing. Whatever is not definite is an [`Error`].
#[derive(Debug, Clone)]
pub struct Registry {
    pub(crate) inner: Arc<Inner>,
    /// On whose behalf this one asks.
    secrets: PullSecrets,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) backend: Backend,
    heads: Once<(View, TagOrDigest), Definite<Answer<Descriptor>>>,
    manifests: Once<(View, Digest), Definite<Kept>>,
    blobs: Once<(View, Digest), Definite<Bytes>>,
    tags: Once<View, Definite<Answer<Arc<Tags>>>>,
    referrers: Once<(View, Digest), Refers>,
    /// The repositories that do not let the collector in by itself.
    closed: Mutex<HashSet<Repository>>,
}

#[derive(Debug)]
pub(crate) enum Backend {
    Remote(Box<Remote>),
    Layout(Arc<Layout>),
}

impl Registry {
    /// Every registry, asked by `client` with the credentials of `keychain`.
    #[must_use]
    pub fn remote(client: Client, keychain: Keychain) -> Self {
        Self::of(Backend::Remote(Box::new(Remote::new(client, keychain))))
    }

    pub(crate) fn of_layout(layout: Layout) -> Self {
        Self::of(Backend::Layout(Arc::new(layout)))
    }

    fn of(backend: Backend) -> Self {
        let weigh = |answer: &Definite<Kept>| match answer {
            Ok(Some(kept)) => kept.size,
            _ => 0,
        };
        let weigh_blob = |answer: &Definite<Bytes>| match answer {
            Ok(Some(bytes)) => bytes.len(),
            _ => 0,
        };
        let inner = Arc::new(Inner {
            backend,
            heads: Once::new(),
            manifests: Once::within(MANIFESTS_KEPT, weigh),
            blobs: Once::within(BLOBS_KEPT, weigh_blob),
            tags: Once::within(TAGS_KEPT, |tags| match tags {
                Ok(Some(tags)) => tags.value.size(),
                _ => 0,
            }),
            referrers: Once::new(),
            closed: Mutex::default(),
        });
        Self { inner, secrets: PullSecrets::none() }
    }

    /// The same registries, asked on behalf of pods that name these pull secrets.
    ///
    /// What the collector is shown by itself stays everybody's answer. What it is not shown is
    /// asked for again with the secrets that fit, and that answer is kept for those who name the
    /// same ones.
    #[must_use]
    pub fn on_behalf(&self, secrets: PullSecrets) -> Self {
        Self { inner: Arc::clone(&self.inner), secrets }
    }

    /// Asks as the collector, and with pull secrets where that settles nothing.
    pub(crate) async fn seen<T, F>(
        &self,
        repository: &Repository,
        is_settled: impl FnOnce(&T) -> bool,
        ask: impl Fn(View) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let shared = View::shared(repository);
        let fits = self.fits(repository);
        if !fits && self.secrets.unusable().is_none() {
            return ask(shared).await;
        }
        if !self.closed().contains(repository) {
            match ask(shared).await {
                Ok(answer) if !fits || is_settled(&answer) => return Ok(answer),
                Ok(_) | Err(Error::OnlyMirrors { .. }) => {}
                Err(Error::Denied { .. }) => {
                    self.closed().insert(repository.clone());
                }
                Err(error) => return Err(error),
            }
        }
        ask(View { secrets: self.secrets.clone(), ..View::shared(repository) }).await
    }

    /// Whether one of the pull secrets fits a repository, or a mirror of it.
    fn fits(&self, repository: &Repository) -> bool {
        let Backend::Remote(remote) = &self.inner.backend else {
            return false;
        };
        let hosts: &Hosts = remote.client().hosts();
        let fits = |place: &Repository| !self.secrets.identities(place).is_empty();
        let mirrors = || Places::of(hosts, repository).mirrors;
        self.secrets != PullSecrets::none() && (fits(repository) || mirrors().iter().any(fits))
    }

    fn closed(&self) -> std::sync::MutexGuard<'_, HashSet<Repository>> {
        self.inner.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The settings of the hosts that have mirrors; none of a layout.
    pub fn mirrored(&self) -> impl Iterator<Item = (&Host, &HostSettings)> {
        let hosts = match &self.inner.backend {
            Backend::Remote(remote) => Some(remote.client().hosts()),
            Backend::Layout(_) => None,
        };
        hosts.into_iter().flat_map(Hosts::mirrored)
    }

    /// What the files of credentials have for a web server that is no registry: a chart repository
    /// (RFC 7617); nothing where a layout stands in place of every registry.
    ///
    /// # Errors
    /// When a credential helper fails.
    pub async fn credential_of_server(
        &self,
        host: &Host,
        path: &str,
    ) -> Result<Option<HeaderValue>, HelperError> {
        match &self.inner.backend {
            Backend::Remote(remote) => remote.auth().of_server(host, path).await,
            Backend::Layout(_) => Ok(None),
        }
    }

    /// The requests so far, by host and kind; none of a layout.
    #[must_use]
    pub fn requests(&self) -> RequestCounts {
        match &self.inner.backend {
            Backend::Remote(remote) => remote.client().requests(),
            Backend::Layout(_) => RequestCounts::new(),
        }
    }

    /// What a tag stands for now, or whether a digest is there (`HEAD` of a manifest).
    ///
    /// # Errors
    /// When that cannot be told.
    pub async fn head(
        &self,
        repository: &Repository,
        what: impl Into<TagOrDigest>,
    ) -> Result<Option<Answer<Descriptor>>, Error> {
        let what = &what.into();
        let ask = |view: View| async move {
            let key = (view.clone(), what.clone());
            self.inner.heads.get(key, || self.ask_head(view, what)).await
        };
        self.seen(repository, Option::is_some, ask).await
    }

    async fn ask_head(&self, view: View, what: &TagOrDigest) -> Definite<Answer<Descriptor>> {
        match &self.inner.backend {
            Backend::Remote(remote) => remote.head(&view, what).await,
            Backend::Layout(layout) => {
                let (repository, what) = (view.repository.clone(), what.clone());
                let found = read(layout, move |layout| layout.head(&repository, &what)).await?;
                Ok(found.map(|found| Answer::of_registry(found, &view.repository)))
            }
        }
    }

    /// The manifest of a digest. Its bytes have that digest.
    ///
    /// # Errors
    /// When it cannot be had, is not what its digest says, or is no manifest.
    pub async fn manifest(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<Arc<Manifest>>, Error> {
        let ask = |view: View| async move {
            let key = (view.clone(), digest.clone());
            self.inner.manifests.get(key, || self.ask_manifest(view, digest)).await
        };
        let kept = self.seen(repository, Option::is_some, ask).await?;
        Ok(kept.map(|kept| kept.manifest))
    }

    async fn ask_manifest(&self, view: View, digest: &Digest) -> Definite<Kept> {
        let fetched = match &self.inner.backend {
            Backend::Remote(remote) => remote.manifest(&view, digest).await,
            Backend::Layout(layout) => {
                let (repository, digest) = (view.repository.clone(), digest.clone());
                read(layout, move |layout| layout.manifest(&repository, &digest)).await
            }
        };
        fetched?.map(|fetched| Kept::parse(&view.repository, digest, &fetched)).transpose()
    }

    /// The digest of the configuration of an image manifest, which is what runtimes call the
    /// image's id; nothing also if `digest` is that of an index.
    ///
    /// # Errors
    /// As [`Registry::manifest`].
    pub async fn config_digest(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<Digest>, Error> {
        let manifest = self.manifest(repository, digest).await?;
        match manifest.as_deref() {
            Some(Manifest::Image(image)) => {
                image.config.digest.parse().map(Some).map_err(|source| Error::ConfigDigest {
                    repository: repository.clone(),
                    digest: digest.clone(),
                    source,
                })
            }
            Some(Manifest::Index(_)) | None => Ok(None),
        }
    }

    /// The platform of an image manifest, which only its configuration says; nothing if `digest`
    /// is that of an index, or the configuration is none of an image.
    ///
    /// # Errors
    /// As [`Registry::manifest`] and [`Registry::blob`].
    pub async fn image_platform(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<Platform>, Error> {
        let Some(config) = self.config_digest(repository, digest).await? else {
            return Ok(None);
        };
        let config = self.fetch(repository, &config, Kind::Config, Kind::Config.limit()).await?;
        Ok(config.and_then(|config| kept::platform_of(&config)))
    }

    /// A blob, whole in memory. Its bytes have the descriptor's digest.
    ///
    /// # Errors
    /// When it cannot be had, is larger than `limit` bytes, or is not what its digest says.
    pub async fn blob(
        &self,
        repository: &Repository,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Option<Bytes>, Error> {
        announced_within(repository, descriptor, limit)?;
        self.fetch(repository, &descriptor.digest, Kind::Blob, limit).await
    }

    /// All tags of a repository, in the order in which they are listed; nothing if there is no
    /// such repository. Half a list is an error. A list by mirrors alone says so
    /// ([`Answer::is_authoritative`]), and may be half.
    ///
    /// # Errors
    /// An [`Error`] when it could not be asked, was refused, or could not be read to its end.
    pub async fn tags(&self, repository: &Repository) -> Result<Option<Answer<Arc<Tags>>>, Error> {
        let ask = |view: View| async move {
            self.inner.tags.get(view.clone(), || self.ask_tags(view)).await
        };
        self.seen(repository, Option::is_some, ask).await
    }

    async fn ask_tags(&self, view: View) -> Definite<Answer<Arc<Tags>>> {
        let tags = match &self.inner.backend {
            Backend::Remote(remote) => remote.tags(&view).await?,
            Backend::Layout(layout) => {
                let repository = view.repository.clone();
                let tags = read(layout, move |layout| layout.tags(&repository)).await?;
                let listed = |tags: Vec<String>| tags.iter().map(String::as_str).collect::<Tags>();
                tags.map(|tags| Answer::of_registry(listed(tags), &view.repository))
            }
        };
        Ok(tags.map(|tags| tags.map(Arc::new)))
    }

    /// What refers to a manifest, by the referrers API. A layout always has one.
    ///
    /// An answer that is not the registry's own ([`Answer::is_authoritative`]) lists what is
    /// there, and never all of it: nothing is absent because it is not listed, and the fallback
    /// tag is to be asked for as well.
    ///
    /// # Errors
    /// An [`Error`] when it could not be asked, was refused, or could not be read to its end.
    pub async fn referrers(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Answer<Arc<Referrers>>, Error> {
        let ask = |view: View| async move {
            let key = (view.clone(), digest.clone());
            self.inner.referrers.get(key, || self.ask_referrers(view, digest)).await
        };
        self.seen(repository, |answer: &Answer<Arc<Referrers>>| answer.value.is_some(), ask).await
    }

    async fn ask_referrers(&self, view: View, digest: &Digest) -> Refers {
        let referrers = match &self.inner.backend {
            Backend::Remote(remote) => remote.referrers(&view, digest).await?,
            Backend::Layout(layout) => {
                let (repository, digest) = (view.repository.clone(), digest.clone());
                let listed = read(layout, move |layout| layout.referrers(&repository, &digest));
                Answer::of_registry(Referrers::Listed(listed.await?), &view.repository)
            }
        };
        Ok(referrers.map(Arc::new))
    }

    /// A file of a web server, of at most `limit` bytes, where a layout directory stands in place
    /// of all hosts: it lies in there at `HOST/PATH`, and inside is nothing where it does not.
    /// Nothing at all where hosts are asked.
    ///
    /// # Errors
    /// An [`Error`] when it is there and cannot be read.
    pub async fn laid_out(
        &self,
        address: &Address,
        limit: u64,
    ) -> Option<Result<Option<Bytes>, Error>> {
        let Backend::Layout(layout) = &self.inner.backend else {
            return None;
        };
        let (host, path) = (address.host().clone(), address.url().path().to_owned());
        Some(read(layout, move |layout| layout.file(&host, &path, limit)).await)
    }

    async fn fetch(
        &self,
        repository: &Repository,
        digest: &Digest,
        kind: Kind,
        limit: u64,
    ) -> Result<Option<Bytes>, Error> {
        let ask = |view: View| async move {
            let key = (view.clone(), digest.clone());
            self.inner.blobs.get(key, || self.ask_blob(view, digest, kind, limit)).await
        };
        self.seen(repository, Option::is_some, ask).await
    }

    async fn ask_blob(
        &self,
        view: View,
        digest: &Digest,
        kind: Kind,
        limit: u64,
    ) -> Definite<Bytes> {
        match &self.inner.backend {
            Backend::Remote(remote) => remote.blob(&view, digest, kind, limit).await,
            Backend::Layout(layout) => {
                let (repository, digest) = (view.repository.clone(), digest.clone());
                read(layout, move |layout| layout.blob(&repository, &digest, limit)).await
            }
        }
    }
}
