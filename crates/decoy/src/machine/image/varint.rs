//! Numbers and bytes as they lie in our files: seven bits a byte, the lowest first.

/// Adds a number.
pub(in crate::machine) fn put(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

/// Adds a number that may be negative, small ones short.
pub(in crate::machine) fn put_signed(into: &mut Vec<u8>, value: i64) {
    put(into, ((value << 1) ^ (value >> 63)) as u64);
}

/// Adds bytes with their length before them.
pub(in crate::machine) fn put_bytes(into: &mut Vec<u8>, bytes: &[u8]) {
    put(into, bytes.len() as u64);
    into.extend_from_slice(bytes);
}

/// Reads what was put; `None` at the end of the bytes or for what `put` does not write.
pub(crate) struct Reader<'a>(pub(in crate::machine) &'a [u8]);

impl<'a> Reader<'a> {
    pub(in crate::machine) fn number(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return (shift < 63 || byte < 2).then_some(value);
            }
        }
        None
    }

    /// A number that fits into 32 bits.
    pub(in crate::machine) fn small(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    pub(in crate::machine) fn signed(&mut self) -> Option<i64> {
        let value = self.number()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(in crate::machine) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(in crate::machine) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// How many items follow; never more than there are bytes left.
    pub(in crate::machine) fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.0.len()).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_put_is_read(numbers in prop::collection::vec(any::<u64>(), 0..20), signed: i64, bytes: Vec<u8>) {
            let mut file = Vec::new();
            numbers.iter().for_each(|number| put(&mut file, *number));
            put_signed(&mut file, signed);
            put_bytes(&mut file, &bytes);
            let mut reader = Reader(&file);
            for number in &numbers {
                prop_assert_eq!(reader.number(), Some(*number));
            }
            prop_assert_eq!(reader.signed(), Some(signed));
            prop_assert_eq!(reader.bytes(), Some(&bytes[..]));
            prop_assert_eq!(reader.number(), None);
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes: Vec<u8>) {
            let mut reader = Reader(&bytes);
            while reader.number().is_some() {}
            let mut reader = Reader(&bytes);
            while reader.bytes().is_some_and(|part| !part.is_empty()) {}
        }
    }
}
