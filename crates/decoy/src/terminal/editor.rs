//! The line that is being typed: readline as bash 5.2 uses it, as far as a visitor can see it.

mod edits;
mod searching;

use std::collections::VecDeque;

use super::{screen::Screen, search::Past};
use edits::{is_letter, last_word};
use searching::Search;

/// An escape sequence longer than this is none.
const LONGEST_ESCAPE: usize = 16;
/// How many changes of a line can be undone.
const MOST_UNDONE: usize = 64;

/// What a key brought about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Press {
    /// The line goes on.
    Nothing,
    /// The line is finished.
    Entered(Vec<u8>),
    /// ^C
    Interrupt,
    /// ^D on an empty line.
    End,
    /// ^I: the word before the cursor shall be completed.
    Complete,
    /// The line is as long as it may be; reported once a line.
    Full,
}

/// One line under way, and those before it.
pub(super) struct Editor {
    line: Vec<u8>,
    cursor: usize,
    limit: usize,
    full: bool,
    after_return: bool,
    escape: Vec<u8>,
    /// The next key stands for itself (^V).
    quoted: bool,
    /// Between the marks of a paste.
    pasting: Option<Vec<u8>>,
    /// What was just pasted or found stands out.
    marked: Option<(usize, usize)>,
    killed: Vec<u8>,
    kills: bool,
    undo: Vec<(Vec<u8>, usize)>,
    types: bool,
    /// ^I did nothing the last time: now the possibilities are listed.
    pub(super) tabbed: bool,
    past: Past,
    /// How far back in the history, and the line that was left for it.
    back: usize,
    draft: Vec<u8>,
    search: Option<Search>,
    able: bool,
    screen: Screen,
    prompt: String,
}

impl Editor {
    /// Lines of at most `limit` bytes; `able` for any terminal but a dumb one.
    pub fn new(limit: usize, able: bool) -> Self {
        Self {
            line: Vec::new(),
            cursor: 0,
            limit,
            full: false,
            after_return: false,
            escape: Vec::new(),
            quoted: false,
            pasting: None,
            marked: None,
            killed: Vec::new(),
            kills: false,
            undo: Vec::new(),
            types: false,
            tabbed: false,
            past: Past::default(),
            back: 0,
            draft: Vec::new(),
            search: None,
            able,
            screen: Screen::new(able),
            prompt: String::new(),
        }
    }

    /// The window is this wide.
    pub fn set_columns(&mut self, columns: u16) {
        self.screen.set_columns(columns);
    }

    /// There is no locale: each byte is a character.
    pub fn set_bytewise(&mut self) {
        self.screen.set_bytewise();
    }

    /// A prompt was just shown.
    pub fn begin(&mut self, prompt: String) {
        self.screen.begin(&prompt);
        self.prompt = prompt;
    }

    /// What is typed so far.
    pub fn line(&self) -> &[u8] {
        &self.line
    }

    /// Where in it the cursor is.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The lines before this one.
    pub fn past(&self) -> &Past {
        &self.past
    }

    /// Remembers a line as typed.
    pub fn remember(&mut self, line: &[u8]) {
        self.past.add(line);
    }

    /// One key, or several plain ones that came together; what the visitor sees goes to `out`.
    pub fn press(&mut self, keys: &mut VecDeque<u8>, out: &mut Vec<u8>) -> Press {
        let Some(key) = keys.pop_front() else { return Press::Nothing };
        let after_return = std::mem::replace(&mut self.after_return, key == b'\r');
        if self.pasting.is_some() {
            self.paste_key(key, out);
            return Press::Nothing;
        }
        if self.marked.take().is_some() && self.search.is_none() {
            self.show(out);
        }
        if std::mem::take(&mut self.quoted) {
            return self.insert(&[key], out);
        }
        if !self.escape.is_empty() {
            self.escape_key(key, out);
            return Press::Nothing;
        }
        if self.search.is_some()
            && let Some(press) = self.search_key(key, out)
        {
            return press;
        }
        let kills = std::mem::take(&mut self.kills);
        let types = std::mem::take(&mut self.types);
        let tabbed = std::mem::take(&mut self.tabbed);
        match key {
            // CR LF is one key for visitors whose lines end so.
            b'\n' if after_return => {}
            b'\r' | b'\n' => return Press::Entered(self.enter(out)),
            0x03 => {
                self.forget();
                return Press::Interrupt;
            }
            0x04 if self.line.is_empty() => return Press::End,
            0x04 if self.cursor == self.line.len() => out.push(0x07),
            0x04 => self.replace(self.cursor, self.after_cursor(), &[], out),
            0x01 => self.move_to(0, out),
            0x05 => self.move_to(self.line.len(), out),
            0x02 => self.left(out),
            0x06 => self.right(out),
            0x08 | 0x7f => self.backspace(out),
            0x09 => {
                self.tabbed = tabbed;
                return Press::Complete;
            }
            0x0b => self.kill(self.cursor, self.line.len(), kills, out),
            0x0c => self.clear_screen(out),
            0x0e => self.recall(false, out),
            0x10 => self.recall(true, out),
            0x12 => {
                self.search = Some(Search { before: (self.line.clone(), self.cursor), ..Search::default() });
                self.show(out);
            }
            0x14 => self.transpose(out),
            0x15 => self.kill(0, self.cursor, kills, out),
            0x16 => self.quoted = true,
            0x17 => self.kill(self.word_start(|byte| !byte.is_ascii_whitespace()), self.cursor, kills, out),
            0x19 => self.yank(out),
            0x1b => self.escape.push(key),
            0x1f => self.undo(out),
            0x07 => out.push(0x07),
            0..=0x1f => {}
            _ => {
                let mut text = vec![key];
                while let Some(next) = keys.front().copied().filter(|next| *next >= 0x20 && *next != 0x7f) {
                    text.push(next);
                    keys.pop_front();
                }
                if !types {
                    self.remember_state();
                }
                self.types = true;
                return self.insert(&text, out);
            }
        }
        Press::Nothing
    }

