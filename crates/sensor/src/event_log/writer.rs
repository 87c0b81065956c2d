//! The one place that hands out sequence numbers and writes lines, behind the log's one lock.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;
use wire::{Event, EventKind, Protocol, Stamp};

use super::ledger::{Gap, Ledger};
use super::segment::{self, Segment};
use super::sink::{OpenSink, Sink};
use super::timestamp::{self, Timestamps};
use super::{Clock, Counters, Origin};

/// Sequence numbers reserved in the ledger at a time.
pub const BLOCK: u64 = 65_536;
/// A line buffer larger than this is not kept.
const BUFFER_KEPT: usize = 256 * 1024;

/// The state behind the lock.
pub struct Writer {
    /// Folder of the log files.
    pub log_directory: PathBuf,
    /// A file larger than this is followed by another of the same day.
    pub segment_bytes: u64,
    /// Opens files.
    pub open_sink: OpenSink,
    /// The time.
    pub clock: Clock,
    /// Who writes.
    pub origin: Arc<Origin>,
    /// Shared with readers, oldest first.
    pub segments: Arc<Mutex<Vec<Arc<Segment>>>>,
    /// Figures for the outside.
    pub counters: Arc<Counters>,
    /// Positions across restarts.
    pub ledger: Ledger,
    /// Next sequence number.
    pub next: u64,
    /// Formats timestamps.
    pub timestamps: Timestamps,
    /// One line.
    pub buffer: Vec<u8>,
    /// The file being written.
    pub current: Option<Current>,
    /// A file was made and its folder entry not synced yet.
    pub folder_dirty: bool,
    /// The last write failed.
    pub failing: bool,
    /// The last write of the ledger failed.
    pub ledger_failing: bool,
}

/// The file being written.
pub struct Current {
    sink: Box<dyn Sink>,
    segment: Arc<Segment>,
    /// Part of a line may stand after the last whole one.
    needs_cut: bool,
}

impl Writer {
    /// Gives the next number to an event and writes it; gives the number when the event is in the file.
    pub fn append(&mut self, build: impl FnOnce(u64, &str) -> Event) -> Option<u64> {
        let micros = (self.clock)();
        let settled = self.settle(micros);
        let seq = self.next;
        self.reserve();
        let event = build(seq, self.timestamps.format(micros));
        let written = match self.serialise(&event) {
            Err(error) => Err(error),
            // The report of what is missing comes first; while it cannot be written, nothing is.
            Ok(()) if !settled => Err(io::Error::other("earlier events could not be written")),
            Ok(()) => self.write(seq, micros),
        };
        self.next += 1;
        match written {
            Ok(()) => Some(seq),
            Err(error) => {
                self.lose(seq, error);
                None
            }
        }
    }

    /// Writes the events that report gaps; tells whether none is left.
    pub fn settle(&mut self, micros: u64) -> bool {
        while let Some(gap) = self.ledger.entry().gaps.first().cloned() {
            let seq = self.next;
            self.reserve();
            let Gap { from_seq, to_seq, bytes, reason } = gap;
            let kind = EventKind::LogGap { from_seq, to_seq, bytes, reason };
            let event = self.origin.event(kind, seq, self.timestamps.format(micros));
            if self.serialise(&event).and_then(|()| self.write(seq, micros)).is_err() {
                // Not lost: the gap stays in the ledger and the number is used by the next attempt.
                return false;
            }
            self.next += 1;
            self.store(|entry| drop(entry.gaps.remove(0)));
        }
        true
    }

    /// Remembers events that are gone for another reason than a failed write.
    pub fn add_gap(&mut self, gap: Gap) {
        tracing::error!(from_seq = gap.from_seq, to_seq = gap.to_seq, reason = gap.reason, "events are gone");
        self.counters.lost.fetch_add(gap.to_seq - gap.from_seq + 1, Ordering::Relaxed);
        self.store(|entry| entry.add_gap(gap));
        let micros = (self.clock)();
        self.settle(micros);
    }

