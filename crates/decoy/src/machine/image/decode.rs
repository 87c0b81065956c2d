//! Reading an image file: whatever the bytes are, a sound image or an error.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::{About, BLOCK, Content, Entry, Image, Kind, MAGIC, Node, Strings, varint::Reader};

/// The most bytes that the facts of an image may have unpacked.
const MOST_FACTS: usize = 256 << 20;
/// The most nodes, names and contents.
const MOST_ITEMS: usize = 4_000_000;
/// The longest name (NAME_MAX) and link target (PATH_MAX).
pub(super) const MOST_NAME: usize = 255;
pub(super) const MOST_TARGET: usize = 4095;

/// Why bytes are no image, or why none can be made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ImageError {
    /// Other first bytes.
    #[error("this is no image file: make one with `rustbucket image build`")]
    NoImage,
    /// A later or earlier format.
    #[error("this image was made by another version of the program: build it again")]
    OtherVersion,
    /// The file ends before its facts or texts do.
    #[error("the image file is cut short")]
    Short,
    /// The facts cannot be unpacked.
    #[error("the facts of the image cannot be unpacked: the file is damaged")]
    Packed,
    /// The facts make no file system.
    #[error("the image is damaged: {0}")]
    Unsound(&'static str),
    /// There is more than an image can hold.
    #[error("there is more than an image can hold: {0}")]
    TooLarge(&'static str),
    /// What is to become an image names something twice in ways that exclude each other.
    #[error("{0} is a directory and something else")]
    Clash(String),
    /// A name that no visitor could see.
    #[error("{0:?} is no path that an image can have")]
    BadPath(String),
}

type Result<T> = std::result::Result<T, ImageError>;

impl Image {
    /// Reads an image. Texts stay packed in `data` until they are read.
    pub fn decode(data: Bytes) -> Result<Self> {
        let head = data.get(..16).ok_or(ImageError::NoImage)?;
        if !head.starts_with(&MAGIC[..5]) {
            return Err(ImageError::NoImage);
        }
        if !head.starts_with(&MAGIC) {
            return Err(ImageError::OtherVersion);
        }
        let word = |at: usize| {
            let bytes = head.get(at..at + 4).and_then(|bytes| bytes.first_chunk::<4>());
            bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize)
        };
        let (packed, unpacked) = (word(8), word(12));
        if unpacked > MOST_FACTS {
            return Err(ImageError::TooLarge("facts"));
        }
        let packed_facts = data.get(16..16 + packed).ok_or(ImageError::Short)?;
        let facts = zstd::bulk::decompress(packed_facts, unpacked).map_err(|_| ImageError::Packed)?;
        if facts.len() != unpacked {
            return Err(ImageError::Packed);
        }
        let digest = Sha256::digest(packed_facts).into();
        let mut reader = Reader(&facts);
        let mut image = read_tables(&mut reader).ok_or(ImageError::Unsound("its tables end too early"))?;
        image.blocks = read_blocks(&mut reader, 16 + packed, data.len())?;
        image.digest = digest;
        image.data = data;
        check(&mut image)?;
        Ok(image)
    }
}

fn read_tables(reader: &mut Reader<'_>) -> Option<Image> {
    let mut image = Image::empty();
    image.about = About {
        label: reader.text()?.to_owned(),
        installed: reader.small()?,
        kernel: reader.text()?.to_owned(),
    };
    let owners = reader.count()?;
    image.owners = (0..owners).map(|_| Some((reader.small()?, reader.small()?))).collect::<Option<_>>()?;

    let strings = reader.count()?;
    let text = reader.text()?;
    let mut end = 0_u32;
    image.strings = Strings {
        ends: (0..strings)
            .map(|_| {
                end = end.checked_add(reader.small()?)?;
                Some(end)
            })
            .collect::<Option<_>>()?,
        text: text.to_owned(),
    };

    let nodes = reader.count()?;
    let mut mtime = 0_i64;
    let mut entries = 0_u32;
    image.nodes = (0..nodes)
        .map(|_| {
            let kind_and_mode = reader.small()?;
            let kind = kind(kind_and_mode >> 12)?;
            let owner = reader.small()?.try_into().ok()?;
            mtime = mtime.checked_add(reader.signed()?)?;
            let a = reader.small()?;
            let b = match kind {
                Kind::File | Kind::CharDevice | Kind::BlockDevice => reader.small()?,
                Kind::Dir => a,
                Kind::Symlink | Kind::Fifo | Kind::Socket => 0,
            };
            let a = if kind == Kind::Dir {
                let first = entries;
                entries = entries.checked_add(b)?;
                first
            } else {
                a
            };
            let mode = (kind_and_mode & 0o7777) as u16;
            Some(Node { kind, mode, owner, links: 0, mtime: mtime.try_into().ok()?, a, b })
        })
        .collect::<Option<_>>()?;

    let count = reader.count()?;
    let mut expected = 1_i64;
    image.entries = (0..count)
        .map(|_| {
            let name = reader.small()?;
            let node = expected.checked_add(reader.signed()?)?;
            expected = node.checked_add(1)?;
            Some(Entry { name, node: node.try_into().ok()? })
        })
        .collect::<Option<_>>()?;

    let count = reader.count()?;
    let mut start = 0_u32;
    image.contents = (0..count)
        .map(|_| {
            let (head, tail) = (reader.small()?, reader.small()?);
            let content = Content { start, head, tail };
            start = start.checked_add(head)?.checked_add(tail)?;
            Some(content)
        })
        .collect::<Option<_>>()?;
    Some(image)
}

