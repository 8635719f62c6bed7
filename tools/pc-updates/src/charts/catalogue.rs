//! A guess where a chart may be from, by its name in a catalogue: Artifact Hub, or an instance of
//! one's own.
//!
//! Charts of one name are many, and the one that is used may be in no catalogue. So what is found
//! is a guess, shown as one with what speaks for it; it never becomes an answer. One that does not
//! list the very version that is used is not even a guess.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http_asking::{Address, AddressError, Client, Kind, Request};
use records::text::{clean, shown};
use records::{ChartGuess, FailureCode};
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::index::Chart;
use super::newest::{By, newest};
use super::server::{may_be_asked, refused};
use super::version::ChartVersion;
use crate::problem::Problem;

/// The instance that everybody uses.
const PUBLIC: &str = "https://artifacthub.io";

/// How many charts of a search are looked at: the most that an answer has.
const MAX_FOUND: &str = "60";

/// How many charts of the right name are asked for their versions.
const MAX_ASKED: usize = 3;

/// How large an answer may be, in bytes. One about a chart has its readme in it.
const MAX_ANSWER: u64 = 8 * 1024 * 1024;

/// The longest text of an answer that is kept, in bytes.
const MAX_TEXT: usize = 256;

/// A catalogue's address.
#[derive(Debug, Clone)]
pub(crate) struct Hub(Address);

impl Hub {
    /// The one that everybody uses.
    pub(crate) fn public() -> Self {
        Self(PUBLIC.parse().expect("a constant that a test parses"))
    }

    /// An instance of one's own.
    pub(crate) fn at(url: &str) -> Result<Self, AddressError> {
        url.trim_end_matches('/').parse().map(Self)
    }

    fn page(&self, path: &str) -> Result<Address, AddressError> {
        format!("{self}{path}").parse()
    }
}

impl fmt::Display for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.url().as_str().trim_end_matches('/'))
    }
}

/// The answer to a search.
#[derive(Debug, Deserialize)]
struct Found {
    packages: Vec<Package>,
}

/// A chart in the answer to a search. Kinds of texts that are not wanted are not read.
#[derive(Debug, Clone, Deserialize)]
struct Package {
    name: String,
    normalized_name: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    app_version: Option<String>,
    #[serde(default)]
    official: bool,
    #[serde(default)]
    stars: u64,
    repository: InRepository,
}

#[derive(Debug, Clone, Deserialize)]
struct InRepository {
    name: String,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    verified_publisher: bool,
    #[serde(default)]
    official: bool,
}

/// What is asked of a chart itself.
#[derive(Debug, Deserialize)]
struct Details {
    #[serde(default)]
    available_versions: Vec<Available>,
}

#[derive(Debug, Deserialize)]
struct Available {
    version: String,
}

type Searched = Result<Arc<[Package]>, Problem>;
type Listed = Result<Arc<[Chart]>, Problem>;

/// Who asks a catalogue, everything once.
#[derive(Debug)]
pub(super) struct Catalogue {
    client: Client,
    hub: Hub,
    searches: Mutex<HashMap<String, Arc<OnceCell<Searched>>>>,
    versions: Mutex<HashMap<String, Arc<OnceCell<Listed>>>>,
}

/// An address without user name, password and query; nothing of what is no address.
fn without_secrets(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else { return String::new() };
    let is_bare = url.set_username("").is_ok() && url.set_password(None).is_ok();
    url.set_query(None);
    url.set_fragment(None);
    if is_bare || url.username().is_empty() { url.to_string() } else { String::new() }
}

impl Catalogue {
    pub(super) fn new(client: Client, hub: Hub) -> Self {
        Self { client, hub, searches: Mutex::default(), versions: Mutex::default() }
    }

    /// Who is asked.
    pub(super) fn host(&self) -> &str {
        self.hub.0.host().as_str()
    }

    /// The likeliest chart of this name that lists the version that is used; nothing where there
    /// is none.
    pub(super) async fn guess(
        &self,
        chart: &str,
        used: &str,
        current: &ChartVersion,
        by: By<'_>,
    ) -> Result<Option<ChartGuess>, Problem> {
        if !is_name(chart) {
            return Ok(None);
        }
        let search = cell(&self.searches, chart);
        let packages = search.get_or_init(|| self.search(chart)).await.clone()?;
        let mut not_asked = None;
        for package in packages.iter().take(MAX_ASKED) {
            let page = package.page();
            let list = cell(&self.versions, &page);
            let versions = match list.get_or_init(|| self.list(&page)).await.clone() {
                Ok(versions) => versions,
                Err(problem) => {
                    not_asked.get_or_insert(problem);
                    continue;
                }
            };
            if versions.iter().any(|other| *other.text == *used || other.version == *current) {
                let newer = newest(used, current, &versions, by).all;
                return Ok(Some(self.guessed(package, packages.len(), newer)));
            }
        }
        not_asked.map_or(Ok(None), Err)
    }

