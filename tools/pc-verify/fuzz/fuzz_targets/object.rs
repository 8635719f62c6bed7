//! See `cluster::fuzz::object`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cluster::fuzz::object(bytes));
