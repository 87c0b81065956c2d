//! Become someone: the identity of one visit, bound at accept, and the only place that stamps events.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use parking_lot::Mutex;
use wire::{Event, EventKind, Protocol, Stamp, event};

use crate::{
    event_log::EventLog,
    label::{Bait, Watch},
    shares::{Share, Shares},
};

/// What an event costs of a visit's bytes: about what it takes in the log.
const EVENT_BYTES: u64 = 512;

/// Who the bucket is, as every event says it.
#[derive(Clone, Debug)]
pub struct Sensor {
    /// `rustbucket-xxxxxxxx`.
    pub name: Arc<str>,
    /// The bucket's UUID, kept for life.
    pub uuid: Arc<str>,
    /// Whether terminals are baited for language models.
    pub bait: bool,
    /// What each source may leave behind.
    pub shares: Shares,
}

/// One visit, from accept to close. Cheap to clone; the last clone to go notes the close if nobody did.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    log: EventLog,
    sensor: Sensor,
    id: Arc<str>,
    src_ip: Arc<str>,
    dst_ip: Arc<str>,
    peer: SocketAddr,
    local: SocketAddr,
    protocol: Protocol,
    began: Instant,
    bytes: AtomicU64,
    closed: AtomicBool,
    /// What tells who this is.
    watch: Mutex<Watch>,
    share: Arc<Share>,
}

impl Session {
    /// Binds the identity of a visit and notes `cowrie.session.connect`, before any byte of the visitor is read.
    pub fn begin(
        log: &EventLog,
        sensor: &Sensor,
        protocol: Protocol,
        peer: SocketAddr,
        local: SocketAddr,
    ) -> Self {
        let session = Self(Arc::new(Inner {
            log: log.clone(),
            sensor: sensor.clone(),
            id: random_id(),
            src_ip: peer.ip().to_canonical().to_string().into(),
            dst_ip: local.ip().to_canonical().to_string().into(),
            peer,
            local,
            protocol,
            began: Instant::now(),
            bytes: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            watch: Mutex::new(Watch::new(sensor.bait.then(Bait::draw))),
            share: sensor.shares.of(peer.ip()),
        }));
        session.note(EventKind::SessionConnect {});
        session
    }

    /// Writes one event. What the visitor sent can fill fields of `kind`, never the stamp.
    pub fn note(&self, kind: EventKind) {
        let inner = &self.0;
        // A visitor pays for events too, or one byte each could fill the log.
        inner.bytes.fetch_add(EVENT_BYTES, Ordering::Relaxed);
        inner.share.count_event();
        inner.watch.lock().event(inner.began.elapsed(), &kind);
        // What could not be written is counted by the log and told by a gap event.
        let _seq = inner.log.append(|seq, timestamp| {
            let message = kind.message();
            Event {
                kind,
                message,
                stamp: Stamp {
                    timestamp: timestamp.to_owned(),
                    sensor: Arc::clone(&inner.sensor.name),
                    uuid: Arc::clone(&inner.sensor.uuid),
                    session: Arc::clone(&inner.id),
                    src_ip: Arc::clone(&inner.src_ip),
                    src_port: inner.peer.port(),
                    dst_ip: Arc::clone(&inner.dst_ip),
                    dst_port: inner.local.port(),
                    protocol: inner.protocol,
                    seq,
                    boot_id: inner.log.boot_id(),
                    event_uuid: inner.log.event_uuid(seq),
                    schema: event::SCHEMA,
                },
            }
        });
    }

    /// Counts bytes in both directions; gives the sum so far.
    pub fn count_bytes(&self, bytes: usize) -> u64 {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64
    }

    /// What this source has left behind in this hour.
    pub fn share(&self) -> &Share {
        &self.0.share
    }

    /// Whether a captured file may be kept; when not, an event says so.
    pub fn may_keep(&self, bytes: usize) -> bool {
        let kept = self.0.share.may_keep(bytes);
        if !kept {
            self.note(EventKind::LimitHit { limit: "artifacts_per_hour".to_owned(), value: bytes as u64 });
        }
        kept
    }

    /// Bytes of the visitor arrived in one piece.
    pub fn arrived(&self, bytes: &[u8]) {
        self.0.watch.lock().keys(self.0.began.elapsed(), bytes);
    }

    /// What a terminal shows before its greeting, for language models alone; nothing unless that is switched on.
    pub fn bait(&self) -> Option<String> {
        self.0.watch.lock().bait().map(Bait::text)
    }

    /// 12 lower-case hex digits.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// When the visit began.
    pub fn began(&self) -> Instant {
        self.0.began
    }

    /// The visitor's end.
    pub fn peer(&self) -> SocketAddr {
        self.0.peer
    }

    /// Our end.
    pub fn local(&self) -> SocketAddr {
        self.0.local
    }

    /// Notes who it was, where that can be told, and `cowrie.session.closed`, once.
    pub fn close(&self) {
        if !self.0.closed.swap(true, Ordering::AcqRel) {
            let duration = self.0.began.elapsed();
            let verdict = self.0.watch.lock().verdict();
            if let Some(verdict) = verdict {
                self.note(EventKind::SessionLabel {
                    label: verdict.label.as_str().to_owned(),
                    confidence: verdict.confidence,
                    reasons: verdict.reasons,
                });
            }
            self.note(EventKind::SessionClosed {
                duration: (duration.as_secs_f64() * 1e6).round() / 1e6,
                duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            });
        }
    }
}

/// Ends a session when it goes out of scope, on every way out of a connection's task (a cancelled one too).
pub struct CloseOnDrop(pub Session);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// 12 lower-case hex digits.
fn random_id() -> Arc<str> {
    format!("{:012x}", rand::random::<u64>() >> 16).into()
}
