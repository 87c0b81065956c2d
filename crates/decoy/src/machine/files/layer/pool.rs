//! Memory that all visitors' layers share.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Memory that all visitors share: what one takes, the others cannot.
#[derive(Clone)]
pub(crate) struct Pool {
    taken: Arc<AtomicUsize>,
    most: usize,
}

impl Pool {
    /// Room for `most` bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self { taken: Arc::default(), most }
    }

    /// Takes all of these bytes or none.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let add = |taken: usize| taken.checked_add(bytes).filter(|total| *total <= self.most);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok()
    }

    /// Gives back what was taken.
    pub(crate) fn give_back(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// How many bytes are taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}
