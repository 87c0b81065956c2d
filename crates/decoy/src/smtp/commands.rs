//! SMTP commands outside of mail text: smtpd(8)'s command table.

use wire::EventKind;

use crate::{
    dialogue::{Stage, Turn},
    memory,
};

use super::{
    Helo, LARGEST_MESSAGE, Mode, Smtp,
    address::{self, Fault, Place},
    message::{Collector, Envelope},
};

/// postconf(5), `smtpd_recipient_limit`.
const MOST_RECIPIENTS: usize = 1000;

impl Smtp {
    /// One command line. Gives whether TLS begins.
    pub(super) fn command(&mut self, line: &[u8], stage: &Stage) -> bool {
        let Ok(whole) = std::str::from_utf8(line) else {
            stage.note(EventKind::command_input(line));
            self.reply(stage, "500 5.5.2 Error: bad UTF-8 syntax");
            return false;
        };
        // Postfix's strings end at a NUL.
        let text = whole.split('\0').next().unwrap_or_default().trim();
        let (verb, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim_start();
        let verb = verb.to_ascii_uppercase();
        if verb == "AUTH" {
            // Its line may hold a password, which belongs to the login event.
            self.begin_login(line, rest, stage);
            return false;
        }
        stage.note(EventKind::command_input(line));
        match verb.as_str() {
            "" => self.reply(stage, "500 5.5.2 Error: bad syntax"),
            "HELO" | "EHLO" if rest.is_empty() => self.reply(stage, &format!("501 Syntax: {verb} hostname")),
            "HELO" => {
                self.greet(rest, false);
                let text = format!("250 {}", self.host);
                self.reply(stage, &text);
            }
            "EHLO" => {
                self.greet(rest, true);
                self.list_extensions(stage);
            }
            "MAIL" => self.mail(rest, stage),
            "RCPT" => self.rcpt(rest, stage),
            "DATA" => self.data(rest, stage),
            "BDAT" => self.bdat(rest, stage),
            "RSET" if !rest.is_empty() => self.reply(stage, "501 5.5.4 Syntax: RSET"),
            "RSET" => {
                self.envelope = None;
                self.reply(stage, "250 2.0.0 Ok");
            }
            "NOOP" => self.reply(stage, "250 2.0.0 Ok"),
            "VRFY" => self.vrfy(rest, stage),
            "ETRN" if self.envelope.is_some() => self.reply(stage, "503 Error: MAIL transaction in progress"),
            "ETRN" if rest.is_empty() => self.reply(stage, "500 Syntax: ETRN domain"),
            "ETRN" => self.reply(stage, &format!("459 <{rest}>: service unavailable")),
            "XCLIENT" | "XFORWARD" if rest.is_empty() => {
                self.reply(stage, &format!("501 5.5.4 Syntax: {verb} attribute=value..."));
            }
            "XCLIENT" | "XFORWARD" => self.reply(stage, "550 5.7.0 Error: insufficient authorization"),
            "STARTTLS" => return self.start_tls(rest, stage),
            "QUIT" => {
                self.reply(stage, "221 2.0.0 Bye");
                self.hang_up(stage);
            }
            _ if is_forbidden(&verb) => {
                self.reply(stage, "221 2.7.0 Error: I can break rules, too. Goodbye.");
                self.hang_up(stage);
            }
            _ => self.reply(stage, "500 5.5.2 Error: command not recognized"),
        }
        false
    }

    fn greet(&mut self, name: &str, extended: bool) {
        self.envelope = None;
        self.helo = Helo { name: name.to_owned(), extended };
    }

    fn list_extensions(&mut self, stage: &Stage) {
        let (host, starttls) = (&self.host, if self.tls { "" } else { "250-STARTTLS\r\n" });
        let text = format!(
            "250-{host}\r\n250-PIPELINING\r\n250-SIZE {LARGEST_MESSAGE}\r\n250-VRFY\r\n250-ETRN\r\n{starttls}\
             250-AUTH PLAIN LOGIN\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n\
             250 CHUNKING"
        );
        self.reply(stage, &text);
    }

    fn mail(&mut self, rest: &str, stage: &Stage) {
        if self.envelope.is_some() {
            return self.reply(stage, "503 5.5.1 Error: nested MAIL command");
        }
        let argument = match address::argument(rest, "FROM:") {
            Ok(argument) => argument,
            Err(Fault::Missing) => return self.reply(stage, "501 5.5.4 Syntax: MAIL FROM:<address>"),
            Err(Fault::Address) => return self.reply(stage, "501 5.1.7 Bad sender address syntax"),
        };
        let mut returns = 0;
        for option in &argument.options {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            match (name.to_ascii_uppercase().as_str(), value.to_ascii_uppercase().as_str()) {
                ("BODY", "8BITMIME" | "7BIT") | ("SMTPUTF8", "") => {}
                ("RET", "FULL" | "HDRS") if returns == 0 => returns += 1,
                ("ENVID", "") => return self.reply(stage, "501 5.5.4 Bad ENVID parameter syntax"),
                ("RET", _) => return self.reply(stage, "501 5.5.4 Bad RET parameter syntax"),
                ("AUTH" | "ENVID", value) if !value.is_empty() => {}
                ("SIZE", size) => match size.parse::<u64>() {
                    Ok(size) if size > LARGEST_MESSAGE as u64 => {
                        return self.reply(stage, "552 5.3.4 Message size exceeds fixed limit");
                    }
                    Ok(_) => {}
                    Err(_) => return self.reply(stage, "501 5.5.4 Bad message size syntax"),
                },
                _ => return self.reply(stage, &format!("555 5.5.4 Unsupported option: {option}")),
            }
        }
        let uploads = self.contact.visitor.uploads();
        if !uploads.has_room() {
            // postconf(5), queue_minfree.
            stage.note(EventKind::LimitHit { limit: memory::LIMIT.into(), value: uploads.taken() as u64 });
            return self.reply(stage, "452 4.3.1 Insufficient system storage");
        }
        self.envelope = Some(Envelope::new(argument.address, self.contact.visitor.now(), uploads));
        self.reply(stage, "250 2.1.0 Ok");
    }

    fn rcpt(&mut self, rest: &str, stage: &Stage) {
        if self.envelope.is_none() {
            return self.reply(stage, "503 5.5.1 Error: need MAIL command");
        }
        if self.envelope.as_ref().is_some_and(|envelope| envelope.chunked) {
            return self.reply(stage, "503 5.5.1 Error: RCPT after BDAT");
        }
        let argument = match address::argument(rest, "TO:") {
            Ok(argument) if argument.address.is_empty() => Err(Fault::Address),
            other => other,
        };
        let argument = match argument {
            Ok(argument) => argument,
            Err(Fault::Missing) => return self.reply(stage, "501 5.5.4 Syntax: RCPT TO:<address>"),
            Err(Fault::Address) => return self.reply(stage, "501 5.1.3 Bad recipient address syntax"),
        };
        for option in &argument.options {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            match name.to_ascii_uppercase().as_str() {
                "NOTIFY" if option.contains('=') => {
                    if !is_notify(value) {
                        return self.reply(stage, "501 5.5.4 Error: Bad NOTIFY parameter syntax");
                    }
                }
                "ORCPT" if option.contains('=') => {
                    // `type;address` (RFC 3461, 4.2)
                    let typed = value.split_once(';');
                    if typed.is_none_or(|(kind, address)| kind.is_empty() || address.is_empty()) {
                        return self.reply(stage, "501 5.5.4 Error: Bad ORCPT parameter syntax");
                    }
                }
                _ => return self.reply(stage, &format!("555 5.5.4 Unsupported option: {option}")),
            }
        }
        let place = self.place_or_refuse(&argument.address, stage);
        let (Some(place), Some(envelope)) = (place, &mut self.envelope) else { return };
        if envelope.recipients.len() >= MOST_RECIPIENTS {
            return self.reply(stage, "452 4.5.3 Error: too many recipients");
        }
        envelope.recipients.push((argument.address, place));
        self.reply(stage, "250 2.1.5 Ok");
    }

    /// Where mail for this address goes; says so if it may not go there.
    fn place_or_refuse(&mut self, address: &str, stage: &Stage) -> Option<Place> {
        match address::place(&self.contact, &self.host, address) {
            Place::Unknown => {
                let words = "Recipient address rejected: User unknown in local recipient table";
                self.reply(stage, &format!("550 5.1.1 <{address}>: {words}"));
                None
            }
            Place::Elsewhere if self.user.is_none() => {
                self.reply(stage, &format!("454 4.7.1 <{address}>: Relay access denied"));
                None
            }
            place => Some(place),
        }
    }

    fn vrfy(&mut self, rest: &str, stage: &Stage) {
        let address = rest.trim_end_matches(" SMTPUTF8").trim_start_matches('<').trim_end_matches('>');
        if rest.is_empty() {
            self.reply(stage, "501 5.5.4 Syntax: VRFY address [SMTPUTF8]");
        } else if address.is_empty() || address.contains(char::is_whitespace) {
            self.reply(stage, "501 5.1.3 Bad recipient address syntax");
        } else if self.place_or_refuse(address, stage).is_some() {
            let said = rest.trim_end_matches(" SMTPUTF8");
            self.reply(stage, &format!("252 2.0.0 {said}"));
        }
    }

    fn data(&mut self, rest: &str, stage: &Stage) {
        match &self.envelope {
            None => self.reply(stage, "503 5.5.1 Error: need RCPT command"),
            Some(_) if !rest.is_empty() => self.reply(stage, "501 5.5.4 Syntax: DATA"),
            Some(envelope) if envelope.recipients.is_empty() => {
                self.reply(stage, "554 5.5.1 Error: no valid recipients");
            }
            Some(_) => {
                self.mode = Mode::Data(Collector::new(self.contact.visitor.uploads()));
                self.reply(stage, "354 End data with <CR><LF>.<CR><LF>");
            }
        }
    }

    /// RFC 3030. The chunk is read even if it is refused.
    fn bdat(&mut self, rest: &str, stage: &Stage) {
        let mut words = rest.split_whitespace();
        let size = words.next().and_then(|word| word.parse::<u64>().ok());
        let last = match words.next() {
            None => Some(false),
            Some(word) => word.eq_ignore_ascii_case("LAST").then_some(true),
        };
        let (Some(left), Some(last)) = (size, last) else {
            self.reply(stage, "521 5.5.4 Syntax: BDAT count [LAST]");
            return self.hang_up(stage);
        };
        if let Some(envelope) = &mut self.envelope {
            envelope.chunked = true;
            envelope.chunk_size = left;
        }
        if left == 0 && !last && self.envelope.is_some() {
            self.reply(stage, "551 5.7.1 Null BDAT request");
            if let Some(envelope) = &mut self.envelope {
                envelope.spoiled = true;
            }
        } else if left == 0 {
            self.finish_chunk(last, stage);
        } else {
            self.mode = Mode::Chunk { left, last };
        }
    }

    fn start_tls(&mut self, rest: &str, stage: &Stage) -> bool {
        if !rest.is_empty() {
            self.reply(stage, "501 5.5.4 Syntax: STARTTLS");
            return false;
        }
        if self.tls {
            self.reply(stage, "554 5.5.1 Error: TLS already active");
            return false;
        }
        self.reply(stage, "220 2.0.0 Ready to start TLS");
        stage.push(Turn::StartTls);
        self.tls = true;
        self.envelope = None;
        self.helo = Helo::default();
        true
    }
}

/// `NEVER`, or some of the others (RFC 3461, 4.1).
fn is_notify(value: &str) -> bool {
    value.eq_ignore_ascii_case("NEVER")
        || value
            .split(',')
            .all(|word| ["SUCCESS", "FAILURE", "DELAY"].iter().any(|known| known.eq_ignore_ascii_case(word)))
}

/// postconf(5), `smtpd_forbidden_commands = CONNECT GET POST regexp:{{/^[^A-Z]/ Bogus}}`; a mail header is none either.
fn is_forbidden(verb: &str) -> bool {
    let header = verb
        .split_once(':')
        .is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()));
    matches!(verb, "CONNECT" | "GET" | "POST")
        || header
        || !verb.starts_with(|first: char| first.is_ascii_alphabetic())
}
