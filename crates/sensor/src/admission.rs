//! How many visitors at once: in all, from one source, and how fast from one source.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use parking_lot::Mutex;
use wire::Protocol;

/// Bounds on connections. Each is at least 1.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Open connections in all.
    pub connections: usize,
    /// Open connections from one source address (IPv6: one /64, and four times as many from its /48).
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
    /// This source has filled its share of the log.
    Flood,
}

impl Refusal {
    /// The name of the setting that was reached.
    pub fn limit(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::PerSource => "per_source",
            Self::PerSecond => "per_second",
            Self::Flood => "events_per_hour",
        }
    }
}

/// The door: counts who is inside. Cheap to clone.
#[derive(Clone)]
pub struct Admission(Arc<Door>);

struct Door {
    limits: ConnectionLimits,
    open: Arc<AtomicUsize>,
    known: Mutex<Known>,
}

/// Everybody who is inside or was a moment ago.
struct Known {
    /// By IPv4 address or IPv6 /64.
    sources: HashMap<IpAddr, Source>,
    /// IPv6 by /48, what one site usually gets (RFC 6177): who has a /48 has 65,536 sources.
    sites: HashMap<Ipv6Addr, Source>,
    /// When those who left were last forgotten.
    swept: Instant,
}

struct Source {
    open: usize,
    /// Connections this source may still make now; refills with time (token bucket).
    credit: f64,
    refilled: Instant,
    told: Option<Instant>,
    turned_away: u64,
    /// The last one turned away whom no event tells yet.
    last: Option<TurnedAway>,
}

/// A visitor who was turned away, as an event about it says.
#[derive(Clone, Copy, Debug)]
pub struct TurnedAway {
    /// Why.
    pub refusal: Refusal,
    /// What is spoken at the door.
    pub protocol: Protocol,
    /// The visitor's end.
    pub peer: SocketAddr,
    /// Our end.
    pub local: SocketAddr,
}

/// How many sources that are not connected are remembered before the idle ones are forgotten.
const REMEMBERED_SOURCES: usize = 65_536;
/// How many times as much as one source an IPv6 /48 is let in.
const SITE_SOURCES: u32 = 4;

/// One admitted connection; leaving gives the place back.
pub struct Ticket {
    door: Arc<Door>,
    source: IpAddr,
}

impl Source {
    fn new(credit: f64, now: Instant) -> Self {
        Self { open: 0, credit, refilled: now, told: None, turned_away: 0, last: None }
    }

    /// Why one more connection is too many, if it is; `times` as much as one source may.
    fn objection(&mut self, limits: ConnectionLimits, times: u32, now: Instant) -> Option<Refusal> {
        let full = f64::from(limits.per_second) * f64::from(times);
        self.credit = (self.credit + now.duration_since(self.refilled).as_secs_f64() * full).min(full);
        self.refilled = now;
        if self.open >= limits.per_source.saturating_mul(times as usize) {
            Some(Refusal::PerSource)
        } else if self.credit < 1.0 {
            Some(Refusal::PerSecond)
        } else {
            None
        }
    }

    fn enter(&mut self) {
        self.credit -= 1.0;
        self.open += 1;
    }

    /// Whether nothing is lost by forgetting it.
    fn is_idle(&self, now: Instant) -> bool {
        self.open == 0 && self.turned_away == 0 && now.duration_since(self.refilled).as_secs() >= 2
    }
}

/// The /48 of an IPv6 source.
fn site_of(source: IpAddr) -> Option<Ipv6Addr> {
    match decoy::machine::site_key(source) {
        IpAddr::V4(_) => None,
        IpAddr::V6(site) => Some(site),
    }
}

impl Admission {
    /// An empty house; `open` is the counter that the vitals show.
    pub fn new(limits: ConnectionLimits, open: Arc<AtomicUsize>) -> Self {
        let known = Known { sources: HashMap::new(), sites: HashMap::new(), swept: Instant::now() };
        Self(Arc::new(Door { limits, open, known: Mutex::new(known) }))
    }

    /// Lets a visitor in, or says why not. With a refusal comes how many of this source were turned away, when it is
    /// time to tell (at most once a second and source, so that a flood cannot flood the log); when it is not, the
    /// caller says who it was with [`owe`](Self::owe). A source that `floods` the log is not let in.
    pub fn admit(&self, source: IpAddr, floods: bool) -> Result<Ticket, (Refusal, Option<u64>)> {
        let door = &self.0;
        let source = decoy::machine::source_key(source);
        let limits = door.limits;
        let now = Instant::now();
        let mut known = door.known.lock();
        known.sweep(&source, now);
        let Known { sources, sites, .. } = &mut *known;
        let full = f64::from(limits.per_second);
        let mut site = site_of(source).map(|site| {
            sites.entry(site).or_insert_with(|| Source::new(full * f64::from(SITE_SOURCES), now))
        });
        let source_known = sources.entry(source).or_insert_with(|| Source::new(full, now));
        let refusal = if door.open.load(Ordering::Relaxed) >= limits.connections {
            Some(Refusal::Connections)
        } else if floods {
            Some(Refusal::Flood)
        } else {
            let own = source_known.objection(limits, 1, now);
            own.or_else(|| site.as_mut().and_then(|site| site.objection(limits, SITE_SOURCES, now)))
        };
        if let Some(refusal) = refusal {
            source_known.turned_away += 1;
            let tell = source_known.told.is_none_or(|told| now.duration_since(told).as_secs() >= 1);
            let turned_away = tell.then(|| {
                source_known.told = Some(now);
                source_known.last = None;
                std::mem::take(&mut source_known.turned_away)
            });
            return Err((refusal, turned_away));
        }
        source_known.enter();
        if let Some(site) = site {
            site.enter();
        }
        drop(known);
        door.open.fetch_add(1, Ordering::Relaxed);
        Ok(Ticket { door: Arc::clone(door), source })
    }

