//! Keys, told apart from the bytes that a terminal sends for them.

use std::collections::VecDeque;

use crate::shell::io::Input;

/// One key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    /// Ctrl and a letter, as the letter.
    Ctrl(char),
    Enter,
    Backspace,
    Escape,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    Delete,
    /// Anything else.
    Other,
}

/// What the visitor types, key by key.
pub(super) struct Keyboard {
    input: Input,
    bytes: VecDeque<u8>,
}

impl Keyboard {
    pub(super) fn new(input: Input) -> Self {
        Self { input, bytes: VecDeque::new() }
    }

    /// Waits for a key; `None` when the visitor is gone.
    pub(super) async fn next(&mut self) -> Option<Key> {
        if self.bytes.is_empty() {
            self.bytes.extend(self.input.read().await?);
        }
        let first = self.bytes.pop_front()?;
        Some(match first {
            b'\r' | b'\n' => Key::Enter,
            0x08 | 0x7f => Key::Backspace,
            b'\t' => Key::Char('\t'),
            0x1b => self.escape(),
            0..=0x1f => Key::Ctrl(char::from(first + 0x60)),
            0x20..=0x7e => Key::Char(char::from(first)),
            _ => {
                let length = match first {
                    0xc0..=0xdf => 1,
                    0xe0..=0xef => 2,
                    0xf0..=0xf7 => 3,
                    _ => 0,
                };
                let rest: Vec<u8> = self.bytes.drain(..self.bytes.len().min(length)).collect();
                let bytes = [&[first], rest.as_slice()].concat();
                std::str::from_utf8(&bytes)
                    .ok()
                    .and_then(|text| text.chars().next())
                    .map_or(Key::Other, Key::Char)
            }
        })
    }

    fn escape(&mut self) -> Key {
        if !matches!(self.bytes.front(), Some(b'[' | b'O')) {
            return Key::Escape;
        }
        self.bytes.pop_front();
        let mut sequence = Vec::new();
        while let Some(byte) = self.bytes.pop_front() {
            sequence.push(byte);
            if (0x40..=0x7e).contains(&byte) || sequence.len() > 12 {
                break;
            }
        }
        match sequence.as_slice() {
            b"A" => Key::Up,
            b"B" => Key::Down,
            b"C" => Key::Right,
            b"D" => Key::Left,
            b"H" | b"1~" | b"7~" => Key::Home,
            b"F" | b"4~" | b"8~" => Key::End,
            b"5~" => Key::PageUp,
            b"6~" => Key::PageDown,
            b"3~" => Key::Delete,
            _ => Key::Other,
        }
    }
}
