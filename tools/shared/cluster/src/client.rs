//! Asking the API server: one question, its retries, its answer, its refusal.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use http::{Response, StatusCode};
use kube::client::{Body, ClientBuilder};
use records::text::shown;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

use crate::config::{self, ConfigError, Surroundings};
use crate::decode::{DecodeError, IDLE_TIMEOUT, beginning, decode};
use crate::error::{AskError, Why};
use crate::list::Listing;
use crate::resource::{CONFIG_MAPS, Question, Resource, Scope, View, Which};
use crate::{ClusterArgs, error};

/// How often one question is put at most.
const TRIES: u32 = 4;

/// No try begins later than this after the first.
const PATIENCE: Duration = Duration::from_secs(60);

/// The wait before the second try; it doubles from try to try.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// The longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// After so many questions in a row without an answer the API server is not asked any more.
const UNANSWERED: u32 = 3;

const JSON: &str = "application/json";

/// The part of an error's body that is looked at.
const ERROR_BODY: usize = 64 * 1024;

/// How long a credential plugin may take.
const PLUGIN_TIMEOUT: Duration = Duration::from_secs(60);

/// A cluster that can be asked. Clones share one connection pool and one count of requests.
#[derive(Clone)]
pub struct Cluster {
    client: kube::Client,
    host: Arc<str>,
    asked: Arc<Mutex<BTreeMap<&'static str, u64>>>,
    /// How many questions in a row got no answer at all.
    unanswered: Arc<AtomicU32>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("host", &self.host).finish_non_exhaustive()
    }
}

/// `Status` of the Kubernetes API, as far as it is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    message: String,
}

/// `APIGroupList`, as far as it is read; without its list an answer says nothing of what there is.
#[derive(Debug, Deserialize)]
struct GroupList {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
struct Group {
    name: String,
    versions: Vec<GroupVersion>,
}

#[derive(Debug, Deserialize)]
struct GroupVersion {
    version: String,
}

/// `APIResourceList`, likewise.
#[derive(Debug, Deserialize)]
struct KindList {
    resources: Vec<ServedKind>,
}

#[derive(Debug, Deserialize)]
struct ServedKind {
    name: String,
}

impl Cluster {
    /// Finds the cluster that `args` name and sets up a client for it. Nothing is asked yet, but
    /// a credential plugin may run.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub async fn connect(args: &ClusterArgs) -> Result<Self, ConfigError> {
        let surroundings =
            Surroundings { variable: &|name| std::env::var_os(name), home: std::env::home_dir() };
        let config = config::find(args, &surroundings)?;
        let host = config.cluster_url.authority().map_or_else(String::new, ToString::to_string);
        tracing::debug!(server = %config.cluster_url, "asking this API server");
        let client = set_up(config, &host).await?;
        Ok(Self::from_client(client, &host))
    }

    /// A cluster behind a client that is there already; `host` is what messages call it.
    #[must_use]
    pub fn from_client(client: kube::Client, host: &str) -> Self {
        Self { client, host: host.into(), asked: Arc::default(), unanswered: Arc::default() }
    }