    /// Remembers who was turned away without an event, until [`untold`](Self::untold) asks.
    pub fn owe(&self, who: TurnedAway) {
        let source = decoy::machine::source_key(who.peer.ip());
        if let Some(source) = self.0.known.lock().sources.get_mut(&source)
            && source.turned_away > 0
        {
            source.last = Some(who);
        }
    }

    /// Those turned away whom no event tells yet: the last of each source, and how many.
    pub fn untold(&self) -> Vec<(TurnedAway, u64)> {
        let now = Instant::now();
        let tell = |source: &mut Source| {
            let last = source.last.take()?;
            source.told = Some(now);
            Some((last, std::mem::take(&mut source.turned_away)))
        };
        self.0.known.lock().sources.values_mut().filter_map(tell).collect()
    }
}

impl Known {
    /// Forgets sources that left, when there are many; looks through them at most once a second.
    fn sweep(&mut self, source: &IpAddr, now: Instant) {
        let many = self.sources.len() >= REMEMBERED_SOURCES || self.sites.len() >= REMEMBERED_SOURCES;
        if many && !self.sources.contains_key(source) && now.duration_since(self.swept).as_secs() >= 1 {
            self.sources.retain(|_, known| !known.is_idle(now));
            self.sites.retain(|_, known| !known.is_idle(now));
            self.swept = now;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.door.open.fetch_sub(1, Ordering::Relaxed);
        let mut known = self.door.known.lock();
        if let Some(source) = known.sources.get_mut(&self.source) {
            source.open = source.open.saturating_sub(1);
        }
        if let Some(site) = site_of(self.source).and_then(|site| known.sites.get_mut(&site)) {
            site.open = site.open.saturating_sub(1);
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
        let ticket = door.admit(source(1), false).map_err(|_| ()).expect("the first is let in");
        assert_eq!(door.admit(source(1), false).err(), Some((Refusal::PerSource, Some(1))));
        assert!(door.admit(source(2), false).is_ok(), "another source is not affected");
        drop(ticket);
        assert!(door.admit(source(1), false).is_ok());
    }

    #[test]
    fn a_full_house_turns_everybody_away_and_tells_once() {
        let door = door(1, 10, 100);
        let _ticket = door.admit(source(1), false).map_err(|_| ()).expect("the first is let in");
        assert_eq!(door.admit(source(2), false).err(), Some((Refusal::Connections, Some(1))));
        assert_eq!(door.admit(source(2), false).err(), Some((Refusal::Connections, None)));
    }

    #[test]
    fn a_source_that_connects_too_fast_is_turned_away() {
        let door = door(100, 100, 2);
        let tickets: Vec<_> = (0..2).map(|_| door.admit(source(1), false).is_ok()).collect();
        assert_eq!(tickets, [true, true]);
        assert_eq!(door.admit(source(1), false).err().map(|(refusal, _)| refusal), Some(Refusal::PerSecond));
    }

    #[test]
    fn a_site_with_many_networks_is_one_site() {
        let door = door(1000, 2, 1000);
        let address = |site: u16, network: u16| IpAddr::from([0x2001, 0xdb8, site, network, 0, 0, 0, 1]);
        let tickets: Vec<Ticket> =
            (0..8).filter_map(|network| door.admit(address(1, network), false).ok()).collect();
        assert_eq!(tickets.len(), 8, "four times what one source may");
        assert_eq!(
            door.admit(address(1, 99), false).err().map(|(refusal, _)| refusal),
            Some(Refusal::PerSource)
        );
        assert!(door.admit(address(2, 1), false).is_ok(), "another site is not affected");
        drop(tickets);
        assert!(door.admit(address(1, 99), false).is_ok());
    }

    #[test]
    fn everybody_turned_away_is_told_in_the_end() {
        let door = door(1, 10, 100);
        let _ticket = door.admit(source(1), false).map_err(|_| ()).expect("the first is let in");
        let mut told = 0;
        for _ in 0..7 {
            let Err((refusal, count)) = door.admit(source(2), false) else { panic!("a full house") };
            told += count.unwrap_or_default();
            if count.is_none() {
                let peer = SocketAddr::new(source(2), 4000);
                door.owe(TurnedAway { refusal, protocol: Protocol::Ftp, peer, local: peer });
            }
        }
        let untold = door.untold();
        assert_eq!((told, untold.len(), untold[0].1), (1, 1, 6));
        assert!(door.untold().is_empty());
    }
}
