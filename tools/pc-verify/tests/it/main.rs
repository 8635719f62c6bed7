//! Integration tests of pc-verify.

mod provenance;
mod sbom;
