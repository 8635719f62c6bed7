//! Asking anything over HTTP: the one place of the suite that builds an HTTP client.
//!
//! What every question has, whoever asks it, is here: TLS with the machine's authorities and those
//! of `--ca-file`, proxies by the usual environment variables, time limits (connecting, silence,
//! the whole operation), limits on what is in flight (in all, and per host), a limit for every
//! body, redirects followed by rules that never let a credential leave its origin, and a count of
//! every request by host and kind. What a question means is the caller's.
//!
//! The way of a question through the crate: [`HttpArgs`] are checked into [`Settings`], which make
//! a [`Client`]; a [`Request`] goes in, and an [`Answer`] (any status) or an [`AskError`] (no
//! answer that may be used) comes out.

mod address;
mod answer;
mod args;
mod breaker;
mod certificates;
mod classify;
mod client;
mod counts;
mod deadline;
mod decode;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod guard;
mod host;
mod hosts;
mod in_flight;
mod kind;
mod network;
mod redirect;
mod refusal;
mod request;
mod retry;
mod room;
mod sink;
mod speaker;

pub use address::{Address, AddressError, Scheme};
pub use answer::Answer;
pub use args::{HttpArgs, Settings, SettingsError};
pub use client::{Client, install_crypto_provider};
pub use counts::{Counts, RequestCounts};
pub use deadline::{Deadline, DeadlineError};
pub use error::{AskError, Cause, Problem};
pub use host::{AllowedHosts, Host, HostError, PlainHttp};
pub use hosts::{HostCredentials, HostSettings, Hosts, HostsError, Mirror, Upstream};
pub use in_flight::InCrowd;
pub use kind::Kind;
pub use network::{Network, NetworkError};
pub use request::{Method, Request};
pub use sink::Sink;
