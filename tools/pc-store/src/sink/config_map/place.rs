//! ConfigMaps seen as a place: what the seam asks for, in the words of the seam.

use std::time::Duration;

use super::ConfigMapStore;
use super::error::MapError;
use super::index::Newest;
use crate::chain::Tip;
use crate::names::LATEST;
use crate::place::{Appended, Claim, Guard, Place, PlaceError};

impl Place for ConfigMapStore {
    fn whereabouts(&self) -> String {
        format!("configmap/{}/{}", self.maps.namespace(), self.name)
    }

    fn locate(&self, name: &str) -> String {
        format!("{}/{name}", self.whereabouts())
    }

    fn lock(&self, _limit: Duration) -> Result<Guard, PlaceError> {
        Ok(Guard::none())
    }

    fn names(&self) -> Result<Vec<String>, PlaceError> {
        let object = self.object()?;
        let latest = match object.newest() {
            Newest::None => None,
            _ => Some(LATEST.to_owned()),
        };
        Ok(object.names().keys().cloned().chain(latest).collect())
    }

    fn read(&self, name: &str, max: u64) -> Result<Vec<u8>, PlaceError> {
        let bytes = self.read_name(name, max)?;
        if bytes.len() as u64 > max {
            let (index, name) = (self.index(), name.to_owned());
            return Err(MapError::TooLarge { index, name, max }.into());
        }
        Ok(bytes)
    }

    fn stage(&self, bytes: &[u8]) -> Result<String, PlaceError> {
        Ok(self.stage_bytes(bytes)?)
    }

    fn publish(&self, staged: &str, name: &str) -> Result<Claim, PlaceError> {
        Ok(self.publish_staged(staged, name)?)
    }

    fn discard(&self, staged: &str) {
        if let Err(error) = self.discard_staged(staged) {
            let error = stage::exit::chain(&error);
            tracing::warn!("ConfigMaps are left, a later run deletes them: {error}");
        }
    }

    fn remove(&self, name: &str) -> Result<(), PlaceError> {
        Ok(self.remove_name(name)?)
    }

    fn point_latest(&self, name: &str) -> Result<(), PlaceError> {
        Ok(self.point(name)?)
    }

    fn set_aside(&self, name: &str) -> Result<Option<String>, PlaceError> {
        if name != LATEST {
            return Ok(None);
        }
        Ok(self.keep_aside()?)
    }

    fn log(&self) -> Result<Vec<u8>, PlaceError> {
        Ok(self.read_log()?)
    }

    fn append(&self, tip: &Tip, line: &[u8]) -> Result<Appended, PlaceError> {
        Ok(self.append_line(tip, line)?)
    }

    fn sweep(&self) -> Result<(), PlaceError> {
        Ok(self.sweep_ring()?)
    }
}
