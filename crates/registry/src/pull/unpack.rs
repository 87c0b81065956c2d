//! Decompression that cannot be made to fill the memory.

use std::io::Read;

use sha2::{Digest as _, Sha256};

use super::PullError;

/// The largest window a zstd frame may ask for, as a power of two: 8 MiB, the most RFC 8878 asks every reader to support.
const WINDOW_LOG: u32 = 23;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packed {
    /// Not at all.
    Plain,
    /// RFC 8878.
    Zstd,
    /// RFC 1952.
    Gzip,
}

impl Packed {
    /// By the value of `Content-Encoding`.
    pub fn named(name: Option<&str>) -> Option<Self> {
        match name {
            None | Some("" | "identity") => Some(Self::Plain),
            Some("zstd") => Some(Self::Zstd),
            Some("gzip") => Some(Self::Gzip),
            Some(_) => None,
        }
    }
}

/// The plain bytes, at most `limit`, and their SHA-256.
pub(super) fn unpack(packed: Packed, body: Vec<u8>, limit: u64) -> Result<(Vec<u8>, String), PullError> {
    let broken = |error: std::io::Error| PullError::Unpack(error.to_string());
    let plain = match packed {
        Packed::Plain => body,
        Packed::Zstd => {
            let mut decoder = zstd::Decoder::new(body.as_slice()).map_err(broken)?;
            decoder.window_log_max(WINDOW_LOG).map_err(broken)?;
            read(decoder, limit)?
        }
        Packed::Gzip => read(flate2::read::MultiGzDecoder::new(body.as_slice()), limit)?,
    };
    let digest = hex::encode(Sha256::digest(&plain));
    Ok((plain, digest))
}

/// Unpacks an object of the archive.
pub(crate) fn unpack_zstd(body: &[u8], limit: u64) -> Result<Vec<u8>, PullError> {
    let mut decoder = zstd::Decoder::new(body).map_err(|error| PullError::Unpack(error.to_string()))?;
    decoder.window_log_max(WINDOW_LOG).map_err(|error| PullError::Unpack(error.to_string()))?;
    read(decoder, limit)
}

fn read(decoder: impl Read, limit: u64) -> Result<Vec<u8>, PullError> {
    let mut plain = Vec::new();
    decoder
        .take(limit.saturating_add(1))
        .read_to_end(&mut plain)
        .map_err(|error| PullError::Unpack(error.to_string()))?;
    if plain.len() as u64 > limit { Err(PullError::TooLarge(limit)) } else { Ok(plain) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bomb_is_refused_at_the_limit() {
        let bomb = zstd::encode_all(std::io::repeat(0).take(50_000_000), 3).unwrap();
        assert!(bomb.len() < 10_000);
        assert!(matches!(unpack(Packed::Zstd, bomb.clone(), 1_000_000), Err(PullError::TooLarge(1_000_000))));
        assert_eq!(unpack(Packed::Zstd, bomb, 50_000_000).unwrap().0.len(), 50_000_000);
    }

    #[test]
    fn a_frame_with_a_huge_window_is_refused() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        encoder.window_log(27).unwrap();
        std::io::copy(&mut std::io::repeat(7).take(100), &mut encoder).unwrap();
        assert!(matches!(unpack(Packed::Zstd, encoder.finish().unwrap(), 1000), Err(PullError::Unpack(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for packed in [Packed::Zstd, Packed::Gzip, Packed::Plain] {
                if let Ok((plain, digest)) = unpack(packed, bytes.clone(), 4096) {
                    prop_assert!(plain.len() <= 4096 && digest.len() == 64);
                }
            }
        }
    }
}
