//! Programs that a visitor brought and started: they are never run, and stay in the visitor's list of processes.

use std::time::SystemTime;

use parking_lot::Mutex;

/// The most that are remembered.
const MOST: usize = 32;

/// One such process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Process number.
    pub pid: u32,
    /// Who started it.
    pub uid: u32,
    /// Command line, as far as it is known.
    pub command: String,
    /// When it was started.
    pub at: SystemTime,
}

/// What one visitor has started.
#[derive(Debug, Default)]
pub struct Dropped(Mutex<Vec<Started>>);

impl Dropped {
    /// Adds one; the oldest goes when there are too many.
    pub(crate) fn add(&self, started: Started) {
        let mut list = self.0.lock();
        if list.len() >= MOST {
            list.remove(0);
        }
        // Numbers are given upwards.
        let above = list.iter().map(|known| known.pid + 3).max().unwrap_or(0);
        list.push(Started { pid: started.pid.max(above), ..started });
    }

    /// All that run.
    pub(crate) fn list(&self) -> Vec<Started> {
        self.0.lock().clone()
    }

    /// Ends those that fit; gives how many there were.
    pub(crate) fn end(&self, fits: impl Fn(&Started) -> bool) -> usize {
        let mut list = self.0.lock();
        let before = list.len();
        list.retain(|started| !fits(started));
        before - list.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_differ_and_ended_processes_are_gone() {
        let dropped = Dropped::default();
        let one = Started { pid: 7, uid: 0, command: "./a".to_owned(), at: SystemTime::UNIX_EPOCH };
        for _ in 0..MOST + 5 {
            dropped.add(one.clone());
        }
        let pids: std::collections::BTreeSet<u32> =
            dropped.list().iter().map(|started| started.pid).collect();
        assert_eq!(pids.len(), MOST);
        assert_eq!(dropped.end(|started| started.command == "./a"), MOST);
        assert!(dropped.list().is_empty());
    }
}
