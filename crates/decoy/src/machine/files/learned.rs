//! What is learned of files that the image only lists: written once, the same for every visitor from then on.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    Files, filler,
    tree::{Content, Listed, NodeId, Tree},
    walk::View,
};

/// The most that is kept of what was learned, in bytes; more is not taken in.
const MOST: usize = 48 << 20;

/// A file whose content nobody knows yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Where the image has it.
    pub path: String,
    /// Its size in bytes, which the content has to keep.
    pub size: u64,
    /// Its first line, if that is known, without the line end.
    pub head: String,
}

impl Tree {
    /// The listed file that the image has at this path.
    fn listed(&self, path: &str) -> Option<(NodeId, &Arc<Listed>)> {
        let view = View { base: self, changed: &std::collections::HashMap::new() };
        let id = view.find(path, false).ok()?;
        match &self.nodes.get(id as usize)?.content {
            Content::Listed(listed) => Some((id, listed)),
            _ => None,
        }
    }

    /// Takes in what a listed file contains, made to fit the size that it is listed with; gives what is kept. `None`
    /// when the image lists no such file. What was learned first stays.
    pub(crate) fn learn(&self, path: &str, text: &[u8]) -> Option<Bytes> {
        let (id, listed) = self.listed(path)?;
        let fitted = filler::content(listed, text);
        let mut learned = self.learned.write();
        if let Some(known) = learned.get(&id) {
            return Some(known.clone());
        }
        let held: usize = learned.values().map(Bytes::len).sum();
        if held + fitted.len() > MOST {
            return None;
        }
        learned.insert(id, fitted.clone());
        Some(fitted)
    }

    /// Forgets what was learned of a file.
    pub(crate) fn unlearn(&self, path: &str) {
        if let Some((id, _)) = self.listed(path) {
            self.learned.write().remove(&id);
        }
    }
}

impl Files {
    /// The file that this path leads to, if its content is still to be learned.
    pub fn unknown(&self, path: &str) -> Option<Unknown> {
        let layer = self.layer.lock();
        let view = layer.view(&self.base);
        let id = view.find(path, true).ok()?;
        let Content::Listed(listed) = &view.node(id).ok()?.content else { return None };
        if self.base.learned.read().contains_key(&id) {
            return None;
        }
        let (path, head) = (listed.path.clone(), listed.head.clone());
        Some(Unknown { path, size: u64::from(listed.size), head })
    }

    /// Whether what this path leads to is as the image has it, for every visitor alike; `false` for what the visitor
    /// made or changed, and for what is not there.
    pub fn is_of_image(&self, path: &str) -> bool {
        let layer = self.layer.lock();
        let view = layer.view(&self.base);
        view.find(path, true)
            .is_ok_and(|id| !layer.has_changed(id) && (id as usize) < self.base.nodes.len())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::machine::{Clock, Identity, Owner};

    fn files() -> Files {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let identity = Identity::draw(b"learned tests", now, None, None);
        Files::new(Arc::new(Tree::debian_12(&identity, now)), Clock::fixed(now), 1 << 20, 100)
    }

    #[test]
    fn what_is_learned_keeps_the_listed_size_and_is_learned_once() {
        let files = files();
        let unknown = files.unknown("/bin/bzdiff").unwrap();
        assert_eq!((unknown.path.as_str(), unknown.size), ("/usr/bin/bzdiff", 2225));
        let before = files.read("/usr/bin/bzdiff").unwrap();
        assert_eq!(before.len() as u64, unknown.size);
        assert!(before.starts_with(b"#!/bin/sh\n"));
        for (given, again) in [("#!/bin/sh\necho first\n", false), ("second", true)] {
            let kept = files.base.learn("/usr/bin/bzdiff", given.as_bytes()).unwrap();
            assert!(kept.starts_with(b"#!/bin/sh\necho first\n"), "{again}");
            assert_eq!(kept.len() as u64, files.stat("/bin/bzdiff").unwrap().size);
            assert_eq!(files.read("/bin/bzdiff").unwrap(), kept);
        }
        assert_eq!(files.unknown("/bin/bzdiff"), None);
        assert_eq!(files.base.learn("/etc/passwd", b"x"), None, "what is known stays");
        assert_eq!(files.base.learn("/nothing", b"x"), None);
        files.base.unlearn("/usr/bin/bzdiff");
        assert!(files.unknown("/bin/bzdiff").is_some());
    }

    #[test]
    fn a_change_of_the_visitor_is_theirs() {
        let files = files();
        assert!(files.is_of_image("/usr/bin/bzdiff"));
        files.append("/usr/bin/bzdiff", b"# mine\n", &Owner::ROOT, 0o755).unwrap();
        assert!(!files.is_of_image("/usr/bin/bzdiff"));
        assert_eq!(files.unknown("/usr/bin/bzdiff"), None);
        assert_eq!(files.read("/usr/bin/bzdiff").unwrap().len(), 2225 + 7);
        files.write("/tmp/new", b"x", &Owner::ROOT, 0o644).unwrap();
        assert!(!files.is_of_image("/tmp/new"));
        assert!(!files.is_of_image("/tmp/none"));
        assert!(files.is_of_image("/etc/passwd"));
    }
}
