//! The bytes between a file's ends: made when they are read, from any place on, always the same.

/// What a file looks like inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    /// Machine code and tables.
    Code(u64),
    /// Words and lines.
    Text(u64),
    /// Packed or encrypted.
    Noise(u64),
}

/// Steps of the generator go by this many bytes.
const STEP: u64 = 16;

/// Instructions that compilers for x86-64 write often, in pieces of four bytes: moves, calls, tests, jumps.
const CODE: [[u8; 4]; 16] = [
    [0x48, 0x89, 0xe5, 0x41],
    [0x48, 0x8b, 0x45, 0xf8],
    [0x0f, 0x1f, 0x40, 0x00],
    [0x48, 0x83, 0xec, 0x08],
    [0x31, 0xc0, 0xc3, 0x90],
    [0x85, 0xc0, 0x74, 0x0b],
    [0x48, 0x8d, 0x3d, 0x00],
    [0x00, 0x00, 0x00, 0x00],
    [0x4c, 0x89, 0xe7, 0xe8],
    [0x5b, 0x5d, 0x41, 0x5c],
    [0xff, 0xff, 0xff, 0xeb],
    [0x48, 0x85, 0xdb, 0x75],
    [0x00, 0x00, 0x00, 0xe9],
    [0x89, 0xde, 0x48, 0x89],
    [0x41, 0x56, 0x41, 0x55],
    [0x66, 0x90, 0x48, 0xc7],
];

const WORDS: [&str; 16] = [
    "the", "file", "value", "default", "of", "option", "and", "name", "is", "set", "to", "returns", "list",
    "with", "for", "error",
];

impl Flavour {
    /// Told by a file's first bytes and its size, so that a copy of it is the same.
    pub(super) fn of(first: &[u8], size: u64) -> Self {
        let mut seed = size ^ 0xcbf2_9ce4_8422_2325;
        for byte in first {
            seed = (seed ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if first.starts_with(b"\x7fELF") {
            Self::Code(seed)
        } else if first.is_empty() || first.iter().any(|byte| *byte < 9 || *byte == 0x7f) {
            Self::Noise(seed)
        } else {
            Self::Text(seed)
        }
    }
}

/// SplitMix64, by its step.
fn mix(seed: u64, step: u64) -> u64 {
    let mut state = seed.wrapping_add(step.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// Adds `length` bytes from `offset` on to `into`.
pub(super) fn fill(flavour: &Flavour, offset: u64, length: usize, into: &mut Vec<u8>) {
    let end = into.len() + length;
    let mut skip = (offset % STEP) as usize;
    let mut step = offset / STEP;
    while into.len() < end {
        let piece = piece(flavour, step);
        let piece = piece.get(skip..).unwrap_or_default();
        into.extend_from_slice(piece.get(..piece.len().min(end - into.len())).unwrap_or_default());
        (skip, step) = (0, step + 1);
    }
}

fn piece(flavour: &Flavour, step: u64) -> [u8; STEP as usize] {
    let mut piece = [0; STEP as usize];
    match *flavour {
        Flavour::Noise(seed) => {
            for (half, part) in piece.chunks_exact_mut(8).enumerate() {
                part.copy_from_slice(&mix(seed, step * 2 + half as u64).to_le_bytes());
            }
        }
        Flavour::Code(seed) => {
            let random = mix(seed, step);
            for (number, part) in piece.chunks_exact_mut(4).enumerate() {
                let chosen = random >> (number * 8);
                // Every fourth piece is an address or a constant.
                let bytes = match chosen & 0x30 {
                    0 => ((chosen >> 6) as u32 & 0x000f_ffff).to_le_bytes(),
                    _ => CODE.get((chosen & 15) as usize).copied().unwrap_or_default(),
                };
                part.copy_from_slice(&bytes);
            }
        }
        Flavour::Text(seed) => {
            let random = mix(seed, step);
            piece.fill(b' ');
            let mut at = 0;
            for number in 0..4 {
                let word = WORDS.get((random >> (number * 8)) as usize & 15).copied().unwrap_or_default();
                if let Some(place) = piece.get_mut(at..at + word.len()) {
                    place.copy_from_slice(word.as_bytes());
                    at += word.len() + 1;
                }
            }
            if step % 4 == 3
                && let Some(last) = piece.last_mut()
            {
                *last = b'\n';
            }
        }
    }
    piece
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_part_is_a_part_of_the_whole(first: Vec<u8>, from in 0_u64..300, length in 0_usize..300) {
            let flavour = Flavour::of(&first, 1000);
            let mut whole = Vec::new();
            fill(&flavour, 0, 600, &mut whole);
            let mut part = Vec::new();
            fill(&flavour, from, length, &mut part);
            prop_assert_eq!(&part[..], &whole[from as usize..from as usize + length]);
        }
    }

    #[test]
    fn text_is_text_and_code_is_not() {
        let mut text = Vec::new();
        fill(&Flavour::of(b"#!/bin/sh\n", 9), 0, 640, &mut text);
        assert!(text.is_ascii() && text.iter().filter(|byte| **byte == b'\n').count() == 10);
        assert!(matches!(Flavour::of(b"\x7fELF\x02", 9), Flavour::Code(_)));
        assert!(matches!(Flavour::of(b"\x1f\x8b\x08\0", 9), Flavour::Noise(_)));
    }
}
