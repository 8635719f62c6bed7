//! See `pc_updates::fuzz::index`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pc_updates::fuzz::index(bytes));
