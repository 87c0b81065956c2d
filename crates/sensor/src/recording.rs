//! What a visitor's terminal showed, kept as an asciicast (version 2) that any player shows again.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

/// The most bytes of one recording; what comes after is not recorded.
const LIMIT: usize = 512 * 1024;

/// One recording under way.
pub struct Recording {
    began: Instant,
    unix: u64,
    pieces: Vec<(f64, Bytes)>,
    size: usize,
}

impl Recording {
    /// Begins now.
    pub fn begin() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self { began: Instant::now(), unix, pieces: Vec::new(), size: 0 }
    }

    /// The terminal shows these bytes.
    pub fn show(&mut self, bytes: &Bytes) {
        if self.size < LIMIT {
            self.size += bytes.len();
            self.pieces.push((self.began.elapsed().as_secs_f64(), bytes.clone()));
        }
    }

    /// Seconds so far.
    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// The file: a line about the recording, then one line for each piece (asciicast-v2 of asciinema).
    pub fn into_asciicast(self) -> String {
        let mut file = format!("{{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":{}}}\n", self.unix);
        for (at, bytes) in self.pieces {
            let text = serde_json::Value::from(String::from_utf8_lossy(&bytes));
            file.push_str(&format!("[{at:.6},\"o\",{text}]\n"));
        }
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_json_and_the_text_comes_back() {
        let mut recording = Recording::begin();
        recording.show(&Bytes::from_static(b"root@host:~# \x1b[31mred\"\r\n"));
        recording.show(&Bytes::from_static(b"\xff\xfe not text"));
        let file = recording.into_asciicast();
        let lines: Vec<serde_json::Value> =
            file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["version"], 2);
        assert_eq!(lines[1][2], "root@host:~# \u{1b}[31mred\"\r\n");
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn a_recording_is_bounded() {
        let mut recording = Recording::begin();
        for _ in 0..100 {
            recording.show(&Bytes::from(vec![b'x'; 64 * 1024]));
        }
        assert!(recording.into_asciicast().len() < LIMIT + 128 * 1024);
    }
}
