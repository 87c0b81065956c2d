//! One command while it runs: its output streams, keys reach it, ^C ends it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use wire::EventKind;

use crate::{
    dialogue::{Stage, TYPE_AHEAD},
    memory::{self, Holding, Parcel},
    shell::{
        Finished,
        io::{Input, Out, Output},
    },
    telnet::Options,
};

use super::cooked::Cooked;
use super::{Terminal, TerminalMode, encode};

/// The most keys that a program is given before it asks for more.
const LENT: usize = 4 * 1024;

/// Takes the Telnet coding off, where there is one.
pub(super) fn decode(telnet: &mut Option<Box<Options>>, bytes: &[u8], stage: &Stage) -> Vec<u8> {
    match telnet {
        Some(options) => options.decode(bytes, stage),
        None => bytes.to_vec(),
    }
}

impl Terminal {
    /// Runs the construct that was typed, with whatever was typed behind it as its input.
    pub(super) async fn run_typed(&mut self, stage: &Stage) {
        let command = std::mem::take(&mut self.typed);
        if command.trim().is_empty() {
            if let Some(shell) = &self.shell {
                shell.empty_line();
            }
            return;
        }
        let mut stopped = false;
        let telnet = self.telnet.is_some();
        let piped = self.is_piped();
        // `logout` leaves without a word (logout.def of bash 5.2), and nobody says it in its place.
        let parted = Arc::new(AtomicBool::new(false));
        let silent = command.trim() == "logout";
        let output: Output = {
            let (stage, parted) = (stage.clone(), Arc::clone(&parted));
            Arc::new(move |out, bytes: &[u8]| match out {
                _ if !piped => {
                    parted.store(bytes.ends_with(b"logout\n"), Ordering::Relaxed);
                    stage.say(encode(telnet, &with_returns(bytes)));
                }
                Out::Stdout => stage.say(bytes.to_vec()),
                Out::Stderr => stage.say_error(bytes.to_vec()),
            })
        };
        let input = Input::default();
        let mut cooked = Cooked::default();
        self.lend(&mut cooked, &input);
        if piped && stage.typing_ended() && self.keys.is_empty() {
            input.end();
        }
        let Some(mut shell) = self.shell.take() else { return };
        let finished = {
            // On the heap: visits that run nothing need not be as large as a shell.
            let mut run = Box::pin(shell.run(&command, &output, &input));
            let mut open = true;
            loop {
                tokio::select! {
                    biased;
                    finished = &mut run => break Some(finished),
                    () = awaited(&input), if !self.keys.is_empty() => {
                        match self.keys.front() {
                            Some(_) if input.is_raw() => {
                                let keys: Vec<u8> = self.keys.drain(..).collect();
                                input.push(&keys, TYPE_AHEAD);
                            }
                            Some(&key @ (0x03 | 0x1a)) if !piped => {
                                self.keys.pop_front();
                                stopped = key == 0x1a;
                                break None;
                            }
                            Some(0x04) if !piped => {
                                self.keys.pop_front();
                                cooked.press(b"\x04", &input, &mut None);
                            }
                            _ => self.lend(&mut cooked, &input),
                        }
                        if !open && self.keys.is_empty() {
                            input.end();
                        }
                    }
                    typed = stage.typed(), if open => match typed {
                        None => {
                            open = false;
                            if self.keys.is_empty() {
                                input.end();
                            }
                        }
                        Some(bytes) if piped => {
                            if self.keys.is_empty() {
                                cooked.pass(&bytes, &input);
                            } else {
                                cooked.queue(&bytes, &mut self.keys);
                            }
                            cooked.note_lost(stage);
                            cooked.note_read(&input, stage);
                            stage.room().await;
                        }
                        Some(bytes) => {
                            let keys = decode(&mut self.telnet, &bytes, stage);
                            if let Some((columns, rows)) = self.telnet.as_mut().and_then(|options| options.take_window()) {
                                self.window.resize(columns, rows);
                            }
                            if input.is_raw() {
                                // The program looks at each key itself and draws what it likes.
                                input.push(&keys, TYPE_AHEAD);
                                stage.room().await;
                                continue;
                            }
                            let end = memchr::memchr2(0x03, 0x1a, &keys);
                            stopped = end.is_some_and(|at| keys.get(at) == Some(&0x1a));
                            let (now, later) = match end {
                                Some(at) => (keys.get(..at).unwrap_or_default(), keys.get(at + 1..)),
                                None => (keys.as_slice(), None),
                            };
                            let mut echo = input.echo().then(Vec::new);
                            if self.keys.is_empty() {
                                cooked.press(now, &input, &mut echo);
                            } else {
                                cooked.queue(now, &mut self.keys);
                            }
                            cooked.note_lost(stage);
                            cooked.note_read(&input, stage);
                            stage.say(encode(telnet, &echo.unwrap_or_default()));
                            stage.room().await;
                            if let Some(later) = later {
                                // What was typed before a ^C goes with it.
                                let gone = self.keys.drain(..).map(|key| if key == b'\r' { b'\n' } else { key });
                                cooked.line.extend(gone);
                                self.keys.extend(later);
                                break None;
                            }
                        }
                    },
                }
            }
        };
        self.shell = Some(shell);
        self.apply_window();
        let mut unread = input.take();
        for line in cooked.read_lines(unread.len()) {
            stage.note(EventKind::command_input(line));
        }
        cooked.note_lost(stage);
        unread.append(&mut cooked.line);
        match finished {
            Some(finished) => {
                for key in unread.into_iter().rev() {
                    self.keys.push_front(key);
                }
                // A login shell says "logout" itself, unless it ended in a way that it does not see.
                if finished.exited && !piped && !silent && !parted.load(Ordering::Relaxed) {
                    self.show(stage, b"logout\r\n");
                }
                self.conclude(finished, stage);
            }
            None => {
                // The keys before a ^C are thrown away with it (termios(3), NOFLSH); none of them ran.
                for line in unread.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
                    stage.note(EventKind::command_input(line));
                }
                self.status = if stopped { 148 } else { 130 };
                let mut out = Vec::new();
                self.data_mark(stage, &mut out);
                let told =
                    if stopped { self.shell.as_mut().and_then(|shell| shell.stop(&command)) } else { None };
                match told {
                    Some(told) => {
                        out.extend_from_slice(b"^Z\r\n");
                        out.extend(with_returns(told.as_bytes()));
                    }
                    None => {
                        let words = self.shell.as_mut().map(super::Shell::interrupted).unwrap_or_default();
                        // What begins with an empty line begins behind the ^C.
                        out.extend_from_slice(if words.starts_with('\n') { b"^C" } else { b"^C\r\n" });
                        out.extend(with_returns(words.as_bytes()));
                    }
                }
                self.show(stage, &out);
            }
        }
    }

    /// Gives the program some of the keys that are here already, up to a ^C or ^D: those wait for who they meet. What
    /// it leaves comes back, so it is given little at a time.
    fn lend(&mut self, cooked: &mut Cooked, input: &Input) {
        let piped = self.is_piped();
        let waits = |key: &u8| !piped && matches!(key, 0x03 | 0x04 | 0x1a);
        let count = self.keys.iter().take(LENT).take_while(|key| !waits(key)).count();
        let ahead: Vec<u8> = self.keys.drain(..count).collect();
        if piped {
            cooked.pass(&ahead, input);
        } else {
            cooked.press(&ahead, input, &mut None);
        }
    }

    fn conclude(&mut self, finished: Finished, stage: &Stage) {
        for name in &finished.not_found {
            stage.note(EventKind::command_failed(name.as_bytes()));
        }
        self.status = finished.status;
        if finished.exited {
            self.finish(stage);
        } else if self.contact.visitor.is_going_down() {
            self.go_down(stage);
        }
    }

    /// The one command of an exec request. What the visitor sends meanwhile is its standard input.
    pub(super) async fn exec(&mut self, command: &[u8], stage: &Stage) {
        stage.note(EventKind::command_input(command));
        let command = &*String::from_utf8_lossy(command);
        let on_terminal = matches!(self.mode, TerminalMode::Exec { terminal: Some(_), .. });
        let output: Output = {
            let stage = stage.clone();
            Arc::new(move |out, bytes: &[u8]| match out {
                // A terminal knows one stream only.
                _ if on_terminal => stage.say(with_returns(bytes)),
                Out::Stdout => stage.say(bytes.to_vec()),
                Out::Stderr => stage.say_error(bytes.to_vec()),
            })
        };
        let limit = self.contact.limits.upload_bytes;
        let input = Input::default();
        let mut kept = Parcel::new(self.contact.visitor.uploads());
        // What the program has not read yet lies there a second time.
        let mut unread = Holding::new(self.contact.visitor.uploads());
        let (mut truncated, mut starved) = (false, false);
        let Some(mut shell) = self.shell.take() else { return };
        let finished = {
            let mut run = Box::pin(shell.run(command, &output, &input));
            let mut open = true;
            loop {
                tokio::select! {
                    biased;
                    finished = &mut run => break finished,
                    typed = stage.typed(), if open => match typed {
                        None => {
                            open = false;
                            input.end();
                        }
                        Some(bytes) => {
                            let room = limit.saturating_sub(kept.len());
                            truncated |= bytes.len() > room;
                            let bytes = bytes.get(..room).unwrap_or(&bytes);
                            if starved || !unread.reach(input.waiting() + bytes.len()) || !kept.add(bytes) {
                                // The program finds the end of its input, as on a line that broke.
                                starved = true;
                                input.end();
                                continue;
                            }
                            input.push(bytes, limit);
                        }
                    },
                }
            }
        };
        self.shell = Some(shell);
        self.keep_input(kept, truncated, starved, stage);
        self.conclude(finished, stage);
        self.finish(stage);
    }

    /// A file is often brought as the standard input of `cat > file`.
    fn keep_input(&self, kept: Parcel, truncated: bool, starved: bool, stage: &Stage) {
        let size = kept.len() as u64;
        if starved {
            stage.note(EventKind::LimitHit { limit: memory::LIMIT.into(), value: size });
        }
        if kept.is_empty() {
            return;
        }
        if truncated {
            stage.note(EventKind::LimitHit { limit: "upload_bytes".into(), value: size });
        }
        let shasum = stage.keep(kept.into_bytes());
        stage.note(EventKind::FileUpload {
            filename: "stdin".to_owned(),
            outfile: format!("artifacts/{shasum}"),
            shasum,
            destfile: String::new(),
            size,
            duplicate: false,
            truncated: truncated || starved,
        });
    }

    /// Tells the shell of a window that changed while it was busy (Telnet NAWS).
    pub(super) fn apply_window(&mut self) {
        if let Some((columns, rows)) = self.telnet.as_mut().and_then(|options| options.take_window()) {
            self.window.resize(columns, rows);
        }
    }
}

/// Ready when the program waits for keys and there are none.
async fn awaited(input: &Input) {
    std::future::poll_fn(|_| if input.is_awaited() { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// LF becomes CR LF (termios(3), ONLCR).
pub(super) fn with_returns(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 16 + 8);
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => {
                out.extend_from_slice(line);
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}
