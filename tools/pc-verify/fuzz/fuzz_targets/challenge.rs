//! See `registry::fuzz::challenge`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| registry::fuzz::challenge(bytes));
