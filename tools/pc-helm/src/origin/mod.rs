//! Where charts came from. Helm itself does not store it, so somebody else must say it: the
//! configuration, Flux, Argo CD, or k3s. Nothing is guessed from names.
//!
//! - `rules`: the configuration.
//! - `flux`, `argo`, `k3s`: what their objects say; plain functions over slim types.
//! - `ask`: which kinds of objects the cluster has, and reading them.
//! - `address`: addresses of chart repositories, without what is secret in them.

mod address;
mod argo;
pub(crate) mod ask;
mod flux;
mod k3s;
pub(crate) mod rules;

use std::collections::{BTreeMap, BTreeSet};

use cluster::types::Text;
use records::text::shown;
use records::{Origin, text};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::object::Key;
use crate::origin::rules::Rules;

/// Objects that say something about charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// HelmRelease of Flux.
    FluxRelease,
    /// HelmRepository of Flux.
    FluxHelmRepository,
    /// OCIRepository of Flux.
    FluxOciRepository,
    /// HelmChart of Flux.
    FluxChart,
    /// Application of Argo CD.
    Application,
    /// HelmChart of k3s.
    K3sChart,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::FluxRelease,
        Self::FluxHelmRepository,
        Self::FluxOciRepository,
        Self::FluxChart,
        Self::Application,
        Self::K3sChart,
    ];

    /// API group and kind.
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::FluxRelease => ("helm.toolkit.fluxcd.io", "HelmRelease"),
            Self::FluxHelmRepository => ("source.toolkit.fluxcd.io", "HelmRepository"),
            Self::FluxOciRepository => ("source.toolkit.fluxcd.io", "OCIRepository"),
            Self::FluxChart => ("source.toolkit.fluxcd.io", "HelmChart"),
            Self::Application => ("argoproj.io", "Application"),
            Self::K3sChart => ("helm.cattle.io", "HelmChart"),
        }
    }

    /// The kind of an object that says this of itself.
    pub(crate) fn of(api_version: &str, kind: &str) -> Option<Self> {
        let (group, _) = api_version.split_once('/')?;
        Self::ALL.into_iter().find(|one| one.names() == (group, kind))
    }

    /// For a sentence: `HelmReleases (helm.toolkit.fluxcd.io)`.
    pub(crate) fn plural(self) -> String {
        let (group, kind) = self.names();
        let kind = kind.strip_suffix('y').map_or(format!("{kind}s"), |stem| format!("{stem}ies"));
        format!("{kind} ({group})")
    }
}

/// An object's name and namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(default)]
pub(crate) struct Place {
    /// The namespace.
    pub(crate) namespace: Text,
    /// The name.
    pub(crate) name: Text,
}

impl Place {
    /// For a sentence: `HelmRelease shop/web`.
    fn called(&self, kind: &str) -> String {
        format!("{kind} {}/{}", shown(&self.namespace), shown(&self.name))
    }
}

/// What somebody says about the chart of a release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Saying {
    /// The chain of objects that says it.
    how: String,
    /// The word for the kind of origin.
    kind: &'static str,
    /// The address, where it is one of a chart repository.
    url: Option<String>,
    /// The chart's name, where that is said.
    chart: Option<Text>,
}

/// Whether objects are asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Nobody is.
    #[default]
    Nobody,
    /// Those that are there.
    Objects,
}

/// What all objects say.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    /// Whether they were asked.
    pub(crate) asked: Asked,
    flux: flux::Flux,
    sayings: BTreeMap<Key, BTreeSet<Saying>>,
    /// What could not be read.
    unread: BTreeSet<String>,
    /// The kinds of which there are any.
    seen: BTreeSet<Kind>,
}

