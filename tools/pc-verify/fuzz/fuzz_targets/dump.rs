//! See `cluster::fuzz::dump`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cluster::fuzz::dump(bytes));
