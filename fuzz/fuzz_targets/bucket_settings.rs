//! `cargo +nightly fuzz run bucket_settings`: see `src/lib.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rustbucket_fuzz::bucket_settings(data));
