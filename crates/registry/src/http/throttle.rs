//! How many wrong passwords are tried before somebody has to wait.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// Wrong passwords in a row before the first wait.
const FREE: u32 = 5;
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(300);
/// Who had no wrong password for this long starts anew.
const FORGOTTEN: Duration = Duration::from_secs(900);
/// How many addresses and names are remembered.
const MOST: usize = 20_000;

/// Wrong passwords by address and by name.
#[derive(Debug, Default)]
pub struct Throttle {
    failures: Mutex<HashMap<String, Failures>>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    /// 1 s after the fifth wrong password, doubled with each further one.
    fn wait(self) -> Duration {
        let Some(over) = self.count.checked_sub(FREE) else { return Duration::ZERO };
        Duration::from_secs(1 << over.min(16)).min(LONGEST)
    }
}

impl Throttle {
    /// How long `key` has to wait, zero when it may try.
    pub fn wait(&self, key: &str, now: Instant) -> Duration {
        let failures = self.failures.lock();
        failures.get(key).map_or(Duration::ZERO, |f| (f.last + f.wait()).saturating_duration_since(now))
    }

    /// A wrong password.
    pub fn failed(&self, key: &str, now: Instant) {
        let mut failures = self.failures.lock();
        if failures.len() >= MOST {
            failures.retain(|_, f| now.saturating_duration_since(f.last) < FORGOTTEN);
        }
        if failures.len() >= MOST && !failures.contains_key(key) {
            // Somebody uses very many addresses: forgetting the oldest is better than forgetting nobody's newest.
            if let Some(oldest) = failures.iter().min_by_key(|(_, f)| f.last).map(|(key, _)| key.clone()) {
                failures.remove(&oldest);
            }
        }
        let entry = failures.entry(key.to_owned()).or_insert(Failures { count: 0, last: now });
        if now.saturating_duration_since(entry.last) >= FORGOTTEN {
            entry.count = 0;
        }
        entry.count = entry.count.saturating_add(1);
        entry.last = now;
    }

    /// A right password.
    pub fn succeeded(&self, key: &str) {
        self.failures.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_forgotten() {
        let throttle = Throttle::default();
        let mut now = Instant::now();
        for _ in 0..4 {
            throttle.failed("a", now);
        }
        assert_eq!(throttle.wait("a", now), Duration::ZERO);
        throttle.failed("a", now);
        assert_eq!(throttle.wait("a", now), Duration::from_secs(1));
        throttle.failed("a", now);
        assert_eq!(throttle.wait("a", now), Duration::from_secs(2));
        assert_eq!(throttle.wait("b", now), Duration::ZERO);
        for _ in 0..20 {
            throttle.failed("a", now);
        }
        assert_eq!(throttle.wait("a", now), LONGEST);
        now += FORGOTTEN;
        throttle.failed("a", now);
        assert_eq!(throttle.wait("a", now), Duration::ZERO);
        throttle.succeeded("a");
        assert!(throttle.failures.lock().is_empty());
    }
}
