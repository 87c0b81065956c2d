//! What nginx asks of a head before it looks at the target.

use super::{body::Body, head::Head};

/// nginx's checks of a head (ngx_http_process_request_header); gives the body that follows.
pub(super) fn check(head: &Head<'_>) -> Result<Option<Body>, u16> {
    let mut hosts = head.all("host");
    let host = hosts.next();
    if hosts.next().is_some()
        || host.is_some_and(|host| !is_host(host))
        || (host.is_none() && head.number > 10)
    {
        return Err(400);
    }
    let mut lengths = head.all("content-length");
    let length = match (lengths.next(), lengths.next()) {
        (None, _) => None,
        (Some(text), None) => {
            let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
            let number =
                std::str::from_utf8(text).ok().filter(|_| digits).and_then(|text| text.parse::<u64>().ok());
            Some(number.ok_or(400u16)?)
        }
        (Some(_), Some(_)) => return Err(400),
    };
    let coding = head.header("transfer-encoding");
    let body = match (coding, length) {
        (Some(_), _) if head.number < 11 => return Err(400),
        (Some(_), Some(_)) => return Err(400),
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Some(Body::chunks()),
        (Some(_), None) => return Err(501),
        (None, Some(0) | None) => None,
        (None, Some(length)) => Some(Body::Length(length)),
    };
    if matches!(head.method, b"TRACE" | b"CONNECT") { Err(405) } else { Ok(body) }
}

fn is_host(host: &[u8]) -> bool {
    // A dot at the end is not part of the name, and nothing is none.
    let begins = !matches!(host, b"" | b".") && host.first() != Some(&b':');
    begins
        && !host.iter().any(|&byte| byte <= 0x20 || byte == 0x7f || byte == b'/')
        && memchr::memmem::find(host, b"..").is_none()
}

/// Each `Connection` header that names one of the two words changes what came before.
pub(super) fn wants_keep_alive(head: &Head<'_>) -> bool {
    if head.number == 9 {
        return false;
    }
    let mut keeps = head.number > 10;
    for value in head.all("connection") {
        let says = |word: &[u8]| value.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
        if says(b"close") {
            keeps = false;
        } else if says(b"keep-alive") {
            keeps = true;
        }
    }
    keeps
}
