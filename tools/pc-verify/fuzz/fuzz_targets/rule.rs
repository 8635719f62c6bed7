//! See `pc_updates::fuzz::rule`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pc_updates::fuzz::rule(bytes));
