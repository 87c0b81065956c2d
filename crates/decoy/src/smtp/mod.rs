//! SMTP as Postfix 3.7 of Debian 12 speaks it (smtpd(8)), with SASL PLAIN and LOGIN switched on.
//!
//! Reply texts, states and delays follow transcripts of that daemon (`tests/transcripts/smtp`). Mail that is taken is
//! kept and, for users of the machine, put in their mailbox; nothing is ever sent on.

mod address;
mod commands;
mod login;
mod message;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use wire::EventKind;

use crate::{
    dialogue::{Contact, Dialogue, Stage},
    lines::Lines,
};
use message::{Collector, Envelope};

/// postconf(5), `line_length_limit`.
const LONGEST_LINE: usize = 2048;
/// postconf(5), `message_size_limit`.
const LARGEST_MESSAGE: usize = 10_240_000;
/// postconf(5), `smtpd_soft_error_limit`: beyond it every reply waits for `smtpd_error_sleep_time`.
const SOFT_ERRORS: u32 = 10;
/// postconf(5), `smtpd_hard_error_limit`.
const HARD_ERRORS: u32 = 20;
/// postconf(5), `smtpd_error_sleep_time`.
const ERROR_SLEEP: Duration = Duration::from_secs(1);
/// postconf(5), `smtpd_timeout` when the server is not under stress.
const IDLE: Duration = Duration::from_secs(300);

/// One SMTP connection.
pub struct Smtp {
    contact: Contact,
    banner: Bytes,
    /// `myhostname`.
    host: String,
    lines: Lines,
    mode: Mode,
    helo: Helo,
    tls: bool,
    user: Option<String>,
    envelope: Option<Envelope>,
    /// Mail that programs are to be given.
    piped: Vec<message::Piped>,
    errors: u32,
    over: bool,
}

/// What the next bytes are.
enum Mode {
    Command,
    /// Mail, up to a dot on a line of its own.
    Data(Collector),
    /// `left` bytes of a BDAT chunk.
    Chunk {
        left: u64,
        last: bool,
    },
    /// The answer to a SASL challenge.
    Login(login::Step),
}

/// How the client introduced itself.
#[derive(Clone, Debug, Default)]
struct Helo {
    name: String,
    extended: bool,
}

impl Smtp {
    /// A connection to the machine's mail server.
    pub fn new(contact: Contact) -> Self {
        let host = contact.visitor.identity().full_name();
        Self {
            banner: Bytes::from(format!("220 {host} ESMTP Postfix (Debian/GNU)\r\n")),
            host,
            lines: Lines::new(LONGEST_LINE.min(contact.limits.line_bytes)),
            mode: Mode::Command,
            helo: Helo::default(),
            tls: false,
            user: None,
            envelope: None,
            piped: Vec::new(),
            errors: 0,
            over: false,
            contact,
        }
    }

    /// Opens with this line instead, code included; the host it names is used in every other reply.
    #[must_use]
    pub fn with_banner(mut self, line: &str) -> Self {
        let line = line.trim_end_matches(['\r', '\n']);
        if let Some(host) = line.split_whitespace().nth(1) {
            self.host = host.to_owned();
        }
        self.banner = Bytes::from(format!("{line}\r\n"));
        self
    }

    /// One reply of one line, without its line end. Errors count, and too many make the server slow.
    fn reply(&mut self, stage: &Stage, text: &str) {
        if self.errors > SOFT_ERRORS {
            stage.pause(ERROR_SLEEP);
        }
        stage.say(format!("{text}\r\n"));
        if text.starts_with(['4', '5']) {
            self.errors += 1;
        }
    }

    fn hang_up(&mut self, stage: &Stage) {
        self.over = true;
        stage.hang_up();
    }

    /// Takes what belongs to the message from the front of `bytes`.
    fn collect(&mut self, bytes: &mut &[u8], stage: &Stage) {
        let limit = self.largest_message();
        match &mut self.mode {
            Mode::Data(collector) => {
                if collector.take_lines(bytes, limit) {
                    self.finish_message(stage);
                }
            }
            Mode::Chunk { left, last } => {
                let now = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                let (chunk, rest) = bytes.split_at(now);
                *bytes = rest;
                *left -= now as u64;
                if let Some(envelope) = &mut self.envelope {
                    envelope.chunks.take(chunk, limit);
                }
                if *left == 0 {
                    let last = *last;
                    self.finish_chunk(last, stage);
                }
            }
            Mode::Command | Mode::Login(_) => {}
        }
    }

    fn largest_message(&self) -> usize {
        LARGEST_MESSAGE.min(self.contact.limits.upload_bytes)
    }

    fn after_command(&mut self, stage: &Stage) {
        if !self.over && self.errors >= HARD_ERRORS {
            let text = format!("421 4.7.0 {} Error: too many errors", self.host);
            self.reply(stage, &text);
            self.hang_up(stage);
        }
    }
}

#[async_trait]
impl Dialogue for Smtp {
    async fn open(&mut self, stage: &Stage) {
        stage.say(self.banner.clone());
    }

    async fn hear(&mut self, mut bytes: &[u8], stage: &Stage) {
        while !bytes.is_empty() && !self.over {
            if matches!(self.mode, Mode::Data(_) | Mode::Chunk { .. }) {
                self.collect(&mut bytes, stage);
                self.answer_piped().await;
                stage.room().await;
                continue;
            }
            let Some(line) = self.lines.next(&mut bytes) else { return };
            if line.cut {
                stage
                    .note(EventKind::LimitHit { limit: "line_bytes".into(), value: line.bytes.len() as u64 });
            }
            if let Mode::Login(step) = std::mem::replace(&mut self.mode, Mode::Command) {
                self.login_answer(step, &line.bytes, stage);
            } else if self.command(&line.bytes, stage) {
                // What came with STARTTLS in one write was sent by somebody in the middle (CVE-2011-0411).
                while !bytes.is_empty() {
                    let line = self.lines.next(&mut bytes).unwrap_or_else(|| self.lines.take_rest());
                    stage.note(EventKind::command_input(&line.bytes));
                    stage.room().await;
                }
                return;
            }
            self.answer_piped().await;
            self.after_command(stage);
            stage.room().await;
        }
        // Postfix reads no further; what is already here is still worth remembering.
        while self.over
            && let Some(line) = self.lines.next(&mut bytes)
        {
            stage.note(EventKind::command_input(&line.bytes));
            stage.room().await;
        }
    }

    async fn end(&mut self, stage: &Stage) {
        if !self.over {
            self.keep_unfinished(stage);
            let rest = self.lines.take_rest().bytes;
            if !rest.is_empty() {
                stage.note(EventKind::command_input(&rest));
            }
        }
        self.hang_up(stage);
    }

    async fn timed_out(&mut self, stage: &Stage) {
        self.keep_unfinished(stage);
        let text = format!("421 4.4.2 {} Error: timeout exceeded", self.host);
        self.reply(stage, &text);
        self.hang_up(stage);
    }

    fn idle_limit(&self) -> Option<Duration> {
        Some(IDLE)
    }
}

#[cfg(test)]
mod tests;
