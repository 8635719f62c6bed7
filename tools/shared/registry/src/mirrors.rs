//! Asking mirrors before the registry, and what their answers are worth.
//!
//! A question about one thing goes to the mirrors in their order, and to the registry itself when
//! none of them has it (`upstream: fallback`). `None` is the registry's own word in every case:
//! where only mirrors may be asked, and none of them has it, that is an error
//! ([`Error::OnlyMirrors`]). Lists are the registry's, since nobody sees what a mirror's list
//! lacks; what mirrors know of referrers is added to them.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use http_asking::{Hosts, Upstream};
use records::Digest;
use tracing::{debug, warn};

use crate::Repository;
use crate::answer::{Answer, Authority};
use crate::error::Error;
use crate::lists::Referrers;
use crate::remote::Remote;
use crate::tags::Tags;
use crate::view::View;

/// Where a repository's questions are put.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) mirrors: Vec<Repository>,
    pub(crate) upstream: Upstream,
}

impl Places {
    /// As the hosts file says. A repository whose registry is no host has no mirrors either.
    pub(crate) fn of(hosts: &Hosts, repository: &Repository) -> Self {
        let host = repository.host().ok();
        match host.and_then(|host| hosts.of(&host)) {
            Some(set) => Self {
                mirrors: set.mirrors.iter().map(|mirror| repository.at(mirror)).collect(),
                upstream: set.upstream,
            },
            None => Self { mirrors: Vec::new(), upstream: Upstream::Fallback },
        }
    }
}

/// The mirrors of which it was said already that they fail.
#[derive(Debug, Default)]
pub(crate) struct Failing(Mutex<HashSet<String>>);

impl Failing {
    /// A mirror fails and another place is asked: told once for each host.
    fn note(&self, mirror: &Repository, error: &Error) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(mirror.domain().to_owned()) {
            warn!(%mirror, %error, "a mirror gives no answer; the next place is asked");
        } else {
            debug!(%mirror, %error, "a mirror gives no answer");
        }
    }
}

impl Remote {
    /// Puts a question about one thing to the mirrors, then to the registry.
    pub(crate) async fn first<T, F>(
        &self,
        view: &View,
        ask: impl Fn(View) -> F,
    ) -> Result<Option<Answer<T>>, Error>
    where
        F: Future<Output = Result<Option<T>, Error>>,
    {
        let repository = &view.repository;
        let places = Places::of(self.client().hosts(), repository);
        let mut failed = None;
        for mirror in &places.mirrors {
            match ask(view.at(mirror.clone())).await {
                Ok(Some(value)) => return Ok(Some(Answer::of_mirror(value, mirror.clone()))),
                Ok(None) => {}
                Err(error) => {
                    self.failing().note(mirror, &error);
                    failed = Some(error);
                }
            }
        }
        match places.upstream {
            Upstream::Fallback => {
                let found = ask(view.clone()).await?;
                Ok(found.map(|value| Answer::of_registry(value, repository)))
            }
            Upstream::Never => Err(failed.unwrap_or_else(|| only_mirrors(repository))),
        }
    }

    /// All tags: the registry's list, or where it is not to be asked the first of a mirror.
    pub(crate) async fn tags(&self, view: &View) -> Result<Option<Answer<Tags>>, Error> {
        let places = Places::of(self.client().hosts(), &view.repository);
        match places.upstream {
            Upstream::Fallback => {
                let tags = self.tags_at(view).await?;
                Ok(tags.map(|tags| Answer::of_registry(tags, &view.repository)))
            }
            Upstream::Never => {
                self.first(view, |view| async move { self.tags_at(&view).await }).await
            }
        }
    }

    /// What refers to a manifest, by everybody who may be asked.
    pub(crate) async fn referrers(
        &self,
        view: &View,
        digest: &Digest,
    ) -> Result<Answer<Referrers>, Error> {
        let repository = &view.repository;
        let places = Places::of(self.client().hosts(), repository);
        let (mut known, mut failed) = (None, None);
        for mirror in &places.mirrors {
            match self.referrers_at(&view.at(mirror.clone()), digest).await {
                Ok(more) => known = Some(merged(known, Answer::of_mirror(more, mirror.clone()))),
                Err(error) => {
                    self.failing().note(mirror, &error);
                    failed = Some(error);
                }
            }
        }
        let own = match places.upstream {
            Upstream::Fallback => self.referrers_at(view, digest).await,
            Upstream::Never => Err(failed.unwrap_or_else(|| only_mirrors(repository))),
        };
        match (own, known) {
            (Ok(own), known) => Ok(merged(known, Answer::of_registry(own, repository))),
            // What mirrors list is there; that they list nothing says nothing.
            (Err(error), Some(known)) if known.value.is_some() => Ok(match places.upstream {
                Upstream::Fallback => {
                    Answer { authority: Authority::MirrorInstead(error), ..known }
                }
                Upstream::Never => known,
            }),
            (Err(error), _) => Err(error),
        }
    }
}

/// What two places say of one manifest. The later one's word counts for the whole, unless it has
/// no referrers API and the earlier one lists something: then the list is the earlier one's.
fn merged(earlier: Option<Answer<Referrers>>, later: Answer<Referrers>) -> Answer<Referrers> {
    let Some(earlier) = earlier.filter(|earlier| earlier.value.is_some()) else {
        return later;
    };
    let Referrers::Listed(known) = earlier.value else {
        return later;
    };
    let Referrers::Listed(mut entries) = later.value else {
        return Answer { value: Referrers::Listed(known), ..earlier };
    };
    for entry in known {
        if entries.iter().all(|other| other.digest != entry.digest) {
            entries.push(entry);
        }
    }
    Answer { value: Referrers::Listed(entries), ..later }
}

fn only_mirrors(repository: &Repository) -> Error {
    Error::OnlyMirrors { repository: repository.clone() }
}
