//! Unified differences: how they are read, and where a hunk fits into a file.

/// One line of a hunk: its sign and its text with the line end.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// Space, `-` or `+`.
    pub(super) sign: u8,
    pub(super) text: Vec<u8>,
}

/// One hunk.
#[derive(Clone, Debug, Default)]
pub(super) struct Hunk {
    /// First line in the old and in the new file; 1 is the first.
    pub(super) old_start: usize,
    pub(super) new_start: usize,
    pub(super) lines: Vec<Line>,
    /// The line that begins it.
    pub(super) head: String,
}

/// What is to be done to one file.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// The names after `---` and `+++`.
    pub(super) old: String,
    pub(super) new: String,
    /// What stands before the first hunk, and the number of its last line.
    pub(super) heading: Vec<String>,
    pub(super) heading_end: usize,
    pub(super) hunks: Vec<Hunk>,
}

impl Hunk {
    /// The lines that it takes away or keeps.
    pub(super) fn before(&self) -> Vec<&[u8]> {
        self.lines.iter().filter(|line| line.sign != b'+').map(|line| line.text.as_slice()).collect()
    }

    /// The other way round.
    pub(super) fn reversed(&self) -> Self {
        let turned = |line: &Line| {
            let sign = match line.sign {
                b'-' => b'+',
                b'+' => b'-',
                sign => sign,
            };
            Line { sign, text: line.text.clone() }
        };
        // Of neighbours, what is taken away stands before what is added.
        let mut lines: Vec<Line> = Vec::new();
        let mut added: Vec<Line> = Vec::new();
        for line in self.lines.iter().map(turned) {
            match line.sign {
                b'+' => added.push(line),
                b'-' => lines.push(line),
                _ => {
                    lines.append(&mut added);
                    lines.push(line);
                }
            }
        }
        lines.append(&mut added);
        Self { old_start: self.new_start, new_start: self.old_start, lines, head: self.head.clone() }
    }

    fn context(&self) -> (usize, usize) {
        let is_context = |line: &&Line| line.sign == b' ';
        (
            self.lines.iter().take_while(is_context).count(),
            self.lines.iter().rev().take_while(is_context).count(),
        )
    }

    /// How much fuzz makes sense.
    pub(super) fn most_fuzz(&self) -> usize {
        let (prefix, suffix) = self.context();
        prefix.max(suffix)
    }

    /// The line of the file (1 is the first) where it fits, looked for around `guess`. Lines up to `frozen` are done.
    pub(super) fn place(&self, file: &[Vec<u8>], guess: usize, frozen: usize, fuzz: usize) -> Option<usize> {
        let wanted = self.before();
        let (prefix, suffix) = self.context();
        let context = prefix.max(suffix);
        let count = wanted.len();
        if count == 0 {
            return Some(guess);
        }
        let (at_start, at_end) = (fuzz + prefix < context, fuzz + suffix < context);
        let skipped = (fuzz + prefix).saturating_sub(context).min(count);
        let left_out = (fuzz + suffix).saturating_sub(context).min(count);
        let fits = |line: usize, skipped: usize, left_out: usize| {
            let part = wanted.get(skipped..count.saturating_sub(left_out)).unwrap_or_default();
            let from = line - 1 + skipped;
            let there = file.get(from..from + part.len());
            there.is_some_and(|there| there.iter().zip(part).all(|(there, wanted)| there == wanted))
        };
        if at_start {
            let whole = !at_end || count == file.len();
            return (whole && frozen == 0 && fits(1, 0, left_out)).then_some(1);
        }
        if at_end {
            let line = (file.len() + 1).checked_sub(count).filter(|line| *line > frozen)?;
            return fits(line, skipped, 0).then_some(line);
        }
        let most = file.len() + 1;
        (0..=most).find_map(|offset| {
            let after = guess
                .checked_add(offset)
                .filter(|line| *line >= 1 && *line <= most && fits(*line, skipped, left_out));
            after.or_else(|| {
                let line = guess.checked_sub(offset).filter(|line| *line > frozen)?;
                (offset > 0 && line <= most && fits(line, skipped, left_out)).then_some(line)
            })
        })
    }
}

