//! Answers that come in pieces: server-sent events and JSON lines, cut wherever the network cut them.

use serde_json::Value;

/// The longest line of a stream, in bytes.
const LONGEST: usize = 1024 * 1024;

/// What a piece held.
#[derive(Debug, PartialEq)]
pub(crate) enum Piece {
    /// One event.
    Event(Value),
    /// The end mark of OpenAI's interface.
    Done,
    /// Something that is neither.
    Garbage,
}

/// Cuts bytes into events.
#[derive(Default)]
pub(crate) struct Events {
    held: Vec<u8>,
}

impl Events {
    /// Takes more bytes; gives the events that are whole now.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<Piece> {
        self.held.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        while let Some(end) = self.held.iter().position(|byte| *byte == b'\n') {
            let rest = self.held.split_off(end + 1);
            let line = std::mem::replace(&mut self.held, rest);
            pieces.extend(piece(&line));
        }
        if self.held.len() > LONGEST {
            self.held.clear();
            pieces.push(Piece::Garbage);
        }
        pieces
    }

    /// What is left when the stream ends: a last line without its end.
    pub(crate) fn rest(self) -> Option<Piece> {
        piece(&self.held)
    }
}

/// A line: `data: JSON`, a bare JSON object, or something that carries nothing (`event:`, comments, blank lines).
fn piece(line: &[u8]) -> Option<Piece> {
    let line = line.trim_ascii();
    let data = match line.strip_prefix(b"data:") {
        Some(data) => data.trim_ascii_start(),
        None if line.first() == Some(&b'{') => line,
        None => return None,
    };
    if data == b"[DONE]" {
        return Some(Piece::Done);
    }
    Some(serde_json::from_slice(data).map_or(Piece::Garbage, Piece::Event))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn events_are_found_however_they_are_cut() {
        let text = b": hello\n\nevent: x\ndata: {\"a\":1}\r\n\r\ndata:{\"a\":2}\n{\"a\":3}\ndata: [DONE]\n\ndata: {oops\n";
        let wanted = [
            Piece::Event(json!({"a": 1})),
            Piece::Event(json!({"a": 2})),
            Piece::Event(json!({"a": 3})),
            Piece::Done,
            Piece::Garbage,
        ];
        for size in [1, 2, 7, 1000] {
            let mut events = Events::default();
            let pieces: Vec<Piece> = text.chunks(size).flat_map(|chunk| events.take(chunk)).collect();
            assert_eq!(pieces, wanted, "{size}");
            assert_eq!(events.rest(), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..500), cut in 1_usize..50) {
            let mut events = Events::default();
            let count: usize = bytes.chunks(cut).map(|chunk| events.take(chunk).len()).sum();
            prop_assert!(count <= bytes.len());
        }
    }
}
