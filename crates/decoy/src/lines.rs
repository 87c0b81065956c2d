//! Cuts what arrives into lines, however the network cut it, and never holds more than one bounded line.

/// One line without its line end (LF or CR LF).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The bytes, at most the limit.
    pub bytes: Vec<u8>,
    /// The line was longer; the rest is gone.
    pub cut: bool,
}

/// Holds the beginning of a line until its end arrives.
pub(crate) struct Lines {
    held: Vec<u8>,
    limit: usize,
    cut: bool,
}

impl Lines {
    /// Lines of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { held: Vec::new(), limit: limit.max(1), cut: false }
    }

    /// Takes bytes from the front of `input` until a line is whole. `None`: all is taken, and no line is whole yet.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Line> {
        let end = memchr::memchr(b'\n', input);
        let (part, rest) = input.split_at(end.map_or(input.len(), |at| at + 1));
        *input = rest;
        let text = if end.is_some() { part.split_last().map_or(part, |(_, text)| text) } else { part };
        // A CR that may belong to the line end does not count as too much.
        let room = (self.limit + 1).saturating_sub(self.held.len());
        self.cut |= text.len() > room;
        self.held.extend_from_slice(text.get(..room).unwrap_or(text));
        end?;
        let mut bytes = std::mem::take(&mut self.held);
        if !self.cut && bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        let cut = std::mem::take(&mut self.cut) | (bytes.len() > self.limit);
        bytes.truncate(self.limit);
        Some(Line { bytes, cut })
    }

    /// Whether the line that is being held is already too long.
    pub fn is_overfull(&self) -> bool {
        self.cut || self.held.len() > self.limit
    }

    /// Takes what is held of a line that has no end (yet).
    pub fn take_rest(&mut self) -> Line {
        let cut = std::mem::take(&mut self.cut);
        Line { bytes: std::mem::take(&mut self.held), cut }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(lines: &mut Lines, mut input: &[u8]) -> Vec<(Vec<u8>, bool)> {
        std::iter::from_fn(|| lines.next(&mut input)).map(|line| (line.bytes, line.cut)).collect()
    }

    #[test]
    fn both_line_ends_end_a_line_and_a_long_one_is_cut() {
        let mut lines = Lines::new(4);
        let got = all(&mut lines, b"ab\r\n\ncd\nabcd\r\nabcde\r\nxy");
        let want: Vec<(&[u8], bool)> =
            vec![(b"ab", false), (b"", false), (b"cd", false), (b"abcd", false), (b"abcd", true)];
        assert_eq!(got, want.into_iter().map(|(bytes, cut)| (bytes.to_vec(), cut)).collect::<Vec<_>>());
        assert_eq!(lines.take_rest(), Line { bytes: b"xy".to_vec(), cut: false });
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_how_the_network_cut_them(input in proptest::collection::vec(
            prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'a'), any::<u8>()], 0..200), cuts in proptest::collection::vec(1usize..9, 0..60)) {
            let whole = all(&mut Lines::new(7), &input);
            let (mut pieces, mut rest, mut lines) = (Vec::new(), input.as_slice(), Lines::new(7));
            for cut in cuts.into_iter().chain(std::iter::repeat(5)) {
                if rest.is_empty() { break; }
                let (now, later) = rest.split_at(cut.min(rest.len()));
                pieces.extend(all(&mut lines, now));
                prop_assert!(lines.held.len() <= 8);
                rest = later;
            }
            prop_assert_eq!(whole, pieces);
        }
    }
}
