//! Finding the node that a path names, and who may use it.

use std::{borrow::Cow, collections::HashMap, time::SystemTime};

use crate::machine::{
    Identity,
    guests::{Guest, Reader, Scene},
    mounts::Change,
};

use super::{
    Access, Attributes, Entry, FileError, Kind, Owner, Result,
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

    pub(super) fn scene(&self, now: SystemTime) -> Scene<'a> {
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
