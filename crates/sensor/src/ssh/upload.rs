//! A file that a visitor writes over sftp, from its first byte until it lies on the machine and among the artifacts.

use std::sync::Arc;

use decoy::{
    Contact,
    machine::{FileError, files::Owner},
    memory::Holding,
};
use sha2::{Digest as _, Sha256};
use tokio_util::task::task_tracker::TaskTrackerToken;
use wire::EventKind;

use crate::{artifacts::Artifacts, session::Session};

/// How far behind the end a write may begin. Clients write in order; what they leave out is memory of ours.
const MAX_HOLE: usize = 256 * 1024;

/// A file being written.
pub struct Upload {
    /// Where.
    pub path: String,
    /// What is there so far.
    pub bytes: Vec<u8>,
    /// Permission bits it will have.
    pub mode: u32,
    /// Whether something found no room.
    pub truncated: bool,
    /// Whether there is anything to keep.
    pub changed: bool,
    /// What `bytes` takes of the connection's memory.
    pub holding: Holding,
    /// Whether that found no room.
    pub starved: bool,
}

impl Upload {
    /// Writes into the file; `false` when that is beyond `limit`, leaves too large a hole, or finds no memory.
    pub fn write(&mut self, offset: u64, data: &[u8], limit: usize) -> bool {
        self.changed = true;
        let Ok(offset) = usize::try_from(offset) else { return false };
        let Some(end) = offset.checked_add(data.len()).filter(|end| *end <= limit) else { return false };
        if offset > self.bytes.len().saturating_add(MAX_HOLE) {
            return false;
        }
        if !self.holding.reach(end) {
            self.starved = true;
            return false;
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        if let Some(place) = self.bytes.get_mut(offset..end) {
            place.copy_from_slice(data);
        }
        true
    }
}

/// Puts away what was uploaded. While one lives, its connection's session is not closed.
#[derive(Clone)]
pub struct Keeper {
    /// Whose machine.
    pub contact: Contact,
    /// Who is told.
    pub session: Session,
    /// Where captured files are kept.
    pub artifacts: Arc<Artifacts>,
    /// Whose the files are.
    pub owner: Owner,
    /// Makes the end of the visit wait.
    pub _waits: TaskTrackerToken,
}

impl Keeper {
    /// Writes the file to the machine, keeps it, and notes it. Hashes and waits for the disk: not for a worker.
    pub fn put_away(&self, upload: Upload) -> Result<(), FileError> {
        let Upload { path, bytes, mode, truncated, .. } = &upload;
        let shasum = hex::encode(Sha256::digest(bytes));
        let kept = self.session.may_keep(bytes.len()).then(|| self.artifacts.keep(&shasum, bytes));
        if let Some(Err(error)) = &kept {
            tracing::error!(%error, "a captured file could not be kept");
        }
        self.session.note(EventKind::FileUpload {
            filename: path.rsplit('/').next().unwrap_or_default().to_owned(),
            outfile: if kept.is_some() { format!("artifacts/{shasum}") } else { String::new() },
            shasum,
            destfile: path.clone(),
            size: bytes.len() as u64,
            duplicate: kept.is_some_and(|kept| kept.is_ok_and(|kept| kept.duplicate)),
            truncated: *truncated,
        });
        self.contact.visitor.files().write(path, bytes, &self.owner, *mode)
    }
}

#[cfg(test)]
mod tests {
    use decoy::memory::Pool;

    use super::*;

    #[test]
    fn holes_and_bounds_are_refused() {
        let pool = Pool::new(576 * 1024);
        let mut upload = Upload {
            path: "/tmp/x".to_owned(),
            bytes: Vec::new(),
            mode: 0o644,
            truncated: false,
            changed: false,
            holding: Holding::new(&pool),
            starved: false,
        };
        assert!(!upload.write(MAX_HOLE as u64 + 1, b"x", 1 << 20), "too large a hole");
        assert!(upload.write(3, b"def", 1 << 20) && upload.write(0, b"abc", 1 << 20));
        assert_eq!(upload.bytes, b"abcdef");
        assert!(!upload.write(5, b"xyz", 7) && !upload.write(u64::MAX, b"x", usize::MAX));
        assert!(
            upload.write(MAX_HOLE as u64, b"x", 1 << 20) && upload.write(2 * MAX_HOLE as u64, b"x", 1 << 20)
        );
        assert!(!upload.starved);
        assert!(!upload.write(600 * 1024, b"x", 1 << 20), "the connection's memory is used up");
        assert!(upload.starved);
    }
}
