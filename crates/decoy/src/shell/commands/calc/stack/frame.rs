//! A macro of `dc` that is being run: its text, and how much of it is done.

use super::super::number::Number;

/// A text that is run and how much of it is done.
pub(super) struct Frame {
    pub(super) text: Vec<u8>,
    pub(super) at: usize,
}

impl Frame {
    pub(super) fn next(&mut self) -> Option<u8> {
        let sign = self.text.get(self.at).copied();
        self.at += usize::from(sign.is_some());
        sign
    }

    pub(super) fn number(&mut self, first: u8, base: u32) -> Number {
        let negative = first == b'_';
        let mut text = String::new();
        if !negative {
            text.push(char::from(first));
        }
        while let Some(sign) = self.text.get(self.at).copied() {
            if !(sign.is_ascii_digit()
                || (b'A'..=b'F').contains(&sign)
                || sign == b'.' && !text.contains('.'))
            {
                break;
            }
            text.push(char::from(sign));
            self.at += 1;
        }
        let number = Number::parse(&text, base);
        if negative { number.negated() } else { number }
    }

    /// What stands up to the bracket that closes; brackets in between are counted.
    pub(super) fn text_in_brackets(&mut self) -> Vec<u8> {
        let (mut text, mut depth) = (Vec::new(), 1);
        while let Some(sign) = self.next() {
            match sign {
                b'[' => depth += 1,
                b']' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            text.push(sign);
        }
        text
    }
}
