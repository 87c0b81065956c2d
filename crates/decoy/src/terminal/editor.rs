//! The line that is being typed: readline as bash 5.2 uses it, as far as a visitor can see it.

use std::collections::VecDeque;

use super::{
    screen::{Screen, character_length},
    search::Past,
};

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

/// What ^R looks for.
#[derive(Default)]
struct Search {
    needle: Vec<u8>,
    /// How many lines ago the shown one was typed, 0 for none.
    back: usize,
    failed: bool,
    /// The line that was left for the search.
    before: (Vec<u8>, usize),
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

    fn remember_state(&mut self) {
        if self.undo.len() == MOST_UNDONE {
            self.undo.remove(0);
        }
        self.undo.push((self.line.clone(), self.cursor));
    }

    fn undo(&mut self, out: &mut Vec<u8>) {
        match self.undo.pop() {
            Some((line, cursor)) => {
                (self.line, self.cursor) = (line, cursor);
                self.show(out);
            }
            None => out.push(0x07),
        }
    }

    fn insert(&mut self, text: &[u8], out: &mut Vec<u8>) -> Press {
        let room = self.limit.saturating_sub(self.line.len()).min(text.len());
        let text_in = text.get(..room).unwrap_or_default();
        self.line.splice(self.cursor..self.cursor, text_in.iter().copied());
        self.cursor += room;
        if room > 0 {
            self.show(out);
        }
        if room < text.len() && !std::mem::replace(&mut self.full, true) {
            Press::Full
        } else {
            Press::Nothing
        }
    }

    fn left(&mut self, out: &mut Vec<u8>) {
        if self.cursor == 0 {
            return out.push(0x07);
        }
        self.move_to(self.before_cursor(), out);
    }

    fn right(&mut self, out: &mut Vec<u8>) {
        if self.cursor == self.line.len() {
            return out.push(0x07);
        }
        self.move_to(self.after_cursor(), out);
    }

    /// Where the character before the cursor begins.
    fn before_cursor(&self) -> usize {
        let front = self.line.get(..self.cursor).unwrap_or_default();
        front.iter().rposition(|&byte| !is_continuation(byte)).unwrap_or(0)
    }

    /// Where the character under the cursor ends.
    fn after_cursor(&self) -> usize {
        let first = self.line.get(self.cursor).copied().unwrap_or_default();
        (self.cursor + character_length(first)).min(self.line.len())
    }

    fn move_to(&mut self, to: usize, out: &mut Vec<u8>) {
        self.cursor = to;
        self.show(out);
    }

    /// Where the word before the cursor begins.
    fn word_start(&self, is_part: fn(&u8) -> bool) -> usize {
        let front = self.line.get(..self.cursor).unwrap_or_default();
        let end = front.iter().rposition(is_part).map_or(0, |at| at + 1);
        let word = front.get(..end).unwrap_or_default();
        word.iter().rposition(|byte| !is_part(byte)).map_or(0, |at| at + 1)
    }

    /// Where the word behind the cursor ends.
    fn word_end(&self) -> usize {
        let rest = self.line.get(self.cursor..).unwrap_or_default();
        let start = rest.iter().position(is_letter).unwrap_or(rest.len());
        let word = rest.get(start..).unwrap_or_default();
        self.cursor + start + word.iter().position(|byte| !is_letter(byte)).unwrap_or(word.len())
    }

    fn backspace(&mut self, out: &mut Vec<u8>) {
        if self.cursor == 0 {
            return out.push(0x07);
        }
        if self.cursor == self.line.len() && self.screen.rub_out(out) {
            self.remember_state();
            self.line.pop();
            self.cursor = self.line.len();
            return;
        }
        self.replace(self.before_cursor(), self.cursor, &[], out);
    }

    /// Puts `text` in the place of a part of the line and leaves the cursor behind it.
    pub fn replace(&mut self, from: usize, to: usize, text: &[u8], out: &mut Vec<u8>) {
        let to = to.min(self.line.len());
        if from > to || from == to && text.is_empty() {
            return;
        }
        self.remember_state();
        self.line.splice(from..to, text.iter().copied());
        self.cursor = from + text.len();
        self.show(out);
    }

