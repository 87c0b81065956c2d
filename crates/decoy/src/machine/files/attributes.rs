//! What `stat` tells of a node, its kind among it, and the flags of ext4.

use std::time::SystemTime;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Regular file.
    File,
    /// Directory.
    Dir,
    /// Symbolic link.
    Symlink,
    /// Character device.
    CharDevice,
    /// Block device.
    BlockDevice,
    /// Named pipe.
    Fifo,
    /// Unix socket.
    Socket,
}

impl Kind {
    /// The bits of a mode that tell the kind (inode(7)).
    pub fn bits(self) -> u32 {
        match self {
            Self::File => 0o100_000,
            Self::Dir => 0o040_000,
            Self::Symlink => 0o120_000,
            Self::CharDevice => 0o020_000,
            Self::BlockDevice => 0o060_000,
            Self::Fifo => 0o010_000,
            Self::Socket => 0o140_000,
        }
    }

    /// First letter of the mode as `ls -l` shows it.
    pub fn letter(self) -> char {
        match self {
            Self::File => '-',
            Self::Dir => 'd',
            Self::Symlink => 'l',
            Self::CharDevice => 'c',
            Self::BlockDevice => 'b',
            Self::Fifo => 'p',
            Self::Socket => 's',
        }
    }
}

/// What `stat` tells (stat(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Kind of node.
    pub kind: Kind,
    /// Permission bits with set-user-ID, set-group-ID and sticky (07777).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes; 4096 for directories, the target's length for symbolic links.
    pub size: u64,
    /// Number of hard links.
    pub nlink: u32,
    /// Inode number.
    pub inode: u64,
    /// Last change of the content.
    pub mtime: SystemTime,
    /// Last access.
    pub atime: SystemTime,
    /// Last change of the node.
    pub ctime: SystemTime,
    /// Major and minor number of a device.
    pub rdev: (u32, u32),
}

impl Attributes {
    /// Whether this is a directory.
    pub fn is_dir(&self) -> bool {
        self.kind == Kind::Dir
    }

    /// The mode as `ls -l` shows it: ten characters.
    pub fn mode_text(&self) -> String {
        let mut text = String::with_capacity(10);
        text.push(self.kind.letter());
        for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
            let bits = self.mode >> shift;
            text.push(if bits & 4 == 0 { '-' } else { 'r' });
            text.push(if bits & 2 == 0 { '-' } else { 'w' });
            text.push(match (self.mode & special != 0, bits & 1 != 0) {
                (true, true) => letter,
                (true, false) => letter.to_ascii_uppercase(),
                (false, true) => 'x',
                (false, false) => '-',
            });
        }
        text
    }
}

/// What ext4 knows of a file beside its mode (chattr(1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// `i`: nobody changes, renames or removes it.
    Immutable,
    /// `a`: it can only grow.
    Append,
    /// `s`: to be overwritten when it is removed.
    Shredded,
    /// `u`: to be kept when it is removed.
    Kept,
}

impl Flag {
    pub(super) const ALL: [Self; 4] = [Self::Immutable, Self::Append, Self::Shredded, Self::Kept];

    /// Its bit, above those of the permissions.
    pub(super) const fn bit(self) -> u16 {
        match self {
            Self::Immutable => 0o10_000,
            Self::Append => 0o20_000,
            Self::Shredded => 0o40_000,
            Self::Kept => 0o100_000,
        }
    }
}
