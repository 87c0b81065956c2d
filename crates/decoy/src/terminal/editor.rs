//! The line that is being typed: readline as bash 5.2 uses it, as far as a visitor can see it.

use std::collections::VecDeque;

/// The most lines that the arrow keys go back through.
const HISTORY: usize = 200;
/// The most bytes of them all.
const HISTORY_BYTES: usize = 64 * 1024;
/// An escape sequence longer than this is none.
const LONGEST_ESCAPE: usize = 16;

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
    /// ^L: the screen was cleared; prompt and line must be shown again.
    Redraw,
    /// The line is as long as it may be; reported once a line.
    Full,
}

/// One line under way, and those before it.
pub(super) struct Editor {
    line: Vec<u8>,
    cursor: usize,
    limit: usize,
    full: bool,
    /// The terminal can clear to the end of a line.
    clears: bool,
    after_return: bool,
    escape: Vec<u8>,
    history: VecDeque<Vec<u8>>,
    /// How far back in the history, and the line that was left for it.
    back: usize,
    draft: Vec<u8>,
}

impl Editor {
    /// Lines of at most `limit` bytes; `clears` for any terminal but a dumb one.
    pub fn new(limit: usize, clears: bool) -> Self {
        Self {
            line: Vec::new(),
            cursor: 0,
            limit,
            full: false,
            clears,
            after_return: false,
            escape: Vec::new(),
            history: VecDeque::new(),
            back: 0,
            draft: Vec::new(),
        }
    }

    /// What is typed so far, for showing it again.
    pub fn line(&self) -> &[u8] {
        &self.line
    }

    /// One key; what the visitor sees goes to `out`.
    pub fn press(&mut self, key: u8, out: &mut Vec<u8>) -> Press {
        let after_return = std::mem::replace(&mut self.after_return, key == b'\r');
        if !self.escape.is_empty() {
            self.escape_key(key, out);
            return Press::Nothing;
        }
        match key {
            // CR LF is one key for visitors whose lines end so.
            b'\n' if after_return => {}
            b'\r' | b'\n' => return Press::Entered(self.enter(out)),
            0x03 => {
                self.forget();
                return Press::Interrupt;
            }
            0x04 if self.line.is_empty() => return Press::End,
            0x04 => self.delete_forward(out),
            0x01 => self.move_to(0, out),
            0x05 => self.move_to(self.line.len(), out),
            0x02 => self.left(out),
            0x06 => self.right(out),
            0x08 | 0x7f => self.backspace(out),
            0x09 => out.push(0x07), // nothing to complete
            0x0b => self.replace(self.cursor, self.line.len(), &[], out),
            0x0c => {
                if self.clears {
                    out.extend_from_slice(b"\x1b[H\x1b[2J");
                } else {
                    out.extend_from_slice(b"\r\n");
                }
                return Press::Redraw;
            }
            0x0e => self.recall(false, out),
            0x10 => self.recall(true, out),
            0x15 => self.replace(0, self.cursor, &[], out),
            0x17 => self.replace(self.word_start(), self.cursor, &[], out),
            0x1b => self.escape.push(key),
            0..=0x1f => {}
            _ => return self.insert(key, out),
        }
        Press::Nothing
    }

    fn forget(&mut self) {
        self.line.clear();
        (self.cursor, self.back, self.full) = (0, 0, false);
    }

    fn enter(&mut self, out: &mut Vec<u8>) -> Vec<u8> {
        out.extend_from_slice(b"\r\n");
        let line = std::mem::take(&mut self.line);
        self.forget();
        if !line.trim_ascii().is_empty() && self.history.back() != Some(&line) {
            self.history.push_back(line.clone());
            let mut bytes: usize = self.history.iter().map(Vec::len).sum();
            while self.history.len() > HISTORY || bytes > HISTORY_BYTES {
                bytes -= self.history.pop_front().map_or(bytes, |line| line.len());
            }
        }
        line
    }

