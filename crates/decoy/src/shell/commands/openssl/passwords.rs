//! Password hashes of crypt(5): MD5 in both spellings, SHA-256 and SHA-512.

use md5::Md5;
use sha2::{Digest, Sha256, Sha512};

/// The letters of crypt(5), six bits each.
const LETTERS: &[u8] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Longer ones cost time that grows with their square; OpenSSL cuts there, too.
const LONGEST: usize = 256;

/// How a password is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell::commands) enum Scheme {
    /// `$1$`
    Md5,
    /// `$apr1$`
    Apache,
    /// `$5$`
    Sha256,
    /// `$6$`
    Sha512,
}

/// The whole hash as it stands in `/etc/shadow`.
pub(in crate::shell::commands) fn hash(scheme: Scheme, password: &[u8], salt: &str) -> String {
    let password = password.get(..password.len().min(LONGEST)).unwrap_or_default();
    let most = if matches!(scheme, Scheme::Md5 | Scheme::Apache) { 8 } else { 16 };
    let salt: String = salt.chars().take_while(|c| *c != '$').take(most).collect();
    match scheme {
        Scheme::Md5 => md5(password, &salt, "$1$"),
        Scheme::Apache => md5(password, &salt, "$apr1$"),
        Scheme::Sha256 => {
            format!("$5${salt}${}", in_order(&sha::<Sha256>(password, salt.as_bytes()), &sha256_order()))
        }
        Scheme::Sha512 => {
            format!("$6${salt}${}", in_order(&sha::<Sha512>(password, salt.as_bytes()), &sha512_order()))
        }
    }
}

/// A salt from random bytes.
pub(in crate::shell::commands) fn salt(random: &[u8]) -> String {
    random.iter().map(|byte| letter(u32::from(*byte))).collect()
}

fn letter(bits: u32) -> char {
    LETTERS.get((bits & 63) as usize).copied().map_or('.', char::from)
}

/// Bytes by their places, three at a time, last place first.
fn in_order(bytes: &[u8], places: &[usize]) -> String {
    let mut text = String::new();
    for three in places.chunks(3) {
        let word = three
            .iter()
            .fold(0, |word, place| word << 8 | u32::from(bytes.get(*place).copied().unwrap_or_default()));
        let count = (three.len() * 8).div_ceil(6);
        text.extend((0..count).map(|number| letter(word >> (6 * number))));
    }
    text
}

fn md5(password: &[u8], salt: &str, magic: &str) -> String {
    let inner = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut first = Md5::new().chain_update(password).chain_update(magic).chain_update(salt);
    first.update(repeated(&inner, password.len()));
    let mut left = password.len();
    while left > 0 {
        if left & 1 == 1 {
            first.update([0]);
        } else {
            first.update(password.get(..1).unwrap_or_default());
        }
        left >>= 1;
    }
    let mut last = first.finalize();
    for round in 0..1000 {
        let mut next = Md5::new();
        next.update(if round & 1 == 1 { password } else { &last[..] });
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(if round & 1 == 1 { &last[..] } else { password });
        last = next.finalize();
    }
    const ORDER: [usize; 16] = [0, 6, 12, 1, 7, 13, 2, 8, 14, 3, 9, 15, 4, 10, 5, 11];
    format!("{magic}{salt}${}", in_order(&last, &ORDER))
}

/// The SHA schemes are one but for the digest (Drepper's specification).
fn sha<D: Digest>(password: &[u8], salt: &[u8]) -> Vec<u8> {
    let inner = D::new().chain_update(password).chain_update(salt).chain_update(password).finalize().to_vec();
    let mut first = D::new().chain_update(password).chain_update(salt);
    first.update(repeated(&inner, password.len()));
    let mut left = password.len();
    while left > 0 {
        if left & 1 == 1 {
            first.update(&inner);
        } else {
            first.update(password);
        }
        left >>= 1;
    }
    let mut last = first.finalize().to_vec();
    let mut passwords = D::new();
    (0..password.len()).for_each(|_| passwords.update(password));
    let by_password = repeated(&passwords.finalize(), password.len());
    let mut salts = D::new();
    (0..16 + usize::from(last.first().copied().unwrap_or_default())).for_each(|_| salts.update(salt));
    let by_salt = repeated(&salts.finalize(), salt.len());
    for round in 0..5000 {
        let mut next = D::new();
        next.update(if round & 1 == 1 { &by_password } else { &last });
        if round % 3 != 0 {
            next.update(&by_salt);
        }
        if round % 7 != 0 {
            next.update(&by_password);
        }
        next.update(if round & 1 == 1 { &last } else { &by_password });
        last = next.finalize().to_vec();
    }
    last
}

fn repeated(bytes: &[u8], length: usize) -> Vec<u8> {
    bytes.iter().copied().cycle().take(length).collect()
}

fn sha256_order() -> Vec<usize> {
    let mut order: Vec<usize> = (0..10)
        .flat_map(|row| {
            let three = [row, row + 10, row + 20];
            (0..3).map(move |place| three.get((place + row * 2) % 3).copied().unwrap_or_default())
        })
        .collect();
    order.extend([31, 30]);
    order
}

fn sha512_order() -> Vec<usize> {
    let mut order: Vec<usize> = (0..21)
        .flat_map(|row| {
            let three = [row, row + 21, row + 42];
            (0..3).map(move |place| three.get((place + row) % 3).copied().unwrap_or_default())
        })
        .collect();
    order.push(63);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_openssl() {
        // `openssl passwd … -salt abc secret`
        for (scheme, known) in [
            (Scheme::Md5, "$1$abc$iCQ2D3nhptRYi27fDYv2s1"),
            (Scheme::Apache, "$apr1$abc$PZF73YJz5hJ9yyI.7OP.R."),
            (Scheme::Sha256, "$5$abc$qsg6EHbUzHQzF1POlD7zUwBINSELQxypPaeDcZe6vH0"),
            (
                Scheme::Sha512,
                "$6$abc$IdWKNKTJEb8LxY7CGg8YBXlvtfZzFw7Mp/r6niK9YB2mdvgY..TKjv1T..8RadRt2qvUHYRLr/TsVArtr91iR1",
            ),
        ] {
            assert_eq!(hash(scheme, b"secret", "abc"), known);
        }
    }
}
