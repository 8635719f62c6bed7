//! A trusted root by The Update Framework (TUF specification 1.0): from a mirror of a repository,
//! or from what was kept of one.
//!
//! The metadata is checked by `sigstore-tuf`: signatures under the root that the operator pinned,
//! versions that never go back, ends, lengths and hashes. What is asked is asked by the client that
//! asks everything else, so that certificates, proxies, limits and refused addresses are the same.

use std::io;
use std::path::{Path, PathBuf};

use http_asking::{Address, AddressError, Client, Host, Kind, Request, Scheme};
use records::text::shown;
use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{FileStore, MetadataStore, Repository, TrustedMetadataSet, Updater};

use super::args::{TrustArgs, given};
use super::error::TrustError;
use super::root::Root;
use super::yaml::Text;

/// The target that is a trusted root of Sigstore, in every repository that has one.
const TARGET: &str = "trusted_root.json";

const TUF_MIRROR: &str = "--tuf-mirror";
const TUF_ROOT: &str = "--tuf-root";

/// A mirror of a TUF repository, and what is believed and kept of it.
#[derive(Debug)]
pub struct Mirror {
    /// Without a slash at its end. Its trusted root is named so too.
    url: String,
    address: Address,
    root: Vec<u8>,
    from: From,
}

/// Where what a mirror has is taken from.
#[derive(Debug)]
enum From {
    /// The mirror. It is kept in this folder.
    Mirror { cache: Option<PathBuf> },
    /// What was kept in this folder.
    Cache(PathBuf),
}

/// Why the trusted root of a mirror cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The mirror would be asked over plain http.
    #[error(
        "`--tuf-mirror`: `{host}` would be asked over plain http; write https, or list it in `--plain-http` if that is meant"
    )]
    PlainHttp {
        /// The mirror's host.
        host: Host,
    },
    /// The folder to keep it in cannot be made.
    #[error("`--tuf-cache`: the folder `{}` cannot be made", shown(&path.to_string_lossy()))]
    Cache {
        /// The folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The mirror does not answer, or what it says does not hold.
    #[error("the trusted root of the TUF mirror `{}` cannot be had", shown(.url))]
    Mirror {
        /// The mirror.
        url: String,
        /// What failed.
        #[source]
        source: Box<sigstore_tuf::Error>,
    },
    /// Nothing was kept yet.
    #[error("nothing of a TUF mirror is kept in `{}` (`--tuf-cache`)", shown(&path.to_string_lossy()))]
    NothingKept {
        /// The folder.
        path: PathBuf,
    },
    /// What was kept does not hold, or not any more.
    #[error("what `{}` (`--tuf-cache`) keeps of the TUF mirror cannot be used", shown(&path.to_string_lossy()))]
    Kept {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<sigstore_tuf::Error>,
    },
    /// The target is no trusted root.
    #[error("`{TARGET}` of the TUF mirror `{}`: {why}", shown(.url))]
    Target {
        /// The mirror.
        url: String,
        /// What is wrong with it.
        why: String,
    },
}

impl MirrorError {
    /// What would mend it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Mirror { .. } => Some(
                "`--offline` takes what an earlier run kept in `--tuf-cache`, as long as that has not expired; `--trusted-root` takes a `trusted_root.json` without any mirror",
            ),
            Self::NothingKept { .. } => Some(
                "run once without `--offline`, where the mirror can be asked, and bring the folder here",
            ),
            Self::Kept { .. } => Some(
                "run once without `--offline`, where the mirror can be asked; until then `--trusted-root` takes a `trusted_root.json` that you vouch for",
            ),
            Self::PlainHttp { .. } | Self::Cache { .. } | Self::Target { .. } => None,
        }
    }
}

/// What `--tuf-cache` and `--offline` need.
const NO_MIRROR: &str =
    "it says something of a TUF mirror: give `--tuf-mirror` and `--tuf-root` too";

