//! Telnet's own layer (RFC 854, 855): what is data, what is a command, and who agreed to which option.
//!
//! The answers are those of telnetd of GNU inetutils 2.4. Each side of an option has a state and a count of requests
//! that are unanswered, so an answer is never answered and no client can make a loop (RFC 1143).

mod known;

use std::collections::BTreeMap;

use bytes::Bytes;
use wire::EventKind;

use crate::dialogue::Stage;

pub(super) use known::{
    AUTHENTICATION, BINARY, DO, DONT, ECHO, ENCRYPT, IAC, LFLOW, LINEMODE, LOGOUT, NAWS, NEW_ENVIRON,
    OLD_ENVIRON, SGA, STATUS, TIMING_MARK, TSPEED, TTYPE, WILL, WONT, XDISPLOC,
};
use known::{SB, SE, TERMINALS, command_name, is_offered, is_wanted, verb_name};

/// The longest subnegotiation that is kept (telnetd: `SUBBUFSIZE`).
const LONGEST_SUB: usize = 512;
/// The most options, commands and subnegotiations of one connection that are noted.
const MOST_NOTES: u32 = 200;
/// The most types of terminals that a client is asked for.
const MOST_TYPES: u8 = 10;
/// The most answers to requests that nobody had a reason for.
const MOST_ANSWERS: u32 = 400;

/// One option as both sides see it.
#[derive(Clone, Copy, Default)]
struct Side {
    on: bool,
    /// Requests of ours that are not answered yet.
    asked: u8,
}

/// The state of one connection.
pub struct Options {
    ours: BTreeMap<u8, Side>,
    theirs: BTreeMap<u8, Side>,
    state: State,
    sub: Vec<u8>,
    window: Option<(u16, u16)>,
    /// What the client told about itself in subnegotiations.
    pub(super) term: Option<String>,
    pub(super) env: Vec<(String, String)>,
    /// Subnegotiations that arrived since [`Options::ask_details`].
    details: Vec<u8>,
    /// Types of terminals that the client has named.
    types: u8,
    /// Whether it was asked for: a type that comes before is not asked about, as telnetd does not.
    asked_type: bool,
    /// The login has begun.
    pub(super) settled: bool,
    /// The login is over.
    pub(super) logged_in: bool,
    notes: u32,
    /// WONT or DONT, its first option, and the others that were refused after it.
    refusals: Vec<(u8, u8, Vec<u8>)>,
    answers: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Data,
    /// After CR: a LF or NUL belongs to it.
    Return,
    Iac,
    Verb(u8),
    Sub,
    SubIac,
}

impl Options {
    pub(super) fn new() -> Self {
        Self {
            ours: BTreeMap::new(),
            theirs: BTreeMap::new(),
            state: State::Data,
            sub: Vec::new(),
            window: None,
            term: None,
            env: Vec::new(),
            details: Vec::new(),
            types: 0,
            asked_type: false,
            settled: false,
            logged_in: false,
            notes: 0,
            refusals: Vec::new(),
            answers: 0,
        }
    }

    /// Asks the client to use an option (or, with [`WILL`], offers it). Nothing is asked twice.
    pub(super) fn ask(&mut self, verb: u8, option: u8, out: &mut Vec<u8>) {
        let side = self.side(verb == DO, option);
        if !side.on && side.asked == 0 {
            side.asked = 1;
            out.extend_from_slice(&[IAC, verb, option]);
        }
    }

    /// Whether a request for this option of the client's is unanswered.
    pub(super) fn is_open(&self, theirs: bool, option: u8) -> bool {
        let side = if theirs { &self.theirs } else { &self.ours };
        side.get(&option).is_some_and(|side| side.asked > 0)
    }

    pub(super) fn is_on(&self, theirs: bool, option: u8) -> bool {
        let side = if theirs { &self.theirs } else { &self.ours };
        side.get(&option).is_some_and(|side| side.on)
    }

    /// `IAC SB option SEND IAC SE`
    pub(super) fn ask_details(&mut self, option: u8, out: &mut Vec<u8>) {
        self.asked_type |= option == TTYPE;
        out.extend_from_slice(&[IAC, SB, option, 1, IAC, SE]);
    }

    /// Whether the details of an option have come.
    pub(super) fn has_details(&self, option: u8) -> bool {
        self.details.contains(&option)
    }

    /// The window that the client told since this was asked last.
    pub(crate) fn take_window(&mut self) -> Option<(u16, u16)> {
        self.window.take()
    }

    fn side(&mut self, theirs: bool, option: u8) -> &mut Side {
        let sides = if theirs { &mut self.theirs } else { &mut self.ours };
        sides.entry(option).or_default()
    }

