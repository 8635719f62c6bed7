//! pc-verify from the outside: the tool itself at registries that count and lie, and the judge on
//! evidence that others made.

mod judge;
mod stores;
mod support;
