//! The log of what visitors did: one JSON line an event, written before it counts, numbered without a gap.
//!
//! An event counts when `write(2)` has returned: from then on the kernel has it, and neither a panic nor
//! `kill -9` of this process takes it away. A thread syncs the files about once a second, and whatever is
//! handed to the registry is synced before, so a power cut can cost a second of events but never gives a
//! number the registry has seen to another event.
//!
//! A line that a crash cut short never counted: it is moved to `rustbucket.torn`, told in the diagnostics,
//! and its number is used again. Events that counted for a visitor but could not be written (disk full, folder
//! gone) keep their numbers; a `rustbucket.log.gap` event names them as soon as writing works again, also
//! after a restart, because the range waits in the ledger, which is overwritten in place and needs no space.

mod extract;
mod fault;
mod ledger;
mod recovery;
mod retention;
mod segment;
mod sink;
mod timestamp;
mod upkeep;
mod writer;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_crash;
#[cfg(test)]
mod tests_trouble;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use wire::{Event, EventKind};

pub use extract::Extract;
pub use fault::EventLogError;
use segment::Segment;
use upkeep::Upkeep;
use writer::Writer;

/// Gives the time in microseconds since 1970 (UTC).
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// How a log is kept.
#[derive(Clone)]
pub struct Options {
    /// Folder of the log files.
    pub log_directory: PathBuf,
    /// Folder of the ledger.
    pub state_directory: PathBuf,
    /// Days a file is kept after its own day.
    pub retention_days: u32,
    /// Bytes all log files together may have.
    pub max_bytes: u64,
    /// A registry fetches the log, and events it has not acknowledged are kept beyond their days.
    pub registry: bool,
    /// Name of this bucket, for events of the program itself.
    pub sensor: Arc<str>,
    /// UUID of this bucket, for events of the program itself.
    pub uuid: Arc<str>,
    /// The time; [`system_clock`] except in tests.
    pub clock: Clock,
}

/// The system's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    })
}

/// Which events the log holds. Zero stands for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Positions {
    /// Oldest sequence number still in a file.
    pub first_seq: u64,
    /// Newest sequence number in a file.
    pub last_seq: u64,
    /// The registry has everything up to here.
    pub acknowledged: u64,
}

/// Figures since the log was opened.
#[derive(Debug, Default)]
pub struct Counters {
    /// Events written.
    pub written: AtomicU64,
    /// Bytes written.
    pub bytes: AtomicU64,
    /// Events that are gone: not written, or deleted before the registry had them.
    pub lost: AtomicU64,
    /// Failed syncs.
    pub sync_errors: AtomicU64,
    /// A file was begun since retention was last looked at.
    rolled: AtomicBool,
}

/// Who writes: the parts of a stamp that stay the same while the program runs.
#[derive(Debug)]
pub struct Origin {
    sensor: Arc<str>,
    uuid: Arc<str>,
    no_session: Arc<str>,
    no_address: Arc<str>,
    boot_id: Arc<str>,
    /// First 21 characters of every event's UUID.
    uuid_head: String,
}

impl Origin {
    fn new(sensor: Arc<str>, uuid: Arc<str>) -> Self {
        let boot: [u8; 16] = rand::random();
        let digits = hex::encode(boot);
        let (head, rest) = digits.split_at(12);
        let (second, variant) = rest.split_at(3);
        // RFC 9562, 5.8: version 8, variant 10; 58 bits of this start and 56 bits of sequence number.
        let (first, third) = head.split_at(8);
        let variant = variant.bytes().next().unwrap_or(b'8');
        let variant = char::from(b"89ab".get(usize::from(variant) % 4).copied().unwrap_or(b'8'));
        let tail: String = digits.chars().last().into_iter().collect();
        Self {
            sensor,
            uuid,
            no_session: Arc::from(wire::event::NO_SESSION),
            no_address: Arc::from("0.0.0.0"),
            boot_id: Arc::from(uuid::Builder::from_random_bytes(boot).into_uuid().to_string()),
            uuid_head: format!("{first}-{third}-8{second}-{variant}{tail}"),
        }
    }

    fn event_uuid(&self, seq: u64) -> String {
        let mut text = String::with_capacity(36);
        text.push_str(&self.uuid_head);
        for shift in (0..14).rev() {
            if shift == 11 {
                text.push('-');
            }
            let digit = (seq >> (shift * 4) & 0xf) as u32;
            text.push(char::from_digit(digit, 16).unwrap_or('0'));
        }
        text
    }
}

