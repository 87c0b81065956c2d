//! The builder's image as bytes: facts in flat tables, texts in packed blocks.

use std::collections::{BTreeMap, HashMap};

use super::super::{
    BLOCK, Kind, MAGIC,
    decode::ImageError,
    varint::{put, put_bytes, put_signed},
};
use super::Builder;

/// How hard texts are packed.
const LEVEL: i32 = 19;

impl Builder {
    /// The image file.
    pub fn finish(mut self) -> Result<Vec<u8>, ImageError> {
        self.known = HashMap::new();
        let packed = |_| ImageError::Packed;
        let blocks: Vec<Vec<u8>> = self
            .texts
            .chunks(BLOCK)
            .map(|block| zstd::bulk::compress(block, LEVEL).map_err(packed))
            .collect::<Result<_, _>>()?;
        let mut facts = self.facts()?;
        put(&mut facts, blocks.len() as u64);
        for block in &blocks {
            put(&mut facts, block.len() as u64);
        }
        let packed_facts = zstd::bulk::compress(&facts, LEVEL).map_err(packed)?;
        let mut file = MAGIC.to_vec();
        for length in [packed_facts.len(), facts.len()] {
            let length = u32::try_from(length).map_err(|_| ImageError::TooLarge("facts"))?;
            file.extend_from_slice(&length.to_le_bytes());
        }
        file.extend(packed_facts);
        blocks.iter().for_each(|block| file.extend_from_slice(block));
        Ok(file)
    }

    /// The tables: nodes in the order of their directories, each directory after the one it is in.
    fn facts(&self) -> Result<Vec<u8>, ImageError> {
        let mut order = vec![0_usize];
        let mut numbers: HashMap<usize, u32> = HashMap::from([(0, 0)]);
        let mut strings: BTreeMap<&str, u32> = BTreeMap::new();
        let mut owners: Vec<(u32, u32)> = Vec::new();
        let mut next = 0;
        while let Some(node) = order.get(next).and_then(|id| self.nodes.get(*id)) {
            next += 1;
            for (name, child) in &node.names {
                strings.insert(name, 0);
                if !numbers.contains_key(child) {
                    numbers.insert(*child, order.len() as u32);
                    order.push(*child);
                }
            }
            if node.given.kind == Kind::Symlink {
                strings.insert(&node.given.target, 0);
            }
            let owner = (node.given.uid, node.given.gid);
            if !owners.contains(&owner) {
                owners.push(owner);
            }
        }
        strings.values_mut().zip(0..).for_each(|(index, number)| *index = number);

        let mut file = Vec::new();
        put_bytes(&mut file, self.about.label.as_bytes());
        put(&mut file, u64::from(self.about.installed));
        put_bytes(&mut file, self.about.kernel.as_bytes());
        put(&mut file, owners.len() as u64);
        for (uid, gid) in &owners {
            put(&mut file, u64::from(*uid));
            put(&mut file, u64::from(*gid));
        }
        put(&mut file, strings.len() as u64);
        put_bytes(&mut file, strings.keys().copied().collect::<String>().as_bytes());
        strings.keys().for_each(|text| put(&mut file, text.len() as u64));

        let string = |text: &str| u64::from(strings.get(text).copied().unwrap_or_default());
        put(&mut file, order.len() as u64);
        let mut before = 0_i64;
        for node in order.iter().filter_map(|id| self.nodes.get(*id)) {
            let given = &node.given;
            put(&mut file, u64::from(number(given.kind)) << 12 | u64::from(given.mode & 0o7777));
            let owner = owners.iter().position(|owner| *owner == (given.uid, given.gid)).unwrap_or_default();
            u16::try_from(owner).map_err(|_| ImageError::TooLarge("owners"))?;
            put(&mut file, owner as u64);
            let mtime = given.mtime.min(u64::from(u32::MAX)) as i64;
            put_signed(&mut file, mtime - before);
            before = mtime;
            match given.kind {
                Kind::File => {
                    put(&mut file, given.size);
                    put(&mut file, u64::from(node.content));
                }
                Kind::Dir => put(&mut file, node.names.len() as u64),
                Kind::Symlink => put(&mut file, string(&given.target)),
                Kind::CharDevice | Kind::BlockDevice => {
                    put(&mut file, u64::from(given.rdev.0));
                    put(&mut file, u64::from(given.rdev.1));
                }
                Kind::Fifo | Kind::Socket => put(&mut file, 0),
            }
        }
        let all = || order.iter().filter_map(|id| self.nodes.get(*id)).flat_map(|node| &node.names);
        put(&mut file, all().count() as u64);
        let mut expected = 1_i64;
        for (name, child) in all() {
            let id = i64::from(numbers.get(child).copied().unwrap_or_default());
            put(&mut file, string(name));
            put_signed(&mut file, id - expected);
            expected = id + 1;
        }
        put(&mut file, self.contents.len() as u64);
        for (head, tail) in &self.contents {
            put(&mut file, u64::from(*head));
            put(&mut file, u64::from(*tail));
        }
        Ok(file)
    }
}

fn number(kind: Kind) -> u8 {
    match kind {
        Kind::File => 0,
        Kind::Dir => 1,
        Kind::Symlink => 2,
        Kind::CharDevice => 3,
        Kind::BlockDevice => 4,
        Kind::Fifo => 5,
        Kind::Socket => 6,
    }
}
