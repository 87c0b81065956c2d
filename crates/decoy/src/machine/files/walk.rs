//! Finding the node that a path names, and reading it.

use std::{borrow::Cow, collections::HashMap, time::SystemTime};

use bytes::Bytes;

use crate::machine::{
    Identity,
    guests::{Guest, Reader, Scene},
    mounts::Change,
};

use super::{
    Access, Attributes, ENDLESS_READ, Entry, FileError, Kind, Owner, Result, filler,
    listed::LARGEST_TEXT,
    program,
    tree::{Content, Names, Node, NodeId, ROOT, Tree, inode},
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

/// Whether a listed file reads as text until somebody says what is in it.
pub(super) fn is_made_up(path: &str, size: u32) -> bool {
    size <= LARGEST_TEXT && filler::is_text(path)
}

/// The tree with one visitor's changes over it.
pub(super) struct View<'a> {
    pub(super) base: &'a Tree,
    pub(super) changed: &'a HashMap<NodeId, Node>,
    /// The visitor's logins, the latest last.
    pub(super) guests: &'a [Guest],
    /// Who the machine is.
    pub(super) identity: &'a Identity,
    /// The program that looks, if it is not the shell.
    pub(super) reader: Option<&'a Reader>,
    /// Ports whose daemon was stopped.
    pub(super) deaf: &'a [u16],
    /// What was mounted and unmounted.
    pub(super) mounts: &'a [Change],
}

/// Where a path leads.
pub(super) struct Place<'p> {
    /// The directory that has, or would have, the last name.
    pub(super) parent: NodeId,
    /// The last name; empty for the root directory.
    pub(super) name: Cow<'p, str>,
    /// The node, if there is one.
    pub(super) node: Option<NodeId>,
    /// Every directory that was walked through, for the permission check.
    pub(super) through: Vec<NodeId>,
    /// The names of the directories down to the parent.
    above: Vec<Cow<'p, str>>,
}

