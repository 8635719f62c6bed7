//! See `registry::fuzz::docker_config`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| registry::fuzz::docker_config(bytes));
