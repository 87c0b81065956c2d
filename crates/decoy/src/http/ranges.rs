//! Ranges of a file, read and answered as nginx does (ngx_http_range_filter_module).

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{BufMut as _, BytesMut};

use super::{head::Head, serve::Response};

/// What divides the parts is a number that nginx counts up (ngx_next_temp_number).
static BOUNDARIES: AtomicU64 = AtomicU64::new(1);
/// More ranges than these make no answer larger than a few files.
const MOST_RANGES: usize = 64;

/// What a range says.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// From one offset to before another.
    Part(usize, usize),
    /// Behind the end.
    Nothing,
}

/// Cuts out what is asked for: one range as it is, several as parts of one body; more bytes than the file has are
/// answered with the whole file.
pub(super) fn apply(response: &mut Response, range: &[u8], head: &Head<'_>) {
    let (Some(unit), Some(list)) = (range.get(..6), range.get(6..)) else { return };
    if !unit.eq_ignore_ascii_case(b"bytes=") || list.is_empty() {
        return;
    }
    let size = response.body.len();
    let Some(parts) = read(list, size).filter(|parts| !parts.is_empty()) else {
        *response = Response::page(416, Some(head));
        response.range = Some(format!("bytes */{size}"));
        return;
    };
    if parts.iter().map(|(from, to)| to - from).sum::<usize>() > size {
        return;
    }
    response.status = 206;
    response.accept_ranges = false;
    if let [(from, to)] = parts.as_slice() {
        response.range = Some(format!("bytes {from}-{}/{size}", to - 1));
        response.body = response.body.slice(*from..*to);
        return;
    }
    let boundary = format!("{:020}", BOUNDARIES.fetch_add(1, Ordering::Relaxed));
    let mut body = BytesMut::new();
    for (from, to) in parts {
        let kind = response.content_type;
        let part = format!(
            "\r\n--{boundary}\r\nContent-Type: {kind}\r\nContent-Range: bytes {from}-{}/{size}\r\n\r\n",
            to - 1
        );
        body.put_slice(part.as_bytes());
        body.put_slice(response.body.get(from..to).unwrap_or_default());
    }
    body.put_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    response.body = body.freeze();
    response.boundary = Some(boundary);
}

/// The parts that can be had; nothing for a list that nginx does not understand.
fn read(list: &[u8], size: usize) -> Option<Vec<(usize, usize)>> {
    let mut parts = Vec::new();
    for range in list.split(|&byte| byte == b',').take(MOST_RANGES) {
        match one(range, size)? {
            Asked::Part(from, to) => parts.push((from, to)),
            Asked::Nothing => {}
        }
    }
    Some(parts)
}

fn one(text: &[u8], size: usize) -> Option<Asked> {
    let (from, rest) = number(text.trim_ascii_start())?;
    let rest = rest.trim_ascii_start().strip_prefix(b"-")?.trim_ascii_start();
    let (to, rest) = number(rest)?;
    if !rest.trim_ascii().is_empty() {
        return None;
    }
    let (from, to) = match (from, to) {
        (None, None) => return None,
        (None, Some(last)) => (size.saturating_sub(last), size),
        (Some(from), None) => (from, size),
        (Some(from), Some(to)) => (from, to.saturating_add(1).min(size)),
    };
    Some(if from < to { Asked::Part(from, to) } else { Asked::Nothing })
}

/// Digits, if there are any; nothing when they make a number larger than an offset can be.
fn number(text: &[u8]) -> Option<(Option<usize>, &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(length);
    if digits.is_empty() {
        return Some((None, rest));
    }
    let value: i64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((Some(usize::try_from(value).ok()?), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_nginx_reads_them() {
        for (list, wanted) in [
            ("0-0", Some(vec![(0, 1)])),
            ("-4", Some(vec![(6, 10)])),
            ("8-", Some(vec![(8, 10)])),
            ("0-1 , 3-99", Some(vec![(0, 2), (3, 10)])),
            ("10-", Some(vec![])),
            ("5-2", Some(vec![])),
            ("a-b", None),
            ("+0-1", None),
            ("0-1-2", None),
            ("-", None),
            ("0-18446744073709551615", None),
        ] {
            assert_eq!(read(list.as_bytes(), 10), wanted, "{list}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_lies_within(list in "[-0-9, a]{0,20}", size in 0usize..100) {
            for (from, to) in read(list.as_bytes(), size).unwrap_or_default() {
                proptest::prop_assert!(from < to && to <= size);
            }
        }
    }
}
