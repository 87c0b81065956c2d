//! Mail text: collecting it, keeping it, and putting it in mailboxes as local(8) does.

use std::{collections::HashSet, time::SystemTime};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use wire::EventKind;

use crate::{
    dialogue::Stage,
    machine::{FileError, files::Owner},
    memory::{self, Parcel, Pool},
};

use super::{
    Mode, Smtp,
    address::{self, Place},
};

/// Group `mail` of Debian.
const MAIL_GROUP: u32 = 8;
/// A line of mail text longer than this is collected in pieces.
const PIECE: usize = 8 * 1024;

/// The most of a mail that a program is given, in bytes.
const PIPED: usize = 3000;
/// The most mails of one read that programs are given.
const MOST_PIPED: usize = 4;

/// A mail for a program.
pub(super) struct Piped {
    program: String,
    given: String,
    /// The user of this machine who wrote it.
    sender: String,
}

/// Who writes to whom.
pub(super) struct Envelope {
    pub sender: String,
    pub recipients: Vec<(String, Place)>,
    /// BDAT is used, with this size of the chunk under way.
    pub chunked: bool,
    pub chunk_size: u64,
    pub chunks: Collector,
    /// A chunk was refused: what follows is read and thrown away.
    pub spoiled: bool,
    begun: SystemTime,
}

impl Envelope {
    pub fn new(sender: String, begun: SystemTime, memory: &Pool) -> Self {
        let chunks = Collector::new(memory);
        Self { sender, recipients: Vec::new(), chunked: false, chunk_size: 0, chunks, spoiled: false, begun }
    }

    /// The chunks so far.
    fn take_chunks(&mut self, memory: &Pool) -> Collector {
        std::mem::replace(&mut self.chunks, Collector::new(memory))
    }
}

/// Takes mail text up to a limit.
pub(super) struct Collector {
    text: Parcel,
    line: Vec<u8>,
    inside_line: bool,
    too_large: bool,
    /// There was no memory for all of it.
    starved: bool,
}

impl Collector {
    /// Nothing yet.
    pub fn new(memory: &Pool) -> Self {
        let (line, inside_line, too_large, starved) = (Vec::new(), false, false, false);
        Self { text: Parcel::new(memory), line, inside_line, too_large, starved }
    }

    /// Keeps bytes as they are.
    pub fn take(&mut self, bytes: &[u8], limit: usize) {
        let room = limit.saturating_sub(self.text.len());
        self.too_large |= bytes.len() > room;
        if room > 0 && !self.starved {
            self.starved = !self.text.add(bytes.get(..room).unwrap_or(bytes));
        }
    }

    /// Takes lines from the front of `bytes`; `true` when the dot that ends the text was there.
    pub fn take_lines(&mut self, bytes: &mut &[u8], limit: usize) -> bool {
        while !bytes.is_empty() {
            let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
            let (part, rest) = bytes.split_at(end.min(PIECE));
            *bytes = rest;
            self.line.extend_from_slice(part);
            let whole = self.line.last() == Some(&b'\n');
            if whole && !self.inside_line && matches!(self.line.as_slice(), b".\r\n" | b".\n") {
                self.line.clear();
                return true;
            }
            if whole || self.line.len() >= PIECE {
                let line = std::mem::take(&mut self.line);
                let unstuffed = if self.inside_line { None } else { line.strip_prefix(b".") };
                self.take(unstuffed.unwrap_or(&line), limit);
                self.inside_line = !whole;
                self.line = line;
                self.line.clear();
            }
        }
        false
    }
}

impl Smtp {
    /// The dot has come.
    pub(super) fn finish_message(&mut self, stage: &Stage) {
        let mode = std::mem::replace(&mut self.mode, Mode::Command);
        if let Mode::Data(collector) = mode {
            self.accept(collector, stage);
        }
    }

    /// A BDAT chunk is complete.
    pub(super) fn finish_chunk(&mut self, last: bool, stage: &Stage) {
        self.mode = Mode::Command;
        let Some(envelope) = &mut self.envelope else {
            return self.reply(stage, "503 5.5.1 Error: need RCPT command");
        };
        if envelope.recipients.is_empty() {
            return self.reply(stage, "554 5.5.1 Error: no valid recipients");
        }
        if envelope.spoiled {
            let size = envelope.chunk_size;
            return self.reply(stage, &format!("551 5.0.0 Discarded {size} bytes after earlier error"));
        }
        if last {
            let mut collector = envelope.take_chunks(self.contact.visitor.uploads());
            // The last line is ended for whoever did not.
            if !collector.text.is_empty() && !collector.text.as_ref().ends_with(b"\n") {
                collector.take(b"\r\n", usize::MAX);
            }
            self.accept(collector, stage);
        } else {
            let size = envelope.chunk_size;
            self.reply(stage, &format!("250 2.0.0 Ok: {size} bytes"));
        }
    }

