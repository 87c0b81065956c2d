//! `mount` and `umount` of util-linux 2.38: what they change is in `/proc/mounts`, `df` and `findmnt` from then on. What a
//! directory held before it had something mounted on it stays in sight.

use super::{Call, Said, call::Options, disks, getopt};
use crate::machine::{
    Kind,
    mounts::{Change, Mount, escaped},
};

/// Second line of whatever the kernel refused.
const SEE: &str = "       dmesg(1) may have more information after failed mount system call.\n";
/// File systems that need no device.
const NO_DEVICE: [&str; 20] = [
    "autofs",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "cpuset",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "overlay",
    "proc",
    "pstore",
    "ramfs",
    "securityfs",
    "sysfs",
    "tmpfs",
];
/// Those that want one.
const ON_DEVICE: [&str; 6] = ["auto", "ext2", "ext3", "ext4", "iso9660", "vfat"];
/// What is in use for as long as the machine runs.
const BUSY: [&str; 6] = ["/", "/dev", "/dev/pts", "/proc", "/run", "/sys"];

fn refused(place: &str, why: &str) -> Said {
    Said::err(format!("mount: {place}: {why}.\n{SEE}"), 32)
}

pub(super) fn mount(call: &Call<'_>) -> Said {
    let options = call.options("otLUTN");
    if let Some(letter) = ['o', 't', 'L', 'U'].into_iter().find(|letter| {
        call.args
            .last()
            .is_some_and(|last| last.starts_with('-') && !last.starts_with("--") && last.ends_with(*letter))
            && options.value(*letter).is_some_and(str::is_empty)
    }) {
        return getopt::misused(call, &format!("option requires an argument -- '{letter}'"), 1);
    }
    let mounts = call.session.contact.visitor.mounts();
    let bind = ["bind", "rbind", "move"].iter().any(|long| options.has_long(long))
        || options.has('B')
        || options.has('R')
        || options.has('M');
    let words: Vec<&str> =
        options.value('o').unwrap_or_default().split(',').filter(|word| !word.is_empty()).collect();
    let remounts = words.contains(&"remount");
    let bind = bind || words.iter().any(|word| matches!(*word, "bind" | "rbind"));
    match &options.operands[..] {
        [] if options.has('a') || options.has_long("all") => Said::nothing(0),
        [] if !words.is_empty() => getopt::misused(call, "bad usage", 1),
        [] => list(&mounts, options.value('t')),
        [one] if remounts => remount(call, &mounts, one, &words),
        [_, place] if remounts => remount(call, &mounts, place, &words),
        [one] => single(call, &mounts, one),
        [source, place] => work(call, &options, &mounts, source, place, bind, &words),
        _ => getopt::misused(call, "bad usage", 1),
    }
}

fn list(mounts: &[Mount], kinds: Option<&str>) -> Said {
    let fits = |mount: &&Mount| match kinds {
        None => true,
        Some(kinds) => match kinds.strip_prefix("no") {
            Some(kinds) => !kinds.split(',').any(|kind| kind == mount.kind),
            None => kinds.split(',').any(|kind| kind == mount.kind),
        },
    };
    let row = |mount: &Mount| {
        let Mount { source, target, kind, options } = mount;
        format!("{source} on {} type {kind} ({options})\n", target.replace("\\040", " "))
    };
    Said::out(mounts.iter().filter(fits).map(row).collect::<String>())
}

/// Only a device or a place: the rest would stand in `/etc/fstab`.
fn single(call: &Call<'_>, mounts: &[Mount], word: &str) -> Said {
    let path = call.path(word);
    let table = call.files().read("/etc/fstab").unwrap_or_default();
    let table = String::from_utf8_lossy(&table).into_owned();
    let known = table.lines().filter(|line| !line.starts_with('#')).any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some(word) || words.next() == Some(path.as_str())
    });
    if !known {
        return Said::err(format!("mount: {word}: can't find in /etc/fstab.\n"), 1);
    }
    if !call.is_root() {
        return refused(word, "must be superuser to use mount");
    }
    match mounts.iter().rev().find(|mount| mount.target == path || mount.source == word) {
        Some(mount) => {
            refused(&mount.target, &format!("{} already mounted on {}", mount.source, mount.target))
        }
        None => Said::nothing(0),
    }
}

