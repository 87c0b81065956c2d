//! The terminal that Telnet and SSH share: line discipline, prompt, and one command at a time through the shell.

mod cooked;
mod editor;
mod greeting;
mod piped;
mod possibilities;
mod running;
mod screen;
mod search;
mod starting;

use std::{collections::VecDeque, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use wire::EventKind;

use crate::{
    dialogue::{Contact, Dialogue, Stage, Turn},
    machine::Account,
    shell::{Shell, Window},
    telnet::Options,
};
use editor::{Editor, Press};
pub(crate) use greeting::{Greeter, greeting};
use running::with_returns;
use starting::find;

/// What the terminal shows is sent when it is this much, however much more was typed.
const LARGEST_PIECE: usize = 64 * 1024;
/// How long a job in the background takes until it says something.
const STARTING: Duration = Duration::from_millis(5);
/// The most bytes of a construct that goes over several lines.
const LONGEST_CONSTRUCT: usize = 64 * 1024;

/// What the terminal is for.
#[derive(Clone, Debug)]
pub enum TerminalMode {
    /// A login shell on a terminal.
    Interactive {
        /// `pts/0`
        tty: String,
        /// Columns and rows.
        window: (u16, u16),
        /// What the client sent; `TERM` among it.
        env: Vec<(String, String)>,
    },
    /// One command, without a terminal or on one.
    Exec {
        /// As the client sent it.
        command: Vec<u8>,
        /// `pts/0`, and its columns and rows, when the client asked for a terminal.
        terminal: Option<(String, (u16, u16))>,
        /// What the client sent.
        env: Vec<(String, String)>,
    },
    /// A shell without a terminal, as `ssh -T` asks for: it reads its commands from the line, shows no prompt and
    /// echoes nothing.
    Piped {
        /// What the client sent.
        env: Vec<(String, String)>,
    },
}

/// One login on the machine.
pub struct Terminal {
    contact: Contact,
    account: Account,
    mode: TerminalMode,
    shell: Option<Shell>,
    window: Window,
    editor: Editor,
    /// Keys that arrived and were not yet looked at.
    keys: VecDeque<u8>,
    /// Lines of a construct that is not finished.
    typed: String,
    /// The list that the visitor is asked about.
    asked: Option<String>,
    /// bash turns bracketed paste on.
    brackets: bool,
    greeter: Option<Greeter>,
    telnet: Option<Box<Options>>,
    status: i32,
    over: bool,
    /// What jobs in the background said while their line ran.
    late: Vec<u8>,
}

impl Terminal {
    /// A terminal for somebody whom sshd let in.
    pub fn new(contact: Contact, account: Account, mode: TerminalMode) -> Self {
        let (window, term) = match &mode {
            TerminalMode::Interactive { window, env, .. } => (*window, find(env, "TERM")),
            TerminalMode::Exec { terminal: Some((_, window)), .. } => (*window, ""),
            TerminalMode::Exec { terminal: None, .. } | TerminalMode::Piped { .. } => ((80, 24), ""),
        };
        let brackets = !matches!(term, "" | "dumb" | "network" | "unknown");
        let mut editor = Editor::new(contact.limits.line_bytes, brackets);
        editor.set_columns(window.0);
        let window = Window::new(window.0, window.1);
        Self {
            contact,
            account,
            mode,
            shell: None,
            window,
            editor,
            keys: VecDeque::new(),
            typed: String::new(),
            asked: None,
            brackets,
            greeter: Some(Greeter::Sshd),
            telnet: None,
            status: 0,
            over: false,
            late: Vec::new(),
        }
    }

    /// For Telnet: login(1) has greeted already, and what goes over the line is coded by `options`.
    pub(crate) fn over_telnet(mut self, options: Box<Options>) -> Self {
        self.greeter = None;
        self.telnet = Some(options);
        // login(1) hands on no locale.
        self.editor.set_bytewise();
        self
    }

    /// The visitor's window: whoever holds the line tells it when its size changes.
    pub fn window(&self) -> Window {
        self.window.clone()
    }

    /// Keys that no line coding is on any more.
    pub(crate) async fn hear_keys(&mut self, keys: Vec<u8>, stage: &Stage) {
        self.keys.extend(keys);
        self.work(stage).await;
    }

    /// Sends what a terminal shows.
    fn show(&self, stage: &Stage, bytes: &[u8]) {
        if !bytes.is_empty() {
            stage.say(encode(self.telnet.is_some(), bytes));
        }
    }

    fn prompt(&mut self, out: &mut Vec<u8>) {
        if let Some(shell) = self.shell.as_ref().filter(|_| self.typed.is_empty()) {
            out.extend(with_returns(&shell.news()));
        }
        if self.brackets {
            out.extend_from_slice(b"\x1b[?2004h");
        }
        let prompt = match &self.shell {
            Some(shell) if self.typed.is_empty() => shell.prompt(),
            Some(shell) => shell.second_prompt().to_owned(),
            None => "> ".to_owned(),
        };
        if let Some(shell) = self.shell.as_ref().filter(|_| self.typed.is_empty()) {
            self.late = with_returns(&shell.late());
        }
        out.extend_from_slice(prompt.replace('\n', "\r\n").as_bytes());
        self.editor.begin(prompt.rsplit('\n').next().unwrap_or_default().to_owned());
    }

    /// What jobs say comes behind the prompt.
    fn show_late(&mut self, stage: &Stage, out: &mut Vec<u8>) {
        if !self.late.is_empty() {
            self.show(stage, &std::mem::take(out));
            stage.pause(STARTING);
            out.append(&mut self.late);
        }
    }

    fn leave_line(&self, out: &mut Vec<u8>) {
        if self.brackets {
            out.extend_from_slice(b"\x1b[?2004l\r");
        }
    }

    /// Works through the keys that are there.
    async fn work(&mut self, stage: &Stage) {
        let mut out = Vec::new();
        self.editor.set_columns(self.window.size().0);
        while !self.keys.is_empty() {
            if let Some(listed) = self.asked.take() {
                let key = self.keys.pop_front().unwrap_or_default();
                self.answer(key, listed, &mut out);
                continue;
            }
            let press = self.editor.press(&mut self.keys, &mut out);
            let ran = matches!(press, Press::End | Press::Entered(_));
            match press {
                Press::Nothing => {}
                Press::Complete => self.complete(&mut out),
                Press::Full => {
                    let value = self.contact.limits.line_bytes as u64;
                    stage.note(EventKind::LimitHit { limit: "line_bytes".into(), value });
                }
                Press::Interrupt => {
                    self.typed.clear();
                    self.status = 130;
                    self.data_mark(stage, &mut out);
                    out.extend_from_slice(b"^C");
                    if self.brackets {
                        out.extend_from_slice(b"\x1b[?2004l\r\x1b[?2004h\x1b[?2004l\r");
                    }
                    out.extend_from_slice(b"\r\n");
                    self.prompt(&mut out);
                }
                Press::End if self.typed.is_empty() => {
                    self.leave_line(&mut out);
                    out.extend_from_slice(b"\r\n");
                    self.show(stage, &std::mem::take(&mut out));
                    // To the shell the end of its input is `exit`: it leaves an inner shell, or the session.
                    self.typed.push_str("exit");
                    self.run_typed(stage).await;
                    if !self.over {
                        self.prompt(&mut out);
                    }
                }
                Press::End => {
                    self.leave_line(&mut out);
                    self.show(stage, &std::mem::take(&mut out));
                    self.run_typed(stage).await;
                    self.prompt(&mut out);
                }
                Press::Entered(line) => {
                    self.leave_line(&mut out);
                    // Noted as it was typed: what `!!` stands for is noted above it.
                    stage.note(EventKind::command_input(&line));
                    let line = self.expanded(line, &mut out);
                    self.show(stage, &std::mem::take(&mut out));
                    if let Some(line) = line {
                        self.enter(&line, stage).await;
                    }
                    if !self.over {
                        self.prompt(&mut out);
                        self.show_late(stage, &mut out);
                    }
                }
            }
            if self.over {
                break;
            }
            if ran || out.len() > LARGEST_PIECE {
                self.show(stage, &std::mem::take(&mut out));
                stage.room().await;
            }
        }
        if self.over {
            self.note_rest(stage).await;
        } else {
            self.show(stage, &out);
        }
    }

    /// A line with `!!` and the like replaced, as it was typed before; `None` when it names a line that is not there.
    fn expanded(&mut self, line: Vec<u8>, out: &mut Vec<u8>) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(&line).ok();
        let expanded = text.and_then(|text| self.editor.past().expand(text));
        let line = match expanded {
            None => line,
            Some(Ok(text)) => {
                out.extend_from_slice(text.as_bytes());
                out.extend_from_slice(b"\r\n");
                text.into_bytes()
            }
            Some(Err(fault)) => {
                let name = self.shell.as_ref().map(Shell::name).unwrap_or_default();
                out.extend_from_slice(format!("{name}: {fault}\r\n").as_bytes());
                return None;
            }
        };
        self.editor.remember(&line);
        Some(line)
    }

    /// One line, which is noted already: run unless more is wanted.
    async fn enter(&mut self, line: &[u8], stage: &Stage) {
        if !self.typed.is_empty() {
            self.typed.push('\n');
        }
        self.typed.push_str(&String::from_utf8_lossy(line));
        if self.typed.len() > LONGEST_CONSTRUCT {
            let value = self.typed.len() as u64;
            stage.note(EventKind::LimitHit { limit: "line_bytes".into(), value });
        } else if !self.typed.trim().is_empty()
            && self.shell.as_ref().is_some_and(|shell| shell.wants_more(&self.typed))
        {
            return;
        }
        self.run_typed(stage).await;
    }

    /// The machine goes down. sshd's connections break; what telnetd serves is ended here.
    fn go_down(&mut self, stage: &Stage) {
        if self.telnet.is_some() && !std::mem::replace(&mut self.over, true) {
            stage.push(Turn::Pause(crate::machine::SHUTDOWN));
            stage.hang_up();
        }
    }

    fn finish(&mut self, stage: &Stage) {
        if !std::mem::replace(&mut self.over, true) {
            let signal = self.shell.as_ref().and_then(Shell::killed_by);
            let status = u32::try_from(self.status).unwrap_or(255);
            stage.push(Turn::HangUp(signal.map_or(status, |signal| Turn::KILLED + u32::from(signal))));
        }
    }

    /// telnetd drops its output on ^C and marks the place (RFC 854, "synch").
    fn data_mark(&self, stage: &Stage, out: &mut Vec<u8>) {
        if self.telnet.is_some() {
            out.clear();
            stage.say(&b"\xff\xf2"[..]);
        }
    }

    /// Lines that came after the end: nobody runs them, but they were sent.
    async fn note_rest(&mut self, stage: &Stage) {
        let rest: Vec<u8> = self.keys.drain(..).collect();
        for line in rest.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_empty()) {
            stage.note(EventKind::command_input(line));
            stage.room().await;
        }
    }
}

