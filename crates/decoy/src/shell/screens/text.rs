//! A text that is being edited: lines, the cursor, and what can be undone.

use super::{LARGEST, fitted};

/// How many changes can be undone.
const MOST_UNDONE: usize = 20;

/// Lines and a cursor. There is always at least one line.
pub(super) struct Text {
    lines: Vec<String>,
    pub(super) row: usize,
    /// In characters.
    pub(super) column: usize,
    /// The first line on the screen.
    top: usize,
    bytes: usize,
    pub(super) changed: bool,
    undo: Vec<(Vec<String>, usize, usize)>,
}

impl Text {
    pub(super) fn new(text: &str) -> Self {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if lines.is_empty() {
            lines.push(String::new());
        }
        Self { lines, row: 0, column: 0, top: 0, bytes: text.len(), changed: false, undo: Vec::new() }
    }

    /// All of it, with a line end at the end.
    pub(super) fn whole(&self) -> String {
        if self.lines.len() == 1 && self.line().is_empty() {
            String::new()
        } else {
            self.lines.join("\n") + "\n"
        }
    }

    pub(super) fn count(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn line(&self) -> &str {
        self.lines.get(self.row).map_or("", String::as_str)
    }

    /// How many characters the line of the cursor has.
    pub(super) fn length(&self) -> usize {
        self.line().chars().count()
    }

    pub(super) fn go(&mut self, row: usize, column: usize) {
        self.row = row.min(self.lines.len() - 1);
        self.column = column.min(self.length());
    }

    /// Remembers how it is now.
    pub(super) fn checkpoint(&mut self) {
        if self.bytes < LARGEST / 16 {
            if self.undo.len() == MOST_UNDONE {
                self.undo.remove(0);
            }
            self.undo.push((self.lines.clone(), self.row, self.column));
        }
    }

    pub(super) fn undo(&mut self) -> bool {
        let Some((lines, row, column)) = self.undo.pop() else { return false };
        self.lines = lines;
        self.go(row, column);
        true
    }

    fn offset(&self) -> usize {
        self.line().char_indices().nth(self.column).map_or(self.line().len(), |(at, _)| at)
    }

    pub(super) fn insert(&mut self, c: char) {
        if self.bytes + 4 > LARGEST {
            return;
        }
        let at = self.offset();
        if let Some(line) = self.lines.get_mut(self.row) {
            line.insert(at, c);
            self.bytes += c.len_utf8();
            self.column += 1;
            self.changed = true;
        }
    }

    pub(super) fn split(&mut self) {
        let at = self.offset();
        if self.bytes < LARGEST
            && let Some(line) = self.lines.get_mut(self.row)
        {
            let rest = line.split_off(at);
            self.row += 1;
            self.lines.insert(self.row, rest);
            (self.column, self.changed) = (0, true);
            self.bytes += 1;
        }
    }

    /// Removes the character before the cursor; at the start of a line, the line end.
    pub(super) fn backspace(&mut self) {
        if self.column > 0 {
            self.column -= 1;
            self.delete();
        } else if self.row > 0 {
            self.row -= 1;
            self.column = self.length();
            self.join();
        }
    }

    /// Removes the character under the cursor, and gives it.
    pub(super) fn delete(&mut self) -> Option<char> {
        let at = self.offset();
        let line = self.lines.get_mut(self.row).filter(|line| at < line.len())?;
        self.changed = true;
        Some(line.remove(at))
    }

    /// Puts the next line behind this one.
    pub(super) fn join(&mut self) -> bool {
        if self.row + 1 >= self.lines.len() {
            return false;
        }
        let next = self.lines.remove(self.row + 1);
        if let Some(line) = self.lines.get_mut(self.row) {
            line.push_str(&next);
        }
        self.changed = true;
        true
    }

    pub(super) fn cut_line(&mut self) -> String {
        self.changed = true;
        let cut = self.lines.remove(self.row);
        if self.lines.is_empty() {
            self.lines.push(String::new());
        }
        self.go(self.row, 0);
        cut
    }

    /// Cuts what stands behind the cursor.
    pub(super) fn cut_rest(&mut self) -> String {
        let at = self.offset();
        self.changed = true;
        self.lines.get_mut(self.row).map(|line| line.split_off(at)).unwrap_or_default()
    }

    pub(super) fn insert_line(&mut self, row: usize, line: String) {
        if self.bytes + line.len() < LARGEST {
            self.bytes += line.len() + 1;
            self.lines.insert(row.min(self.lines.len()), line);
            self.go(row, 0);
            self.changed = true;
        }
    }

    /// Where the next word begins, or the last one.
    pub(super) fn word(&self, forward: bool) -> (usize, usize) {
        let chars: Vec<char> = self.line().chars().collect();
        let is_word = |at: usize| chars.get(at).is_some_and(|c| !c.is_whitespace());
        let starts = |at: &usize| is_word(*at) && (*at == 0 || !is_word(*at - 1));
        if forward {
            match (self.column + 1..chars.len()).find(starts) {
                Some(at) => (self.row, at),
                None if self.row + 1 < self.lines.len() => (self.row + 1, 0),
                None => (self.row, chars.len().saturating_sub(1)),
            }
        } else {
            match (0..self.column).rev().find(starts) {
                Some(at) => (self.row, at),
                None => (self.row.saturating_sub(1), if self.row > 0 { usize::MAX } else { 0 }),
            }
        }
    }

    /// Goes to the next place of a text behind the cursor, from the start again after the end.
    pub(super) fn find(&mut self, wanted: &str) -> bool {
        if wanted.is_empty() {
            return false;
        }
        let count = self.lines.len();
        for step in 0..=count {
            let row = (self.row + step) % count;
            let Some(line) = self.lines.get(row) else { continue };
            let from = if step == 0 {
                line.char_indices().nth(self.column + 1).map_or(line.len(), |(at, _)| at)
            } else {
                0
            };
            if let Some(at) = line.get(from..).and_then(|rest| rest.find(wanted)) {
                let column = line.get(..from + at).map_or(0, |front| front.chars().count());
                self.go(row, column);
                return true;
            }
        }
        false
    }

    /// The lines that are on a screen of so many rows, and where the cursor is on it.
    pub(super) fn view(&mut self, rows: usize, columns: usize) -> (Vec<String>, usize, usize) {
        self.top = self.top.min(self.row).max((self.row + 1).saturating_sub(rows));
        let from = self.column.saturating_sub(columns - 1);
        let lines = self.lines.iter().skip(self.top).take(rows).map(|line| {
            let line: String = line.chars().skip(from).collect();
            fitted(&line, columns)
        });
        let front: String = self.line().chars().skip(from).take(self.column - from).collect();
        (lines.collect(), self.row - self.top, fitted(&front, columns).chars().count().min(columns - 1))
    }
}
