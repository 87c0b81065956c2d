//! `cargo +nightly fuzz run registry_settings`: see `src/lib.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rustbucket_fuzz::registry_settings(data));
