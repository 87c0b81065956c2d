//! Keys that are pressed while a command runs: read by lines, echoed, kept for whoever reads.

use std::collections::VecDeque;

use wire::EventKind;

use crate::{
    dialogue::{Stage, TYPE_AHEAD},
    shell::io::Input,
};

/// Keys while a program runs: the kernel's own line editing (termios(3), ICANON).
#[derive(Default)]
pub(super) struct Cooked {
    pub(super) line: Vec<u8>,
    /// Everything that was given to the program, for the log.
    given: Vec<u8>,
    pub(super) after_return: bool,
    /// What found no room, for the log.
    lost: Vec<u8>,
}

impl Cooked {
    /// Lines that no program will read were sent all the same.
    pub(super) fn note_lost(&mut self, stage: &Stage) {
        let lost = std::mem::take(&mut self.lost);
        if lost.is_empty() {
            return;
        }
        for line in lost.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            stage.note(EventKind::command_input(line));
        }
        stage.note(EventKind::LimitHit { limit: "input_bytes".into(), value: TYPE_AHEAD as u64 });
    }

    /// Gives whole lines to the program; what the kernel shows goes to `echo` unless a secret is asked for.
    pub(super) fn press(&mut self, keys: &[u8], input: &Input, echo: &mut Option<Vec<u8>>) {
        let mut show = |bytes: &[u8]| {
            if let Some(echo) = echo {
                echo.extend_from_slice(bytes);
            }
        };
        for &key in keys {
            let after_return = std::mem::replace(&mut self.after_return, key == b'\r');
            match key {
                b'\n' if after_return => {}
                b'\r' | b'\n' => {
                    show(b"\r\n");
                    self.line.push(b'\n');
                    self.give(input);
                }
                0x08 | 0x7f if self.line.pop().is_none() => {}
                0x08 | 0x7f => show(b"\x08 \x08"),
                0x15 => {
                    for _ in self.line.drain(..) {
                        show(b"\x08 \x08");
                    }
                }
                0x04 if self.line.is_empty() => input.end_of_file(),
                0x04 => self.give(input),
                _ if self.line.len() < TYPE_AHEAD => {
                    self.line.push(key);
                    if key < 0x20 && key != b'\t' { show(&[b'^', key + 0x40]) } else { show(&[key]) }
                }
                _ => {}
            }
        }
    }

    /// Gives bytes to the program as they are, where there is no terminal.
    pub(super) fn pass(&mut self, bytes: &[u8], input: &Input) {
        let taken = input.push(bytes, 2 * TYPE_AHEAD);
        self.given.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        self.lost.extend_from_slice(bytes.get(taken..).unwrap_or_default());
    }

    /// Puts keys behind those that the program has not been given yet.
    pub(super) fn queue(&mut self, bytes: &[u8], keys: &mut VecDeque<u8>) {
        let room = (2 * TYPE_AHEAD).saturating_sub(keys.len()).min(bytes.len());
        keys.extend(bytes.get(..room).unwrap_or_default());
        self.lost.extend_from_slice(bytes.get(room..).unwrap_or_default());
    }

    fn give(&mut self, input: &Input) {
        let taken = input.push(&self.line, TYPE_AHEAD);
        self.given.extend_from_slice(self.line.get(..taken).unwrap_or_default());
        self.lost.extend_from_slice(self.line.get(taken..).unwrap_or_default());
        self.line.clear();
    }

    /// Notes whole lines that a program has read, once there are many: one that reads for ever must not fill memory.
    pub(super) fn note_read(&mut self, input: &Input, stage: &Stage) {
        if self.given.len() < 4 * TYPE_AHEAD {
            return;
        }
        let read = self.given.len().saturating_sub(input.waiting());
        let whole = self.given.get(..read).unwrap_or_default();
        // A line that has no end by now is told in pieces.
        let end = memchr::memrchr(b'\n', whole).map_or(read, |at| at + 1);
        let told: Vec<u8> = self.given.drain(..end).collect();
        for line in told.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            stage.note(EventKind::command_input(line));
        }
    }

    /// The lines that the program took.
    pub(super) fn read_lines(&self, unread: usize) -> Vec<&[u8]> {
        let read = self.given.get(..self.given.len().saturating_sub(unread)).unwrap_or_default();
        read.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect()
    }
}
