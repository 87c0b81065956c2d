//! Making an image: facts are added path by path, in any order, and come out packed.

mod packing;

use std::collections::{BTreeMap, HashMap};

use super::{
    About, Kind,
    decode::{ImageError, MOST_NAME, MOST_TARGET},
};

/// Bytes that are kept of a file of which not everything is kept: enough for the headers, the interpreter and the
/// notes of an ELF file.
const HEAD: usize = 1024;
/// The longest end of an ELF file that is kept: its section names and section table.
const MOST_TAIL: u64 = 64 * 1024;
/// What a file that holds a private key has in it.
const PRIVATE_KEY: &[u8] = b"PRIVATE KEY-----";

/// What is kept of files' contents.
#[derive(Clone, Debug)]
pub struct Policy {
    /// A file of up to this many bytes is kept whole.
    pub most_bytes: u64,
    /// Only files that are text are kept whole.
    pub only_text: bool,
    /// Of files at or under these absolute paths, and of those that end as `*END` says, nothing is kept but the facts.
    pub without: Vec<String>,
}

/// Facts of one path.
#[derive(Clone, Debug)]
pub struct Given {
    /// Kind of node.
    pub kind: Kind,
    /// Permission bits (07777).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Seconds since 1970.
    pub mtime: u64,
    /// Where a symbolic link leads.
    pub target: String,
    /// Major and minor number of a device.
    pub rdev: (u32, u32),
    /// Bytes of a file.
    pub size: u64,
}

struct Made {
    given: Given,
    names: BTreeMap<String, usize>,
    content: u32,
}

/// An image in the making.
pub struct Builder {
    about: About,
    policy: Policy,
    nodes: Vec<Made>,
    texts: Vec<u8>,
    contents: Vec<(u32, u32)>,
    known: HashMap<Vec<u8>, u32>,
    /// Paths of files that hold a private key: their contents are left out.
    pub secrets: Vec<String>,
}

/// Gives up to so many bytes of a file from an offset on.
pub type ReadAt<'a, E> = &'a mut dyn FnMut(u64, usize) -> Result<Vec<u8>, E>;

impl Builder {
    /// An image of nothing but a root directory.
    pub fn new(about: About, policy: Policy) -> Self {
        let root = Given {
            kind: Kind::Dir,
            mode: 0o755,
            uid: 0,
            gid: 0,
            mtime: u64::from(about.installed),
            target: String::new(),
            rdev: (0, 0),
            size: 0,
        };
        let root = Made { given: root, names: BTreeMap::new(), content: 0 };
        Self {
            about,
            policy,
            nodes: vec![root],
            texts: Vec::new(),
            contents: Vec::new(),
            known: HashMap::new(),
            secrets: Vec::new(),
        }
    }

    /// Adds what is no file, or a file of which only the facts are known. Missing directories above are made.
    pub fn add(&mut self, path: &str, given: Given) -> Result<(), ImageError> {
        if given.kind == Kind::Symlink
            && (!(1..=MOST_TARGET).contains(&given.target.len()) || given.target.contains('\0'))
        {
            return Err(ImageError::BadPath(format!("{path} -> {}", given.target)));
        }
        self.place(path, given).map(drop)
    }

