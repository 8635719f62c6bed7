//! See `records::fuzz::word`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| records::fuzz::word(bytes));
