//! How differences are written: normal, unified, with context, for ed and for RCS.

use super::{Call, Change, Given};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    Normal,
    Unified,
    Context,
    Ed,
    Rcs,
    Side,
}

impl Shape {
    pub(super) fn of(given: &Given) -> Self {
        match given.last(&["normal", "unified", "context", "ed", "rcs", "side-by-side"]) {
            Some("unified") => Self::Unified,
            Some("context") => Self::Context,
            Some("ed") => Self::Ed,
            Some("rcs") => Self::Rcs,
            Some("side-by-side") => Self::Side,
            _ => Self::Normal,
        }
    }
}

/// What lines are written with.
pub(super) struct Paper {
    context: usize,
    colors: bool,
    expands: bool,
    tab_first: bool,
    functions: bool,
}

/// The colours of GNU's palette: heading, number of a line, taken away, added.
const HEADING: &str = "1";
const NUMBER: &str = "36";
const GONE: &str = "31";
const COME: &str = "32";

impl Paper {
    pub(super) fn of(call: &Call<'_>, given: &Given) -> Self {
        let count = |key: &str| given.value(key).and_then(|count| count.parse::<usize>().ok());
        let colors = match given.options.iter().rev().find(|(key, _)| key == "color") {
            Some((_, Some(when))) => when == "always" || when == "auto" && call.to_terminal,
            Some((_, None)) => call.to_terminal,
            None => false,
        };
        Self {
            context: count("unified").or_else(|| count("context")).unwrap_or(3).min(1_000_000),
            colors,
            expands: given.has("expand-tabs"),
            tab_first: given.has("initial-tab"),
            functions: given.has("show-c-function"),
        }
    }

    fn paint(&self, out: &mut Vec<u8>, color: &str, text: &str) {
        if self.colors {
            out.extend(format!("\u{1b}[{color}m{text}\u{1b}[0m\n").bytes());
        } else {
            out.extend(format!("{text}\n").bytes());
        }
    }

    /// A line behind its sign.
    fn line(&self, out: &mut Vec<u8>, sign: &str, color: Option<&str>, line: &[u8]) {
        let color = color.filter(|_| self.colors);
        if let Some(color) = color {
            out.extend(format!("\u{1b}[{color}m").bytes());
        }
        let whole = line.strip_suffix(b"\n").unwrap_or(line);
        out.extend(sign.bytes());
        if !sign.is_empty() && self.tab_first {
            if out.last() == Some(&b' ') && sign.len() > 1 {
                out.pop();
            }
            out.push(b'\t');
        }
        if self.expands {
            let mut column = 0;
            for byte in whole {
                if *byte == b'\t' {
                    let to = column / 8 * 8 + 8;
                    out.extend(std::iter::repeat_n(b' ', to - column));
                    column = to;
                } else {
                    out.push(*byte);
                    column += 1;
                }
            }
        } else {
            out.extend_from_slice(whole);
        }
        if color.is_some() {
            out.extend(b"\x1b[0m");
        }
        out.push(b'\n');
        if line.len() == whole.len() {
            out.extend(b"\\ No newline at end of file\n");
        }
    }

    pub(super) fn written(
        &self,
        shape: Shape,
        labels: (&str, &str),
        changes: &[Change],
        ignored: &[bool],
        old: &[&[u8]],
        new: &[&[u8]],
    ) -> Vec<u8> {
        let counted =
            || changes.iter().zip(ignored).filter(|(_, ignored)| !**ignored).map(|(change, _)| change);
        let mut out = Vec::new();
        match shape {
            Shape::Unified | Shape::Context => {
                let signs = if shape == Shape::Unified { ("---", "+++") } else { ("***", "---") };
                self.paint(&mut out, HEADING, &format!("{} {}", signs.0, labels.0));
                self.paint(&mut out, HEADING, &format!("{} {}", signs.1, labels.1));
                for hunk in self.hunks(changes, ignored) {
                    if shape == Shape::Unified {
                        self.unified(&mut out, hunk, old, new);
                    } else {
                        self.with_context(&mut out, hunk, old, new);
                    }
                }
            }
            Shape::Ed => {
                counted().collect::<Vec<_>>().iter().rev().for_each(|change| ed(&mut out, change, new))
            }
            Shape::Rcs => counted().for_each(|change| rcs(&mut out, change, new)),
            Shape::Normal | Shape::Side => {
                counted().for_each(|change| self.normal(&mut out, change, old, new))
            }
        }
        out
    }

