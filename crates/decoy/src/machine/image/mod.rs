//! An image: the facts of a root file system, compact, read-only and shared by every visitor.
//!
//! An image knows every path with its kind, mode, owner, size and time; where links lead; and the content of small
//! files. Of larger ones it knows the first and the last bytes, which for an ELF file are its headers and its section
//! table; what lies between is made when it is read, always the same (see [`filler`]). Facts lie in flat tables, texts
//! in blocks that are unpacked when somebody reads them.

pub mod builder;
mod contents;
mod decode;
mod filler;
pub(super) mod varint;

use std::{
    collections::VecDeque,
    sync::{Arc, LazyLock, OnceLock},
};

use bytes::Bytes;
use parking_lot::Mutex;

pub use builder::{Builder, Given, Policy};
pub use decode::ImageError;

use super::{files::Kind, identity::Packages};
use contents::BLOCK;

/// The first bytes of every image file.
pub const MAGIC: [u8; 8] = *b"RBIMG\0\0\x01";

/// The image that is part of the program.
static DEBIAN_12: LazyLock<Arc<Image>> = LazyLock::new(|| {
    let data = Bytes::from_static(include_bytes!("../../../images/debian-12.img"));
    // A test holds that the shipped file is sound; a machine without files is still better than none.
    Arc::new(Image::decode(data).unwrap_or_else(|_| Image::empty()))
});

/// The files of a machine before anybody touched it.
pub struct Image {
    about: About,
    nodes: Vec<Node>,
    entries: Vec<Entry>,
    strings: Strings,
    owners: Vec<(u32, u32)>,
    contents: Vec<Content>,
    blocks: Vec<(usize, usize)>,
    data: Bytes,
    digest: [u8; 32],
    unpacked: Mutex<VecDeque<(usize, Bytes)>>,
    packages: OnceLock<Packages>,
}

/// What an image says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Where it was made from, in the words of who made it.
    pub label: String,
    /// Times from here on (seconds since 1970) are times of installation: a machine shows them from its own
    /// installation on. 0 when all times are shown as they are.
    pub installed: u32,
    /// The kernel's own version line (`6.1.0-1-amd64 (…) #1 SMP …`), when there is a kernel in `/boot`.
    pub kernel: String,
}

/// Facts of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) kind: Kind,
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) links: u32,
    /// Seconds since 1970.
    pub(super) mtime: u32,
    /// Bytes of a file.
    pub(super) size: u64,
    pub(super) rdev: (u32, u32),
}

/// One node as it lies in memory.
#[derive(Clone, Copy)]
struct Node {
    kind: Kind,
    mode: u16,
    owner: u16,
    links: u16,
    mtime: u32,
    /// File: bytes. Directory: first entry. Link: string. Device: major.
    a: u32,
    /// File: content, 0 for none. Directory: number of entries. Device: minor.
    b: u32,
}

/// A name in a directory.
#[derive(Clone, Copy)]
struct Entry {
    name: u32,
    node: u32,
}

/// What is known of a file's bytes: where they begin among all texts, and how many are the first and the last.
#[derive(Clone, Copy)]
struct Content {
    start: u32,
    head: u32,
    tail: u32,
}

/// All names and link targets, each once.
struct Strings {
    ends: Vec<u32>,
    text: String,
}

impl Strings {
    fn get(&self, index: u32) -> Option<&str> {
        let end = *self.ends.get(index as usize)? as usize;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before as usize)? as usize,
            None => 0,
        };
        self.text.get(start..end)
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Image")
            .field("about", &self.about)
            .field("nodes", &self.nodes.len())
            .finish_non_exhaustive()
    }
}

