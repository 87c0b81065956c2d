//! Bytes as digits: `xxd`, `hexdump`, `od`.

mod formats;
mod hexdump;
mod od;
mod types;
mod xxd;

pub(super) use hexdump::hexdump;
pub(super) use od::od;
pub(super) use xxd::xxd;

/// The most bytes that one call shows.
const MOST: usize = 256 * 1024;

/// A number as the C library reads it: decimal, `0` octal, `0x` hexadecimal; with the suffixes of sizes.
fn size(text: &str) -> Option<usize> {
    let (digits, factor) = match text.char_indices().last()? {
        (at, 'b') if !text.starts_with("0x") => (text.get(..at)?, 512),
        (at, 'k' | 'K') => (text.get(..at)?, 1024),
        (at, 'm' | 'M') => (text.get(..at)?, 1024 * 1024),
        _ => (text, 1),
    };
    let value = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        usize::from_str_radix(hex, 16).ok()?
    } else if digits.len() > 1 && digits.starts_with('0') {
        usize::from_str_radix(digits, 8).ok()?
    } else {
        digits.parse().ok()?
    };
    value.checked_mul(factor)
}

/// The byte as it is shown among text.
fn visible(byte: u8) -> char {
    if (0x20..0x7f).contains(&byte) { char::from(byte) } else { '.' }
}

/// A little-endian number of at most eight bytes.
fn unsigned(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// The same with its sign.
fn signed(bytes: &[u8]) -> i64 {
    let shift = 64 - 8 * bytes.len().min(8) as u32;
    if shift == 64 { 0 } else { (unsigned(bytes) << shift).cast_signed() >> shift }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read() {
        assert_eq!((size("0x10"), size("010"), size("2k"), size("x")), (Some(16), Some(8), Some(2048), None));
        assert_eq!((unsigned(&[1, 2]), signed(&[0xff, 0xff]), signed(&[0x80])), (513, -1, -128));
    }
}
