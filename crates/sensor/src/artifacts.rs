//! What visitors brought, kept by its SHA-256: never executed, never executable, bounded.
//!
//! When the folder is full the oldest artifact goes. Refusing new ones instead would let one visitor with
//! a script blind the bucket for good; and what is oldest has most likely been fetched by the registry.
//!
//! A file is here when it has its name: from then on `kill -9` of this process does not take it away. Like the event
//! log, the folder is synced about once a second ([`Artifacts::sync`]), so a power cut can cost a second of it. One
//! sync a file would cost more than the whole visit that brought it.

use std::collections::{BTreeMap, HashMap};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;

/// The most artifacts kept, whatever their size: the index of them lies in memory.
const COUNT_MAX: usize = 100_000;
/// Up to this size, keeping a file costs less than handing it to another thread.
pub const SMALL: usize = 64 * 1024;
/// More new files than this are synced with everything else on their file system, in one call.
const ONE_BY_ONE: usize = 32;
/// The SHA-256 of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// What an artifact is called until it is whole.
const UNFINISHED: &str = ".new";

/// A step that failed.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The folder could not be made.
    #[error("cannot make the artifacts folder {path}; check its owner and permissions")]
    MakeFolder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder could not be listed.
    #[error("cannot list the artifacts folder {path}")]
    ListFolder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The name is not 64 lower-case hexadecimal digits.
    #[error("an artifact's name must be 64 lower-case hexadecimal digits")]
    BadName,
    /// One artifact is larger than all may be together.
    #[error("an artifact of {size} bytes is larger than the {max} bytes that all may have together")]
    TooLarge {
        /// Its size.
        size: u64,
        /// The bound.
        max: u64,
    },
    /// It could not be written.
    #[error("cannot write the artifact {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It could not be opened.
    #[error("cannot open the artifact {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// It was here already.
    pub duplicate: bool,
}

/// The folder of captured files. Clones share it.
#[derive(Clone, Debug)]
pub struct Artifacts {
    folder: Arc<Path>,
    max_bytes: u64,
    index: Arc<Mutex<Index>>,
    unsynced: Arc<Mutex<Vec<String>>>,
}

/// What an artifact is worth when room is needed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Worth {
    /// We made it.
    Made,
    /// A visitor brought it.
    Brought,
}

/// Ages of what was brought begin here, so that everything we made counts as older.
const BROUGHT: u64 = 1 << 62;

#[derive(Debug, Default)]
struct Index {
    /// Age and size by name.
    known: HashMap<String, (u64, u64)>,
    /// Names by age; a lower number is older.
    by_age: BTreeMap<u64, String>,
    next_age: u64,
    total: u64,
}

