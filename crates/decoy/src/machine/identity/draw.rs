//! Drawing lots from a secret: each question has its own answer, whatever else is asked.

use sha2::{Digest as _, Sha256};

/// Answers "which one?" from a secret.
pub(super) struct Lot<'a>(&'a [u8]);

impl<'a> Lot<'a> {
    pub(super) fn new(secret: &'a [u8]) -> Self {
        Self(secret)
    }

    /// 32 bytes that only this secret and label give.
    fn digest(&self, label: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"rustbucket identity\0");
        hash.update((self.0.len() as u64).to_be_bytes());
        hash.update(self.0);
        hash.update(label.as_bytes());
        hash.finalize().into()
    }

    /// A number below `bound` (0 when `bound` is 0).
    pub(super) fn below(&self, label: &str, bound: u64) -> u64 {
        let digest = self.digest(label);
        let word = digest.first_chunk::<8>().copied().unwrap_or_default();
        u64::from_be_bytes(word).checked_rem(bound).unwrap_or(0)
    }

    /// One of these.
    pub(super) fn pick<'b, T>(&self, label: &str, from: &'b [T]) -> Option<&'b T> {
        from.get(self.below(label, from.len() as u64) as usize)
    }

    /// Up to 64 lower-case hex digits.
    pub(super) fn hex(&self, label: &str, digits: usize) -> String {
        let mut text: String = hex::encode(self.digest(label));
        text.truncate(digits);
        text
    }

    /// A version 4 UUID (RFC 9562, 5.4).
    pub(super) fn uuid(&self, label: &str) -> String {
        let word = self.digest(label).first_chunk::<16>().copied().unwrap_or_default();
        let value = (u128::from_be_bytes(word) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{value:032x}");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
    }
}
