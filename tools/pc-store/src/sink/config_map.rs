//! ConfigMaps as a place: an index object that readers go by, a ring of ConfigMaps with the bytes,
//! and the log in ConfigMaps of its own. All have fixed names, so that a Role can name them; none
//! is ever listed, and what is written is written on a condition.

mod error;
mod index;
mod log;
mod pack;
mod place;
mod ring;

use std::collections::BTreeMap;

use cluster::{Cluster, ConfigError, ConfigMap, ConfigMaps, Written};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use stage::Fault;
use tokio::runtime::Runtime;

use self::error::MapError;
use self::index::{Entry, Newest, Object};
use self::ring::Staged;
use crate::cli::ConfigMapArgs;
use crate::names::LATEST;
use crate::place::Claim;

/// The longest name of the index object: it is the value of a label too.
const LONGEST_NAME: usize = 63;

/// How often a change is begun anew that others overtook.
const TRIES: u32 = 20;

/// How often a reader begins anew whose report was removed while it was read.
const READS: u32 = 5;

const STORE_LABEL: &str = "provenance.nebari.dev/store";
const ROLE_LABEL: &str = "provenance.nebari.dev/role";
const REPORT_LABEL: &str = "provenance.nebari.dev/report";

/// ConfigMaps of one namespace that are a store.
#[derive(Debug)]
pub(super) struct ConfigMapStore {
    maps: ConfigMaps,
    runtime: Runtime,
    /// The name of the index object, with which all others begin.
    name: String,
    /// How many ConfigMaps the ring has.
    slots: u16,
}

/// What a ConfigMap is for.
#[derive(Debug, Clone, Copy)]
enum Role {
    Index,
    Part,
    Log,
}

/// What a change came to, seen against the object as it is now.
enum Change<T> {
    /// Nothing is left to do.
    Is(T),
    /// This, once the object is written.
    Write(T),
}

impl ConfigMapStore {
    /// The store that the settings describe. Nothing is asked yet.
    pub(super) fn open(args: &ConfigMapArgs) -> Result<Self, Fault> {
        let name = &args.report_configmap;
        if !is_name(name) || name.len() > LONGEST_NAME {
            return Err(Fault::usage(format!(
                "`--report-configmap` must be the name of a ConfigMap of at most {LONGEST_NAME} lower-case letters, digits and `-`, not `{}`",
                records::text::shown(name)
            )));
        }
        let namespace = &args.report_configmap_namespace;
        if !is_name(namespace) || namespace.len() > LONGEST_NAME {
            return Err(Fault::usage(format!(
                "`--report-configmap-namespace` must be the name of a namespace, not `{}`",
                records::text::shown(namespace)
            )));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Fault::incomplete)?;
        let cluster = runtime.block_on(Cluster::connect(&args.cluster)).map_err(|error| {
            let hint = match &error {
                // A store cannot be a dump.
                ConfigError::NoCluster { .. } => {
                    Some("name a kubeconfig by `--kubeconfig` or KUBECONFIG")
                }
                other => other.hint(),
            };
            Fault::incomplete(error).with_hint(hint)
        })?;
        let maps = ConfigMaps::new(cluster, namespace);
        Ok(Self { maps, runtime, name: name.clone(), slots: args.report_configmap_slots })
    }

    fn wait<T>(&self, asking: impl Future<Output = T>) -> T {
        self.runtime.block_on(asking)
    }

    fn slot_name(&self, slot: u16) -> String {
        format!("{}-{slot:03}", self.name)
    }

    /// The index object in words.
    fn index(&self) -> String {
        format!("ConfigMap `{}/{}`", self.maps.namespace(), self.name)
    }

    /// The command that prints the newest report.
    fn whole(&self) -> String {
        let (namespace, name) = (self.maps.namespace(), &self.name);
        format!(
            "pc-store get latest --report-output configmap --report-configmap-namespace {namespace} --report-configmap {name}"
        )
    }

    /// An object of ours without name and content.
    fn blank(&self, role: Role) -> ConfigMap {
        let labels = [
            ("app.kubernetes.io/managed-by", env!("CARGO_PKG_NAME")),
            (STORE_LABEL, &self.name),
            (ROLE_LABEL, role.word()),
        ];
        let labels = labels.map(|(label, value)| (label.to_owned(), value.to_owned()));
        let labels = Some(BTreeMap::from(labels));
        ConfigMap { metadata: ObjectMeta { labels, ..Default::default() }, ..Default::default() }
    }

