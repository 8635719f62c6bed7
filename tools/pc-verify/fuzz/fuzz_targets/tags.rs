//! See `pc_updates::fuzz::tags`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pc_updates::fuzz::tags(bytes));