    fn insert(&mut self, key: u8, out: &mut Vec<u8>) -> Press {
        if self.line.len() >= self.limit {
            return if std::mem::replace(&mut self.full, true) { Press::Nothing } else { Press::Full };
        }
        self.line.insert(self.cursor, key);
        self.cursor += 1;
        out.push(key);
        let rest = self.line.get(self.cursor..).unwrap_or_default();
        out.extend_from_slice(rest);
        out.extend(std::iter::repeat_n(0x08, rest.len()));
        Press::Nothing
    }

    fn left(&mut self, out: &mut Vec<u8>) {
        self.move_to(self.before_cursor(), out);
    }

    fn right(&mut self, out: &mut Vec<u8>) {
        let rest = self.line.get(self.cursor + 1..).unwrap_or_default();
        let step = 1 + rest.iter().take_while(|&&byte| is_continuation(byte)).count();
        self.move_to((self.cursor + step).min(self.line.len()), out);
    }

    /// Where the character before the cursor begins.
    fn before_cursor(&self) -> usize {
        let front = self.line.get(..self.cursor).unwrap_or_default();
        front.iter().rposition(|&byte| !is_continuation(byte)).unwrap_or(0)
    }

    fn move_to(&mut self, to: usize, out: &mut Vec<u8>) {
        if to < self.cursor {
            out.extend(std::iter::repeat_n(0x08, self.cursor - to));
        } else {
            out.extend_from_slice(self.line.get(self.cursor..to).unwrap_or_default());
        }
        self.cursor = to;
    }

