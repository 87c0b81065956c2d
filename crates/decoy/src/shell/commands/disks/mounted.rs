//! What is mounted: how large it is, how full, and what `stat -f` tells of it.

use super::super::Call;
use crate::machine::files::mount_table;

/// One mounted file system; sizes in KiB.
pub(in crate::shell::commands) struct FileSystem {
    pub(super) source: String,
    pub(in crate::shell::commands) kind: &'static str,
    pub(super) total: u64,
    pub(super) used: u64,
    pub(super) reserved: u64,
    pub(super) inodes: u64,
    pub(super) inodes_used: u64,
    pub(super) target: &'static str,
}

pub(super) fn all(call: &Call<'_>) -> Vec<FileSystem> {
    let identity = call.identity();
    let kib = identity.memory_bytes / 1024;
    let total = identity.disk_bytes / 1024;
    let (layer_bytes, layer_files) = call.files().layer_size();
    let used = total * u64::from(identity.disk_used_permille) / 1000 + layer_bytes as u64 / 1024;
    mount_table(identity)
        .into_iter()
        .map(|(source, target, kind, _)| {
            let (total, used, reserved, inodes, inodes_used) = match (kind, target) {
                // mkfs.ext4 makes an inode for each 16 KiB and keeps a twentieth for root.
                ("ext4", _) => {
                    let files = 41_000 + identity.seed % 3000 + layer_files as u64;
                    (total, used, total / 20, (total / 16).next_multiple_of(8192), files)
                }
                ("devtmpfs", _) => (kib / 2 - 17_000, 0, 0, kib / 8, 380 + identity.seed % 40),
                ("tmpfs", "/run") => {
                    (kib / 10, 580 + identity.seed % 100 * 4, 0, kib / 8, 560 + identity.seed % 60)
                }
                ("tmpfs", "/dev/shm") => (kib / 2, 0, 0, kib / 8, 1),
                ("tmpfs", "/run/lock") => (5120, 0, 0, kib / 8, 3),
                ("tmpfs", _) => (kib / 10, 0, 0, kib / 40, 22),
                _ => (0, 0, 0, 0, 0),
            };
            FileSystem { source, kind, total, used, reserved, inodes, inodes_used, target }
        })
        .collect()
}

/// The one that holds a path.
pub(super) fn holding<'a>(call: &Call<'_>, all: &'a [FileSystem], path: &str) -> Option<&'a FileSystem> {
    let path = call.files().real_path(path).unwrap_or_else(|_| path.to_owned());
    all.iter()
        .filter(|one| {
            one.target == "/"
                || path.strip_prefix(one.target).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
        .max_by_key(|one| one.target.len())
}

/// Where the file system of an operand is mounted.
pub(in crate::shell::commands) fn mounted_on(call: &Call<'_>, operand: &str) -> String {
    holding(call, &all(call), &call.path(operand)).map_or("/", |one| one.target).to_owned()
}

/// What `stat -f` tells, in blocks of 4 KiB.
pub(in crate::shell::commands) struct Facts {
    pub(in crate::shell::commands) kind: &'static str,
    pub(in crate::shell::commands) magic: &'static str,
    pub(in crate::shell::commands) id: String,
    pub(in crate::shell::commands) blocks: u64,
    pub(in crate::shell::commands) free: u64,
    pub(in crate::shell::commands) available: u64,
    pub(in crate::shell::commands) inodes: u64,
    pub(in crate::shell::commands) free_inodes: u64,
}

pub(in crate::shell::commands) fn facts(call: &Call<'_>, path: &str) -> Facts {
    let all = all(call);
    let Some(found) = holding(call, &all, path) else {
        return Facts {
            kind: "UNKNOWN",
            magic: "0",
            id: "0".to_owned(),
            blocks: 0,
            free: 0,
            available: 0,
            inodes: 0,
            free_inodes: 0,
        };
    };
    let (kind, magic) = match found.kind {
        "ext4" => ("ext2/ext3", "ef53"),
        "tmpfs" | "devtmpfs" => ("tmpfs", "1021994"),
        "proc" => ("proc", "9fa0"),
        "sysfs" => ("sysfs", "62656572"),
        "cgroup2" => ("cgroup2fs", "63677270"),
        "devpts" => ("devpts", "1cd1"),
        other => (other, "0"),
    };
    let free = found.total.saturating_sub(found.used);
    Facts {
        kind,
        magic,
        id: format!("{:x}", call.identity().seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        blocks: found.total / 4,
        free: free / 4,
        available: free.saturating_sub(found.reserved) / 4,
        inodes: found.inodes,
        free_inodes: found.inodes.saturating_sub(found.inodes_used),
    }
}
