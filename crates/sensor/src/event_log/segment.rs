//! One log file: its name, what is in it, and finding a sequence number in it without reading all of it.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::timestamp;

/// What every log file's name begins with.
pub const PREFIX: &str = "rustbucket.log.";
/// Bytes read at once while looking for the end of a line.
const STEP: u64 = 4096;
/// A search ends with reading this much line by line.
const WINDOW: u64 = 64 * 1024;

/// A log file. Its handle stays open, so a reader is not disturbed when retention deletes it.
#[derive(Debug)]
pub struct Segment {
    /// Where it lies.
    pub path: PathBuf,
    /// Its day, counted from 1970-01-01.
    pub day: u64,
    /// Which file of that day: 0 first. More than one only when a day outgrows one file or the clock went back.
    pub part: u32,
    /// For reading.
    pub file: File,
    /// First sequence number in it; 0 while it is empty.
    pub first_seq: AtomicU64,
    /// Last sequence number in it.
    pub last_seq: AtomicU64,
    /// Bytes of whole lines.
    pub length: AtomicU64,
    /// Bytes known to be on disk.
    pub synced: AtomicU64,
}

/// `rustbucket.log.YYYY-MM-DD`, with `.N` from the second file of a day on.
pub fn name_of(day: u64, part: u32) -> String {
    let day = timestamp::day_name(day);
    if part == 0 { format!("{PREFIX}{day}") } else { format!("{PREFIX}{day}.{part}") }
}

/// Day and part of a log file's name; nothing for any other file.
pub fn parse_name(name: &str) -> Option<(u64, u32)> {
    let rest = name.strip_prefix(PREFIX)?;
    let (day, part) = match rest.split_once('.') {
        Some((day, part)) => (day, part.parse().ok().filter(|part| *part > 0)?),
        None => (rest, 0),
    };
    Some((timestamp::day_from_name(day)?, part))
}

/// The sequence number on a line.
///
/// Inside a JSON string a quote is always written `\"`, so the bytes `,"seq":` can only be our own key.
pub fn seq_of(line: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b",\"seq\":";
    let at = line.windows(KEY.len()).rposition(|window| window == KEY)?;
    let digits = line.get(at + KEY.len()..)?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(digits.get(..end)?).ok()?.parse().ok()
}

impl Segment {
    /// A file that holds nothing yet.
    pub fn empty(path: PathBuf, day: u64, part: u32) -> io::Result<Self> {
        let file = File::open(&path)?;
        Ok(Self {
            path,
            day,
            part,
            file,
            first_seq: AtomicU64::new(0),
            last_seq: AtomicU64::new(0),
            length: AtomicU64::new(0),
            synced: AtomicU64::new(0),
        })
    }

    /// Looks into an existing file. Its length stops at the last whole line; nothing when no line has a number.
    pub fn recover(path: &Path, day: u64, part: u32) -> io::Result<Option<Self>> {
        let segment = Self::empty(path.to_owned(), day, part)?;
        let size = segment.file.metadata()?.len();
        let end = segment.line_start_before(size)?;
        segment.length.store(end, Ordering::Release);
        segment.synced.store(end, Ordering::Release);
        let mut line = Vec::new();
        let mut at = 0;
        while let Some(next) = segment.read_line(at, end, &mut line)? {
            if let Some(seq) = seq_of(&line) {
                segment.first_seq.store(seq, Ordering::Release);
                break;
            }
            at = next;
        }
        let mut bound = end;
        while bound > 0 {
            let start = segment.line_start_before(bound - 1)?;
            segment.read_line(start, bound, &mut line)?;
            if let Some(seq) = seq_of(&line) {
                segment.last_seq.store(seq, Ordering::Release);
                return Ok(Some(segment));
            }
            bound = start;
        }
        Ok(None)
    }

    /// Bytes of whole lines.
    pub fn length(&self) -> u64 {
        self.length.load(Ordering::Acquire)
    }

    /// Last sequence number in it.
    pub fn last_seq(&self) -> u64 {
        self.last_seq.load(Ordering::Acquire)
    }

    /// First sequence number in it; 0 while it is empty.
    pub fn first_seq(&self) -> u64 {
        self.first_seq.load(Ordering::Acquire)
    }

    /// Whether the name still leads to this very file.
    pub fn is_in_place(&self) -> bool {
        match (std::fs::metadata(&self.path), self.file.metadata()) {
            (Ok(named), Ok(ours)) => named.ino() == ours.ino() && named.dev() == ours.dev(),
            // Only a name that is gone counts; anything else says nothing about the file.
            (Err(error), _) => error.kind() != io::ErrorKind::NotFound,
            (Ok(_), Err(_)) => true,
        }
    }

    /// Makes everything in the file durable.
    pub fn sync(&self) -> io::Result<()> {
        let length = self.length();
        if self.synced.load(Ordering::Acquire) < length {
            self.file.sync_data()?;
            self.synced.fetch_max(length, Ordering::AcqRel);
        }
        Ok(())
    }