    fn accept(&mut self, collector: Collector, stage: &Stage) {
        let Some(envelope) = self.envelope.take() else { return };
        let queue_id = queue_id(self.contact.visitor.now());
        let Collector { text, too_large, starved, .. } = collector;
        let text = text.into_bytes();
        if too_large {
            stage.note(EventKind::LimitHit { limit: "upload_bytes".into(), value: text.len() as u64 });
            self.keep(&envelope, &text, "", true, stage);
            return self.reply(stage, "552 5.3.4 Error: message file too big");
        }
        if starved {
            // smtpd(8) when cleanup(8) finds no room for the queue file.
            stage.note(EventKind::LimitHit { limit: memory::LIMIT.into(), value: text.len() as u64 });
            self.keep(&envelope, &text, "", true, stage);
            return self.reply(stage, "451 4.3.0 Error: queue file write error");
        }
        self.keep(&envelope, &text, &queue_id, false, stage);
        self.deliver(&envelope, &text, &queue_id);
        let size = if envelope.chunked { format!("{} bytes ", text.len()) } else { String::new() };
        self.reply(stage, &format!("250 2.0.0 Ok: {size}queued as {queue_id}"));
    }

    /// The connection ends in the middle of a message: the real server drops it, we remember it.
    pub(super) fn keep_unfinished(&mut self, stage: &Stage) {
        let mode = std::mem::replace(&mut self.mode, Mode::Command);
        let Some(mut envelope) = self.envelope.take() else { return };
        let text = match mode {
            Mode::Data(mut collector) => {
                // What finds no room here is cut, and the mail is told as cut anyway.
                let _fits = collector.text.add(&collector.line);
                collector.text
            }
            _ => envelope.take_chunks(self.contact.visitor.uploads()).text,
        };
        if !text.is_empty() {
            self.keep(&envelope, &text.into_bytes(), "", true, stage);
        }
    }

    fn keep(&self, envelope: &Envelope, text: &Bytes, queue_id: &str, truncated: bool, stage: &Stage) {
        let shasum = stage.keep(text.clone());
        stage.note(EventKind::SmtpMessage {
            helo: self.helo.name.clone(),
            mail_from: envelope.sender.clone(),
            rcpt_to: envelope.recipients.iter().map(|(address, _)| address.clone()).collect(),
            subject: subject(text),
            size: text.len() as u64,
            outfile: format!("artifacts/{shasum}"),
            shasum,
            queue_id: queue_id.to_owned(),
            truncated,
        });
    }

    /// Appends to the mailbox of every user of the machine among the recipients.
    fn deliver(&mut self, envelope: &Envelope, text: &[u8], queue_id: &str) {
        self.pipe(envelope, text);
        let visitor = &self.contact.visitor;
        let (mut served, body) = (HashSet::new(), mailbox_text(text));
        for (address, place) in &envelope.recipients {
            let Place::Local(user) = place else { continue };
            let Some(account) = visitor.identity().user(user) else { continue };
            // However often one is named, one copy is delivered (postconf(5), `duplicate_filter_limit`).
            if !served.insert(user.as_str()) {
                continue;
            }
            let mut mail = self.mailbox_head(envelope, address, queue_id);
            mail.extend_from_slice(&body);
            let owner = Owner { uid: account.uid, gid: MAIL_GROUP };
            let path = format!("/var/mail/{user}");
            if let Err(fault) = visitor.files().append(&path, &mail, &owner, 0o600) {
                // The visitor was told "queued", as by a server whose disk fills up later.
                tracing::debug!(%path, %fault, "mail not delivered");
                if fault == FileError::NoSpace {
                    break;
                }
            }
        }
    }

    /// Remembers what programs are to be given. What they write goes back to the sender, so a sender elsewhere is never
    /// answered in a way that anybody here could see.
    fn pipe(&mut self, envelope: &Envelope, text: &[u8]) {
        if !envelope.recipients.iter().any(|(_, place)| matches!(place, Place::Program(_))) {
            return;
        }
        let Place::Local(sender) = address::place(&self.contact, &self.host, &envelope.sender) else {
            return;
        };
        let text = String::from_utf8_lossy(text.get(..text.len().min(PIPED)).unwrap_or_default());
        for (address, place) in &envelope.recipients {
            let Place::Program(program) = place else { continue };
            if self.piped.len() < MOST_PIPED {
                let given = format!("From: {}\nTo: {address}\n{}", envelope.sender, text.replace('\r', ""));
                self.piped.push(Piped { program: program.clone(), given, sender: sender.clone() });
            }
        }
    }

