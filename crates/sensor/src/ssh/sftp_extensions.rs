//! What OpenSSH's sftp-server knows beyond the draft (PROTOCOL, 4).

use bytes::Bytes;
use decoy::machine::{Attributes, Identity, Kind};
use russh_sftp::protocol::{ExtendedReply, File, Name, Packet, StatusCode};

use super::status::{Fault, well};

/// The extensions of OpenSSH 9.2 and their versions.
pub const EXTENSIONS: [(&str, &str); 11] = [
    ("posix-rename@openssh.com", "1"),
    ("statvfs@openssh.com", "2"),
    ("fstatvfs@openssh.com", "2"),
    ("hardlink@openssh.com", "1"),
    ("fsync@openssh.com", "1"),
    ("lsetstat@openssh.com", "1"),
    ("limits@openssh.com", "1"),
    ("expand-path@openssh.com", "1"),
    ("copy-data", "1"),
    ("home-directory", "1"),
    ("users-groups-by-id@openssh.com", "1"),
];

/// The fields of a request.
pub struct Fields(Bytes);

impl Fields {
    /// What follows the request's name.
    pub fn new(data: Vec<u8>) -> Self {
        Self(data.into())
    }

    /// A number of 64 bits.
    pub fn long(&mut self) -> Result<u64, Fault> {
        let (number, _) = self.0.split_first_chunk::<8>().ok_or(Fault(StatusCode::BadMessage))?;
        let number = u64::from_be_bytes(*number);
        self.0 = self.0.slice(8..);
        Ok(number)
    }

    /// Bytes with their length before them.
    pub fn bytes(&mut self) -> Result<Bytes, Fault> {
        let (length, rest) = self.0.split_first_chunk::<4>().ok_or(Fault(StatusCode::BadMessage))?;
        let length = u32::from_be_bytes(*length) as usize;
        if rest.len() < length {
            return Err(Fault(StatusCode::BadMessage));
        }
        let bytes = self.0.slice(4..4 + length);
        self.0 = self.0.slice(4 + length..);
        Ok(bytes)
    }

    /// A text.
    pub fn text(&mut self) -> Result<String, Fault> {
        Ok(String::from_utf8_lossy(&self.bytes()?).into_owned())
    }

    /// What is left, in the library's own terms.
    pub fn rest<T: serde::de::DeserializeOwned>(mut self) -> Result<T, Fault> {
        russh_sftp::de::from_bytes(&mut self.0).map_err(|_| Fault(StatusCode::BadMessage))
    }
}

/// All is well.
pub fn done(id: u32) -> Packet {
    Packet::Status(well(id))
}

/// A path as an answer.
pub fn named(id: u32, path: String) -> Packet {
    Packet::Name(Name { id, files: vec![File::dummy(path)] })
}

/// Numbers as an answer.
pub fn numbers(id: u32, numbers: &[u64]) -> Packet {
    let data = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    Packet::ExtendedReply(ExtendedReply { id, data })
}

/// `limits@openssh.com`: packets, reads and writes of 256 KiB less their heads, and a process' open files less five.
pub fn limits(id: u32) -> Packet {
    numbers(id, &[262_144, 261_120, 261_120, 1019])
}

/// `statvfs@openssh.com` of the machine's only disk.
pub fn file_system(id: u32, identity: &Identity) -> Packet {
    const BLOCK: u64 = 4096;
    let blocks = identity.disk_bytes / BLOCK;
    let free = blocks - blocks / 1000 * u64::from(identity.disk_used_permille.min(1000));
    let (nodes, reserved) = (blocks / 4, blocks / 20);
    let available = free.saturating_sub(reserved);
    // The last two: no flags but ST_NOSUID is 2, and the longest name.
    numbers(
        id,
        &[BLOCK, BLOCK, blocks, free, available, nodes, nodes / 10 * 9, nodes / 10 * 9, 0xfe01, 0, 255],
    )
}

/// `users-groups-by-id@openssh.com`: the names of some numbers; none for those nobody has.
pub fn names(id: u32, users: &[u8], groups: &[u8], identity: &Identity) -> Packet {
    let list = |numbers: &[u8]| {
        let mut out = Vec::new();
        for number in numbers.as_chunks::<4>().0.iter().take(1024) {
            let account = identity.account_by_uid(u32::from_be_bytes(*number));
            let name = account.map_or("", |account| account.name.as_str());
            out.extend(u32::try_from(name.len()).unwrap_or_default().to_be_bytes());
            out.extend(name.as_bytes());
        }
        out
    };
    let mut data = Vec::new();
    for list in [list(users), list(groups)] {
        data.extend(u32::try_from(list.len()).unwrap_or_default().to_be_bytes());
        data.extend(list);
    }
    Packet::ExtendedReply(ExtendedReply { id, data })
}

/// A line as `ls -l` has it, which sftp-server sends beside each name.
pub fn long_name(
    name: &str,
    attributes: &Attributes,
    identity: &Identity,
    now: std::time::SystemTime,
) -> String {
    let kind = match attributes.kind {
        Kind::Dir => 'd',
        Kind::Symlink => 'l',
        Kind::CharDevice => 'c',
        Kind::BlockDevice => 'b',
        Kind::Fifo => 'p',
        Kind::Socket => 's',
        Kind::File => '-',
    };
    let mode: String = (0..9)
        .map(|bit| {
            let letter = *b"rwxrwxrwx".get(bit).unwrap_or(&b'-');
            if attributes.mode & (0o400 >> bit) != 0 { char::from(letter) } else { '-' }
        })
        .collect();
    let owner = |number| {
        identity.account_by_uid(number).map_or_else(|| number.to_string(), |account| account.name.clone())
    };
    let links = if attributes.is_dir() { 2 } else { 1 };
    let age = now.duration_since(attributes.mtime).unwrap_or_default();
    let form = if age.as_secs() < 365 * 24 * 3600 / 2 { "%b %e %H:%M" } else { "%b %e  %Y" };
    let time = chrono::DateTime::<chrono::Utc>::from(attributes.mtime).format(form);
    format!(
        "{kind}{mode} {links:>4} {:<8} {:<8} {:>8} {time} {name}",
        owner(attributes.uid),
        owner(attributes.gid),
        attributes.size
    )
}
