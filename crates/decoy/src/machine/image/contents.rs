//! What stands in an image's files: packed blocks, and the bytes between that are made up.

use bytes::Bytes;

use super::super::files::Kind;
use super::{Content, Image, Node, filler};

/// How much text is packed together.
pub(super) const BLOCK: usize = 256 * 1024;

/// How many unpacked blocks are kept at hand.
const CACHED_BLOCKS: usize = 6;

impl Image {
    pub(super) fn content(&self, node: &Node) -> Option<&Content> {
        self.contents.get((node.b as usize).checked_sub(1)?)
    }

    /// How many of a file's first and last bytes are in the image.
    pub(in crate::machine) fn ends(&self, id: u32) -> (u64, u64) {
        let content = self.nodes.get(id as usize).and_then(|node| self.content(node));
        content.map_or((0, 0), |content| (u64::from(content.head), u64::from(content.tail)))
    }

    /// Whether every byte of a file is in the image.
    pub(in crate::machine) fn is_whole(&self, id: u32) -> bool {
        self.nodes.get(id as usize).is_some_and(|node| {
            node.a == 0 || self.content(node).is_some_and(|content| content.head == node.a)
        })
    }

    /// Up to `length` bytes of a file from `offset` on: the same bytes at every read.
    pub(in crate::machine) fn read(&self, id: u32, offset: u64, length: usize) -> Vec<u8> {
        let Some(node) = self.nodes.get(id as usize).filter(|node| node.kind == Kind::File) else {
            return Vec::new();
        };
        let size = u64::from(node.a);
        let end = offset.saturating_add(length as u64).min(size);
        if offset >= end {
            return Vec::new();
        }
        let known = self.content(node).copied().unwrap_or(Content { start: 0, head: 0, tail: 0 });
        let (head, tail_at) = (u64::from(known.head), size - u64::from(known.tail).min(size));
        let mut bytes = Vec::with_capacity((end - offset) as usize);
        if offset < head {
            let until = end.min(head);
            self.stored(u64::from(known.start) + offset, (until - offset) as usize, &mut bytes);
            // A block that cannot be unpacked leaves a hole, not a shorter file.
            bytes.resize((until - offset) as usize, 0);
        }
        let (from, until) = (offset.max(head), end.min(tail_at));
        if from < until {
            let mut first = Vec::new();
            self.stored(u64::from(known.start), head.min(256) as usize, &mut first);
            filler::fill(&filler::Flavour::of(&first, size), from, (until - from) as usize, &mut bytes);
        }
        if end > tail_at {
            let from = offset.max(tail_at).max(head);
            let within = u64::from(known.start) + head + (from - tail_at);
            self.stored(within, (end - from) as usize, &mut bytes);
        }
        bytes.resize((end - offset) as usize, 0);
        bytes
    }

    /// Adds `length` of the stored bytes from `start` on to `into`.
    fn stored(&self, start: u64, length: usize, into: &mut Vec<u8>) {
        let (mut at, end) = (start as usize, start as usize + length);
        while at < end {
            let Some(block) = self.block(at / BLOCK) else { return };
            let within = at % BLOCK;
            let until = (within + (end - at)).min(block.len());
            let Some(part) = block.get(within..until).filter(|part| !part.is_empty()) else { return };
            into.extend_from_slice(part);
            at += part.len();
        }
    }

    fn block(&self, index: usize) -> Option<Bytes> {
        let mut unpacked = self.unpacked.lock();
        if let Some(place) = unpacked.iter().position(|(known, _)| *known == index) {
            let found = unpacked.remove(place)?;
            let bytes = found.1.clone();
            unpacked.push_front(found);
            return Some(bytes);
        }
        let (start, end) = *self.blocks.get(index)?;
        let bytes: Bytes = zstd::bulk::decompress(self.data.get(start..end)?, BLOCK).ok()?.into();
        unpacked.truncate(CACHED_BLOCKS - 1);
        unpacked.push_front((index, bytes.clone()));
        Some(bytes)
    }
}
