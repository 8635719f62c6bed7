//! The keys of a configuration, each once, whoever names it.

use super::fetch::Fetched;
use super::pem::{self, PemError, PublicKey};
use super::policy::KeyText;
use crate::judge::{KeyHash, LogDemand};
use crate::judged::KeyId;

/// A key that signatures are checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    /// What it is called.
    pub name: String,
    /// One block of PEM.
    pub pem: String,
    /// Its id.
    pub id: KeyId,
    /// The hash that it signs with, where the configuration says so.
    pub hash: Option<KeyHash>,
    /// Whether its signatures count without a log, for whoever is least strict. Who is stricter
    /// looks at the log entry of each find.
    pub log: LogDemand,
}

/// Why a text gives no key.
pub(super) enum NoKey {
    Pem(PemError),
    NotFetched(String),
}

/// Keys, each once.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<TrustedKey>);

impl Keys {
    /// Adds what a text holds, and gives the ids.
    pub(super) fn add(
        &mut self,
        name: &str,
        text: &KeyText,
        fetched: &Fetched,
        (hash, log): (Option<KeyHash>, LogDemand),
    ) -> Result<Vec<KeyId>, NoKey> {
        let keys = match text {
            KeyText::Here(keys) => keys.clone(),
            KeyText::Wanted(wanted) => {
                let text =
                    fetched.get(wanted).ok_or_else(|| NoKey::NotFetched(wanted.to_string()))?;
                pem::public_keys(text).map_err(NoKey::Pem)?
            }
        };
        let several = keys.len() > 1;
        let mut ids = Vec::new();
        for (number, key) in keys.into_iter().enumerate() {
            let name = if several { format!("{name} #{}", number + 1) } else { name.to_owned() };
            ids.push(key.id.clone());
            self.add_one(name, key, hash, log);
        }
        Ok(ids)
    }

    fn add_one(&mut self, name: String, key: PublicKey, hash: Option<KeyHash>, log: LogDemand) {
        match self.0.iter_mut().find(|known| known.id == key.id) {
            Some(known) => {
                // A hash that is demanded once is demanded always: the other way, whoever
                // demands it would not get it.
                known.hash = known.hash.or(hash);
                if log == LogDemand::NotDemanded {
                    known.log = LogDemand::NotDemanded;
                }
            }
            None => self.0.push(TrustedKey { name, pem: key.pem, id: key.id, hash, log }),
        }
    }

    pub(super) fn all(&self) -> &[TrustedKey] {
        &self.0
    }

    pub(super) fn name_of(&self, id: &KeyId) -> Option<&str> {
        self.0.iter().find(|key| key.id == *id).map(|key| key.name.as_str())
    }
}
