//! Finding the node that a path names, and reading it.

use std::{collections::HashMap, time::SystemTime};

use bytes::Bytes;

use super::{
    Access, Attributes, ENDLESS_READ, Entry, FileError, Kind, Owner, Result, filler, program,
    tree::{Content, Node, NodeId, ROOT, Tree},
};

/// The kernel gives up after this many symbolic links (path_resolution(7)).
const MOST_LINKS: usize = 40;
/// The longest name (NAME_MAX).
const MOST_NAME: usize = 255;
/// The longest path (PATH_MAX).
const MOST_PATH: usize = 4096;

/// An absolute path without `.`, `..` and doubled slashes; links are not looked at.
pub(super) fn absolute(cwd: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let start = if path.starts_with('/') { "" } else { cwd };
    for part in start.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    let mut whole = String::with_capacity(path.len() + 1);
    for part in &parts {
        whole.push('/');
        whole.push_str(part);
    }
    if whole.is_empty() {
        whole.push('/');
    }
    whole
}

/// The tree with one visitor's changes over it.
pub(super) struct View<'a> {
    pub(super) base: &'a Tree,
    pub(super) changed: &'a HashMap<NodeId, Node>,
}

/// Where a path leads.
pub(super) struct Place<'p> {
    /// The directory that has, or would have, the last name.
    pub(super) parent: NodeId,
    /// The last name; empty for the root directory.
    pub(super) name: std::borrow::Cow<'p, str>,
    /// The node, if there is one.
    pub(super) node: Option<NodeId>,
    /// Every directory that was walked through, for the permission check.
    pub(super) through: Vec<NodeId>,
}

