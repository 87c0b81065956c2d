//! What keys do to the line: moving, inserting, killing, taking back.

use super::super::screen::character_length;
use super::{Editor, MOST_UNDONE, Press};

impl Editor {
    pub(super) fn remember_state(&mut self) {
        if self.undo.len() == MOST_UNDONE {
            self.undo.remove(0);
        }
        self.undo.push((self.line.clone(), self.cursor));
    }

    pub(super) fn undo(&mut self, out: &mut Vec<u8>) {
        match self.undo.pop() {
            Some((line, cursor)) => {
                (self.line, self.cursor) = (line, cursor);
                self.show(out);
            }
            None => out.push(0x07),
        }
    }

    pub(super) fn insert(&mut self, text: &[u8], out: &mut Vec<u8>) -> Press {
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

    pub(super) fn left(&mut self, out: &mut Vec<u8>) {
        if self.cursor == 0 {
            return out.push(0x07);
        }
        self.move_to(self.before_cursor(), out);
    }

    pub(super) fn right(&mut self, out: &mut Vec<u8>) {
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
    pub(super) fn after_cursor(&self) -> usize {
        let first = self.line.get(self.cursor).copied().unwrap_or_default();
        (self.cursor + character_length(first)).min(self.line.len())
    }

    pub(super) fn move_to(&mut self, to: usize, out: &mut Vec<u8>) {
        self.cursor = to;
        self.show(out);
    }

    /// Where the word before the cursor begins.
    pub(super) fn word_start(&self, is_part: fn(&u8) -> bool) -> usize {
        let front = self.line.get(..self.cursor).unwrap_or_default();
        let end = front.iter().rposition(is_part).map_or(0, |at| at + 1);
        let word = front.get(..end).unwrap_or_default();
        word.iter().rposition(|byte| !is_part(byte)).map_or(0, |at| at + 1)
    }

    /// Where the word behind the cursor ends.
    pub(super) fn word_end(&self) -> usize {
        let rest = self.line.get(self.cursor..).unwrap_or_default();
        let start = rest.iter().position(is_letter).unwrap_or(rest.len());
        let word = rest.get(start..).unwrap_or_default();
        self.cursor + start + word.iter().position(|byte| !is_letter(byte)).unwrap_or(word.len())
    }

    pub(super) fn backspace(&mut self, out: &mut Vec<u8>) {
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

    pub(super) fn kill(&mut self, from: usize, to: usize, again: bool, out: &mut Vec<u8>) {
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

    pub(super) fn yank(&mut self, out: &mut Vec<u8>) {
        if self.killed.is_empty() || self.line.len() + self.killed.len() > self.limit {
            return out.push(0x07);
        }
        let text = self.killed.clone();
        self.replace(self.cursor, self.cursor, &text, out);
    }

    /// ^T: the character before the cursor goes behind the one under it.
    pub(super) fn transpose(&mut self, out: &mut Vec<u8>) {
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
    pub(super) fn recase(&mut self, how: u8, out: &mut Vec<u8>) {
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
}

pub(super) fn last_word(line: &[u8]) -> Option<Vec<u8>> {
    line.rsplit(u8::is_ascii_whitespace).find(|word| !word.is_empty()).map(<[u8]>::to_vec)
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// What Alt-b and Alt-f take for a part of a word.
pub(super) fn is_letter(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte >= 0x80
}
