//! The machine's file system: one tree for everybody, and each visitor's changes over it.
//!
//! A [`Tree`] is never changed and is shared. [`Files`] adds a private layer: a node is copied into it when the
//! visitor first changes it, so a visitor who only looks around costs nothing. Paths are absolute; `.`, `..` and
//! symbolic links are resolved here, never on the host.
//!
//! Whether somebody *may* do a thing is asked with [`Files::may`]; the operations themselves act as the kernel would
//! after that check.

mod attributes;
mod counters;
mod debian;
mod error;
mod etc;
mod filler;
mod kernel;
mod knocks;
mod layer;
mod learned;
mod listed;
mod logs;
mod owner;
mod proc;
mod process;
mod program;
mod reading;
mod recorded;
pub(super) mod saved;
mod sys;
mod tables;
mod tree;
mod walk;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};

use super::{
    Identity,
    clock::Clock,
    guests::{Guest, Reader},
    image::varint,
    mounts::Change,
};
pub use attributes::{Attributes, Flag, Kind};
pub use error::{FileError, Result};
use layer::Layer;
pub(crate) use layer::Pool;
pub use learned::Unknown;
pub use listed::{Listed, parse as parse_listing};
pub use owner::{Access, Owner};
pub use tree::Tree;
pub(crate) use {
    debian::program_names,
    logs::kernel as kernel_log,
    proc::{load, memory, mount_table},
    tables::traffic,
};

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name, without a path.
    pub name: String,
    /// What it names, not following a symbolic link.
    pub attributes: Attributes,
}

/// A symbolic link says less than this (PATH_MAX).
const LONGEST_TARGET: usize = 4096;

/// The most bytes that one read of an endless device gives.
pub const ENDLESS_READ: usize = 1024 * 1024;

/// The file system as one visitor sees it. All methods take absolute paths and may be called from any thread.
pub struct Files {
    base: Arc<Tree>,
    clock: Clock,
    layer: Mutex<Layer>,
    changes: AtomicU64,
}

impl Files {
    /// An unchanged view of `base`. The visitor may write up to `layer_bytes` of content and make `layer_files` nodes.
    pub fn new(base: Arc<Tree>, clock: Clock, layer_bytes: usize, layer_files: usize) -> Self {
        Self::sharing(base, clock, layer_bytes, layer_files, Pool::new(layer_bytes))
    }

    /// As [`new`](Files::new), with content that must also fit into what all visitors share.
    pub(crate) fn sharing(
        base: Arc<Tree>,
        clock: Clock,
        layer_bytes: usize,
        layer_files: usize,
        pool: Pool,
    ) -> Self {
        Self {
            base,
            clock,
            layer: Mutex::new(Layer::new(layer_bytes, layer_files, pool)),
            changes: AtomicU64::new(0),
        }
    }

    /// The machine was booted again: what is made at each read follows from this.
    pub(crate) fn reboot(&self, identity: Arc<Identity>) {
        self.layer.lock().reboot(identity);
    }

    /// Takes away what a boot takes away: everything in `/tmp` (tmpfiles.d(5)), and what the visitor has put into
    /// memory.
    pub(crate) fn clear_at_boot(&self) {
        for folder in ["/tmp", "/run", "/dev/shm", "/dev"] {
            for entry in self.list(folder).unwrap_or_default() {
                let path = format!("{folder}/{}", entry.name);
                if self.is_visitors(&path)
                    && let Err(error) = self.remove_all(&path)
                {
                    tracing::debug!(%path, ?error, "a file outlives the reboot");
                }
            }
        }
    }

    /// Attributes of what the path names in the end.
    pub fn stat(&self, path: &str) -> Result<Attributes> {
        self.layer.lock().view(&self.base).stat(path, true, self.clock.now())
    }

    /// Attributes of the path itself, even if it is a symbolic link.
    pub fn lstat(&self, path: &str) -> Result<Attributes> {
        self.layer.lock().view(&self.base).stat(path, false, self.clock.now())
    }

    /// The whole content. Endless devices give [`ENDLESS_READ`] bytes, `/dev/null` and terminals none.
    pub fn read(&self, path: &str) -> Result<Bytes> {
        let now = self.clock.now();
        self.layer.lock().view(&self.base).read(path, now)
    }

