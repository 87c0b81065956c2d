//! Opening the log: what is in the folder, what a crash left, and which number comes next.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parking_lot::Mutex;

use super::fault::EventLogError;
use super::ledger::{Gap, Ledger};
use super::segment::{self, Segment};
use super::sink::OpenSink;
use super::timestamp::Timestamps;
use super::writer::{BLOCK, Writer};
use super::{Counters, Options, Origin, Shared, retention};

/// Where unfinished lines go, in the log folder.
pub const TORN: &str = "rustbucket.torn";
/// The file of unfinished lines grows no larger.
const TORN_MAX: u64 = 1024 * 1024;
/// Files are cut so that at least this many fit `max_bytes`.
const FILES_AT_LEAST: u64 = 8;
/// No file is cut smaller, nor grows larger.
const SEGMENT_BYTES: (u64, u64) = (64 * 1024, 256 * 1024 * 1024);

/// Finds the last number and puts aside what a crash left unfinished.
pub fn recover(options: Options, open_sink: OpenSink) -> Result<Shared, EventLogError> {
    make_folder(&options.state_directory)?;
    make_folder(&options.log_directory)?;
    let ledger = Ledger::open(&Ledger::path_in(&options.state_directory))?;
    let newest = &ledger.entry().newest;
    let newest_missing = !newest.is_empty() && !options.log_directory.join(newest).exists();
    let segments = find_segments(&options.log_directory)?;
    let (next, gap) = next_number(&ledger, &segments, newest_missing);
    let newest_name = segments.last().map(|segment| segment::name_of(segment.day, segment.part));
    let acknowledged = ledger.entry().acknowledged;
    let segments = Arc::new(Mutex::new(segments));
    let counters = Arc::new(Counters::default());
    let origin = Arc::new(Origin::new(options.sensor, options.uuid));
    let mut writer = Writer {
        log_directory: options.log_directory.clone(),
        segment_bytes: (options.max_bytes / FILES_AT_LEAST).clamp(SEGMENT_BYTES.0, SEGMENT_BYTES.1),
        open_sink,
        clock: Arc::clone(&options.clock),
        origin: Arc::clone(&origin),
        segments: Arc::clone(&segments),
        counters: Arc::clone(&counters),
        ledger,
        next,
        timestamps: Timestamps::default(),
        buffer: Vec::new(),
        current: None,
        folder_dirty: false,
        failing: false,
        ledger_failing: false,
    };
    writer.store(|entry| {
        entry.newest = newest_name.unwrap_or_default();
        entry.reserved = next + BLOCK;
        entry.clean = false;
    });
    if let Some(gap) = gap {
        writer.add_gap(gap);
    }
    Ok(Shared {
        writer: Mutex::new(writer),
        segments,
        counters,
        origin,
        acknowledged: AtomicU64::new(acknowledged),
        rules: retention::Rules {
            retention_days: options.retention_days,
            max_bytes: options.max_bytes,
            registry: options.registry,
        },
        log_directory: options.log_directory,
        clock: options.clock,
    })
}

/// The next number, and the gap to report when log files are missing that the ledger knows of.
fn next_number(ledger: &Ledger, segments: &[Arc<Segment>], newest_missing: bool) -> (u64, Option<Gap>) {
    let entry = ledger.entry();
    let in_files = segments.iter().map(|segment| segment.last_seq()).max().unwrap_or(0);
    // Numbers of events that could not be written were used too.
    let known = entry.gaps.iter().map(|gap| gap.to_seq).fold(in_files, u64::max);
    let missing = newest_missing
        || known < entry.acknowledged
        || (entry.clean && known < entry.reserved)
        || known.saturating_add(BLOCK) < entry.reserved;
    if !missing {
        return (known + 1, None);
    }
    let highest = known.max(entry.reserved).max(entry.acknowledged);
    let from_seq = known.max(entry.acknowledged) + 1;
    let reason =
        if entry.clean { "log files are missing" } else { "log files are missing, at most this many events" };
    let gap =
        (from_seq <= highest).then(|| Gap { from_seq, to_seq: highest, bytes: 0, reason: reason.to_owned() });
    (highest + 1, gap)
}

fn make_folder(path: &Path) -> Result<(), EventLogError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| EventLogError::MakeFolder { path: path.to_owned(), source })
}

fn find_segments(folder: &Path) -> Result<Vec<Arc<Segment>>, EventLogError> {
    let fault = |source| EventLogError::ListFolder { path: folder.to_owned(), source };
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let name = entry.file_name();
        let Some((day, part)) = name.to_str().and_then(segment::parse_name) else { continue };
        let path = entry.path();
        let read_fault = |source| EventLogError::ReadFile { path: path.clone(), source };
        if entry.metadata().map_err(read_fault)?.len() == 0 {
            continue;
        }
        match Segment::recover(&path, day, part).map_err(read_fault)? {
            Some(found) => segments.push(Arc::new(found)),
            None => {
                tracing::warn!(file = %path.display(), "a log file holds no event with a number; it is left alone");
            }
        }
    }
    segments.sort_by_key(|segment| (segment.first_seq(), segment.last_seq()));
    for segment in &segments {
        put_torn_line_aside(folder, segment)
            .map_err(|source| EventLogError::CutTornLine { path: segment.path.clone(), source })?;
    }
    Ok(segments)
}

fn put_torn_line_aside(folder: &Path, segment: &Segment) -> io::Result<()> {
    let (whole, size) = (segment.length(), segment.file.metadata()?.len());
    if size <= whole {
        return Ok(());
    }
    let mut torn = OpenOptions::new().append(true).create(true).mode(0o600).open(folder.join(TORN))?;
    let room = TORN_MAX.saturating_sub(torn.metadata()?.len());
    let mut bytes = segment.read(whole, size.min(whole + room))?;
    if !bytes.is_empty() {
        bytes.push(b'\n');
        torn.write_all(&bytes)?;
    }
    OpenOptions::new().write(true).open(&segment.path)?.set_len(whole)?;
    tracing::warn!(
        file = %segment.path.display(),
        bytes = size - whole,
        "the last line was unfinished and never counted; it was moved to {TORN}"
    );
    Ok(())
}
