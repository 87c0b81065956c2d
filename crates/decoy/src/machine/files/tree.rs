//! The shared tree: an image, and over it what only this machine has. Built once, never changed.

mod node;

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use parking_lot::RwLock;
use sha2::{Digest as _, Sha256};

use super::Kind;
use crate::machine::{Identity, Image};
pub(super) use node::{Content, Names, Node, Own, Writer};

/// Number of a node: first those of the image, then those of this machine, and from [`VISITORS`] on a visitor's own.
pub(super) type NodeId = u32;

/// The root directory.
pub(super) const ROOT: NodeId = 0;

/// The number of the first node that a visitor makes.
pub(super) const VISITORS: NodeId = 1 << 30;

/// The file system that all visitors share.
pub struct Tree {
    pub(super) image: Arc<Image>,
    /// Nodes that only this machine has.
    own: Vec<Node>,
    /// Nodes of the image that are different on this machine.
    replaced: HashMap<NodeId, Node>,
    /// Paths of this machine's own nodes, in order.
    paths: Sha256,
    /// Nodes of `/proc` and `/sys`: they come last, because they are others after a reboot.
    pub(super) kernel: Range<NodeId>,
    pub(super) kernel_tops: [Option<NodeId>; 2],
    /// The directory of the visitor's own process, and the link `/proc/self`.
    pub(super) own_process: Option<NodeId>,
    pub(super) own_link: Option<NodeId>,
    /// The same for the program that looks, with `/proc/thread-self` and its links `exe` and `cwd`.
    pub(super) reader_process: Option<NodeId>,
    pub(super) thread_link: Option<NodeId>,
    pub(super) reader_links: [Option<NodeId>; 2],
    /// The folders `task` of both, and the thread that belongs into each.
    pub(super) own_tasks: [Option<NodeId>; 2],
    pub(super) own_threads: [Option<NodeId>; 2],
    /// Tells this tree's numbers from those of another image, identity or version of the program.
    pub(super) fingerprint: [u8; 32],
    pub(super) identity: Identity,
    /// What was learned of files that the image does not have whole, by their node.
    pub(super) learned: RwLock<HashMap<NodeId, Bytes>>,
}

impl Tree {
    /// The tree of a Debian 12 server that is this machine.
    pub fn debian_12(identity: &Identity, now: SystemTime) -> Self {
        Self::of(Arc::clone(Image::debian_12()), identity, now)
    }

    /// The tree of an image that is this machine.
    pub fn of(image: Arc<Image>, identity: &Identity, now: SystemTime) -> Self {
        let mut tree = Self::bare(image, identity);
        super::debian::add(&mut tree, now);
        let stable = tree.len() as NodeId;
        tree.fingerprint = tree.paths.clone().finalize().into();
        super::kernel::add(&mut tree, now);
        tree.kernel = stable..tree.len() as NodeId;
        tree.kernel_tops = ["proc", "sys"].map(|name| tree.child_of(ROOT, name));
        tree.own_process = tree.take_name("/proc", super::process::OWN);
        tree.reader_process = tree.take_name("/proc", super::process::READER);
        let of = |id: Option<NodeId>, name: &str| id.and_then(|id| tree.child_of(id, name));
        let (own_link, thread_link) =
            (of(tree.kernel_tops[0], "self"), of(tree.kernel_tops[0], "thread-self"));
        let reader_links = ["exe", "cwd"].map(|name| of(tree.reader_process, name));
        let own_tasks = [tree.own_process, tree.reader_process].map(|process| of(process, "task"));
        tree.own_threads =
            own_tasks.map(|task| task.and_then(|task| tree.take_name_from(task, super::process::THREAD)));
        (tree.own_link, tree.thread_link) = (own_link, thread_link);
        (tree.reader_links, tree.own_tasks) = (reader_links, own_tasks);
        tree
    }

    /// The tree of an image and nothing else.
    pub(super) fn bare(image: Arc<Image>, identity: &Identity) -> Self {
        let mut paths = Sha256::new();
        paths.update(image.digest());
        Self {
            fingerprint: *image.digest(),
            paths,
            image,
            own: Vec::new(),
            replaced: HashMap::new(),
            kernel: 0..0,
            kernel_tops: [None; 2],
            own_process: None,
            own_link: None,
            reader_process: None,
            thread_link: None,
            reader_links: [None; 2],
            own_tasks: [None; 2],
            own_threads: [None; 2],
            identity: identity.clone(),
            learned: RwLock::default(),
        }
    }