impl<'a> View<'a> {
    pub(super) fn node(&self, id: NodeId) -> Result<Cow<'a, Node>> {
        let changed = self.changed.get(&id).map(Cow::Borrowed);
        changed.or_else(|| self.base.node(id)).ok_or(FileError::NotFound)
    }

    fn scene(&self, now: SystemTime) -> Scene<'a> {
        Scene {
            identity: self.identity,
            now,
            guests: self.guests,
            reader: self.reader,
            deaf: self.deaf,
            mounts: self.mounts,
        }
    }

    fn own_pid(&self) -> String {
        self.scene(SystemTime::UNIX_EPOCH).own_pid().to_string()
    }

    /// What names of the visitor's own processes name in `/proc`, and in their folders `task`.
    fn own_names(&self, directory: NodeId) -> Vec<(String, NodeId)> {
        let own = |id: Option<NodeId>| Some((self.own_pid(), id?));
        let reader = |id: Option<NodeId>| Some((self.reader?.pid.to_string(), id?));
        let ([own_task, reader_task], [own_thread, reader_thread]) =
            (self.base.own_tasks, self.base.own_threads);
        if Some(directory) == self.base.kernel_tops[0] {
            own(self.base.own_process).into_iter().chain(reader(self.base.reader_process)).collect()
        } else if Some(directory) == own_task {
            own(own_thread).into_iter().collect()
        } else if Some(directory) == reader_task {
            reader(reader_thread).into_iter().collect()
        } else {
            Vec::new()
        }
    }

    /// What a name of a directory names; in `/proc` the visitor's own processes are there for them alone.
    fn child(&self, directory: NodeId, names: &Names, name: &str) -> Option<NodeId> {
        let found = self.base.child(names, name);
        if found.is_none() && self.base.is_kernel(directory) && name.starts_with(|c: char| c.is_ascii_digit())
        {
            return self.own_names(directory).into_iter().find(|(own, _)| own == name).map(|(_, id)| id);
        }
        found
    }

    /// Where a link leads.
    fn target<'n>(&self, id: NodeId, content: &'n Content) -> Option<Cow<'n, str>> {
        let Content::Link(target) = content else { return None };
        let [exe, cwd] = self.base.reader_links;
        let pid = || self.reader.map_or_else(|| self.own_pid(), |reader| reader.pid.to_string());
        Some(match (Some(id), self.reader) {
            (link, _) if link == self.base.own_link => pid().into(),
            (link, _) if link == self.base.thread_link => format!("{0}/task/{0}", pid()).into(),
            (link, Some(reader)) if link == exe => reader.program.clone().into(),
            (link, Some(reader)) if link == cwd => reader.cwd.clone().into(),
            _ => Cow::Borrowed(target),
        })
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
        let mut todo: Vec<Cow<'p, str>> =
            path.split('/').rev().filter(|name| !name.is_empty() && *name != ".").map(Into::into).collect();
        // Where we are, and the names that led here.
        let mut stack: Vec<NodeId> = vec![ROOT];
        let mut above: Vec<Cow<'p, str>> = Vec::new();
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
                    above.pop();
                }
                continue;
            }
            if name.len() > MOST_NAME {
                return Err(FileError::NameTooLong);
            }
            let last = todo.is_empty();
            let Some(id) = self.child(here, names, &name) else {
                return if last {
                    Ok(Place { parent: here, name, node: None, through, above })
                } else {
                    Err(FileError::NotFound)
                };
            };
            let node = self.node(id)?;
            if let Some(target) = self.target(id, &node.content)
                && (!last || follow || must_be_dir)
            {
                links += 1;
                if links > MOST_LINKS || target.len() >= MOST_PATH {
                    return Err(FileError::TooManyLinks);
                }
                if target.starts_with('/') {
                    stack.truncate(1);
                    above.clear();
                }
                let names = target.split('/').rev().filter(|name| !name.is_empty() && *name != ".");
                todo.extend(names.map(|name| Cow::Owned(name.to_owned())));
                continue;
            }
            if last {
                if must_be_dir && node.content.kind() != Kind::Dir {
                    return Err(FileError::NotADirectory);
                }
                return Ok(Place { parent: here, name, node: Some(id), through, above });
            }
            stack.push(id);
            above.push(name);
        }
        let node = stack.last().copied().unwrap_or(ROOT);
        let parent = stack.iter().rev().nth(1).copied().unwrap_or(ROOT);
        Ok(Place { parent, name: "".into(), node: Some(node), through, above })
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
        let node = self.node(id)?;
        let rdev = match node.content {
            Content::Char(major, minor) | Content::Block(major, minor) => (major, minor),
            _ => (0, 0),
        };
        let (mtime, atime, ctime) =
            if in_kernel { (now, now, now) } else { (node.mtime, node.atime, node.ctime) };
        Ok(Attributes {
            kind: node.content.kind(),
            mode: u32::from(node.mode & 0o7777),
            uid: node.uid,
            gid: node.gid,
            size: self.size(&node.content, in_kernel, now),
            nlink: node.links,
            inode: inode(id, self.base.len()),
            mtime,
            atime,
            ctime,
            rdev,
        })
    }

    fn size(&self, content: &Content, in_kernel: bool, now: SystemTime) -> u64 {
        match content {
            Content::Dir(_) | Content::Link(_) | Content::Text(_) if in_kernel => 0,
            Content::Dir(names) => self.directory_size(names),
            Content::Own(_) if in_kernel => 0,
            Content::Text(bytes) => bytes.len() as u64,
            Content::Own(bytes) => bytes.len() as u64,
            Content::Image(id) => self.base.image.fact(*id).map_or(0, |fact| fact.size),
            Content::Blank(size) | Content::Listed(size) => u64::from(*size),
            Content::Link(target) => target.len() as u64,
            Content::Made(_) if in_kernel => 0,
            Content::Made(writer) => writer.write(&self.scene(now)).len() as u64,
            Content::Char(..) | Content::Block(..) | Content::Fifo | Content::Socket => 0,
        }
    }

    /// A directory of many names has more than one block (ext4: 8 + name bytes an entry, rounded up).
    fn directory_size(&self, names: &Names) -> u64 {
        if names.own.len() + names.under.map_or(0, |under| self.base.image.count(under)) <= 80 {
            return 4096;
        }
        let entry = |name: &str| 8 + name.len().next_multiple_of(4);
        let bytes: usize = self.base.children(names).iter().map(|(name, _)| entry(name)).sum();
        (bytes + bytes / 4).next_multiple_of(4096) as u64
    }

    pub(super) fn read(&self, path: &str, now: SystemTime) -> Result<Bytes> {
        let id = self.find(path, true)?;
        let node = self.node(id)?;
        // What the kernel only takes it does not give, not even to root.
        if node.mode & 0o444 == 0 && self.base.is_kernel(id) {
            return Err(if path.starts_with("/proc/sys/") { FileError::Denied } else { FileError::Io });
        }
        match &node.content {
            Content::Dir(_) => Err(FileError::IsADirectory),
            Content::Text(bytes) => Ok(bytes.clone()),
            Content::Own(bytes) => Ok(Bytes::from_owner(Shared(std::sync::Arc::clone(bytes)))),
            Content::Image(id) => match self.base.made_up(*id) {
                Some(bytes) => Ok(bytes),
                None => Ok(self.base.image.read(*id, 0, usize::MAX).into()),
            },
            Content::Listed(size) if is_made_up(path, *size) => {
                Ok(filler::content(path, "", *size as usize, b"").into())
            }
            Content::Blank(size) | Content::Listed(size) => Ok(program::blank(*size, 0, usize::MAX).into()),
            Content::Made(writer) => Ok(writer.write(&self.scene(now)).into()),
            Content::Char(1, 5 | 7) => Ok(vec![0; ENDLESS_READ].into()),
            Content::Char(1, 8 | 9) => Ok(program::noise(now, ENDLESS_READ).into()),
            Content::Char(..) | Content::Fifo => Ok(Bytes::new()),
            Content::Block(..) => Ok(vec![0; ENDLESS_READ].into()),
            Content::Socket => Err(FileError::NoDevice),
            Content::Link(_) => Err(FileError::TooManyLinks),
        }
    }

    /// Up to `length` bytes from `offset` on; a large file is not made whole for it.
    pub(super) fn read_at(&self, path: &str, offset: u64, length: usize, now: SystemTime) -> Result<Bytes> {
        match &self.node(self.find(path, true)?)?.content {
            Content::Image(id) if !self.base.is_made_up(*id) => {
                return Ok(self.base.image.read(*id, offset, length).into());
            }
            Content::Listed(size) if is_made_up(path, *size) => {}
            Content::Blank(size) | Content::Listed(size) => {
                return Ok(program::blank(*size, offset, length).into());
            }
            // Endless ones give as much at every place.
            Content::Char(1, 5 | 7 | 8 | 9) | Content::Block(..) => {
                return self.read(path, now).map(|bytes| bytes.slice(..length.min(bytes.len())));
            }
            _ => {}
        }
        let bytes = self.read(path, now)?;
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        Ok(bytes.slice(from..from.saturating_add(length).min(bytes.len())))
    }

    pub(super) fn read_link(&self, path: &str) -> Result<String> {
        let id = self.find(path, false)?;
        let node = self.node(id)?;
        self.target(id, &node.content).map(Cow::into_owned).ok_or(FileError::Invalid)
    }

    pub(super) fn list(&self, path: &str, now: SystemTime) -> Result<Vec<Entry>> {
        let id = self.find(path, true)?;
        let node = self.node(id)?;
        let Content::Dir(names) = &node.content else {
            return Err(FileError::NotADirectory);
        };
        let own = if self.base.is_kernel(id) { self.own_names(id) } else { Vec::new() };
        let mut children = self.base.children(names);
        for (name, process) in &own {
            let place = children.partition_point(|(known, _)| *known < name.as_str());
            children.insert(place, (name, *process));
        }
        let entry = |(name, id): (&str, NodeId)| {
            Ok(Entry { name: name.to_owned(), attributes: self.attributes(id, path, now)? })
        };
        children.into_iter().map(entry).collect()
    }

    pub(super) fn real_path(&self, path: &str) -> Result<String> {
        let place = self.place(path, true)?;
        place.node.ok_or(FileError::NotFound)?;
        let mut whole = String::new();
        for part in place.above.iter().chain([&place.name]).filter(|part| !part.is_empty()) {
            whole.push('/');
            whole.push_str(part);
        }
        Ok(if whole.is_empty() { "/".to_owned() } else { whole })
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
        if access == Access::Write && node.has(super::Flag::Immutable) {
            return Err(FileError::NotPermitted);
        }
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
