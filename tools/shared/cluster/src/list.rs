//! Lists, page by page.

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::client::Cluster;
use crate::error::{AskError, Why};
use crate::resource::{Question, View, escaped};
use crate::types::{ListMetadata, or_default};

/// How many objects one page holds.
const PAGE: u32 = 500;

/// A list that is being read.
#[derive(Debug)]
pub struct Listing<T> {
    cluster: Cluster,
    question: Question,
    view: View,
    labels: Option<String>,
    next: Next,
    restarted: bool,
    objects: PhantomData<fn() -> T>,
}

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The objects, in the order of the API server: by namespace, then by name.
    pub items: Vec<T>,
    /// Whether the list expired and this page is the first once more: what came before it comes
    /// again.
    pub restarted: bool,
    /// About how many objects follow, where the server says so.
    pub remaining: Option<u64>,
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    First,
    Continue(String),
    Done,
}

/// A page on the wire.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
struct Body<T> {
    /// `PodList`, `PartialObjectMetadataList`, …; anything else that answers 200 is no list.
    #[serde(deserialize_with = "list_kind", rename = "kind")]
    _kind: (),
    #[serde(default, deserialize_with = "or_default")]
    metadata: ListMetadata,
    /// Null is empty; a list without the key says nothing of what there is.
    #[serde(deserialize_with = "or_default")]
    items: Vec<T>,
}

/// Takes a kind that ends in `List`.
fn list_kind<'de, D: serde::Deserializer<'de>>(from: D) -> Result<(), D::Error> {
    let kind = <std::borrow::Cow<'de, str>>::deserialize(from)?;
    if kind.ends_with("List") {
        Ok(())
    } else {
        Err(serde::de::Error::custom("the answer is not a list"))
    }
}

impl<T> Listing<T> {
    pub(crate) fn new(cluster: Cluster, question: Question, view: View) -> Self {
        Self {
            cluster,
            question,
            view,
            labels: None,
            next: Next::First,
            restarted: false,
            objects: PhantomData,
        }
    }

    /// Only objects with such labels, chosen by the server.
    #[must_use]
    pub fn labels(mut self, selector: Option<String>) -> Self {
        self.labels = selector;
        self
    }

    fn uri(&self) -> String {
        let mut uri = format!("{}?limit={PAGE}", self.question.path());
        if let Some(labels) = &self.labels {
            uri.push_str(&format!("&labelSelector={}", escaped(labels)));
        }
        if let Next::Continue(token) = &self.next {
            uri.push_str(&format!("&continue={}", escaped(token)));
        }
        uri
    }
}

impl<T: DeserializeOwned + Send + 'static> Listing<T> {
    /// The next page, or `None` after the last.
    ///
    /// The snapshot behind a list lives for some five minutes. A list that expires is begun again,
    /// once, and its next page says so.
    ///
    /// # Errors
    /// [`AskError`]; the list cannot be read further then.
    pub async fn page(&mut self) -> Result<Option<Page<T>>, AskError> {
        if self.next == Next::Done {
            return Ok(None);
        }
        let mut restarted = false;
        let body: Body<T> = match self.ask().await {
            Err(AskError { why: Why::Expired { .. }, .. }) if self.may_restart() => {
                tracing::warn!(list = %self.question, "the list expired while it was read and is begun again");
                restarted = true;
                self.restarted = true;
                self.next = Next::First;
                self.ask().await?
            }
            other => other?,
        };
        let next = if body.metadata.next.is_empty() {
            Next::Done
        } else {
            Next::Continue(body.metadata.next)
        };
        if matches!(next, Next::Continue(_)) && next == self.next {
            return Err(self.circular());
        }
        self.next = next;
        Ok(Some(Page {
            items: body.items,
            restarted,
            remaining: body.metadata.remaining_item_count,
        }))
    }

    /// Everything that `keep` wants, in one go.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn all(mut self, keep: impl Fn(&T) -> bool) -> Result<Vec<T>, AskError> {
        let mut kept = Vec::new();
        while let Some(page) = self.page().await? {
            if page.restarted {
                kept.clear();
            }
            kept.extend(page.items.into_iter().filter(&keep));
        }
        Ok(kept)
    }

    async fn ask(&self) -> Result<Body<T>, AskError> {
        self.cluster.ask(&self.question, &self.uri(), self.view).await
    }

    fn may_restart(&self) -> bool {
        !self.restarted && matches!(self.next, Next::Continue(_))
    }

    fn circular(&self) -> AskError {
        AskError {
            question: Box::new(self.question.clone()),
            why: Why::Malformed {
                host: self.cluster.host().to_owned(),
                message: "its list leads back to the same page".to_owned(),
            },
        }
    }
}