    fn guessed(&self, package: &Package, of: usize, newer: Option<Chart>) -> ChartGuess {
        let newest = newer.map(|chart| chart.text.into_string());
        let is_newest = newest.is_some() && package.version == newest;
        let short = |text: &Option<String>| text.as_deref().map(|text| clean(text, MAX_TEXT));
        let others = of as u64 - 1;
        let why = match (others, package.is_official(), package.repository.verified_publisher) {
            (0, ..) => "the catalogue found no other of this name",
            (_, true, _) => "the catalogue calls it official",
            (_, false, true) => "its publisher is verified",
            (_, false, false) => "it is the likeliest of those that were looked at",
        };
        ChartGuess {
            page: format!("{}/packages/helm/{}", self.hub, package.page()),
            repository: package.repository.name.clone(),
            url: short(&package.repository.url.as_deref().map(without_secrets)),
            verified_publisher: package.repository.verified_publisher,
            official: package.is_official(),
            others,
            newest,
            newest_app_version: short(&package.app_version).filter(|_| is_newest),
            why: format!("it has the name and lists the version that is used, and {why}"),
        }
    }

    /// The charts of exactly this name, the likeliest first.
    async fn search(&self, chart: &str) -> Searched {
        let address = self.hub.page("/api/v1/packages/search").map(|address| {
            // Kind 0 is that of charts (Artifact Hub, API).
            let query = [("kind", "0"), ("ts_query_web", chart), ("limit", MAX_FOUND)];
            address.with_query(&query)
        });
        let Found { packages } = self.ask(address).await?;
        let mut packages: Vec<Package> = packages
            .into_iter()
            .filter(|package| package.name == chart && package.is_usable())
            .collect();
        packages.sort_by(|a, b| {
            let key = |package: &Package| {
                let repository = &package.repository;
                (package.is_official(), repository.verified_publisher, package.stars)
            };
            key(b).cmp(&key(a)).then_with(|| a.page().cmp(&b.page()))
        });
        Ok(packages.into())
    }

    /// The versions of a chart.
    async fn list(&self, page: &str) -> Listed {
        let address = self.hub.page(&format!("/api/v1/packages/helm/{page}"));
        let Details { available_versions } = self.ask(address).await?;
        let texts = available_versions.iter().map(|available| available.version.as_str());
        let texts = texts.filter(|text| text.len() <= MAX_TEXT);
        Ok(texts.filter_map(Chart::of_version).collect())
    }

    async fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        address: Result<Address, AddressError>,
    ) -> Result<T, Problem> {
        let bad = |why: String| Problem {
            host: Some(self.host().to_owned()),
            ..Problem::new(FailureCode::BadResponse, format!("`{}`: {why}", self.hub))
        };
        let address = address.map_err(|error| bad(error.to_string()))?;
        may_be_asked(&self.client, &address)?;
        let request = Request::get(Kind::Charts, address).limit(MAX_ANSWER);
        let answer = self.client.ask(request).await.map_err(|error| refused(&error))?;
        if !answer.status.is_success() {
            return Err(refused(&answer.refusal()));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|error| bad(format!("its answer is none of Artifact Hub's ({error})")))
    }
}

impl Package {
    /// Its place in the catalogue.
    fn page(&self) -> String {
        format!("{}/{}", self.repository.name, self.normalized_name)
    }

    fn is_official(&self) -> bool {
        self.official || self.repository.official
    }

    /// Whether its names can stand in an address.
    fn is_usable(&self) -> bool {
        is_name(&self.repository.name) && is_name(&self.normalized_name)
    }
}

/// Whether a text can be the name of a chart or a repository.
fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=MAX_TEXT).contains(&text.len())
        && text.bytes().all(is_part)
        && text.bytes().any(|byte| byte != b'.')
}

/// A guess in words.
pub(super) fn words(guess: &ChartGuess, used: &str) -> String {
    let publisher = match (guess.official, guess.verified_publisher) {
        (true, true) => "official, of a verified publisher",
        (true, false) => "official",
        (false, true) => "of a verified publisher",
        (false, false) => "of a publisher whom nobody has verified",
    };
    let newest = match &guess.newest {
        Some(newest) => format!("has {}", shown(newest)),
        None => format!("has nothing newer than {}", shown(used)),
    };
    format!(
        "a guess and no more: {} ({publisher}; {} other charts of that name) {newest}",
        shown(&guess.page),
        guess.others
    )
}

fn cell<T>(cells: &Mutex<HashMap<String, Arc<OnceCell<T>>>>, key: &str) -> Arc<OnceCell<T>> {
    let mut cells = cells.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(cells.entry(key.to_owned()).or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_has_an_address() {
        assert_eq!(Hub::public().to_string(), PUBLIC);
        let own = Hub::at("https://hub.example.com/charts/").expect("an address");
        let page = own.page("/api/v1/x").expect("an address");
        assert_eq!(page.url().as_str(), "https://hub.example.com/charts/api/v1/x");
        assert!(Hub::at("hub.example.com").is_err());
    }

    #[test]
    fn names_that_lead_elsewhere_are_none() {
        for good in ["web", "cert-manager", "a.b_c", "A1"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "..", "a/b", "a?b", "a#b", "a b", "é", "%2e", &"x".repeat(257)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
