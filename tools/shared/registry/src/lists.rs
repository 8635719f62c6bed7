//! Listing: a repository's tags, and what refers to a manifest.
//!
//! A list is whole or an error; half of one would be taken for the whole.

use bytes::Bytes;
use http::{StatusCode, header};
use http_asking::{Address, Answer, Kind, Request};
use oci_client::manifest::{ImageIndexEntry, OCI_IMAGE_INDEX_MEDIA_TYPE, OciImageIndex};
use records::Digest;
use serde::Deserialize;

use crate::Repository;
use crate::error::Error;
use crate::pages::Pages;
use crate::remote::{Remote, media_type};
use crate::view::View;

/// The most tags of one repository, over all pages.
const MAX_TAGS: usize = 1_000_000;

/// What refers to a manifest (OCI distribution specification, "Listing Referrers").
#[derive(Debug, Clone)]
pub enum Referrers {
    /// The registry has no referrers API: what refers is to be found by the fallback tag.
    NoApi,
    /// All that refers to it. An empty list is also what a registry says of a digest that it
    /// never had.
    Listed(Vec<ImageIndexEntry>),
}

impl Referrers {
    /// Whether there is anything that refers to the manifest.
    #[must_use]
    pub fn is_some(&self) -> bool {
        matches!(self, Self::Listed(entries) if !entries.is_empty())
    }
}

/// A page of `/tags/list`. A repository without tags has null in some registries; a page without
/// the word is no page.
#[derive(Deserialize)]
pub(crate) struct TagPage {
    #[serde(deserialize_with = "Option::deserialize")]
    tags: Option<Vec<String>>,
}

impl Remote {
    /// All tags of a repository, in the registry's order; nothing if there is no such repository.
    pub(crate) async fn tags_at(&self, view: &View) -> Result<Option<Vec<String>>, Error> {
        let repository = &view.repository;
        let first = self.list_address(repository, "tags/list")?;
        let mut tags = Vec::new();
        let mut pages = Pages::default();
        let mut next = Some(first);
        while let Some(address) = next {
            let request = Request::get(Kind::Tags, address.clone());
            let answer = self.send(view, request).await?;
            if answer.status == StatusCode::NOT_FOUND && tags.is_empty() {
                return Ok(None);
            }
            let answer = success(answer)?;
            let page: TagPage = parse(repository, &answer, Kind::Tags)?;
            tags.extend(page.tags.unwrap_or_default());
            if tags.len() > MAX_TAGS {
                return Err(Error::TooManyTags { repository: repository.clone(), limit: MAX_TAGS });
            }
            next = self.page_after(repository, &mut pages, &address, &answer)?;
        }
        Ok(Some(tags))
    }

    /// What refers to a manifest, by the referrers API.
    pub(crate) async fn referrers_at(
        &self,
        view: &View,
        digest: &Digest,
    ) -> Result<Referrers, Error> {
        let repository = &view.repository;
        if self.apis().is_known_without(repository) {
            return Ok(Referrers::NoApi);
        }
        let mut next = Some(self.list_address(repository, &format!("referrers/{digest}"))?);
        let mut found = Vec::new();
        let mut pages = Pages::default();
        let mut first = true;
        while let Some(address) = next {
            let request = Request::get(Kind::Referrers, address.clone());
            let answer = self.send(view, request.accept(OCI_IMAGE_INDEX_MEDIA_TYPE)).await?;
            if first && is_no_api(&answer) {
                self.apis().note_without(repository, &answer);
                return Ok(Referrers::NoApi);
            }
            let answer = success(answer)?;
            let page: OciImageIndex = parse(repository, &answer, Kind::Referrers)?;
            found.extend(page.manifests);
            next = self.page_after(repository, &mut pages, &address, &answer)?;
            first = false;
        }
        Ok(Referrers::Listed(found))
    }

    fn list_address(&self, repository: &Repository, what: &str) -> Result<Address, Error> {
        let host = self.host(repository)?;
        Ok(self.client().address(&host, &format!("/v2/{}/{what}", repository.path())))
    }

    fn page_after(
        &self,
        repository: &Repository,
        pages: &mut Pages,
        address: &Address,
        answer: &Answer,
    ) -> Result<Option<Address>, Error> {
        pages.next(address, &answer.headers).map_err(|source| Error::Pages {
            host: answer.host.clone(),
            repository: repository.clone(),
            kind: answer.kind,
            source,
        })
    }
}

/// Whether a registry says that it has no referrers API: what others take for that, and nothing
/// else (a refusal is none). A success of another content type is a page for people.
fn is_no_api(answer: &Answer) -> bool {
    match answer.status {
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST | StatusCode::NOT_ACCEPTABLE => true,
        status if status.is_success() => {
            answer.headers.get(header::CONTENT_TYPE).is_none()
                || media_type(answer).as_deref() != Some(OCI_IMAGE_INDEX_MEDIA_TYPE)
        }
        _ => false,
    }
}

fn success(answer: Answer) -> Result<Answer, Error> {
    if answer.status.is_success() { Ok(answer) } else { Err(Error::Ask(answer.refusal())) }
}

fn parse<'a, T: Deserialize<'a>>(
    repository: &Repository,
    answer: &'a Answer,
    kind: Kind,
) -> Result<T, Error> {
    let body: &Bytes = &answer.body;
    serde_json::from_slice(body).map_err(|error| Error::List {
        host: answer.host.clone(),
        repository: repository.clone(),
        kind,
        line: error.line(),
        column: error.column(),
    })
}

/// The tag under which a registry without the referrers API keeps what refers to a manifest (OCI
/// distribution specification, "Referrers Tag Schema"): `-` for `:`, cut at 128 characters.
#[must_use]
pub fn fallback_tag(digest: &Digest) -> String {
    let algorithm: String = digest.algorithm().chars().take(32).collect();
    let hex: String = digest.hex().chars().take(64).collect();
    format!("{algorithm}-{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fallback_tag_is_as_the_specification_cuts_it() {
        let digest = |text: String| text.parse::<Digest>().expect("a digest");
        let short = digest(format!("sha256:{}", "a".repeat(64)));
        assert_eq!(fallback_tag(&short), format!("sha256-{}", "a".repeat(64)));
        let long = digest(format!("sha512:{}", "b".repeat(128)));
        assert_eq!(fallback_tag(&long), format!("sha512-{}", "b".repeat(64)));
    }
}
