//! Lines that were typed before: going through them, searching them (^R), and `!!`.

use std::collections::VecDeque;

/// The most lines that the arrow keys go back through.
const MOST: usize = 200;
/// The most bytes of them all.
const MOST_BYTES: usize = 64 * 1024;

/// The lines typed before, newest last, bounded in number and bytes.
#[derive(Default)]
pub(super) struct Past {
    lines: VecDeque<Vec<u8>>,
    /// How many lines were forgotten: the numbers of the others stay.
    forgotten: usize,
}

impl Past {
    /// Remembers a line, unless it is empty or the same as the last one.
    pub(super) fn add(&mut self, line: &[u8]) {
        if line.trim_ascii().is_empty() || self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        self.lines.push_back(line.to_vec());
        let mut bytes: usize = self.lines.iter().map(Vec::len).sum();
        while self.lines.len() > MOST || bytes > MOST_BYTES {
            bytes -= self.lines.pop_front().map_or(bytes, |line| line.len());
            self.forgotten += 1;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The line that is `back` lines ago; 1 is the last one.
    pub(super) fn back(&self, back: usize) -> Option<&[u8]> {
        let at = self.lines.len().checked_sub(back)?;
        self.lines.get(at).map(Vec::as_slice)
    }

    /// The newest line at least `from` lines ago that has `needle` in it, and where.
    pub(super) fn find(&self, needle: &[u8], from: usize) -> Option<(usize, usize)> {
        (from.max(1)..=self.lines.len()).find_map(|back| {
            let line = self.back(back)?;
            last_place(line, needle).map(|at| (back, at))
        })
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.lines.iter().map(Vec::len).sum()
    }

    /// History expansion as bash does it on lines that are typed: `None` when there is nothing to expand, an error when
    /// a line is named that is not there.
    pub(super) fn expand(&self, line: &str) -> Option<Result<String, String>> {
        if let Some(rest) = line.strip_prefix('^') {
            let mut parts = rest.split('^');
            let (old, new) = (parts.next()?, parts.next().unwrap_or_default());
            let last = self.text(1);
            return Some(match last.filter(|last| !old.is_empty() && last.contains(old)) {
                Some(last) => Ok(last.replacen(old, new, 1)),
                None => Err(format!(":s{line}: substitution failed")),
            });
        }
        if !line.contains('!') {
            return None;
        }
        let mut out = String::new();
        let mut changed = false;
        let (mut single, mut double) = (false, false);
        let mut rest = line;
        let mut before = ' ';
        while let Some(c) = rest.chars().next() {
            let after = rest.get(c.len_utf8()..).unwrap_or_default();
            match c {
                '\\' if !single => {
                    let next = after.chars().next();
                    out.push('\\');
                    out.extend(next);
                    rest = after.get(next.map_or(0, char::len_utf8)..).unwrap_or_default();
                    before = ' ';
                    continue;
                }
                '\'' if !double => single = !single,
                '"' if !single => double = !double,
                '!' if !single && !matches!(before, '$' | '{' | '[') => {
                    if let Some((taken, found)) = self.event(after, double) {
                        match found {
                            Some(text) => out.push_str(&text),
                            None => {
                                let name = after.get(..taken).unwrap_or_default();
                                return Some(Err(format!("!{name}: event not found")));
                            }
                        }
                        changed = true;
                        rest = after.get(taken..).unwrap_or_default();
                        before = ' ';
                        continue;
                    }
                }
                _ => {}
            }
            out.push(c);
            before = c;
            rest = after;
        }
        changed.then_some(Ok(out))
    }

    fn text(&self, back: usize) -> Option<String> {
        self.back(back).map(|line| String::from_utf8_lossy(line).into_owned())
    }

    /// What stands behind a `!`: how many bytes name an event, and its text. `None`: the sign means nothing.
    fn event(&self, text: &str, quoted: bool) -> Option<(usize, Option<String>)> {
        let first = text.chars().next()?;
        match first {
            ' ' | '\t' | '\n' | '=' | '(' | ';' | '&' | '|' => None,
            '"' if quoted => None,
            '!' => Some((1, self.text(1))),
            '$' => Some((1, self.text(1).and_then(|last| last.split_whitespace().last().map(str::to_owned)))),
            '*' => Some((
                1,
                self.text(1).map(|last| last.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")),
            )),
            '-' | '0'..='9' => {
                let digits: String =
                    text.chars().skip(usize::from(first == '-')).take_while(char::is_ascii_digit).collect();
                let number: usize = digits.parse().ok()?;
                let taken = digits.len() + usize::from(first == '-');
                let back = if first == '-' {
                    Some(number)
                } else {
                    (self.forgotten + self.lines.len() + 1).checked_sub(number)
                };
                Some((taken, back.filter(|back| *back > 0).and_then(|back| self.text(back))))
            }
            _ => {
                let end =
                    text.find(|c: char| c.is_whitespace() || matches!(c, ';' | '&' | '|' | ':' | '"' | ')'));
                let name = text.get(..end.unwrap_or(text.len())).filter(|name| !name.is_empty())?;
                let (anywhere, wanted) = match name.strip_prefix('?') {
                    Some(wanted) => (true, wanted.trim_end_matches('?')),
                    None => (false, name),
                };
                let found = (1..=self.lines.len())
                    .filter_map(|back| self.text(back))
                    .find(|line| if anywhere { line.contains(wanted) } else { line.starts_with(wanted) });
                Some((name.len(), found))
            }
        }
    }
}

fn last_place(line: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return None;
    }
    line.windows(needle.len()).rposition(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_expanded_as_bash_does() {
        let mut past = Past::default();
        for line in ["echo one two", "ls -l /etc", "cat x"] {
            past.add(line.as_bytes());
        }
        for (typed, want) in [
            ("!!", Some(Ok("cat x"))),
            ("sudo !!", Some(Ok("sudo cat x"))),
            ("echo !$", Some(Ok("echo x"))),
            ("!l", Some(Ok("ls -l /etc"))),
            ("!1", Some(Ok("echo one two"))),
            ("!-2", Some(Ok("ls -l /etc"))),
            ("!?one?", Some(Ok("echo one two"))),
            ("^x^y", Some(Ok("cat y"))),
            ("^C", Some(Err(":s^C: substitution failed"))),
            ("!nope", Some(Err("!nope: event not found"))),
            ("echo '!!'", None),
            ("echo \"hi!\"", None),
            ("echo $!", None),
            ("! true", None),
            ("[ a != b ]", None),
            ("echo \\!x", None),
        ] {
            let want = want.map(|want| want.map(str::to_owned).map_err(str::to_owned));
            assert_eq!(past.expand(typed), want, "{typed}");
        }
    }
}
