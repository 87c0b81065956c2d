//! What `bc` and `dc` have said so far: long lines are broken with a backslash.

/// The most that is said.
const MOST: usize = 512 * 1024;
/// Characters of a line, the backslash and the line end counted.
const LINE: usize = 70;

/// Standard output and standard error.
#[derive(Default)]
pub(super) struct Output {
    /// Standard output.
    pub(super) out: Vec<u8>,
    /// Standard error.
    pub(super) err: Vec<u8>,
    column: usize,
}

impl Output {
    /// Whether nothing more is taken.
    pub(super) fn is_full(&self) -> bool {
        self.out.len() > MOST || self.err.len() > MOST
    }

    /// A number, broken where it is too long.
    pub(super) fn number(&mut self, text: &str) {
        for byte in text.bytes() {
            self.column += 1;
            if self.column == LINE - 1 {
                self.out.extend(b"\\\n");
                self.column = 1;
            }
            self.out.push(byte);
        }
    }

    /// A text as it is.
    pub(super) fn text(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
        match text.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => self.column = text.len() - at - 1,
            None => self.column += text.len(),
        }
    }

    /// The end of a line.
    pub(super) fn end(&mut self) {
        self.text(b"\n");
    }

    /// A line of complaint.
    pub(super) fn complain(&mut self, text: &str) {
        self.err.extend(text.bytes().chain([b'\n']));
    }
}

#[cfg(test)]
mod tests {
    use super::Output;

    #[test]
    fn long_numbers_are_broken() {
        let mut output = Output::default();
        output.number(&"1".repeat(100));
        assert_eq!(output.out, format!("{}\\\n{}", "1".repeat(68), "1".repeat(32)).into_bytes());
    }
}
