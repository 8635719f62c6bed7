//! Integration tests of pc-verify.

mod provenance;
