//! From the flags to whom to trust and what to judge with.

use std::sync::Arc;

use cluster::{Cluster, ClusterArgs};
use http_asking::{Client, HttpArgs, RequestCounts};
use serde_json::{Value, json};
use stage::Fault;

use crate::judge::{self, Judge, LogDemand};
use crate::provenance::Table;
use crate::trust::{
    self, Fetched, Mirror, MirrorError, RootSource, Trust, TrustArgs, TrustedKey, Wanted, fetch,
    get, read_secret,
};

/// What evidence is examined with.
pub(crate) struct Setup {
    pub(crate) trust: Trust,
    pub(crate) judge: Judge,
    pub(crate) builders: Arc<Table>,
    /// What was asked for it, by host and kind.
    pub(crate) asked: RequestCounts,
}

impl Setup {
    /// Reads what the flags name, and asks for what they name elsewhere.
    pub(crate) async fn new(
        args: &TrustArgs,
        http: &HttpArgs,
        cluster: &ClusterArgs,
        now: jiff::Timestamp,
    ) -> Result<Self, Fault> {
        let mut asked = RequestCounts::new();
        let mirrored = match args.mirror().map_err(Fault::usage)? {
            Some(mirror) => Some(mirrored(&mirror, http, &mut asked).await?),
            None => None,
        };
        let sources = args.sources(mirrored).map_err(Fault::usage)?;
        let builders = Arc::new(match sources.builders() {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    Fault::usage(format!("the table of builders `{}`: {error}", path.display()))
                })?;
                let origin = path.to_string_lossy();
                Table::parse(&text, &origin).map_err(Fault::usage)?.before_built_in()
            }
            None => Table::built_in().clone(),
        });
        let fetched = fetched(sources.wanted(), http, cluster, &mut asked).await?;
        let log = sources.log();
        let shared = Arc::clone(&builders);
        let is_shared = Box::new(move |by: &_| shared.is_shared(by));
        let trust = Trust::new(sources, &fetched, now, is_shared).map_err(Fault::usage)?;
        let roots: Vec<judge::Root> = trust
            .roots()
            .iter()
            .map(|it| root(it, log))
            .collect::<Result<_, _>>()
            .map_err(Fault::usage)?;
        let keys: Vec<judge::Key> =
            trust.keys().iter().map(key).collect::<Result<_, _>>().map_err(Fault::usage)?;
        Ok(Self { trust, judge: Judge::new(roots, keys), builders, asked })
    }

    /// The roots, by name, with the hash of each and the newest time that anything in it began to
    /// be valid, which says how old it is at most.
    pub(crate) fn roots(&self) -> Value {
        let roots = self.judge.roots().iter().map(|root| {
            let newest = root.newest().map(|time| time.to_string());
            json!({"name": root.name(), "digest": root.digest(), "newest": newest})
        });
        roots.collect()
    }

    /// The roots by name, with their documents.
    pub(crate) fn root_texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.trust.roots().iter().map(|root| (root.name(), root.text()))
    }

    /// The keys by name, with their ids.
    pub(crate) fn keys(&self) -> Value {
        let keys = self.judge.keys().iter();
        keys.map(|key| json!({"name": key.name(), "id": key.id().0})).collect()
    }
}

fn client(http: &HttpArgs) -> Result<Client, Fault> {
    let settings = http.clone().settings().map_err(Fault::usage)?;
    Client::new(settings).map_err(Fault::usage)
}

/// The root that a TUF mirror has.
async fn mirrored(
    mirror: &Mirror,
    http: &HttpArgs,
    asked: &mut RequestCounts,
) -> Result<trust::Root, Fault> {
    let client = client(http)?;
    let root = mirror.root(&client, jiff::Timestamp::now()).await;
    add(asked, client.requests());
    root.map_err(|error| match error {
        MirrorError::PlainHttp { .. } => Fault::usage(error),
        _ => {
            let hint = error.hint();
            Fault::incomplete(error).with_hint(hint)
        }
    })
}

/// What lies elsewhere. The cluster is only asked, and its configuration only read, where a key
/// is there.
async fn fetched(
    wanted: &[Wanted],
    http: &HttpArgs,
    cluster: &ClusterArgs,
    asked: &mut RequestCounts,
) -> Result<Fetched, Fault> {
    if wanted.is_empty() {
        return Ok(Fetched::default());
    }
    let client = client(http)?;
    let in_cluster = wanted.iter().any(|wanted| matches!(wanted, Wanted::Secret(_)));
    let cluster = match in_cluster {
        true => Some(Cluster::connect(cluster).await.map_err(|error| {
            let hint = error.hint();
            Fault::incomplete(error).with_hint(hint)
        })?),
        false => None,
    };
    let secret = async |at: &trust::SecretKey| match &cluster {
        Some(cluster) => read_secret(cluster, at).await,
        None => Err("no cluster is configured".to_owned()),
    };
    let fetched = fetch(wanted, async |at| get(&client, at).await, secret).await;
    add(asked, client.requests());
    if let Some(cluster) = &cluster {
        add(asked, RequestCounts::from([("api".to_owned(), cluster.requests())]));
    }
    fetched.map_err(Fault::incomplete)
}

/// Adds what one client has asked to what others have.
pub(crate) fn add(all: &mut RequestCounts, more: RequestCounts) {
    for (host, kinds) in more {
        let known = all.entry(host).or_default();
        for (kind, count) in kinds {
            *known.entry(kind).or_default() += count;
        }
    }
}

fn root(root: &trust::Root, log: LogDemand) -> Result<judge::Root, judge::RootError> {
    let root = match root.source() {
        RootSource::PublicGood => judge::Root::public_good(),
        RootSource::Github => judge::Root::github(),
        RootSource::Json(text) => judge::Root::from_json(root.name(), text),
    }?;
    Ok(match log {
        LogDemand::Demanded => root,
        LogDemand::NotDemanded => {
            let demands = judge::Demands { log: false, ..root.demands() };
            root.demanding(demands)
        }
    })
}

fn key(trusted: &TrustedKey) -> Result<judge::Key, judge::KeyError> {
    let key = judge::Key::from_pem(&trusted.name, &trusted.pem)?;
    let key = match trusted.hash {
        Some(hash) => key.with_hash(hash),
        None => key,
    };
    Ok(match trusted.log {
        LogDemand::Demanded => key,
        LogDemand::NotDemanded => key.without_log(),
    })
}
