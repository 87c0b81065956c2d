//! `cargo +nightly fuzz run shell_line`: see `src/lib.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rustbucket_fuzz::shell_line(data));
