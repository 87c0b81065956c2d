//! The head of a request, read as nginx reads it (ngx_http_parse_request_line, ngx_http_parse_header_line).
//!
//! No crate is used: nginx takes heads that strict parsers refuse (a header without a colon) and refuses some that
//! they take (a method in lower case), and both show.

/// nginx: `large_client_header_buffers 4 8k`.
const LONGEST_LINE: usize = 8 * 1024;
const LARGEST_HEAD: usize = 4 * LONGEST_LINE;

/// A request without its body. Everything points into the bytes that arrived.
#[derive(Debug)]
pub(super) struct Head<'a> {
    /// `GET`
    pub method: &'a [u8],
    /// As sent.
    pub target: &'a [u8],
    /// `HTTP/1.1`; empty for HTTP/0.9.
    pub version: &'a [u8],
    /// 9, 10 or 11 and above.
    pub number: u32,
    /// The host of an absolute target.
    pub host: Option<&'a [u8]>,
    /// The target without scheme and host.
    pub path: &'a [u8],
    /// Every header line, in order.
    pub headers: Vec<(&'a [u8], &'a [u8])>,
    /// Whether a name is one that nginx heeds; same order as `headers`.
    pub heeded: Vec<bool>,
    /// How many bytes the head took.
    pub length: usize,
}

/// What the bytes so far are.
#[derive(Debug)]
pub(super) enum Parsed<'a> {
    /// Not yet a whole head.
    Partial,
    /// A whole one.
    Whole(Head<'a>),
    /// None; answered with this status (494 is nginx's own for a head too large). Holds what was understood.
    Bad(u16, Option<Head<'a>>),
}

impl<'a> Head<'a> {
    /// The value of the first header of this name (lower case) that nginx heeds.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// Every value of this name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let pairs = self.headers.iter().zip(&self.heeded);
        pairs
            .filter(move |((header, _), heeded)| **heeded && header.eq_ignore_ascii_case(name.as_bytes()))
            .map(|((_, value), _)| *value)
    }
}

/// Reads a head from the front of `bytes`, which begins where a request begins.
pub(super) fn parse(bytes: &[u8]) -> Parsed<'_> {
    let begin = bytes.iter().position(|&byte| byte != b'\r' && byte != b'\n').unwrap_or(bytes.len());
    let Some((line, mut at)) = next_line(bytes, begin) else {
        let line = bytes.get(begin..).unwrap_or_default();
        return match request_line(line, true) {
            Err(status) => Parsed::Bad(status, None),
            _ if line.len() >= LONGEST_LINE => Parsed::Bad(414, None),
            _ => Parsed::Partial,
        };
    };
    if line.len() + 1 >= LONGEST_LINE {
        return Parsed::Bad(414, None);
    }
    let mut head = match request_line(line, false) {
        Ok(Some(head)) => head,
        Ok(None) => return Parsed::Bad(400, None),
        Err(status) => return Parsed::Bad(status, None),
    };
    head.length = at;
    if head.number == 9 {
        // HTTP/0.9 knows one method.
        return if head.method == b"GET" { Parsed::Whole(head) } else { Parsed::Bad(400, Some(head)) };
    }
    loop {
        let Some((line, next)) = next_line(bytes, at) else {
            let rest = bytes.len().saturating_sub(at);
            let large = rest >= LONGEST_LINE || bytes.len().saturating_sub(begin) >= LARGEST_HEAD;
            return if large { Parsed::Bad(494, Some(head)) } else { Parsed::Partial };
        };
        if line.len() + 2 >= LONGEST_LINE || next.saturating_sub(begin) >= LARGEST_HEAD {
            return Parsed::Bad(494, Some(head));
        }
        at = next;
        head.length = at;
        if line.is_empty() {
            return Parsed::Whole(head);
        }
        let Some((name, value, heeded)) = header_line(line) else {
            head.headers.push((line, b""));
            head.heeded.push(false);
            return Parsed::Bad(400, Some(head));
        };
        head.headers.push((name, value));
        head.heeded.push(heeded);
    }
}

