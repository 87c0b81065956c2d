//! What is learned of text files that the image does not have whole: written once, the same for every visitor from then on.

use bytes::Bytes;

use super::{
    Files, filler,
    reading::is_made_up,
    tree::{Content, NodeId, Tree},
};

/// The most that is kept of what was learned, in bytes; more is not taken in.
const MOST: usize = 48 << 20;
/// Larger files stay as the image makes them up: nobody reads them through.
const LARGEST: u64 = 256 * 1024;

/// A file whose content nobody knows yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Where the image has it.
    pub path: String,
    /// Its size in bytes, which the content has to keep.
    pub size: u64,
    /// Its first bytes, if they are known.
    pub head: String,
}

impl Tree {
    /// Whether this file of the image is text that the image does not have whole.
    pub(super) fn is_made_up(&self, id: NodeId) -> bool {
        if self.image.is_whole(id) {
            return false;
        }
        let Some(fact) = self.image.fact(id).filter(|fact| (1..=LARGEST).contains(&fact.size)) else {
            return false;
        };
        match self.image.ends(id).0 {
            0 => self.image_path(id).is_some_and(|path| filler::is_text(&path)),
            head => {
                let first = self.image.read(id, 0, head.min(fact.size).min(512) as usize);
                !first.starts_with(b"\x7fELF") && !first.iter().any(|byte| *byte < 9 || *byte == 0x7f)
            }
        }
    }

    /// The content of such a file: what was learned, or what its name promises.
    pub(super) fn made_up(&self, id: NodeId) -> Option<Bytes> {
        if let Some(known) = self.learned.read().get(&id) {
            return Some(known.clone());
        }
        self.is_made_up(id).then(|| self.fitted(id, b""))
    }

    /// A text made to fit between the bytes that the image has of the file.
    fn fitted(&self, id: NodeId, text: &[u8]) -> Bytes {
        let size = self.image.fact(id).map_or(0, |fact| fact.size);
        let (head, tail) = self.image.ends(id);
        let (head, tail) = (head.min(size), tail.min(size - head.min(size)));
        let path = self.image_path(id).unwrap_or_default();
        let mut whole = self.image.read(id, 0, head as usize);
        let first =
            String::from_utf8_lossy(whole.get(..whole.len().min(200)).unwrap_or_default()).into_owned();
        // A model that was shown the beginning may begin with it again.
        let text = text.strip_prefix(whole.as_slice()).unwrap_or(text);
        let middle = size - head - tail;
        whole.extend(filler::content(&path, first.lines().next().unwrap_or_default(), middle as usize, text));
        whole.extend(self.image.read(id, size - tail, tail as usize));
        whole.into()
    }

    /// Where the image has a node.
    fn image_path(&self, wanted: NodeId) -> Option<String> {
        let mut todo = vec![(String::new(), 0)];
        while let Some((path, id)) = todo.pop() {
            if id == wanted {
                return Some(path);
            }
            todo.extend(self.image.children(id).map(|(name, child)| (format!("{path}/{name}"), child)));
        }
        None
    }

    /// Takes in what a file contains that the image does not have whole, made to fit its size; gives what is kept.
    /// `None` when there is no such file or no room. What was learned first stays.
    pub(crate) fn learn(&self, path: &str, text: &[u8]) -> Option<Bytes> {
        let id = self.image.find(path).filter(|id| self.is_made_up(*id))?;
        if let Some(known) = self.learned.read().get(&id) {
            return Some(known.clone());
        }
        let fitted = self.fitted(id, text);
        let mut learned = self.learned.write();
        let held: usize = learned.values().map(Bytes::len).sum();
        if held + fitted.len() > MOST {
            return None;
        }
        Some(learned.entry(id).or_insert(fitted).clone())
    }

    /// Forgets what was learned of a file.
    pub(crate) fn unlearn(&self, path: &str) {
        if let Some(id) = self.image.find(path) {
            self.learned.write().remove(&id);
        }
    }
}

