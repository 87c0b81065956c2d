//! What is mounted: how large it is, how full, and what `stat -f` tells of it.

use super::super::Call;
use crate::machine::mounts::Mount;

/// One mounted file system; sizes in KiB.
pub(in crate::shell::commands) struct FileSystem {
    pub(super) source: String,
    pub(in crate::shell::commands) kind: String,
    pub(super) total: u64,
    pub(super) used: u64,
    pub(super) reserved: u64,
    pub(super) inodes: u64,
    pub(super) inodes_used: u64,
    pub(super) target: String,
}

pub(super) fn all(call: &Call<'_>) -> Vec<FileSystem> {
    let identity = call.identity();
    let kib = identity.memory_bytes / 1024;
    let total = identity.disk_bytes / 1024;
    let (layer_bytes, layer_files) = call.files().layer_size();
    let used = total * u64::from(identity.disk_used_permille) / 1000 + layer_bytes as u64 / 1024;
    // Of two on one place the latter hides the former.
    let mounts = call.session.contact.visitor.mounts();
    let is_seen =
        |at: usize, mount: &Mount| mounts.iter().skip(at + 1).all(|later| later.target != mount.target);
    mounts
        .iter()
        .enumerate()
        .filter(|(at, mount)| is_seen(*at, mount))
        .map(|(_, Mount { source, target, kind, options })| {
            let given = options.split(',').find_map(|option| option.strip_prefix("size="));
            let given = given.and_then(|size| size_in_kib(size, kib));
            let (total, used, reserved, inodes, inodes_used) = match (kind.as_str(), target.as_str()) {
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
                ("tmpfs", path) if path.starts_with("/run/user/") => (kib / 10, 0, 0, kib / 40, 22),
                ("tmpfs", _) => (given.unwrap_or(kib / 2), 0, 0, kib / 8, 1),
                _ => (0, 0, 0, 0, 0),
            };
            let (source, kind, target) = (source.clone(), kind.clone(), target.replace("\\040", " "));
            FileSystem { source, kind, total, used, reserved, inodes, inodes_used, target }
        })
        .collect()
}

/// `size=` of a tmpfs in KiB: bytes, `k`, `m`, `g`, or a share of the memory (tmpfs(5)).
pub(in crate::shell::commands) fn size_in_kib(text: &str, memory: u64) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number: u64 = digits.parse().ok()?;
    match text.get(digits.len()..)? {
        "" => Some(number / 1024),
        "k" | "K" => Some(number),
        "m" | "M" => number.checked_mul(1024),
        "g" | "G" => number.checked_mul(1024 * 1024),
        "%" => Some(memory.saturating_mul(number) / 100),
        _ => None,
    }
}

/// The one that holds a path.
pub(super) fn holding<'a>(call: &Call<'_>, all: &'a [FileSystem], path: &str) -> Option<&'a FileSystem> {
    let path = call.files().real_path(path).unwrap_or_else(|_| path.to_owned());
    all.iter()
        .filter(|one| {
            one.target == "/"
                || path
                    .strip_prefix(one.target.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
        .max_by_key(|one| one.target.len())
}

/// Where the file system of an operand is mounted.
pub(in crate::shell::commands) fn mounted_on(call: &Call<'_>, operand: &str) -> String {
    holding(call, &all(call), &call.path(operand)).map_or_else(|| "/".to_owned(), |one| one.target.clone())
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
    let (kind, magic) = match found.kind.as_str() {
        "ext4" => ("ext2/ext3", "ef53"),
        "tmpfs" | "devtmpfs" => ("tmpfs", "1021994"),
        "proc" => ("proc", "9fa0"),
        "sysfs" => ("sysfs", "62656572"),
        "cgroup2" => ("cgroup2fs", "63677270"),
        "devpts" => ("devpts", "1cd1"),
        "autofs" => ("autofs", "187"),
        "bpf" => ("bpf_fs", "cafe4a11"),
        "debugfs" => ("debugfs", "64626720"),
        "hugetlbfs" => ("hugetlbfs", "958458f6"),
        "mqueue" => ("mqueue", "19800202"),
        "pstore" => ("pstorefs", "6165676c"),
        "ramfs" => ("ramfs", "858458f6"),
        "securityfs" => ("securityfs", "73636673"),
        "tracefs" => ("tracefs", "74726163"),
        _ => ("UNKNOWN", "0"),
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
