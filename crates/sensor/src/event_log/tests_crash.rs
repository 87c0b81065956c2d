//! The log when its process is killed, and when files are torn or missing at the next start.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::tests::{Hand, NOON, command, files, gaps, numbers, on_disk, options};
use super::*;

/// Set for the child that is to be killed.
const FOLDER: &str = "RUSTBUCKET_TEST_LOG_FOLDER";

/// Not a test by itself: the process that `nothing_counted_is_lost_by_kill_9` kills. It tells each number that counts.
#[test]
fn child_that_writes_until_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let log = EventLog::open(options(folder.as_ref(), &Hand::at(NOON))).unwrap();
    let threads: Vec<_> = (0..2)
        .map(|thread| {
            let log = log.clone();
            std::thread::spawn(move || {
                for n in 0.. {
                    let seq = command(&log, &format!("{thread} {}", "k".repeat(n % 2000))).unwrap();
                    // One write for each number, so that none is half told.
                    std::io::stderr().write_all(format!("counted {seq}\n").as_bytes()).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn nothing_counted_is_lost_by_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let mut counted = BTreeSet::new();
    for round in 0..8u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "event_log::tests_crash::child_that_writes_until_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut line = told.next().unwrap().unwrap();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_micros(rand::random_range(0..30_000) + round * 1000));
            child.kill().unwrap();
            child.wait().unwrap()
        });
        loop {
            if let Some(seq) = line.strip_prefix("counted ").and_then(|seq| seq.parse::<u64>().ok()) {
                assert!(counted.insert(seq), "{seq} counted twice");
            }
            match told.next() {
                Some(Ok(next)) => line = next,
                _ => break,
            }
        }
        assert!(!killer.join().unwrap().success());
    }
    let log = EventLog::open(options(folder.path(), &Hand::at(NOON))).unwrap();
    let last = log.positions().last_seq;
    assert_eq!(numbers(folder.path()), (1..=last).collect::<Vec<_>>());
    assert!(counted.len() > 8 && counted.iter().all(|seq| *seq <= last));
    assert_eq!(gaps(folder.path()), []);
}

/// Leaves the log as `kill -9` does: the ledger is not closed.
fn kill(log: EventLog, folder: &std::path::Path) {
    let path = ledger::Ledger::path_in(&folder.join("state"));
    let before = std::fs::read(&path).unwrap();
    drop(log);
    std::fs::write(&path, before).unwrap();
}

#[test]
fn a_torn_line_is_put_aside_and_its_number_used_again() {
    for (tail, cut) in
        [("{\"eventid\":\"cowrie.command.input\",\"input\":\"wg", 0), ("", 10), ("\0\0\0\0", 0)]
    {
        let folder = tempfile::tempdir().unwrap();
        let hand = Hand::at(NOON);
        let log = EventLog::open(options(folder.path(), &hand)).unwrap();
        for _ in 0..3 {
            command(&log, "id");
        }
        kill(log, folder.path());
        let path = folder.path().join("logs/rustbucket.log.2026-11-21");
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(tail.as_bytes()).unwrap();
        file.set_len(file.metadata().unwrap().len() - cut).unwrap();
        let whole = if cut == 0 { 3 } else { 2 };
        let log = EventLog::open(options(folder.path(), &hand)).unwrap();
        assert_eq!(log.positions().last_seq, whole);
        assert_eq!(command(&log, "after"), Some(whole + 1));
        assert_eq!(numbers(folder.path()), (1..=whole + 1).collect::<Vec<_>>());
        assert!(files(folder.path()).contains(&recovery::TORN.to_owned()));
        let torn = std::fs::read_to_string(folder.path().join("logs").join(recovery::TORN)).unwrap();
        assert!(torn.ends_with('\n') && torn.len() > 1, "{torn:?}");
        assert_eq!(gaps(folder.path()), []);
    }
}

#[test]
fn deleted_files_never_bring_a_number_back() {
    for killed in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let hand = Hand::at(NOON);
        let log = EventLog::open(options(folder.path(), &hand)).unwrap();
        for _ in 0..10 {
            command(&log, "id");
        }
        log.acknowledge(4);
        if killed {
            kill(log, folder.path());
        } else {
            drop(log);
        }
        std::fs::remove_dir_all(folder.path().join("logs")).unwrap();
        let log = EventLog::open(options(folder.path(), &hand)).unwrap();
        let seq = command(&log, "id").unwrap();
        assert!(seq > 10, "{seq}");
        let gaps = gaps(folder.path());
        assert_eq!(gaps.len(), 1);
        assert!(gaps[0].0 == 5 && gaps[0].1 >= 10, "{gaps:?}");
        if !killed {
            assert_eq!((gaps[0].1, seq), (10, 12));
        }
        // The report is made once.
        drop(log);
        drop(EventLog::open(options(folder.path(), &hand)).unwrap());
        assert_eq!(self::gaps(folder.path()).len(), 1);
    }
}

#[test]
fn a_lost_ledger_goes_on_from_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::at(NOON);
    let log = EventLog::open(options(folder.path(), &hand)).unwrap();
    for _ in 0..10 {
        command(&log, "id");
    }
    drop(log);
    std::fs::remove_dir_all(folder.path().join("state")).unwrap();
    let log = EventLog::open(options(folder.path(), &hand)).unwrap();
    assert_eq!(command(&log, "id"), Some(11));
    drop(log);
    std::fs::write(ledger::Ledger::path_in(&folder.path().join("state")), "rubbish").unwrap();
    let error = EventLog::open(options(folder.path(), &hand)).unwrap_err().to_string();
    assert!(error.contains("event_log.ledger") && error.contains("move it away"), "{error}");
}

#[test]
fn strange_files_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    std::fs::create_dir_all(&logs).unwrap();
    std::fs::write(logs.join("rustbucket.log.2026-11-20"), "not ours\n").unwrap();
    std::fs::write(logs.join("rustbucket.log.2026-11-21"), "").unwrap();
    std::fs::write(logs.join("notes.txt"), "hello").unwrap();
    let log = EventLog::open(options(folder.path(), &Hand::at(NOON))).unwrap();
    assert_eq!(command(&log, "id"), Some(1));
    assert_eq!(std::fs::read_to_string(logs.join("rustbucket.log.2026-11-20")).unwrap(), "not ours\n");
    std::fs::remove_file(logs.join("rustbucket.log.2026-11-20")).unwrap();
    assert_eq!(on_disk(folder.path()).len(), 1);
}
