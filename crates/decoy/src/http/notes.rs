//! The event of one request.

use base64::Engine as _;
use wire::EventKind;

use super::head::Head;

/// The most of a visitor's header value that is noted.
const VALUE_LIMIT: usize = 8 * 1024;

/// A request that was understood, before its body.
pub(super) fn note(head: &Head<'_>, status: u16) -> EventKind {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes.get(..VALUE_LIMIT).unwrap_or(bytes)).into_owned();
    let lossy = |bytes: &[u8]| std::str::from_utf8(bytes).is_err();
    // A head that is not UTF-8 is kept whole beside its readable form.
    let odd = lossy(head.target) || head.headers.iter().any(|(name, value)| lossy(name) || lossy(value));
    let raw_b64 = odd.then(|| {
        let mut raw = [head.method, b" ", head.target, b" ", head.version, b"\r\n"].concat();
        for (name, value) in &head.headers {
            raw.extend_from_slice(&[name, &b": "[..], value, b"\r\n"].concat());
        }
        base64::engine::general_purpose::STANDARD.encode(raw)
    });
    EventKind::HttpRequest {
        method: text(head.method),
        target: text(head.target),
        version: text(head.version),
        headers: head.headers.iter().map(|(name, value)| (text(name), text(value))).collect(),
        status,
        body: String::new(),
        body_b64: None,
        body_size: 0,
        shasum: String::new(),
        raw_b64,
        truncated: false,
    }
}

/// Bytes that are no request.
pub(super) fn note_nothing(status: u16) -> EventKind {
    let nothing = String::new;
    EventKind::HttpRequest {
        method: nothing(),
        target: nothing(),
        version: nothing(),
        headers: Vec::new(),
        status,
        body: nothing(),
        body_b64: None,
        body_size: 0,
        shasum: nothing(),
        raw_b64: None,
        truncated: false,
    }
}
