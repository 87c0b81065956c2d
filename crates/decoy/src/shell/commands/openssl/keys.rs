//! `openssl genrsa` and `prime`.

use num_bigint::BigUint;
use rand::RngExt as _;

use super::{Call, Said, certificates::pem, has, output, queue};

/// The longest modulus: bytes of randomness, not the time to find primes, which nobody spends here.
const LONGEST: usize = 16_384;

/// A new key. It looks like one: its parts have the right sizes and the modulus is their product, but nobody searched for
/// primes, which would be an attacker's to spend.
pub(super) fn genrsa(call: &Call<'_>, args: &[String]) -> Said {
    let bits = args.iter().rev().find(|arg| !arg.starts_with('-')).and_then(|arg| arg.parse::<usize>().ok());
    let bits = bits.unwrap_or(2048);
    if bits < 512 {
        return Said::err(
            "Error setting RSA length\n".to_owned()
                + &queue(&[
                    "error:1C8000AB:Provider routines:rsa_gen_set_params:key size too small:../providers/implementations/keymgmt/rsa_kmgmt.c:509:",
                ]),
            1,
        );
    }
    let (name, der) = if has(args, "-traditional") {
        ("RSA PRIVATE KEY", key(bits.min(LONGEST)))
    } else {
        let inner = field(4, &key(bits.min(LONGEST)));
        // rsaEncryption, version 0 (RFC 5208)
        const HEAD: [u8; 18] = [2, 1, 0, 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];
        ("PRIVATE KEY", field(0x30, &[&HEAD[..], &inner].concat()))
    };
    output(call, args, pem(name, &der).into(), 0o600)
}

/// A field of DER.
fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len();
    let mut made = vec![tag];
    match length {
        0..=127 => made.push(length as u8),
        128..=255 => made.extend([0x81, length as u8]),
        _ => made.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    made.extend_from_slice(bytes);
    made
}

fn integer(value: &BigUint) -> Vec<u8> {
    let mut bytes = value.to_bytes_be();
    if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
        bytes.insert(0, 0);
    }
    field(2, &bytes)
}

/// RFC 8017, A.1.2.
fn key(bits: usize) -> Vec<u8> {
    let odd = |bits: usize, top: u8| {
        let mut bytes = vec![0; bits / 8];
        rand::rng().fill(&mut bytes[..]);
        if let Some(first) = bytes.first_mut() {
            *first |= top;
        }
        if let Some(last) = bytes.last_mut() {
            *last |= 1;
        }
        BigUint::from_bytes_be(&bytes)
    };
    let (p, q) = (odd(bits / 2, 0xc0), odd(bits / 2, 0xc0));
    let parts = [
        BigUint::from(0_u8),
        &p * &q,
        BigUint::from(65_537_u32),
        odd(bits, 0x40),
        p,
        q,
        odd(bits / 2, 0x40),
        odd(bits / 2, 0x40),
        odd(bits / 2, 0x40),
    ];
    field(0x30, &parts.iter().map(integer).collect::<Vec<_>>().concat())
}

pub(super) fn prime(args: &[String]) -> Said {
    let mut said = Said::default();
    for word in args.iter().filter(|arg| !arg.starts_with('-')) {
        let Ok(number) = word.parse::<u64>() else {
            said.err.extend(format!("Failed to process value ({word})\n").bytes());
            said.status = 1;
            continue;
        };
        let is = number > 1 && (2..).take_while(|n| n * n <= number.min(1 << 40)).all(|n| number % n != 0);
        said.out.extend(format!("{number:X} ({word}) {} prime\n", if is { "is" } else { "is not" }).bytes());
    }
    if args.iter().all(|arg| arg.starts_with('-')) {
        return Said::err("prime: No prime specified\nprime: Use -help for summary.\n", 1);
    }
    said
}
