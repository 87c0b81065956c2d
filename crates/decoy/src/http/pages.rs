//! The front of every response and nginx's own pages for statuses.

use std::time::SystemTime;

/// What `Server:` says and what stands under every error page.
pub(super) const SERVER: &str = "nginx/1.22.1";

/// nginx's own number for plain HTTP on a port of TLS (NGX_HTTP_TO_HTTPS).
pub(super) const TO_HTTPS: u16 = 497;

/// The status that a visitor sees: nginx has numbers of its own.
pub(super) fn shown(status: u16) -> u16 {
    if matches!(status, 494 | TO_HTTPS) { 400 } else { status }
}

/// nginx pads error pages for browsers that would hide short ones (`msie_padding`).
const PADDING: &str = "<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n";

/// Reason phrases as nginx has them.
pub(super) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 | 494 | TO_HTTPS => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Not Allowed",
        412 => "Precondition Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Large",
        416 => "Requested Range Not Satisfiable",
        501 => "Not Implemented",
        505 => "HTTP Version Not Supported",
        _ => "Internal Server Error",
    }
}

/// Whether an application may answer with this status.
pub(super) fn is_known(status: u16) -> bool {
    matches!(status, 200 | 301 | 302 | 400 | 401 | 403 | 404 | 405 | 500)
}

/// The page of a status.
pub(super) fn page(status: u16, padded: bool) -> Vec<u8> {
    let number = shown(status);
    let reason = reason(status);
    let (title, more) = match status {
        494 => (
            "400 Request Header Or Cookie Too Large".to_owned(),
            "<center>Request Header Or Cookie Too Large</center>\r\n",
        ),
        TO_HTTPS => (
            "400 The plain HTTP request was sent to HTTPS port".to_owned(),
            "<center>The plain HTTP request was sent to HTTPS port</center>\r\n",
        ),
        _ => (format!("{number} {reason}"), ""),
    };
    let mut page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{number} {reason}</h1></center>\r\n\
         {more}<hr><center>{SERVER}</center>\r\n</body>\r\n</html>\r\n"
    );
    if padded && status >= 400 {
        for _ in 0..6 {
            page.push_str(PADDING);
        }
    }
    page.into_bytes()
}

/// Whether the browser is one that error pages are padded for.
pub(super) fn is_padded(agent: Option<&[u8]>) -> bool {
    agent.is_some_and(|agent| {
        let has = |word: &[u8]| memchr::memmem::find(agent, word).is_some();
        has(b"Chrome/") || (has(b"MSIE ") && !has(b"Opera"))
    })
}

/// The time of `Date:`, written once a second.
#[derive(Default)]
pub(super) struct Date {
    second: u64,
    text: String,
}

impl Date {
    /// The time as HTTP writes it.
    pub fn text(&mut self, now: SystemTime) -> &str {
        let second = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
        if second != self.second || self.text.is_empty() {
            self.second = second;
            self.text = http_date(now);
        }
        &self.text
    }
}

/// RFC 9110, 5.6.7. Times outside of what it can say are shown as the epoch.
pub(super) fn http_date(time: SystemTime) -> String {
    let second = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let sayable =
        if second < 253_402_300_800 { time.max(SystemTime::UNIX_EPOCH) } else { SystemTime::UNIX_EPOCH };
    httpdate::fmt_http_date(sayable)
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn pages_have_the_length_of_the_real_ones() {
        for (status, length) in [
            (301, 169),
            (400, 157),
            (403, 153),
            (404, 153),
            (405, 157),
            (412, 173),
            (413, 183),
            (414, 177),
            (416, 197),
            (494, 233),
            (501, 165),
            (505, 187),
        ] {
            assert_eq!(page(status, false).len(), length, "{status}");
        }
        assert_eq!(page(404, true).len(), 555);
    }
}
