//! The objects that Helm keeps releases in, one for each revision, known by their names.

use cluster::Resource;
use cluster::resource::{CONFIG_MAPS, SECRETS};
use cluster::types::Text;

/// In front of the names of all of them, whatever the format.
const PREFIX: &str = "sh.helm.release.";

/// The format that Helm 3 and 4 write (`pkg/storage`, `HelmStorageType`).
const FORMAT: &str = "v1";

/// The labels by which Helm finds its objects.
pub(crate) const SELECTOR: &str = "owner=helm";

/// What Helm calls a revision that runs.
pub(crate) const DEPLOYED: &str = "deployed";

/// Where Helm keeps releases (`HELM_DRIVER`). Secrets come first: they are the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub(crate) enum Driver {
    /// In Secrets, Helm's default
    Secret,
    /// In ConfigMaps
    #[value(name = "configmap")]
    ConfigMap,
}

impl Driver {
    /// The word in records, and in `HELM_DRIVER`.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::ConfigMap => "configmap",
        }
    }

    /// The kind of its objects.
    #[must_use]
    pub(crate) fn resource(self) -> Resource {
        match self {
            Self::Secret => SECRETS,
            Self::ConfigMap => CONFIG_MAPS,
        }
    }
}

/// Which release: its name in the namespace that holds it. In the order of the records.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    /// The namespace.
    pub(crate) namespace: Text,
    /// The name.
    pub(crate) name: Text,
}

impl Key {
    /// The text by which releases are dealt out to shards.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

/// One revision, as far as its object's metadata says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revision {
    /// Its number.
    pub(crate) number: u64,
    /// Helm's word for its state.
    pub(crate) status: Text,
    /// When its object was made.
    pub(crate) created: Text,
}

/// What an object's name says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// A revision of a release.
    Revision {
        /// The release.
        release: Text,
        /// The number of the revision.
        number: u64,
    },
    /// A release in a format that is not known here, or a name that is none.
    Strange,
    /// Something else, that only has Helm's label.
    Foreign,
}

/// Reads an object's name: `sh.helm.release.v1.NAME.vNUMBER`.
#[must_use]
pub(crate) fn name(object: &str) -> Name {
    let Some(rest) = object.strip_prefix(PREFIX) else {
        return Name::Foreign;
    };
    let known = rest.split_once('.').filter(|(format, _)| *format == FORMAT);
    let parts = known.and_then(|(_, rest)| rest.rsplit_once(".v"));
    let Some((release, digits)) = parts.filter(|(release, _)| !release.is_empty()) else {
        return Name::Strange;
    };
    match digits.parse::<u64>() {
        Ok(number) if number > 0 && number.to_string() == digits => {
            Name::Revision { release: release.into(), number }
        }
        _ => Name::Strange,
    }
}

/// The name of the object that holds a revision.
#[must_use]
pub(crate) fn object(release: &str, number: u64) -> String {
    format!("{PREFIX}{FORMAT}.{release}.v{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_releases_and_back() {
        for (release, number) in [("web", 1), ("a.v2.b", 10), ("x.v", 7)] {
            let read = name(&object(release, number));
            assert_eq!(read, Name::Revision { release: release.into(), number });
        }
        for strange in [
            "v2.web.v1",
            "v1.web",
            "v1.web.v",
            "v1.web.v01",
            "v1.web.v0",
            "v1..v1",
            "v1.web.v-1",
            "v1.web.vx",
            "v1",
        ] {
            assert_eq!(name(&format!("{PREFIX}{strange}")), Name::Strange, "{strange}");
        }
        assert_eq!(name("web.v1"), Name::Foreign);
    }
}
