//! FTP as vsftpd 3.0.3 of Debian 12 speaks it, with local users and writing allowed.
//!
//! Reply texts and states follow transcripts of that daemon (`tests/transcripts/ftp`). Two things differ on purpose:
//! nothing ever connects out, so a transfer after PORT ends as if the visitor's firewall were shut; and `root` is let
//! in when its password is right, as if somebody had taken it out of `/etc/ftpusers`.

mod attributes;
mod listing;
mod session;
mod transfers;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use wire::EventKind;

use crate::{
    dialogue::{Contact, Dialogue, Stage},
    lines::Lines,
    machine::{Account, Login},
    pam,
};
pub use transfers::{DataConnections, DataFault, Received};

/// The longest command line, in bytes (vsftpd `VSFTP_MAX_COMMAND_LINE`).
const LONGEST_LINE: usize = 4096;
/// Wrong passwords before the connection is closed (vsftpd.conf(5), `max_login_fails`).
const MOST_FAILURES: u32 = 3;
/// vsftpd.conf(5), `delay_failed_login`; with PAM's own delay 2.5 to 3.4 s were measured.
const FAILED_LOGIN_PAUSE: Duration = Duration::from_secs(1);
/// vsftpd.conf(5), `idle_session_timeout`.
const IDLE: Duration = Duration::from_secs(300);

const FEATURES: &str =
    "211-Features:\r\n EPRT\r\n EPSV\r\n MDTM\r\n PASV\r\n REST STREAM\r\n SIZE\r\n TVFS\r\n211 End\r\n";
const HELP: &str = "214-The following commands are recognized.\r\n\
 \x20ABOR ACCT ALLO APPE CDUP CWD  DELE EPRT EPSV FEAT HELP LIST MDTM MKD\r\n\
 \x20MODE NLST NOOP OPTS PASS PASV PORT PWD  QUIT REIN REST RETR RMD  RNFR\r\n\
 \x20RNTO SITE SIZE SMNT STAT STOR STOU STRU SYST TYPE USER XCUP XCWD XMKD\r\n\
 \x20XPWD XRMD\r\n214 Help OK.\r\n";

/// One control connection.
pub struct Ftp {
    contact: Contact,
    banner: Bytes,
    lines: Lines,
    state: State,
    failures: u32,
    over: bool,
    data: Box<dyn DataConnections>,
}

enum State {
    /// Nobody has logged in; perhaps a name was given.
    Stranger(Option<Vec<u8>>),
    /// Somebody has.
    User(Box<session::Session>),
}

impl Ftp {
    /// A control connection whose transfers go over `data`.
    pub fn new(contact: Contact, data: Box<dyn DataConnections>) -> Self {
        let lines = Lines::new(contact.limits.line_bytes.min(LONGEST_LINE));
        let banner = Bytes::from_static(b"220 (vsFTPd 3.0.3)\r\n");
        Self { contact, banner, lines, state: State::Stranger(None), failures: 0, over: false, data }
    }

    /// Opens with this line instead, code included.
    #[must_use]
    pub fn with_banner(mut self, line: &str) -> Self {
        self.banner = Bytes::from(format!("{}\r\n", line.trim_end_matches(['\r', '\n'])));
        self
    }

    async fn command(&mut self, line: &[u8], stage: &Stage) {
        let (verb, argument) = split_command(line);
        if !matches!(verb.as_str(), "USER" | "PASS") || matches!(self.state, State::User(_)) {
            stage.note(EventKind::command_input(line));
        }
        if line.is_empty() {
            return; // vsftpd reads on without a word
        }
        match (verb.as_str(), &mut self.state) {
            ("QUIT", _) => {
                stage.say("221 Goodbye.\r\n");
                self.hang_up(stage);
            }
            ("FEAT", _) => stage.say(FEATURES),
            ("OPTS", _) if argument.eq_ignore_ascii_case(b"UTF8 ON") => {
                stage.say("200 Always in UTF8 mode.\r\n")
            }
            ("OPTS", _) => stage.say("501 Option not understood.\r\n"),
            ("USER", State::Stranger(_)) => {
                self.note_lone_user(stage);
                self.state = State::Stranger(Some(argument.to_vec()));
                stage.say("331 Please specify the password.\r\n");
            }
            ("PASS", State::Stranger(user)) => match user.take().filter(|user| !user.is_empty()) {
                Some(user) => self.log_in(&user, argument, stage),
                None => {
                    stage.note(EventKind::login(false, b"", argument));
                    stage.say("503 Login with USER first.\r\n");
                }
            },
            (_, State::Stranger(_)) => stage.say("530 Please login with USER and PASS.\r\n"),
            ("HELP", State::User(_)) => stage.say(HELP),
            (_, State::User(session)) => {
                session.command(&self.contact, self.data.as_mut(), &verb, argument, stage).await;
            }
        }
    }

