//! What was asked for, once it is understood.

use cluster::Namespaces;
use records::Shard;

use crate::object::Driver;
use crate::origin::ask::Origin;

/// Which releases, and who is asked about their charts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// Where Helm may keep releases.
    pub(crate) drivers: Vec<Driver>,
    /// Which namespaces.
    pub(crate) namespaces: Namespaces,
    /// Which part of the releases.
    pub(crate) shard: Option<Shard>,
    /// Whose objects are asked where charts come from.
    pub(crate) origins: Vec<Origin>,
}

impl Settings {
    /// Whether what is called `key` belongs to this part.
    pub(crate) fn holds(&self, key: &str) -> bool {
        self.shard.is_none_or(|shard| stage::shard::holds(shard, key))
    }
}
