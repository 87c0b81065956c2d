//! Names in a visitor's layer: given to what there is, changed, and taken away.

use std::time::SystemTime;

use super::super::{
    FileError, Kind, Result,
    tree::{Content, NodeId, ROOT, Tree, VISITORS},
};
use super::{Layer, NODE_BYTES, file_bytes, own_bytes};

impl Layer {
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

    pub(in crate::machine::files) fn remove(
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

    pub(in crate::machine::files) fn rename(
        &mut self,
        base: &Tree,
        from: &str,
        to: &str,
        now: SystemTime,
    ) -> Result<()> {
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

    pub(in crate::machine::files) fn link(
        &mut self,
        base: &Tree,
        existing: &str,
        new: &str,
        now: SystemTime,
    ) -> Result<()> {
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

/// Directories that are file systems of their own.
fn is_mount_point(path: &str) -> bool {
    matches!(
        path.trim_end_matches('/'),
        "/proc" | "/sys" | "/dev" | "/dev/shm" | "/dev/pts" | "/run" | "/run/lock"
    )
}
