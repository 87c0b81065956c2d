//! The log in good weather: numbers, files, restarts, retention, reading.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wire::{Event, EventKind};

use super::*;

/// 2026-11-21, 12:00 UTC.
pub const NOON: u64 = 1_795_262_400_000_000;
const DAY: u64 = 86_400_000_000;

/// A clock that tests set.
#[derive(Clone)]
pub struct Hand(Arc<AtomicU64>);

impl Hand {
    pub fn at(micros: u64) -> Self {
        Self(Arc::new(AtomicU64::new(micros)))
    }
    pub fn add_days(&self, days: u64) {
        self.0.fetch_add(days * DAY, Ordering::SeqCst);
    }
    pub fn set(&self, micros: u64) {
        self.0.store(micros, Ordering::SeqCst);
    }
    pub fn clock(&self) -> Clock {
        let hand = Arc::clone(&self.0);
        Arc::new(move || hand.load(Ordering::SeqCst))
    }
}

pub fn options(folder: &Path, hand: &Hand) -> Options {
    Options {
        log_directory: folder.join("logs"),
        state_directory: folder.join("state"),
        retention_days: 30,
        max_bytes: 1 << 30,
        registry: true,
        sensor: "rustbucket-abcdefgh".into(),
        uuid: "6f9619ff-8b86-4d01-b42d-00cf4fc964ff".into(),
        clock: hand.clock(),
    }
}

pub fn command(log: &EventLog, line: &str) -> Option<u64> {
    log.append_own(EventKind::command_input(line.as_bytes()))
}

/// Every event of every file, by number; fails when a number is there twice or a file is out of order.
pub fn on_disk(folder: &Path) -> BTreeMap<u64, Event> {
    let mut events = BTreeMap::new();
    for entry in std::fs::read_dir(folder.join("logs")).unwrap() {
        let path = entry.unwrap().path();
        if segment::parse_name(path.file_name().unwrap().to_str().unwrap()).is_none() {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "{}", path.display());
        let mut last = 0;
        for line in text.lines() {
            let event: Event = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            let seq = event.stamp.seq;
            assert!(seq > last, "{} goes from {last} to {seq}", path.display());
            assert_eq!(segment::seq_of(line.as_bytes()), Some(seq));
            last = seq;
            assert!(events.insert(seq, event).is_none(), "{seq} is there twice");
        }
    }
    events
}

pub fn numbers(folder: &Path) -> Vec<u64> {
    on_disk(folder).into_keys().collect()
}

pub fn gaps(folder: &Path) -> Vec<(u64, u64)> {
    let gap = |event: Event| match event.kind {
        EventKind::LogGap { from_seq, to_seq, .. } => Some((from_seq, to_seq)),
        _ => None,
    };
    on_disk(folder).into_values().filter_map(gap).collect()
}

pub fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder.join("logs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_line_is_what_the_contract_says() {
    let folder = tempfile::tempdir().unwrap();
    let log = EventLog::open(options(folder.path(), &Hand::at(NOON + 42))).unwrap();
    assert_eq!(command(&log, "uname -a"), Some(1));
    assert_eq!(files(folder.path()), ["rustbucket.log.2026-11-21"]);
    let text = std::fs::read_to_string(folder.path().join("logs/rustbucket.log.2026-11-21")).unwrap();
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["eventid"], "cowrie.command.input");
    assert_eq!(line["input"], "uname -a");
    assert_eq!(line["message"], "CMD: uname -a");
    assert_eq!(line["timestamp"], "2026-11-21T12:00:00.000042Z");
    assert_eq!((&line["seq"], &line["session"]), (&1.into(), &wire::event::NO_SESSION.into()));
    let uuid = uuid::Uuid::parse_str(line["event_uuid"].as_str().unwrap()).unwrap();
    assert_eq!((uuid.get_version_num(), uuid.get_variant()), (8, uuid::Variant::RFC4122));
    assert_eq!(line["boot_id"], *log.boot_id());
    assert_ne!(log.event_uuid(1), log.event_uuid(2));
    assert!(log.event_uuid(0xabc).ends_with("00abc"));
    let other = tempfile::tempdir().unwrap();
    let other = EventLog::open(options(other.path(), &Hand::at(NOON))).unwrap();
    assert_ne!(log.event_uuid(1), other.event_uuid(1));
}

