//! Groups for `diffie-hellman-group-exchange-sha256`, out of the machine's own `/etc/ssh/moduli` as sshd chooses them
//! (OpenSSH 9.2: choose_dh and parse_prime in dh.c).

use rand::RngExt as _;
use russh::kex::dh::groups::{DH_GROUP14, DH_GROUP15, DH_GROUP16, DH_GROUP17, DH_GROUP18, DhGroup};

/// Where they are.
pub const FILE: &str = "/etc/ssh/moduli";
/// OpenSSH: DH_GRP_MIN and DH_GRP_MAX.
const LEAST: usize = 2048;
const MOST: usize = 8192;
/// moduli(5): a safe prime.
const SAFE: &str = "2";
/// moduli(5): the bit of tests that says "not prime".
const COMPOSITE: u32 = 0x01;

/// Where the file holds none: one of each of its sizes (RFC 3526).
const FIXED: [DhGroup; 5] = [DH_GROUP14, DH_GROUP15, DH_GROUP16, DH_GROUP17, DH_GROUP18];

/// One line of the file.
struct Modulus<'a> {
    bits: usize,
    generator: &'a str,
    prime: &'a str,
}

/// The group for a client that asks for so many bits; none when its wishes cannot be met (kexgexs.c).
pub fn choose(moduli: &[u8], least: usize, wanted: usize, most: usize) -> Option<DhGroup> {
    let (least, most) = (least.max(LEAST), most.min(MOST));
    let wanted = wanted.clamp(LEAST, MOST);
    if most < least || wanted < least || most < wanted {
        return None;
    }
    // An image may only list the file: what is made up for it is no text.
    let text = std::str::from_utf8(moduli).unwrap_or_default();
    let known: Vec<Modulus<'_>> = text.lines().filter_map(read).collect();
    let best = |sizes: &mut dyn Iterator<Item = usize>| {
        sizes.filter(|bits| (least..=most).contains(bits)).fold(0, |best, bits| {
            let nearer = (bits > wanted && bits < best) || (bits > best && best < wanted);
            if nearer { bits } else { best }
        })
    };
    let group = if known.is_empty() {
        let best = best(&mut FIXED.iter().map(DhGroup::bit_size));
        FIXED.iter().find(|group| group.bit_size() == best).cloned()
    } else {
        let best = best(&mut known.iter().map(|modulus| modulus.bits));
        let fitting: Vec<&Modulus<'_>> = known.iter().filter(|known| known.bits == best).collect();
        let drawn = (!fitting.is_empty()).then(|| rand::rng().random_range(0..fitting.len()));
        drawn.and_then(|at| fitting.get(at)).and_then(|modulus| {
            let (prime, generator) = (bytes(modulus.prime)?, bytes(modulus.generator)?);
            Some(DhGroup { prime: prime.into(), generator: generator.into() })
        })
    };
    // dh_new_group_fallback
    Some(group.unwrap_or(match most {
        ..3072 => DH_GROUP14,
        3072..6144 => DH_GROUP16,
        _ => DH_GROUP18,
    }))
}

/// `time type tests tries size generator modulus`.
fn read(line: &str) -> Option<Modulus<'_>> {
    let mut fields = line.split_ascii_whitespace();
    let kind = fields.nth(1)?;
    let tests: u32 = fields.next()?.parse().ok()?;
    let tries: u32 = fields.next()?.parse().ok()?;
    let size: usize = fields.next()?.parse().ok()?;
    let (generator, prime) = (fields.next()?, fields.next()?);
    // The whole group is one bit larger than the file says.
    let bits = size.checked_add(1).filter(|bits| *bits <= MOST)?;
    let first = prime.chars().next()?.to_digit(16).filter(|digit| *digit > 0)?;
    let length = (prime.len() - 1).saturating_mul(4) + (32 - first.leading_zeros() as usize);
    let tested = tests & COMPOSITE == 0 && tests & !COMPOSITE != 0 && tries > 0;
    (kind == SAFE && tested && length == bits).then_some(Modulus { bits, generator, prime })
}

/// Hexadecimal digits, perhaps an odd number of them.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let padded = if digits.len().is_multiple_of(2) { digits.to_owned() } else { format!("0{digits}") };
    hex::decode(padded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of numbers that are no primes: nobody computes with them here.
    fn file() -> String {
        let line = |size: usize, kind: u8, tests: u8| {
            let digits = (size + 1) / 4;
            format!("20200101000000 {kind} {tests} 100 {size} 5 {}\n", "F".repeat(digits))
        };
        [
            line(2047, 2, 6),
            line(3071, 2, 6),
            line(3071, 2, 6),
            line(4095, 2, 6),
            line(8191, 2, 6),
            line(6143, 4, 6),
            line(6143, 2, 7),
            "# Time Type Tests\n".to_owned(),
            "20200101000000 2 6 100 6143 5 0F\n".to_owned(),
        ]
        .concat()
    }

    #[test]
    fn sizes_are_chosen_as_sshd_chooses_them() {
        let bits = |least, wanted, most| {
            choose(file().as_bytes(), least, wanted, most).map(|group| group.bit_size())
        };
        assert_eq!(bits(2048, 3072, 8192), Some(3072));
        assert_eq!(bits(512, 512, 512), None, "nothing below 2048");
        assert_eq!(bits(512, 1024, 8192), Some(2048));
        assert_eq!(bits(2048, 3500, 8192), Some(4096), "the next larger");
        assert_eq!(bits(2048, 6144, 8192), Some(8192), "those of 6144 are no good");
        assert_eq!(bits(2048, 8192, 16384), Some(8192));
        assert_eq!(bits(8192, 3072, 2048), None, "upside down");
        assert_eq!(bits(16384, 16384, 16384), None);
        // Nothing fits: the fixed ones.
        assert_eq!(bits(5000, 5000, 5000), Some(4096));
        let fixed = |least, wanted, most| choose(b"\xff", least, wanted, most).map(|group| group.bit_size());
        assert_eq!(fixed(2048, 2048, 2048), Some(2048));
        assert_eq!(fixed(2048, 3000, 8192), Some(3072));
        assert_eq!(fixed(2048, 8192, 8192), Some(8192));
        assert_eq!(fixed(2049, 2050, 2051), Some(2048), "as dh_new_group_fallback");
    }

    proptest::proptest! {
        #[test]
        fn any_file_gives_a_group(text in "[ 0-9a-fA-F\n#.]{0,200}", least: u16, wanted: u16, most: u16) {
            let _group = choose(text.as_bytes(), least.into(), wanted.into(), most.into());
        }
    }
}
