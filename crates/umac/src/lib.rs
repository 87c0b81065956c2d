//! UMAC (RFC 4418) with AES-128, tags of 64 and 128 bits, for messages as short as SSH's packets.

mod hash;

use aes::{
    Aes128,
    cipher::{BlockCipherEncrypt as _, KeyInit as _},
};

/// The bytes of a key.
pub const KEY: usize = 16;
/// The longest message: beyond it RFC 4418 changes to wider arithmetic, which no packet of SSH needs.
pub const LONGEST: usize = 1 << 24;

/// A key, prepared. `WORDS` is the length of a tag in words of four bytes: 2 for UMAC-64, 4 for UMAC-128.
pub struct Umac<const WORDS: usize> {
    rounds: [hash::Round; WORDS],
    /// What encrypts the nonce.
    pad: Aes128,
}

/// UMAC-64.
pub type Umac64 = Umac<2>;
/// UMAC-128.
pub type Umac128 = Umac<4>;

impl<const WORDS: usize> Umac<WORDS> {
    /// Derives the keys of every step (RFC 4418, 5.1); costs some eighty AES blocks.
    pub fn new(key: &[u8; KEY]) -> Self {
        const { assert!(WORDS == 2 || WORDS == 4, "a tag has 64 or 128 bits") };
        let cipher = Aes128::new(key.into());
        let extra = WORDS.saturating_sub(1) * hash::SHIFT;
        let first = derive(&cipher, 1, hash::BLOCK + extra);
        let second = derive(&cipher, 2, WORDS * hash::SECOND_KEY);
        let third = derive(&cipher, 3, WORDS * hash::THIRD_KEY);
        let last = derive(&cipher, 4, WORDS * hash::LAST_KEY);
        let rounds = std::array::from_fn(|round| {
            let part = |keys: &[u8], step: usize, length: usize| {
                keys.iter().copied().skip(round * step).take(length).collect::<Vec<_>>()
            };
            hash::Round::new(
                &part(&first, hash::SHIFT, hash::BLOCK),
                &part(&second, hash::SECOND_KEY, hash::SECOND_KEY),
                &part(&third, hash::THIRD_KEY, hash::THIRD_KEY),
                &part(&last, hash::LAST_KEY, hash::LAST_KEY),
            )
        });
        let mut pad = [0; KEY];
        for (to, from) in pad.iter_mut().zip(derive(&cipher, 0, KEY)) {
            *to = from;
        }
        Self { rounds, pad: Aes128::new(&pad.into()) }
    }

    /// The tag of a message, `4 * WORDS` bytes in words; `None` when it is longer than [`LONGEST`].
    pub fn tag(&self, nonce: u64, message: &[u8]) -> Option<[[u8; 4]; WORDS]> {
        if message.len() > LONGEST {
            return None;
        }
        let pad = self.pad(nonce);
        let mut tag = [[0; 4]; WORDS];
        for ((word, round), pad) in tag.iter_mut().zip(&self.rounds).zip(pad) {
            *word = (round.hash(message) ^ pad).to_be_bytes();
        }
        Some(tag)
    }

    /// The pad of a nonce of eight bytes (RFC 4418, 3.3.1): two tags of 64 bits share one block.
    fn pad(&self, nonce: u64) -> [u32; WORDS] {
        let per_block = (4 / WORDS as u64).max(1);
        let index = nonce % per_block;
        let mut block = [0; 16];
        for (to, from) in block.iter_mut().zip((nonce ^ index).to_be_bytes()) {
            *to = from;
        }
        let mut block = block.into();
        self.pad.encrypt_block(&mut block);
        let mut pad = [0; WORDS];
        let skip = usize::try_from(index).unwrap_or_default() * WORDS;
        for (to, from) in pad.iter_mut().zip(hash::words(&block).skip(skip)) {
            *to = from;
        }
        pad
    }
}

/// KDF (RFC 4418, 3.2.1): so many bytes for this purpose.
fn derive(cipher: &Aes128, purpose: u64, length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length + 16);
    for count in 1u64.. {
        let mut block = (u128::from(purpose) << 64 | u128::from(count)).to_be_bytes().into();
        cipher.encrypt_block(&mut block);
        out.extend_from_slice(&block);
        if out.len() >= length {
            break;
        }
    }
    out.truncate(length);
    out
}

#[cfg(test)]
mod tests;
