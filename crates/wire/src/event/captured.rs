//! Text from a visitor, as an event keeps it.

use base64::Engine as _;

/// Text from a visitor, kept losslessly: readable when it is UTF-8, with the bytes beside it when it is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The bytes as text; invalid UTF-8 is replaced.
    pub text: String,
    /// Base64 of the bytes, when `text` lost something.
    pub b64: Option<String>,
    /// The visitor sent more than is kept here.
    pub truncated: bool,
}

impl Captured {
    /// Keeps at most `limit` bytes.
    pub fn new(bytes: &[u8], limit: usize) -> Self {
        let truncated = bytes.len() > limit;
        let bytes = bytes.get(..limit).unwrap_or(bytes);
        match std::str::from_utf8(bytes) {
            Ok(text) => Self { text: text.to_owned(), b64: None, truncated },
            Err(_) => Self {
                text: String::from_utf8_lossy(bytes).into_owned(),
                b64: Some(base64::engine::general_purpose::STANDARD.encode(bytes)),
                truncated,
            },
        }
    }
}

/// The most bytes of one visitor-supplied field that an event keeps.
pub const FIELD_LIMIT: usize = 64 * 1024;