impl Objects {
    /// Takes an object by its `spec`, as JSON.
    pub(crate) fn take(&mut self, kind: Kind, place: &Place, spec: &str) {
        self.seen.insert(kind);
        let known = match kind {
            Kind::FluxRelease => parse(spec).map(|spec| self.flux.release(place, spec)),
            Kind::FluxHelmRepository => parse(spec).map(|spec| self.flux.helm(place, spec)),
            Kind::FluxOciRepository => parse(spec).map(|spec| self.flux.oci(place, spec)),
            Kind::FluxChart => parse(spec).map(|spec| self.flux.chart(place, spec)),
            Kind::Application => parse(spec).map(|spec| {
                argo::sayings(place, &spec).into_iter().for_each(|(key, said)| self.say(key, said));
            }),
            Kind::K3sChart => parse(spec).map(|spec| {
                let (key, said) = k3s::saying(place, &spec);
                self.say(key, said);
            }),
        };
        if known.is_none() {
            self.unread.insert(format!("{} of another form", place.called(kind.names().1)));
        }
    }

    /// Some objects could not be read; `what` is for a sentence.
    pub(crate) fn miss(&mut self, what: String) {
        self.unread.insert(what);
    }

    /// All objects were taken: what refers to others can be followed.
    pub(crate) fn finish(&mut self) {
        for (key, said) in std::mem::take(&mut self.flux).sayings() {
            self.say(key, said);
        }
    }

    fn say(&mut self, key: Key, saying: Saying) {
        self.sayings.entry(key).or_default().insert(saying);
    }

    /// What is said of a release whose chart is called `chart`.
    fn origin(&self, key: &Key, chart: Option<&str>) -> Origin {
        let none = BTreeSet::new();
        let sayings = self.sayings.get(key).unwrap_or(&none);
        let fits = |saying: &&Saying| match (&saying.chart, chart) {
            (Some(said), Some(chart)) => &**said == chart,
            _ => true,
        };
        let fitting: Vec<&Saying> = sayings.iter().filter(fits).collect();
        match (fitting.as_slice(), sayings.first()) {
            // What is missing may be among what could not be read.
            ([first, ..], _) if first.url.is_none() && !self.unread.is_empty() => {
                let unread = self.silence().how;
                made("unread", None, &format!("{}; {unread}", first.how))
            }
            ([first, rest @ ..], _) if rest.iter().all(|other| other.url == first.url) => {
                made(first.kind, first.url.clone(), &first.how)
            }
            ([first, second, ..], _) => {
                let how =
                    format!("two objects contradict each other: {}; {}", first.how, second.how);
                made("unknown", None, &how)
            }
            ([], Some(other)) => {
                let said = other.chart.as_deref().unwrap_or_default();
                let how = format!("{} is of another chart, `{}`", other.how, shown(said));
                made("unknown", None, &how)
            }
            _ => self.silence(),
        }
    }

    /// Nobody says anything: whether somebody was asked.
    fn silence(&self) -> Origin {
        if self.asked == Asked::Nobody {
            return made("skipped", None, "no objects were asked");
        }
        if !self.unread.is_empty() {
            let unread: Vec<&str> = self.unread.iter().take(3).map(String::as_str).collect();
            let more = self.unread.len() - unread.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            return made("unread", None, &format!("not read: {}{more}", unread.join(", ")));
        }
        let asked: Vec<String> = self.seen.iter().map(|kind| kind.plural()).collect();
        let how = match asked.as_slice() {
            [] => "no objects of Flux, Argo CD or k3s are there that could say it".to_owned(),
            asked => format!("none of these says it: {}", asked.join(", ")),
        };
        made("unknown", None, &how)
    }
}

fn made(kind: &str, url: Option<String>, how: &str) -> Origin {
    Origin { kind: kind.to_owned(), url, how: text::cut(how).into_owned() }
}

fn parse<T: DeserializeOwned + Default>(spec: &str) -> Option<T> {
    serde_json::from_str::<Option<T>>(spec).ok().map(Option::unwrap_or_default)
}

/// All that is known about where charts come from.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    /// What the user says, which goes before.
    pub(crate) rules: Rules,
    /// What objects say.
    pub(crate) objects: Objects,
}

impl Origins {
    /// Where the chart of a release came from.
    pub(crate) fn of(&self, key: &Key, chart: Option<&str>) -> Origin {
        let said = self.rules.origin(key, chart);
        said.unwrap_or_else(|| self.objects.origin(key, chart))
    }
}

#[cfg(test)]
mod tests;
