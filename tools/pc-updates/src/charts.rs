//! Asking about a release's chart: where it came from is in its record.
//!
//! - `version`: the versions of charts.
//! - `index`: the index of a chart repository that is a web server.
//! - `laid_out`: such an index in the layout directory, where that stands for all hosts.
//! - `newest`: what is newer among the versions of a chart.

mod index;
mod laid_out;
mod newest;
mod version;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_asking::{
    Address, AskError, Client, HostCredentials, Kind, Request, RequestCounts, Scheme,
};
use records::text::shown;
use records::{FailureCode, Release, Update, UpdateKind, UpdateStatus};
use registry::{Registry, Repository};
use stage::exit::chain;
use tokio::sync::{OnceCell, Semaphore};

use crate::answer::{self, Answer, Judged, List};
use crate::problem::Problem;
use crate::rule::Rule;
use crate::tags::Lists;

pub use index::{Chart, Index, IndexError};
pub use newest::{Newest, newest};
pub use version::{ChartVersion, strict};

/// How large the index of a chart repository may be, in bytes. The largest public ones have 20 MB.
const MAX_INDEX: u64 = 64 * 1024 * 1024;

/// How many indexes are fetched and read at a time: each is whole in memory meanwhile.
const READING: usize = 2;

/// Helm's word for a release of which nothing runs any more (`--keep-history`).
const UNINSTALLED: &str = "uninstalled";

type Indexed = Result<Arc<Index>, Problem>;

/// Who asks about charts.
#[derive(Debug)]
pub(crate) struct Charts {
    client: Client,
    registry: Registry,
    lists: Arc<Lists>,
    indexes: Mutex<HashMap<String, Arc<OnceCell<Indexed>>>>,
    reading: Semaphore,
}

/// Where a chart is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A repository of a registry, whose tags are the chart's versions.
    Registry(Repository),
    /// A web server with an index.
    Server(Address),
}

impl Charts {
    pub(crate) fn new(client: Client, registry: Registry, lists: Arc<Lists>) -> Self {
        let reading = Semaphore::new(READING);
        Self { client, registry, lists, indexes: Mutex::default(), reading }
    }

    /// What was asked for indexes so far.
    pub(crate) fn requests(&self) -> RequestCounts {
        self.client.requests()
    }

    /// What is newer than a release's chart.
    pub(crate) async fn ask(&self, release: &Release, rule: &Rule) -> Answer {
        let mut update = Update {
            namespace: Some(release.namespace.clone()),
            release_name: Some(release.release_name.clone()),
            rule: rule.text().to_owned(),
            rule_from: rule.from(),
            current: release.version.clone(),
            ..answer::blank(UpdateKind::Release)
        };
        let (status, reason) = match (&release.chart, &release.version) {
            _ if rule.ignore => (UpdateStatus::Ignored, "a rule says not to look".to_owned()),
            _ if release.status == UNINSTALLED => (
                UpdateStatus::NotComparable,
                "the release is uninstalled, and only its history is kept".to_owned(),
            ),
            (Some(_), Some(used)) if rule.desired.is_some() => {
                let wants = rule.desired.as_ref() != Some(used);
                update.newest = rule.desired.clone().filter(|_| wants);
                match wants {
                    true => (UpdateStatus::Available, "the rule wants another one".to_owned()),
                    false => {
                        (UpdateStatus::Current, "it is the one that the rule wants".to_owned())
                    }
                }
            }
            (Some(chart), Some(used)) => {
                return self.compare(release, chart, used, rule, update).await;
            }
            _ => (
                UpdateStatus::Unknown,
                "of which version its chart is could not be read; the release's failures say why"
                    .to_owned(),
            ),
        };
        answer::finish(update, Judged::because(status, reason))
    }

    async fn compare(
        &self,
        release: &Release,
        chart: &str,
        used: &str,
        rule: &Rule,
        mut update: Update,
    ) -> Answer {
        let Some(current) = ChartVersion::parse(used) else {
            let reason = format!("`{}` is no version (semver.org)", shown(used));
            return answer::finish(update, Judged::because(UpdateStatus::NotComparable, reason));
        };
        update.current_version = Some(current.to_string());
        let listed = match place(release.origin.url.as_deref()) {
            Ok(Some(place)) => self.listed(&place, chart).await,
            Ok(None) => return answer::finish(update, no_origin(release)),
            Err(problem) => Err(problem),
        };
        let (versions, list) = match listed {
            Ok(listed) => listed,
            Err(problem) => return answer::finish(update, Judged::failed(problem)),
        };
        let newer = newest(used, &current, &versions, rule);
        newer.fill(&mut update);
        let mut judged = newer.judge(used, rule, list);
        if release.deprecated {
            let reason = judged.reason.map_or(String::new(), |reason| format!("; {reason}"));
            judged.reason = Some(format!("the chart calls itself deprecated{reason}"));
        }
        answer::finish(update, judged)
    }

