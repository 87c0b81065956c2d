//! What a node has in it, and how much.

use std::{sync::Arc, time::SystemTime};

use bytes::Bytes;

use super::{
    ENDLESS_READ, FileError, Result, filler,
    listed::LARGEST_TEXT,
    program,
    tree::{Content, Names},
    walk::View,
};

/// Whether a listed file reads as text until somebody says what is in it.
pub(super) fn is_made_up(path: &str, size: u32) -> bool {
    size <= LARGEST_TEXT && filler::is_text(path)
}

impl View<'_> {
    pub(super) fn size(&self, content: &Content, in_kernel: bool, now: SystemTime) -> u64 {
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
            Content::Own(bytes) => Ok(Bytes::from_owner(Shared(Arc::clone(bytes)))),
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
}

/// Lets a read share the file's bytes without copying them.
struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