    /// Adds a file and what the policy keeps of it; `read` is asked for no more than that.
    pub fn add_file<E: From<ImageError>>(
        &mut self,
        path: &str,
        given: Given,
        read: ReadAt<'_, E>,
    ) -> Result<(), E> {
        let size = given.size;
        if size > u64::from(u32::MAX) {
            return Err(ImageError::TooLarge("a file of 4 GiB or more").into());
        }
        let id = self.place(path, given)?;
        if path.starts_with("/boot/vmlinuz") && self.about.kernel.is_empty() {
            self.about.kernel = kernel_version(&read(0, size.min(64 * 1024) as usize)?);
        }
        let is_without = |top: &String| match top.strip_prefix('*') {
            Some(end) => path.ends_with(end),
            None => {
                path.strip_prefix(top.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        };
        if size == 0 || self.policy.without.iter().any(is_without) {
            return Ok(());
        }
        let mut head = read(0, HEAD.min(size as usize))?;
        let is_elf = head.starts_with(b"\x7fELF");
        let is_wanted = |head: &[u8]| !self.policy.only_text || (!is_elf && is_text(head));
        if size <= self.policy.most_bytes && is_wanted(&head) {
            if size as usize > head.len() {
                head.extend(read(head.len() as u64, size as usize - head.len())?);
            }
            if memchr::memmem::find(&head, PRIVATE_KEY).is_some() {
                self.secrets.push(path.to_owned());
            } else if head.len() as u64 == size && is_wanted(&head) {
                self.keep(id, head, Vec::new())?;
                return Ok(());
            }
        }
        if memchr::memmem::find(&head, PRIVATE_KEY).is_some() {
            return Ok(());
        }
        let tail = match elf_tail(&head, size) {
            Some(at) => read(at, (size - at) as usize)?,
            None => Vec::new(),
        };
        // What is no ELF file is told by its first bytes.
        head.truncate(if is_elf { HEAD } else { 64 }.min((size as usize).saturating_sub(tail.len())));
        Ok(self.keep(id, head, tail)?)
    }

    /// Gives a file that was added another name.
    pub fn link(&mut self, existing: &str, new: &str) -> Result<(), ImageError> {
        let id = self.find(existing).ok_or_else(|| ImageError::BadPath(existing.to_owned()))?;
        if self.nodes.get(id).is_none_or(|node| node.given.kind == Kind::Dir) {
            return Err(ImageError::Clash(existing.to_owned()));
        }
        let (folder, name) = new.trim_end_matches('/').rsplit_once('/').unwrap_or(("", new));
        let parent = self.folder(folder)?;
        check_name(name, new)?;
        if let Some(parent) = self.nodes.get_mut(parent) {
            parent.names.insert(name.to_owned(), id);
        }
        Ok(())
    }

    fn find(&self, path: &str) -> Option<usize> {
        path.split('/')
            .filter(|name| !name.is_empty())
            .try_fold(0, |at, name| self.nodes.get(at)?.names.get(name).copied())
    }

    /// The directory of this path, made if it is missing.
    fn folder(&mut self, path: &str) -> Result<usize, ImageError> {
        let mut at = 0;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            check_name(name, path)?;
            let next = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { break };
            let given = Given { mode: 0o755, uid: 0, gid: 0, ..node.given.clone() };
            at = *node.names.entry(name.to_owned()).or_insert(next);
            if at == next {
                self.nodes.push(Made { given, names: BTreeMap::new(), content: 0 });
            } else if self.nodes.get(at).is_none_or(|node| node.given.kind != Kind::Dir) {
                return Err(ImageError::Clash(path.to_owned()));
            }
        }
        Ok(at)
    }

    fn place(&mut self, path: &str, given: Given) -> Result<usize, ImageError> {
        let path = path.trim_matches('/');
        if given.kind == Kind::Dir {
            let id = self.folder(path)?;
            if let Some(node) = self.nodes.get_mut(id) {
                node.given = given;
            }
            return Ok(id);
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        check_name(name, path)?;
        let parent = self.folder(folder)?;
        let next = self.nodes.len();
        let names = match self.nodes.get_mut(parent) {
            Some(parent) => &mut parent.names,
            None => return Err(ImageError::BadPath(path.to_owned())),
        };
        if let Some(old) = names.insert(name.to_owned(), next)
            && self.nodes.get(old).is_some_and(|old| old.given.kind == Kind::Dir)
        {
            return Err(ImageError::Clash(path.to_owned()));
        }
        self.nodes.push(Made { given, names: BTreeMap::new(), content: 0 });
        Ok(next)
    }

    fn keep(&mut self, id: usize, head: Vec<u8>, tail: Vec<u8>) -> Result<(), ImageError> {
        if head.is_empty() && tail.is_empty() {
            return Ok(());
        }
        let lengths = (head.len() as u32, tail.len() as u32);
        let mut whole = head;
        whole.extend(tail);
        // The same bytes with another cut are another content.
        whole.extend(lengths.1.to_le_bytes());
        let number = match self.known.get(&whole) {
            Some(number) => *number,
            None => {
                let bytes = whole.len() - 4;
                if self.texts.len() + bytes > u32::MAX as usize {
                    return Err(ImageError::TooLarge("contents of 4 GiB; keep less of each file"));
                }
                self.texts.extend_from_slice(whole.get(..bytes).unwrap_or_default());
                self.contents.push(lengths);
                let number = self.contents.len() as u32;
                self.known.insert(whole, number);
                number
            }
        };
        if let Some(node) = self.nodes.get_mut(id) {
            node.content = number;
        }
        Ok(())
    }

    /// Whether this path was added.
    pub fn has(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    /// How many paths there are so far.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() <= 1
    }
}

fn check_name(name: &str, path: &str) -> Result<(), ImageError> {
    let is_name =
        (1..=MOST_NAME).contains(&name.len()) && !name.contains('\0') && name != "." && name != "..";
    if is_name { Ok(()) } else { Err(ImageError::BadPath(path.to_owned())) }
}

fn is_text(bytes: &[u8]) -> bool {
    !bytes.iter().any(|byte| matches!(byte, 0..=6 | 14..=26 | 127))
}

/// Where the end of an ELF file begins that is worth keeping: at its section names, which lie before the section table.
fn elf_tail(head: &[u8], size: u64) -> Option<u64> {
    let is_64_little = head.starts_with(b"\x7fELF\x02\x01");
    let field = |at: usize| head.get(at..at + 8)?.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes));
    let table = field(40).filter(|at| is_64_little && *at > HEAD as u64 && *at < size)?;
    // The names of the sections come before their table; half a KiB holds those of almost every program.
    let from = table.saturating_sub(512).max(HEAD as u64);
    (size - from <= MOST_TAIL).then_some(from)
}

/// The version line in a kernel's setup header (Documentation/arch/x86/boot.rst: `kernel_version`).
fn kernel_version(setup: &[u8]) -> String {
    let pointer = setup.get(0x20e..0x210).and_then(|bytes| bytes.first_chunk::<2>());
    let at = pointer.map_or(0, |bytes| usize::from(u16::from_le_bytes(*bytes))) + 0x200;
    let text = setup.get(at..).unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
    let is_magic = setup.get(0x202..0x206) == Some(b"HdrS");
    if is_magic && text.len() < 256 { String::from_utf8_lossy(text).trim().to_owned() } else { String::new() }
}
