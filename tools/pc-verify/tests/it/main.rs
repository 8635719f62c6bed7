//! pc-verify from the outside: the tool itself at registries that count and lie, the judge on
//! evidence that others made, and whom the configuration trusts.

mod judge;
mod stores;
mod support;
mod trust;
