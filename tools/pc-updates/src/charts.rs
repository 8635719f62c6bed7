//! Asking about a release's chart: where it came from is in its record.
//!
//! - `version`: the versions of charts.
//! - `server`: asks a chart repository that is a web server for its index.
//! - `index`: what such an index says.
//! - `laid_out`: such an index in the layout directory, where that stands for all hosts.
//! - `cache`: indexes from one run to the next, where a folder is given.
//! - `newest`: what is newer among the versions of a chart.
//! - `catalogue`: a guess where a chart may be from, where guesses are asked for.

mod cache;
mod catalogue;
mod index;
mod laid_out;
mod newest;
mod server;
mod version;

use http_asking::{Address, Client, RequestCounts};
use jiff::Timestamp;
use records::text::shown;
use records::{FailureCode, Release, Update, UpdateKind, UpdateStatus};
use registry::{Registry, Repository};
use stage::exit::chain;

use crate::answer::{self, Answer, Judged, List};
use crate::compare::Why;
use crate::problem::Problem;
use crate::rule::Rule;
use crate::tags;

use catalogue::Catalogue;
use server::Server;

pub(crate) use cache::{Cache, CacheError};
pub(crate) use catalogue::Hub;
pub use index::{Chart, Index, IndexError, Unread};
pub use newest::{By, Newest, newest};
pub use version::{ChartVersion, strict};

/// Helm's word for a release of which nothing runs any more (`--keep-history`).
pub(crate) const UNINSTALLED: &str = "uninstalled";

/// Who asks about charts.
#[derive(Debug)]
pub(crate) struct Charts {
    registry: Registry,
    server: Server,
    catalogue: Option<Catalogue>,
    now: Timestamp,
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
    /// Asks registries by `registry` and web servers by `client`; a catalogue only where one is
    /// given.
    pub(crate) fn new(
        client: &Client,
        registry: &Registry,
        cache: Option<Cache>,
        hub: Option<Hub>,
        now: Timestamp,
    ) -> Self {
        let server = Server::new(client.clone(), registry.clone(), cache);
        let catalogue = hub.map(|hub| Catalogue::new(client.clone(), hub));
        Self { registry: registry.clone(), server, catalogue, now }
    }

    /// What was asked of web servers so far.
    pub(crate) fn requests(&self) -> RequestCounts {
        self.server.requests()
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
            Ok(None) => {
                let guessed = self.guess(release, chart, used, &current, rule, &mut update).await;
                return answer::finish(update, no_origin(release, guessed));
            }
            Err(problem) => Err(problem),
        };
        let (versions, list, unread) = match listed {
            Ok(listed) => listed,
            Err(problem) => return answer::finish(update, Judged::failed(problem)),
        };
        if rule.read(used).is_none() {
            let reason =
                format!("the rule's filter does not match `{}`, which is used", shown(used));
            return answer::finish(update, Judged::because(UpdateStatus::NotComparable, reason));
        }
        let mut newer = newest(used, &current, &versions, By { rule, now: self.now });
        if unread.count > 0 {
            newer.left_out.note_many(Why::NoVersion, &unread.first, unread.count);
        }
        newer.fill(&mut update);
        let mut judged = newer.judge(used, rule, list);
        let mut remarks = newer.remarks(release.deprecated, rule);
        remarks.extend(judged.reason.take());
        judged.reason = (!remarks.is_empty()).then(|| remarks.join("; "));
        answer::finish(update, judged)
    }

    /// Looks for a guess, and puts it into the record, marked as one.
    async fn guess(
        &self,
        release: &Release,
        chart: &str,
        used: &str,
        current: &ChartVersion,
        rule: &Rule,
        update: &mut Update,
    ) -> Guessed {
        let nobody_knows = matches!(release.origin.kind.as_str(), "unknown" | "unread" | "skipped");
        let Some(catalogue) = self.catalogue.as_ref().filter(|_| nobody_knows) else {
            return Guessed::No;
        };
        match catalogue.guess(chart, used, current, By { rule, now: self.now }).await {
            Ok(Some(guess)) => {
                let words = catalogue::words(&guess, used);
                update.guess = Some(guess);
                Guessed::Told(words)
            }
            Ok(None) => Guessed::Told(format!(
                "no guess either: none of the charts of that name that were looked at in {} lists the version `{}`",
                catalogue.host(),
                shown(used)
            )),
            Err(problem) => Guessed::Failed(problem),
        }
    }

    /// All versions of a chart, and a note of what is listed as one and is none.
    async fn listed(
        &self,
        place: &Place,
        chart: &str,
    ) -> Result<(Vec<Chart>, List, Unread), Problem> {
        match place {
            Place::Registry(repository) => {
                let listed = tags::list(&self.registry, repository).await?;
                let list = if listed.is_authoritative { List::Whole } else { List::OfMirror };
                // A tag of a registry may be anything, and says so by not being a version.
                let charts = listed.tags().filter_map(Chart::of_tag).collect();
                Ok((charts, list, Unread::default()))
            }
            Place::Server(address) => {
                let index = self.server.index(address).await?;
                match index.versions(chart) {
                    Some(versions) => {
                        let unread = index.unread(chart).cloned().unwrap_or_default();
                        Ok((versions.to_vec(), List::Whole, unread))
                    }
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

/// What became of a guess.
enum Guessed {
    /// None was asked for, or none is due: somebody has said that it is in no chart repository.
    No,
    /// In words.
    Told(String),
    /// The catalogue could not be asked.
    Failed(Problem),
}

/// Nobody says where the chart is from; how that is known is pc-helm's word. A guess does not
/// change that.
fn no_origin(release: &Release, guessed: Guessed) -> Judged {
    let chart = shown(release.chart.as_deref().unwrap_or_default());
    let how = match release.origin.how.as_str() {
        "" => String::new(),
        how => format!(" ({})", shown(how)),
    };
    let (guess, problem) = match guessed {
        Guessed::No => (String::new(), None),
        Guessed::Told(words) => (format!("; {words}"), None),
        Guessed::Failed(problem) => {
            (format!("; no guess, {}: {}", problem.code, problem.message), Some(problem))
        }
    };
    let reason = format!(
        "origin-unknown: Helm does not keep where a chart came from, and nothing says so of `{chart}`{how}; name its repository for pc-helm (`--chart-origins`){guess}"
    );
    Judged { problem, ..Judged::because(UpdateStatus::Unknown, reason) }
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