    /// A node, unless it is a visitor's.
    pub(super) fn node(&self, id: NodeId) -> Option<Cow<'_, Node>> {
        if let Some(own) = (id as usize).checked_sub(self.image.len()) {
            return self.own.get(own).map(Cow::Borrowed);
        }
        match self.replaced.get(&id) {
            Some(node) => Some(Cow::Borrowed(node)),
            None => self.of_image(id).map(Cow::Owned),
        }
    }

    fn of_image(&self, id: NodeId) -> Option<Node> {
        let fact = self.image.fact(id)?;
        let content = match fact.kind {
            Kind::Dir => Content::Dir(Names { under: Some(id), own: BTreeMap::new() }),
            Kind::File => Content::Image(id),
            Kind::Symlink => Content::Link(self.image.target(id)?.into()),
            Kind::CharDevice => Content::Char(fact.rdev.0, fact.rdev.1),
            Kind::BlockDevice => Content::Block(fact.rdev.0, fact.rdev.1),
            Kind::Fifo => Content::Fifo,
            Kind::Socket => Content::Socket,
        };
        let at = self.time(fact.mtime);
        let mut node = Node::new(content, fact.uid, fact.gid, u32::from(fact.mode), at);
        // What came with a package was put there when the machine was installed, or later.
        node.ctime = at.max(self.identity.installed);
        node.atime = node.ctime;
        node.links = fact.links;
        Some(node)
    }

    /// A time of the image on this machine: what was installed was installed when the machine was.
    fn time(&self, seconds: u32) -> SystemTime {
        let began = self.image.about().installed;
        match seconds.checked_sub(began) {
            Some(since) if began > 0 => self.identity.installed + Duration::from_secs(u64::from(since)),
            _ => SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(seconds)),
        }
    }

    /// What a name of a directory names.
    pub(super) fn child(&self, names: &Names, name: &str) -> Option<NodeId> {
        match names.own.get(name) {
            Some(own) => *own,
            None => self.image.child(names.under?, name),
        }
    }

    /// Whether the image has this name in this directory.
    pub(super) fn is_below(&self, names: &Names, name: &str) -> bool {
        names.under.is_some_and(|under| self.image.child(under, name).is_some())
    }

    fn child_of(&self, id: NodeId, name: &str) -> Option<NodeId> {
        match &self.node(id)?.content {
            Content::Dir(names) => self.child(names, name),
            _ => None,
        }
    }

    /// The names of a directory, sorted by bytes, and what they name.
    pub(super) fn children<'n>(&'n self, names: &'n Names) -> Vec<(&'n str, NodeId)> {
        let mut all: Vec<(&str, NodeId)> =
            names.own.iter().filter_map(|(name, id)| Some((&**name, (*id)?))).collect();
        if let Some(under) = names.under {
            let of_image = self.image.children(under);
            all.extend(of_image.filter(|(name, _)| names.own.is_empty() || !names.own.contains_key(*name)));
            if !names.own.is_empty() {
                all.sort_unstable_by(|one, two| one.0.cmp(two.0));
            }
        }
        all
    }

    /// How many names a directory has.
    pub(super) fn count(&self, names: &Names) -> usize {
        let Some(under) = names.under else { return names.own.len() };
        let hidden = names.own.keys().filter(|name| self.image.child(under, name).is_some()).count();
        self.image.count(under) - hidden + names.own.values().flatten().count()
    }

    /// Puts a node at an absolute path, with the directories above it (root's, 0755) if they are missing; replaces
    /// what is there, keeping the names in a directory. Symbolic links are not followed.
    pub(super) fn put(&mut self, path: &str, mut node: Node) -> NodeId {
        let mut at = ROOT;
        let mut names = path.split('/').filter(|name| !name.is_empty()).peekable();
        let time = self.identity.installed;
        while let Some(name) = names.next() {
            let last = names.peek().is_none();
            if let Some(id) = self.child_of(at, name) {
                if last {
                    if let (Some(place), Content::Dir(new)) = (self.node(id), &mut node.content)
                        && let Content::Dir(old) = &place.content
                    {
                        *new = old.clone();
                        node.links = place.links;
                    }
                    self.set(id, node);
                    return id;
                }
                at = id;
                continue;
            }
            let id = self.len() as NodeId;
            self.paths.update(path);
            self.paths.update([0]);
            let child = if last { node.clone() } else { Node::new(Content::empty_dir(), 0, 0, 0o755, time) };
            let is_dir = matches!(child.content, Content::Dir(_));
            self.own.push(child);
            if let Some(mut parent) = self.node(at).map(Cow::into_owned)
                && let Content::Dir(children) = &mut parent.content
            {
                children.own.insert(name.into(), Some(id));
                parent.links += u32::from(is_dir);
                self.set(at, parent);
            }
            at = id;
        }
        at
    }

    fn set(&mut self, id: NodeId, node: Node) {
        match (id as usize).checked_sub(self.image.len()) {
            Some(own) => {
                if let Some(place) = self.own.get_mut(own) {
                    *place = node;
                }
            }
            None => {
                self.replaced.insert(id, node);
            }
        }
    }

    /// Names of a directory of this machine's own, and what they name.
    pub(super) fn names(&self, path: &str) -> Vec<(Arc<str>, NodeId)> {
        let found = path
            .split('/')
            .filter(|name| !name.is_empty())
            .try_fold(ROOT, |at, name| self.child_of(at, name));
        match found.and_then(|id| self.node(id)).map(|node| node.content.clone()) {
            Some(Content::Dir(names)) => {
                names.own.into_iter().filter_map(|(name, id)| Some((name, id?))).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Adds names of nodes that are there to a directory of this machine's own.
    pub(super) fn share_names(&mut self, folder: NodeId, names: &[(Arc<str>, NodeId)]) {
        let Some(mut node) = self.node(folder).map(Cow::into_owned) else { return };
        if let Content::Dir(own) = &mut node.content {
            own.own.extend(names.iter().map(|(name, id)| (Arc::clone(name), Some(*id))));
        }
        self.set(folder, node);
    }

    /// Takes a name out of a directory.
    pub(super) fn forget_name(&mut self, directory: &str, name: &str) {
        let _ = self.take_name(directory, name);
    }

    /// Gives every directory below a path this mode: those that came about on the way to a file have another.
    pub(super) fn set_folders_below(&mut self, path: &str, mode: u16) {
        let Some(top) = self.child_of(ROOT, path.trim_start_matches('/')) else { return };
        let mut todo = vec![top];
        while let Some(id) = todo.pop() {
            let Some(mut node) = self.node(id).map(Cow::into_owned) else { continue };
            if let Content::Dir(names) = &node.content {
                todo.extend(names.own.values().flatten());
                node.mode = mode;
                self.set(id, node);
            }
        }
    }

    /// Takes a name out of a directory; gives what it named.
    fn take_name(&mut self, directory: &str, name: &str) -> Option<NodeId> {
        let id = self.child_of(ROOT, directory.trim_start_matches('/'))?;
        self.take_name_from(id, name)
    }

    fn take_name_from(&mut self, id: NodeId, name: &str) -> Option<NodeId> {
        let mut node = self.node(id)?.into_owned();
        let Content::Dir(names) = &mut node.content else { return None };
        let taken = names.own.remove(name).flatten();
        self.set(id, node);
        taken
    }

    /// Puts a node where nothing is.
    pub(super) fn put_missing(&mut self, path: &str, node: Node) {
        if self.image.find(path).is_none() {
            self.put(path, node);
        }
    }

    /// Whether this is a directory of the kernel's, where nobody makes or removes names.
    pub(super) fn is_kernel(&self, id: NodeId) -> bool {
        self.kernel.contains(&id) || self.kernel_tops.contains(&Some(id))
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.image.len() + self.own.len()
    }

    /// Whether there is nothing but the root directory.
    pub fn is_empty(&self) -> bool {
        self.len() <= 1
    }
}

/// Inode numbers as ext4 gives them: the root is 2, the rest are far apart in groups.
pub(super) fn inode(id: NodeId, shared: usize) -> u64 {
    let id = if id >= VISITORS { u64::from(id - VISITORS) + shared as u64 } else { u64::from(id) };
    if id == 0 { 2 } else { 131_073 + id * 2 + id / 97 * 4096 }
}
