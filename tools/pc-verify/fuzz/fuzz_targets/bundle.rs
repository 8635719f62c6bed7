//! See `pc_verify::fuzz::bundle`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pc_verify::fuzz::bundle(bytes));