#[test]
fn numbers_go_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::at(NOON);
    for round in 0..5u64 {
        let log = EventLog::open(options(folder.path(), &hand)).unwrap();
        assert_eq!(log.positions().last_seq, round * 3);
        for n in 1..=3 {
            assert_eq!(command(&log, "id"), Some(round * 3 + n));
        }
        if round % 2 == 0 {
            log.close().unwrap();
        }
    }
    assert_eq!(numbers(folder.path()), (1..=15).collect::<Vec<_>>());
    assert_eq!(gaps(folder.path()), []);
}

#[test]
fn a_log_is_opened_once() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::at(NOON);
    let log = EventLog::open(options(folder.path(), &hand)).unwrap();
    let clone = log.clone();
    drop(log);
    assert!(matches!(EventLog::open(options(folder.path(), &hand)), Err(EventLogError::InUse { .. })));
    drop(clone);
    EventLog::open(options(folder.path(), &hand)).unwrap();
}

#[test]
fn each_day_has_its_file_and_a_clock_set_back_mixes_none() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::at(NOON);
    let log = EventLog::open(options(folder.path(), &hand)).unwrap();
    command(&log, "one");
    hand.add_days(1);
    command(&log, "two");
    hand.set(NOON + 1);
    command(&log, "three");
    drop(log);
    let log = EventLog::open(options(folder.path(), &hand)).unwrap();
    command(&log, "four");
    assert_eq!(
        files(folder.path()),
        ["rustbucket.log.2026-11-21", "rustbucket.log.2026-11-21.1", "rustbucket.log.2026-11-22"]
    );
    assert_eq!(numbers(folder.path()), [1, 2, 3, 4]);
    let mut after = 0;
    while let Some(extract) = log.read_after(after, 1 << 20).unwrap() {
        assert_eq!(extract.first_seq, after + 1);
        after = extract.last_seq;
    }
    assert_eq!(after, 4);
}

#[test]
fn eight_threads_lose_nothing_and_keep_order() {
    let folder = tempfile::tempdir().unwrap();
    let log = EventLog::open(options(folder.path(), &Hand::at(NOON))).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let log = log.clone();
            scope.spawn(move || {
                for n in 0..500 {
                    command(&log, &format!("echo {thread} {n}")).unwrap();
                }
            });
        }
    });
    let events = on_disk(folder.path());
    assert_eq!(events.keys().copied().collect::<Vec<_>>(), (1..=4000).collect::<Vec<_>>());
    let mut inputs: Vec<_> = events.into_values().map(|event| event.message).collect();
    inputs.sort();
    inputs.dedup();
    assert_eq!(inputs.len(), 4000);
}

#[test]
fn extracts_join_to_the_whole_log() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::at(NOON);
    let mut chosen = options(folder.path(), &hand);
    chosen.max_bytes = 4 << 20; // files of 512 KiB
    let log = EventLog::open(chosen).unwrap();
    assert_eq!(log.read_after(0, 100).unwrap(), None);
    for n in 0..3000 {
        command(&log, &"x".repeat(n % 700)).unwrap();
    }
    command(&log, &"y".repeat(60_000)).unwrap();
    assert!(files(folder.path()).len() > 2, "{:?}", files(folder.path()));
    for limit in [1, 5000, 100_000, 10 << 20] {
        let (mut after, mut more, mut count) = (0, true, 0);
        while let Some(extract) = log.read_after(after, limit).unwrap() {
            assert!(more, "more was false before the end");
            let lines: Vec<_> = extract.bytes.split_inclusive(|byte| *byte == b'\n').collect();
            assert!(lines.len() == 1 || extract.bytes.len() as u64 <= limit);
            for line in &lines {
                count += 1;
                assert_eq!(segment::seq_of(line), Some(count));
            }
            assert_eq!((extract.first_seq, extract.last_seq), (after + 1, count));
            (after, more) = (extract.last_seq, extract.more);
        }
        assert!(!more);
        assert_eq!(count, 3001);
    }
    assert_eq!(log.read_after(1500, 1).unwrap().unwrap().first_seq, 1501);
}

