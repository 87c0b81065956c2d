//! A node of a file system: what it holds, whose it is, and who writes what is made when it is read.

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use bytes::Bytes;

use super::super::{FileError, Flag, Kind, Result};
use super::NodeId;
use crate::machine::{Identity, guests::Scene};

/// Writes a file that changes with the clock, or with who looks.
#[derive(Clone, Copy)]
pub(in crate::machine::files) enum Writer {
    /// The same for everybody.
    Public(fn(&Identity, SystemTime) -> Vec<u8>),
    /// Shows the visitor to themselves.
    Own(Own),
}

/// Writes a file that shows the visitor to themselves.
pub(in crate::machine::files) type Own = fn(&Scene<'_>) -> Vec<u8>;

impl Writer {
    pub(in crate::machine::files) fn write(self, scene: &Scene<'_>) -> Vec<u8> {
        match self {
            Self::Public(write) => write(scene.identity, scene.now),
            Self::Own(write) => write(scene),
        }
    }
}

/// Names of a directory: those that an image has there, with names added and taken away.
#[derive(Clone, Default)]
pub(in crate::machine::files) struct Names {
    /// The directory of the image below.
    pub(in crate::machine::files) under: Option<NodeId>,
    /// Names added, or with `None` names of the image that are gone.
    pub(in crate::machine::files) own: BTreeMap<Arc<str>, Option<NodeId>>,
}

/// What is in a node.
#[derive(Clone)]
pub(in crate::machine::files) enum Content {
    Dir(Names),
    /// Text that is part of the tree.
    Text(Bytes),
    /// A visitor's own file.
    Own(Arc<Vec<u8>>),
    /// A file of the image.
    Image(u32),
    /// A file of which only the size is known.
    Blank(u32),
    /// The same in a visitor's layer; what is in it may still be asked for.
    Listed(u32),
    /// Made at each read.
    Made(Writer),
    Link(Arc<str>),
    Char(u32, u32),
    Block(u32, u32),
    Fifo,
    Socket,
}

impl Content {
    pub(in crate::machine::files) fn empty_dir() -> Self {
        Self::Dir(Names::default())
    }

    pub(in crate::machine::files) fn kind(&self) -> Kind {
        match self {
            Self::Dir(_) => Kind::Dir,
            Self::Text(_)
            | Self::Own(_)
            | Self::Image(_)
            | Self::Blank(_)
            | Self::Listed(_)
            | Self::Made(_) => Kind::File,
            Self::Link(_) => Kind::Symlink,
            Self::Char(..) => Kind::CharDevice,
            Self::Block(..) => Kind::BlockDevice,
            Self::Fifo => Kind::Fifo,
            Self::Socket => Kind::Socket,
        }
    }
}

/// One node.
#[derive(Clone)]
pub(in crate::machine::files) struct Node {
    pub(in crate::machine::files) content: Content,
    /// Permissions (07777); above them the bits of [`Flag`].
    pub(in crate::machine::files) mode: u16,
    pub(in crate::machine::files) uid: u32,
    pub(in crate::machine::files) gid: u32,
    pub(in crate::machine::files) links: u32,
    pub(in crate::machine::files) mtime: SystemTime,
    pub(in crate::machine::files) atime: SystemTime,
    pub(in crate::machine::files) ctime: SystemTime,
}

impl Node {
    /// Whether it has this flag.
    pub(in crate::machine::files) fn has(&self, flag: Flag) -> bool {
        self.mode & flag.bit() != 0
    }

    /// Whether its content may be changed, or with `append` only added to (chattr(1)).
    pub(in crate::machine::files) fn takes(&self, append: bool) -> Result<()> {
        if self.has(Flag::Immutable) || !append && self.has(Flag::Append) {
            return Err(FileError::NotPermitted);
        }
        Ok(())
    }

    /// A new node of this owner, made at `now`.
    pub(in crate::machine::files) fn new(
        content: Content,
        uid: u32,
        gid: u32,
        mode: u32,
        now: SystemTime,
    ) -> Self {
        let links = if matches!(content, Content::Dir(_)) { 2 } else { 1 };
        Self { content, mode: (mode & 0o7777) as u16, uid, gid, links, mtime: now, atime: now, ctime: now }
    }
}
