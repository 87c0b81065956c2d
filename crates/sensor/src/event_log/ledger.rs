//! The log's positions across restarts: a small file of two slots, overwritten in place so that it still works on a full disk.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fault::EventLogError;

/// Bytes of one slot. Two slots are written in turn: a torn write damages at most one of them.
const SLOT: usize = 8192;
/// The most gaps that wait at once; further ones are merged into the last.
const GAPS_MAX: usize = 8;
/// The most characters of a gap's reason.
const REASON_MAX: usize = 120;

/// Events that are gone and not yet reported in the log itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// First lost sequence number.
    pub from_seq: u64,
    /// Last lost sequence number.
    pub to_seq: u64,
    /// Bytes of the lost lines.
    pub bytes: u64,
    /// Why, for people.
    pub reason: String,
}

/// What the ledger says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Raised with every write; the slot with the higher one counts.
    pub generation: u64,
    /// No sequence number above this was ever used; exactly the last one used when `clean`.
    pub reserved: u64,
    /// The registry has everything up to here.
    pub acknowledged: u64,
    /// The log was closed on purpose.
    pub clean: bool,
    /// Name of the newest log file, empty before the first.
    pub newest: String,
    /// Gaps that no event reports yet.
    pub gaps: Vec<Gap>,
}

/// The open, locked ledger.
#[derive(Debug)]
pub struct Ledger {
    file: Arc<File>,
    entry: Entry,
}

impl Ledger {
    /// Opens and locks the ledger, or makes it.
    pub fn open(path: &Path) -> Result<Self, EventLogError> {
        let fault = |source| EventLogError::Ledger { path: path.to_owned(), source };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(fault)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(EventLogError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(fault(source)),
        }
        let length = file.metadata().map_err(fault)?.len();
        let mut ledger = Self { file: Arc::new(file), entry: Entry::default() };
        if length == 0 {
            // Both slots at once, so that later writes need no new disk block.
            ledger.entry.generation = 1;
            let mut both = encode(&ledger.entry);
            both.resize(2 * SLOT, b' ');
            ledger.file.write_all_at(&both, 0).map_err(fault)?;
            ledger.file.sync_all().map_err(fault)?;
            return Ok(ledger);
        }
        let mut found: Option<Entry> = None;
        for offset in [0, SLOT as u64] {
            let mut slot = vec![0; SLOT];
            match ledger.file.read_exact_at(&mut slot, offset) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => continue,
                Err(error) => return Err(fault(error)),
            }
            if let Some(entry) = decode(&slot)
                && found.as_ref().is_none_or(|best| entry.generation > best.generation)
            {
                found = Some(entry);
            }
        }
        ledger.entry = found.ok_or_else(|| EventLogError::LedgerDamaged { path: path.to_owned() })?;
        Ok(ledger)
    }

    /// Where the ledger lies in a state folder.
    pub fn path_in(state_directory: &Path) -> PathBuf {
        state_directory.join("event_log.ledger")
    }

    /// What it says now.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The file, for syncing outside a lock.
    pub fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// Changes the entry and writes it to the other slot. The entry is changed even when the write fails.
    pub fn store(&mut self, change: impl FnOnce(&mut Entry)) -> io::Result<()> {
        change(&mut self.entry);
        self.entry.generation += 1;
        let offset = if self.entry.generation.is_multiple_of(2) { SLOT as u64 } else { 0 };
        self.file.write_all_at(&encode(&self.entry), offset)
    }
}

impl Entry {
    /// Adds a gap, joined to the last one where that tells no lie.
    pub fn add_gap(&mut self, mut gap: Gap) {
        let visible = |c: char| if c.is_control() { ' ' } else { c };
        gap.reason = gap.reason.chars().map(visible).take(REASON_MAX).collect();
        let crowded = self.gaps.len() >= GAPS_MAX;
        match self.gaps.last_mut() {
            Some(last) if last.to_seq + 1 == gap.from_seq && last.reason == gap.reason => {
                last.to_seq = gap.to_seq;
                last.bytes += gap.bytes;
            }
            Some(last) if crowded => {
                // The range may now also name events that are still there: too much alarm rather than too little.
                last.from_seq = last.from_seq.min(gap.from_seq);
                last.to_seq = last.to_seq.max(gap.to_seq);
                last.bytes += gap.bytes;
                last.reason = "several causes".to_owned();
            }
            _ => self.gaps.push(gap),
        }
    }
}

fn encode(entry: &Entry) -> Vec<u8> {
    // Eight gaps with reasons of 120 characters fit well below the size of a slot; a struct of numbers and
    // text has no way to fail to serialise.
    let json = serde_json::to_vec(entry).unwrap_or_default();
    let mut slot = format!("{:08x} ", checksum(&json)).into_bytes();
    slot.extend_from_slice(&json);
    slot.resize(SLOT, b' ');
    slot
}

fn decode(slot: &[u8]) -> Option<Entry> {
    let text = std::str::from_utf8(slot).ok()?.trim_end();
    let (sum, json) = text.split_once(' ')?;
    (u32::from_str_radix(sum, 16).ok()? == checksum(json.as_bytes())).then_some(())?;
    serde_json::from_str(json).ok()
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(from_seq: u64, to_seq: u64, reason: &str) -> Gap {
        Gap { from_seq, to_seq, bytes: 10, reason: reason.to_owned() }
    }

    #[test]
    fn survives_a_torn_slot() {
        let folder = tempfile::tempdir().unwrap();
        let path = Ledger::path_in(folder.path());
        let mut ledger = Ledger::open(&path).unwrap();
        ledger.store(|entry| entry.reserved = 7).unwrap();
        ledger.store(|entry| entry.reserved = 8).unwrap();
        drop(ledger);
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(b"torn", 20).unwrap(); // generation 3 lies in the first slot
        let ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.entry().reserved, 7);
        drop(ledger);
        file.write_all_at(b"torn", SLOT as u64 + 20).unwrap();
        let error = Ledger::open(&path).unwrap_err();
        assert!(matches!(error, EventLogError::LedgerDamaged { .. }), "{error}");
    }

    #[test]
    fn is_locked_while_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = Ledger::path_in(folder.path());
        let first = Ledger::open(&path).unwrap();
        assert!(matches!(Ledger::open(&path), Err(EventLogError::InUse { .. })));
        drop(first);
        Ledger::open(&path).unwrap();
    }

    #[test]
    fn many_gaps_stay_within_a_slot() {
        let mut entry = Entry::default();
        for n in 0..100u64 {
            entry.add_gap(gap(n * 10 + 1, n * 10 + 2, &format!("{n} {}", "\u{1}".repeat(300))));
        }
        assert_eq!(entry.gaps.len(), GAPS_MAX);
        assert_eq!(entry.gaps.last().unwrap().to_seq, 992);
        assert_eq!(entry.gaps.iter().map(|gap| gap.bytes).sum::<u64>(), 1000);
        let slot = encode(&entry);
        assert_eq!(decode(&slot).as_ref(), Some(&entry));
    }

    #[test]
    fn neighbouring_gaps_of_one_cause_are_one() {
        let mut entry = Entry::default();
        entry.add_gap(gap(1, 1, "full"));
        entry.add_gap(gap(2, 5, "full"));
        entry.add_gap(gap(6, 6, "gone"));
        assert_eq!(entry.gaps.len(), 2);
        assert_eq!((entry.gaps[0].to_seq, entry.gaps[0].bytes), (5, 20));
    }
}
