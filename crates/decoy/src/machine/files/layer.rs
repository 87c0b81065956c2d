//! One visitor's changes: copies of the nodes they touched and the nodes they made.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use super::{
    FileError, Kind, Owner, Result,
    saved::Changes,
    tree::{Content, Node, NodeId, ROOT, Tree, VISITORS},
    walk::View,
};
use crate::machine::{
    Identity,
    guests::{Guest, MOST_GUESTS, Reader},
};

/// What a node costs beside its content, roughly.
const NODE_BYTES: usize = 256;

/// Memory that all visitors share: what one takes, the others cannot.
#[derive(Clone)]
pub(crate) struct Pool {
    taken: Arc<AtomicUsize>,
    most: usize,
}

impl Pool {
    /// Room for `most` bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self { taken: Arc::default(), most }
    }

    /// Takes all of these bytes or none.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let add = |taken: usize| taken.checked_add(bytes).filter(|total| *total <= self.most);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok()
    }

    /// Gives back what was taken.
    pub(crate) fn give_back(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// How many bytes are taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

/// The changes.
pub(super) struct Layer {
    changed: HashMap<NodeId, Node>,
    /// The number of the next new node; counted from [`VISITORS`].
    made: u32,
    /// The visitor's logins, the latest last.
    guests: Vec<Guest>,
    /// The machine after the visitor had it rebooted.
    rebooted: Option<Arc<Identity>>,
    /// The program that looks at itself just now.
    reader: Option<Box<Reader>>,
    /// Ports whose daemon was stopped.
    deaf: Vec<u16>,
    bytes: usize,
    most_bytes: usize,
    most_nodes: usize,
    pool: Pool,
}

impl Drop for Layer {
    fn drop(&mut self) {
        self.pool.give_back(self.bytes);
    }
}

impl Layer {
    pub(super) fn new(most_bytes: usize, most_nodes: usize, pool: Pool) -> Self {
        Self {
            changed: HashMap::new(),
            made: 0,
            guests: Vec::new(),
            rebooted: None,
            reader: None,
            deaf: Vec::new(),
            bytes: 0,
            most_bytes,
            most_nodes,
            pool,
        }
    }

    pub(super) fn view<'a>(&'a self, base: &'a Tree) -> View<'a> {
        let identity = self.rebooted.as_deref().unwrap_or(&base.identity);
        View {
            base,
            changed: &self.changed,
            guests: &self.guests,
            identity,
            reader: self.reader.as_deref(),
            deaf: &self.deaf,
        }
    }

    /// The machine was booted again.
    pub(super) fn reboot(&mut self, identity: Arc<Identity>) {
        self.rebooted = Some(identity);
    }

    /// The visitor logs in.
    pub(super) fn welcome(&mut self, guest: Guest) {
        if self.guests.len() >= MOST_GUESTS {
            self.guests.remove(0);
        }
        self.guests.push(guest);
    }

    /// Who looks at `/proc/self` from now on; nobody but the shell: `None`.
    pub(super) fn read_by(&mut self, reader: Option<Reader>) {
        self.reader = reader.map(Box::new);
    }

    /// These ports have no daemon any more; all others have theirs.
    pub(super) fn close_ports(&mut self, deaf: Vec<u16>) {
        self.deaf = deaf;
    }

    /// Whether the visitor has this node in a state of their own.
    pub(super) fn has_changed(&self, id: NodeId) -> bool {
        self.changed.contains_key(&id)
    }

    /// The changed nodes, and the number of the next new one.
    pub(super) fn changes(&self) -> (&HashMap<NodeId, Node>, u32) {
        (&self.changed, self.made)
    }

    /// Takes over what was kept of a layer; not, when there is no room for it.
    pub(super) fn recall(&mut self, changes: Changes) -> Result<()> {
        let names = |node: &Node| match &node.content {
            Content::Dir(names) => names.own.keys().map(|name| name.len() + 32).sum(),
            _ => 0,
        };
        let node = |node: &Node| NODE_BYTES + own_bytes(&node.content) + names(node);
        if changes.changed.len() > self.most_nodes {
            return Err(FileError::NoSpace);
        }
        self.take(changes.changed.values().map(node).sum())?;
        (self.changed, self.made) = (changes.changed, changes.made);
        Ok(())
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.bytes, self.changed.len())
    }

    /// The node for changing: copied from the tree the first time.
    fn node_mut(&mut self, base: &Tree, id: NodeId) -> Result<&mut Node> {
        if !self.changed.contains_key(&id) {
            let node = base.node(id).ok_or(FileError::NotFound)?.into_owned();
            let names = if let Content::Dir(names) = &node.content { names.own.len() * 48 } else { 0 };
            self.take(NODE_BYTES + names)?;
            self.changed.insert(id, node);
        }
        self.changed.get_mut(&id).ok_or(FileError::NotFound)
    }

    /// Takes room for content; `NoSpace` when there is none.
    fn take(&mut self, bytes: usize) -> Result<()> {
        let total = self.bytes.saturating_add(bytes);
        if total > self.most_bytes || !self.pool.take(bytes) {
            return Err(FileError::NoSpace);
        }
        self.bytes = total;
        Ok(())
    }

    fn give_back(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.pool.give_back(bytes);
    }

    /// Adds a name to a directory.
    fn enter(
        &mut self,
        base: &Tree,
        parent: NodeId,
        name: &str,
        id: NodeId,
        is_dir: bool,
        now: SystemTime,
    ) -> Result<()> {
        self.take(name.len() + 32)?;
        let node = self.node_mut(base, parent)?;
        let Content::Dir(names) = &mut node.content else { return Err(FileError::NotADirectory) };
        names.own.insert(name.into(), Some(id));
        node.links += u32::from(is_dir);
        (node.mtime, node.ctime) = (now, now);
        Ok(())
    }

    /// Makes a new node. A directory with the set-group-ID bit hands on its group.
    pub(super) fn make(
        &mut self,
        base: &Tree,
        path: &str,
        content: Content,
        who: Owner,
        mode: u32,
        now: SystemTime,
    ) -> Result<()> {
        let trimmed = path.trim_end_matches('/');
        if trimmed.is_empty() {
            return Err(if path.is_empty() { FileError::NotFound } else { FileError::Exists });
        }
        let place = self.view(base).place(trimmed, false)?;
        if place.node.is_some() {
            return Err(FileError::Exists);
        }
        self.add(base, place.parent, &place.name, content, who, mode, now)
    }

    #[allow(clippy::too_many_arguments)] // one inner step; every argument is a different fact of the new node
    fn add(
        &mut self,
        base: &Tree,
        parent: NodeId,
        name: &str,
        content: Content,
        who: Owner,
        mode: u32,
        now: SystemTime,
    ) -> Result<()> {
        if base.is_kernel(parent) {
            return Err(FileError::NotFound);
        }
        if self.changed.len() >= self.most_nodes {
            return Err(FileError::NoSpace);
        }
        self.view(base).node(parent)?.takes(true)?;
        let size = own_bytes(&content);
        self.take(size + NODE_BYTES)?;
        let (inherits, group) = {
            let directory = self.view(base).node(parent)?;
            (directory.mode & 0o2000 != 0, directory.gid)
        };
        let is_dir = content.kind() == Kind::Dir;
        let gid = if inherits { group } else { who.gid };
        let mode = if inherits && is_dir { mode | 0o2000 } else { mode };
        let id = VISITORS + self.made;
        self.enter(base, parent, name, id, is_dir, now)?;
        self.made += 1;
        self.changed.insert(id, Node::new(content, who.uid, gid, mode, now));
        Ok(())
    }

    #[allow(clippy::too_many_arguments)] // the public methods spell them out by name
    pub(super) fn write(
        &mut self,
        base: &Tree,
        path: &str,
        bytes: &[u8],
        who: Owner,
        mode: u32,
        now: SystemTime,
        append: bool,
    ) -> Result<()> {
        let place = self.view(base).place(path, true)?;
        let Some(id) = place.node else {
            if path.ends_with('/') {
                return Err(FileError::IsADirectory);
            }
            let content = Content::Own(Arc::new(bytes.to_vec()));
            return self.add(base, place.parent, &place.name, content, who, mode, now);
        };
        let view = self.view(base);
        view.node(id)?.takes(append)?;
        let old = match &view.node(id)?.content {
            Content::Dir(_) => return Err(FileError::IsADirectory),
            Content::Char(1, 7) => return Err(FileError::NoSpace),
            Content::Char(..) | Content::Block(..) | Content::Fifo => return Ok(()),
            Content::Socket => return Err(FileError::NoDevice),
            Content::Link(_) => return Err(FileError::TooManyLinks),
            // Settings of the kernel take what is written and go on as before.
            Content::Made(_) if base.is_kernel(id) => return Ok(()),
            Content::Own(old) => old.len(),
            Content::Text(_)
            | Content::Image(_)
            | Content::Blank(_)
            | Content::Listed(_)
            | Content::Made(_) => 0,
        };
        // What the tree has must be copied before it can be added to.
        let start = if append && old == 0 { view.read(path, now)? } else { bytes::Bytes::new() };
        let new = start.len() + bytes.len();
        if append {
            self.take(new)?;
        } else {
            self.take(new.saturating_sub(old))?;
            self.give_back(old.saturating_sub(new));
        }
        let node = self.node_mut(base, id)?;
        match &mut node.content {
            Content::Own(own) if append => Arc::make_mut(own).extend_from_slice(bytes),
            content => *content = Content::Own(Arc::new([&start[..], bytes].concat())),
        }
        (node.mtime, node.ctime) = (now, now);
        // Writing takes the set-user-ID and set-group-ID bits away (write(2)).
        if who.uid != 0 {
            node.mode &= !0o6000;
        }
        Ok(())
    }

    /// Copies a file: content of the tree is shared, not copied.
    pub(super) fn copy(
        &mut self,
        base: &Tree,
        from: &str,
        to: &str,
        who: Owner,
        now: SystemTime,
    ) -> Result<()> {
        let (content, mode) = {
            let view = self.view(base);
            let node = view.node(view.find(from, true)?)?;
            (node.content.clone(), u32::from(node.mode) & 0o755)
        };
        // What was only told of a file is told of its copy too.
        let is_shared =
            matches!(content, Content::Text(_) | Content::Image(_) | Content::Blank(_) | Content::Listed(_));
        if !is_shared {
            let bytes = self.view(base).read(from, now)?;
            return self.write(base, to, &bytes, who, mode, now, false);
        }
        if self.view(base).find(to, true).is_ok() {
            let target = self.view(base).find(to, true)?;
            if self.view(base).find(from, true)? == target {
                return Ok(());
            }
            self.write(base, to, b"", who, mode, now, false)?;
            let node = self.node_mut(base, target)?;
            if matches!(node.content, Content::Own(_)) {
                node.content = content;
            }
            return Ok(());
        }
        self.make(base, to, content, who, mode, now)
    }

    /// Changes a node's attributes.
    pub(super) fn change(
        &mut self,
        base: &Tree,
        path: &str,
        follow: bool,
        now: SystemTime,
        how: impl FnOnce(&mut Node),
    ) -> Result<()> {
        let id = self.view(base).find(path, follow)?;
        self.view(base).node(id)?.takes(false)?;
        let node = self.node_mut(base, id)?;
        how(node);
        node.ctime = now;
        Ok(())
    }

    /// Sets the bits of a node's flags.
    pub(super) fn flag(&mut self, base: &Tree, path: &str, bits: u16, now: SystemTime) -> Result<()> {
        let id = self.view(base).find(path, false)?;
        let node = self.node_mut(base, id)?;
        node.mode = node.mode & 0o7777 | bits;
        node.ctime = now;
        Ok(())
    }

    /// Whether a name may be taken out of this directory and from this node (chattr(1)): flags are on changed nodes.
    fn may_strike(&self, parent: NodeId, id: NodeId, with_content: bool) -> Result<()> {
        for id in [parent, id] {
            self.changed.get(&id).map_or(Ok(()), |node| node.takes(false))?;
        }
        if !with_content {
            return Ok(());
        }
        let mut todo = vec![id];
        while let Some(node) = todo.pop().and_then(|id| self.changed.get(&id)) {
            node.takes(false)?;
            if let Content::Dir(names) = &node.content {
                todo.extend(names.own.values().flatten().filter(|id| self.changed.contains_key(id)));
            }
        }
        Ok(())
    }

    pub(super) fn remove(
        &mut self,
        base: &Tree,
        path: &str,
        with_content: bool,
        now: SystemTime,
    ) -> Result<()> {
        let place = self.view(base).place(path, false)?;
        let id = place.node.ok_or(FileError::NotFound)?;
        if id == ROOT || place.name.is_empty() {
            return Err(FileError::Busy);
        }
        let view = self.view(base);
        if base.is_kernel(place.parent) {
            return Err(FileError::NotPermitted);
        }
        self.may_strike(place.parent, id, with_content)?;
        let is_dir = match &view.node(id)?.content {
            Content::Dir(names) if !with_content && base.count(names) > 0 => return Err(FileError::NotEmpty),
            Content::Dir(_) => true,
            _ => false,
        };
        if is_dir && is_mount_point(path) {
            return Err(FileError::Busy);
        }
        self.strike(base, place.parent, &place.name, is_dir, now)?;
        self.forget(id, is_dir)
    }

    /// Takes a name out of a directory.
    fn strike(
        &mut self,
        base: &Tree,
        parent: NodeId,
        name: &str,
        is_dir: bool,
        now: SystemTime,
    ) -> Result<()> {
        let (below, own) = match &self.view(base).node(parent)?.content {
            Content::Dir(names) => {
                (base.is_below(names, name), names.own.get(name).is_some_and(Option::is_some))
            }
            _ => return Err(FileError::NotADirectory),
        };
        // That a name of the image is gone has to be remembered, and is paid for.
        if below && !own {
            self.take(name.len() + 32)?;
        }
        let node = self.node_mut(base, parent)?;
        let Content::Dir(names) = &mut node.content else { return Err(FileError::NotADirectory) };
        if below {
            names.own.insert(name.into(), None);
        } else {
            names.own.remove(name);
        }
        node.links = node.links.saturating_sub(u32::from(is_dir));
        (node.mtime, node.ctime) = (now, now);
        if !below && own {
            self.give_back(name.len() + 32);
        }
        Ok(())
    }

    /// Lets go of a node that lost a name, and of everything in it. Works off a list, so depth does not matter.
    fn forget(&mut self, id: NodeId, is_dir: bool) -> Result<()> {
        let mut todo = vec![(id, is_dir)];
        while let Some((id, is_dir)) = todo.pop() {
            let own = id >= VISITORS;
            if !is_dir && !own && !self.changed.contains_key(&id) {
                continue;
            }
            if !own && !self.changed.contains_key(&id) {
                // A directory of the tree: only what the visitor changed inside could be let go, and that stays
                // unreachable without harm; it is bounded by the layer.
                continue;
            }
            let Some(node) = self.changed.get_mut(&id) else { continue };
            node.links = node.links.saturating_sub(1);
            if !is_dir && node.links > 0 {
                continue;
            }
            if let Some(node) = self.changed.remove(&id) {
                if let Content::Dir(names) = &node.content {
                    todo.extend(names.own.values().flatten().map(|child| {
                        let dir =
                            self.changed.get(child).is_some_and(|node| node.content.kind() == Kind::Dir);
                        (*child, dir)
                    }));
                }
                // A link of the tree that was copied for its count was not paid for.
                let paid = if own { own_bytes(&node.content) } else { file_bytes(&node.content) };
                self.give_back(paid + NODE_BYTES);
            }
        }
        Ok(())
    }

    pub(super) fn rename(&mut self, base: &Tree, from: &str, to: &str, now: SystemTime) -> Result<()> {
        let view = self.view(base);
        let source = view.place(from, false)?;
        let id = source.node.ok_or(FileError::NotFound)?;
        let target = view.place(to.trim_end_matches('/'), false)?;
        if id == ROOT || source.name.is_empty() || target.name.is_empty() {
            return Err(FileError::Busy);
        }
        if base.is_kernel(source.parent) || base.is_kernel(target.parent) {
            return Err(FileError::NotPermitted);
        }
        self.may_strike(source.parent, id, false)?;
        view.node(target.parent)?.takes(true)?;
        let is_dir = view.node(id)?.content.kind() == Kind::Dir;
        if is_dir && target.through.contains(&id) {
            return Err(FileError::Invalid);
        }
        if target.node == Some(id) {
            return Ok(());
        }
        if let Some(old) = target.node {
            self.may_strike(target.parent, old, false)?;
            match (&view.node(old)?.content, is_dir) {
                (Content::Dir(_), false) => return Err(FileError::IsADirectory),
                (Content::Dir(names), true) if base.count(names) > 0 => return Err(FileError::NotEmpty),
                (Content::Dir(_), true) => {}
                (_, true) => return Err(FileError::NotADirectory),
                (_, false) => {}
            }
        }
        let (source_parent, source_name) = (source.parent, source.name.into_owned());
        let (target_parent, target_name, old) = (target.parent, target.name.into_owned(), target.node);
        self.enter(base, target_parent, &target_name, id, is_dir, now)?;
        self.strike(base, source_parent, &source_name, is_dir, now)?;
        self.node_mut(base, id)?.ctime = now;
        match old {
            Some(old) => self.forget(old, is_dir),
            None => Ok(()),
        }
    }

    pub(super) fn link(&mut self, base: &Tree, existing: &str, new: &str, now: SystemTime) -> Result<()> {
        let view = self.view(base);
        let id = view.find(existing, false)?;
        view.node(id)?.takes(false)?;
        if view.node(id)?.content.kind() == Kind::Dir {
            return Err(FileError::NotPermitted);
        }
        let target = view.place(new, false)?;
        if target.node.is_some() {
            return Err(FileError::Exists);
        }
        if base.is_kernel(target.parent) {
            return Err(FileError::NotPermitted);
        }
        if self.changed.len() >= self.most_nodes {
            return Err(FileError::NoSpace);
        }
        let (parent, name) = (target.parent, target.name.into_owned());
        let node = self.node_mut(base, id)?;
        node.links += 1;
        node.ctime = now;
        self.enter(base, parent, &name, id, false, now)
    }
}

/// What a node's content costs that the visitor made.
fn own_bytes(content: &Content) -> usize {
    if let Content::Link(target) = content { target.len() } else { file_bytes(content) }
}

/// What a file's content costs.
fn file_bytes(content: &Content) -> usize {
    if let Content::Own(bytes) = content { bytes.len() } else { 0 }
}

/// Directories that are file systems of their own.
fn is_mount_point(path: &str) -> bool {
    matches!(
        path.trim_end_matches('/'),
        "/proc" | "/sys" | "/dev" | "/dev/shm" | "/dev/pts" | "/run" | "/run/lock"
    )
}
