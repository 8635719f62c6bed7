//! See `pc_helm::fuzz::release`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pc_helm::fuzz::release(bytes));
