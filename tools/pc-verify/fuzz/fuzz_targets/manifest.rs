//! See `registry::fuzz::manifest`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| registry::fuzz::manifest(bytes));