impl<'a> View<'a> {
    pub(super) fn node(&self, id: NodeId) -> Result<&'a Node> {
        self.changed.get(&id).or_else(|| self.base.nodes.get(id as usize)).ok_or(FileError::NotFound)
    }

    /// Walks a path. The last name may be missing; those before it must be directories. A last symbolic link is
    /// followed if `follow` says so or a slash comes after it.
    pub(super) fn place<'p>(&self, path: &'p str, follow: bool) -> Result<Place<'p>> {
        if path.is_empty() {
            return Err(FileError::NotFound);
        }
        if path.len() >= MOST_PATH {
            return Err(FileError::NameTooLong);
        }
        if path.contains('\0') {
            return Err(FileError::Invalid);
        }
        let must_be_dir = path.ends_with('/') || path.ends_with("/.");
        // The names still to walk, last first; those of a followed link are put on top.
        let mut todo: Vec<std::borrow::Cow<'p, str>> =
            path.split('/').rev().filter(|name| !name.is_empty() && *name != ".").map(Into::into).collect();
        let mut stack: Vec<NodeId> = vec![ROOT];
        let mut through = Vec::new();
        let mut links = 0;
        while let Some(name) = todo.pop() {
            let here = stack.last().copied().unwrap_or(ROOT);
            let node = self.node(here)?;
            let Content::Dir(names) = &node.content else { return Err(FileError::NotADirectory) };
            through.push(here);
            if name == ".." {
                if stack.len() > 1 {
                    stack.pop();
                }
                continue;
            }
            if name.len() > MOST_NAME {
                return Err(FileError::NameTooLong);
            }
            let last = todo.is_empty();
            let Some(&id) = names.get(&*name) else {
                return if last {
                    Ok(Place { parent: here, name, node: None, through })
                } else {
                    Err(FileError::NotFound)
                };
            };
            if let Content::Link(target) = &self.node(id)?.content
                && (!last || follow || must_be_dir)
            {
                links += 1;
                if links > MOST_LINKS || target.len() >= MOST_PATH {
                    return Err(FileError::TooManyLinks);
                }
                if target.starts_with('/') {
                    stack.truncate(1);
                }
                let names = target.split('/').rev().filter(|name| !name.is_empty() && *name != ".");
                todo.extend(names.map(|name| std::borrow::Cow::Owned(name.to_owned())));
                continue;
            }
            if last {
                if must_be_dir && self.node(id)?.content.kind() != Kind::Dir {
                    return Err(FileError::NotADirectory);
                }
                return Ok(Place { parent: here, name, node: Some(id), through });
            }
            stack.push(id);
        }
        let node = stack.last().copied().unwrap_or(ROOT);
        let parent = stack.iter().rev().nth(1).copied().unwrap_or(ROOT);
        Ok(Place { parent, name: "".into(), node: Some(node), through })
    }

    pub(super) fn find(&self, path: &str, follow: bool) -> Result<NodeId> {
        self.place(path, follow)?.node.ok_or(FileError::NotFound)
    }

    pub(super) fn stat(&self, path: &str, follow: bool, now: SystemTime) -> Result<Attributes> {
        let id = self.find(path, follow)?;
        self.attributes(id, path, now)
    }

    fn attributes(&self, id: NodeId, path: &str, now: SystemTime) -> Result<Attributes> {
        let in_kernel = ["/proc", "/sys"]
            .iter()
            .any(|top| path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
        let mut attributes = self.node(id)?.attributes(id, in_kernel);
        if in_kernel {
            (attributes.mtime, attributes.atime, attributes.ctime) = (now, now, now);
        }
        Ok(attributes)
    }

    pub(super) fn read(&self, path: &str, now: SystemTime) -> Result<Bytes> {
        let id = self.find(path, true)?;
        match &self.node(id)?.content {
            Content::Dir(_) => Err(FileError::IsADirectory),
            Content::Text(bytes) => Ok(bytes.clone()),
            Content::Own(bytes) => Ok(Bytes::from_owner(Shared(std::sync::Arc::clone(bytes)))),
            Content::Program(size) => Ok(program::elf(id, *size as usize).into()),
            Content::Listed(listed) => {
                let learned = self.base.learned.read().get(&id).cloned();
                Ok(learned.unwrap_or_else(|| filler::content(listed, &[])))
            }
            Content::Made(writer) => Ok(writer(&self.base.identity, now).into()),
            Content::Char(1, 5 | 7) => Ok(vec![0; ENDLESS_READ].into()),
            Content::Char(1, 8 | 9) => Ok(program::noise(now, ENDLESS_READ).into()),
            Content::Char(..) | Content::Fifo => Ok(Bytes::new()),
            Content::Block(..) => Ok(vec![0; ENDLESS_READ].into()),
            Content::Socket => Err(FileError::NoDevice),
            Content::Link(_) => Err(FileError::TooManyLinks),
        }
    }

    pub(super) fn read_link(&self, path: &str) -> Result<String> {
        match &self.node(self.find(path, false)?)?.content {
            Content::Link(target) => Ok(target.to_string()),
            _ => Err(FileError::Invalid),
        }
    }

    pub(super) fn list(&self, path: &str, now: SystemTime) -> Result<Vec<Entry>> {
        let Content::Dir(names) = &self.node(self.find(path, true)?)?.content else {
            return Err(FileError::NotADirectory);
        };
        let entry = |(name, id): (&std::sync::Arc<str>, &NodeId)| {
            Ok(Entry { name: name.to_string(), attributes: self.attributes(*id, path, now)? })
        };
        names.iter().map(entry).collect()
    }

    pub(super) fn real_path(&self, path: &str) -> Result<String> {
        let place = self.place(path, true)?;
        place.node.ok_or(FileError::NotFound)?;
        // Walk again name by name: each directory has one parent, so the names from the root down are the answer.
        let mut whole = String::new();
        let mut at = if place.name.is_empty() { place.node } else { Some(place.parent) };
        let mut parts = vec![place.name.to_string()];
        while let Some(id) = at.filter(|id| *id != ROOT) {
            let (parent, name) = self.parent_of(id, &place.through)?;
            parts.push(name);
            at = Some(parent);
        }
        for part in parts.iter().rev().filter(|part| !part.is_empty()) {
            whole.push('/');
            whole.push_str(part);
        }
        Ok(if whole.is_empty() { "/".to_owned() } else { whole })
    }

    /// The directory that holds directory `id`, which is one of those walked through.
    fn parent_of(&self, id: NodeId, through: &[NodeId]) -> Result<(NodeId, String)> {
        for candidate in through {
            if let Content::Dir(names) = &self.node(*candidate)?.content
                && let Some((name, _)) = names.iter().find(|(_, child)| **child == id)
            {
                return Ok((*candidate, name.to_string()));
            }
        }
        Err(FileError::NotFound)
    }

    pub(super) fn may(&self, who: Owner, path: &str, access: Access) -> Result<()> {
        let place = self.place(path, true)?;
        for dir in &place.through {
            self.allows(who, *dir, Access::Execute)?;
        }
        match place.node {
            Some(id) => self.allows(who, id, access),
            // A missing file may be made by whoever may write its directory.
            None if access == Access::Write => self.allows(who, place.parent, access),
            None => Err(FileError::NotFound),
        }
    }

    fn allows(&self, who: Owner, id: NodeId, access: Access) -> Result<()> {
        let node = self.node(id)?;
        let mode = u32::from(node.mode);
        let bit = match access {
            Access::Read => 4,
            Access::Write => 2,
            Access::Execute => 1,
        };
        let allowed = if who.uid == 0 {
            access != Access::Execute || mode & 0o111 != 0 || matches!(node.content, Content::Dir(_))
        } else if who.uid == node.uid {
            (mode >> 6) & bit != 0
        } else if who.gid == node.gid {
            (mode >> 3) & bit != 0
        } else {
            mode & bit != 0
        };
        if allowed { Ok(()) } else { Err(FileError::Denied) }
    }
}

/// Lets a read share the file's bytes without copying them.
struct Shared(std::sync::Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
