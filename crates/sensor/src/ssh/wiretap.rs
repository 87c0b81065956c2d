//! Reads along at the start of an SSH connection: the identification line and the packets before the keys, which the
//! library neither hands out nor judges as sshd does, and the time by which the visit must be over.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep},
};
use wire::{EventKind, event::Captured};

use super::{
    identification,
    preliminaries::{Preliminaries, Verdict},
    turns::Turns,
};
use crate::session::Session;

/// OpenSSH's `LoginGraceTime` default (sshd_config(5)).
const LOGIN_GRACE: Duration = Duration::from_secs(120);
/// How much of an identification line goes into its event.
const NOTED_LINE: usize = 1024;

/// A TCP stream that is read along.
pub struct Wiretap {
    stream: TcpStream,
    session: Session,
    heard: Vec<u8>,
    stage: Stage,
    preliminaries: Preliminaries,
    /// The last words of a connection that is over.
    parting: Option<Vec<u8>>,
    deadline: Pin<Box<Sleep>>,
    ends_at: Instant,
    /// Bytes moved in both directions, and how many may be.
    moved: u64,
    limit: u64,
    logged_in: Arc<AtomicBool>,
    turns: Turns,
}

#[derive(PartialEq)]
enum Stage {
    Identification,
    Packets,
    /// What follows is encrypted.
    Known,
    Refused,
}

impl Wiretap {
    /// Reads along until the first KEXINIT; ends the stream at `ends_at`, or after the login grace time unless
    /// `logged_in` became true, or after `limit` bytes in both directions. Costly key exchanges
    /// wait for `turns`.
    pub fn new(
        stream: TcpStream,
        session: Session,
        ends_at: Instant,
        limit: u64,
        logged_in: Arc<AtomicBool>,
        turns: Turns,
    ) -> Self {
        let grace = (Instant::now() + LOGIN_GRACE).min(ends_at);
        Self {
            stream,
            session,
            heard: Vec::new(),
            stage: Stage::Identification,
            preliminaries: Preliminaries::default(),
            parting: None,
            deadline: Box::pin(tokio::time::sleep_until(grace)),
            ends_at,
            moved: 0,
            limit,
            logged_in,
            turns,
        }
    }

    /// Counts what the transport moves, which is apart from what conversations count: packets that no conversation
    /// hears of (requests, keys, rekeying) are events too, and compressed ones grow.
    fn count(&mut self, bytes: usize) -> io::Result<()> {
        let before = self.moved;
        self.moved = before.saturating_add(bytes as u64);
        if self.moved <= self.limit {
            return Ok(());
        }
        if before <= self.limit {
            self.session.note(EventKind::LimitHit { limit: "session_bytes".to_owned(), value: self.moved });
        }
        Err(io::ErrorKind::QuotaExceeded.into())
    }

    /// Looks at new bytes.
    fn overhear(&mut self, bytes: &[u8]) -> Verdict {
        let mut packets = bytes;
        if self.stage == Stage::Identification {
            let known = self.heard.len();
            self.heard.extend_from_slice(bytes);
            let (next, words) = match identification::read(&self.heard) {
                identification::Reading::Incomplete => return Verdict::Go,
                identification::Reading::Line(next) => (next, None),
                identification::Reading::Refused(words, next) => (next, Some(words)),
            };
            let line = std::mem::take(&mut self.heard);
            self.note_line(line.get(..next).unwrap_or_default());
            if let Some(words) = words {
                return Verdict::End(words.to_vec());
            }
            packets = bytes.get(next.saturating_sub(known)..).unwrap_or_default();
            self.stage = Stage::Packets;
        }
        if self.stage == Stage::Packets {
            let verdict = self.preliminaries.look(packets);
            if let Some(offer) = self.preliminaries.take_offer() {
                if super::is_costly(&offer) {
                    // The offer has been read; what follows it shows the end of the exchange.
                    self.turns.begin(Vec::new());
                }
                self.session.note(offer.into_event());
            }
            if self.preliminaries.are_over() {
                self.stage = Stage::Known;
            }
            return verdict;
        }
        Verdict::Go
    }

    fn note_line(&self, line: &[u8]) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Captured { text, b64, .. } = Captured::new(line, NOTED_LINE);
        self.session.note(EventKind::ClientVersion { version: text, version_b64: b64 });
    }
}

impl Drop for Wiretap {
    fn drop(&mut self) {
        // A visitor who leaves in the middle of the first line still said something.
        if self.stage == Stage::Identification && !self.heard.is_empty() {
            self.note_line(&self.heard);
        }
    }
}

impl AsyncRead for Wiretap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(words) = self.parting.take() {
            self.stage = Stage::Refused;
            if let Err(error) = self.stream.try_write(&words) {
                tracing::debug!(%error, "could not tell a client what is wrong");
            }
        }
        if self.stage == Stage::Refused {
            return Poll::Ready(Ok(()));
        }
        while self.deadline.as_mut().poll(cx).is_ready() {
            let ends_at = self.ends_at;
            if self.logged_in.load(Ordering::Relaxed) && Instant::now() < ends_at {
                self.deadline.as_mut().reset(ends_at);
                continue;
            }
            self.session.note(EventKind::LimitHit {
                limit: "session_timeout".to_owned(),
                value: self.session.began().elapsed().as_secs(),
            });
            self.stage = Stage::Refused;
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        // Who asks for more has dealt with what it got.
        self.turns.end();
        if self.turns.has_put_off() {
            ready!(self.turns.poll(cx));
            self.turns.take_put_off(buf);
            return Poll::Ready(Ok(()));
        }
        if self.turns.needed() {
            ready!(self.stream.poll_read_ready(cx))?;
            ready!(self.turns.poll(cx));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.count(buf.filled().len().saturating_sub(before))?;
        if polled.is_pending() {
            self.turns.end();
            return polled;
        }
        let new = buf.filled().get(before..).unwrap_or_default();
        let had_begun = self.turns.needed();
        if had_begun {
            self.turns.overhear(new);
        }
        if self.stage != Stage::Known && matches!(polled, Poll::Ready(Ok(()))) {
            let new = new.to_vec();
            let at_line = self.stage == Stage::Identification;
            if let Verdict::End(words) = self.overhear(&new) {
                if at_line && self.stage == Stage::Packets {
                    // The line was good: it is answered, and what came behind it ends the connection.
                    self.parting = Some(words);
                    let line = new.iter().position(|&byte| byte == b'\n').map_or(new.len(), |end| end + 1);
                    buf.set_filled(before + line);
                    return Poll::Ready(Ok(()));
                }
                self.stage = Stage::Refused;
                // A line fits the empty send buffer of a fresh connection; a visitor who does not take it misses it.
                if !words.is_empty()
                    && let Err(error) = self.stream.try_write(&words)
                {
                    tracing::debug!(%error, "could not tell a client what is wrong");
                }
                buf.set_filled(before);
                return Poll::Ready(Ok(()));
            }
            // The whole exchange may have come at once.
            if !had_begun && self.turns.needed() && self.turns.poll(cx).is_pending() {
                self.turns.put_off(&new);
                buf.set_filled(before);
                return Poll::Pending;
            }
        }
        polled
    }
}

impl AsyncWrite for Wiretap {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        // What is answered has been computed.
        self.turns.end();
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.count(written)?;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
