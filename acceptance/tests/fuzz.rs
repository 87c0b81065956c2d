//! The doors that strangers' bytes come in by, driven with mutated seeds: no panic, no hang. `fuzz/` has the same for a
//! coverage-guided fuzzer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../fuzz/src/lib.rs"]
mod doors;

use std::{
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use doors::{TARGETS, Target};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

/// How many inputs each door gets when no time is set.
const INPUTS: usize = 120;
/// The longest input.
const LONGEST: usize = 4096;
/// Pieces that mean something somewhere.
const WORDS: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\r\n",
    b"\n",
    b"'",
    b"\"",
    b"`",
    b"$(",
    b"${",
    b"))",
    b"<<",
    b"|",
    b"&",
    b";",
    b"\\",
    b"%s%n",
    b"%00",
    b"../",
    b"\xff\xfa",
    b"\xff\xf0",
    b"\x1b[",
    b"\x03",
    b"\x04",
    b"{",
    b"[",
    b"]}",
    b"\"\\ud800\"",
    b"9999999999999999999999",
    b"-1",
    b"0x",
    b"\xf0\x9f\x98\x80",
    b"\xe2\x80\xae",
    b"<script>",
    b"=",
    b"1e999",
    b"null",
];

fn mutate(random: &mut StdRng, seeds: &[&[u8]]) -> Vec<u8> {
    let pick = |random: &mut StdRng| seeds[random.random_range(0..seeds.len())];
    let mut bytes = pick(random).to_vec();
    for _ in 0..random.random_range(0..8) {
        let at = random.random_range(0..=bytes.len());
        let end = random.random_range(at..=bytes.len().min(at + 64));
        match random.random_range(0..7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..at, WORDS[random.random_range(0..WORDS.len())].iter().copied())),
            3 => {
                let piece = bytes[at..end].to_vec();
                for _ in 0..random.random_range(1..20) {
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
            4 => {
                let other = pick(random);
                let from = random.random_range(0..=other.len());
                bytes.splice(at..end, other[from..].iter().copied());
            }
            5 => {
                let noise: Vec<u8> = (0..random.random_range(1..40)).map(|_| random.random()).collect();
                bytes.splice(at..end, noise);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.random_range(0..8);
                }
            }
        }
    }
    bytes.truncate(LONGEST);
    bytes
}

fn drive(target: &Target, time: Option<Duration>) -> usize {
    let seed = if time.is_some() { rand::random() } else { 2026 };
    let mut random = StdRng::seed_from_u64(seed);
    let (since, mut inputs) = (Instant::now(), 0);
    loop {
        let input = match target.seeds.get(inputs) {
            Some(seed) => seed.to_vec(),
            None => mutate(&mut random, target.seeds),
        };
        let began = Instant::now();
        if catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err() {
            panic!("{} does not bear \"{}\"", target.name, input.escape_ascii());
        }
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{} hangs at \"{}\"",
            target.name,
            input.escape_ascii()
        );
        inputs += 1;
        let enough = time.map_or(inputs >= INPUTS, |time| since.elapsed() >= time);
        if enough {
            return inputs;
        }
    }
}

#[test]
fn no_bytes_hurt_any_door() {
    let time = std::env::var("RUSTBUCKET_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let only = std::env::var("RUSTBUCKET_FUZZ_TARGET").ok();
    for target in TARGETS.iter().filter(|target| only.as_deref().is_none_or(|only| only == target.name)) {
        let inputs = drive(target, time.map(Duration::from_secs));
        println!("{}: {inputs} inputs", target.name);
    }
}

#[test]
fn every_door_is_a_target_of_the_fuzzer() {
    let folder = acceptance::root().join("fuzz");
    let files: BTreeSet<String> = fs::read_dir(folder.join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let names: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(files, names);
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is no binary of fuzz/Cargo.toml");
    }
}