impl Artifacts {
    /// Opens the folder, makes it when needed, and removes what a crash left unfinished.
    pub fn open(folder: &Path, max_bytes: u64) -> Result<Self, ArtifactError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|source| ArtifactError::MakeFolder { path: folder.to_owned(), source })?;
        let fault = |source| ArtifactError::ListFolder { path: folder.to_owned(), source };
        let mut found: Vec<(SystemTime, String, u64)> = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.strip_suffix(UNFINISHED).is_some_and(is_sha256) {
                std::fs::remove_file(entry.path()).map_err(fault)?;
            } else if is_sha256(&name) {
                let metadata = entry.metadata().map_err(fault)?;
                if metadata.len() == 0 && name != EMPTY {
                    // Named, but a power cut came before its content was on the disk.
                    tracing::warn!(artifact = name, "an artifact was lost in a power cut");
                    std::fs::remove_file(entry.path()).map_err(fault)?;
                    continue;
                }
                found.push((metadata.modified().map_err(fault)?, name, metadata.len()));
            }
        }
        found.sort();
        let mut index = Index::default();
        // What was made and what was brought cannot be told apart any more; all of it counts as brought.
        for (_, name, size) in found {
            index.add(Worth::Brought, &name, size);
        }
        let artifacts = Self {
            folder: Arc::from(folder),
            max_bytes,
            index: Arc::new(Mutex::new(index)),
            unsynced: Arc::default(),
        };
        artifacts.make_room(&mut artifacts.index.lock(), 0);
        Ok(artifacts)
    }

    /// Keeps `bytes` under the name `sha256`, which the caller has computed from them.
    ///
    /// Writes to the disk without waiting for it; more than [`SMALL`] bytes belong in `spawn_blocking`.
    pub fn keep(&self, sha256: &str, bytes: &[u8]) -> Result<Kept, ArtifactError> {
        self.keep_as(Worth::Brought, sha256, bytes)
    }

    /// Keeps something that we made ourselves, such as a terminal recording: when the folder is full it goes before
    /// anything a visitor brought.
    pub fn keep_loosely(&self, sha256: &str, bytes: &[u8]) -> Result<Kept, ArtifactError> {
        self.keep_as(Worth::Made, sha256, bytes)
    }

    fn keep_as(&self, worth: Worth, sha256: &str, bytes: &[u8]) -> Result<Kept, ArtifactError> {
        if !is_sha256(sha256) {
            return Err(ArtifactError::BadName);
        }
        let size = bytes.len() as u64;
        if size > self.max_bytes {
            return Err(ArtifactError::TooLarge { size, max: self.max_bytes });
        }
        let path = self.folder.join(sha256);
        // Held while writing, so that two visitors with the same file do not write it twice.
        let mut index = self.index.lock();
        if index.known.contains_key(sha256) && path.exists() {
            return Ok(Kept { duplicate: true });
        }
        index.forget(sha256);
        self.make_room(&mut index, size);
        let unfinished = self.folder.join(format!("{sha256}{UNFINISHED}"));
        let attempt = || {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
            file.write_all(bytes)?;
            std::fs::rename(&unfinished, &path)
        };
        if let Err(source) = attempt() {
            if let Err(error) = std::fs::remove_file(&unfinished)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, file = %unfinished.display(), "an unfinished artifact cannot be removed");
            }
            return Err(ArtifactError::Write { path, source });
        }
        index.add(worth, sha256, size);
        self.unsynced.lock().push(sha256.to_owned());
        Ok(Kept { duplicate: false })
    }

    /// Waits until everything kept so far is on the disk. Blocks; called about once a second.
    pub fn sync(&self) -> Result<(), ArtifactError> {
        let waiting = std::mem::take(&mut *self.unsynced.lock());
        if waiting.is_empty() {
            return Ok(());
        }
        let fault = |path: &Path| {
            let path = path.to_owned();
            move |source| ArtifactError::Write { path, source }
        };
        let folder = File::open(&*self.folder).map_err(fault(&self.folder))?;
        if waiting.len() > ONE_BY_ONE {
            return rustix::fs::syncfs(&folder).map_err(|error| fault(&self.folder)(error.into()));
        }
        let mut outcome = Ok(());
        for name in waiting {
            let path = self.folder.join(name);
            match File::open(&path).and_then(|file| file.sync_data()) {
                Ok(()) => {}
                // Deleted since, to make room.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => outcome = Err(fault(&path)(error)),
            }
        }
        outcome.and(folder.sync_data().map_err(fault(&self.folder)))
    }

    /// Opens an artifact for reading and gives its size; nothing when there is none of this name.
    pub fn open_one(&self, sha256: &str) -> Result<Option<(File, u64)>, ArtifactError> {
        if !is_sha256(sha256) {
            return Err(ArtifactError::BadName);
        }
        let path = self.folder.join(sha256);
        let opened = File::open(&path).and_then(|file| {
            let size = file.metadata()?.len();
            Ok((file, size))
        });
        match opened {
            Ok(opened) => Ok(Some(opened)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ArtifactError::Open { path, source }),
        }
    }

    /// How many artifacts there are, and their bytes together.
    pub fn totals(&self) -> (usize, u64) {
        let index = self.index.lock();
        (index.known.len(), index.total)
    }

    fn make_room(&self, index: &mut Index, size: u64) {
        while index.total + size > self.max_bytes || index.known.len() >= COUNT_MAX {
            let Some(oldest) = index.by_age.first_key_value().map(|(_, name)| name.clone()) else { return };
            index.forget(&oldest);
            let path = self.folder.join(&oldest);
            match std::fs::remove_file(&path) {
                Ok(()) => tracing::info!(artifact = oldest, "the oldest artifact was deleted to make room"),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::error!(%error, file = %path.display(), "an artifact cannot be deleted")
                }
            }
        }
    }
}

impl Index {
    fn add(&mut self, worth: Worth, name: &str, size: u64) {
        let age = match worth {
            Worth::Made => self.next_age,
            Worth::Brought => self.next_age + BROUGHT,
        };
        self.known.insert(name.to_owned(), (age, size));
        self.by_age.insert(age, name.to_owned());
        self.next_age += 1;
        self.total += size;
    }

