//! How many visitors at once: in all, from one source, and how fast from one source.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use parking_lot::Mutex;

/// Bounds on connections. Each is at least 1.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Open connections in all.
    pub connections: usize,
    /// Open connections from one source address (IPv6: one /64).
    pub per_source: usize,
    /// New connections a second from one source address.
    pub per_second: u32,
}

/// Why a visitor is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The bucket is full.
    Connections,
    /// This source has too many connections.
    PerSource,
    /// This source connects too fast.
    PerSecond,
}

impl Refusal {
    /// The name of the setting that was reached.
    pub fn limit(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::PerSource => "per_source",
            Self::PerSecond => "per_second",
        }
    }
}

/// The door: counts who is inside. Cheap to clone.
#[derive(Clone)]
pub struct Admission(Arc<Door>);

struct Door {
    limits: ConnectionLimits,
    open: Arc<AtomicUsize>,
    sources: Mutex<HashMap<IpAddr, Source>>,
}

struct Source {
    open: usize,
    /// Connections this source may still make now; refills with time (token bucket).
    credit: f64,
    refilled: Instant,
    told: Option<Instant>,
    turned_away: u64,
}

/// How many sources that are not connected are remembered before the idle ones are forgotten.
const REMEMBERED_SOURCES: usize = 65_536;

/// One admitted connection; leaving gives the place back.
pub struct Ticket {
    door: Arc<Door>,
    source: IpAddr,
}

impl Admission {
    /// An empty house; `open` is the counter that the vitals show.
    pub fn new(limits: ConnectionLimits, open: Arc<AtomicUsize>) -> Self {
        Self(Arc::new(Door { limits, open, sources: Mutex::default() }))
    }

    /// Lets a visitor in, or says why not. With a refusal comes how many of this source were turned away, when it is
    /// time to tell (at most once a second and source, so that a flood cannot flood the log).
    pub fn admit(&self, source: IpAddr) -> Result<Ticket, (Refusal, Option<u64>)> {
        let door = &self.0;
        let source = decoy::machine::source_key(source);
        let limits = door.limits;
        let now = Instant::now();
        let mut sources = door.sources.lock();
        if sources.len() >= REMEMBERED_SOURCES && !sources.contains_key(&source) {
            sources.retain(|_, known| known.open > 0 || now.duration_since(known.refilled).as_secs() < 2);
        }
        let full = f64::from(limits.per_second);
        let known = sources.entry(source).or_insert_with(|| Source {
            open: 0,
            credit: full,
            refilled: now,
            told: None,
            turned_away: 0,
        });
        known.credit = (known.credit + now.duration_since(known.refilled).as_secs_f64() * full).min(full);
        known.refilled = now;
        let refusal = if door.open.load(Ordering::Relaxed) >= limits.connections {
            Some(Refusal::Connections)
        } else if known.open >= limits.per_source {
            Some(Refusal::PerSource)
        } else if known.credit < 1.0 {
            Some(Refusal::PerSecond)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            known.turned_away += 1;
            let tell = known.told.is_none_or(|told| now.duration_since(told).as_secs() >= 1);
            let turned_away = tell.then(|| {
                known.told = Some(now);
                std::mem::take(&mut known.turned_away)
            });
            return Err((refusal, turned_away));
        }
        known.credit -= 1.0;
        known.open += 1;
        drop(sources);
        door.open.fetch_add(1, Ordering::Relaxed);
        Ok(Ticket { door: Arc::clone(door), source })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.door.open.fetch_sub(1, Ordering::Relaxed);
        if let Some(known) = self.door.sources.lock().get_mut(&self.source) {
            known.open = known.open.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(connections: usize, per_source: usize, per_second: u32) -> Admission {
        Admission::new(ConnectionLimits { connections, per_source, per_second }, Arc::default())
    }

    fn source(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn a_place_is_given_back_when_the_visitor_leaves() {
        let door = door(10, 1, 100);
        let ticket = door.admit(source(1)).map_err(|_| ()).expect("the first is let in");
        assert_eq!(door.admit(source(1)).err(), Some((Refusal::PerSource, Some(1))));
        assert!(door.admit(source(2)).is_ok(), "another source is not affected");
        drop(ticket);
        assert!(door.admit(source(1)).is_ok());
    }

    #[test]
    fn a_full_house_turns_everybody_away_and_tells_once() {
        let door = door(1, 10, 100);
        let _ticket = door.admit(source(1)).map_err(|_| ()).expect("the first is let in");
        assert_eq!(door.admit(source(2)).err(), Some((Refusal::Connections, Some(1))));
        assert_eq!(door.admit(source(2)).err(), Some((Refusal::Connections, None)));
    }

    #[test]
    fn a_source_that_connects_too_fast_is_turned_away() {
        let door = door(100, 100, 2);
        let tickets: Vec<_> = (0..2).map(|_| door.admit(source(1)).is_ok()).collect();
        assert_eq!(tickets, [true, true]);
        assert_eq!(door.admit(source(1)).err().map(|(refusal, _)| refusal), Some(Refusal::PerSecond));
    }
}
