//! pc-verify from the outside: the tool itself at registries that count and lie, the judge on
//! evidence that others made, and what evidence and configuration say.

mod judge;
mod provenance;
mod stores;
mod support;
mod trust;