    fn normal(&self, out: &mut Vec<u8>, change: &Change, old: &[&[u8]], new: &[&[u8]]) {
        let letter = match (change.old.1, change.new.1) {
            (0, _) => 'a',
            (_, 0) => 'd',
            _ => 'c',
        };
        self.paint(out, NUMBER, &format!("{}{letter}{}", range(change.old), range(change.new)));
        for line in slice(old, change.old) {
            self.line(out, if self.tab_first { "<" } else { "< " }, Some(GONE), line);
        }
        if letter == 'c' {
            out.extend(b"---\n");
        }
        for line in slice(new, change.new) {
            self.line(out, if self.tab_first { ">" } else { "> " }, Some(COME), line);
        }
    }

    /// Changes that stand so near to each other that they are shown together.
    fn hunks<'a>(&self, changes: &'a [Change], ignored: &[bool]) -> Vec<&'a [Change]> {
        let (mut all, mut from) = (Vec::new(), 0);
        for at in 0..changes.len() {
            let far = match (changes.get(at), changes.get(at + 1)) {
                (Some(this), Some(next)) => next.old.0 - (this.old.0 + this.old.1) > 2 * self.context,
                _ => true,
            };
            if far {
                let counts = ignored.get(from..=at).unwrap_or_default().iter().any(|ignored| !ignored);
                all.extend(changes.get(from..=at).filter(|_| counts));
                from = at + 1;
            }
        }
        all
    }

    /// The lines that a hunk shows: first and number, old and new.
    fn extent(
        &self,
        hunk: &[Change],
        old: &[&[u8]],
        new: &[&[u8]],
    ) -> Option<((usize, usize), (usize, usize))> {
        let (first, last) = (hunk.first()?, hunk.last()?);
        let before = self.context.min(first.old.0).min(first.new.0);
        let (old_end, new_end) = (last.old.0 + last.old.1, last.new.0 + last.new.1);
        let after = self.context.min(old.len() - old_end).min(new.len() - new_end);
        let (a, b) = (first.old.0 - before, first.new.0 - before);
        Some(((a, old_end + after - a), (b, new_end + after - b)))
    }

    /// The last line before a hunk that begins something, as `-p` shows it.
    fn function(&self, at: usize, old: &[&[u8]]) -> String {
        let begins = |line: &&&[u8]| {
            line.first().is_some_and(|byte| byte.is_ascii_alphabetic() || b"_$".contains(byte))
        };
        let found = old.get(..at).unwrap_or_default().iter().rev().find(begins).filter(|_| self.functions);
        found.map_or(String::new(), |line| {
            let text = String::from_utf8_lossy(line).trim_end().chars().take(40).collect::<String>();
            format!(" {text}")
        })
    }

    fn unified(&self, out: &mut Vec<u8>, hunk: &[Change], old: &[&[u8]], new: &[&[u8]]) {
        let Some((a, b)) = self.extent(hunk, old, new) else { return };
        let shown = |(from, count): (usize, usize)| match count {
            0 => format!("{from},0"),
            1 => format!("{}", from + 1),
            _ => format!("{},{count}", from + 1),
        };
        let head = format!("@@ -{} +{} @@", shown(a), shown(b));
        let function = self.function(a.0, old);
        if self.colors {
            out.extend(format!("\u{1b}[{NUMBER}m{head}\u{1b}[0m{function}\n").bytes());
        } else {
            out.extend(format!("{head}{function}\n").bytes());
        }
        let mut at = a.0;
        for change in hunk {
            for line in slice(old, (at, change.old.0 - at)) {
                self.line(out, " ", None, line);
            }
            for line in slice(old, change.old) {
                self.line(out, "-", Some(GONE), line);
            }
            for line in slice(new, change.new) {
                self.line(out, "+", Some(COME), line);
            }
            at = change.old.0 + change.old.1;
        }
        for line in slice(old, (at, a.0 + a.1 - at)) {
            self.line(out, " ", None, line);
        }
    }

    fn with_context(&self, out: &mut Vec<u8>, hunk: &[Change], old: &[&[u8]], new: &[&[u8]]) {
        let Some((a, b)) = self.extent(hunk, old, new) else { return };
        let shown = |(from, count): (usize, usize)| match count {
            0 => from.to_string(),
            1 => (from + 1).to_string(),
            _ => format!("{},{}", from + 1, from + count),
        };
        out.extend(format!("***************{}\n", self.function(a.0, old)).bytes());
        self.paint(out, NUMBER, &format!("*** {} ****", shown(a)));
        if hunk.iter().any(|change| change.old.1 > 0) {
            self.half(out, hunk, old, a, true);
        }
        self.paint(out, NUMBER, &format!("--- {} ----", shown(b)));
        if hunk.iter().any(|change| change.new.1 > 0) {
            self.half(out, hunk, new, b, false);
        }
    }

    /// One file's side of a hunk with context.
    fn half(
        &self,
        out: &mut Vec<u8>,
        hunk: &[Change],
        lines: &[&[u8]],
        (from, count): (usize, usize),
        is_old: bool,
    ) {
        let mut at = from;
        for change in hunk {
            let (begin, length) = if is_old { change.old } else { change.new };
            for line in slice(lines, (at, begin - at)) {
                self.line(out, "  ", None, line);
            }
            let both = change.old.1 > 0 && change.new.1 > 0;
            let sign = match (both, is_old) {
                (true, _) => "! ",
                (false, true) => "- ",
                (false, false) => "+ ",
            };
            for line in slice(lines, (begin, length)) {
                self.line(out, sign, Some(if is_old { GONE } else { COME }), line);
            }
            at = begin + length;
        }
        for line in slice(lines, (at, from + count - at)) {
            self.line(out, "  ", None, line);
        }
    }
}