    fn kill(&mut self, from: usize, to: usize, again: bool, out: &mut Vec<u8>) {
        let gone = self.line.get(from..to).unwrap_or_default().to_vec();
        self.kills = true;
        match (again, to == self.cursor && from < self.cursor) {
            (false, _) if gone.is_empty() => {}
            (false, _) => self.killed = gone,
            (true, true) => self.killed = [gone, std::mem::take(&mut self.killed)].concat(),
            (true, false) => self.killed.extend(gone),
        }
        self.killed.truncate(self.limit);
        self.replace(from, to, &[], out);
    }

    fn yank(&mut self, out: &mut Vec<u8>) {
        if self.killed.is_empty() || self.line.len() + self.killed.len() > self.limit {
            return out.push(0x07);
        }
        let text = self.killed.clone();
        self.replace(self.cursor, self.cursor, &text, out);
    }

    /// ^T: the character before the cursor goes behind the one under it.
    fn transpose(&mut self, out: &mut Vec<u8>) {
        if self.cursor == 0 || self.line.len() < 2 {
            return out.push(0x07);
        }
        if self.cursor == self.line.len() {
            self.cursor = self.before_cursor();
        }
        let (from, middle, to) = (self.before_cursor(), self.cursor, self.after_cursor());
        let part = |from, to| self.line.get(from..to).unwrap_or_default();
        let swapped = [part(middle, to), part(from, middle)].concat();
        self.replace(from, to, &swapped, out);
    }

    /// Alt-u, Alt-l and Alt-c: the word behind the cursor in other letters.
    fn recase(&mut self, how: u8, out: &mut Vec<u8>) {
        let (from, to) = (self.cursor, self.word_end());
        let mut word = self.line.get(from..to).unwrap_or_default().to_vec();
        let first = word.iter().position(is_letter).unwrap_or(0);
        for (at, byte) in word.iter_mut().enumerate() {
            *byte = match how {
                b'u' => byte.to_ascii_uppercase(),
                b'c' if at == first => byte.to_ascii_uppercase(),
                _ => byte.to_ascii_lowercase(),
            };
        }
        self.replace(from, to, &word, out);
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

    /// A key while ^R searches; `None` when it ends the search and means what it always means.
    fn search_key(&mut self, key: u8, out: &mut Vec<u8>) -> Option<Press> {
        let search = self.search.as_mut()?;
        let from = match key {
            0x12 => search.back + 1,
            0x08 | 0x7f => {
                search.needle.pop();
                1
            }
            0x07 => {
                (self.line, self.cursor) = std::mem::take(&mut search.before);
                (self.search, self.marked) = (None, None);
                self.show(out);
                return Some(Press::Nothing);
            }
            0x20.. => {
                if search.needle.len() < LONGEST_ESCAPE * 8 {
                    search.needle.push(key);
                }
                search.back
            }
            _ => {
                self.back = search.back;
                (self.search, self.marked) = (None, None);
                self.show(out);
                // A lone escape ends the search and no more.
                return None;
            }
        };
        let found = self.past.find(&search.needle, from);
        search.failed = found.is_none() && !search.needle.is_empty();
        match found {
            Some((back, at)) => {
                search.back = back;
                let needle = search.needle.len();
                self.line = self.past.back(back).unwrap_or_default().to_vec();
                self.cursor = at;
                self.marked = Some((at, at + needle));
            }
            None if search.failed => {
                out.push(0x07);
                self.marked = None;
            }
            None => {}
        }
        self.show(out);
        Some(Press::Nothing)
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

fn last_word(line: &[u8]) -> Option<Vec<u8>> {
    line.rsplit(u8::is_ascii_whitespace).find(|word| !word.is_empty()).map(<[u8]>::to_vec)
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// What Alt-b and Alt-f take for a part of a word.
fn is_letter(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte >= 0x80
}

#[cfg(test)]
mod tests;
