//! The log when the disk is full or its folder is taken away while it runs.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wire::EventKind;

use super::sink::{self, OpenSink, Sink};
use super::tests::{Hand, NOON, command, files, gaps, numbers, on_disk, options};
use super::*;

/// A disk with so many bytes left; like a real one it takes part of a line before it refuses.
struct SmallDisk {
    file: Box<dyn Sink>,
    left: Arc<AtomicU64>,
    cut_fails: bool,
}

impl Sink for SmallDisk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::SeqCst);
        let taken = left.min(bytes.len() as u64);
        if taken == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.left.fetch_sub(taken, Ordering::SeqCst);
        self.file.append(&bytes[..taken as usize])
    }
    fn cut(&mut self, length: u64) -> io::Result<()> {
        if self.cut_fails && self.left.load(Ordering::SeqCst) == 0 {
            return Err(io::Error::other("no cut"));
        }
        self.file.cut(length)
    }
}

fn small_disk(left: &Arc<AtomicU64>, cut_fails: bool) -> OpenSink {
    let left = Arc::clone(left);
    Arc::new(move |path: &Path| {
        Ok(Box::new(SmallDisk { file: sink::file(path)?, left: Arc::clone(&left), cut_fails })
            as Box<dyn Sink>)
    })
}

fn check_outage(restart: bool, cut_fails: bool) {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::at(NOON);
    let left = Arc::new(AtomicU64::new(2000));
    let mut log = EventLog::open_with(options(folder.path(), &hand), small_disk(&left, cut_fails)).unwrap();
    let (mut written, mut lost) = (Vec::new(), Vec::new());
    for n in 1..=20 {
        match command(&log, "uname -a; id") {
            Some(seq) => written.push(seq),
            None => lost.push(n),
        }
    }
    assert!(written.len() >= 2 && lost.len() >= 10, "{written:?} {lost:?}");
    assert_eq!(log.counters().lost.load(Ordering::SeqCst), lost.len() as u64);
    let read = log.read_after(0, 1 << 20).unwrap().unwrap();
    assert_eq!((read.last_seq, read.more), (*written.last().unwrap(), false));
    if restart {
        drop(log);
        left.store(0, Ordering::SeqCst);
        log = EventLog::open_with(options(folder.path(), &hand), small_disk(&left, cut_fails)).unwrap();
        assert_eq!(command(&log, "still full"), None);
        lost.push(21);
    }
    left.store(1 << 20, Ordering::SeqCst);
    let next = command(&log, "works again").unwrap();
    let (from, to) = (lost[0], *lost.last().unwrap());
    let named = gaps(folder.path());
    // A gap that was told before and one that follows may stand apart, but together they name exactly what is lost.
    let all: Vec<u64> = named.iter().flat_map(|(from, to)| *from..=*to).collect();
    assert_eq!(all, (from..=to).collect::<Vec<_>>());
    let there = numbers(folder.path());
    assert_eq!(there.last(), Some(&next));
    assert_eq!(there.len() + all.len(), next as usize);
    let bytes: u64 = on_disk(folder.path())
        .into_values()
        .map(|event| match event.kind {
            EventKind::LogGap { bytes, reason, .. } => {
                assert!(reason.contains("not written"), "{reason}");
                bytes
            }
            _ => 0,
        })
        .sum();
    assert!(bytes > lost.len() as u64 * 200, "{bytes}");
}

#[test]
fn a_full_disk_is_told_when_it_works_again() {
    check_outage(false, false);
}

#[test]
fn a_full_disk_is_told_after_a_restart() {
    check_outage(true, false);
}

#[test]
fn part_of_a_line_that_cannot_be_cut_off_at_once_is_cut_later() {
    check_outage(false, true);
}

#[test]
fn a_day_that_begins_on_a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::at(NOON);
    let left = Arc::new(AtomicU64::new(1000));
    let log = EventLog::open_with(options(folder.path(), &hand), small_disk(&left, false)).unwrap();
    assert_eq!(command(&log, "id"), Some(1));
    left.store(0, Ordering::SeqCst);
    hand.add_days(1);
    assert_eq!(command(&log, "id"), None);
    left.store(1 << 20, Ordering::SeqCst);
    assert_eq!(command(&log, "id"), Some(4));
    assert_eq!(gaps(folder.path()), [(2, 2)]);
    assert_eq!(files(folder.path()), ["rustbucket.log.2026-11-21", "rustbucket.log.2026-11-22"]);
    assert_eq!(log.read_after(1, 1 << 20).unwrap().unwrap().first_seq, 3);
}

#[test]
fn a_folder_that_is_deleted_comes_back_with_its_events() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::at(NOON);
    let log = EventLog::open(options(folder.path(), &hand)).unwrap();
    for _ in 0..3 {
        command(&log, "id");
    }
    std::fs::remove_dir_all(folder.path().join("logs")).unwrap();
    log.shared.look_after();
    assert_eq!(command(&log, "id"), Some(4));
    assert_eq!(numbers(folder.path()), [1, 2, 3, 4]);
    assert_eq!(log.read_after(0, 1 << 20).unwrap().unwrap().last_seq, 4);
    // Moved aside, as log rotation by a stranger does: the events are written to a name of our own again.
    let path = folder.path().join("logs/rustbucket.log.2026-11-21");
    std::fs::rename(&path, folder.path().join("elsewhere")).unwrap();
    std::fs::write(&path, "somebody else's\n").unwrap();
    log.shared.look_after();
    assert_eq!(command(&log, "id"), Some(5));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(numbers(folder.path()), [1, 2, 3, 4, 5]);
}

#[test]
fn an_older_file_that_somebody_deletes_is_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::at(NOON);
    let log = EventLog::open(options(folder.path(), &hand)).unwrap();
    for _ in 0..3 {
        command(&log, "id");
        command(&log, "id");
        hand.add_days(1);
    }
    log.acknowledge(1);
    std::fs::remove_file(folder.path().join("logs/rustbucket.log.2026-11-21")).unwrap();
    log.sweep();
    log.sweep();
    assert_eq!(gaps(folder.path()), [(2, 2)]);
    assert_eq!(log.positions().first_seq, 3);
}

#[test]
fn a_folder_that_cannot_be_made_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("logs"), "a file").unwrap();
    let error = EventLog::open(options(folder.path(), &Hand::at(NOON))).unwrap_err();
    assert!(
        matches!(error, EventLogError::MakeFolder { .. }) && error.to_string().contains("logs"),
        "{error}"
    );
}
