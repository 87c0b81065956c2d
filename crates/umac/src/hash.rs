//! UHASH (RFC 4418, 5): three layers, each with a key of its own.

/// The bytes one step of the first layer takes.
pub const BLOCK: usize = 1024;
/// How far the first layer's key of a round lies behind that of the round before (Toeplitz).
pub const SHIFT: usize = 16;
/// The second layer's key; only its first eight bytes serve messages of our length.
pub const SECOND_KEY: usize = 24;
/// The third layer's key of multipliers.
pub const THIRD_KEY: usize = 64;
/// The third layer's mask.
pub const LAST_KEY: usize = 4;

/// 2^36 - 5.
const PRIME_36: u64 = 0x0000_000F_FFFF_FFFB;
/// 2^64 - 59.
const PRIME_64: u128 = 0xFFFF_FFFF_FFFF_FFC5;
/// 2^64 - PRIME_64.
const OFFSET: u64 = 59;
/// PRIME_64 - 1 announces a word that was too large.
const MARKER: u128 = PRIME_64 - 1;
/// Words from here on are too large for the polynomial.
const TOO_LARGE: u64 = 0xFFFF_FFFF_0000_0000;
/// The bits of a polynomial's key that are used.
const POLYNOMIAL_MASK: u64 = 0x01FF_FFFF_01FF_FFFF;

/// What makes one word of a tag.
pub struct Round {
    first: Box<[u32]>,
    polynomial: u64,
    multipliers: [u64; 8],
    mask: u32,
}

impl Round {
    /// Keys as they were derived.
    pub fn new(first: &[u8], second: &[u8], third: &[u8], last: &[u8]) -> Self {
        let mut multipliers = [0; 8];
        for (to, from) in multipliers.iter_mut().zip(long_words(third)) {
            *to = from % PRIME_36;
        }
        Self {
            first: words(first).collect(),
            polynomial: long_words(second).next().unwrap_or_default() & POLYNOMIAL_MASK,
            multipliers,
            mask: words(last).next().unwrap_or_default(),
        }
    }

    /// One word of the message's hash.
    pub fn hash(&self, message: &[u8]) -> u32 {
        let wide = if message.len() <= BLOCK {
            u128::from(self.compress(message))
        } else {
            let mut sum = 1;
            for block in message.chunks(BLOCK) {
                sum = self.step(sum, self.compress(block));
            }
            sum
        };
        self.finish(wide)
    }

    /// NH of a block of at most 1024 bytes, padded to 32, plus its length in bits.
    fn compress(&self, block: &[u8]) -> u64 {
        let bits = (block.len() as u64).wrapping_mul(8);
        let (whole, rest) = block.as_chunks::<32>();
        let keys = self.first.as_chunks::<8>().0;
        let mut sum = bits;
        for (bytes, keys) in whole.iter().zip(keys) {
            sum = sum.wrapping_add(products(bytes, keys));
        }
        // An empty message is one block of zeros.
        if (!rest.is_empty() || block.is_empty())
            && let Some(keys) = keys.get(whole.len())
        {
            let mut padded = [0; 32];
            for (to, from) in padded.iter_mut().zip(rest) {
                *to = *from;
            }
            sum = sum.wrapping_add(products(&padded, keys));
        }
        sum
    }

    /// One word more in the polynomial.
    fn step(&self, sum: u128, word: u64) -> u128 {
        let key = u128::from(self.polynomial);
        if word >= TOO_LARGE {
            let marked = (key * sum + MARKER) % PRIME_64;
            (key * marked + u128::from(word - OFFSET)) % PRIME_64
        } else {
            (key * sum + u128::from(word)) % PRIME_64
        }
    }

    /// The third layer: sixteen bytes to four.
    fn finish(&self, wide: u128) -> u32 {
        let bytes = wide.to_be_bytes();
        let mut sum = 0u64;
        for (pair, multiplier) in bytes.as_chunks::<2>().0.iter().zip(self.multipliers) {
            // Eight products of 16 and 36 bits stay below 2^55.
            sum += u64::from(u16::from_be_bytes(*pair)) * multiplier;
        }
        (sum % PRIME_36) as u32 ^ self.mask
    }
}

/// The four products of 32 bytes with eight words of the key.
fn products(bytes: &[u8; 32], keys: &[u32; 8]) -> u64 {
    let mut sums = [0u32; 8];
    for ((sum, bytes), key) in sums.iter_mut().zip(bytes.as_chunks::<4>().0).zip(keys) {
        *sum = u32::from_le_bytes(*bytes).wrapping_add(*key);
    }
    let [a, b, c, d, e, f, g, h] = sums.map(u64::from);
    let left = a.wrapping_mul(e).wrapping_add(b.wrapping_mul(f));
    left.wrapping_add(c.wrapping_mul(g)).wrapping_add(d.wrapping_mul(h))
}

/// Words of four bytes, the most significant byte first.
pub fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word))
}

fn long_words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.as_chunks::<8>().0.iter().map(|word| u64::from_be_bytes(*word))
}
