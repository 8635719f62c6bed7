//! See `registry::fuzz::list`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| registry::fuzz::list(bytes));
