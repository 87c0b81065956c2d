//! Reads along at the start of an SSH connection: the identification line and the first KEXINIT, which russh does
//! not hand out, and the time by which the visit must be over.

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

use super::turns::Turns;
use crate::session::Session;

/// OpenSSH's `LoginGraceTime` default (sshd_config(5)).
const LOGIN_GRACE: Duration = Duration::from_secs(120);
/// The longest identification line, with its line end (RFC 4253, 4.2).
const IDENTIFICATION_LIMIT: usize = 255;
/// The most bytes that are looked at for the first KEXINIT (RFC 4253, 6.1: a packet may have 35,000 bytes).
const KEXINIT_LIMIT: usize = 36 * 1024;
/// What OpenSSH 9.2 says to a client that does not speak SSH (measured).
const INVALID_IDENTIFICATION: &[u8] = b"Invalid SSH identification string.\r\n";

/// A TCP stream that is read along.
pub struct Wiretap {
    stream: TcpStream,
    session: Session,
    heard: Vec<u8>,
    stage: Stage,
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
    Kexinit,
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

    /// Looks at new bytes; `false` when the visitor does not speak SSH.
    fn overhear(&mut self, bytes: &[u8]) -> bool {
        self.heard.extend_from_slice(bytes);
        if self.stage == Stage::Identification {
            let line_end = self.heard.iter().position(|&byte| byte == b'\n');
            let Some(end) =
                line_end.or((self.heard.len() > IDENTIFICATION_LIMIT).then_some(IDENTIFICATION_LIMIT))
            else {
                return true;
            };
            let line = self.heard.get(..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
            let Captured { text, b64, .. } = Captured::new(&line, IDENTIFICATION_LIMIT);
            self.session.note(EventKind::ClientVersion { version: text, version_b64: b64 });
            if line_end.is_none() || !(line.starts_with(b"SSH-2.") || line.starts_with(b"SSH-1.99-")) {
                self.stage = Stage::Refused;
                self.heard = Vec::new();
                return false;
            }
            self.heard.drain(..=end);
            self.stage = Stage::Kexinit;
        }
        if self.stage == Stage::Kexinit {
            match super::kexinit::read(&self.heard) {
                super::kexinit::Reading::Incomplete if self.heard.len() < KEXINIT_LIMIT => {}
                super::kexinit::Reading::Kexinit(kexinit) => {
                    if super::is_costly(&kexinit) {
                        self.turns.begin(std::mem::take(&mut self.heard));
                    }
                    self.session.note(kexinit.into_event());
                    self.stage = Stage::Known;
                }
                _ => self.stage = Stage::Known,
            }
            if self.stage == Stage::Known {
                self.heard = Vec::new();
            }
        }
        true
    }
}

impl Drop for Wiretap {
    fn drop(&mut self) {
        // A visitor who leaves in the middle of the first line still said something.
        if self.stage == Stage::Identification && !self.heard.is_empty() {
            let Captured { text, b64, .. } = Captured::new(&self.heard, IDENTIFICATION_LIMIT);
            self.session.note(EventKind::ClientVersion { version: text, version_b64: b64 });
        }
    }
}

impl AsyncRead for Wiretap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
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
        } else if self.turns.needed() {
            self.turns.overhear(buf.filled().get(before..).unwrap_or_default());
        } else if self.stage != Stage::Known && matches!(polled, Poll::Ready(Ok(()))) {
            let new = buf.filled().get(before..).unwrap_or_default().to_vec();
            if !self.overhear(&new) {
                // The line fits the empty send buffer of a fresh connection; a visitor who does not take it misses it.
                if let Err(error) = self.stream.try_write(INVALID_IDENTIFICATION) {
                    tracing::debug!(%error, "could not tell a client that it does not speak SSH");
                }
                buf.set_filled(before);
                return Poll::Ready(Ok(()));
            }
            // The whole exchange may have come at once.
            if self.stage == Stage::Known && self.turns.needed() && self.turns.poll(cx).is_pending() {
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
