//! What was asked for, once it is understood.

use cluster::Namespaces;
use records::Shard;
use serde_json::{Map, Value};
use stage::TallyFacts;

use crate::selector::Selector;

/// What to discover.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// Which namespaces.
    pub(crate) namespaces: Namespaces,
    /// Which pods.
    pub(crate) selector: Option<Selector>,
    /// Whether templates that run nothing now count.
    pub(crate) idle: Idle,
    /// Which part of the images.
    pub(crate) shard: Option<Shard>,
    /// The platform of nodes that do not say theirs.
    pub(crate) default_platform: Option<String>,
    /// What the cluster is called.
    pub(crate) cluster_name: Option<String>,
    /// The settings for the tally.
    pub(crate) shown: Map<String, Value>,
}

/// Whether templates that run nothing now are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Idle {
    /// Only what runs.
    #[default]
    LeftOut,
    /// Templates, too.
    Included,
}

impl Settings {
    /// What the tally says about all of it.
    #[must_use]
    pub(crate) fn facts(&self) -> TallyFacts {
        TallyFacts {
            cluster: self.cluster_name.clone(),
            shard: self.shard,
            settings: self.shown.clone(),
            ..TallyFacts::default()
        }
    }
}
