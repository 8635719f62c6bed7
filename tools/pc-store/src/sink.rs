//! Where reports can be put. Each kind of place has a module of its own.
//!
//! A sink is a store, which keeps history ([`Place`]), or a delivery, which hands a report on and
//! knows nothing of it afterwards ([`Delivery`]).

mod config_map;
mod directory;
mod http;
mod spool;
mod stdout;
mod temporary;

use std::fmt;

use clap::ValueEnum;
use jiff::Timestamp;
use stage::Fault;

use crate::cli::StoreArgs;
use crate::document::Document;
use crate::folder::{Folder, Origin};
use crate::place::{Place, PlaceError};

/// A kind of sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sink {
    /// A directory, such as the mount of a persistent volume
    Pvc,
    /// ConfigMaps of the cluster
    #[value(name = "configmap")]
    ConfigMap,
    /// An HTTP server that takes reports, such as the dashboard
    Http,
    /// Standard output, with nothing else there; what `--print` shows goes to standard error
    Stdout,
}

/// What a sink is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To look: nothing is made.
    Read,
    /// To change: what is missing is made where that is safe.
    Write,
}

/// A sink that is ready.
#[derive(Debug)]
pub enum Target {
    /// Keeps reports.
    Store(Box<dyn Place>),
    /// Hands reports on.
    Delivery(Box<dyn Delivery>),
}

/// A way to hand a report on. All methods block.
pub trait Delivery: fmt::Debug {
    /// Hands over one report, before it returns. What came of it is one line for people.
    ///
    /// # Errors
    /// When it is not known to have arrived whole.
    fn deliver(&self, document: &Document, now: Timestamp) -> Result<String, PlaceError>;
}

impl Sink {
    /// Opens the sink that the settings describe.
    ///
    /// # Errors
    /// When it cannot be opened, or its settings make no sense.
    pub(crate) fn open(self, args: &StoreArgs, access: Access) -> Result<Target, Fault> {
        match self {
            Self::Pvc => directory(args, access).map(|folder| Target::Store(Box::new(folder))),
            Self::ConfigMap => {
                let store = config_map::ConfigMapStore::open(&args.config_map)?;
                Ok(Target::Store(Box::new(store)))
            }
            Self::Http => Ok(Target::Delivery(Box::new(http::Upload::open(&args.upload)?))),
            Self::Stdout => Ok(Target::Delivery(Box::new(stdout::Stdout))),
        }
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pvc => "pvc",
            Self::ConfigMap => "configmap",
            Self::Http => "http",
            Self::Stdout => "stdout",
        })
    }
}

fn directory(args: &StoreArgs, access: Access) -> Result<Folder, Fault> {
    let path = &args.report_path;
    let folder = match access {
        Access::Read => Folder::open(path),
        Access::Write => Folder::open_or_make(path).map(|(folder, origin)| {
            if origin == Origin::Made {
                tracing::warn!("made the directory `{}`", path.display());
            }
            folder
        }),
    };
    folder.map_err(crate::cli::fault)
}