    /// Changes the ledger; a failure is told once per change of state.
    pub fn store(&mut self, change: impl FnOnce(&mut super::ledger::Entry)) {
        match self.ledger.store(change) {
            Ok(()) if self.ledger_failing => {
                self.ledger_failing = false;
                tracing::info!("the event log's ledger can be written again");
            }
            Ok(()) => {}
            Err(error) => {
                if !self.ledger_failing {
                    tracing::error!(%error, "the event log's ledger cannot be written; check the state folder's disk");
                }
                self.ledger_failing = true;
            }
        }
    }

    /// Marks the ledger as closed on purpose.
    pub fn close(&mut self) {
        let micros = (self.clock)();
        self.settle(micros);
        let last = self.next - 1;
        self.store(|entry| {
            entry.reserved = last;
            entry.clean = true;
        });
    }

    /// The file being written, when it is no longer where its name says.
    pub fn displaced(&self) -> Option<Arc<Segment>> {
        let current = self.current.as_ref()?;
        (!current.segment.is_in_place()).then(|| Arc::clone(&current.segment))
    }

    /// Writes the events of a file whose name was taken away into a new one, so that they outlive this process.
    pub fn rescue(&mut self, lost: &Arc<Segment>) -> io::Result<()> {
        let (mut sink, path, part) = self.make_file(lost.day)?;
        let rescued = Segment::empty(path, lost.day, part)?;
        let (mut at, end) = (0, lost.length());
        while at < end {
            let bytes = lost.read(at, end.min(at + 1024 * 1024))?;
            if sink.append(&bytes)? != bytes.len() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            at += bytes.len() as u64;
        }
        rescued.first_seq.store(lost.first_seq(), Ordering::Release);
        rescued.last_seq.store(lost.last_seq(), Ordering::Release);
        rescued.length.store(end, Ordering::Release);
        let rescued = Arc::new(rescued);
        for segment in self.segments.lock().iter_mut() {
            if Arc::ptr_eq(segment, lost) {
                *segment = Arc::clone(&rescued);
            }
        }
        self.current = Some(Current { sink, segment: rescued, needs_cut: false });
        Ok(())
    }

    fn reserve(&mut self) {
        let entry = self.ledger.entry();
        // Half a block ahead: the ledger is on disk long before a number beyond it is used.
        if entry.clean || self.next + BLOCK / 2 > entry.reserved {
            let reserved = self.next + BLOCK;
            self.store(|entry| {
                entry.reserved = reserved;
                entry.clean = false;
            });
        }
    }

    fn serialise(&mut self, event: &Event) -> io::Result<()> {
        if self.buffer.capacity() > BUFFER_KEPT {
            self.buffer = Vec::new();
        }
        self.buffer.clear();
        serde_json::to_writer(&mut self.buffer, event)?;
        self.buffer.push(b'\n');
        Ok(())
    }

    fn write(&mut self, seq: u64, micros: u64) -> io::Result<()> {
        let size = self.buffer.len();
        let result = self.try_write(seq, micros);
        match &result {
            Ok(()) => {
                self.counters.written.fetch_add(1, Ordering::Relaxed);
                self.counters.bytes.fetch_add(size as u64, Ordering::Relaxed);
                if self.failing {
                    self.failing = false;
                    tracing::info!("the event log can be written again");
                }
            }
            Err(error) => {
                if !self.failing {
                    tracing::error!(%error, folder = %self.log_directory.display(),
                        "the event log cannot be written; free disk space or restore the folder; lost events are counted");
                }
                self.failing = true;
            }
        }
        result
    }

