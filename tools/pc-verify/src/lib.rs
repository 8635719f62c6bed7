//! pc-verify: who says so, and is it proven.
//!
//! - `material`: what a store handed over.
//! - `judge`: cryptography, time, chain, subject: one piece of evidence alone.
//! - `judged`: what the judge says.
//! - `statement`, `provenance`, `sbom`: what evidence says.
//! - `trust`: whom the configuration trusts, and its policies.

pub mod judge;
pub mod judged;
pub mod material;
pub mod provenance;
pub mod sbom;
pub mod statement;
pub mod trust;