impl Files {
    /// The file that this path leads to, if its content is still to be learned.
    pub fn unknown(&self, path: &str) -> Option<Unknown> {
        let layer = self.layer.lock();
        let view = layer.view(&self.base);
        let id = match view.node(view.find(path, true).ok()?).ok()?.content {
            Content::Image(id) => id,
            Content::Listed(size) => {
                let path = view.real_path(path).ok()?;
                let asked = size > 0 && is_made_up(&path, size);
                return asked.then(|| Unknown { path, size: u64::from(size), head: String::new() });
            }
            _ => return None,
        };
        if self.base.image.is_whole(id)
            || self.base.learned.read().contains_key(&id)
            || !self.base.is_made_up(id)
        {
            return None;
        }
        const SHOWN: u64 = 400;
        let (size, head) = (self.base.image.fact(id)?.size, self.base.image.ends(id).0);
        let head = self.base.image.read(id, 0, head.min(SHOWN) as usize);
        Some(Unknown {
            path: self.base.image_path(id)?,
            size,
            head: String::from_utf8_lossy(&head).into_owned(),
        })
    }

    /// Whether what this path leads to is as the machine has it, for every visitor alike; `false` for what the visitor
    /// made or changed, and for what is not there.
    pub fn is_of_image(&self, path: &str) -> bool {
        let layer = self.layer.lock();
        let view = layer.view(&self.base);
        view.find(path, true).is_ok_and(|id| !layer.has_changed(id) && self.base.node(id).is_some())
    }

    /// Whether the visitor has made what this path names.
    pub(super) fn is_visitors(&self, path: &str) -> bool {
        let layer = self.layer.lock();
        layer.view(&self.base).find(path, false).is_ok_and(|id| self.base.node(id).is_none())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        time::{Duration, SystemTime},
    };

    use super::*;
    use crate::machine::{
        Clock, Identity, Image, Owner,
        files::Kind,
        image::{About, Builder, Given, Policy},
    };

    const PATH: &str = "/usr/share/app/app.conf";

    fn files() -> Files {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let policy = Policy { most_bytes: 100, only_text: false, without: vec!["/usr/share/app".into()] };
        let mut builder = Builder::new(About::default(), policy);
        let given = |size: usize| Given {
            kind: Kind::File,
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime: 1_700_000_000,
            target: String::new(),
            rdev: (0, 0),
            size: size as u64,
        };
        builder.add(PATH, given(2225)).unwrap();
        builder.add("/usr/share/app/picture.png", given(2225)).unwrap();
        let image = Arc::new(Image::decode(builder.finish().unwrap().into()).unwrap());
        let identity = Identity::draw(b"learned tests", now, None, None);
        Files::new(Arc::new(Tree::of(image, &identity, now)), Clock::fixed(now), 1 << 20, 100)
    }

    #[test]
    fn what_is_learned_keeps_the_listed_size_and_is_learned_once() {
        let files = files();
        let unknown = files.unknown(PATH).unwrap();
        assert_eq!((unknown.path.as_str(), unknown.size), (PATH, 2225));
        let before = files.read(PATH).unwrap();
        assert_eq!(before.len() as u64, unknown.size);
        assert!(before.is_ascii());
        for given in ["[main]\nfirst = 1\n", "second"] {
            let kept = files.base.learn(PATH, given.as_bytes()).unwrap();
            assert!(kept.starts_with(b"[main]\nfirst = 1\n"));
            assert_eq!(kept.len() as u64, files.stat(PATH).unwrap().size);
            assert_eq!(files.read(PATH).unwrap(), kept);
            assert_eq!(files.read_at(PATH, 3, 10).unwrap(), kept.slice(3..13));
        }
        assert_eq!(files.unknown(PATH), None);
        assert_eq!(files.base.learn("/etc/passwd", b"x"), None, "what is known stays");
        assert_eq!(files.base.learn("/nothing", b"x"), None);
        assert_eq!(files.unknown("/usr/share/app/picture.png"), None, "nobody asks for a picture");
        files.base.unlearn(PATH);
        assert!(files.unknown(PATH).is_some());
    }

    #[test]
    fn a_change_of_the_visitor_is_theirs() {
        let files = files();
        assert!(files.is_of_image(PATH));
        files.append(PATH, b"# mine\n", &Owner::ROOT, 0o644).unwrap();
        assert!(!files.is_of_image(PATH));
        assert_eq!(files.unknown(PATH), None);
        assert_eq!(files.read(PATH).unwrap().len(), 2225 + 7);
        files.write("/tmp/new", b"x", &Owner::ROOT, 0o644).unwrap();
        assert!(!files.is_of_image("/tmp/new") && !files.is_of_image("/tmp/none"));
        assert!(files.is_of_image("/etc/passwd"));
    }
}
