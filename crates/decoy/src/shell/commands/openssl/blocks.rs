//! AES, and how its blocks are put together.

use aes::{
    Aes128, Aes192, Aes256, Block,
    cipher::{BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _},
};

/// How blocks are put together.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Ecb,
    Cbc,
    Ctr,
    Cfb,
    Ofb,
}

/// One of the ciphers that are computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cipher {
    pub(super) bits: usize,
    mode: Mode,
}

impl Cipher {
    /// `aes-256-cbc`, `aes128`, …
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let rest = name.strip_prefix("aes")?;
        let (bits, mode) = match rest.strip_prefix('-') {
            Some(rest) => rest.split_once('-')?,
            None => (rest, "cbc"),
        };
        let bits = match bits {
            "128" => 128,
            "192" => 192,
            "256" => 256,
            _ => return None,
        };
        let mode = match mode {
            "ecb" => Mode::Ecb,
            "cbc" => Mode::Cbc,
            "ctr" => Mode::Ctr,
            "cfb" => Mode::Cfb,
            "ofb" => Mode::Ofb,
            _ => return None,
        };
        Some(Self { bits, mode })
    }

    pub(super) fn label(self) -> String {
        format!("AES-{}-{:?}", self.bits, self.mode).to_ascii_uppercase()
    }

    pub(super) fn iv_length(self) -> usize {
        if self.mode == Mode::Ecb { 0 } else { 16 }
    }
}

/// AES with a key of any size.
enum Aes {
    Short(Box<Aes128>),
    Middle(Box<Aes192>),
    Long(Box<Aes256>),
}

impl Aes {
    fn new(key: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Self::Short(Box::new(Aes128::new_from_slice(key).ok()?)),
            24 => Self::Middle(Box::new(Aes192::new_from_slice(key).ok()?)),
            _ => Self::Long(Box::new(Aes256::new_from_slice(key).ok()?)),
        })
    }

    fn turn(&self, block: [u8; 16], back: bool) -> [u8; 16] {
        let mut block = Block::from(block);
        match (self, back) {
            (Self::Short(aes), false) => aes.encrypt_block(&mut block),
            (Self::Short(aes), true) => aes.decrypt_block(&mut block),
            (Self::Middle(aes), false) => aes.encrypt_block(&mut block),
            (Self::Middle(aes), true) => aes.decrypt_block(&mut block),
            (Self::Long(aes), false) => aes.encrypt_block(&mut block),
            (Self::Long(aes), true) => aes.decrypt_block(&mut block),
        }
        block.into()
    }
}

fn block(bytes: &[u8]) -> [u8; 16] {
    let mut made = [0; 16];
    made.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    made
}

fn mixed(a: [u8; 16], b: [u8; 16]) -> [u8; 16] {
    let mut made = a;
    made.iter_mut().zip(b).for_each(|(to, from)| *to ^= from);
    made
}

/// Why a text cannot be opened.
#[derive(Debug, PartialEq)]
pub(super) enum Broken {
    Length,
    Padding,
}

/// The text enciphered or deciphered.
pub(super) fn crypt(
    cipher: Cipher,
    key: &[u8],
    iv: &[u8],
    text: &[u8],
    back: bool,
    padded: bool,
) -> Result<Vec<u8>, Broken> {
    let Some(aes) = Aes::new(key) else { return Err(Broken::Length) };
    let mut chain = block(iv);
    let mut out = Vec::with_capacity(text.len() + 16);
    if !matches!(cipher.mode, Mode::Ecb | Mode::Cbc) {
        for piece in text.chunks(16) {
            let stream = aes.turn(chain, false);
            let made = mixed(block(piece), stream);
            let taken = made.get(..piece.len()).unwrap_or_default();
            chain = match cipher.mode {
                Mode::Ctr => u128::from_be_bytes(chain).wrapping_add(1).to_be_bytes(),
                Mode::Ofb => stream,
                _ if back => block(piece),
                _ => block(taken),
            };
            out.extend_from_slice(taken);
        }
        return Ok(out);
    }
    let chained = cipher.mode == Mode::Cbc;
    if back {
        if !text.len().is_multiple_of(16) || text.is_empty() && padded {
            return Err(Broken::Length);
        }
        for piece in text.chunks(16) {
            let plain = aes.turn(block(piece), true);
            out.extend(if chained { mixed(plain, chain) } else { plain });
            chain = block(piece);
        }
        if padded {
            let count = usize::from(out.last().copied().unwrap_or_default());
            let rest =
                out.len().checked_sub(count).filter(|_| (1..=16).contains(&count)).ok_or(Broken::Padding)?;
            if out.get(rest..).unwrap_or_default().iter().any(|byte| usize::from(*byte) != count) {
                return Err(Broken::Padding);
            }
            out.truncate(rest);
        }
        return Ok(out);
    }
    let mut text = text.to_vec();
    if padded {
        let count = 16 - text.len() % 16;
        text.extend(std::iter::repeat_n(count as u8, count));
    } else if !text.len().is_multiple_of(16) {
        return Err(Broken::Length);
    }
    for piece in text.chunks(16) {
        let plain = if chained { mixed(block(piece), chain) } else { block(piece) };
        chain = aes.turn(plain, false);
        out.extend(chain);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_openssl() {
        // Recorded from OpenSSL 3.0 with `echo hello`.
        let key = hex::decode("00112233445566778899aabbccddeeff").unwrap();
        let iv: Vec<u8> = (0..16).collect();
        let made = |name: &str, key: &[u8], iv: &[u8]| {
            let cipher = Cipher::named(name).unwrap();
            let made = crypt(cipher, key, iv, b"hello\n", false, true).unwrap();
            assert_eq!(crypt(cipher, key, iv, &made, true, true).unwrap(), b"hello\n", "{name}");
            hex::encode(made)
        };
        assert_eq!(made("aes-128-ecb", &key, &[]), "2489226300f89cb7a76056b87fc937fa");
        assert_eq!(made("aes-128-cbc", &key, &iv), "c9cf37ab0f747011c620b65bd3053acc");
        let longer = [&key[..], &key[..8]].concat();
        assert_eq!(made("aes-192-ctr", &longer, &iv), "4abf01cdc415");
        assert_eq!(made("aes-256-cfb", &[0; 32], &[0; 16]), "b4f0ac14cd4a");
        assert_eq!(made("AES-256-OFB", &[0; 32], &[0; 16]), "b4f0ac14cd4a");
        assert!(Cipher::named("aes-256-gcm").is_none());
    }
}