    fn forget(&mut self) {
        self.line.clear();
        self.undo.clear();
        self.search = None;
        self.marked = None;
        (self.cursor, self.back, self.full) = (0, 0, false);
    }

    fn enter(&mut self, out: &mut Vec<u8>) -> Vec<u8> {
        self.screen.finish(out);
        let line = std::mem::take(&mut self.line);
        self.forget();
        line
    }

    /// Shows the line as it is now.
    pub fn show(&mut self, out: &mut Vec<u8>) {
        let prompt = match &self.search {
            None => self.prompt.clone(),
            Some(search) => format!(
                "({}reverse-i-search)`{}': ",
                if search.failed { "failed " } else { "" },
                String::from_utf8_lossy(&search.needle)
            ),
        };
        self.screen.show(&prompt, &self.line, self.cursor, self.marked, out);
    }

    fn clear_screen(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.able { b"\x1b[H\x1b[2J" } else { b"\r\n" });
        self.show_again(out);
    }

    /// Shows prompt and line on a fresh row.
    pub fn show_again(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.prompt.as_bytes());
        self.screen.begin(&self.prompt);
        self.show(out);
    }

    /// One line back (or forth) in the history.
    fn recall(&mut self, back: bool, out: &mut Vec<u8>) {
        let to = if back { self.back + 1 } else { self.back.wrapping_sub(1) };
        if to > self.past.len() {
            return out.push(0x07);
        }
        if self.back == 0 {
            self.draft = self.line.clone();
        }
        self.back = to;
        self.line = match to {
            0 => std::mem::take(&mut self.draft),
            _ => self.past.back(to).unwrap_or_default().to_vec(),
        };
        self.undo.clear();
        self.move_to(self.line.len(), out);
    }

    fn paste_key(&mut self, key: u8, out: &mut Vec<u8>) {
        let limit = self.limit;
        let Some(text) = &mut self.pasting else { return };
        if text.len() < limit + 8 {
            text.push(if key == b'\r' { b'\n' } else { key });
        }
        let ends = text.ends_with(b"\x1b[201~");
        if !ends && text.len() < limit + 8 {
            return;
        }
        let mut text = self.pasting.take().unwrap_or_default();
        if ends {
            text.truncate(text.len() - 6);
        }
        self.remember_state();
        let from = self.cursor;
        self.marked = Some((from, from + text.len()));
        self.insert(&text, out);
    }

    fn escape_key(&mut self, key: u8, out: &mut Vec<u8>) {
        self.escape.push(key);
        let open = match self.escape.as_slice() {
            [_, b'[' | b'O'] => true,
            [_, b'[', .., last] => !(0x40..=0x7e).contains(last),
            _ => false,
        };
        if open && self.escape.len() < LONGEST_ESCAPE {
            return;
        }
        let escape = std::mem::take(&mut self.escape);
        let kills = std::mem::take(&mut self.kills);
        self.types = false;
        match escape.get(1..).unwrap_or_default() {
            b"[A" | b"OA" => self.recall(true, out),
            b"[B" | b"OB" => self.recall(false, out),
            b"[C" | b"OC" => self.right(out),
            b"[D" | b"OD" => self.left(out),
            b"[H" | b"OH" | b"[1~" | b"[7~" => self.move_to(0, out),
            b"[F" | b"OF" | b"[4~" | b"[8~" => self.move_to(self.line.len(), out),
            b"[3~" if self.cursor == self.line.len() => out.push(0x07),
            b"[3~" => self.replace(self.cursor, self.after_cursor(), &[], out),
            b"b" | b"B" | b"[1;5D" | b"[1;3D" | b"[5D" => self.move_to(self.word_start(is_letter), out),
            b"f" | b"F" | b"[1;5C" | b"[1;3C" | b"[5C" => self.move_to(self.word_end(), out),
            b"d" | b"D" | b"[3;5~" => self.kill(self.cursor, self.word_end(), kills, out),
            b"\x7f" | b"\x08" => self.kill(self.word_start(is_letter), self.cursor, kills, out),
            b"." | b"_" => match self.past.back(1).and_then(last_word) {
                Some(word) => self.replace(self.cursor, self.cursor, &word, out),
                None => out.push(0x07),
            },
            b"<" if self.past.len() > 0 => {
                self.back = self.past.len() - 1;
                self.recall(true, out);
            }
            b">" if self.back > 0 => {
                self.back = 1;
                self.recall(false, out);
            }
            [how @ (b'u' | b'l' | b'c')] => self.recase(*how, out),
            b"[200~" => self.pasting = Some(Vec::new()),
            // Everything else does nothing.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