    fn is_ours(&self, found: &ObjectMeta) -> bool {
        let label = found.labels.as_ref().and_then(|labels| labels.get(STORE_LABEL));
        label == Some(&self.name)
    }

    /// The index object as it is now, or as it would begin.
    fn object(&self) -> Result<Object, MapError> {
        let found = self.wait(self.maps.get(&self.name))?;
        let map = found.unwrap_or_else(|| {
            let mut map = self.blank(Role::Index);
            map.metadata.name = Some(self.name.clone());
            map
        });
        Object::parse(map).map_err(|source| MapError::Index { index: self.index(), source })
    }

    /// Changes the index object in one step. `change` is asked anew when others were quicker, or
    /// when the answer was lost, and says then what it came to.
    fn change<T>(
        &self,
        mut change: impl FnMut(&mut Object) -> Result<Change<T>, MapError>,
    ) -> Result<T, MapError> {
        for _ in 0..TRIES {
            let mut object = self.object()?;
            let outcome = match change(&mut object)? {
                Change::Is(outcome) => return Ok(outcome),
                Change::Write(outcome) => outcome,
            };
            match self.write(object) {
                Ok(Written::Done) => return Ok(outcome),
                Ok(Written::Conflict) => {}
                Err(error) => {
                    return match change(&mut self.object()?)? {
                        Change::Is(outcome) => Ok(outcome),
                        Change::Write(_) => Err(error),
                    };
                }
            }
        }
        Err(MapError::Busy(self.index()))
    }

    fn write(&self, object: Object) -> Result<Written, MapError> {
        let is_there = object.is_there();
        let mut map = object.written(&self.index(), &self.whole())?;
        map.metadata.managed_fields = None;
        // One that was somebody else's is found by our labels from now on.
        let ours = self.blank(Role::Index).metadata.labels.unwrap_or_default();
        map.metadata.labels.get_or_insert_default().extend(ours);
        Ok(if is_there {
            self.wait(self.maps.replace(&map))?
        } else {
            self.wait(self.maps.create(&map))?
        })
    }

    fn read_name(&self, name: &str, max: u64) -> Result<Vec<u8>, MapError> {
        let mut before: Option<(String, String)> = None;
        for _ in 0..READS {
            let object = self.object()?;
            let entry = match self.find(&object, name)? {
                Found::Bytes(bytes) => return Ok(bytes),
                Found::Entry(entry) => entry,
            };
            if entry.size > max {
                let (index, name) = (self.index(), name.to_owned());
                return Err(MapError::TooLarge { index, name, max });
            }
            match self.assemble(&entry)? {
                Ok(bytes) => return Ok(bytes),
                // Removed or replaced meanwhile; but if all is as it was, it is damaged.
                Err(what) if before.as_ref().is_some_and(|(id, _)| *id == entry.id) => {
                    return Err(self.damaged(name, what));
                }
                Err(what) => before = Some((entry.id, what)),
            }
        }
        Err(MapError::Busy(self.index()))
    }

    fn find(&self, object: &Object, name: &str) -> Result<Found, MapError> {
        let missing = || MapError::Missing { index: self.index(), name: name.to_owned() };
        if name != LATEST {
            if let Some(entry) = object.names().get(name) {
                return Ok(Found::Entry(entry.clone()));
            }
            let staged = Staged::parse(name).ok_or_else(missing)?;
            return self.staged(&staged)?.map(Found::Entry).ok_or_else(missing);
        }
        match object.newest() {
            Newest::None => Err(missing()),
            Newest::NotOurs(_) => Err(MapError::NotOurs(self.index())),
            Newest::There(entry) => Ok(Found::Entry(entry.clone())),
            Newest::Here(entry, coding, bytes) => {
                let bytes = ring::unpacked(entry, coding, bytes.to_vec());
                bytes.map(Found::Bytes).map_err(|what| self.damaged(name, what))
            }
        }
    }

    fn damaged(&self, name: &str, what: String) -> MapError {
        MapError::Damaged { index: self.index(), name: name.to_owned(), what }
    }

