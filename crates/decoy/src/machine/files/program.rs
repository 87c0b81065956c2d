//! Bytes that no image has: files of which only the size is known, and the random devices.

use std::time::SystemTime;

/// Up to `length` bytes from `offset` on of a packed file of `size` bytes; the same for the same size.
pub(super) fn blank(size: u32, offset: u64, length: usize) -> Vec<u8> {
    let end = offset.saturating_add(length as u64).min(u64::from(size));
    let mut bytes = Vec::with_capacity(end.saturating_sub(offset) as usize + 16);
    let skip = (offset % 8) as usize;
    let mut step = offset / 8;
    while (bytes.len() as u64) < end.saturating_sub(offset) + skip as u64 {
        bytes.extend_from_slice(&mix(u64::from(size), step).to_le_bytes());
        step += 1;
    }
    bytes.drain(..skip.min(bytes.len()));
    bytes.truncate(end.saturating_sub(offset) as usize);
    bytes
}

/// What `/dev/urandom` gives: differs at each moment, repeats in a test with a fixed clock.
pub(super) fn noise(now: SystemTime, size: usize) -> Vec<u8> {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let seed = (since.as_nanos() as u64) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    let mut step = 1;
    while bytes.len() < size {
        bytes.extend_from_slice(&mix(seed, step).to_le_bytes());
        step += 1;
    }
    bytes.truncate(size);
    bytes
}

/// SplitMix64, by its step.
fn mix(seed: u64, step: u64) -> u64 {
    let mut state = seed.wrapping_add(step.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_file_is_a_part_of_the_whole() {
        let whole = blank(1001, 0, usize::MAX);
        assert_eq!(whole.len(), 1001);
        assert_eq!(blank(1001, 13, 100), &whole[13..113]);
        assert_eq!(blank(1001, 990, 100), &whole[990..]);
        assert!(blank(1001, 1001, 5).is_empty());
    }
}
