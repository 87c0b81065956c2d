//! FTP commands that ask for or change what `stat` tells: SIZE, MDTM, STAT and the SITE family.

use std::time::SystemTime;

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::{
    dialogue::{Contact, Stage},
    machine::{Attributes, Files, Kind, files::Access},
};

use super::{listing, session::Session};

impl Session {
    /// A plain file that this user may read.
    pub(super) fn readable_file(&self, files: &Files, argument: &str) -> Option<(String, Attributes)> {
        let path = self.path(files, argument);
        let attributes = files.stat(&path).ok()?;
        let readable =
            !argument.is_empty() && attributes.kind == Kind::File && self.may(files, &path, Access::Read);
        readable.then_some((path, attributes))
    }

    pub(super) fn size(&self, files: &Files, argument: &str, stage: &Stage) {
        match self.readable_file(files, argument) {
            Some((_, attributes)) => stage.say(format!("213 {}\r\n", attributes.size)),
            None => stage.say("550 Could not get file size.\r\n"),
        }
    }

    /// Reads the time, or sets it (`MDTM YYYYMMDDHHMMSS name`, not in any RFC but in vsftpd).
    pub(super) fn modification_time(&self, files: &Files, argument: &str, stage: &Stage) {
        if let Some((time, name)) = argument.split_once(' ')
            && let Ok(time) = NaiveDateTime::parse_from_str(time, "%Y%m%d%H%M%S")
        {
            let path = self.path(files, name);
            let owned = files.stat(&path).is_ok_and(|node| node.kind == Kind::File && self.owns(node.uid));
            let time = SystemTime::from(time.and_utc());
            let set = owned && files.set_times(&path, Some(time), Some(time)).is_ok();
            return stage.say(if set {
                "213 File modification time set.\r\n"
            } else {
                "550 Could not set file modification time.\r\n"
            });
        }
        match self.readable_file(files, argument) {
            Some((_, attributes)) => {
                let time = DateTime::<Utc>::from(attributes.mtime);
                stage.say(format!("213 {}\r\n", time.format("%Y%m%d%H%M%S")));
            }
            None => stage.say("550 Could not get file modification time.\r\n"),
        }
    }

    pub(super) async fn site(&mut self, contact: &Contact, argument: &str, stage: &Stage) {
        let files = contact.visitor.files();
        let (verb, rest) = argument.split_once(' ').unwrap_or((argument, ""));
        let verb = verb.to_ascii_uppercase();
        match verb.as_str() {
            "HELP" => stage.say("214 CHMOD UMASK HELP\r\n"),
            "UMASK" if rest.is_empty() => {
                stage.say(format!("200 Your current UMASK is {}\r\n", octal(self.umask)))
            }
            "UMASK" => {
                self.umask = leading_octal(rest) & 0o777;
                stage.say(format!("200 UMASK set to {}\r\n", octal(self.umask)));
            }
            "CHMOD" => match rest.split_once(' ').filter(|(_, name)| !name.is_empty()) {
                Some((mode, name)) => {
                    let path = self.path(files, name);
                    let owned = files.stat(&path).is_ok_and(|node| self.owns(node.uid));
                    let set = owned && files.set_mode(&path, leading_octal(mode) & 0o777).is_ok();
                    stage.say(if set {
                        "200 SITE CHMOD command ok.\r\n"
                    } else {
                        "550 SITE CHMOD command failed.\r\n"
                    });
                }
                None => stage.say("500 SITE CHMOD needs 2 arguments.\r\n"),
            },
            verb if contact.visitor.identity().site_verbs.iter().any(|known| known == verb) => {
                let written = contact.hand_over("vsftpd", &format!("SITE {verb}"), rest).await;
                stage.say(
                    written
                        .and_then(|text| reply_of(&text))
                        .unwrap_or_else(|| format!("200 SITE {verb} command ok.\r\n")),
                );
            }
            _ => stage.say("500 Unknown SITE command.\r\n"),
        }
    }

    pub(super) fn status(&self, contact: &Contact, argument: &str, stage: &Stage) {
        if !argument.is_empty() {
            let lines = listing::lines(self, contact.visitor.files(), argument, true, contact.visitor.now());
            let text = String::from_utf8_lossy(lines.as_deref().unwrap_or_default()).into_owned();
            return stage.say(format!("213-Status follows:\r\n{text}213 End of status\r\n"));
        }
        let (peer, user) = (contact.peer.ip().to_canonical(), &self.account.name);
        let kind = if self.binary { "BINARY" } else { "ASCII" };
        stage.say(format!(
            "211-FTP server status:\r\n     Connected to {peer}\r\n     Logged in as {user}\r\n     TYPE: {kind}\r\n     \
             No session bandwidth limit\r\n     Session timeout in seconds is 300\r\n     Control connection is plain \
             text\r\n     Data connections will be plain text\r\n     At session startup, client count was 1\r\n     \
             vsFTPd 3.0.3 - secure, fast, stable\r\n211 End of status\r\n"
        ));
    }

    fn owns(&self, uid: u32) -> bool {
        self.account.uid == 0 || self.account.uid == uid
    }
}

/// `%#o` of printf(3).
fn octal(mode: u32) -> String {
    if mode == 0 { "0".to_owned() } else { format!("0{mode:o}") }
}

/// The octal digits at the front.
fn leading_octal(text: &str) -> u32 {
    let digits = text.bytes().take_while(|digit| (b'0'..=b'7').contains(digit)).take(9);
    digits.fold(0, |number, digit| number * 8 + u32::from(digit - b'0'))
}

/// What a script wrote as a reply of one or several lines (RFC 959, 4.2): its own code where it begins with one.
fn reply_of(text: &str) -> Option<String> {
    let is_code =
        |word: &str| word.len() == 3 && word.starts_with(['2', '4', '5']) && word.parse::<u16>().is_ok();
    let code = text.get(..3).filter(|code| is_code(code)).unwrap_or("200");
    let bare = |line: &str| {
        let rest = line.strip_prefix(code).and_then(|rest| rest.strip_prefix([' ', '-']));
        rest.unwrap_or(line).trim().chars().filter(|c| !c.is_control()).collect::<String>()
    };
    let lines: Vec<String> = text.lines().map(bare).filter(|line| !line.is_empty()).take(12).collect();
    let (last, before) = lines.split_last()?;
    let mut reply: String = before.iter().map(|line| format!("{code}-{line}\r\n")).collect();
    reply.push_str(&format!("{code} {last}\r\n"));
    Some(reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_speaks_in_replies() {
        for (text, reply) in [
            ("deployed main\n", Some("200 deployed main\r\n")),
            ("550 no such branch\n", Some("550 no such branch\r\n")),
            ("200-fetching\n200-building\n200 done\n", Some("200-fetching\r\n200-building\r\n200 done\r\n")),
            (
                "Fetching origin\n\nHEAD is now at 1f2e3d4\n",
                Some("200-Fetching origin\r\n200 HEAD is now at 1f2e3d4\r\n"),
            ),
            ("999 strange\n", Some("200 999 strange\r\n")),
            ("\n \n", None),
        ] {
            assert_eq!(reply_of(text).as_deref(), reply, "{text:?}");
        }
    }
}
