//! The shared tree: nodes by number, built once, never changed.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::SystemTime,
};

use bytes::Bytes;

use parking_lot::RwLock;

use super::{Attributes, Kind};
use crate::machine::Identity;

/// Number of a node. Below the tree's length it is one of the tree's, above it one of a visitor's.
pub(super) type NodeId = u32;

/// The root directory.
pub(super) const ROOT: NodeId = 0;

/// Names of a directory and what they name.
pub(super) type Names = BTreeMap<Arc<str>, NodeId>;

/// Writes a file that changes with the clock.
pub(super) type Writer = fn(&Identity, SystemTime) -> Vec<u8>;

/// What is in a node.
#[derive(Clone)]
pub(super) enum Content {
    Dir(Names),
    /// Text that is part of the tree.
    Text(Bytes),
    /// A visitor's own file.
    Own(Arc<Vec<u8>>),
    /// An executable of this many bytes, made when it is read.
    Program(u32),
    /// Listed, but nobody wrote down what is in it; see [`Listed`].
    Listed(Arc<Listed>),
    /// Made at each read.
    Made(Writer),
    Link(Arc<str>),
    Char(u32, u32),
    Block(u32, u32),
    Fifo,
    Socket,
}

impl Content {
    pub(super) fn empty_dir() -> Self {
        Self::Dir(Names::new())
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Dir(_) => Kind::Dir,
            Self::Text(_) | Self::Own(_) | Self::Program(_) | Self::Listed(_) | Self::Made(_) => Kind::File,
            Self::Link(_) => Kind::Symlink,
            Self::Char(..) => Kind::CharDevice,
            Self::Block(..) => Kind::BlockDevice,
            Self::Fifo => Kind::Fifo,
            Self::Socket => Kind::Socket,
        }
    }
}

/// A file of the image of which only the listing is known. Its size is a promise: whatever is learned of it is made to
/// fit, so that what `ls` showed stays true.
pub(super) struct Listed {
    /// Where the image has it, whatever a visitor calls it later.
    pub(super) path: String,
    /// Its size in bytes.
    pub(super) size: u32,
    /// Its first line, if that is known (`#!/bin/sh`), without the line end.
    pub(super) head: String,
}

/// One node.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) content: Content,
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) links: u32,
    pub(super) mtime: SystemTime,
    pub(super) atime: SystemTime,
    pub(super) ctime: SystemTime,
}

impl Node {
    /// A new node of this owner, made at `now`.
    pub(super) fn new(content: Content, uid: u32, gid: u32, mode: u32, now: SystemTime) -> Self {
        let links = if matches!(content, Content::Dir(_)) { 2 } else { 1 };
        Self { content, mode: (mode & 0o7777) as u16, uid, gid, links, mtime: now, atime: now, ctime: now }
    }

    pub(super) fn attributes(&self, id: NodeId, in_proc: bool) -> Attributes {
        let size = match &self.content {
            Content::Dir(_) if in_proc => 0,
            // A directory of many names has more than one block (ext4: 8 + name bytes an entry, rounded up).
            Content::Dir(names) if names.len() > 80 => {
                let bytes: usize = names.keys().map(|name| 8 + name.len().next_multiple_of(4)).sum();
                (bytes + bytes / 2).next_multiple_of(4096) as u64
            }
            Content::Dir(_) => 4096,
            Content::Text(bytes) => bytes.len() as u64,
            Content::Own(bytes) => bytes.len() as u64,
            Content::Program(size) => u64::from(*size),
            Content::Listed(listed) => u64::from(listed.size),
            Content::Link(target) => target.len() as u64,
            Content::Made(_) | Content::Char(..) | Content::Block(..) | Content::Fifo | Content::Socket => 0,
        };
        let rdev = match self.content {
            Content::Char(major, minor) | Content::Block(major, minor) => (major, minor),
            _ => (0, 0),
        };
        Attributes {
            kind: self.content.kind(),
            mode: u32::from(self.mode),
            uid: self.uid,
            gid: self.gid,
            size,
            nlink: self.links,
            inode: inode(id),
            mtime: self.mtime,
            atime: self.atime,
            ctime: self.ctime,
            rdev,
        }
    }
}

/// Inode numbers as ext4 gives them: the root is 2, the rest are far apart in groups.
fn inode(id: NodeId) -> u64 {
    if id == ROOT { 2 } else { 131_073 + u64::from(id) * 2 + u64::from(id / 97) * 4096 }
}

/// The file system that all visitors share.
pub struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) identity: Identity,
    /// What was learned of listed files, by their node.
    pub(super) learned: RwLock<HashMap<NodeId, Bytes>>,
}

impl Tree {
    /// The tree of a Debian 12 server that is this machine.
    pub fn debian_12(identity: &Identity, now: SystemTime) -> Self {
        super::debian::build(identity, now)
    }

    /// An empty tree: only the root directory.
    pub(super) fn empty(identity: &Identity) -> Self {
        let root = Node::new(Content::empty_dir(), 0, 0, 0o755, identity.installed);
        Self { nodes: vec![root], identity: identity.clone(), learned: RwLock::default() }
    }

    /// Puts a node at an absolute path, with the directories above it (root's, 0755) if they are missing; replaces
    /// what is there, keeping the names in a directory. Symbolic links are not followed.
    pub(super) fn put(&mut self, path: &str, mut node: Node) -> NodeId {
        let mut at = ROOT;
        let mut names = path.split('/').filter(|name| !name.is_empty()).peekable();
        let time = self.identity.installed;
        while let Some(name) = names.next() {
            let last = names.peek().is_none();
            let found = match self.nodes.get(at as usize).map(|parent| &parent.content) {
                Some(Content::Dir(children)) => children.get(name).copied(),
                _ => None,
            };
            if let Some(id) = found {
                if last {
                    if let Some(place) = self.nodes.get_mut(id as usize) {
                        if let (Content::Dir(new), Content::Dir(old)) = (&mut node.content, &place.content)
                            && new.is_empty()
                        {
                            *new = old.clone();
                            node.links = place.links;
                        }
                        *place = node;
                    }
                    return id;
                }
                at = id;
                continue;
            }
            let id = self.nodes.len() as NodeId;
            let child = if last { node.clone() } else { Node::new(Content::empty_dir(), 0, 0, 0o755, time) };
            let is_dir = matches!(child.content, Content::Dir(_));
            self.nodes.push(child);
            if let Some(parent) = self.nodes.get_mut(at as usize)
                && let Content::Dir(children) = &mut parent.content
            {
                children.insert(name.into(), id);
                parent.links += u32::from(is_dir);
            }
            at = id;
        }
        at
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is nothing but the root directory.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() <= 1
    }
}
