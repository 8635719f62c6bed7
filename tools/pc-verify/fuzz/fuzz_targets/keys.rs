//! See `pc_verify::fuzz::keys`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pc_verify::fuzz::keys(bytes));
