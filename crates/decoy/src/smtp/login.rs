//! SASL for SMTP (RFC 4954): PLAIN (RFC 4616) and LOGIN, with the words of Cyrus SASL behind Postfix.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use wire::EventKind;

use crate::{dialogue::Stage, machine::Login};

use super::{Mode, Smtp};

/// What is awaited.
pub(super) enum Step {
    /// `authzid NUL user NUL password`.
    Plain,
    /// The user's name.
    LoginUser,
    /// The password of this user.
    LoginPassword(Vec<u8>),
}

impl Smtp {
    /// `AUTH mechanism [initial response]`.
    pub(super) fn begin_login(&mut self, line: &[u8], rest: &str, stage: &Stage) {
        let mut words = rest.split_whitespace();
        let mechanism = words.next().unwrap_or_default().to_ascii_uppercase();
        let first = words.next();
        if !matches!(mechanism.as_str(), "PLAIN" | "LOGIN")
            || words.clone().next().is_some()
            || first.is_none()
        {
            stage.note(EventKind::command_input(line));
        } else {
            stage.note(EventKind::command_input(format!("AUTH {mechanism}").as_bytes()));
        }
        if self.envelope.is_some() {
            self.reply(stage, "503 5.5.1 Error: MAIL transaction in progress");
        } else if self.user.is_some() {
            self.reply(stage, "503 5.5.1 Error: already authenticated");
        } else if mechanism.is_empty() || words.next().is_some() {
            self.reply(stage, "501 5.5.4 Syntax: AUTH mechanism");
        } else {
            match (mechanism.as_str(), first) {
                ("PLAIN", None) => {
                    self.mode = Mode::Login(Step::Plain);
                    self.reply(stage, "334 ");
                }
                ("PLAIN", Some("=")) => self.fail(stage, fault(b"=")),
                ("PLAIN", Some(first)) => match decode(first.as_bytes()) {
                    Some(bytes) => self.plain(&bytes, stage),
                    None => {
                        stage.note(EventKind::login(false, first.as_bytes(), b""));
                        self.fail(stage, fault(first.as_bytes()));
                    }
                },
                ("LOGIN", None) => {
                    self.mode = Mode::Login(Step::LoginUser);
                    self.reply(stage, "334 VXNlcm5hbWU6");
                }
                // To Cyrus an empty first answer is half a one.
                ("LOGIN", Some("=")) => self.fail(stage, fault(b"=")),
                ("LOGIN", Some(first)) => self.login_answer(Step::LoginUser, first.as_bytes(), stage),
                _ => self.fail(stage, "no mechanism available"),
            }
        }
    }

    /// The client's line after a `334`.
    pub(super) fn login_answer(&mut self, step: Step, line: &[u8], stage: &Stage) {
        if line == b"*" {
            stage.note(EventKind::command_input(line));
            return self.reply(stage, "501 5.7.0 Authentication aborted");
        }
        let Some(bytes) = decode(line) else {
            // No secret then, but whatever it is must not be lost.
            stage.note(EventKind::command_input(line));
            return self.fail(stage, fault(line));
        };
        match step {
            Step::Plain => self.plain(&bytes, stage),
            Step::LoginUser => {
                self.mode = Mode::Login(Step::LoginPassword(bytes));
                self.reply(stage, "334 UGFzc3dvcmQ6");
            }
            Step::LoginPassword(user) if user.is_empty() => {
                stage.note(EventKind::login(false, b"", &bytes));
                self.reply(stage, "454 4.7.0 Temporary authentication failure: generic failure");
            }
            Step::LoginPassword(user) => self.log_in(&user, &bytes, stage),
        }
    }

    fn plain(&mut self, bytes: &[u8], stage: &Stage) {
        let mut parts = bytes.splitn(3, |&byte| byte == 0).skip(1);
        match (parts.next(), parts.next()) {
            (Some(user), Some(password)) => self.log_in(user, password, stage),
            _ => {
                stage.note(EventKind::login(false, bytes, b""));
                self.fail(stage, "bad protocol / cancel");
            }
        }
    }

    fn log_in(&mut self, user: &[u8], password: &[u8], stage: &Stage) {
        let name = String::from_utf8_lossy(user).into_owned();
        let bare = name.split('@').next().unwrap_or_default();
        let answer = self.contact.visitor.log_in(bare, &String::from_utf8_lossy(password));
        let accepted = matches!(answer, Login::Accepted(_));
        stage.note(EventKind::login(accepted, user, password));
        if accepted {
            self.user = Some(name);
            self.reply(stage, "235 2.7.0 Authentication successful");
        } else {
            self.fail(stage, "authentication failure");
        }
    }

    fn fail(&mut self, stage: &Stage, reason: &str) {
        self.reply(stage, &format!("535 5.7.8 Error: authentication failed: {reason}"));
    }
}

/// Why sasl_decode64 does not like a text: a group of four with a strange letter (SASL_BADPROT), or letters left over
/// (SASL_CONTINUE).
fn fault(text: &[u8]) -> &'static str {
    let letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if text.as_chunks::<4>().0.as_flattened().iter().all(letter) {
        "another step is needed in authentication"
    } else {
        "bad protocol / cancel"
    }
}

fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    // RFC 4954, 4: "=" is an empty initial response.
    if text == b"=" {
        return Some(Vec::new());
    }
    STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()
}
