//! See `pc_helm::fuzz::origins`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pc_helm::fuzz::origins(bytes));
