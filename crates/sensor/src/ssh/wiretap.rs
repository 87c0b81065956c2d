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

use decoy::machine::Visitor;
use futures::{FutureExt as _, future::BoxFuture};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep},
};
use wire::{EventKind, event::Captured};

use super::{
    identification,
    preliminaries::{Preliminaries, Verdict},
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
    /// Ends when the machine goes down, and the connection with it.
    cut_off: BoxFuture<'static, ()>,
    ends_at: Instant,
    /// Bytes moved in both directions, and how many may be.
    moved: u64,
    limit: u64,
    logged_in: Arc<AtomicBool>,
    /// What the library has not got yet.
    held: Vec<u8>,
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
    /// `logged_in` became true, or after `limit` bytes in both directions.
    pub fn new(
        stream: TcpStream,
        session: Session,
        ends_at: Instant,
        limit: u64,
        logged_in: Arc<AtomicBool>,
        visitor: Arc<Visitor>,
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
            cut_off: async move { visitor.cut_off().await }.boxed(),
            ends_at,
            moved: 0,
            limit,
            logged_in,
            held: Vec::new(),
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
                self.session.note(offer.into_event());
            }
            if self.preliminaries.are_over() {
                self.stage = Stage::Known;
            }
            return verdict;
        }
        Verdict::Go
    }

    /// Gives the library what was held back, if there is something.
    fn give_held(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let step = self.held.len().min(buf.remaining());
        buf.put_slice(self.held.get(..step).unwrap_or_default());
        self.held.drain(..step);
        step > 0
    }

    /// Says the last words, if it is time for them.
    fn part(&mut self) {
        let Some(words) = self.parting.take() else { return };
        self.stage = Stage::Refused;
        // A few words fit the empty send buffer of a fresh connection; a visitor who does not take them misses them.
        if !words.is_empty()
            && let Err(error) = self.stream.try_write(&words)
        {
            tracing::debug!(%error, "could not tell a client what is wrong");
        }
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
        if self.held.is_empty() {
            self.part();
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
        if self.give_held(buf) {
            return Poll::Ready(Ok(()));
        }
        loop {
            let before = buf.filled().len();
            match Pin::new(&mut self.stream).poll_read(cx, buf) {
                Poll::Ready(read) => read?,
                // sshd is killed like everything else, and says nothing.
                Poll::Pending if self.cut_off.as_mut().poll(cx).is_ready() => {
                    self.stage = Stage::Refused;
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
                Poll::Pending => return Poll::Pending,
            }
            self.count(buf.filled().len().saturating_sub(before))?;
            if self.stage == Stage::Known || buf.filled().len() == before {
                return Poll::Ready(Ok(()));
            }
            let new = buf.filled().get(before..).unwrap_or_default().to_vec();
            let at_line = self.stage == Stage::Identification;
            let verdict = self.overhear(&new);
            if at_line {
                // The library gets the line when it is whole and good; it has a mind of its own about long ones.
                buf.set_filled(before);
                self.held.extend_from_slice(&new);
            }
            match verdict {
                Verdict::Go if self.stage == Stage::Identification => {}
                Verdict::Go => {
                    self.give_held(buf);
                    return Poll::Ready(Ok(()));
                }
                Verdict::End(words) if at_line && self.stage == Stage::Packets => {
                    // The line was good: it is answered, and what came behind it ends the connection.
                    self.parting = Some(words);
                    let line = self.held.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1);
                    self.held.truncate(line);
                    self.give_held(buf);
                    return Poll::Ready(Ok(()));
                }
                Verdict::End(words) => {
                    self.held.clear();
                    self.parting = Some(words);
                    self.part();
                    buf.set_filled(before);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl AsyncWrite for Wiretap {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
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
