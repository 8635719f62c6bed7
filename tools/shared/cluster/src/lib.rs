//! Asking the Kubernetes API: a client, lists page by page, and slim types; or, without a
//! cluster, a dump that kubectl printed.
//!
//! Of kube its client and authentication are used. What is not used, and why: its typed lists
//! (forty times the memory of what is read here), its decoding (it logs whole bodies, and bodies
//! can be Secrets), its retries (no cap, and none for broken connections), its proxy settings
//! (`NO_PROXY` is held against the proxy).
//!
//! [`Cluster`] can get and list, and nothing else. The one thing here that writes is [`ConfigMaps`]:
//! ConfigMaps of one namespace, each by its name, for reports that are kept there.

mod args;
mod client;
mod config;
mod config_maps;
mod decode;
mod dump;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod list;
mod namespaces;
mod proxy;
pub mod resource;
pub mod types;

pub use args::ClusterArgs;
pub use client::Cluster;
pub use config::ConfigError;
pub use config_maps::{ConfigMap, ConfigMapError, ConfigMaps, Written};
pub use dump::{DumpError, Gather, Object, ObjectKind, gather_dump, pass_over, read_dump};
pub use error::{AskError, Broken, Why};
pub use list::{Listing, Page};
pub use namespaces::{Namespaces, SelectError};
pub use proxy::ProxyError;
pub use resource::{Question, Resource, Scope, View, Which};