fn remount(call: &Call<'_>, mounts: &[Mount], place: &str, words: &[&str]) -> Said {
    let path = escaped(&call.path(place));
    if !call.is_root() {
        return refused(place, "must be superuser to use mount");
    }
    let found = mounts.iter().rev().find(|mount| mount.target == path || mount.source == place);
    let Some(found) = found else { return refused(place, "mount point not mounted or bad option") };
    let mut options: Vec<String> = found.options.split(',').map(str::to_owned).collect();
    for word in words.iter().filter(|word| !matches!(**word, "remount" | "bind" | "defaults")) {
        set(&mut options, word);
    }
    let new = options.join(",");
    if new != found.options {
        let visitor = &call.session.contact.visitor;
        visitor.change_mounts(Change::Off(found.target.clone()));
        visitor.change_mounts(Change::On(Mount { options: new, ..found.clone() }));
    }
    Said::nothing(0)
}

/// Sets an option as the kernel shows it.
fn set(options: &mut Vec<String>, word: &str) {
    let opposite = match word {
        "rw" => "ro".to_owned(),
        "ro" => "rw".to_owned(),
        "noatime" | "strictatime" => "relatime".to_owned(),
        "relatime" => "noatime".to_owned(),
        "exec" | "dev" | "suid" | "diratime" => format!("no{word}"),
        _ => String::new(),
    };
    options.retain(|option| *option != opposite);
    match word {
        "exec" | "dev" | "suid" | "diratime" | "strictatime" | "async" | "auto" | "noauto" | "user"
        | "nouser" | "loop" => {}
        "rw" | "ro" => {
            options.retain(|option| option != word);
            options.insert(0, word.to_owned());
        }
        "noexec" | "nosuid" | "nodev" => {
            if !options.iter().any(|option| option == word) {
                options.insert(1.min(options.len()), word.to_owned());
            }
        }
        word => {
            let key = word.split('=').next().unwrap_or_default();
            options.retain(|option| option.split('=').next() != Some(key));
            options.push(shown(word));
        }
    }
}

/// `size=10m` as the kernel repeats it.
fn shown(word: &str) -> String {
    let size = word.strip_prefix("size=").and_then(|size| disks::size_in_kib(size, 0));
    size.map_or_else(|| escaped(word), |kib| format!("size={kib}k"))
}

fn work(
    call: &Call<'_>,
    options: &Options,
    mounts: &[Mount],
    source: &str,
    place: &str,
    bind: bool,
    words: &[&str],
) -> Said {
    if !call.is_root() {
        return refused(place, "must be superuser to use mount");
    }
    let path = call.path(place);
    if !call.files().exists(&path) {
        return refused(place, "mount point does not exist");
    }
    let path = call.files().real_path(&path).unwrap_or(path);
    let kind = options.value('t').unwrap_or("auto");
    let from = call.path(source);
    let node = call.files().stat(&from);
    let (shown_source, kind, mut set_options) = if bind {
        if node.is_err() {
            return refused(place, &format!("special device {source} does not exist"));
        }
        let holder = disks::mounted_on(call, source);
        let Some(own) = mounts.iter().rev().find(|mount| mount.target == holder) else {
            return refused(
                place,
                "wrong fs type, bad option, bad superblock on {source}, missing codepage or helper program, or other error",
            );
        };
        (own.source.clone(), own.kind.clone(), own.options.clone())
    } else if NO_DEVICE.contains(&kind) {
        let more = if kind == "tmpfs" { ",inode64" } else { "" };
        (escaped(source), kind.to_owned(), format!("rw,relatime{more}"))
    } else if !ON_DEVICE.contains(&kind) {
        return refused(place, &format!("unknown filesystem type '{kind}'"));
    } else {
        match node {
            Err(_) => return refused(place, &format!("special device {source} does not exist")),
            Ok(node) if node.kind != Kind::BlockDevice => {
                return refused(place, &format!("{source} is not a block device"));
            }
            Ok(_) => {}
        }
        let root = mounts.iter().find(|mount| mount.target == "/");
        match root.filter(|root| root.source == from) {
            Some(root) => (root.source.clone(), root.kind.clone(), root.options.clone()),
            None => {
                return refused(
                    place,
                    &format!(
                        "wrong fs type, bad option, bad superblock on {source}, missing codepage or helper program, or other error"
                    ),
                );
            }
        }
    };
    let mut list: Vec<String> = set_options.split(',').map(str::to_owned).collect();
    if options.has('r') {
        set(&mut list, "ro");
    }
    if !bind {
        for word in words.iter().filter(|word| !matches!(**word, "defaults" | "bind" | "rbind")) {
            set(&mut list, word);
        }
    }
    set_options = list.join(",");
    let target = escaped(&path);
    let told = format!("mount: {source} mounted on {path}.\n");
    let new = Mount { source: shown_source, target, kind, options: set_options };
    call.session.contact.visitor.change_mounts(Change::On(new));
    if options.has('v') { Said::out(told) } else { Said::nothing(0) }
}

