//! Executables: plausible x86-64 ELF files, made when somebody reads them.

use std::time::SystemTime;

/// A position-independent ELF executable of `size` bytes (System V ABI, AMD64 supplement); the same for the same
/// `id` and size.
pub(super) fn elf(id: u32, size: usize) -> Vec<u8> {
    let mut file = Vec::with_capacity(size);
    let half = |file: &mut Vec<u8>, value: u16| file.extend_from_slice(&value.to_le_bytes());
    let word = |file: &mut Vec<u8>, value: u32| file.extend_from_slice(&value.to_le_bytes());
    let long = |file: &mut Vec<u8>, value: u64| file.extend_from_slice(&value.to_le_bytes());
    let sections = (size as u64).saturating_sub(31 * 64) & !7;
    file.extend_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    half(&mut file, 3); // ET_DYN: position independent
    half(&mut file, 62); // EM_X86_64
    word(&mut file, 1);
    long(&mut file, 0x4000 + u64::from(id % 0x200) * 16); // entry
    long(&mut file, 64); // program headers follow the file header
    long(&mut file, sections);
    word(&mut file, 0);
    for value in [64, 56, 13, 64, 31, 30] {
        half(&mut file, value);
    }
    let segments: [(u32, u32, u64, u64); 6] = [
        (6, 4, 0x40, 13 * 56),                                // PT_PHDR
        (3, 4, 0x318, 28),                                    // PT_INTERP
        (1, 4, 0, 0x3000),                                    // PT_LOAD headers
        (1, 5, 0x4000, (size as u64).saturating_sub(0x8000)), // PT_LOAD text
        (2, 6, 0x3000, 0x1f0),                                // PT_DYNAMIC
        (0x6474_e551, 6, 0, 0),                               // PT_GNU_STACK
    ];
    for (kind, flags, offset, length) in segments {
        word(&mut file, kind);
        word(&mut file, flags);
        for value in [offset, offset, offset, length, length, 0x1000] {
            long(&mut file, value);
        }
    }
    file.resize(0x318, 0);
    file.extend_from_slice(b"/lib64/ld-linux-x86-64.so.2\0");
    file.extend_from_slice(b"\x04\0\0\0\x10\0\0\0\x05\0\0\0GNU\0\x02\0\0\xc0\x04\0\0\0\x03\0\0\0\0\0\0\0");
    file.extend_from_slice(b"\0libc.so.6\0__libc_start_main\0__cxa_finalize\0GLIBC_2.34\0GLIBC_2.2.5\0");
    let mut state = u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    while file.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // Code is not noise: zero runs and the commonest opcodes make up much of it.
        match state & 7 {
            0..=2 => file.extend_from_slice(&[0x48, 0x89, state.to_le_bytes()[1] | 0xc0, 0xe8]),
            3 => file.extend_from_slice(&[0; 8]),
            4 => file.extend_from_slice(&[0x0f, 0x1f, 0x44, 0, 0]),
            _ => file.extend_from_slice(&state.to_le_bytes()),
        }
    }
    file.truncate(size);
    file
}

/// What `/dev/urandom` gives: differs at each moment, repeats in a test with a fixed clock.
pub(super) fn noise(now: SystemTime, size: usize) -> Vec<u8> {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut state = (since.as_nanos() as u64) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_executable_has_its_size_and_stays_the_same() {
        let file = elf(7, 151_344);
        assert_eq!(file.len(), 151_344);
        assert_eq!(file.get(..4), Some(&b"\x7fELF"[..]));
        assert_eq!(file, elf(7, 151_344));
        assert_ne!(file, elf(8, 151_344));
        assert_eq!(elf(1, 100).len(), 100, "a tiny one is cut");
    }
}