    /// Offset of the first line whose number is above `after`; the length when there is none.
    pub fn locate(&self, after: u64) -> io::Result<u64> {
        let end = self.length();
        if self.first_seq() > after {
            return Ok(0);
        }
        // Every line before `low` is at or below `after`, every numbered line from `high` on is above it.
        let (mut low, mut high) = (0, end);
        let mut line = Vec::new();
        'narrow: while high - low > WINDOW {
            let Some(newline) = self.find_newline(low + (high - low) / 2, high)? else { break };
            let probe = newline + 1;
            let mut at = probe;
            loop {
                if at >= high {
                    break 'narrow;
                }
                let Some(next) = self.read_line(at, high, &mut line)? else { break 'narrow };
                match seq_of(&line) {
                    Some(seq) if seq > after => high = probe,
                    Some(_) => low = next,
                    None => {
                        at = next;
                        continue;
                    }
                }
                break;
            }
        }
        while low < high {
            let Some(next) = self.read_line(low, high, &mut line)? else { break };
            if seq_of(&line).is_some_and(|seq| seq > after) {
                return Ok(low);
            }
            low = next;
        }
        Ok(high)
    }

    /// Reads bytes `from..to`.
    pub fn read(&self, from: u64, to: u64) -> io::Result<Vec<u8>> {
        let size = usize::try_from(to.saturating_sub(from)).map_err(io::Error::other)?;
        let mut bytes = vec![0; size];
        self.file.read_exact_at(&mut bytes, from)?;
        Ok(bytes)
    }

    /// Offset of the first newline in `from..end`.
    pub fn find_newline(&self, from: u64, end: u64) -> io::Result<Option<u64>> {
        let mut at = from;
        while at < end {
            let bytes = self.read(at, end.min(at + STEP))?;
            if let Some(found) = bytes.iter().position(|byte| *byte == b'\n') {
                return Ok(Some(at + found as u64));
            }
            at += bytes.len() as u64;
        }
        Ok(None)
    }

    /// Reads the line at `from` without its newline; gives the offset of the next.
    fn read_line(&self, from: u64, end: u64, line: &mut Vec<u8>) -> io::Result<Option<u64>> {
        line.clear();
        let mut at = from;
        while at < end {
            let bytes = self.read(at, end.min(at + STEP))?;
            if let Some(found) = bytes.iter().position(|byte| *byte == b'\n') {
                line.extend(bytes.iter().take(found));
                return Ok(Some(at + found as u64 + 1));
            }
            at += bytes.len() as u64;
            line.extend_from_slice(&bytes);
        }
        Ok(None)
    }

    /// Start of the line that holds the byte before `end`, or `end` itself when that byte is a newline.
    pub fn line_start_before(&self, end: u64) -> io::Result<u64> {
        let mut high = end;
        while high > 0 {
            let low = high.saturating_sub(STEP);
            let bytes = self.read(low, high)?;
            if let Some(found) = bytes.iter().rposition(|byte| *byte == b'\n') {
                return Ok(low + found as u64 + 1);
            }
            high = low;
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn segment_of(text: &[u8]) -> (tempfile::TempDir, Option<Segment>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name_of(19_000, 0));
        std::fs::write(&path, text).unwrap();
        let segment = Segment::recover(&path, 19_000, 0).unwrap();
        (folder, segment)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))] // each case writes a file of some megabytes

        /// The reference is reading every line in turn.
        #[test]
        fn locates_like_a_plain_scan(
            sizes in prop::collection::vec((1u64..4, prop_oneof![Just(3usize), 0usize..9000, Just(200_000usize)]), 1..60),
            after in 0u64..200,
        ) {
            let (mut text, mut seq, mut expected) = (Vec::new(), 0, None);
            for (step, size) in sizes {
                seq += step;
                if seq > after && expected.is_none() {
                    expected = Some(text.len() as u64);
                }
                let filling = "x".repeat(size);
                text.extend(format!("{{\"a\":\"{filling}\\\",\\\"seq\\\":9\",\"seq\":{seq},\"b\":1}}\n").bytes());
            }
            let (_folder, segment) = segment_of(&text);
            let segment = segment.unwrap();
            prop_assert_eq!(segment.last_seq(), seq);
            prop_assert_eq!(segment.locate(after).unwrap(), expected.unwrap_or(text.len() as u64));
        }

        #[test]
        fn any_bytes_can_be_looked_into(bytes in prop::collection::vec(any::<u8>(), 0..20_000), after: u64) {
            let (_folder, segment) = segment_of(&bytes);
            if let Some(segment) = segment {
                segment.locate(after).unwrap();
            }
        }
    }

    #[test]
    fn attackers_text_is_not_taken_for_the_number() {
        assert_eq!(seq_of(br#"{"input":",\"seq\":99,","seq":7,"boot_id":"x"}"#), Some(7));
        assert_eq!(seq_of(br#"{"a":["seq","\",\"seq\":5"],"seq":12}"#), Some(12));
        assert_eq!(seq_of(br#"{"input":"none"}"#), None);
    }

    #[test]
    fn names_go_there_and_back() {
        for (day, part) in [(0, 0), (20_778, 0), (20_778, 3)] {
            assert_eq!(parse_name(&name_of(day, part)), Some((day, part)));
        }
        for name in [
            "rustbucket.log",
            "rustbucket.log.2026-11-21.0",
            "rustbucket.log.2026-11-21.gz",
            "rustbucket.torn",
        ] {
            assert_eq!(parse_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_torn_last_line_is_outside_the_length() {
        let whole = b"{\"a\":1,\"seq\":4,\"b\":2}\n";
        let (_folder, segment) = segment_of(&[&whole[..], b"{\"a\":1,\"seq\":5,"].concat());
        let segment = segment.unwrap();
        assert_eq!((segment.length(), segment.last_seq()), (whole.len() as u64, 4));
    }
}