impl Image {
    /// The Debian 12 server that is part of the program.
    pub fn debian_12() -> &'static Arc<Self> {
        &DEBIAN_12
    }

    /// An image with nothing but a root directory.
    pub fn empty() -> Self {
        let root = Node { kind: Kind::Dir, mode: 0o755, owner: 0, links: 2, mtime: 0, a: 0, b: 0 };
        Self {
            about: About::default(),
            nodes: vec![root],
            entries: Vec::new(),
            strings: Strings { ends: Vec::new(), text: String::new() },
            owners: vec![(0, 0)],
            contents: Vec::new(),
            blocks: Vec::new(),
            data: Bytes::new(),
            digest: [0; 32],
            unpacked: Mutex::default(),
            packages: OnceLock::new(),
        }
    }

    /// Its packages; read from their list once.
    pub(super) fn packages(&self) -> &Packages {
        self.packages.get_or_init(|| Packages::of(self))
    }

    /// What it says of itself.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// SHA-256 of its facts.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// How many nodes it has.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether it has nothing but a root directory.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() <= 1
    }

    /// Facts of a node; the root directory is number 0.
    pub(super) fn fact(&self, id: u32) -> Option<Fact> {
        let node = self.nodes.get(id as usize)?;
        let (uid, gid) = self.owners.get(usize::from(node.owner)).copied().unwrap_or_default();
        let is_device = matches!(node.kind, Kind::CharDevice | Kind::BlockDevice);
        let size = match node.kind {
            Kind::File => u64::from(node.a),
            Kind::Symlink => self.strings.get(node.a).map_or(0, |target| target.len() as u64),
            _ => 0,
        };
        Some(Fact {
            kind: node.kind,
            mode: node.mode,
            uid,
            gid,
            links: u32::from(node.links),
            mtime: node.mtime,
            size,
            rdev: if is_device { (node.a, node.b) } else { (0, 0) },
        })
    }

    /// Where a symbolic link leads.
    pub(super) fn target(&self, id: u32) -> Option<&str> {
        let node = self.nodes.get(id as usize).filter(|node| node.kind == Kind::Symlink)?;
        self.strings.get(node.a)
    }

    fn entries_of(&self, id: u32) -> &[Entry] {
        let range = self
            .nodes
            .get(id as usize)
            .filter(|node| node.kind == Kind::Dir)
            .map(|node| node.a as usize..node.a as usize + node.b as usize);
        range.and_then(|range| self.entries.get(range)).unwrap_or_default()
    }

    /// How many names a directory has.
    pub(super) fn count(&self, id: u32) -> usize {
        self.entries_of(id).len()
    }

    /// The names of a directory, sorted by bytes, and what they name.
    pub(super) fn children(&self, id: u32) -> impl Iterator<Item = (&str, u32)> {
        self.entries_of(id).iter().map(|entry| (self.strings.get(entry.name).unwrap_or(""), entry.node))
    }

    /// What a name in a directory names.
    pub(super) fn child(&self, id: u32, name: &str) -> Option<u32> {
        let entries = self.entries_of(id);
        let found =
            entries.binary_search_by(|entry| self.strings.get(entry.name).unwrap_or("").cmp(name)).ok()?;
        entries.get(found).map(|entry| entry.node)
    }

    /// What an absolute path names; symbolic links on the way are followed, the last one is not.
    pub(super) fn find(&self, path: &str) -> Option<u32> {
        self.walk(path, false)
    }

    fn walk(&self, path: &str, follow: bool) -> Option<u32> {
        let mut stack = vec![0];
        let mut todo: Vec<&str> = path.rsplit('/').filter(|name| !name.is_empty()).collect();
        let mut links = 0;
        while let Some(name) = todo.pop() {
            if name == ".." {
                stack.truncate(stack.len().saturating_sub(1).max(1));
                continue;
            }
            let node = self.child(*stack.last()?, name)?;
            match self.target(node) {
                Some(target) if follow || !todo.is_empty() => {
                    links += 1;
                    if links > 40 {
                        return None;
                    }
                    if target.starts_with('/') {
                        stack.truncate(1);
                    }
                    todo.extend(target.rsplit('/').filter(|name| !name.is_empty() && *name != "."));
                }
                _ => stack.push(node),
            }
        }
        stack.last().copied()
    }

    /// The text of a file that is in the image word for word.
    pub fn text(&self, path: &str) -> Option<String> {
        let id = self.walk(path, true)?;
        let node = self.nodes.get(id as usize).filter(|node| node.kind == Kind::File)?;
        if node.a == 0 {
            return Some(String::new());
        }
        let content = self.content(node)?;
        if content.head != node.a {
            return None;
        }
        String::from_utf8(self.read(id, 0, node.a as usize)).ok()
    }

    /// Every node by its path, directories before what is in them: path, and `ls -l`'s view of it. For people.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let mut todo = vec![(String::new(), 0_u32)];
        std::iter::from_fn(move || {
            let (path, id) = todo.pop()?;
            let fact = self.fact(id)?;
            if fact.kind == Kind::Dir {
                let mut inside: Vec<(String, u32)> =
                    self.children(id).map(|(name, child)| (format!("{path}/{name}"), child)).collect();
                inside.reverse();
                todo.extend(inside);
            }
            let kept = match fact.kind {
                Kind::File if self.is_whole(id) => "whole",
                Kind::File if self.nodes.get(id as usize).is_some_and(|node| node.b > 0) => "ends",
                Kind::File => "size",
                _ => "-",
            };
            let shown = if path.is_empty() { "/" } else { path.as_str() };
            let arrow = self.target(id).map(|target| format!(" -> {target}")).unwrap_or_default();
            Some(format!(
                "{}{:04o} {:>5} {:>5} {:>10} {:>10} {kept:<5} {shown}{arrow}",
                fact.kind.letter(),
                fact.mode,
                fact.uid,
                fact.gid,
                fact.size,
                fact.mtime
            ))
        })
    }

    /// Nodes, files of which every byte is there, files of which the ends are there, stored bytes unpacked and packed.
    pub fn sizes(&self) -> Sizes {
        let files =
            || (0..self.nodes.len() as u32).filter(|id| self.fact(*id).is_some_and(|f| f.kind == Kind::File));
        let whole = files().filter(|id| self.is_whole(*id)).count();
        Sizes {
            nodes: self.nodes.len(),
            files: files().count(),
            whole,
            stored: self
                .contents
                .last()
                .map_or(0, |last| u64::from(last.start) + u64::from(last.head) + u64::from(last.tail)),
            packed: self.data.len() as u64,
            claimed: files().filter_map(|id| self.fact(id)).map(|fact| fact.size).sum(),
        }
    }
}

/// How large an image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Nodes of all kinds.
    pub nodes: usize,
    /// Files among them.
    pub files: usize,
    /// Files of which every byte is there.
    pub whole: usize,
    /// Bytes of files that are there, unpacked.
    pub stored: u64,
    /// Bytes of the image file.
    pub packed: u64,
    /// Bytes that the files say they have.
    pub claimed: u64,
}

#[cfg(test)]
mod tests;