/// The line that begins at `at` without its end, and where the next begins.
fn next_line(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = bytes.get(at..)?;
    let end = memchr::memchr(b'\n', rest)?;
    let line = rest.get(..end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), at + end + 1))
}

/// `Ok(None)` only for a line that is not whole yet and not wrong yet.
fn request_line(line: &[u8], partial: bool) -> Result<Option<Head<'_>>, u16> {
    let end = memchr::memchr(b' ', line).unwrap_or(line.len());
    let (method, rest) = line.split_at(end);
    if !method.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-')) {
        return Err(400);
    }
    if partial {
        // A return that is not the line's end is no request, whatever follows.
        let returns = memchr::memchr(b'\r', line).is_some_and(|at| at + 1 < line.len());
        return if returns { Err(400) } else { Ok(None) };
    }
    let rest = skip_spaces(rest);
    let end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
    let (target, rest) = rest.split_at(end);
    if method.is_empty() || target.iter().any(|&byte| byte < 0x20 || byte == 0x7f) {
        return Err(400);
    }
    let (host, path) = split_target(target).ok_or(400u16)?;
    let version = skip_spaces(rest);
    let number = if version.is_empty() { 9 } else { version_number(version)? };
    let (headers, heeded) = (Vec::with_capacity(16), Vec::with_capacity(16));
    Ok(Some(Head { method, target, version, number, host, path, headers, heeded, length: 0 }))
}

fn skip_spaces(bytes: &[u8]) -> &[u8] {
    let spaces = bytes.iter().take_while(|&&byte| byte == b' ').count();
    bytes.get(spaces..).unwrap_or_default()
}

/// The host of `http://host/path`, and the path.
fn split_target(target: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    if target.first() == Some(&b'/') {
        return Some((None, target));
    }
    let colon = memchr::memchr(b':', target)?;
    let (scheme, rest) = target.split_at(colon);
    if scheme.is_empty() || !scheme.iter().all(u8::is_ascii_alphabetic) {
        return None;
    }
    let rest = rest.strip_prefix(b"://")?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let plain = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']' | b'_' | b'~' | b'%')
    };
    let port = host
        .rsplit(|&byte| byte == b':')
        .next()
        .filter(|port| port.len() < host.len() && !port.ends_with(b"]"));
    let digits = port.is_none_or(|port| port.iter().all(u8::is_ascii_digit));
    (!host.is_empty() && digits && host.iter().all(plain)).then_some((Some(host), path))
}

/// 10 for HTTP/1.0, 11 for HTTP/1.1.
fn version_number(version: &[u8]) -> Result<u32, u16> {
    let digits = version.strip_prefix(b"HTTP/").ok_or(400u16)?;
    let mut digits = digits.iter();
    match digits.next() {
        Some(b'1') => {}
        Some(b'2'..=b'9') => return Err(505),
        _ => return Err(400),
    }
    match digits.next() {
        Some(b'.') => {}
        Some(b'0'..=b'9') => return Err(505),
        _ => return Err(400),
    }
    let mut minor = 0u32;
    let rest = digits.as_slice();
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    for digit in rest.iter().take(count) {
        if minor > 99 {
            return Err(400);
        }
        minor = minor * 10 + u32::from(digit - b'0');
    }
    let tail = rest.get(count..).unwrap_or_default();
    if count == 0 || tail.iter().any(|&byte| byte != b' ') { Err(400) } else { Ok(10 + minor) }
}

/// Name, value, and whether nginx heeds it; `None` for a line that ends the connection.
fn header_line(line: &[u8]) -> Option<(&[u8], &[u8], bool)> {
    let end = memchr::memchr(b':', line).unwrap_or(line.len());
    let (name, value) = line.split_at(end);
    let value = value.strip_prefix(b":").unwrap_or_default();
    if name.is_empty() || name.iter().any(|&byte| byte <= 0x20 || byte == 0x7f) || value.contains(&0) {
        return None;
    }
    let heeded = name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    Some((name, value.trim_ascii(), heeded))
}