impl TrustArgs {
    /// The TUF mirror that the flags name, if they name one. What it has must be asked for first:
    /// policies may mean its root.
    ///
    /// # Errors
    /// [`TrustError`] for flags that do not go together, and a `--tuf-root` that is none.
    pub fn mirror(&self) -> Result<Option<Mirror>, TrustError> {
        let (root, cache) = (given(self.tuf_root.as_deref()), given(self.tuf_cache.as_deref()));
        let wrong = |flag, why: &str| Err(TrustError::setting(flag, why));
        let (url, root) = match (self.tuf_mirror.as_deref().filter(|url| !url.is_empty()), root) {
            (Some(url), Some(root)) => (url, root),
            (Some(_), None) => {
                return wrong(
                    TUF_MIRROR,
                    "give `--tuf-root` too: a mirror cannot say itself whom to believe",
                );
            }
            (None, Some(_)) => return wrong(TUF_ROOT, "give `--tuf-mirror` too"),
            (None, None) if cache.is_some() => return wrong("--tuf-cache", NO_MIRROR),
            (None, None) if self.offline => return wrong("--offline", NO_MIRROR),
            (None, None) => return Ok(None),
        };
        let from = match (self.offline, cache.map(Path::to_owned)) {
            (false, cache) => From::Mirror { cache },
            (true, Some(folder)) => From::Cache(folder),
            (true, None) => {
                return wrong("--offline", "give `--tuf-cache` too: it is what is taken");
            }
        };
        let text = Text::read(root)?.text;
        let mirror = Mirror::new(url, text.into_bytes(), from)
            .map_err(|why| TrustError::setting(TUF_MIRROR, why))?;
        mirror.check_root().map_err(|source| TrustError::TufRoot {
            path: root.to_owned(),
            source: Box::new(source),
        })?;
        Ok(Some(mirror))
    }
}

impl Mirror {
    fn new(url: &str, root: Vec<u8>, from: From) -> Result<Self, String> {
        let url = url.trim_end_matches('/').to_owned();
        let address: Address = url.parse().map_err(|error: AddressError| error.to_string())?;
        if address.url().query().is_some() || address.url().fragment().is_some() {
            return Err(format!("`{}`: names are put behind it, so no `?` or `#`", shown(&url)));
        }
        Ok(Self { url, address, root, from })
    }

    /// Whether the pinned root is one.
    fn check_root(&self) -> Result<(), sigstore_tuf::Error> {
        TrustedMetadataSet::from_root(&self.root).map(|_| ())
    }

    /// The trusted root, by the mirror that `client` asks, or by what was kept of it. `now` decides
    /// what has expired.
    ///
    /// # Errors
    /// A [`MirrorError`] where it cannot be had.
    pub async fn root(&self, client: &Client, now: jiff::Timestamp) -> Result<Root, MirrorError> {
        let bytes = match &self.from {
            From::Mirror { cache } => self.asked(client, cache.as_deref(), now).await?,
            From::Cache(folder) => self.kept(folder, now).await?,
        };
        let target = |why| MirrorError::Target { url: self.url.clone(), why };
        let json = String::from_utf8(bytes).map_err(|_| target("it is no text".to_owned()))?;
        Root::from_json(&self.url, &json).map_err(target)
    }

    async fn asked(
        &self,
        client: &Client,
        cache: Option<&Path>,
        now: jiff::Timestamp,
    ) -> Result<Vec<u8>, MirrorError> {
        let host = self.address.host();
        if self.address.scheme() == Scheme::Http && !client.plain_http().contains(host) {
            return Err(MirrorError::PlainHttp { host: host.clone() });
        }
        if let Some(folder) = cache {
            std::fs::create_dir_all(folder)
                .map_err(|source| MirrorError::Cache { path: folder.to_owned(), source })?;
        }
        let failed =
            |source| MirrorError::Mirror { url: self.url.clone(), source: Box::new(source) };
        let mirror = Asked { client: client.clone(), url: self.url.clone() };
        let mut updater = Updater::new(mirror, &self.root).map_err(failed)?;
        if let Some(folder) = cache {
            updater = updater.with_store(FileStore::new(folder));
        }
        target(updater, now).await.map_err(failed)
    }