pub(super) fn umount(call: &Call<'_>) -> Said {
    let options = call.options("tO");
    if options.operands.is_empty() {
        if options.has('a') {
            return Said::nothing(0);
        }
        return getopt::misused(call, "bad usage", 1);
    }
    let mut said = Said::default();
    for operand in &options.operands {
        let path = call.path(operand);
        let target = escaped(&call.files().real_path(&path).unwrap_or_else(|_| path.clone()));
        let mounts = call.session.contact.visitor.mounts();
        let found = mounts.iter().rev().find(|mount| mount.target == target || mount.source == *operand);
        let (why, status) = match found {
            None if !call.files().exists(&path) && !call.is_root() => ("No such file or directory", 1),
            None if !call.files().exists(&path) => ("no mount point specified.", 32),
            None => ("not mounted.", if call.is_root() { 32 } else { 1 }),
            Some(_) if !call.is_root() => ("must be superuser to unmount.", 32),
            Some(mount)
                if BUSY.contains(&mount.target.as_str())
                    && !options.has('l')
                    && !options.has_long("lazy") =>
            {
                ("target is busy.", 32)
            }
            Some(mount) => {
                call.session.contact.visitor.change_mounts(Change::Off(mount.target.clone()));
                if options.has('v') {
                    said.out.extend(format!("umount: {} unmounted\n", mount.target).bytes());
                }
                continue;
            }
        };
        said.err.extend(format!("umount: {operand}: {why}\n").bytes());
        said.status = status;
    }
    said
}

#[cfg(test)]
mod tests {
    use crate::shell::tests::{said, shell};

    #[tokio::test]
    async fn what_is_mounted_is_there_until_it_is_not() {
        let mut shell = shell("root");
        for (line, wanted) in [
            (
                "mount -t tmpfs -o size=10m,noexec none /mnt; grep /mnt /proc/mounts",
                "none /mnt tmpfs rw,noexec,relatime,inode64,size=10240k 0 0\n",
            ),
            ("df -h /mnt | tail -1", "none             10M     0   10M   0% /mnt\n"),
            ("findmnt -n -o SOURCE,FSTYPE /mnt; mountpoint /mnt", "none tmpfs\n/mnt is a mountpoint\n"),
            (
                "mount -o remount,ro,exec /mnt; mount | grep /mnt",
                "none on /mnt type tmpfs (ro,relatime,inode64,size=10240k)\n",
            ),
            ("umount /mnt; umount /mnt; echo $?", "umount: /mnt: not mounted.\n32\n"),
            (
                "mount -t foo none /mnt; echo $?",
                "mount: /mnt: unknown filesystem type 'foo'.\n       dmesg(1) may have more information after failed mount system call.\n32\n",
            ),
            ("mount --bind /tmp /mnt; grep -c ' /mnt ext4 ' /proc/self/mounts; umount /mnt", "1\n"),
            ("mount -o remount,rw / && mount -o remount / && echo ok", "ok\n"),
            (
                "umount /; umount /nosuch",
                "umount: /: target is busy.\numount: /nosuch: no mount point specified.\n",
            ),
        ] {
            assert_eq!(said(&mut shell, line).await.0, wanted, "{line}");
        }
    }
}
