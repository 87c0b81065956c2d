//! Two files side by side (`diff -y`).

use super::{Change, getopt::Given};

const TAB: usize = 8;
/// What stands between the halves takes at least this.
const GUTTER: usize = 3;

pub(super) fn written(given: &Given, changes: &[Change], old: &[&[u8]], new: &[&[u8]]) -> Vec<u8> {
    let width =
        given.value("width").and_then(|width| width.parse().ok()).unwrap_or(130_usize).clamp(1, 10_000);
    let unit = if given.has("expand-tabs") { 1 } else { TAB };
    let off = (width + unit + GUTTER) / (2 * unit) * unit;
    let half = off.saturating_sub(GUTTER).min(width.saturating_sub(off));
    let sheet = Sheet { half, second: if half > 0 { off } else { width }, spaces: given.has("expand-tabs") };
    let (left_only, only_changes) = (given.has("left-column"), given.has("suppress-common-lines"));
    let mut out = Vec::new();
    let (mut i, mut j) = (0, 0);
    let end = Change { old: (old.len(), 0), new: (new.len(), 0) };
    for change in changes.iter().chain([&end]) {
        while i < change.old.0 && j < change.new.0 {
            if !only_changes {
                let right = if left_only { None } else { new.get(j).copied() };
                sheet.row(&mut out, old.get(i).copied(), if left_only { b'(' } else { b' ' }, right);
            }
            i += 1;
            j += 1;
        }
        let pairs = change.old.1.min(change.new.1);
        for number in 0..pairs {
            sheet.row(&mut out, old.get(i + number).copied(), b'|', new.get(j + number).copied());
        }
        for number in pairs..change.new.1 {
            sheet.row(&mut out, None, b'>', new.get(j + number).copied());
        }
        for number in pairs..change.old.1 {
            sheet.row(&mut out, old.get(i + number).copied(), b'<', None);
        }
        i += change.old.1;
        j += change.new.1;
    }
    out
}

struct Sheet {
    half: usize,
    second: usize,
    spaces: bool,
}

impl Sheet {
    fn row(&self, out: &mut Vec<u8>, left: Option<&[u8]>, mut sign: u8, right: Option<&[u8]>) {
        let ends = |line: Option<&[u8]>| line.is_some_and(|line| line.ends_with(b"\n"));
        let mut newline = ends(left);
        let mut column = left.map_or(0, |line| self.half_line(out, line, 0));
        if sign != b' ' {
            column = self.advance(out, column, (self.half + self.second - 1) / 2) + 1;
            if sign == b'|' && newline != ends(right) {
                sign = if newline { b'/' } else { b'\\' };
            }
            out.push(sign);
        }
        if let Some(line) = right {
            newline |= ends(right);
            if line.first().is_some_and(|byte| *byte != b'\n') {
                column = self.advance(out, column, self.second);
                self.half_line(out, line, column);
            }
        }
        if newline {
            out.push(b'\n');
        }
    }

    /// Goes on to a column with tabs and blanks.
    fn advance(&self, out: &mut Vec<u8>, mut from: usize, to: usize) -> usize {
        if !self.spaces {
            let mut tab = from + TAB - from % TAB;
            while tab <= to {
                out.push(b'\t');
                from = tab;
                tab += TAB;
            }
        }
        out.extend(std::iter::repeat_n(b' ', to.saturating_sub(from)));
        from.max(to)
    }

    /// As much of a line as a half holds; the column after it.
    fn half_line(&self, out: &mut Vec<u8>, line: &[u8], indent: usize) -> usize {
        let text = String::from_utf8_lossy(line);
        let (mut inside, mut outside) = (0, 0);
        for c in text.chars() {
            match c {
                '\n' => break,
                '\t' => {
                    let spaces = TAB - inside % TAB;
                    if inside == outside {
                        let stop = outside + spaces;
                        if self.spaces {
                            let to = stop.min(self.half);
                            out.extend(std::iter::repeat_n(b' ', to.saturating_sub(outside)));
                            outside = to.max(outside);
                        } else if stop < self.half {
                            outside = stop;
                            out.push(b'\t');
                        }
                    }
                    inside += spaces;
                }
                c => {
                    inside += 1;
                    if inside <= self.half {
                        outside = inside;
                        out.extend(c.to_string().bytes());
                    }
                }
            }
        }
        outside + indent
    }
}
