//! See `report::fuzz::report`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| report::fuzz::report(bytes));
