//! The client: one question in, one answer out, within every limit.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, header};
use tracing::{debug, info};

use crate::address::Scheme;
use crate::breaker::Breakers;
use crate::decode::{self, Coding};
use crate::guard::Guard;
use crate::in_flight::{InCrowd, InFlight, Permit};
use crate::kind::ERROR_BODY_LIMIT;
use crate::redirect::{self, MAX_REDIRECTS};
use crate::retry;
use crate::speaker::Speaker;
use crate::{
    Address, AllowedHosts, Answer, AskError, Counts, Host, HostSettings, Hosts, Kind, Method,
    PlainHttp, Problem, Request, RequestCounts, Settings, SettingsError, Sink, classify,
};

/// Installs the one TLS implementation of the suite. Every `main` calls this before anything
/// else; a second call changes nothing.
pub fn install_crypto_provider() {
    // An error says that a provider is installed already: this one, from an earlier call.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Asks, within the limits of its [`Settings`]. Cheap to clone; clones share limits and counts.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: Speaker,
    /// For entries of the hosts file with certificates of their own.
    own: HashMap<usize, Speaker>,
    /// Hosts that broke a connection off, which are spoken to by HTTP/1.1 from then on: some
    /// speak HTTP/2 badly, and of a handshake that was refused only HTTP/1.1 tells why.
    by_http1: Mutex<HashSet<Host>>,
    hosts: Hosts,
    guard: Guard,
    in_flight: InFlight,
    breakers: Breakers,
    counts: Counts,
    plain_http: PlainHttp,
    allowed_hosts: AllowedHosts,
    limits: classify::Limits,
    operation_timeout: Duration,
    tries: u8,
    deadline: Option<Instant>,
}

