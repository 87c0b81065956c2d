//! Visitors' changes on disk: saved shortly after they are made, found again by the next start, however this one ends.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use decoy::Machine;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// How long after a change it is saved, as the event log is synced.
const PACE: Duration = Duration::from_secs(1);
/// A large layer is saved less often: no source makes us write faster than this.
const BYTES_PER_SECOND: u64 = 8 << 20;
/// How long nobody is missed: issue and banner promise nothing, but a visitor comes back within days or never.
const KEPT: Duration = Duration::from_secs(14 * 86_400);
/// The most sources, whatever their size: the list of them lies in memory.
const MOST_SOURCES: usize = 100_000;
/// The largest layer that is read back, unpacked.
const MOST_UNPACKED: usize = 64 << 20;
const ENDING: &str = "layer";

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RememberedError {
    /// It cannot be made.
    #[error("cannot make the folder of visitors' changes {path}; check its owner and permissions")]
    Make {
        /// Which folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It cannot be listed.
    #[error("cannot list the folder of visitors' changes {path}")]
    List {
        /// Which folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file in it cannot be written.
    #[error("cannot save a visitor's changes in {path}")]
    Save {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// The folder, and what is in it.
pub struct Remembered {
    folder: PathBuf,
    most_bytes: u64,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    sources: HashMap<IpAddr, (u64, SystemTime)>,
    /// The oldest first.
    ages: BTreeMap<(SystemTime, IpAddr), ()>,
    bytes: u64,
}

impl Known {
    fn add(&mut self, source: IpAddr, bytes: u64, at: SystemTime) {
        self.forget(source);
        self.sources.insert(source, (bytes, at));
        self.ages.insert((at, source), ());
        self.bytes += bytes;
    }

    fn forget(&mut self, source: IpAddr) {
        if let Some((bytes, at)) = self.sources.remove(&source) {
            self.ages.remove(&(at, source));
            self.bytes -= bytes;
        }
    }
}

impl Remembered {
    /// Opens the folder, made if it is missing, for up to `most_bytes`.
    pub fn open(folder: &Path, most_bytes: u64, now: SystemTime) -> Result<Arc<Self>, RememberedError> {
        let path = folder.to_owned();
        fs::create_dir_all(folder).map_err(|source| RememberedError::Make { path: path.clone(), source })?;
        let list = |source| RememberedError::List { path: path.clone(), source };
        let mut known = Known::default();
        for entry in fs::read_dir(folder).map_err(list)? {
            let entry = entry.map_err(list)?;
            let place = entry.path();
            let source = place.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            match source.filter(|_| place.extension().is_some_and(|ending| ending == ENDING)) {
                Some(source) => {
                    let metadata = entry.metadata().map_err(list)?;
                    known.add(source, metadata.len(), metadata.modified().map_err(list)?);
                }
                // What a crash left unfinished is of no use; other files are not ours.
                None if place.extension().is_some_and(|ending| ending == "new") => {
                    fs::remove_file(&place).map_err(list)?;
                }
                None => {}
            }
        }
        let remembered = Self { folder: path, most_bytes, known: Mutex::new(known) };
        remembered.make_room(0, now);
        Ok(Arc::new(remembered))
    }

    fn place(&self, source: IpAddr) -> PathBuf {
        self.folder.join(format!("{source}.{ENDING}"))
    }

    /// What was kept of a source.
    pub fn recall(&self, source: IpAddr) -> Option<Vec<u8>> {
        if !self.known.lock().sources.contains_key(&source) {
            return None;
        }
        let place = self.place(source);
        match fs::read(&place).and_then(|packed| zstd::bulk::decompress(&packed, MOST_UNPACKED)) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                tracing::warn!(%error, file = %place.display(), "a visitor's changes cannot be read and are forgotten");
                self.known.lock().forget(source);
                None
            }
        }
    }

    /// Keeps what a source has changed, in place of what was kept of it before.
    pub fn keep(&self, source: IpAddr, bytes: &[u8], now: SystemTime) -> Result<(), RememberedError> {
        let place = self.place(source);
        let fault = |source| RememberedError::Save { path: place.clone(), source };
        let packed = zstd::bulk::compress(bytes, 1).map_err(fault)?;
        self.make_room(packed.len() as u64, now);
        // A killed program leaves the old file or the new one; a machine that loses power may lose the last changes.
        let fresh = place.with_extension("new");
        fs::write(&fresh, &packed).map_err(fault)?;
        fs::rename(&fresh, &place).map_err(fault)?;
        self.known.lock().add(source, packed.len() as u64, now);
        Ok(())
    }

    /// Forgets who is gone too long, and the oldest until so many bytes more fit.
    fn make_room(&self, bytes: u64, now: SystemTime) {
        let mut known = self.known.lock();
        while let Some(&(at, source)) = known.ages.keys().next() {
            let is_old = now.duration_since(at).is_ok_and(|age| age > KEPT);
            let is_full =
                known.bytes.saturating_add(bytes) > self.most_bytes || known.sources.len() >= MOST_SOURCES;
            if !is_old && !is_full {
                return;
            }
            known.forget(source);
            if let Err(error) = fs::remove_file(self.place(source)) {
                tracing::warn!(%error, %source, "a visitor's old changes cannot be removed");
            }
        }
    }

    /// How many sources are kept, and their bytes together.
    pub fn totals(&self) -> (usize, u64) {
        let known = self.known.lock();
        (known.sources.len(), known.bytes)
    }

    /// Saves what has changed, again and again until `stop`, and once more then.
    pub async fn save_all(self: Arc<Self>, machine: Arc<Machine>, stop: CancellationToken) {
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut not_before: HashMap<IpAddr, Instant> = HashMap::new();
        loop {
            let last = tokio::select! {
                () = stop.cancelled() => true,
                _ = pace.tick() => false,
            };
            let now = Instant::now();
            not_before.retain(|_, time| *time > now);
            for source in machine.unsaved() {
                if !last && not_before.contains_key(&source) {
                    continue;
                }
                let (remembered, machine) = (Arc::clone(&self), Arc::clone(&machine));
                let saved = tokio::task::spawn_blocking(move || {
                    let bytes = machine.save(source).unwrap_or_default();
                    remembered.keep(source, &bytes, SystemTime::now()).map(|()| bytes.len() as u64)
                });
                match saved.await {
                    Ok(Ok(bytes)) => {
                        let rest = Duration::from_millis(bytes.saturating_mul(1000) / BYTES_PER_SECOND);
                        if rest > PACE {
                            not_before.insert(source, now + rest);
                        }
                    }
                    Ok(Err(error)) => {
                        tracing::warn!(%error, cause = ?std::error::Error::source(&error), "not saved")
                    }
                    Err(error) => tracing::error!(%error, "saving a visitor's changes failed"),
                }
            }
            if last {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn at(days: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + days * 86_400)
    }

    /// Bytes that do not get smaller when packed.
    fn noise(seed: u32) -> Vec<u8> {
        (0..1000_u32)
            .flat_map(|n| (n ^ seed).wrapping_mul(0x9e37_79b9).rotate_left(n % 31).to_le_bytes())
            .collect()
    }

    #[test]
    fn what_is_kept_is_found_again_also_by_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let first = Remembered::open(folder.path(), 1 << 20, at(0)).unwrap();
        assert_eq!(first.recall(source(1)), None);
        first.keep(source(1), b"one", at(0)).unwrap();
        first.keep(source(1), b"one again", at(0)).unwrap();
        first.keep("2001:db8::".parse().unwrap(), b"six", at(0)).unwrap();
        fs::write(folder.path().join("192.0.2.9.new"), b"half").unwrap();
        drop(first);
        let now = SystemTime::now();
        let second = Remembered::open(folder.path(), 1 << 20, now).unwrap();
        assert_eq!(second.recall(source(1)).as_deref(), Some(&b"one again"[..]));
        assert_eq!(second.recall("2001:db8::".parse().unwrap()).as_deref(), Some(&b"six"[..]));
        assert_eq!(second.totals().0, 2);
        assert!(!folder.path().join("192.0.2.9.new").exists());
    }

    #[test]
    fn the_oldest_goes_when_there_is_no_room_and_when_it_is_too_old() {
        let folder = tempfile::tempdir().unwrap();
        let remembered = Remembered::open(folder.path(), 9000, at(0)).unwrap();
        for (day, number) in [(0, 1), (1, 2), (2, 3)] {
            remembered.keep(source(number), &noise(u32::from(number)), at(day)).unwrap();
        }
        assert_eq!(remembered.recall(source(1)), None);
        assert!(remembered.recall(source(2)).is_some() && remembered.recall(source(3)).is_some());
        assert!(remembered.totals().1 <= 9000);
        remembered.keep(source(4), b"x", at(16)).unwrap();
        assert_eq!(remembered.recall(source(2)), None, "fifteen days old");
        assert_eq!(remembered.totals().0, 2);
    }

    #[test]
    fn a_damaged_file_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let remembered = Remembered::open(folder.path(), 9000, at(0)).unwrap();
        remembered.keep(source(1), b"x", at(0)).unwrap();
        fs::write(folder.path().join("192.0.2.1.layer"), b"damage").unwrap();
        assert_eq!(remembered.recall(source(1)), None);
        assert_eq!(remembered.totals(), (0, 0));
    }
}
