//! See `registry::fuzz::reference`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| registry::fuzz::reference(bytes));
