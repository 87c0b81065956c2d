//! A file's attributes in sftp's terms.

use std::time::{SystemTime, UNIX_EPOCH};

use decoy::machine::{Attributes, Identity};
use russh_sftp::protocol::FileAttributes;

/// Attributes as sftp tells them, with the owner's name.
pub fn wire_attributes(attributes: &Attributes, identity: &Identity) -> FileAttributes {
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
        permissions: Some(attributes.kind.bits() | attributes.mode),
        atime: Some(seconds(attributes.atime)),
        mtime: Some(seconds(attributes.mtime)),
    }
}
