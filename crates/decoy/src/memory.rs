//! Memory that visitors' uploads share while they are under way: paid for in steps, given back when they are put away.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;

/// What is taken at once of a pool by an upload that is larger than that.
const STEP: usize = 64 * 1024;
/// What the smallest upload takes; sizes between double up to [`STEP`], so that a crowd of small ones fits too.
const SMALLEST: usize = 4 * 1024;

/// The name of the limit in events.
pub const LIMIT: &str = "memory";

/// Room for so many bytes, and perhaps a share of a larger pool. Cheap to clone; every clone is the same pool.
#[derive(Clone, Debug)]
pub struct Pool(Arc<Room>);

#[derive(Debug)]
struct Room {
    taken: AtomicUsize,
    /// In bytes.
    most: usize,
    /// Whatever is taken here is taken there too.
    of: Option<Pool>,
}

impl Pool {
    /// Room for `most` bytes.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Room { taken: AtomicUsize::new(0), most, of: None }))
    }

    /// A share of this pool: at most so many of its bytes.
    #[must_use]
    pub fn share(&self, most: usize) -> Self {
        Self(Arc::new(Room {
            taken: AtomicUsize::new(0),
            most: most.min(self.0.most),
            of: Some(self.clone()),
        }))
    }

    /// How many bytes there are in all.
    pub fn most(&self) -> usize {
        self.0.most
    }

    /// How many bytes are taken.
    pub fn taken(&self) -> usize {
        self.0.taken.load(Ordering::Relaxed)
    }

    /// Whether one more upload can begin.
    pub fn has_room(&self) -> bool {
        self.taken().saturating_add(SMALLEST) <= self.0.most && self.0.of.as_ref().is_none_or(Self::has_room)
    }

    /// Takes all of these bytes or none.
    fn take(&self, bytes: usize) -> bool {
        let fits = |taken: usize| taken.checked_add(bytes).filter(|sum| *sum <= self.0.most);
        if self.0.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_err() {
            return false;
        }
        let granted = self.0.of.as_ref().is_none_or(|of| of.take(bytes));
        if !granted {
            self.0.taken.fetch_sub(bytes, Ordering::Relaxed);
        }
        granted
    }

    fn give_back(&self, bytes: usize) {
        self.0.taken.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(of) = &self.0.of {
            of.give_back(bytes);
        }
    }
}

/// What one upload has taken of a pool; dropping it gives it back.
#[derive(Debug)]
pub struct Holding {
    pool: Pool,
    bytes: usize,
}

impl Holding {
    /// Nothing yet.
    pub fn new(pool: &Pool) -> Self {
        Self { pool: pool.clone(), bytes: 0 }
    }

    /// Holds at least so many bytes; `false`, and nothing changes, when there is no room for them.
    pub fn reach(&mut self, bytes: usize) -> bool {
        if bytes <= self.bytes {
            return true;
        }
        let wanted = if bytes <= STEP {
            bytes.next_power_of_two().max(SMALLEST)
        } else {
            let Some(wanted) = bytes.checked_next_multiple_of(STEP) else { return false };
            wanted
        };
        let granted = self.pool.take(wanted - self.bytes);
        if granted {
            self.bytes = wanted;
        }
        granted
    }

    /// How many bytes are held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.pool.give_back(self.bytes);
    }
}

/// Bytes of one upload, with the memory they were granted.
#[derive(Debug)]
pub struct Parcel {
    bytes: Vec<u8>,
    holding: Holding,
}

impl Parcel {
    /// An empty one.
    pub fn new(pool: &Pool) -> Self {
        Self { bytes: Vec::new(), holding: Holding::new(pool) }
    }

    /// Adds bytes; `false`, and none are added, when there is no memory for them.
    #[must_use]
    pub fn add(&mut self, bytes: &[u8]) -> bool {
        let size = self.bytes.len().saturating_add(bytes.len());
        if !self.holding.reach(size) {
            return false;
        }
        if self.bytes.capacity() < size {
            self.bytes.reserve_exact(self.holding.bytes() - self.bytes.len());
        }
        self.bytes.extend_from_slice(bytes);
        true
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes; their memory is given back when the last clone of them is gone.
    pub fn into_bytes(self) -> Bytes {
        if self.bytes.is_empty() { Bytes::new() } else { Bytes::from_owner(self) }
    }
}

impl AsRef<[u8]> for Parcel {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pool_is_shared_and_given_back() {
        let pool = Pool::new(3 * STEP);
        let (mut one, mut other) = (Holding::new(&pool), Holding::new(&pool));
        assert!(one.reach(STEP + 1) && one.reach(1), "reaching less than is held takes nothing");
        assert_eq!(pool.taken(), 2 * STEP);
        assert!(other.reach(STEP) && !other.reach(STEP + 1) && !pool.has_room());
        drop(one);
        assert!(other.reach(3 * STEP) && !other.reach(usize::MAX));
        drop(other);
        assert_eq!(pool.taken(), 0);
    }

    #[test]
    fn nobody_takes_more_than_his_share_and_all_shares_together_no_more_than_the_pool() {
        let pool = Pool::new(4 * STEP);
        let (mine, yours) = (pool.share(3 * STEP), pool.share(3 * STEP));
        let (mut first, mut second) = (Holding::new(&mine), Holding::new(&yours));
        assert!(first.reach(3 * STEP) && !first.reach(3 * STEP + 1));
        assert!(second.reach(STEP) && !second.reach(2 * STEP), "the pool is empty, the share is not");
        assert_eq!((mine.taken(), yours.taken(), pool.taken()), (3 * STEP, STEP, 4 * STEP));
        drop(first);
        assert!(second.reach(3 * STEP));
    }

    #[test]
    fn what_was_brought_holds_its_memory_until_nobody_has_it() {
        let pool = Pool::new(2 * STEP);
        let mut parcel = Parcel::new(&pool);
        assert!(parcel.add(&[7; STEP + 1]) && !parcel.add(&[7; STEP]));
        assert_eq!(parcel.len(), STEP + 1, "what found no room left nothing behind");
        let bytes = parcel.into_bytes();
        let clone = bytes.clone();
        drop(bytes);
        assert_eq!((pool.taken(), clone.len()), (2 * STEP, STEP + 1));
        drop(clone);
        assert_eq!(pool.taken(), 0);
    }

    proptest! {
        #[test]
        fn no_pool_is_ever_overdrawn_and_all_of_it_comes_back(
            steps in proptest::collection::vec((0usize..4, 0usize..200_000), 0..60))
        {
            let pool = Pool::new(300_000);
            let share = pool.share(150_000);
            let mut parcels: Vec<Parcel> = vec![];
            for (which, size) in steps {
                match which {
                    0 => parcels.push(Parcel::new(&pool)),
                    1 => parcels.push(Parcel::new(&share)),
                    2 => if let Some(last) = parcels.last_mut() {
                        let before = last.len();
                        let added = last.add(&vec![1; size]);
                        prop_assert_eq!(last.len(), if added { before + size } else { before });
                    },
                    _ => if !parcels.is_empty() { parcels.swap_remove(size % parcels.len()); },
                }
                prop_assert!(pool.taken() <= 300_000 && share.taken() <= 150_000 && share.taken() <= pool.taken());
                let brought: usize = parcels.iter().map(Parcel::len).sum();
                prop_assert!(brought <= pool.taken());
            }
            drop(parcels);
            prop_assert_eq!((pool.taken(), share.taken()), (0, 0));
        }
    }
}
