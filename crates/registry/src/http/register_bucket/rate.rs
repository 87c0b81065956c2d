//! How often one source may ask: a bucket of tokens for each address, with a bound on how many addresses are kept.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Instant;

use parking_lot::Mutex;

/// Sources that are remembered; when there are more, all but those at their limit are forgotten.
const SOURCES: usize = 20_000;

/// Counts requests by source.
pub(super) struct Rate {
    per_minute: f64,
    sources: Mutex<HashMap<IpAddr, (f64, Instant)>>,
}

impl Rate {
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute: f64::from(per_minute), sources: Mutex::default() }
    }

    /// Takes one request of the source's allowance.
    pub fn allows(&self, source: IpAddr) -> bool {
        self.allows_at(source, Instant::now())
    }

    fn allows_at(&self, source: IpAddr, now: Instant) -> bool {
        let mut sources = self.sources.lock();
        if sources.len() >= SOURCES {
            sources.retain(|_, (left, since)| self.refilled(*left, *since, now) < 1.0);
            if sources.len() >= SOURCES {
                return false;
            }
        }
        let (left, since) = sources.entry(network(source)).or_insert((self.per_minute, now));
        *left = self.refilled(*left, *since, now);
        *since = now;
        if *left < 1.0 {
            return false;
        }
        *left -= 1.0;
        true
    }

    fn refilled(&self, left: f64, since: Instant, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(since).as_secs_f64();
        (left + passed * self.per_minute / 60.0).min(self.per_minute)
    }
}

/// One host usually has a whole /64 of IPv6.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_source_has_its_allowance_and_it_grows_back() {
        let rate = Rate::new(3);
        let now = Instant::now();
        let (a, b): (IpAddr, IpAddr) = ("2001:db8::1".parse().unwrap(), "2001:db8::ffff".parse().unwrap());
        assert!(
            rate.allows_at(a, now)
                && rate.allows_at(b, now)
                && rate.allows_at(a, now)
                && !rate.allows_at(b, now)
        );
        assert!(rate.allows_at("9.9.9.9".parse().unwrap(), now));
        assert!(
            !rate.allows_at(a, now + Duration::from_secs(19))
                && rate.allows_at(a, now + Duration::from_secs(21))
        );
    }

    #[test]
    fn the_memory_is_bounded() {
        let rate = Rate::new(2);
        let now = Instant::now();
        for n in 0..SOURCES as u32 * 2 {
            rate.allows_at(IpAddr::from(n.to_be_bytes()), now);
        }
        assert!(rate.sources.lock().len() <= SOURCES);
    }
}