#[test]
fn acknowledgements_are_kept_and_cannot_run_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::at(NOON);
    let log = EventLog::open(options(folder.path(), &hand)).unwrap();
    for _ in 0..5 {
        command(&log, "id");
    }
    assert!(log.acknowledge(3));
    assert!(log.acknowledge(2));
    assert!(!log.acknowledge(6));
    assert_eq!(log.positions(), Positions { first_seq: 1, last_seq: 5, acknowledged: 3 });
    drop(log);
    assert_eq!(EventLog::open(options(folder.path(), &hand)).unwrap().positions().acknowledged, 3);
}

/// Five days with one file each, then time passes.
fn five_days(folder: &Path, hand: &Hand, change: impl FnOnce(&mut Options)) -> EventLog {
    let mut chosen = options(folder, hand);
    chosen.retention_days = 2;
    change(&mut chosen);
    let log = EventLog::open(chosen).unwrap();
    for _ in 0..5 {
        for _ in 0..10 {
            command(&log, &"z".repeat(1000)).unwrap();
        }
        hand.add_days(1);
    }
    log
}

#[test]
fn days_count_only_for_what_the_registry_has() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::at(NOON);
    let log = five_days(folder.path(), &hand, |_| {});
    log.sweep();
    assert_eq!(files(folder.path()).len(), 5);
    assert!(log.acknowledge(15));
    log.sweep();
    assert_eq!(log.positions().first_seq, 11);
    assert!(log.acknowledge(50));
    log.sweep();
    // Days 4 and 5 are young enough.
    assert_eq!(files(folder.path()), ["rustbucket.log.2026-11-24", "rustbucket.log.2026-11-25"]);
    hand.add_days(100);
    log.sweep();
    assert_eq!(files(folder.path()), ["rustbucket.log.2026-11-25"]);
    assert_eq!(gaps(folder.path()), []);
    drop(log);
    // The one that is left proves the last number.
    let log = EventLog::open(options(folder.path(), &hand)).unwrap();
    assert_eq!(command(&log, "id"), Some(51));
    assert_eq!(gaps(folder.path()), []);
}

#[test]
fn days_alone_count_without_a_registry() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::at(NOON);
    let log = five_days(folder.path(), &hand, |chosen| chosen.registry = false);
    log.sweep();
    assert_eq!(log.positions().first_seq, 31);
    assert_eq!(gaps(folder.path()), []);
}

#[test]
fn a_full_log_gives_up_the_oldest_and_says_what_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::at(NOON);
    let log = five_days(folder.path(), &hand, |chosen| chosen.max_bytes = 64 << 10);
    assert!(log.acknowledge(5));
    assert_eq!(files(folder.path()).len(), 5);
    for _ in 0..10 {
        command(&log, &"z".repeat(1000)).unwrap();
    }
    log.sweep();
    let positions = log.positions();
    assert!(positions.first_seq > 10, "{positions:?}");
    let gaps = gaps(folder.path());
    assert_eq!(gaps.first().map(|gap| gap.0), Some(6));
    assert_eq!(gaps.last().map(|gap| gap.1), Some(positions.first_seq - 1));
    let total: u64 = std::fs::read_dir(folder.path().join("logs"))
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(total <= (64 << 10) + 1000, "{total}");
    // What is named is gone, what is not named is there.
    let there = numbers(folder.path());
    for seq in 1..=positions.last_seq {
        let named = seq < 6 || gaps.iter().any(|(from, to)| (*from..=*to).contains(&seq));
        assert_eq!(there.contains(&seq), !named, "{seq}");
    }
}
