//! HTTP as nginx 1.22 of Debian 12 serves its default site.
//!
//! Behaviour follows transcripts of that server (`tests/transcripts/http`). A request is answered as soon as its head
//! is there, as nginx does for static files; its body is still read and kept, and the event comes when it is complete.

mod answering;
mod applications;
mod body;
mod check;
mod gzip;
mod head;
mod notes;
mod pages;
mod ranges;
mod serve;
mod target;
mod types;

use std::{borrow::Cow, time::Duration};

use async_trait::async_trait;
use base64::Engine as _;
use wire::{
    EventKind,
    event::{Captured, FIELD_LIMIT},
};

use crate::{
    dialogue::{Contact, Dialogue, Stage, Turn},
    memory::{self, Parcel},
};
use body::{Body, Progress};
use head::Parsed;
use notes::note_nothing;

/// `client_max_body_size`.
const LARGEST_BODY: u64 = 1024 * 1024;
/// `keepalive_requests`.
const MOST_REQUESTS: u32 = 1000;
/// `keepalive_timeout`.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// `client_header_timeout` and `client_body_timeout`.
const READING: Duration = Duration::from_secs(60);
/// `lingering_timeout`.
const LINGERING: Duration = Duration::from_secs(5);

/// A body up to this size is sent in one piece with its head; a larger one is not copied.
const LARGEST_COPY: usize = 16 * 1024;

/// What is spoken on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP.
    Http,
    /// HTTP over TLS, which begins when the dialogue is opened.
    Https,
    /// HTTP on a port that is meant for TLS: every request is told so.
    HttpToHttps,
}

/// One HTTP connection.
pub struct Http {
    contact: Contact,
    scheme: Scheme,
    /// What `Server:` says.
    server: Cow<'static, str>,
    held: Vec<u8>,
    state: State,
    date: pages::Date,
    requests: u32,
}

enum State {
    /// Between requests or inside a head.
    Head,
    /// Answered; the body is still coming.
    Body(Box<Answered>),
    /// Nothing is read any more.
    Over,
}

/// A request whose event waits for its body.
struct Answered {
    note: EventKind,
    body: Body,
    kept: Parcel,
    truncated: bool,
    /// There was no memory for all of it.
    starved: bool,
    /// What follows: another request, or the end.
    keep_alive: bool,
}

impl Http {
    /// A connection to the machine's web server.
    pub fn new(contact: Contact) -> Self {
        let server = Cow::Borrowed(pages::SERVER);
        Self {
            contact,
            scheme: Scheme::Http,
            server,
            held: Vec::new(),
            state: State::Head,
            date: pages::Date::default(),
            requests: 0,
        }
    }

    /// Speaks this.
    #[must_use]
    pub fn with_scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// Calls itself this in `Server:`; nginx's own pages keep its name, as they do behind a proxy.
    #[must_use]
    pub fn with_banner(mut self, server: &str) -> Self {
        // A line end would be a header of the operator's own.
        self.server = Cow::Owned(server.chars().filter(|c| !c.is_control()).collect());
        self
    }

