//! ^R: looking for a line among those before.

use super::{Editor, LONGEST_ESCAPE, Press};

/// What ^R looks for.
#[derive(Default)]
pub(super) struct Search {
    pub(super) needle: Vec<u8>,
    /// How many lines ago the shown one was typed, 0 for none.
    pub(super) back: usize,
    pub(super) failed: bool,
    /// The line that was left for the search.
    pub(super) before: (Vec<u8>, usize),
}

impl Editor {
    /// A key while ^R searches; `None` when it ends the search and means what it always means.
    pub(super) fn search_key(&mut self, key: u8, out: &mut Vec<u8>) -> Option<Press> {
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
}
