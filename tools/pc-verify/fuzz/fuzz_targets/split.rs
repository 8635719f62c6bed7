//! See `stage::fuzz::split`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| stage::fuzz::split(bytes));
