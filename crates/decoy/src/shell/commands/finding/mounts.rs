//! Where another file system begins.

/// Each one's place and type.
const MOUNTS: [(&str, &str); 10] = [
    ("/proc", "proc"),
    ("/sys", "sysfs"),
    ("/sys/fs/cgroup", "cgroup2"),
    ("/sys/kernel/security", "securityfs"),
    ("/dev", "devtmpfs"),
    ("/dev/pts", "devpts"),
    ("/dev/shm", "tmpfs"),
    ("/dev/mqueue", "mqueue"),
    ("/run", "tmpfs"),
    ("/run/lock", "tmpfs"),
];

/// The type of the file system that a path is on.
pub(super) fn kind(path: &str) -> &'static str {
    place(path).map_or("ext4", |(_, kind)| kind)
}

/// Which of them a path is on: 0 is the disk.
pub(super) fn number(path: &str) -> usize {
    place(path).and_then(|found| MOUNTS.iter().position(|mount| *mount == found)).map_or(0, |at| at + 1)
}

fn place(path: &str) -> Option<(&'static str, &'static str)> {
    let is_on =
        |mount: &str| path.strip_prefix(mount).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    MOUNTS.into_iter().filter(|(mount, _)| is_on(mount)).max_by_key(|(mount, _)| mount.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_counts() {
        assert_eq!(kind("/etc/hosts"), "ext4");
        assert_eq!(kind("/proc/1"), "proc");
        assert_eq!(kind("/dev/shm"), "tmpfs");
        assert_eq!(kind("/developer"), "ext4");
        assert_ne!(number("/dev"), number("/dev/pts/0"));
    }
}