impl Client {
    /// A client for these settings.
    ///
    /// # Errors
    /// [`SettingsError::Client`] when TLS cannot be set up.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        install_crypto_provider();
        let guard = Guard::new(
            settings.allowed_addresses.clone(),
            settings.plain_http.clone(),
            settings.hosts.clone(),
        );
        let http = Speaker::new(&settings, &guard, None)?;
        let has_own = |set: &&HostSettings| !set.authorities.is_empty() || set.identity.is_some();
        let own = settings.hosts.all().filter(has_own);
        let own = own.map(|set| Ok((set.entry, Speaker::new(&settings, &guard, Some(set))?)));
        let own = own.collect::<Result<_, SettingsError>>()?;
        warn_of_proxies();
        let in_flight = InFlight::new(
            settings.in_flight,
            settings.in_flight_new,
            settings.in_flight_per_host,
            settings.hosts.clone(),
        );
        let limits =
            classify::Limits { connect: settings.connect_timeout, idle: settings.idle_timeout };
        Ok(Self(Arc::new(Inner {
            http,
            own,
            by_http1: Mutex::default(),
            hosts: settings.hosts,
            guard,
            in_flight,
            breakers: Breakers::default(),
            counts: Counts::default(),
            plain_http: settings.plain_http,
            allowed_hosts: settings.allowed_hosts,
            limits,
            operation_timeout: settings.operation_timeout,
            tries: settings.tries,
            deadline: settings.deadline,
        })))
    }

    /// The hosts that are asked over plain http.
    #[must_use]
    pub fn plain_http(&self) -> &PlainHttp {
        &self.0.plain_http
    }

    /// The settings of single hosts.
    #[must_use]
    pub fn hosts(&self) -> &Hosts {
        &self.0.hosts
    }

    /// The address of `path` (beginning with `/`, nothing in it to be escaped) at `host`: https
    /// unless the host is listed for plain http.
    #[must_use]
    pub fn address(&self, host: &Host, path: &str) -> Address {
        let scheme = if self.0.plain_http.contains(host) { Scheme::Http } else { Scheme::Https };
        Address::new(scheme, host, path)
    }

    /// Somebody waits for what another asks this host, until this is dropped: hosts that have not
    /// answered yet are tried in the order of how many wait for them.
    #[must_use]
    pub fn waits_for(&self, host: &Host) -> InCrowd {
        self.0.in_flight.join(host)
    }

    /// What was asked so far.
    #[must_use]
    pub fn requests(&self) -> RequestCounts {
        self.0.counts.snapshot()
    }

    /// Asks, again where that may help, follows redirects, and reads the whole answer. An answer of
    /// any status is an answer.
    ///
    /// # Errors
    /// An [`AskError`] when there is no answer, or none that may be used.
    pub async fn ask(&self, request: Request) -> Result<Answer, AskError> {
        let mut left = self.0.operation_timeout;
        let mut tries = 0;
        let host = request.address.host();
        let trial = self.0.in_flight.trial(host, || self.may_ask(host));
        let trial = self.within_run(trial).await.map_err(|problem| request.failed(problem))?;
        loop {
            tries += 1;
            let mut permit = None;
            let outcome = self.attempt(request.clone(), &mut left, &mut permit).await;
            self.note_broken(&outcome);
            // Who would come back after the run is over need not wait for that.
            let time = self.time_left().map_or(left, |run| run.min(left));
            let Some(wait) = retry::wait(&outcome, tries, self.0.tries, time) else {
                // Before the permit goes to the next, who may find the breaker open.
                if self.0.breakers.note(&outcome) == Some(host) {
                    trial.failed();
                }
                if self.0.breakers.open(host).is_some() {
                    self.0.in_flight.gave_up(host);
                }
                return outcome;
            };
            drop(permit);
            debug!(host = %request.address.host(), kind = %request.kind, tries, ?wait, "again");
            tokio::time::sleep(wait).await;
            left = left.saturating_sub(wait);
        }
    }

    fn note_broken(&self, outcome: &Result<Answer, AskError>) {
        if let Err(error) = outcome
            && matches!(error.problem(), Problem::Broken(_))
        {
            self.by_http1().insert(error.host().clone());
        }
    }

    fn by_http1(&self) -> MutexGuard<'_, HashSet<Host>> {
        self.0.by_http1.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One try: the request, and those that its redirects lead to. Waiting for one's turn takes
    /// nothing of the operation's time, which `left` is. The last `permit` is left to the caller.
    async fn attempt(
        &self,
        request: Request,
        left: &mut Duration,
        permit: &mut Option<Permit>,
    ) -> Result<Answer, AskError> {
        let mut request = request;
        for _ in 0..=MAX_REDIRECTS {
            let failed = |problem| request.failed(problem);
            // Never two at a time, or redirects could wait for each other.
            drop(permit.take());
            *permit = Some(self.turn(&request).await.map_err(failed)?);
            let started = Instant::now();
            let limit = self.time_left().map_or(*left, |run| run.min(*left));
            let sent = tokio::time::timeout(limit, self.exchange(&request)).await;
            *left = left.saturating_sub(started.elapsed());
            let over = |_| match self.time_left() {
                Some(Duration::ZERO) => failed(Problem::Deadline),
                _ => failed(Problem::Timeout(self.0.operation_timeout)),
            };
            match sent.map_err(over)?.map_err(failed)? {
                Exchange::Answer(answer) => return Ok(answer),
                Exchange::Redirect(location) => {
                    self.0.breakers.answered(request.address.host());
                    request = redirect::follow(&request, &location, &self.0.plain_http)
                        .map_err(failed)?;
                }
            }
        }
        Err(request.failed(Problem::TooManyRedirects(MAX_REDIRECTS)))
    }

    /// Waits for this request's turn; an error says that its host is not to be asked.
    async fn turn(&self, request: &Request) -> Result<Permit, Problem> {
        let host = request.address.host();
        if !self.0.allowed_hosts.allows(host) {
            return Err(Problem::HostNotAllowed(host.clone()));
        }
        self.0.guard.check(&request.address)?;
        self.within_run(self.0.in_flight.permit(host, || self.may_ask(host))).await
    }

    /// Waits no longer than the run takes.
    async fn within_run<T>(
        &self,
        waiting: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        match self.time_left() {
            Some(left) => {
                tokio::time::timeout(left, waiting).await.unwrap_or(Err(Problem::Deadline))
            }
            None => waiting.await,
        }
    }

    /// What speaks against asking this host now.
    fn may_ask(&self, host: &Host) -> Result<(), Problem> {
        match self.time_left() {
            Some(Duration::ZERO) => Err(Problem::Deadline),
            _ => self.0.breakers.open(host).map_or(Ok(()), Err),
        }
    }

    /// What is left of the run; `None` where it has no deadline.
    fn time_left(&self) -> Option<Duration> {
        let now = Instant::now();
        self.0.deadline.map(|deadline| deadline.saturating_duration_since(now))
    }

    /// One request and its answer, without looking behind a redirect.
    async fn exchange(&self, request: &Request) -> Result<Exchange, Problem> {
        let host = request.address.host();
        let problem = |error: reqwest::Error| classify::problem(&error, host, self.0.limits);
        let started = Instant::now();
        self.0.counts.add(host, request.kind);
        let mut response = self.send(request).await.map_err(problem)?;
        let (status, headers) = (response.status(), response.headers().clone());
        self.0.in_flight.answered(host);
        debug!(%host, kind = %request.kind, %status, elapsed = ?started.elapsed(), "asked");
        if let Some(location) = redirect::location(request.method, status, &headers) {
            return Ok(Exchange::Redirect(Bytes::copy_from_slice(location)));
        }
        let limit = request.limit;
        let unread = |error| match error {
            ReadError::TooLarge => Problem::TooLarge(limit),
            ReadError::Http(error) => problem(error),
        };
        let body = match (request.method, status.is_success(), &request.sink) {
            (Method::Head, ..) => Bytes::new(),
            (_, true, Some(sink)) => {
                Coding::of(&headers)?.must_be_none()?;
                pass_on(&mut response, limit, &**sink).await.map_err(unread)?;
                Bytes::new()
            }
            (_, true, None) => {
                let coding = Coding::of(&headers)?;
                let body = read(&mut response, limit).await.map_err(unread)?;
                coding.unpack(body, limit)?
            }
            (_, false, _) => {
                let body = read_start(&mut response, ERROR_BODY_LIMIT).await.map_err(problem)?;
                // What cannot be read says nothing; the status does.
                Coding::of(&headers)
                    .map(|coding| coding.unpack_start(body, ERROR_BODY_LIMIT))
                    .unwrap_or_default()
            }
        };
        let (host, kind) = (host.clone(), request.kind);
        Ok(Exchange::Answer(Answer { host, kind, status, headers, body }))
    }

    async fn send(&self, request: &Request) -> Result<reqwest::Response, reqwest::Error> {
        let host = request.address.host();
        let own = self.0.hosts.of(host).and_then(|set| self.0.own.get(&set.entry));
        let speaker = own.unwrap_or(&self.0.http);
        let http = if self.by_http1().contains(host) { &speaker.http1 } else { &speaker.whatever };
        let mut builder = http.request(request.method.to_reqwest(), request.address.url().clone());
        if let Some(accept) = &request.accept {
            builder = builder.header(header::ACCEPT, accept);
        }
        // The length of a HEAD's answer and the bytes of a blob are wanted as they are stored.
        let coding = match request.kind {
            Kind::Head | Kind::Blob | Kind::Config => "identity",
            Kind::Manifest
            | Kind::Token
            | Kind::Tags
            | Kind::Referrers
            | Kind::Charts
            | Kind::Events
            | Kind::Report => decode::ACCEPTED,
        };
        builder = builder.header(header::ACCEPT_ENCODING, HeaderValue::from_static(coding));
        if let Some(known) = &request.unless {
            builder = builder.header(header::IF_NONE_MATCH, known);
        }
        if let Some(authorization) = &request.authorization {
            builder = builder.header(header::AUTHORIZATION, authorization);
        }
        builder = builder.headers(request.headers.clone());
        if let Some((media_type, body)) = &request.body {
            builder = builder.header(header::CONTENT_TYPE, media_type).body(body.clone());
        }
        builder.send().await
    }
}

