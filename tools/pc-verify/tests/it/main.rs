//! pc-verify, part by part.

mod trust;
