//! `cargo +nightly fuzz run ftp`: see `src/lib.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rustbucket_fuzz::ftp(data));
