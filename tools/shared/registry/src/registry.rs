//! The front: questions about repositories, each asked once.

use std::sync::Arc;

use bytes::Bytes;
use http_asking::{Client, Kind, RequestCounts};
use records::{Digest, Platform};
use serde::Deserialize;

use crate::content::Descriptor;
use crate::error::Error;
use crate::keychain::Keychain;
use crate::layout::{Layout, LayoutError};
use crate::lists::Referrers;
use crate::manifest::Manifest;
use crate::once::Once;
use crate::remote::{Fetched, Remote};
use crate::{Repository, TagOrDigest};

/// How much of manifests is kept, in bytes of their JSON: tens of thousands of ordinary ones.
const MANIFESTS_KEPT: usize = 64 * 1024 * 1024;

/// How much of blobs is kept, in bytes.
const BLOBS_KEPT: usize = 16 * 1024 * 1024;

/// How much of tag lists is kept, in bytes.
const TAGS_KEPT: usize = 32 * 1024 * 1024;

type Answer<T> = Result<Option<T>, Error>;

/// All registries, or the layout directory in their place. Cheap to clone.
///
/// Every question is asked once a run: whoever asks the same while it is asked waits for that
/// answer, and later it is remembered, failures too. `None` is a definite answer: the registry
/// says that it has no such thing. Whatever is not definite is an [`Error`].
#[derive(Debug, Clone)]
pub struct Registry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    backend: Backend,
    heads: Once<(Repository, TagOrDigest), Answer<Descriptor>>,
    manifests: Once<(Repository, Digest), Answer<Kept>>,
    blobs: Once<(Repository, Digest), Answer<Bytes>>,
    tags: Once<Repository, Answer<Arc<[String]>>>,
    referrers: Once<(Repository, Digest), Result<Arc<Referrers>, Error>>,
}

#[derive(Debug)]
enum Backend {
    Remote(Box<Remote>),
    Layout(Arc<Layout>),
}

/// A manifest and the size of its JSON.
#[derive(Debug, Clone)]
struct Kept {
    manifest: Arc<Manifest>,
    size: usize,
}