    /// Lets the programs that were given mail answer it: their answer is in the sender's mailbox.
    pub(super) async fn answer_piped(&mut self) {
        for Piped { program, given, sender } in std::mem::take(&mut self.piped) {
            let Some(written) = self.contact.hand_over("postfix", &program, &given).await else { continue };
            let visitor = &self.contact.visitor;
            let Some(account) = visitor.identity().user(&sender) else { continue };
            let name = program.rsplit('/').next().unwrap_or_default();
            let (now, host) = (DateTime::<Utc>::from(visitor.now()), &self.host);
            let mut mail = format!(
                "From {name}@{host}  {}\nReturn-Path: <{name}@{host}>\nTo: {sender}@{host}\nFrom: {name}@{host}\n\
                 Subject: Re: {}\nDate: {}\n",
                now.format("%a %b %e %H:%M:%S %Y"),
                subject(given.as_bytes()),
                now.format("%a, %e %b %Y %H:%M:%S +0000 (UTC)")
            )
            .into_bytes();
            mail.extend_from_slice(&mailbox_text(format!("\n{written}").as_bytes()));
            let owner = Owner { uid: account.uid, gid: MAIL_GROUP };
            if let Err(fault) = visitor.files().append(&format!("/var/mail/{sender}"), &mail, &owner, 0o600) {
                tracing::debug!(%sender, %fault, "the answer of a program was not delivered");
            }
        }
    }

    /// What local(8) writes before a message in mbox format.
    fn mailbox_head(&self, envelope: &Envelope, recipient: &str, queue_id: &str) -> Vec<u8> {
        let host = &self.host;
        let now = DateTime::<Utc>::from(self.contact.visitor.now());
        let qualified = |address: &str| {
            if address.is_empty() || address.contains('@') {
                address.to_owned()
            } else {
                format!("{address}@{host}")
            }
        };
        let sender = qualified(&envelope.sender);
        let from = if sender.is_empty() { "MAILER-DAEMON" } else { &sender };
        let to = qualified(recipient);
        let with = match (self.helo.extended, self.tls, self.user.is_some()) {
            (false, ..) => "SMTP",
            (true, false, false) => "ESMTP",
            (true, true, false) => "ESMTPS",
            (true, false, true) => "ESMTPA",
            (true, true, true) => "ESMTPSA",
        };
        let peer = self.contact.peer.ip().to_canonical();
        let helo = if self.helo.name.is_empty() { "unknown" } else { &self.helo.name };
        let arrived = DateTime::<Utc>::from(envelope.begun).format("%a, %e %b %Y %H:%M:%S +0000 (UTC)");
        // With several recipients Postfix does not name one in Received.
        let last = if envelope.recipients.len() == 1 {
            format!("\tby {host} (Postfix) with {with} id {queue_id}\n\tfor <{to}>; {arrived}\n")
        } else {
            format!("\tby {host} (Postfix) with {with} id {queue_id};\n\t{arrived}\n")
        };
        format!(
            "From {from}  {}\nReturn-Path: <{sender}>\nX-Original-To: {to}\nDelivered-To: {to}\n\
             Received: from {helo} (unknown [{peer}])\n{last}",
            now.format("%a %b %e %H:%M:%S %Y")
        )
        .into_bytes()
    }
}

/// A message's text as local(8) writes it in mbox format; the same for every recipient.
fn mailbox_text(text: &[u8]) -> Vec<u8> {
    let mut mail = Vec::with_capacity(text.len() + text.len() / 64 + 2);
    if !begins_with_header(text) {
        mail.push(b'\n');
    }
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        if line.starts_with(b"From ") {
            mail.push(b'>');
        }
        match line.strip_suffix(b"\r\n") {
            Some(line) => {
                mail.extend_from_slice(line);
                mail.push(b'\n');
            }
            None => mail.extend_from_slice(line),
        }
    }
    // A text that is empty follows the line end of the head.
    if !text.is_empty() && mail.last() != Some(&b'\n') {
        mail.push(b'\n');
    }
    mail.push(b'\n');
    mail
}

fn begins_with_header(text: &[u8]) -> bool {
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    match memchr::memchr(b':', line) {
        Some(at) if at > 0 => line.iter().take(at).all(u8::is_ascii_graphic),
        _ => line.trim_ascii().is_empty(),
    }
}

/// The Subject header, unfolded, at most a thousand characters.
fn subject(text: &[u8]) -> String {
    let mut found: Option<Vec<u8>> = None;
    for line in text.split(|&byte| byte == b'\n').take(1000) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        match &mut found {
            Some(subject) if line.starts_with(b" ") || line.starts_with(b"\t") => {
                subject.extend_from_slice(line)
            }
            Some(_) => break,
            None => {
                if line.get(..8).is_some_and(|name| name.eq_ignore_ascii_case(b"subject:")) {
                    found = Some(line.get(8..).unwrap_or_default().to_vec());
                }
            }
        }
    }
    String::from_utf8_lossy(found.unwrap_or_default().trim_ascii()).chars().take(1000).collect()
}

/// Postfix's short queue id: microseconds, then the inode of the queue file, in capital hex.
fn queue_id(now: SystemTime) -> String {
    let micros = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.subsec_micros());
    let inode = 0x4_0000 + rand::random::<u32>() % 0xB_FFFF;
    format!("{micros:05X}{inode:05X}")
}