    fn publish_staged(&self, text: &str, name: &str) -> Result<Claim, MapError> {
        let missing = || MapError::Missing { index: self.index(), name: text.to_owned() };
        let staged = Staged::parse(text).ok_or_else(missing)?;
        let entry = self.staged(&staged)?.ok_or_else(missing)?;
        self.change(|object| match object.names().get(name) {
            Some(there) if there.id == entry.id => Ok(Change::Is(Claim::Taken)),
            Some(_) => Ok(Change::Is(Claim::Occupied)),
            None if object.has(&entry.id) => Err(missing()),
            None => {
                object.went_on(&entry, self.slots);
                object.names_mut().insert(name.to_owned(), entry.clone());
                Ok(Change::Write(Claim::Taken))
            }
        })
    }

    fn remove_name(&self, name: &str) -> Result<(), MapError> {
        let missing = || MapError::Missing { index: self.index(), name: name.to_owned() };
        let mut removed: Option<Entry> = None;
        self.change(|object| {
            let entry = match name {
                LATEST => match object.newest() {
                    Newest::There(entry) | Newest::Here(entry, ..) => Some(entry.clone()),
                    Newest::NotOurs(_) => return Err(MapError::NotOurs(self.index())),
                    Newest::None => None,
                },
                name => object.names_mut().remove(name),
            };
            match (entry, &removed) {
                (Some(entry), _) => {
                    if name == LATEST {
                        object.clear_latest();
                    }
                    removed = Some(entry);
                    Ok(Change::Write(()))
                }
                (None, Some(_)) => Ok(Change::Is(())),
                (None, None) => Err(missing()),
            }
        })?;
        self.free_unless_used(removed);
        Ok(())
    }

    fn free_unless_used(&self, entry: Option<Entry>) {
        let Some(entry) = entry else {
            return;
        };
        match self.object() {
            Ok(object) if object.has(&entry.id) => {}
            Ok(_) => self.free(&entry),
            Err(error) => {
                let error = stage::exit::chain(&error);
                tracing::warn!("ConfigMaps are left, a later run deletes them: {error}");
            }
        }
    }

    fn point(&self, name: &str) -> Result<(), MapError> {
        let bytes = self.read_name(name, u64::MAX)?;
        let mut replaced: Option<Entry> = None;
        self.change(|object| {
            let missing = || MapError::Missing { index: self.index(), name: name.to_owned() };
            let entry = object.names().get(name).cloned().ok_or_else(missing)?;
            match object.newest() {
                Newest::There(latest) if latest.id == entry.id => return Ok(Change::Is(())),
                Newest::Here(latest, coding, there) if latest.id == entry.id => {
                    if ring::unpacked(latest, coding, there.to_vec()).is_ok() {
                        return Ok(Change::Is(()));
                    }
                }
                Newest::There(latest) | Newest::Here(latest, ..) => replaced = Some(latest.clone()),
                Newest::None | Newest::NotOurs(_) => {}
            }
            object.put_latest(entry, &bytes, &self.whole())?;
            Ok(Change::Write(()))
        })?;
        self.free_unless_used(replaced);
        Ok(())
    }

    /// Keeps what somebody else wrote as the report: under another name, in the ring.
    fn keep_aside(&self) -> Result<Option<String>, MapError> {
        let object = self.object()?;
        let Newest::NotOurs(text) = object.newest() else {
            return Ok(None);
        };
        let staged = self.stage_bytes(text.as_bytes())?;
        for number in 0..u32::from(self.slots) {
            let aside = match number {
                0 => format!("{LATEST}.aside"),
                number => format!("{LATEST}.aside-{number}"),
            };
            if self.publish_staged(&staged, &aside)? == Claim::Taken {
                return Ok(Some(aside));
            }
        }
        self.discard_staged(&staged)?;
        Ok(None)
    }
}

enum Found {
    Bytes(Vec<u8>),
    Entry(Entry),
}

impl Role {
    fn word(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Part => "part",
            Self::Log => "log",
        }
    }
}

/// Whether it is a DNS label (RFC 1123), but for its length.
fn is_name(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(inside) && !text.starts_with('-') && !text.ends_with('-')
}
