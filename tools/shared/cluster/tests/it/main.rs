//! The crate from outside: asking a fake API server, connections that fail, and dumps.

mod asking;
mod connections;
mod dumps;
