//! login(1) as Debian's telnetd starts it: a name, a password, and the kernel's line editing while they are typed.

use wire::EventKind;

use super::{LONGEST_ANSWER, MOST_EARLY, MOST_FAILURES, Options, Phase, TTY, Telnet};
use crate::{
    dialogue::{Dialogue as _, Stage},
    machine::{Account, Login},
    pam,
    terminal::{Greeter, Terminal, TerminalMode, greeting},
};

impl Telnet {
    /// Reads keys, or keeps them until there is somebody to read them.
    pub(super) async fn press_all(&mut self, keys: Vec<u8>, stage: &Stage) {
        if self.is_settling() {
            self.early.extend(keys);
            self.early.truncate(MOST_EARLY);
            return;
        }
        let mut keys = keys.into_iter();
        while let Some(key) = keys.next() {
            match &mut self.phase {
                Phase::Shell(terminal) => {
                    let rest: Vec<u8> = std::iter::once(key).chain(keys).collect();
                    return terminal.hear_keys(rest, stage).await;
                }
                Phase::Over => {
                    // Nobody reads this any more; it was sent all the same.
                    let rest: Vec<u8> = std::iter::once(key).chain(keys).collect();
                    for line in
                        rest.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_empty())
                    {
                        stage.note(EventKind::command_input(line));
                    }
                    return;
                }
                Phase::Name if matches!(key, b'\r' | b'\n') => {
                    self.ahead = keys.collect();
                    return self.press(key, stage).await;
                }
                _ => self.press(key, stage).await,
            }
        }
    }

    pub(super) fn ask_name(&mut self, stage: &Stage) {
        self.phase = Phase::Name;
        self.options.settled = true;
        stage.say(format!("{} login: ", self.contact.visitor.identity().hostname));
    }

    /// One key at a prompt of login(1), under the kernel's line editing.
    async fn press(&mut self, key: u8, stage: &Stage) {
        let secret = matches!(self.phase, Phase::Password(_));
        if self.raw.len() < LONGEST_ANSWER {
            self.raw.push(key);
        }
        match key {
            b'\r' | b'\n' => {
                stage.say("\r\n");
                self.full = false;
                self.raw.clear();
                let line = std::mem::take(&mut self.line);
                self.enter(line, stage).await;
            }
            0x08 | 0x7f => {
                if let Some(key) = self.line.pop()
                    && !secret
                {
                    stage.say(b"\x08 \x08".repeat(columns(key)));
                }
            }
            0x15 => {
                let width = self.line.iter().map(|&key| columns(key)).sum();
                let echo = b"\x08 \x08".repeat(if secret { 0 } else { width });
                self.line.clear();
                stage.say(echo);
            }
            // login(1) dies of ^C and of ^\; at the first question the terminal shows it, and all typed is gone.
            0x03 if secret => self.hang_up(stage),
            0x03 | 0x1a | 0x1c if !secret => {
                self.line.clear();
                // Urgent, as telnetd marks that output was thrown away: IAC DM.
                stage.say(vec![255, 242, b'^', key + 0x40]);
                if key != 0x1a {
                    self.hang_up(stage);
                }
            }
            0x04 => {
                stage.say("\r\n");
                self.raw.clear();
                let line = std::mem::take(&mut self.line);
                if line.is_empty() {
                    self.refuse(stage);
                } else {
                    self.enter(line, stage).await;
                }
            }
            _ if self.line.len() >= LONGEST_ANSWER.min(self.contact.limits.line_bytes) => {
                if !std::mem::replace(&mut self.full, true) {
                    let value = self.line.len() as u64;
                    stage.note(EventKind::LimitHit { limit: "line_bytes".into(), value });
                }
            }
            _ => {
                self.line.push(key);
                if !secret {
                    stage.say(shown(key));
                }
            }
        }
    }

    async fn enter(&mut self, line: Vec<u8>, stage: &Stage) {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            // No option of login(1) is a name.
            Phase::Name if line.starts_with(b"-") => {
                stage.note(EventKind::command_input(&line));
                self.refuse(stage);
            }
            Phase::Name => {
                self.phase = Phase::Password(line);
                self.flush_typed(stage);
                stage.say("Password: ");
            }
            Phase::Password(name) => {
                let text = String::from_utf8_lossy(&name);
                let answer = self.contact.visitor.log_in(&text, &String::from_utf8_lossy(&line));
                stage.note(EventKind::login(matches!(answer, Login::Accepted(_)), &name, &line));
                match answer {
                    Login::Accepted(account) => self.let_in(account, stage).await,
                    Login::Refused => self.refuse(stage),
                }
            }
            other => self.phase = other,
        }
    }

    fn refuse(&mut self, stage: &Stage) {
        stage.pause(pam::delay(pam::LOGIN));
        stage.say("\r\nLogin incorrect\r\n");
        self.failures += 1;
        if self.failures >= MOST_FAILURES {
            stage.say(format!("Maximum number of tries exceeded ({MOST_FAILURES})\r\n"));
            self.hang_up(stage);
        } else {
            self.ask_name(stage);
        }
    }

    /// What was typed before login(1) asks for the password is shown, and thrown away (tcsetattr with TCSAFLUSH).
    fn flush_typed(&mut self, stage: &Stage) {
        let typed = std::mem::take(&mut self.ahead);
        for line in typed.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_empty()) {
            stage.note(EventKind::command_input(line));
        }
        stage.say(typed.iter().flat_map(|&key| shown(key)).collect::<Vec<u8>>());
    }

    async fn let_in(&mut self, account: Account, stage: &Stage) {
        let text = greeting(&self.contact, &account, TTY, Greeter::Login).replace('\n', "\r\n");
        stage.say(Options::encode(text.as_bytes()));
        let mut options = std::mem::replace(&mut self.options, Box::new(Options::new()));
        options.logged_in = true;
        // telnetd says `TERM=network` when it was told nothing.
        let term = options.term.clone().unwrap_or_else(|| "network".to_owned());
        let mut env = vec![("TERM".to_owned(), term)];
        env.extend(options.env.iter().filter(|(name, _)| name.starts_with("LC_") || name == "LANG").cloned());
        let window = self.window.unwrap_or((80, 24));
        let mode = TerminalMode::Interactive { tty: TTY.to_owned(), window, env };
        let mut terminal = Terminal::new(self.contact.clone(), account, mode).over_telnet(options);
        terminal.open(stage).await;
        self.phase = Phase::Shell(Box::new(terminal));
    }

    pub(super) fn hang_up(&mut self, stage: &Stage) {
        self.options.note_refusals(stage);
        self.note_lone_name(stage);
        self.phase = Phase::Over;
        stage.hang_up();
    }

    /// A name without a password, and a line that was never finished, are in no login event.
    fn note_lone_name(&mut self, stage: &Stage) {
        if let Phase::Password(name) = &self.phase {
            stage.note(EventKind::command_input(name));
        }
        if !self.raw.is_empty() {
            stage.note(EventKind::command_input(&self.raw));
        }
        self.raw.clear();
        self.line.clear();
    }
}

/// How wide a key was shown.
fn columns(key: u8) -> usize {
    if key < 0x20 { 2 } else { 1 }
}

/// How the terminal shows a key (stty(1): `echo`, `echoctl`), as telnetd sends it.
fn shown(key: u8) -> Vec<u8> {
    match key {
        b'\r' | b'\n' => vec![b'\r', b'\n'],
        0..=0x1f if key != b'\t' => vec![b'^', key + 0x40],
        255 => vec![255, 255],
        _ => vec![key],
    }
}