    async fn kept(&self, folder: &Path, now: jiff::Timestamp) -> Result<Vec<u8>, MirrorError> {
        let kept = Kept(FileStore::new(folder));
        let path = || folder.to_owned();
        let failed = |source| MirrorError::Kept { path: path(), source: Box::new(source) };
        if kept.load("timestamp.json").map_err(failed)?.is_none() {
            return Err(MirrorError::NothingKept { path: path() });
        }
        let updater = Updater::new(kept.clone(), &self.root).map_err(failed)?;
        target(updater.with_store(kept), now).await.map_err(failed)
    }
}

async fn target(
    mut updater: Updater,
    now: jiff::Timestamp,
) -> Result<Vec<u8>, sigstore_tuf::Error> {
    updater.refresh(now).await?;
    updater.get_target(TARGET, now).await
}

/// A repository that is asked over the network.
struct Asked {
    client: Client,
    url: String,
}

impl Asked {
    async fn get(&self, path: &str, limit: u64) -> sigstore_tuf::Result<Option<Vec<u8>>> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
            sigstore_tuf::Error::transport_with_source(format!("`{}`", shown(path)), error)
        };
        let address: Address = format!("{}/{path}", self.url)
            .parse()
            .map_err(|error: AddressError| failed(error.into()))?;
        let request = Request::get(Kind::Blob, address).limit(limit);
        let answer = self.client.ask(request).await.map_err(|error| failed(error.into()))?;
        match answer.status.as_u16() {
            200..=299 => Ok(Some(answer.body.to_vec())),
            404 => Ok(None),
            // Buckets say so of what they do not have. Of the next root that is the usual answer;
            // of anything else it may as well be a refusal.
            403 if path.ends_with(".root.json") => Ok(None),
            _ => Err(failed(answer.refusal().into())),
        }
    }
}

impl Repository for Asked {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(self.get(name, max_length))
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(async move { self.get(&format!("targets/{path}"), max_length).await })
    }
}

/// What was kept of a repository, which is only read: the folder may be one that was brought here.
#[derive(Clone)]
struct Kept(FileStore);

impl Kept {
    fn read(&self, name: &str, limit: u64) -> sigstore_tuf::Result<Option<Vec<u8>>> {
        match self.0.load(name)? {
            Some(bytes) if bytes.len() as u64 > limit => Err(sigstore_tuf::Error::transport(
                format!("`{}` is larger than {limit} bytes", shown(name)),
            )),
            read => Ok(read),
        }
    }
}

/// What is kept has no versions in its names, but for the roots. Asked for a version that it does
/// not have, it gives what it has, and the check says what is wrong with that.
impl Repository for Kept {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        let of_version = |(version, rest): (&str, &'a str)| {
            version.bytes().all(|byte| byte.is_ascii_digit()).then_some(rest)
        };
        let kept = match name.split_once('.').and_then(of_version) {
            Some("root.json") => format!("root_history/{name}"),
            Some(rest) => rest.to_owned(),
            None => name.to_owned(),
        };
        Box::pin(std::future::ready(self.read(&kept, max_length)))
    }

    fn fetch_target<'a>(&'a self, _: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(std::future::ready(self.read(&format!("targets/{TARGET}"), max_length)))
    }
}

impl MetadataStore for Kept {
    fn load(&self, name: &str) -> sigstore_tuf::Result<Option<Vec<u8>>> {
        self.0.load(name)
    }

    fn store(&self, _: &str, _: &[u8]) -> sigstore_tuf::Result<()> {
        Ok(())
    }
}