/// What an image's configuration says of its platform (OCI image specification, config.md).
#[derive(Deserialize)]
struct Config {
    os: String,
    architecture: String,
    variant: Option<String>,
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
        let weigh = |answer: &Answer<Kept>| match answer {
            Ok(Some(kept)) => kept.size,
            _ => 0,
        };
        let weigh_blob = |answer: &Answer<Bytes>| match answer {
            Ok(Some(bytes)) => bytes.len(),
            _ => 0,
        };
        Self(Arc::new(Inner {
            backend,
            heads: Once::new(),
            manifests: Once::within(MANIFESTS_KEPT, weigh),
            blobs: Once::within(BLOBS_KEPT, weigh_blob),
            tags: Once::within(TAGS_KEPT, |tags| match tags {
                Ok(Some(tags)) => tags.iter().map(|tag| tag.len() + size_of::<String>()).sum(),
                _ => 0,
            }),
            referrers: Once::new(),
        }))
    }

    /// The requests so far, by host and kind; none of a layout.
    #[must_use]
    pub fn requests(&self) -> RequestCounts {
        match &self.0.backend {
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
    ) -> Result<Option<Descriptor>, Error> {
        let what = what.into();
        let ask = || async {
            match &self.0.backend {
                Backend::Remote(remote) => remote.head(repository, &what).await,
                Backend::Layout(layout) => {
                    let (repository, what) = (repository.clone(), what.clone());
                    read(layout, move |layout| layout.head(&repository, &what)).await
                }
            }
        };
        self.0.heads.get((repository.clone(), what.clone()), ask).await
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
        let ask = || async {
            let fetched = match &self.0.backend {
                Backend::Remote(remote) => remote.manifest(repository, digest).await,
                Backend::Layout(layout) => {
                    let (repository, digest) = (repository.clone(), digest.clone());
                    read(layout, move |layout| layout.manifest(&repository, &digest)).await
                }
            };
            fetched?.map(|fetched| parse(repository, digest, &fetched)).transpose()
        };
        let kept = self.0.manifests.get((repository.clone(), digest.clone()), ask).await?;
        Ok(kept.map(|kept| kept.manifest))
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
        let config = config.and_then(|config| serde_json::from_slice::<Config>(&config).ok());
        Ok(config.and_then(|Config { os, architecture, variant }| {
            let variant = variant.filter(|variant| !variant.is_empty());
            let variant = variant.map_or(String::new(), |variant| format!("/{variant}"));
            format!("{os}/{architecture}{variant}").parse().ok()
        }))
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
        let digest = &descriptor.digest;
        match descriptor.size {
            Some(size) if size > limit => {
                let (repository, digest) = (repository.clone(), digest.clone());
                Err(Error::TooLarge { repository, digest, size, limit })
            }
            _ => self.fetch(repository, digest, Kind::Blob, limit).await,
        }
    }

    /// All tags of a repository, in the order in which they are listed; nothing if there is no
    /// such repository. Half a list is an error.
    ///
    /// # Errors
    /// An [`Error`] when it could not be asked, was refused, or could not be read to its end.
    pub async fn tags(&self, repository: &Repository) -> Result<Option<Arc<[String]>>, Error> {
        let ask = || async {
            let tags = match &self.0.backend {
                Backend::Remote(remote) => remote.tags(repository).await,
                Backend::Layout(layout) => {
                    let repository = repository.clone();
                    read(layout, move |layout| layout.tags(&repository)).await
                }
            };
            tags.map(|tags| tags.map(Arc::from))
        };
        self.0.tags.get(repository.clone(), ask).await
    }

    /// What refers to a manifest, by the referrers API. A layout always has one.
    ///
    /// # Errors
    /// An [`Error`] when it could not be asked, was refused, or could not be read to its end.
    pub async fn referrers(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Arc<Referrers>, Error> {
        let ask = || async {
            let referrers = match &self.0.backend {
                Backend::Remote(remote) => remote.referrers(repository, digest).await,
                Backend::Layout(layout) => {
                    let (repository, digest) = (repository.clone(), digest.clone());
                    let listed = read(layout, move |layout| layout.referrers(&repository, &digest));
                    listed.await.map(Referrers::Listed)
                }
            };
            referrers.map(Arc::new)
        };
        self.0.referrers.get((repository.clone(), digest.clone()), ask).await
    }

    async fn fetch(
        &self,
        repository: &Repository,
        digest: &Digest,
        kind: Kind,
        limit: u64,
    ) -> Result<Option<Bytes>, Error> {
        let ask = || async {
            match &self.0.backend {
                Backend::Remote(remote) => remote.blob(repository, digest, kind, limit).await,
                Backend::Layout(layout) => {
                    let (repository, digest) = (repository.clone(), digest.clone());
                    read(layout, move |layout| layout.blob(&repository, &digest, limit)).await
                }
            }
        };
        self.0.blobs.get((repository.clone(), digest.clone()), ask).await
    }
}

fn parse(repository: &Repository, digest: &Digest, fetched: &Fetched) -> Result<Kept, Error> {
    let parsed = Manifest::parse(&fetched.bytes, fetched.media_type.as_deref());
    let manifest = parsed.map_err(|source| Error::Manifest {
        repository: repository.clone(),
        digest: digest.clone(),
        source,
    })?;
    Ok(Kept { manifest: Arc::new(manifest), size: fetched.bytes.len() })
}

/// Reads files where that may block.
async fn read<T: Send + 'static>(
    layout: &Arc<Layout>,
    question: impl FnOnce(&Layout) -> Result<T, LayoutError> + Send + 'static,
) -> Result<T, Error> {
    let layout = Arc::clone(layout);
    let read = tokio::task::spawn_blocking(move || question(&layout)).await;
    // The task panics never and is not cancelled while its runtime lives.
    read.map_or(Err(Error::Layout(LayoutError::BrokenOff)), |answer| answer.map_err(Error::Layout))
}
