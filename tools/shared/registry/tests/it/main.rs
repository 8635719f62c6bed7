//! References as Go reads them; a registry that counts and lies; layouts on disk.

mod asking;
mod credentials;
mod hosts;
mod kept_evidence;
mod layouts;
mod lies;
mod lists;
mod mirrors;
mod private;
mod pull_secrets;
mod real;
mod references;
mod support;
mod tokens;
