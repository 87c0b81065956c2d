//! A visitor's layer as bytes: what is kept over a restart.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{
    layer::Layer,
    tree::{Content, Names, Node, NodeId, Tree, VISITORS},
};
use crate::machine::image::varint::{Reader, put, put_bytes, put_signed};

/// The changed nodes and the number of the next new one.
pub(super) struct Changes {
    pub(super) changed: HashMap<NodeId, Node>,
    pub(super) made: u32,
}

/// Adds the layer to `file`. Nodes of `/proc` and `/sys` are others after a restart and are not kept.
pub(super) fn write(layer: &Layer, base: &Tree, file: &mut Vec<u8>) {
    let (changed, made) = layer.changes();
    file.extend_from_slice(&base.fingerprint);
    put(file, u64::from(made));
    let kept = || {
        changed.iter().filter(|(id, node)| !base.is_kernel(**id) && !matches!(node.content, Content::Made(_)))
    };
    put(file, kept().count() as u64);
    for (id, node) in kept() {
        put(file, u64::from(*id));
        for number in [u32::from(node.mode), node.uid, node.gid, node.links] {
            put(file, u64::from(number));
        }
        for time in [node.mtime, node.atime, node.ctime] {
            put_time(file, time);
        }
        write_content(&node.content, file);
    }
}

fn write_content(content: &Content, file: &mut Vec<u8>) {
    match content {
        Content::Dir(names) => {
            file.push(0);
            put(file, names.under.map_or(0, |under| u64::from(under) + 1));
            put(file, names.own.len() as u64);
            for (name, id) in &names.own {
                put_bytes(file, name.as_bytes());
                put(file, id.map_or(0, |id| u64::from(id) + 1));
            }
        }
        Content::Text(bytes) => {
            file.push(1);
            put_bytes(file, bytes);
        }
        Content::Own(bytes) => {
            file.push(1);
            put_bytes(file, bytes);
        }
        Content::Image(id) => {
            file.push(2);
            put(file, u64::from(*id));
        }
        Content::Blank(size) => {
            file.push(3);
            put(file, u64::from(*size));
        }
        Content::Listed(size) => {
            file.push(9);
            put(file, u64::from(*size));
        }
        Content::Link(target) => {
            file.push(4);
            put_bytes(file, target.as_bytes());
        }
        Content::Char(major, minor) | Content::Block(major, minor) => {
            file.push(if matches!(content, Content::Char(..)) { 5 } else { 6 });
            put(file, u64::from(*major));
            put(file, u64::from(*minor));
        }
        Content::Fifo => file.push(7),
        Content::Socket => file.push(8),
        // Left out by the caller: there is nothing to write of it.
        Content::Made(_) => file.push(7),
    }
}

/// Reads what [`write`] wrote for this very tree; `None` for anything else.
pub(super) fn read(reader: &mut Reader<'_>, base: &Tree) -> Option<Changes> {
    let (fingerprint, rest) = reader.0.split_at_checked(base.fingerprint.len())?;
    if fingerprint != base.fingerprint {
        return None;
    }
    reader.0 = rest;
    let made = reader.small().filter(|made| *made < VISITORS)?;
    let count = reader.count()?;
    let mut changed = HashMap::with_capacity(count);
    for _ in 0..count {
        let id = reader.small()?;
        let mode = u16::try_from(reader.small()?).ok()?;
        let (uid, gid, links) = (reader.small()?, reader.small()?, reader.small()?);
        let (mtime, atime, ctime) = (time(reader)?, time(reader)?, time(reader)?);
        let content = read_content(reader, base)?;
        changed.insert(id, Node { content, mode, uid, gid, links, mtime, atime, ctime });
    }
    is_sound(&changed, made, base).then_some(Changes { changed, made })
}

fn read_content(reader: &mut Reader<'_>, base: &Tree) -> Option<Content> {
    Some(match reader.number()? {
        0 => {
            let under = reader.small()?.checked_sub(1);
            let count = reader.count()?;
            let mut own = BTreeMap::new();
            for _ in 0..count {
                let name = reader.text()?.into();
                own.insert(name, reader.small()?.checked_sub(1));
            }
            Content::Dir(Names { under, own })
        }
        1 => Content::Own(Arc::new(reader.bytes()?.to_vec())),
        2 => Content::Image(reader.small().filter(|id| (*id as usize) < base.image.len())?),
        3 => Content::Blank(reader.small()?),
        4 => Content::Link(reader.text()?.into()),
        5 => Content::Char(reader.small()?, reader.small()?),
        6 => Content::Block(reader.small()?, reader.small()?),
        7 => Content::Fifo,
        8 => Content::Socket,
        9 => Content::Listed(reader.small()?),
        _ => return None,
    })
}

/// Every name leads to a node that is there, and every node of a visitor's has been made.
fn is_sound(changed: &HashMap<NodeId, Node>, made: u32, base: &Tree) -> bool {
    let shared = base.kernel.start;
    let exists = |id: &NodeId| *id < shared || base.is_kernel(*id) || changed.contains_key(id);
    changed.iter().all(|(id, node)| {
        let is_known = *id < shared || (VISITORS..VISITORS + made).contains(id);
        let leads_somewhere = match &node.content {
            Content::Dir(names) => {
                names.own.values().flatten().all(exists)
                    && names.under.is_none_or(|under| (under as usize) < base.image.len())
            }
            _ => true,
        };
        is_known && leads_somewhere
    })
}

/// A time as seconds since 1970 and nanoseconds.
pub(in crate::machine) fn put_time(file: &mut Vec<u8>, time: SystemTime) {
    let (seconds, nanoseconds) = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => (since.as_secs() as i64, since.subsec_nanos()),
        Err(before) => (-(before.duration().as_secs() as i64), 0),
    };
    put_signed(file, seconds);
    put(file, u64::from(nanoseconds));
}

/// Reads a time; those that the system cannot have are none.
pub(in crate::machine) fn time(reader: &mut Reader<'_>) -> Option<SystemTime> {
    let seconds = reader.signed()?;
    let nanoseconds = reader.small().filter(|part| *part < 1_000_000_000)?;
    let whole = Duration::new(seconds.unsigned_abs(), nanoseconds);
    if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(whole)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(whole)
    }
}
