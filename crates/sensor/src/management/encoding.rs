//! How an extract travels: compressed as the client accepts it.

use std::io::{self, Write as _};

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// A content coding (RFC 9110, 8.4.1; RFC 8878 for zstd).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// The best coding the client accepts.
    pub fn accepted(headers: &HeaderMap) -> Self {
        let mut best = Self::Identity;
        for value in headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()) {
            for item in value.split(',') {
                let mut parts = item.split(';').map(str::trim);
                let name = parts.next().unwrap_or_default();
                let refused = parts.any(|part| {
                    part.strip_prefix("q=").is_some_and(|weight| weight.parse().is_ok_and(|q: f32| q <= 0.0))
                });
                if refused {
                    continue;
                }
                if name.eq_ignore_ascii_case("zstd") {
                    best = Self::Zstd;
                } else if name.eq_ignore_ascii_case("gzip") && best != Self::Zstd {
                    best = Self::Gzip;
                }
            }
        }
        best
    }

    /// Its name in `Content-Encoding`; none for [`Self::Identity`].
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// Encodes.
    pub fn encode(self, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(bytes),
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(5));
                encoder.write_all(&bytes)?;
                encoder.finish()
            }
            Self::Zstd => zstd::bulk::compress(&bytes, 3),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_best_that_is_accepted() {
        for (value, expected) in [
            ("", Coding::Identity),
            ("gzip", Coding::Gzip),
            ("gzip, zstd", Coding::Zstd),
            ("zstd;q=0.1, gzip;q=1", Coding::Zstd),
            ("zstd;q=0, GZIP", Coding::Gzip),
            ("gzip;q=0.000", Coding::Identity),
            ("br, deflate", Coding::Identity),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, value.parse().unwrap());
            assert_eq!(Coding::accepted(&headers), expected, "{value}");
        }
        assert_eq!(Coding::accepted(&HeaderMap::new()), Coding::Identity);
    }
}