    /// What goes over the line: IAC doubled, and a lone CR followed by NUL.
    pub(crate) fn encode(bytes: &[u8]) -> Bytes {
        if memchr::memchr2(IAC, b'\r', bytes).is_none() {
            return Bytes::copy_from_slice(bytes);
        }
        let mut out = Vec::with_capacity(bytes.len() + 16);
        let mut rest = bytes.iter().peekable();
        while let Some(&byte) = rest.next() {
            out.push(byte);
            match byte {
                IAC => out.push(IAC),
                b'\r' if rest.peek() != Some(&&b'\n') => out.push(0),
                _ => {}
            }
        }
        out.into()
    }

    /// The keys in what arrived. Options are answered and noted at once.
    pub(crate) fn decode(&mut self, bytes: &[u8], stage: &Stage) -> Vec<u8> {
        let (mut keys, mut out) = (Vec::with_capacity(bytes.len()), Vec::new());
        for &byte in bytes {
            match self.state {
                State::Return if matches!(byte, b'\n' | 0) => self.state = State::Data,
                State::Data | State::Return => {
                    self.state = match byte {
                        IAC => State::Iac,
                        b'\r' => State::Return,
                        _ => State::Data,
                    };
                    if byte != IAC {
                        keys.push(byte);
                    }
                }
                State::Iac => self.command(byte, &mut keys, &mut out, stage),
                State::Verb(verb) => {
                    self.state = State::Data;
                    match verb {
                        WONT | DONT => self.refused(verb, byte, stage),
                        _ => self.note(verb_name(verb), byte, &[], stage),
                    }
                    self.negotiate(verb, byte, &mut out);
                }
                State::Sub if byte == IAC => self.state = State::SubIac,
                State::Sub => self.keep_sub(byte),
                State::SubIac if byte == SE => {
                    self.state = State::Data;
                    if self.subnegotiate(stage) {
                        self.ask_details(TTYPE, &mut out);
                    }
                }
                State::SubIac => {
                    self.state = State::Sub;
                    self.keep_sub(byte);
                }
            }
        }
        // Before the login they are noted with the first key, or when the visitor leaves.
        if !keys.is_empty() || self.logged_in {
            self.note_refusals(stage);
        }
        stage.say(out);
        keys
    }

    /// Most clients refuse whatever they are asked: that is one event for each verb, not one for each option.
    fn refused(&mut self, verb: u8, option: u8, stage: &Stage) {
        match self.refusals.iter_mut().find(|(known, ..)| *known == verb) {
            Some((.., more)) if more.len() < LONGEST_SUB => more.push(option),
            Some(_) => {
                self.note_refusals(stage);
                self.refused(verb, option, stage);
            }
            None => self.refusals.push((verb, option, Vec::new())),
        }
    }

    /// Notes what was refused so far.
    pub(super) fn note_refusals(&mut self, stage: &Stage) {
        for (verb, option, more) in std::mem::take(&mut self.refusals) {
            self.note(verb_name(verb), option, &more, stage);
        }
    }

    fn keep_sub(&mut self, byte: u8) {
        if self.sub.len() < LONGEST_SUB {
            self.sub.push(byte);
        }
    }

    fn command(&mut self, byte: u8, keys: &mut Vec<u8>, out: &mut Vec<u8>, stage: &Stage) {
        self.state = match byte {
            WILL..=DONT => State::Verb(byte),
            SB => {
                self.sub.clear();
                State::Sub
            }
            _ => State::Data,
        };
        match byte {
            IAC => keys.push(IAC),
            244 => keys.push(0x03), // interrupt
            243 => keys.push(0x1c), // break
            247 => keys.push(0x7f), // erase character
            248 => keys.push(0x15), // erase line
            236 => keys.push(0x04), // end of file
            // Abort output: a data mark, and what the terminal knows for it.
            245 => {
                out.extend_from_slice(&[IAC, 242]);
                keys.push(0x0f);
            }
            246 => out.extend_from_slice(b"\r\n[Yes]\r\n"), // are you there
            _ => {}
        }
        if !matches!(byte, IAC | SB..=DONT) {
            self.note(command_name(byte), byte, &[], stage);
        }
    }

