//! See `http_asking::fuzz::address`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| http_asking::fuzz::address(bytes));
