//! What `diff` counts as a difference.

use super::script::Change;

/// What counts as a difference.
#[derive(Default)]
pub(super) struct Rules {
    pub(super) case: bool,
    pub(super) all_blanks: bool,
    pub(super) blanks: bool,
    pub(super) ends: bool,
    pub(super) tabs: bool,
    pub(super) blank_lines: bool,
    pub(super) like: Vec<regex::bytes::Regex>,
}

impl Rules {
    /// A line as it is compared.
    pub(super) fn seen(&self, line: &[u8]) -> Vec<u8> {
        let whole = line.strip_suffix(b"\n").unwrap_or(line);
        let ignores = self.all_blanks || self.blanks || self.ends;
        let mut seen = Vec::with_capacity(line.len());
        let mut column = 0;
        for byte in whole {
            let is_blank = byte.is_ascii_whitespace();
            match byte {
                _ if is_blank && self.all_blanks => {}
                _ if is_blank && self.blanks => {
                    if seen.last() != Some(&b' ') {
                        seen.push(b' ');
                    }
                }
                b'\t' if self.tabs => {
                    let to = column / 8 * 8 + 8;
                    seen.extend(std::iter::repeat_n(b' ', to - column));
                    column = to;
                    continue;
                }
                byte if self.case => seen.push(byte.to_ascii_lowercase()),
                byte => seen.push(*byte),
            }
            column += 1;
        }
        if ignores {
            while seen.last().is_some_and(u8::is_ascii_whitespace) {
                seen.pop();
            }
        }
        // A missing end of line is a difference, unless blanks are none.
        if !ignores && line.len() == whole.len() {
            seen.push(0);
            seen.push(b'\n');
        }
        seen
    }

    /// Whether a change is only of lines that do not count.
    pub(super) fn passes(&self, change: &Change, old: &[&[u8]], new: &[&[u8]]) -> bool {
        if !self.blank_lines && self.like.is_empty() {
            return false;
        }
        let is_nothing = |line: &&[u8]| {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let blank = if self.all_blanks || self.blanks || self.ends {
                line.trim_ascii().is_empty()
            } else {
                line.is_empty()
            };
            self.blank_lines && blank || self.like.iter().any(|pattern| pattern.is_match(line))
        };
        let all = |lines: &[&[u8]], (from, count): (usize, usize)| {
            lines.get(from..from + count).unwrap_or_default().iter().all(is_nothing)
        };
        all(old, change.old) && all(new, change.new)
    }
}
