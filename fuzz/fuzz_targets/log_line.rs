//! `cargo +nightly fuzz run log_line`: see `src/lib.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rustbucket_fuzz::log_line(data));