/// What one request led to.
enum Exchange {
    Answer(Answer),
    /// The `Location` of a redirect, as it came.
    Redirect(Bytes),
}

enum ReadError {
    TooLarge,
    Http(reqwest::Error),
}

/// The whole body as it comes, unless it is larger than `limit`.
async fn read(response: &mut reqwest::Response, limit: u64) -> Result<Bytes, ReadError> {
    let announced = response.content_length().unwrap_or_default();
    if announced > limit {
        return Err(ReadError::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(ReadError::Http)? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(ReadError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Gives the body to somebody as it comes, unless it is larger than `limit`.
async fn pass_on(
    response: &mut reqwest::Response,
    limit: u64,
    sink: &dyn Sink,
) -> Result<(), ReadError> {
    if response.content_length().unwrap_or_default() > limit {
        return Err(ReadError::TooLarge);
    }
    sink.begin();
    let mut left = limit;
    while let Some(chunk) = response.chunk().await.map_err(ReadError::Http)? {
        left = left.checked_sub(chunk.len() as u64).ok_or(ReadError::TooLarge)?;
        sink.take(chunk).await;
    }
    Ok(())
}

/// The first `limit` bytes of the body as it comes.
async fn read_start(response: &mut reqwest::Response, limit: u64) -> reqwest::Result<Bytes> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        let room = usize::try_from(limit).unwrap_or(usize::MAX) - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() >= room {
            break;
        }
    }
    Ok(body.freeze())
}

/// Behind a proxy, names are resolved there: what this machine may not ask, the proxy may.
fn warn_of_proxies() {
    let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let names =
        ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"];
    if let Some(name) = names.iter().find(|name| set(name)) {
        info!(
            "`{name}` is set: of hosts asked through that proxy only literal addresses are checked"
        );
    }
}