/// The lines of a text, each with its end.
pub(super) fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// All changes in a patch.
pub(super) fn parse(text: &[u8]) -> Vec<Change> {
    let lines = lines(text);
    let said = |at: usize| lines.get(at).map(|line| String::from_utf8_lossy(line).trim_end().to_owned());
    let (mut changes, mut heading, mut at) = (Vec::<Change>::new(), Vec::new(), 0);
    while let Some(line) = said(at) {
        let next = said(at + 1).unwrap_or_default();
        let begins = line.starts_with("--- ") && next.starts_with("+++ ");
        if begins && said(at + 2).is_some_and(|line| range(&line).is_some()) {
            heading.extend([line.clone(), next.clone()]);
            changes.push(Change {
                old: name(&line),
                new: name(&next),
                heading: std::mem::take(&mut heading),
                heading_end: at + 3,
                hunks: Vec::new(),
            });
            at += 2;
            continue;
        }
        match (range(&line), changes.last_mut()) {
            (Some(((old_start, old), (new_start, new))), Some(change)) => {
                let mut hunk = Hunk { old_start, new_start, lines: Vec::new(), head: line };
                at += 1;
                let (mut old, mut new) = (old, new);
                while let Some(line) = lines.get(at) {
                    let sign = line.first().copied().unwrap_or(b' ');
                    if sign == b'\\' {
                        if let Some(last) = hunk.lines.last_mut() {
                            last.text.pop();
                        }
                        at += 1;
                        continue;
                    }
                    if old == 0 && new == 0 {
                        break;
                    }
                    // Mailers take away the blank of an empty line.
                    let blank = line == b"\n";
                    match if blank { b' ' } else { sign } {
                        b' ' if old > 0 && new > 0 => (old, new) = (old - 1, new - 1),
                        b'-' if old > 0 => old -= 1,
                        b'+' if new > 0 => new -= 1,
                        // A hunk that is shorter than it says ends with the file.
                        _ => break,
                    }
                    let text = if blank { line.clone() } else { line.get(1..).unwrap_or_default().to_vec() };
                    hunk.lines.push(Line { sign: if blank { b' ' } else { sign }, text });
                    at += 1;
                }
                change.hunks.push(hunk);
            }
            _ => {
                if heading.len() < 64 {
                    heading.push(line);
                }
                at += 1;
            }
        }
    }
    changes
}

/// The name in a line of the heading: up to a tab.
fn name(line: &str) -> String {
    let rest = line.get(4..).unwrap_or_default();
    rest.split('\t').next().unwrap_or_default().trim_end().to_owned()
}

/// `@@ -1,2 +1,3 @@`: first line and count, old and new.
fn range(line: &str) -> Option<((usize, usize), (usize, usize))> {
    let (old, rest) = line.strip_prefix("@@ -")?.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    let pair = |text: &str| {
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    Some((pair(old)?, pair(new)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &[u8] = b"--- a/x\t2000\n+++ b/x\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n";

    #[test]
    fn hunks_fit_where_their_lines_are() {
        let changes = parse(PATCH);
        let [change] = &changes[..] else { panic!("{changes:?}") };
        assert_eq!((change.old.as_str(), change.new.as_str()), ("a/x", "b/x"));
        let hunk = &change.hunks[0];
        assert_eq!(hunk.place(&lines(b"one\ntwo\nthree\n"), 1, 0, 0), Some(1));
        assert_eq!(hunk.place(&lines(b"zero\none\ntwo\nthree\n"), 1, 0, 0), Some(2));
        assert_eq!(hunk.place(&lines(b"one\n2\nthree\n"), 1, 0, 0), None);
        assert_eq!(hunk.reversed().place(&lines(b"one\n2\nthree\n"), 1, 0, 0), Some(1));
        assert_eq!(hunk.place(&lines(b"uno\ntwo\ntres\n"), 1, 0, 1), Some(1));
    }

    proptest::proptest! {
        #[test]
        fn no_patch_is_too_strange(text: Vec<u8>, file: Vec<u8>) {
            let text = [PATCH, &text].concat();
            for hunk in parse(&text).iter().flat_map(|change| &change.hunks) {
                hunk.place(&lines(&file), hunk.old_start, 0, 2);
            }
        }
    }
}
