//! pc-web: the dashboard, the API and the metrics over the reports that pc-store keeps.
//!
//! - [`library`]: what the store holds; each report is read once, when it appears.
//! - [`app`]: the routes, each with who may use it, and what handlers share.
//! - [`view`]: lists: filtered, grouped, sorted, by what stands in the address.
//! - `serve`: listeners, the watch over the store, and a graceful stop.
//! - `pages`: the dashboard.
//! - [`doors`]: what keeps others out.
//! - `api`: JSON for machines: the older names that Grafana panels use, and `/api/v1`.
//!
//! Not here: any judgement, any question to a registry. What a page says was found out by the
//! stages and stands in a report.

mod api;
pub mod app;
mod assets;
mod cli;
pub mod doors;
pub mod library;
mod pages;
mod serve;
pub mod view;

pub use cli::Cli;