    fn try_write(&mut self, seq: u64, micros: u64) -> io::Result<()> {
        let day = timestamp::day_of(micros);
        let size = self.buffer.len();
        let fits = |segment: &Segment| {
            let length = segment.length();
            segment.day == day && (length == 0 || length + size as u64 <= self.segment_bytes)
        };
        if !self.current.as_ref().is_some_and(|current| fits(&current.segment)) {
            let newest = self.segments.lock().last().cloned();
            self.current = match newest {
                Some(segment) if fits(&segment) && segment.is_in_place() => Some(Current {
                    sink: (self.open_sink)(&segment.path)?,
                    segment,
                    needs_cut: true, // whatever stands after the last whole line does not count
                }),
                _ => Some(self.start_segment(day)?),
            };
        }
        let Some(current) = self.current.as_mut() else {
            return Err(io::Error::other("no log file is open"));
        };
        let length = current.segment.length();
        if current.needs_cut {
            current.sink.cut(length)?;
            current.needs_cut = false;
        }
        match current.sink.append(&self.buffer) {
            Ok(taken) if taken == size => {
                if length == 0 {
                    current.segment.first_seq.store(seq, Ordering::Release);
                }
                current.segment.last_seq.store(seq, Ordering::Release);
                current.segment.length.store(length + size as u64, Ordering::Release);
                Ok(())
            }
            Ok(_) => {
                current.needs_cut = current.sink.cut(length).is_err();
                Err(io::Error::new(io::ErrorKind::StorageFull, "only part of a line could be written"))
            }
            Err(error) => {
                // The descriptor may be the trouble: the next attempt opens the file afresh.
                self.current = None;
                Err(error)
            }
        }
    }

    fn start_segment(&mut self, day: u64) -> io::Result<Current> {
        let (sink, path, part) = self.make_file(day)?;
        let segment = Arc::new(Segment::empty(path, day, part)?);
        let mut segments = self.segments.lock();
        // A file that never got a line leaves no trace in the list.
        segments.retain(|segment| segment.length() > 0);
        segments.push(Arc::clone(&segment));
        drop(segments);
        self.counters.rolled.store(true, Ordering::Relaxed);
        Ok(Current { sink, segment, needs_cut: true })
    }

    /// Makes the next file of a day: the first name that is free or leads to an empty file.
    fn make_file(&mut self, day: u64) -> io::Result<(Box<dyn Sink>, PathBuf, u32)> {
        std::fs::create_dir_all(&self.log_directory)?;
        let mut part = 0;
        let (name, path) = loop {
            let name = segment::name_of(day, part);
            let path = self.log_directory.join(&name);
            match std::fs::metadata(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => break (name, path),
                Err(error) => return Err(error),
                Ok(found) if found.is_file() && found.len() == 0 => break (name, path),
                Ok(_) => part += 1,
            }
        };
        let sink = (self.open_sink)(&path)?;
        self.folder_dirty = true;
        self.store(|entry| entry.newest = name);
        Ok((sink, path, part))
    }

    fn lose(&mut self, seq: u64, error: io::Error) {
        let bytes = self.buffer.len() as u64;
        self.counters.lost.fetch_add(1, Ordering::Relaxed);
        // Every event lost in one outage is one gap, whatever each attempt said.
        let known = self.ledger.entry().gaps.last().filter(|gap| gap.to_seq + 1 == seq);
        let reason = known.map_or_else(|| format!("not written: {error}"), |gap| gap.reason.clone());
        self.store(|entry| entry.add_gap(Gap { from_seq: seq, to_seq: seq, bytes, reason }));
    }
}

impl Origin {
    /// An event of the program itself, which belongs to no visitor.
    pub fn event(&self, kind: EventKind, seq: u64, timestamp: &str) -> Event {
        Event {
            message: kind.message(),
            kind,
            stamp: Stamp {
                timestamp: timestamp.to_owned(),
                sensor: Arc::clone(&self.sensor),
                uuid: Arc::clone(&self.uuid),
                session: Arc::clone(&self.no_session),
                src_ip: Arc::clone(&self.no_address),
                src_port: 0,
                dst_ip: Arc::clone(&self.no_address),
                dst_port: 0,
                protocol: Protocol::Rustbucket,
                seq,
                boot_id: Arc::clone(&self.boot_id),
                event_uuid: self.event_uuid(seq),
                schema: wire::event::SCHEMA,
            },
        }
    }
}
