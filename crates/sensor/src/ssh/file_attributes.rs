//! A file's attributes in sftp's terms.

use std::time::{SystemTime, UNIX_EPOCH};

use decoy::machine::{Attributes, Identity, Kind};
use russh_sftp::protocol::FileAttributes;

/// Attributes as sftp tells them, with the owner's name.
pub fn wire_attributes(attributes: &Attributes, identity: &Identity) -> FileAttributes {
    let kind = match attributes.kind {
        Kind::Dir => 0o040_000,
        Kind::Symlink => 0o120_000,
        Kind::CharDevice => 0o020_000,
        Kind::BlockDevice => 0o060_000,
        Kind::Fifo => 0o010_000,
        Kind::Socket => 0o140_000,
        Kind::File => 0o100_000,
    };
    let seconds = |time: SystemTime| {
        time.duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|since| u32::try_from(since.as_secs()).ok())
            .unwrap_or(0)
    };
    let name = |uid| identity.account_by_uid(uid).map(|account| account.name.clone());
    FileAttributes {
        size: Some(attributes.size),
        uid: Some(attributes.uid),
        user: name(attributes.uid),
        gid: Some(attributes.gid),
        group: None,
        permissions: Some(kind | attributes.mode),
        atime: Some(seconds(attributes.atime)),
        mtime: Some(seconds(attributes.mtime)),
    }
}
