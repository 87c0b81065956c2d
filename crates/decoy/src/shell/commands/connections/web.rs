//! What a web server answers to a client on the machine: its own nginx as it answers anybody, others as they are played.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::{Place, Reach, Talk};
use crate::shell::commands::{
    Call,
    transfer::{self, Url},
};

/// After this long the kernel knows that a neighbour is not there.
pub(in crate::shell::commands) const NO_ROUTE: Duration = Duration::from_millis(3062);

/// One request.
#[derive(Debug, Default)]
pub(in crate::shell::commands) struct Request {
    pub(in crate::shell::commands) method: String,
    /// `Name: value`, in order; `Host` is always first.
    pub(in crate::shell::commands) headers: Vec<String>,
    pub(in crate::shell::commands) body: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub(in crate::shell::commands) struct Answer {
    pub(in crate::shell::commands) status: u16,
    /// The lines of its head, the status first, without their ends.
    pub(in crate::shell::commands) head: Vec<String>,
    pub(in crate::shell::commands) body: Bytes,
    /// How long it took.
    pub(in crate::shell::commands) time: Duration,
}

/// Why nothing came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell::commands) enum Failure {
    NoName,
    Refused,
    NoRoute,
    /// Nothing was known when the time was over.
    TimedOut,
    /// It is no web server.
    NotHttp,
}

impl Answer {
    /// A line of the head by its name.
    pub(in crate::shell::commands) fn field(&self, name: &str) -> Option<&str> {
        self.head.iter().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// What the status is called: `OK`.
    pub(in crate::shell::commands) fn reason(&self) -> &str {
        self.head.first().and_then(|line| line.splitn(3, ' ').nth(2)).unwrap_or_default()
    }

    /// The whole head as it was sent.
    pub(in crate::shell::commands) fn sent_head(&self) -> String {
        self.head.iter().map(|line| format!("{line}\r\n")).collect::<String>() + "\r\n"
    }

    fn read(said: &[u8], time: Duration) -> Option<Self> {
        let end = memchr::memmem::find(said, b"\r\n\r\n")?;
        let head: Vec<String> =
            String::from_utf8_lossy(said.get(..end)?).split("\r\n").map(str::to_owned).collect();
        let status = head.first()?.strip_prefix("HTTP/")?.split(' ').nth(1)?.parse().ok()?;
        let rest = said.get(end + 4..)?;
        let mut answer = Self { status, head, body: Bytes::new(), time };
        let chunked = answer.field("Transfer-Encoding").is_some_and(|value| value == "chunked");
        answer.body = if chunked { dechunked(rest).into() } else { Bytes::copy_from_slice(rest) };
        Some(answer)
    }
}

/// RFC 9112, 7.1.
fn dechunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(rest.len());
    while let Some(end) = memchr::memmem::find(rest, b"\r\n") {
        let size = rest.get(..end).and_then(|line| std::str::from_utf8(line).ok());
        let size = size.and_then(|line| usize::from_str_radix(line.split(';').next()?.trim(), 16).ok());
        let Some(size) = size.filter(|size| *size > 0) else { break };
        let Some(chunk) = rest.get(end + 2..).and_then(|rest| rest.get(..size)) else { break };
        body.extend_from_slice(chunk);
        rest = rest.get(end + 2 + size + 2..).unwrap_or_default();
    }
    body
}

/// Asks; a host that is not there costs at most `limit`.
pub(in crate::shell::commands) async fn ask(
    call: &Call<'_>,
    url: &Url,
    request: &Request,
    limit: Option<Duration>,
) -> Result<Answer, Failure> {
    let place = Place::of(call.session, &url.host, url.port).ok_or(Failure::NoName)?;
    match place.reach {
        Reach::Own => own(call, url, request, &place).await,
        Reach::Refused if super::is_own(call.session, call.identity(), &url.host) => Err(Failure::Refused),
        Reach::NoRoute | Reach::Silent if url.is_dead() => {
            let short = limit.filter(|limit| *limit < NO_ROUTE);
            transfer::wait(call.session, short.unwrap_or(NO_ROUTE)).await;
            Err(if short.is_some() { Failure::TimedOut } else { Failure::NoRoute })
        }
        // What a visitor wants to fetch is there, whatever the port.
        Reach::Accepted | Reach::Refused | Reach::NoRoute | Reach::Silent => {
            let arrival = transfer::arrival(call, url);
            transfer::wait(call.session, arrival.time).await;
            Ok(played(call, url, request, arrival))
        }
    }
}

async fn own(call: &Call<'_>, url: &Url, request: &Request, place: &Place) -> Result<Answer, Failure> {
    if url.scheme != "http" {
        return Err(Failure::NotHttp);
    }
    let path = url.path.split('#').next().unwrap_or("/");
    let lines: String = request.headers.iter().map(|line| format!("{line}\r\n")).collect();
    let head = format!("{} {path} HTTP/1.1\r\nHost: {}\r\n{lines}\r\n", request.method, url.authority());
    let (mut talk, mut said) = Talk::open(&call.session.contact, place.port).await;
    said.extend(talk.hear(&[head.as_bytes(), &request.body].concat()).await);
    Answer::read(&said, Duration::from_millis(1)).ok_or(Failure::NotHttp)
}

/// The answer of a server far away.
fn played(call: &Call<'_>, url: &Url, request: &Request, arrival: transfer::Arrival) -> Answer {
    const SERVERS: [&str; 4] = ["nginx", "nginx/1.18.0 (Ubuntu)", "nginx/1.22.1", "nginx/1.24.0 (Ubuntu)"];
    let seed = url.seed();
    let server = SERVERS.get(seed as usize % SERVERS.len()).copied().unwrap_or("nginx");
    let now: DateTime<Utc> = call.now().into();
    // In the year before this program was made: it does not move with the clock.
    let changed = DateTime::from_timestamp(1_780_000_000 - (seed % 30_000_000) as i64, 0).unwrap_or(now);
    let date = |time: DateTime<Utc>| time.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let size = arrival.bytes.len();
    let head = vec![
        "HTTP/1.1 200 OK".to_owned(),
        format!("Server: {server}"),
        format!("Date: {}", date(now)),
        format!("Content-Type: {}", arrival.kind),
        format!("Content-Length: {size}"),
        format!("Last-Modified: {}", date(changed)),
        "Connection: keep-alive".to_owned(),
        format!("ETag: \"{:x}-{size:x}\"", changed.timestamp()),
        "Accept-Ranges: bytes".to_owned(),
    ];
    let body = if request.method == "HEAD" { Bytes::new() } else { arrival.bytes };
    Answer { status: 200, head, body, time: arrival.time }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read() {
        let answer = Answer::read(
            b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            Duration::ZERO,
        )
        .unwrap();
        assert_eq!((answer.status, answer.reason(), &answer.body[..]), (404, "Not Found", &b"abcde"[..]));
        assert!(Answer::read(b"SSH-2.0-x\r\n\r\n", Duration::ZERO).is_none());
    }
}
