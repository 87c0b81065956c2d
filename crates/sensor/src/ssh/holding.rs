//! Memory that one connection's open sftp files hold, all its channels together.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// What one connection may hold.
#[derive(Debug)]
pub struct Pool {
    used: AtomicUsize,
    /// In bytes.
    limit: usize,
}

impl Pool {
    /// An empty pool of so many bytes.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), limit })
    }
}

/// A share of a pool; dropping it gives it back.
#[derive(Debug)]
pub struct Holding {
    pool: Arc<Pool>,
    bytes: usize,
}

impl Holding {
    /// Nothing yet.
    pub fn new(pool: &Arc<Pool>) -> Self {
        Self { pool: Arc::clone(pool), bytes: 0 }
    }

    /// Holds at least so many bytes; `false`, and nothing changes, when there is no room for them.
    pub fn reach(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let fits = |used: usize| used.checked_add(more).filter(|sum| *sum <= self.pool.limit);
        let granted = self.pool.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok();
        if granted {
            self.bytes += more;
        }
        granted
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.pool.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_shared_and_given_back() {
        let pool = Pool::new(10);
        let (mut one, mut other) = (Holding::new(&pool), Holding::new(&pool));
        assert!(one.reach(6) && one.reach(3), "reaching less than is held takes nothing");
        assert!(other.reach(4) && !other.reach(5));
        drop(one);
        assert!(other.reach(10) && !other.reach(usize::MAX));
        drop(other);
        assert_eq!(pool.used.load(Ordering::Relaxed), 0);
    }
}
