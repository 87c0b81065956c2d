//! One visitor's changes: copies of the nodes they touched and the nodes they made.

mod names;
mod pool;

use std::{collections::HashMap, sync::Arc, time::SystemTime};

use super::{
    FileError, Kind, Owner, Result,
    saved::Changes,
    tree::{Content, Node, NodeId, Tree, VISITORS},
    walk::View,
};
use crate::machine::{
    Identity,
    guests::{Guest, MOST_GUESTS, Reader},
};
pub(crate) use pool::Pool;

/// What a node costs beside its content, roughly.
const NODE_BYTES: usize = 256;

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
}

/// What a node's content costs that the visitor made.
fn own_bytes(content: &Content) -> usize {
    if let Content::Link(target) = content { target.len() } else { file_bytes(content) }
}

/// What a file's content costs.
fn file_bytes(content: &Content) -> usize {
    if let Content::Own(bytes) = content { bytes.len() } else { 0 }
}