    /// Works through `bytes` as far as it can; what is left begins an unfinished head.
    async fn take<'a>(&mut self, mut bytes: &'a [u8], stage: &Stage) -> &'a [u8] {
        loop {
            match &mut self.state {
                State::Over => return &[],
                State::Body(answered) => {
                    let limit = self.contact.limits.upload_bytes;
                    let Answered { body, kept, truncated, starved, .. } = answered.as_mut();
                    let progress = body.take(&mut bytes, |piece| {
                        let room = limit.saturating_sub(kept.len());
                        *truncated |= piece.len() > room;
                        if room > 0 && !*starved {
                            *starved = !kept.add(piece.get(..room).unwrap_or(piece));
                        }
                    });
                    match progress {
                        Progress::More => return &[],
                        Progress::Done => self.finish_body(true, stage),
                        Progress::Broken => self.finish_body(false, stage),
                    }
                }
                State::Head => {
                    // nginx skips any number of these; none are kept, so they cost nothing.
                    let begin = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
                    bytes = begin.and_then(|begin| bytes.get(begin..)).unwrap_or_default();
                    if bytes.is_empty() {
                        return bytes;
                    }
                    match head::parse(bytes) {
                        Parsed::Partial => return bytes,
                        Parsed::Bad(status, head) => {
                            self.refuse(status, head.as_ref(), bytes, stage);
                            return &[];
                        }
                        Parsed::Whole(head) => {
                            let rest = bytes.get(head.length..).unwrap_or_default();
                            let raw = bytes.get(..head.length).unwrap_or_default();
                            self.answer(&head, raw, rest, stage).await;
                            bytes = rest;
                            stage.room().await;
                        }
                    }
                }
            }
        }
    }

    /// The body is complete, broken off or unreadable: the event goes out, with the body as an artifact.
    fn finish_body(&mut self, whole: bool, stage: &Stage) {
        let State::Body(answered) = std::mem::replace(&mut self.state, State::Head) else { return };
        let Answered { mut note, kept, truncated, starved, keep_alive, .. } = *answered;
        let kept = kept.into_bytes();
        let cut = truncated || starved;
        if cut {
            let limit = if starved { memory::LIMIT } else { "upload_bytes" };
            stage.note(EventKind::LimitHit { limit: limit.into(), value: kept.len() as u64 });
        }
        if let EventKind::HttpRequest { body, body_b64, body_size, shasum, truncated, .. } = &mut note {
            let captured = Captured::new(&kept, FIELD_LIMIT);
            *body_size = kept.len() as u64;
            *truncated |= cut | captured.truncated | !whole;
            (*body, *body_b64) = (captured.text, captured.b64);
            if !kept.is_empty() {
                *shasum = stage.keep(kept);
            }
        }
        stage.note(note);
        if !whole || !keep_alive {
            self.hang_up(stage);
        }
    }

    fn hang_up(&mut self, stage: &Stage) {
        self.state = State::Over;
        stage.hang_up();
    }

    /// The visitor is gone or too slow: what was begun is noted.
    fn finish(&mut self, stage: &Stage) {
        match self.state {
            State::Body(_) => self.finish_body(false, stage),
            State::Head if !self.held.is_empty() => {
                let held = std::mem::take(&mut self.held);
                let mut note = note_nothing(0);
                if let EventKind::HttpRequest { raw_b64, truncated, .. } = &mut note {
                    *raw_b64 = Some(base64::engine::general_purpose::STANDARD.encode(&held));
                    *truncated = true;
                }
                stage.note(note);
            }
            State::Head | State::Over => {}
        }
        if !matches!(self.state, State::Over) {
            self.hang_up(stage);
        }
    }
}

#[async_trait]
impl Dialogue for Http {
    async fn open(&mut self, stage: &Stage) {
        if self.scheme == Scheme::Https {
            stage.push(Turn::StartTls);
        }
    }

    async fn hear(&mut self, bytes: &[u8], stage: &Stage) {
        if self.held.is_empty() {
            // The usual case: whole requests, read where they lie.
            let rest = self.take(bytes, stage).await;
            self.held.extend_from_slice(rest);
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.extend_from_slice(bytes);
            let rest = self.take(&held, stage).await.len();
            held.drain(..held.len() - rest);
            self.held = held;
        }
    }

    async fn end(&mut self, stage: &Stage) {
        self.finish(stage);
    }

    async fn timed_out(&mut self, stage: &Stage) {
        self.finish(stage);
    }

    fn idle_limit(&self) -> Option<Duration> {
        Some(match &self.state {
            State::Body(answered) if !answered.keep_alive => LINGERING,
            State::Head if self.held.is_empty() && self.requests > 0 => KEEP_ALIVE,
            _ => READING,
        })
    }
}

#[cfg(test)]
mod tests;