    fn forget(&mut self, name: &str) {
        if let Some((age, size)) = self.known.remove(name) {
            self.by_age.remove(&age);
            self.total -= size;
        }
    }
}

/// Whether a name is 64 lower-case hexadecimal digits, and so can lead to no other folder.
pub fn is_sha256(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt as _;

    use sha2::{Digest as _, Sha256};

    use super::*;

    fn name_of(bytes: &[u8]) -> String {
        hex::encode(Sha256::digest(bytes))
    }

    fn keep(artifacts: &Artifacts, bytes: &[u8]) -> Kept {
        artifacts.keep(&name_of(bytes), bytes).unwrap()
    }

    #[test]
    fn keeps_once_and_gives_back() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::open(&folder.path().join("artifacts"), 1000).unwrap();
        assert_eq!(keep(&artifacts, b"#!/bin/sh\n"), Kept { duplicate: false });
        assert_eq!(keep(&artifacts, b"#!/bin/sh\n"), Kept { duplicate: true });
        assert_eq!(artifacts.totals(), (1, 10));
        let (mut file, size) = artifacts.open_one(&name_of(b"#!/bin/sh\n")).unwrap().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), size), ("#!/bin/sh\n", 10));
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(artifacts.open_one(&name_of(b"other")).unwrap().is_none());
    }

    #[test]
    fn the_oldest_goes_first_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::open(folder.path(), 30).unwrap();
        for letter in [b"aaaaaaaaaa", b"bbbbbbbbbb", b"cccccccccc", b"dddddddddd"] {
            keep(&artifacts, letter);
        }
        assert_eq!(artifacts.totals(), (3, 30));
        assert!(artifacts.open_one(&name_of(b"aaaaaaaaaa")).unwrap().is_none());
        drop(artifacts);
        let artifacts = Artifacts::open(folder.path(), 20).unwrap();
        assert_eq!(artifacts.totals(), (2, 20));
        assert!(artifacts.open_one(&name_of(b"bbbbbbbbbb")).unwrap().is_none());
        assert!(artifacts.open_one(&name_of(b"dddddddddd")).unwrap().is_some());
        let error = artifacts.keep(&name_of(&[0; 21]), &[0; 21]).unwrap_err();
        assert!(matches!(error, ArtifactError::TooLarge { size: 21, max: 20 }), "{error}");
    }

    #[test]
    fn syncing_waits_for_few_and_for_many() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::open(folder.path(), 30).unwrap();
        artifacts.sync().unwrap();
        // The first ones are deleted again before they are synced.
        for letter in b"aabbccddeeffgghh" {
            keep(&artifacts, &[*letter; 10]);
        }
        artifacts.sync().unwrap();
        assert!(artifacts.unsynced.lock().is_empty());
        for number in 0..=u32::try_from(ONE_BY_ONE).unwrap() {
            keep(&artifacts, &number.to_le_bytes());
        }
        artifacts.sync().unwrap();
        assert!(artifacts.unsynced.lock().is_empty());
        std::fs::remove_dir_all(folder.path()).unwrap();
        artifacts.unsynced.lock().push(name_of(b"x"));
        assert!(matches!(artifacts.sync(), Err(ArtifactError::Write { .. })));
    }

    #[test]
    fn what_a_power_cut_emptied_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name_of(b"x")), b"").unwrap();
        std::fs::write(folder.path().join(EMPTY), b"").unwrap();
        assert_eq!(Artifacts::open(folder.path(), 1000).unwrap().totals(), (1, 0));
        assert_eq!(EMPTY, name_of(b""));
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::open(folder.path(), 1000).unwrap();
        let upper = "A".repeat(64);
        let traversal = format!("../../{}", "a".repeat(58));
        for name in ["", "..", "../x", "/etc/passwd", upper.as_str(), traversal.as_str(), "é"] {
            assert!(matches!(artifacts.keep(name, b"x"), Err(ArtifactError::BadName)), "{name}");
            assert!(matches!(artifacts.open_one(name), Err(ArtifactError::BadName)), "{name}");
        }
    }

    #[test]
    fn what_a_crash_left_unfinished_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let unfinished = folder.path().join(format!("{}{UNFINISHED}", name_of(b"x")));
        std::fs::write(&unfinished, b"half").unwrap();
        std::fs::write(folder.path().join("README"), b"somebody's").unwrap();
        assert_eq!(Artifacts::open(folder.path(), 1000).unwrap().totals(), (0, 0));
        assert!(!unfinished.exists() && folder.path().join("README").exists());
    }
}
