//! Held against what zlib 1.2.13 made of the same pages, with the sizes that nginx gives it.

use std::io::Read as _;

use proptest::prelude::*;

use super::gzip;

/// A page of so many bytes: letters, and every now and then something that stood before.
fn page(length: usize, letters: &[u8]) -> Vec<u8> {
    let (mut x, mut out) = (length as u64, Vec::new());
    while out.len() < length {
        x = (x * 1_103_515_245 + 12_345) & 0x7fff_ffff;
        if (x >> 16) & 7 != 0 && out.len() > 40 {
            let begin = out.len() - ((x >> 19) % 40 + 1) as usize;
            let end = (begin + ((x >> 8) % 9 + 1) as usize).min(out.len());
            out.extend_from_within(begin..end);
        } else {
            out.push(letters[(x >> 16) as usize % letters.len()]);
        }
    }
    out.truncate(length);
    out
}

#[test]
fn pages_are_packed_as_zlib_packs_them() {
    let every: Vec<u8> = (0..=255).collect();
    let known: [(usize, &[u8], usize, u32); 6] = [
        (20, b"ab", 29, 985_838_961),
        (615, b"<html> body/\"=", 239, 798_489_837),
        (1786, b"abcdefghijklmnopqrstuvwxyz", 459, 2_742_259_823),
        (20_000, b"\n <>abcdefgh", 4768, 2_983_923_918),
        (70_000, &every, 20_688, 1_820_676_675),
        (262_144, b"abcdefgh \n", 67_994, 2_857_575_312),
    ];
    for (length, letters, packed, sum) in known {
        assert_eq!(summed(&gzip(&page(length, letters))), (packed, sum), "{length}");
    }
    assert_eq!(summed(&gzip(&[b'x'; 5000])), (57, 3_558_006_425));
}

fn summed(bytes: &[u8]) -> (usize, u32) {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    (bytes.len(), sum.sum())
}

proptest! {
    #[test]
    fn what_is_packed_is_the_page(page in proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), any::<u8>()], 0..5000)) {
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(gzip(&page).as_slice()).read_to_end(&mut unpacked).unwrap();
        prop_assert_eq!(unpacked, page);
    }
}
