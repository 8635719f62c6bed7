//! See `http_asking::fuzz::hosts`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| http_asking::fuzz::hosts(bytes));
