//! `cargo +nightly fuzz run plain`: see `src/lib.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rustbucket_fuzz::plain(data));