/// Lines by number, as `ed` writes them.
fn range((from, count): (usize, usize)) -> String {
    match count {
        0 => from.to_string(),
        1 => (from + 1).to_string(),
        _ => format!("{},{}", from + 1, from + count),
    }
}

fn slice<'a, 'b>(lines: &'a [&'b [u8]], (from, count): (usize, usize)) -> &'a [&'b [u8]] {
    lines.get(from..from + count).unwrap_or_default()
}

fn ed(out: &mut Vec<u8>, change: &Change, new: &[&[u8]]) {
    let letter = match (change.old.1, change.new.1) {
        (0, _) => 'a',
        (_, 0) => 'd',
        _ => 'c',
    };
    out.extend(format!("{}{letter}\n", range(change.old)).bytes());
    if letter != 'd' {
        for line in slice(new, change.new) {
            out.extend_from_slice(line);
            if !line.ends_with(b"\n") {
                out.push(b'\n');
            }
        }
        out.extend(b".\n");
    }
}

fn rcs(out: &mut Vec<u8>, change: &Change, new: &[&[u8]]) {
    if change.old.1 > 0 {
        out.extend(format!("d{} {}\n", change.old.0 + 1, change.old.1).bytes());
    }
    if change.new.1 > 0 {
        out.extend(format!("a{} {}\n", change.old.0 + change.old.1, change.new.1).bytes());
        slice(new, change.new).iter().for_each(|line| out.extend_from_slice(line));
    }
}
