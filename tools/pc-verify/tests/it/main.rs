//! Integration tests of pc-verify.

mod judge;
