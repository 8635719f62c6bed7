//! See `records::fuzz::record`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| records::fuzz::record(bytes));