    fn log_in(&mut self, user: &[u8], password: &[u8], stage: &Stage) {
        let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
        let answer = self.contact.visitor.log_in(&text(user), &String::from_utf8_lossy(password));
        stage.note(EventKind::login(matches!(answer, Login::Accepted(_)), user, password));
        match answer {
            Login::Accepted(account) => self.let_in(account, stage),
            Login::Refused => {
                stage.pause(FAILED_LOGIN_PAUSE + pam::delay(pam::UNIX));
                stage.say("530 Login incorrect.\r\n");
                self.failures += 1;
                if self.failures >= MOST_FAILURES {
                    self.hang_up(stage);
                }
            }
        }
    }

    fn let_in(&mut self, account: Account, stage: &Stage) {
        if self.contact.visitor.files().is_dir(&account.home) {
            stage.say("230 Login successful.\r\n");
            self.state = State::User(Box::new(session::Session::new(account)));
        } else {
            stage.say(format!("500 OOPS: cannot change directory:{}\r\n", account.home));
            self.hang_up(stage);
        }
    }

    /// A name that no password followed is in no login event, so its line is noted by itself.
    fn note_lone_user(&mut self, stage: &Stage) {
        if let State::Stranger(user) = &mut self.state
            && let Some(user) = user.take()
        {
            stage.note(EventKind::command_input(&[b"USER ", user.as_slice()].concat()));
        }
    }

    fn hang_up(&mut self, stage: &Stage) {
        self.note_lone_user(stage);
        self.over = true;
        self.data.close();
        stage.hang_up();
    }
}

#[async_trait]
impl Dialogue for Ftp {
    async fn open(&mut self, stage: &Stage) {
        stage.say(self.banner.clone());
    }

    async fn hear(&mut self, mut bytes: &[u8], stage: &Stage) {
        while !self.over {
            let line = self.lines.next(&mut bytes);
            if line.as_ref().map_or(self.lines.is_overfull(), |line| line.cut) {
                let line = line.unwrap_or_else(|| self.lines.take_rest());
                stage.note(EventKind::command_input(&line.bytes));
                stage
                    .note(EventKind::LimitHit { limit: "line_bytes".into(), value: line.bytes.len() as u64 });
                stage.say("500 Input line too long.\r\n");
                self.hang_up(stage);
                return;
            }
            let Some(line) = line else { return };
            self.command(&line.bytes, stage).await;
            stage.room().await;
        }
        // vsftpd reads no further; what is already here is still worth remembering.
        while let Some(line) = self.lines.next(&mut bytes) {
            stage.note(EventKind::command_input(&line.bytes));
            stage.room().await;
        }
    }

    async fn end(&mut self, stage: &Stage) {
        let rest = self.lines.take_rest().bytes;
        if !self.over && !rest.is_empty() {
            stage.note(EventKind::command_input(&rest));
        }
        self.hang_up(stage);
    }

    async fn timed_out(&mut self, stage: &Stage) {
        stage.say("421 Timeout.\r\n");
        self.hang_up(stage);
    }

    fn idle_limit(&self) -> Option<Duration> {
        Some(IDLE)
    }
}

/// The verb in capitals, and what follows the first space.
fn split_command(line: &[u8]) -> (String, &[u8]) {
    // Telnet's "interrupt" and "synch" before ABOR (RFC 959, 4.1.3) are no part of the verb.
    let line = line.strip_prefix(b"\xff\xf4\xff\xf2").unwrap_or(line);
    // One return went with the line end; any more are no part of it either.
    let returns = line.iter().rev().take_while(|&&byte| byte == b'\r').count();
    let line = line.get(..line.len() - returns).unwrap_or_default();
    let (verb, argument) = match memchr::memchr(b' ', line) {
        Some(at) => (line.get(..at).unwrap_or_default(), line.get(at + 1..).unwrap_or_default()),
        None => (line, &b""[..]),
    };
    (String::from_utf8_lossy(verb.get(..16).unwrap_or(verb)).to_ascii_uppercase(), argument)
}

#[cfg(test)]
mod tests;
