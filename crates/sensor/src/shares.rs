//! What one source may leave behind in an hour: events in the log, files among the artifacts. Without it, one visitor with
//! patience and a script would push everybody else's out.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// How long a share lasts.
const HOUR: Duration = Duration::from_secs(3600);
/// How many sources are remembered before those whose hour is over are forgotten.
const REMEMBERED: usize = 65_536;

/// Bounds for one source (an IPv4 address, an IPv6 /48) and one hour.
#[derive(Clone, Copy, Debug)]
pub struct ShareLimits {
    /// Events.
    pub events: u64,
    /// Bytes of captured files.
    pub artifact_bytes: u64,
}

/// What one source has used of its hour.
#[derive(Debug)]
pub struct Share {
    limits: ShareLimits,
    hour: Mutex<Instant>,
    events: AtomicU64,
    artifact_bytes: AtomicU64,
}

impl Share {
    fn new(limits: ShareLimits) -> Self {
        let hour = Mutex::new(Instant::now());
        Self { limits, hour, events: AtomicU64::new(0), artifact_bytes: AtomicU64::new(0) }
    }

    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(*self.hour.lock()) >= HOUR
    }

    /// Counts one event.
    pub fn count_event(&self) {
        self.events.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the events of this hour are used up.
    pub fn is_flooding(&self) -> bool {
        self.events.load(Ordering::Relaxed) > self.limits.events
    }

    /// How many events there may be.
    pub fn events_limit(&self) -> u64 {
        self.limits.events
    }

    /// Counts a captured file; `false`, and it is not counted, when the files of this hour would be too many bytes.
    pub fn may_keep(&self, bytes: usize) -> bool {
        let fits =
            |used: u64| used.checked_add(bytes as u64).filter(|sum| *sum <= self.limits.artifact_bytes);
        self.artifact_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
    }
}

/// Everybody's shares. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shares(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: ShareLimits,
    known: Mutex<HashMap<IpAddr, Arc<Share>>>,
}

impl Shares {
    /// Nobody has used anything.
    pub fn new(limits: ShareLimits) -> Self {
        Self(Arc::new(Inner { limits, known: Mutex::default() }))
    }

    /// The share of a source: the same for all its connections, and a new one every hour.
    pub fn of(&self, source: IpAddr) -> Arc<Share> {
        let source = decoy::machine::site_key(source);
        let now = Instant::now();
        let mut known = self.0.known.lock();
        if let Some(share) = known.get(&source) {
            let mut hour = share.hour.lock();
            if now.duration_since(*hour) >= HOUR {
                *hour = now;
                share.events.store(0, Ordering::Relaxed);
                share.artifact_bytes.store(0, Ordering::Relaxed);
            }
            drop(hour);
            return Arc::clone(share);
        }
        if known.len() >= REMEMBERED {
            // Who is connected holds on to the share.
            known.retain(|_, share| Arc::strong_count(share) > 1 || !share.is_over(now));
        }
        if known.len() >= 2 * REMEMBERED {
            known.retain(|_, share| Arc::strong_count(share) > 1 || share.is_flooding());
        }
        let share = Arc::new(Share::new(self.0.limits));
        known.insert(source, Arc::clone(&share));
        share
    }
}

impl Default for Shares {
    /// Without bounds, for tests.
    fn default() -> Self {
        Self::new(ShareLimits { events: u64::MAX, artifact_bytes: u64::MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_one_share_whatever_the_port_and_the_network() {
        let shares = Shares::new(ShareLimits { events: 2, artifact_bytes: 10 });
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let one = shares.of(address("192.0.2.1"));
        assert!(one.may_keep(6) && !one.may_keep(5) && one.may_keep(4) && !one.may_keep(1));
        (0..3).for_each(|_| one.count_event());
        assert!(shares.of(address("::ffff:192.0.2.1")).is_flooding(), "the same address in other clothes");
        assert!(!shares.of(address("192.0.2.2")).is_flooding());
        let site = shares.of(address("2001:db8:1:1::1"));
        (0..3).for_each(|_| site.count_event());
        assert!(
            shares.of(address("2001:db8:1:ffff::9")).is_flooding()
                && !shares.of(address("2001:db8:2::1")).is_flooding()
        );
    }

    #[test]
    fn an_hour_later_there_is_a_new_share() {
        let shares = Shares::new(ShareLimits { events: 0, artifact_bytes: 1 });
        let source = IpAddr::from([192, 0, 2, 1]);
        let share = shares.of(source);
        share.count_event();
        assert!(share.may_keep(1) && share.is_flooding());
        let Some(long_ago) = Instant::now().checked_sub(HOUR) else { return };
        *share.hour.lock() = long_ago;
        assert!(!shares.of(source).is_flooding() && share.may_keep(1));
    }
}