    /// Up to `length` bytes from `offset` on: of a large program only these are made.
    pub fn read_at(&self, path: &str, offset: u64, length: usize) -> Result<Bytes> {
        let now = self.clock.now();
        self.layer.lock().view(&self.base).read_at(path, offset, length, now)
    }

    /// The layer, about to be changed.
    fn changing(&self) -> MutexGuard<'_, Layer> {
        let layer = self.layer.lock();
        self.changes.fetch_add(1, Ordering::Release);
        layer
    }

    /// The visitor logs in: what the machine's records show of them from now on.
    pub fn welcome(&self, guest: Guest) {
        self.layer.lock().welcome(guest);
    }

    /// A program that is none of the shell's own looks at `/proc/self` from now on; with `None` it is the shell again.
    pub(crate) fn read_by(&self, reader: Option<Reader>) {
        self.layer.lock().read_by(reader);
    }

    /// These ports have no daemon any more; all others have theirs.
    pub(crate) fn close_ports(&self, deaf: Vec<u16>) {
        self.layer.lock().close_ports(deaf);
    }

    /// What `/proc/mounts` shows beyond Debian's own.
    pub(crate) fn show_mounts(&self, mounts: Vec<Change>) {
        self.layer.lock().show_mounts(mounts);
    }

    /// How often something was changed, or tried to be; differs whenever the layer does.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Adds the layer to `file`, for [`recall`](Files::recall).
    pub(crate) fn save(&self, file: &mut Vec<u8>) {
        saved::write(&self.layer.lock(), &self.base, file);
    }

    /// Takes over a saved layer; says whether it could. A layer of another image or identity cannot.
    pub(crate) fn recall(&self, saved: &mut varint::Reader<'_>) -> bool {
        saved::read(saved, &self.base).is_some_and(|changes| self.layer.lock().recall(changes).is_ok())
    }

    /// Replaces the content; a new file gets this owner and mode.
    pub fn write(&self, path: &str, bytes: &[u8], who: &Owner, mode: u32) -> Result<()> {
        self.changing().write(&self.base, path, bytes, *who, mode, self.clock.now(), false)
    }

    /// Adds to the content; a new file gets this owner and mode.
    pub fn append(&self, path: &str, bytes: &[u8], who: &Owner, mode: u32) -> Result<()> {
        self.changing().write(&self.base, path, bytes, *who, mode, self.clock.now(), true)
    }

    /// Makes one directory.
    pub fn make_dir(&self, path: &str, who: &Owner, mode: u32) -> Result<()> {
        self.changing().make(&self.base, path, tree::Content::empty_dir(), *who, mode, self.clock.now())
    }

    /// Makes a directory and those above it that are missing; one that exists is fine.
    pub fn make_dir_all(&self, path: &str, who: &Owner, mode: u32) -> Result<()> {
        let path = self.resolve("/", path);
        let mut so_far = String::new();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            so_far.push('/');
            so_far.push_str(name);
            match self.make_dir(&so_far, who, mode) {
                Err(FileError::Exists) if self.is_dir(&so_far) => {}
                Err(FileError::Exists) => return Err(FileError::Exists),
                other => other?,
            }
        }
        Ok(())
    }

    /// Makes a named pipe.
    pub fn make_fifo(&self, path: &str, who: &Owner, mode: u32) -> Result<()> {
        self.changing().make(&self.base, path, tree::Content::Fifo, *who, mode, self.clock.now())
    }

    /// Removes a name: a file, a link, or a directory that is empty.
    pub fn remove(&self, path: &str) -> Result<()> {
        self.changing().remove(&self.base, path, false, self.clock.now())
    }

    /// Removes a name and, if it is a directory, everything in it.
    pub fn remove_all(&self, path: &str) -> Result<()> {
        self.changing().remove(&self.base, path, true, self.clock.now())
    }

    /// Moves a name, replacing a file or an empty directory of the new name (rename(2)).
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.changing().rename(&self.base, from, to, self.clock.now())
    }

    /// Copies a file's content, following links, and costs nothing when it is the machine's own; a new file gets this owner and the source's permissions.
    pub fn copy(&self, from: &str, to: &str, who: &Owner) -> Result<()> {
        self.changing().copy(&self.base, from, to, *who, self.clock.now())
    }

    /// Makes a symbolic link at `link` that says `target`.
    pub fn symlink(&self, target: &str, link: &str, who: &Owner) -> Result<()> {
        if target.is_empty() {
            return Err(FileError::NotFound);
        }
        if target.len() >= LONGEST_TARGET {
            return Err(FileError::NameTooLong);
        }
        let content = tree::Content::Link(target.into());
        self.changing().make(&self.base, link, content, *who, 0o777, self.clock.now())
    }

    /// Makes another name for a file.
    pub fn link(&self, existing: &str, new: &str) -> Result<()> {
        self.changing().link(&self.base, existing, new, self.clock.now())
    }

    /// What a symbolic link says.
    pub fn read_link(&self, path: &str) -> Result<String> {
        self.layer.lock().view(&self.base).read_link(path)
    }

    /// The names in a directory, sorted by bytes, without `.` and `..`.
    pub fn list(&self, path: &str) -> Result<Vec<Entry>> {
        self.layer.lock().view(&self.base).list(path, self.clock.now())
    }

    /// What ext4 knows of the file beside its mode; a symbolic link is not followed.
    pub fn flags(&self, path: &str) -> Result<Vec<Flag>> {
        let layer = self.layer.lock();
        let view = layer.view(&self.base);
        let mode = view.node(view.find(path, false)?)?.mode;
        Ok(Flag::ALL.into_iter().filter(|flag| mode & flag.bit() != 0).collect())
    }

    /// Sets exactly these flags.
    pub fn set_flags(&self, path: &str, flags: &[Flag]) -> Result<()> {
        let bits = flags.iter().fold(0, |bits, flag| bits | flag.bit());
        self.changing().flag(&self.base, path, bits, self.clock.now())
    }

    /// Sets the permission bits (07777).
    pub fn set_mode(&self, path: &str, mode: u32) -> Result<()> {
        self.changing().change(&self.base, path, true, self.clock.now(), |node| {
            node.mode = node.mode & !0o7777 | (mode & 0o7777) as u16;
        })
    }

    /// Sets owner and group; `None` leaves one as it is.
    pub fn set_owner(&self, path: &str, uid: Option<u32>, gid: Option<u32>) -> Result<()> {
        self.changing().change(&self.base, path, true, self.clock.now(), |node| {
            node.uid = uid.unwrap_or(node.uid);
            node.gid = gid.unwrap_or(node.gid);
        })
    }

    /// Sets the times of access and of change; `None` leaves one as it is.
    pub fn set_times(&self, path: &str, atime: Option<SystemTime>, mtime: Option<SystemTime>) -> Result<()> {
        self.changing().change(&self.base, path, true, self.clock.now(), |node| {
            node.atime = atime.unwrap_or(node.atime);
            node.mtime = mtime.unwrap_or(node.mtime);
        })
    }

    /// Whether the path leads to something, following links.
    pub fn exists(&self, path: &str) -> bool {
        self.stat(path).is_ok()
    }

    /// Whether the path leads to a directory, following links.
    pub fn is_dir(&self, path: &str) -> bool {
        self.stat(path).is_ok_and(|attributes| attributes.is_dir())
    }

    /// An absolute path without `.`, `..` and doubled slashes, from one that may be relative to `cwd`. Symbolic links
    /// are not looked at.
    pub fn resolve(&self, cwd: &str, path: &str) -> String {
        walk::absolute(cwd, path)
    }

    /// The path that the name leads to when every symbolic link is followed (realpath(3)).
    pub fn real_path(&self, path: &str) -> Result<String> {
        self.layer.lock().view(&self.base).real_path(path)
    }

    /// Whether this user may do this with the path. Every directory on the way must let them through.
    pub fn may(&self, uid: u32, gid: u32, path: &str, access: Access) -> Result<()> {
        self.layer.lock().view(&self.base).may(Owner { uid, gid }, path, access)
    }

    /// Bytes and nodes that the visitor's layer holds.
    pub fn layer_size(&self) -> (usize, usize) {
        self.layer.lock().size()
    }
}

#[cfg(test)]
mod tests;