fn read_blocks(reader: &mut Reader<'_>, mut at: usize, end: usize) -> Result<Vec<(usize, usize)>> {
    let early = ImageError::Unsound("its blocks end too early");
    let Some(count) = reader.count() else { return Err(early) };
    let mut blocks = Vec::with_capacity(count);
    for _ in 0..count {
        let Some(length) = reader.small() else { return Err(early) };
        let until = at.checked_add(length as usize).filter(|until| *until <= end).ok_or(ImageError::Short)?;
        blocks.push((at, until));
        at = until;
    }
    Ok(blocks)
}

fn kind(number: u32) -> Option<Kind> {
    Some(match number {
        0 => Kind::File,
        1 => Kind::Dir,
        2 => Kind::Symlink,
        3 => Kind::CharDevice,
        4 => Kind::BlockDevice,
        5 => Kind::Fifo,
        6 => Kind::Socket,
        _ => return None,
    })
}

/// Holds the facts against each other and counts links: what passes here can be walked without looking back.
fn check(image: &mut Image) -> Result<()> {
    let unsound = |what| Err(ImageError::Unsound(what));
    if image.nodes.len() > MOST_ITEMS || image.entries.len() > MOST_ITEMS || image.contents.len() > MOST_ITEMS
    {
        return Err(ImageError::TooLarge("nodes"));
    }
    if image.nodes.first().is_none_or(|root| root.kind != Kind::Dir) {
        return unsound("it has no root directory");
    }
    let named: u64 = image.nodes.iter().filter(|n| n.kind == Kind::Dir).map(|n| u64::from(n.b)).sum();
    if named != image.entries.len() as u64 {
        return unsound("its directories do not fit their names");
    }
    if (0..image.strings.ends.len() as u32).any(|index| image.strings.get(index).is_none()) {
        return unsound("a name lies outside its texts");
    }
    let last = image
        .contents
        .last()
        .map_or(0, |last| u64::from(last.start) + u64::from(last.head) + u64::from(last.tail));
    if last > (image.blocks.len() * BLOCK) as u64 {
        return unsound("a content lies outside its blocks");
    }
    let mut links = vec![0_u16; image.nodes.len()];
    for (id, node) in image.nodes.iter().enumerate() {
        if usize::from(node.owner) >= image.owners.len() {
            return unsound("an owner is missing");
        }
        match node.kind {
            Kind::File => {
                let content = (node.b as usize).checked_sub(1).map(|index| image.contents.get(index));
                match content {
                    Some(None) => return unsound("a content is missing"),
                    Some(Some(content))
                        if u64::from(content.head) + u64::from(content.tail) > u64::from(node.a) =>
                    {
                        return unsound("a content is larger than its file");
                    }
                    _ => {}
                }
            }
            Kind::Symlink => {
                let sound =
                    |target: &str| (1..=MOST_TARGET).contains(&target.len()) && !target.contains('\0');
                if !image.strings.get(node.a).is_some_and(sound) {
                    return unsound("a link leads nowhere");
                }
            }
            Kind::Dir => check_directory(image, id as u32, &mut links)?,
            _ => {}
        }
    }
    for (node, links) in image.nodes.iter_mut().zip(links) {
        // A directory has its own name, its `.`, and the `..` of each directory in it.
        node.links = if node.kind == Kind::Dir { (links & 0x7fff) + 2 } else { links.max(1) };
    }
    Ok(())
}

fn check_directory(image: &Image, id: u32, links: &mut [u16]) -> Result<()> {
    let unsound = |what| Err(ImageError::Unsound(what));
    let mut before: Option<&str> = None;
    for entry in image.entries_of(id) {
        let name = image.strings.get(entry.name).unwrap_or("");
        let is_name = (1..=MOST_NAME).contains(&name.len())
            && !name.contains(['/', '\0'])
            && name != "."
            && name != "..";
        if !is_name || before.is_some_and(|before| before >= name) {
            return unsound("a directory's names are out of order");
        }
        before = Some(name);
        let Some(node) = image.nodes.get(entry.node as usize) else {
            return unsound("a name has no node");
        };
        // A directory comes after the one it is in and has one name, so that there are no circles.
        let Some(count) = links.get_mut(entry.node as usize) else { return unsound("a name has no node") };
        if node.kind == Kind::Dir {
            if entry.node <= id || *count & 0x8000 != 0 {
                return unsound("a directory is in two places");
            }
            *count |= 0x8000;
            if let Some(count) = links.get_mut(id as usize) {
                *count = (*count & 0x8000) | (*count & 0x7fff).saturating_add(1).min(0x7fff);
            }
        } else {
            *count = count.saturating_add(1);
        }
    }
    Ok(())
}
