//! pc-verify from the outside: the tool itself, at registries that count and lie.

mod stores;
mod support;