#[async_trait]
impl Dialogue for Terminal {
    async fn open(&mut self, stage: &Stage) {
        let command = match &self.mode {
            TerminalMode::Exec { command, .. } => Some(command.clone()),
            TerminalMode::Interactive { tty, .. } => {
                // Whoever holds the line records from here on, and names the recording.
                stage.note(EventKind::LogOpen { ttylog: String::new() });
                if let Some(greeter) = self.greeter.take() {
                    let text = greeting(&self.contact, &self.account, tty, greeter).replace('\n', "\r\n");
                    self.show(stage, text.as_bytes());
                }
                None
            }
            TerminalMode::Piped { .. } => None,
        };
        self.start_shell(stage);
        match command {
            Some(command) => self.exec(&command, stage).await,
            None if self.is_piped() => {}
            None => {
                let mut out = Vec::new();
                self.prompt(&mut out);
                self.show(stage, &out);
            }
        }
    }

    async fn hear(&mut self, bytes: &[u8], stage: &Stage) {
        if self.over || matches!(self.mode, TerminalMode::Exec { .. }) {
            return;
        }
        if self.is_piped() {
            self.hear_script(bytes, stage).await;
            return;
        }
        let keys = running::decode(&mut self.telnet, bytes, stage);
        self.apply_window();
        self.hear_keys(keys, stage).await;
    }

    async fn end(&mut self, stage: &Stage) {
        if self.is_piped() {
            self.end_script(stage).await;
        }
        let line = self.editor.line().to_vec();
        if !self.over && !line.is_empty() {
            // Never entered, so never run; but it was typed.
            stage.note(EventKind::command_input(&line));
        }
        self.finish(stage);
    }

    async fn timed_out(&mut self, stage: &Stage) {
        self.end(stage).await;
    }
}

/// What goes over the line for these bytes.
fn encode(telnet: bool, bytes: &[u8]) -> Bytes {
    if telnet { Options::encode(bytes) } else { Bytes::copy_from_slice(bytes) }
}

#[cfg(test)]
mod tests;
