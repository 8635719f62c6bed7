//! JSON for machines.
//!
//! - `health`: whether the process lives, and whether it can answer.
//! - `peer`: the routes and names that existing Grafana panels read.
//! - `error`: what a request that cannot be answered gets.

mod error;
pub(crate) mod health;
pub(crate) mod peer;
