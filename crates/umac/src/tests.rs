//! The test vectors of RFC 4418, and what holds for every message.

use super::*;

const KEY_OF_TESTS: &[u8; 16] = b"abcdefghijklmnop";
const NONCE: u64 = u64::from_be_bytes(*b"bcdefghi");

fn tag<const WORDS: usize>(message: &[u8]) -> String {
    hex::encode_upper(Umac::<WORDS>::new(KEY_OF_TESTS).tag(NONCE, message).unwrap().concat())
}

#[test]
fn the_vectors_of_the_rfc() {
    // RFC 4418, appendix; the row of 2^20 as corrected by its erratum.
    for (letter, times, wanted) in [
        ("a", 0, "6E155FAD26900BE1"),
        ("a", 3, "44B5CB542F220104"),
        ("a", 1 << 10, "26BF2F5D60118BD9"),
        ("a", 1 << 15, "27F8EF643B0D118D"),
        ("a", 1 << 20, "A4477E87E9F55853"),
        ("abc", 1, "D4D7B9F6BD4FBFCF"),
        ("abc", 500, "D4CF26DDEFD5C01A"),
    ] {
        assert_eq!(tag::<2>(letter.repeat(times).as_bytes()), wanted, "{letter} {times} times");
    }
}

#[test]
fn a_long_tag_begins_as_its_hash_says() {
    // Both lengths hash alike; only the pad differs. The RFC prints no tag of 128 bits; these were made by another
    // implementation.
    assert_eq!(tag::<4>(b""), "32FEDB100C79AD58F07FF7643CC60465");
    assert_eq!(tag::<4>(b"aaa"), "185E4FE905CBA7BD85E4C2DC3D117D8D");
}

#[test]
fn neighbouring_nonces_share_a_block_and_differ() {
    let umac = Umac64::new(KEY_OF_TESTS);
    assert_ne!(umac.tag(2, b"x"), umac.tag(3, b"x"));
    assert_eq!(umac.pad(2)[..], umac.pad(2)[..]);
}

#[test]
fn a_message_too_long_has_no_tag() {
    assert!(Umac64::new(KEY_OF_TESTS).tag(0, &vec![0; LONGEST + 1]).is_none());
}

proptest::proptest! {
    #[test]
    fn every_length_has_a_tag_and_every_bit_counts(
        message in proptest::collection::vec(proptest::num::u8::ANY, 1..3000),
        at in proptest::num::usize::ANY,
        bit in 0..8u32,
    ) {
        let umac = Umac128::new(KEY_OF_TESTS);
        let mut other = message.clone();
        let at = at % other.len();
        other[at] ^= 1u8 << bit;
        proptest::prop_assert_ne!(umac.tag(7, &message), umac.tag(7, &other));
    }
}