    fn word_start(&self) -> usize {
        let front = self.line.get(..self.cursor).unwrap_or_default();
        let word_end = front.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |at| at + 1);
        let word = front.get(..word_end).unwrap_or_default();
        word.iter().rposition(u8::is_ascii_whitespace).map_or(0, |at| at + 1)
    }

    fn backspace(&mut self, out: &mut Vec<u8>) {
        let start = self.before_cursor();
        if self.cursor == self.line.len() && self.cursor > start {
            self.line.truncate(start);
            self.cursor = start;
            out.extend_from_slice(b"\x08 \x08");
        } else {
            self.replace(start, self.cursor, &[], out);
        }
    }

    fn delete_forward(&mut self, out: &mut Vec<u8>) {
        let end = (self.cursor + 1).min(self.line.len());
        self.replace(self.cursor, end, &[], out);
    }

    /// Puts `text` in the place of a part of the line and leaves the cursor behind it.
    fn replace(&mut self, from: usize, to: usize, text: &[u8], out: &mut Vec<u8>) {
        let before = self.line.len();
        if from == to && text.is_empty() {
            return;
        }
        self.move_to(from, out);
        self.line.splice(from..to.min(before), text.iter().copied());
        out.extend_from_slice(self.line.get(from..).unwrap_or_default());
        let gone = before.saturating_sub(self.line.len());
        if gone > 0 && self.clears {
            out.extend_from_slice(b"\x1b[K");
        } else {
            out.extend(std::iter::repeat_n(b' ', gone));
            out.extend(std::iter::repeat_n(0x08, gone));
        }
        self.cursor = from + text.len();
        out.extend(std::iter::repeat_n(0x08, self.line.len().saturating_sub(self.cursor)));
    }

    /// One line back (or forth) in the history.
    fn recall(&mut self, back: bool, out: &mut Vec<u8>) {
        let to = if back { self.back + 1 } else { self.back.wrapping_sub(1) };
        if to > self.history.len() {
            return out.push(0x07);
        }
        if self.back == 0 {
            self.draft = self.line.clone();
        }
        self.back = to;
        let line = match to {
            0 => std::mem::take(&mut self.draft),
            _ => self.history.get(self.history.len() - to).cloned().unwrap_or_default(),
        };
        self.replace(0, self.line.len(), &line, out);
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
        match escape.get(1..).unwrap_or_default() {
            b"[A" | b"OA" => self.recall(true, out),
            b"[B" | b"OB" => self.recall(false, out),
            b"[C" | b"OC" => self.right(out),
            b"[D" | b"OD" => self.left(out),
            b"[H" | b"OH" | b"[1~" | b"[7~" => self.move_to(0, out),
            b"[F" | b"OF" | b"[4~" | b"[8~" => self.move_to(self.line.len(), out),
            b"[3~" => self.delete_forward(out),
            // Everything else does nothing, the marks around a paste among it.
            _ => {}
        }
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn type_in(editor: &mut Editor, keys: &[u8]) -> (Vec<u8>, Vec<Press>) {
        let mut out = Vec::new();
        let pressed = keys.iter().map(|&key| editor.press(key, &mut out));
        let pressed =
            pressed.collect::<Vec<_>>().into_iter().filter(|press| *press != Press::Nothing).collect();
        (out, pressed)
    }

    fn entered(keys: &[u8]) -> String {
        let (_, pressed) = type_in(&mut Editor::new(100, true), keys);
        pressed
            .iter()
            .map(|press| match press {
                Press::Entered(line) => format!("{}|", String::from_utf8_lossy(line)),
                other => format!("{other:?}|"),
            })
            .collect()
    }

    #[test]
    fn keys_edit_the_line() {
        for (keys, want) in [
            ("ab\r", "ab|"),
            ("ab\r\ncd\n", "ab|cd|"),
            ("a\r\r\n", "a||"),
            ("ecjo\x7f\x7fho\r", "echo|"),
            ("abc\x15x\r", "x|"),
            ("one two \x17x\r", "one x|"),
            ("ab\x1b[DX\r", "aXb|"),
            ("ab\x01X\x05Y\r", "XabY|"),
            ("one\rtwo\r\x1b[A\x1b[A\r", "one|two|one|"),
            ("one\rdraft\x1b[A\x1b[B\r", "one|draft|"),
            ("abc\x02\x02\x0b\r", "a|"),
            ("abc\x01\x04\r", "bc|"),
            ("\x04", "End|"),
            ("ab\x03c\r", "Interrupt|c|"),
            ("\x1b[200~pasted\x1b[201~\r", "pasted|"),
            ("é\x7fe\r", "e|"),
        ] {
            assert_eq!(entered(keys.as_bytes()), want, "{keys:?}");
        }
    }

    #[test]
    fn the_echo_is_the_one_of_readline() {
        let mut editor = Editor::new(100, true);
        assert_eq!(type_in(&mut editor, b"ab\x1b[DX").0, b"ab\x08Xb\x08");
        assert_eq!(
            type_in(&mut Editor::new(100, true), b"nonsense\x15").0,
            b"nonsense\x08\x08\x08\x08\x08\x08\x08\x08\x1b[K"
        );
        assert_eq!(type_in(&mut Editor::new(100, false), b"ab\x15").0, b"ab\x08\x08  \x08\x08");
    }

    #[test]
    fn a_line_that_is_too_long_is_reported_once() {
        let (_, pressed) = type_in(&mut Editor::new(3, true), b"abcdef\r");
        assert_eq!(pressed, [Press::Full, Press::Entered(b"abc".to_vec())]);
    }

    #[test]
    fn the_history_is_bounded_by_bytes_too() {
        let mut editor = Editor::new(8192, true);
        for n in 0..100 {
            type_in(&mut editor, format!("{n}{}\r", "x".repeat(8000)).as_bytes());
        }
        assert!(editor.history.iter().map(Vec::len).sum::<usize>() <= HISTORY_BYTES);
        assert!(editor.history.back().is_some_and(|line| line.starts_with(b"99x")));
    }

    proptest! {
        #[test]
        fn no_keys_harm_the_editor(keys in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut editor = Editor::new(50, true);
            let mut out = Vec::new();
            for key in keys {
                editor.press(key, &mut out);
                prop_assert!(editor.cursor <= editor.line.len() && editor.line.len() <= 50);
                prop_assert!(editor.escape.len() < LONGEST_ESCAPE);
            }
        }
    }
}