    /// Host and port of the API server.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// How many requests were sent until now, by resource; each try counts.
    #[must_use]
    pub fn requests(&self) -> BTreeMap<String, u64> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().map(|(resource, count)| ((*resource).to_owned(), *count)).collect()
    }

    /// All objects of a kind, page by page.
    #[must_use]
    pub fn list<T>(&self, resource: Resource, scope: Scope, view: View) -> Listing<T> {
        Listing::new(self.clone(), Question { resource, scope, which: Which::All }, view)
    }

    /// One object.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn get<T>(
        &self,
        resource: Resource,
        scope: Scope,
        name: &str,
        view: View,
    ) -> Result<T, AskError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let question = Question { resource, scope, which: Which::Named(name.to_owned()) };
        self.ask(&question, &question.path(), view).await
    }

    /// The API groups that the server has, each with the versions that it serves.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn groups(&self) -> Result<BTreeMap<String, BTreeSet<String>>, AskError> {
        let question = Question::groups();
        let list: GroupList = self.ask(&question, &question.path(), View::Whole).await?;
        let versions = |group: Group| {
            let versions = group.versions.into_iter().map(|version| version.version);
            (group.name, versions.collect())
        };
        Ok(list.groups.into_iter().map(versions).collect())
    }

    /// The kinds that a version of a group has, by their names in paths.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn kinds(
        &self,
        group: &'static str,
        version: &'static str,
    ) -> Result<BTreeSet<String>, AskError> {
        let question = Question::served(group, version);
        let list: KindList = self.ask(&question, &question.path(), View::Whole).await?;
        Ok(list.resources.into_iter().map(|kind| kind.name).collect())
    }

    /// Puts one question, again where that may help, and decodes the answer as it arrives.
    pub(crate) async fn ask<T>(
        &self,
        question: &Question,
        uri: &str,
        view: View,
    ) -> Result<T, AskError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let asked = if self.unanswered.load(Ordering::Relaxed) >= UNANSWERED {
            Err(Why::given_up(&self.host, UNANSWERED))
        } else {
            self.try_often(question, uri, view).await
        };
        match &asked {
            Err(why) if why.is_passing() => drop(self.unanswered.fetch_add(1, Ordering::Relaxed)),
            _ => self.unanswered.store(0, Ordering::Relaxed),
        }
        asked.map_err(|why| AskError { question: Box::new(question.clone()), why })
    }

    async fn try_often<T>(&self, question: &Question, uri: &str, view: View) -> Result<T, Why>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let accept = view.accept(&question.which);
        let request = || http::Request::get(uri).header(ACCEPT, accept).body(Body::empty());
        self.tried(question.resource, question, request).await
    }

    /// Has one object written or deleted, again where that may help. The same request may have been
    /// carried out before although its answer was lost: whoever asks must be able to tell.
    pub(crate) async fn write(
        &self,
        method: &http::Method,
        what: &(impl Display + Sync),
        uri: &str,
        body: bytes::Bytes,
    ) -> Result<(), Why> {
        let request = || {
            let request = http::Request::builder().method(method).uri(uri);
            let request = request.header(ACCEPT, JSON).header(CONTENT_TYPE, JSON);
            request.body(Body::from(body.to_vec()))
        };
        self.tried::<serde::de::IgnoredAny>(CONFIG_MAPS, what, request).await.map(drop)
    }

    async fn tried<T>(
        &self,
        resource: Resource,
        what: &(impl Display + Sync),
        request: impl Fn() -> Result<http::Request<Body>, http::Error>,
    ) -> Result<T, Why>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let begun = Instant::now();
        let mut tries = 0;
        loop {
            tries += 1;
            let request = request().map_err(|error| self.malformed(&error.to_string()))?;
            let refused = match self.try_once(resource, request).await {
                Ok(answer) => return Ok(answer),
                Err(refused) => refused,
            };
            let wait = refused.after.unwrap_or_else(|| backoff(tries)).min(LONGEST_WAIT);
            let patient = begun.elapsed() + wait < PATIENCE;
            if !(refused.why.is_passing() && tries < TRIES && patient) {
                return Err(refused.why);
            }
            tracing::debug!(question = %what, tries, seconds = wait.as_secs_f64(), why = %refused.why, "asking again");
            tokio::time::sleep(wait).await;
        }
    }

    async fn try_once<T>(
        &self,
        resource: Resource,
        request: http::Request<Body>,
    ) -> Result<T, Refused>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.count(resource);
        let response = match timeout(IDLE_TIMEOUT, self.send(request)).await {
            Ok(sent) => sent.map_err(|error| Why::from_client(&self.host, &error))?,
            Err(_) => return Err(Why::silent(&self.host).into()),
        };
        if !response.status().is_success() {
            return Err(self.refused(response).await);
        }
        decode(response.into_body()).await.map_err(|error| Refused::from(self.undecoded(&error)))
    }

    /// Sends a request without a word of kube's: it logs as an error what is asked again here, or
    /// becomes an error with more to say.
    async fn send(&self, request: http::Request<Body>) -> kube::Result<Response<Body>> {
        self.client.send(request).with_subscriber(NoSubscriber::default()).await
    }

    fn count(&self, resource: Resource) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        *asked.entry(resource.plural).or_default() += 1;
    }

    fn malformed(&self, message: &str) -> Why {
        Why::Malformed { host: self.host.to_string(), message: message.to_owned() }
    }

    /// A decoder's own words may quote the body, and bodies can be Secrets: only the place is told.
    fn undecoded(&self, error: &DecodeError) -> Why {
        match error {
            DecodeError::Connection(error) => Why::from_client(&self.host, error),
            DecodeError::Silence => Why::silent(&self.host),
            DecodeError::Cancelled => self.malformed("the answer was not read to its end"),
            DecodeError::Json(error) => {
                let what = if error.is_eof() { "it ends too early" } else { "it has another form" };
                self.malformed(&format!("{what} (line {} column {})", error.line(), error.column()))
            }
        }
    }

    async fn refused(&self, response: Response<Body>) -> Refused {
        let status = response.status();
        let after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let body = beginning(response.into_body(), ERROR_BODY).await;
        let said: Status = serde_json::from_slice(&body).unwrap_or_default();
        let message = if said.message.is_empty() {
            status.canonical_reason().unwrap_or("no reason given").to_owned()
        } else {
            shown(&said.message)
        };
        let host = self.host.to_string();
        let why = match status {
            StatusCode::UNAUTHORIZED => Why::Unauthorized { host, message },
            StatusCode::FORBIDDEN => Why::Forbidden { host, message },
            StatusCode::NOT_FOUND => Why::NotFound { host },
            StatusCode::GONE => Why::Expired { host },
            other => Why::Status { host, status: other.as_u16(), message },
        };
        Refused { why, after }
    }
}

/// A try that failed, and how long the server wants to be left alone.
struct Refused {
    why: Why,
    after: Option<Duration>,
}

impl From<Why> for Refused {
    fn from(why: Why) -> Self {
        Self { why, after: None }
    }
}

/// Doubles from try to try, with up to half of it added at random, so that many clients that were
/// turned away together do not come back together.
fn backoff(tries: u32) -> Duration {
    let base = FIRST_WAIT * 2_u32.pow(tries.saturating_sub(1).min(8));
    let share = RandomState::new().hash_one(tries) % 512;
    base + base.mul_f64(share as f64 / 1024.0)
}

/// Builds the client on a thread of its own: a credential plugin blocks, and may never end.
async fn set_up(config: kube::Config, host: &str) -> Result<kube::Client, ConfigError> {
    let plugin = config.auth_info.exec.as_ref().and_then(|exec| exec.command.clone());
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    std::thread::spawn(move || {
        let _inside = runtime.enter();
        // Nobody listens any more once the time is over.
        let _ = sender.send(ClientBuilder::try_from(config).map(ClientBuilder::build));
    });
    match timeout(PLUGIN_TIMEOUT, receiver).await {
        Ok(Ok(Ok(client))) => Ok(client),
        Ok(Ok(Err(error))) => Err(error::set_up_failed(host, &error)),
        Ok(Err(_)) | Err(_) => Err(ConfigError::PluginTimeout {
            command: plugin.unwrap_or_else(|| "auth-provider".to_owned()),
            seconds: PLUGIN_TIMEOUT.as_secs(),
        }),
    }
}