/// What the clones of a log share.
struct Shared {
    writer: Mutex<Writer>,
    segments: Arc<Mutex<Vec<Arc<Segment>>>>,
    counters: Arc<Counters>,
    origin: Arc<Origin>,
    acknowledged: AtomicU64,
    rules: retention::Rules,
    log_directory: PathBuf,
    clock: Clock,
}

/// The open log. Clones are cheap and write to the same files; the last one closes the log.
#[derive(Clone)]
pub struct EventLog {
    shared: Arc<Shared>,
    upkeep: Arc<Upkeep>,
}

impl std::fmt::Debug for EventLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventLog").field("positions", &self.positions()).finish_non_exhaustive()
    }
}

impl EventLog {
    /// Opens the log, finds its last number, and puts aside what a crash left unfinished.
    pub fn open(options: Options) -> Result<Self, EventLogError> {
        Self::open_with(options, Arc::new(sink::file))
    }

    fn open_with(options: Options, open_sink: sink::OpenSink) -> Result<Self, EventLogError> {
        let shared = Arc::new(recovery::recover(options, open_sink)?);
        let upkeep = Arc::new(Upkeep::start(&shared)?);
        let log = Self { shared, upkeep };
        log.sweep();
        Ok(log)
    }

    /// Appends an event and gives its number, or nothing when it could not be written; that is already counted
    /// and will be reported by a gap event, so callers need not care.
    ///
    /// `build` gets the number and the timestamp (UTC, microseconds) and runs under the log's lock: it must be
    /// short and must not use the log, except for [`Self::event_uuid`] and [`Self::boot_id`].
    pub fn append(&self, build: impl FnOnce(u64, &str) -> Event) -> Option<u64> {
        self.shared.writer.lock().append(build)
    }

    /// Appends an event of the program itself, such as its start: no visitor, no session.
    pub fn append_own(&self, kind: EventKind) -> Option<u64> {
        self.append(|seq, timestamp| self.shared.origin.event(kind, seq, timestamp))
    }

    /// One start of the program.
    pub fn boot_id(&self) -> Arc<str> {
        Arc::clone(&self.shared.origin.boot_id)
    }

    /// The UUID (version 8) of the event with this number in this start of the program.
    pub fn event_uuid(&self, seq: u64) -> String {
        self.shared.origin.event_uuid(seq)
    }

    /// Which events the log holds.
    pub fn positions(&self) -> Positions {
        let segments = self.shared.segments.lock();
        let mut filled = segments.iter().filter(|segment| segment.length() > 0);
        let first_seq = filled.next().map_or(0, |segment| segment.first_seq());
        let last_seq = segments.iter().map(|segment| segment.last_seq()).max().unwrap_or(0);
        Positions { first_seq, last_seq, acknowledged: self.shared.acknowledged.load(Ordering::Acquire) }
    }

    /// Figures since the log was opened.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// The registry has everything up to `seq`; kept across restarts. Gives false, and changes nothing, when the
    /// log has never reached that number: then the registry means another log.
    pub fn acknowledge(&self, seq: u64) -> bool {
        if seq <= self.shared.acknowledged.load(Ordering::Acquire) {
            return true;
        }
        let mut writer = self.shared.writer.lock();
        if seq >= writer.next {
            return false;
        }
        self.shared.acknowledged.fetch_max(seq, Ordering::AcqRel);
        writer.store(|entry| entry.acknowledged = entry.acknowledged.max(seq));
        true
    }

    /// Reads what follows `seq`, from one file: whole lines, at least one, as many as fit `limit_bytes`.
    /// Blocks on the disk; asynchronous callers use `spawn_blocking`.
    pub fn read_after(&self, seq: u64, limit_bytes: u64) -> Result<Option<Extract>, EventLogError> {
        let segments = self.shared.segments.lock().clone();
        extract::read_after(&segments, seq, limit_bytes)
    }

    /// Deletes what retention allows. Done by the log itself every minute and whenever a file is begun.
    pub fn sweep(&self) {
        self.shared.sweep();
    }

    /// Makes everything written so far durable.
    pub fn sync(&self) -> Result<(), EventLogError> {
        self.shared.sync()
    }

    /// Ends the log on purpose: syncs and notes the exact last number. Dropping the last clone does the same.
    pub fn close(&self) -> Result<(), EventLogError> {
        self.upkeep.stop();
        self.shared.writer.lock().close();
        self.shared.sync()
    }
}
