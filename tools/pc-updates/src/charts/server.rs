//! Asking a chart repository that is a web server for its index.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, StatusCode, header};
use http_asking::{
    Address, Answer, AskError, Client, HostCredentials, Kind, Request, RequestCounts, Scheme,
};
use records::FailureCode;
use records::text::shown;
use registry::Registry;
use stage::exit::chain;
use tokio::sync::{OnceCell, Semaphore};

use super::cache::{Cache, Kept};
use super::index::Index;
use super::laid_out;
use crate::problem::Problem;

/// How large an index in the layout directory may be, in bytes, as one of a web server
/// ([`Kind::Charts`]). The largest public ones have 20 MB.
const MAX_INDEX: u64 = 64 * 1024 * 1024;

/// How many indexes are fetched and read at a time: each is whole in memory meanwhile.
const READING: usize = 2;

type Indexed = Result<Arc<Index>, Problem>;

/// Who asks for indexes, each once.
#[derive(Debug)]
pub(super) struct Server {
    client: Client,
    registry: Registry,
    cache: Option<Arc<Cache>>,
    indexes: Mutex<HashMap<String, Arc<OnceCell<Indexed>>>>,
    reading: Semaphore,
}

impl Server {
    pub(super) fn new(client: Client, registry: Registry, cache: Option<Cache>) -> Self {
        let reading = Semaphore::new(READING);
        Self { client, registry, cache: cache.map(Arc::new), indexes: Mutex::default(), reading }
    }

    /// What was asked so far.
    pub(super) fn requests(&self) -> RequestCounts {
        self.client.requests()
    }

    /// The index of a repository.
    pub(super) async fn index(&self, address: &Address) -> Indexed {
        let cell = {
            let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(indexes.entry(address.url().to_string()).or_default())
        };
        cell.get_or_init(|| self.fetch(address)).await.clone()
    }

    async fn fetch(&self, address: &Address) -> Indexed {
        if let Some(laid_out) = self.registry.laid_out(address, MAX_INDEX).await {
            return laid_out::index(address, laid_out).await;
        }
        may_be_asked(&self.client, address)?;
        let _turn = self.reading.acquire().await;
        let kept = self.kept(address).await;
        let answer = self.ask(address, kept.as_ref().map(|kept| kept.etag.clone())).await?;
        match (answer.status, kept) {
            (StatusCode::NOT_MODIFIED, Some(kept)) => Ok(Arc::new(kept.index)),
            (status, _) if status.is_success() => self.read(address, answer).await,
            _ => Err(refused(&answer.refusal())),
        }
    }

    /// Asks as everybody, or as whom the hosts file says; where that is not enough, with what the
    /// files of credentials have. Some servers say 404 to those who may not see.
    async fn ask(&self, address: &Address, known: Option<HeaderValue>) -> Result<Answer, Problem> {
        let ask = |authorization| {
            let request = Request::get(Kind::Charts, address.clone()).unless(known.clone());
            self.client.ask(request.authorization(authorization))
        };
        let own = self.of_hosts_file(address);
        let is_own = own.is_some();
        let answer = ask(own).await.map_err(|error| refused(&error))?;
        let may_help = matches!(
            answer.status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
        );
        if !may_help || is_own || answer.host != *address.host() {
            return Ok(answer);
        }
        let path = address.url().path().trim_end_matches("/index.yaml");
        match self.registry.credential_of_server(address.host(), path).await {
            Ok(None) => Ok(answer),
            Ok(found) => ask(found).await.map_err(|error| refused(&error)),
            Err(error) => Err(Problem {
                host: Some(address.host().to_string()),
                status: Some(answer.status.as_u16()),
                ..Problem::new(FailureCode::Credentials, chain(&error))
            }),
        }
    }

    /// The credentials that the hosts file has for a host (RFC 7617).
    fn of_hosts_file(&self, address: &Address) -> Option<HeaderValue> {
        let settings = self.client.hosts().of(address.host())?;
        match settings.credentials.as_ref()? {
            HostCredentials::Password { user, password } => {
                let pair = STANDARD.encode(format!("{user}:{password}"));
                HeaderValue::try_from(format!("Basic {pair}")).ok()
            }
            HostCredentials::IdentityToken(_) => None,
        }
    }

    /// What an earlier run has kept.
    async fn kept(&self, address: &Address) -> Option<Kept> {
        let (cache, url) = (Arc::clone(self.cache.as_ref()?), address.url().to_string());
        let read = tokio::task::spawn_blocking(move || cache.read(&url)).await;
        read.expect("reading does not panic, and nobody cancels it")
    }

    /// Reads an index where that holds nobody up, and keeps it for later runs.
    async fn read(&self, address: &Address, answer: Answer) -> Indexed {
        let (cache, url) = (self.cache.clone(), address.url().to_string());
        let work = move || {
            let index = Index::read(&answer.body)?;
            if let (Some(cache), Some(etag)) = (cache, answer.headers.get(header::ETAG)) {
                cache.write(&url, etag, &index);
            }
            Ok(Arc::new(index))
        };
        let read = tokio::task::spawn_blocking(work).await;
        let read = read.expect("reading does not panic, and nobody cancels it");
        read.map_err(|error: super::IndexError| Problem {
            host: Some(address.host().to_string()),
            ..Problem::new(error.code(), format!("`{}`: {error}", shown(address.url().as_str())))
        })
    }
}

/// Whether plain http may be spoken, where the address wants that.
pub(super) fn may_be_asked(client: &Client, address: &Address) -> Result<(), Problem> {
    let host = address.host();
    if address.scheme() == Scheme::Https || client.plain_http().contains(host) {
        return Ok(());
    }
    Err(Problem {
        host: Some(host.to_string()),
        ..Problem::new(
            FailureCode::HostNotAllowed,
            format!(
                "`{}` is plain http, which only hosts in `--plain-http` are asked by",
                shown(address.url().as_str())
            ),
        )
    })
}

/// What a web server did.
pub(super) fn refused(error: &AskError) -> Problem {
    Problem {
        host: Some(error.host().to_string()),
        status: error.status().map(|status| status.as_u16()),
        ..Problem::new(error.code(), chain(error))
    }
}
