//! What the tests of all crates share: a runner for the tools, shells for whole pipelines, a
//! registry and an API server that count and lie on demand, and the ways to real components and
//! foreign data.
//!
//! Only tests depend on this crate. A fake here is for what a real component will not do when
//! asked; the real ones come from `scripts/testbed`.

pub mod api;
pub mod fuzz;
mod generated;
mod places;
pub mod registry;
mod run;

pub use generated::{UPDATE, generated, generated_part};
pub use places::{Testbed, published, root, shared_data};
pub use run::{Ran, Run, Shell, binaries, pc};