    /// WILL, WONT, DO or DONT from the client.
    fn negotiate(&mut self, verb: u8, option: u8, out: &mut Vec<u8>) {
        let theirs = matches!(verb, WILL | WONT);
        let wanted = matches!(verb, WILL | DO);
        let (agree, refuse) = if theirs { (DO, DONT) } else { (WILL, WONT) };
        let known = if theirs { is_wanted(option) } else { is_offered(option) };
        if (verb, option) == (WONT, TIMING_MARK) {
            // A client that edits no lines itself leaves that, and the echo, to telnetd.
            self.ask(WILL, SGA, out);
            self.ask(WILL, ECHO, out);
        }
        let side = self.side(theirs, option);
        if side.asked > 0 {
            side.asked -= 1;
            side.on = wanted;
            // A client that would echo is taken for one of 4.2BSD: told not to, but not before the login.
            if theirs && wanted && option == ECHO {
                side.on = false;
                if self.settled {
                    self.answer(DONT, ECHO, out);
                }
                return;
            }
            self.begin(theirs, wanted, option, out);
            return;
        } else if side.on == wanted {
            if !wanted {
                return;
            }
            if known && option != TIMING_MARK {
                return;
            }
        } else if !wanted {
            side.on = false;
            return self.answer(refuse, option, out);
        }
        if known && !(theirs && option == TIMING_MARK) {
            self.side(theirs, option).on = option != TIMING_MARK;
            self.answer(agree, option, out);
            // These are spoken of only when telnetd has asked for them, or has the line to itself.
            if option != LFLOW && (option != LINEMODE || self.is_on(false, SGA)) {
                self.begin(theirs, true, option, out);
            }
        } else if option != TIMING_MARK {
            self.answer(refuse, option, out);
        }
    }

    /// What telnetd sends as soon as an option is on.
    fn begin(&mut self, theirs: bool, on: bool, option: u8, out: &mut Vec<u8>) {
        match option {
            // Both of telnetd's own subnegotiations go out with a NUL behind them.
            LINEMODE if theirs && on => out.extend_from_slice(&[IAC, SB, LINEMODE, 1, 0x10, IAC, SE, 0]),
            AUTHENTICATION if theirs && on => {
                out.extend_from_slice(&[IAC, SB, AUTHENTICATION, 1, 2, 2, 2, 0, IAC, SE]);
            }
            // None of its kinds is supported.
            ENCRYPT if theirs && on => out.extend_from_slice(&[IAC, SB, ENCRYPT, 1, IAC, SE]),
            LFLOW if theirs && on => out.extend_from_slice(&[IAC, SB, LFLOW, 3, IAC, SE, 0]),
            // telnetd answers WILL SGA with DO although it offered SGA only for itself.
            _ => {}
        }
    }

    fn answer(&mut self, verb: u8, option: u8, out: &mut Vec<u8>) {
        self.answers += 1;
        if self.answers <= MOST_ANSWERS {
            out.extend_from_slice(&[IAC, verb, option]);
        }
    }

    /// Gives whether the client is asked for another type of terminal: one that nobody knows is not enough, until the
    /// client has no other.
    fn subnegotiate(&mut self, stage: &Stage) -> bool {
        let sub = std::mem::take(&mut self.sub);
        let Some((&option, data)) = sub.split_first() else { return false };
        self.note("SB", option, data, stage);
        if let (TTYPE, [0, name @ ..]) = (option, data) {
            let name = String::from_utf8_lossy(name.get(..40).unwrap_or(name)).to_lowercase();
            let name: String = name.chars().filter(char::is_ascii_graphic).collect();
            let again = !TERMINALS.contains(&name.as_str()) && self.term.as_ref() != Some(&name);
            self.term = Some(name);
            self.types += 1;
            if again && self.asked_type && self.types < MOST_TYPES && !self.has_details(TTYPE) {
                return true;
            }
        }
        if self.details.len() < 16 {
            self.details.push(option);
        }
        match (option, data) {
            (NAWS, &[a, b, c, d]) => {
                let (columns, rows) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
                self.window = Some((columns, rows));
                stage.note(EventKind::ClientSize { width: columns.into(), height: rows.into() });
            }
            (NEW_ENVIRON | OLD_ENVIRON, [0 | 2, pairs @ ..]) => {
                for (name, value) in variables(pairs) {
                    stage.note(EventKind::ClientVar { name: name.clone(), value: value.clone() });
                    self.env.push((name, value));
                }
                self.env.truncate(32);
            }
            _ => {}
        }
        false
    }

    fn note(&mut self, command: &str, option: u8, data: &[u8], stage: &Stage) {
        self.note_refusals(stage);
        self.notes += 1;
        if self.notes <= MOST_NOTES {
            let data = hex::encode(data);
            stage.note(EventKind::TelnetOption { command: command.to_owned(), option, data });
        }
    }
}

/// `VAR name VALUE value …` (RFC 1572), at most 32 of them.
fn variables(bytes: &[u8]) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes.get(..256).unwrap_or(bytes)).into_owned();
    bytes
        .split(|byte| matches!(byte, 0 | 3))
        .filter(|pair| !pair.is_empty())
        .take(32)
        .map(|pair| match memchr::memchr(1, pair) {
            Some(at) => {
                (text(pair.get(..at).unwrap_or_default()), text(pair.get(at + 1..).unwrap_or_default()))
            }
            None => (text(pair), String::new()),
        })
        .collect()
}

#[cfg(test)]
mod tests;