    /// All versions of a chart.
    async fn listed(&self, place: &Place, chart: &str) -> Result<(Vec<Chart>, List), Problem> {
        match place {
            Place::Registry(repository) => {
                let listed = self.lists.of(repository).await?;
                let list = if listed.is_authoritative { List::Whole } else { List::OfMirror };
                Ok((listed.tags().filter_map(Chart::of_tag).collect(), list))
            }
            Place::Server(address) => {
                let index = self.index(address).await?;
                match index.versions(chart) {
                    Some(versions) => Ok((versions.to_vec(), List::Whole)),
                    None => Err(Problem {
                        host: Some(address.host().to_string()),
                        ..Problem::new(
                            FailureCode::NotFound,
                            format!(
                                "the index of `{}` has no chart `{}`: it was removed, or the release came from elsewhere",
                                shown(address.url().as_str()),
                                shown(chart)
                            ),
                        )
                    }),
                }
            }
        }
    }

    /// The index of a repository, asked for once.
    async fn index(&self, address: &Address) -> Indexed {
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
        let host = address.host();
        let is_listed = self.client.plain_http().contains(host);
        if address.scheme() == Scheme::Http && !is_listed {
            return Err(Problem {
                host: Some(host.to_string()),
                ..Problem::new(
                    FailureCode::HostNotAllowed,
                    format!(
                        "`{}` is plain http, which only hosts in `--plain-http` are asked by",
                        shown(address.url().as_str())
                    ),
                )
            });
        }
        let _turn = self.reading.acquire().await;
        let request = Request::get(Kind::Blob, address.clone())
            .limit(MAX_INDEX)
            .authorization(self.authorization(address));
        let asked = |error: &AskError| Problem {
            host: Some(error.host().to_string()),
            status: error.status().map(|status| status.as_u16()),
            ..Problem::new(error.code(), chain(error))
        };
        let answer = self.client.ask(request).await.map_err(|error| asked(&error))?;
        if !answer.status.is_success() {
            return Err(asked(&answer.refusal()));
        }
        let body = answer.body;
        let read = tokio::task::spawn_blocking(move || Index::read(&body)).await;
        let read = read.expect("reading does not panic, and nobody cancels it");
        read.map(Arc::new).map_err(|error| Problem {
            host: Some(host.to_string()),
            ..Problem::new(error.code(), format!("`{}`: {error}", shown(address.url().as_str())))
        })
    }

    /// The credentials that the hosts file has for a host (RFC 7617).
    fn authorization(&self, address: &Address) -> Option<http::HeaderValue> {
        let settings = self.client.hosts().of(address.host())?;
        match settings.credentials.as_ref()? {
            HostCredentials::Password { user, password } => {
                let pair = STANDARD.encode(format!("{user}:{password}"));
                http::HeaderValue::try_from(format!("Basic {pair}")).ok()
            }
            HostCredentials::IdentityToken(_) => None,
        }
    }
}

/// Where an origin leads; nothing where none is known.
fn place(url: Option<&str>) -> Result<Option<Place>, Problem> {
    let Some(url) = url else { return Ok(None) };
    let bad = |why: String| {
        let message = format!("the chart's origin `{}`: {why}", shown(url));
        Problem::new(FailureCode::BadReference, message)
    };
    if let Some(name) = url.strip_prefix("oci://") {
        let repository = name.trim_end_matches('/').parse::<Repository>();
        let repository = repository.map_err(|error| bad(chain(&error)))?;
        return Ok(Some(Place::Registry(repository)));
    }
    let index = format!("{}/index.yaml", url.trim_end_matches('/'));
    let address = index.parse::<Address>().map_err(|error| bad(chain(&error)))?;
    Ok(Some(Place::Server(address)))
}

/// Nobody says where the chart is from; how that is known is pc-helm's word.
fn no_origin(release: &Release) -> Judged {
    let chart = shown(release.chart.as_deref().unwrap_or_default());
    let how = match release.origin.how.as_str() {
        "" => String::new(),
        how => format!(" ({})", shown(how)),
    };
    Judged::because(
        UpdateStatus::Unknown,
        format!(
            "origin-unknown: Helm does not keep where a chart came from, and nothing says so of `{chart}`{how}; name its repository for pc-helm (`--chart-origins`)"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_leads_to_a_registry_or_a_server() {
        let told = |url| match place(Some(url)) {
            Ok(Some(Place::Registry(repository))) => repository.to_string(),
            Ok(Some(Place::Server(address))) => address.url().to_string(),
            Ok(None) => "nowhere".to_owned(),
            Err(problem) => format!("{}: {}", problem.code, problem.message),
        };
        assert_eq!(told("oci://ghcr.io/acme/charts/web"), "ghcr.io/acme/charts/web");
        assert_eq!(told("oci://ghcr.io/acme/charts/web/"), "ghcr.io/acme/charts/web");
        assert_eq!(told("https://charts.example.com/"), "https://charts.example.com/index.yaml");
        assert_eq!(told("https://example.com/a"), "https://example.com/a/index.yaml");
        for bad in ["ftp://a/b", "oci://", "oci://A B", "https://u:p@example.com", "/charts"] {
            assert!(told(bad).starts_with("bad-reference: the chart's origin"), "{}", told(bad));
        }
        assert_eq!(place(None), Ok(None));
    }
}
