//! Why ConfigMaps could not be used as a store.

use cluster::ConfigMapError;

use crate::place::{Kind, PlaceError};

/// Why ConfigMaps could not be used as a store.
#[derive(Debug, thiserror::Error)]
pub(super) enum MapError {
    #[error(transparent)]
    Api(#[from] ConfigMapError),
    #[error("`{name}` is not in {index}")]
    Missing { index: String, name: String },
    #[error("`{name}` in {index} is damaged: {what}")]
    Damaged { index: String, name: String, what: String },
    #[error("`{name}` in {index} is larger than {max} bytes")]
    TooLarge { index: String, name: String, max: u64 },
    #[error("`report.json` in {0} was not written by this tool")]
    NotOurs(String),
    #[error("`index.json` in {index} cannot be read")]
    Index {
        index: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("{0} is too large: its `index.json` leaves no room")]
    IndexTooLarge(String),
    #[error("no room: all of the {slots} ConfigMaps `{name}-000` and on are taken")]
    NoRoom { name: String, slots: u16 },
    #[error("the report takes {parts} ConfigMaps, of {slots} in all")]
    TooManyParts { parts: usize, slots: u16 },
    #[error("{0} was changed by others each time that it was to be written")]
    Busy(String),
    #[error("the log is full: there are {parts} ConfigMaps of it, `{name}` is the first")]
    LogFull { name: String, parts: u16 },
    #[error("cannot pack the report")]
    Pack(#[source] std::io::Error),
    #[error("cannot write JSON")]
    Json(#[source] serde_json::Error),
}

impl From<MapError> for PlaceError {
    fn from(error: MapError) -> Self {
        let kind = match &error {
            MapError::Missing { .. } => Kind::Missing,
            MapError::Damaged { .. } | MapError::NotOurs(_) => Kind::Foreign,
            MapError::TooLarge { .. } => Kind::TooLarge,
            _ => Kind::Other,
        };
        let hint = match &error {
            MapError::Api(error) => error.hint(),
            MapError::TooLarge { .. } => Some("raise `--max-bytes`".to_owned()),
            MapError::NoRoom { .. } => Some(
                "shorten `--report-retention`, or raise `--report-configmap-slots` and name the new ConfigMaps in the Role"
                    .to_owned(),
            ),
            MapError::TooManyParts { .. } => Some(
                "raise `--report-configmap-slots` and name the new ConfigMaps in the Role, or keep reports on a volume"
                    .to_owned(),
            ),
            MapError::Index { .. } => Some(
                "somebody changed it: put it right, or delete the ConfigMap; the log says what was stored"
                    .to_owned(),
            ),
            MapError::LogFull { .. } => Some(
                "keep the head that `pc-store verify` prints, save these ConfigMaps elsewhere, and delete them: a new log begins"
                    .to_owned(),
            ),
            _ => None,
        };
        let full = matches!(error, MapError::NoRoom { .. });
        let error = Self::new(kind, error, hint);
        if full { error.for_want_of_room() } else { error }
    }
}
