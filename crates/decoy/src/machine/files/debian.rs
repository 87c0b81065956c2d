//! What a machine adds to the files of its image: devices, its own settings, its people's homes, logs.

use std::time::SystemTime;

use super::{
    etc, logs,
    tree::{Content, Node, Tree, Writer},
};
use crate::machine::{Identity, Image, guests};

/// Directories that are made at boot: path, mode, group.
const BOOTED: &[(&str, u32, &str)] = &[
    ("/dev", 0o755, "root"),
    ("/dev/block", 0o755, "root"),
    ("/dev/char", 0o755, "root"),
    ("/dev/disk/by-id", 0o755, "root"),
    ("/dev/disk/by-path", 0o755, "root"),
    ("/dev/disk/by-uuid", 0o755, "root"),
    ("/dev/hugepages", 0o755, "root"),
    ("/dev/input", 0o755, "root"),
    ("/dev/mapper", 0o755, "root"),
    ("/dev/mqueue", 0o1777, "root"),
    ("/dev/net", 0o755, "root"),
    ("/dev/pts", 0o755, "root"),
    ("/dev/shm", 0o1777, "root"),
    ("/run", 0o755, "root"),
    ("/run/dbus", 0o755, "root"),
    ("/run/initramfs", 0o755, "root"),
    ("/run/lock", 0o1777, "root"),
    ("/run/log", 0o755, "root"),
    ("/run/mount", 0o755, "root"),
    ("/run/network", 0o755, "root"),
    ("/run/sendsigs.omit.d", 0o755, "root"),
    ("/run/shm", 0o755, "root"),
    ("/run/sshd", 0o755, "root"),
    ("/run/sudo", 0o711, "root"),
    ("/run/systemd", 0o755, "root"),
    ("/run/systemd/journal", 0o755, "root"),
    ("/run/udev", 0o755, "root"),
    ("/run/user/0", 0o700, "root"),
    ("/run/vsftpd/empty", 0o755, "root"),
    ("/tmp", 0o1777, "root"),
    ("/tmp/.ICE-unix", 0o1777, "root"),
    ("/tmp/.X11-unix", 0o1777, "root"),
    ("/tmp/.XIM-unix", 0o1777, "root"),
    ("/tmp/.font-unix", 0o1777, "root"),
];

/// Directories that a server has whatever its image says: path, mode, group.
const NEEDED: &[(&str, u32, &str)] = &[
    ("/etc/ssh", 0o755, "root"),
    ("/home", 0o755, "root"),
    ("/lost+found", 0o700, "root"),
    ("/media", 0o755, "root"),
    ("/mnt", 0o755, "root"),
    ("/opt", 0o755, "root"),
    ("/root", 0o700, "root"),
    ("/root/.ssh", 0o700, "root"),
    ("/srv/ftp", 0o755, "root"),
    ("/usr/bin", 0o755, "root"),
    ("/usr/local/bin", 0o755, "root"),
    ("/usr/sbin", 0o755, "root"),
    ("/var/cache/man", 0o755, "root"),
    ("/var/lib/misc", 0o755, "root"),
    ("/var/log", 0o755, "root"),
    ("/var/log/apt", 0o755, "root"),
    ("/var/log/nginx", 0o755, "adm"),
    ("/var/log/journal", 0o2755, "systemd-journal"),
    ("/var/log/private", 0o700, "root"),
    ("/var/mail", 0o2775, "mail"),
    ("/var/spool/cron/crontabs", 0o1730, "crontab"),
    ("/var/spool/rsyslog", 0o700, "adm"),
    ("/var/tmp", 0o1777, "root"),
    ("/var/www/html", 0o755, "root"),
];

/// Links of a running system: path, target.
const LINKS: &[(&str, &str)] = &[
    ("/dev/core", "/proc/kcore"),
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/initctl", "/run/initctl"),
    ("/dev/log", "/run/systemd/journal/dev-log"),
    ("/dev/rtc", "rtc0"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/etc/mtab", "../proc/self/mounts"),
];

/// Character devices: path, major, minor, mode, group (Linux allocated devices; Debian's udev rules).
const DEVICES: &[(&str, u32, u32, u32, &str)] = &[
    ("/dev/autofs", 10, 235, 0o600, "root"),
    ("/dev/btrfs-control", 10, 234, 0o660, "disk"),
    ("/dev/console", 5, 1, 0o600, "tty"),
    ("/dev/cpu_dma_latency", 10, 124, 0o600, "root"),
    ("/dev/full", 1, 7, 0o666, "root"),
    ("/dev/fuse", 10, 229, 0o666, "root"),
    ("/dev/hpet", 10, 228, 0o600, "root"),
    ("/dev/hwrng", 10, 183, 0o600, "root"),
    ("/dev/input/event0", 13, 64, 0o660, "input"),
    ("/dev/input/mice", 13, 63, 0o660, "input"),
    ("/dev/kmsg", 1, 11, 0o644, "root"),
    ("/dev/loop-control", 10, 237, 0o660, "disk"),
    ("/dev/mapper/control", 10, 236, 0o600, "root"),
    ("/dev/mem", 1, 1, 0o640, "kmem"),
    ("/dev/net/tun", 10, 200, 0o666, "root"),
    ("/dev/null", 1, 3, 0o666, "root"),
    ("/dev/nvram", 10, 144, 0o660, "kmem"),
    ("/dev/port", 1, 4, 0o640, "kmem"),
    ("/dev/ppp", 108, 0, 0o600, "root"),
    ("/dev/psaux", 10, 1, 0o660, "root"),
    ("/dev/ptmx", 5, 2, 0o666, "tty"),
    ("/dev/pts/0", 136, 0, 0o620, "tty"),
    ("/dev/pts/ptmx", 5, 2, 0, "root"),
    ("/dev/random", 1, 8, 0o666, "root"),
    ("/dev/rtc0", 251, 0, 0o600, "root"),
    ("/dev/snapshot", 10, 231, 0o660, "root"),
    ("/dev/tty", 5, 0, 0o666, "tty"),
    ("/dev/ttyS0", 4, 64, 0o660, "dialout"),
    ("/dev/ttyS1", 4, 65, 0o660, "dialout"),
    ("/dev/ttyS2", 4, 66, 0o660, "dialout"),
    ("/dev/ttyS3", 4, 67, 0o660, "dialout"),
    ("/dev/uhid", 10, 239, 0o600, "root"),
    ("/dev/uinput", 10, 223, 0o600, "root"),
    ("/dev/urandom", 1, 9, 0o666, "root"),
    ("/dev/userfaultfd", 10, 126, 0o600, "root"),
    ("/dev/vcs", 7, 0, 0o660, "tty"),
    ("/dev/vcs1", 7, 1, 0o660, "tty"),
    ("/dev/vcsa", 7, 128, 0o660, "tty"),
    ("/dev/vcsa1", 7, 129, 0o660, "tty"),
    ("/dev/vga_arbiter", 10, 63, 0o600, "root"),
    ("/dev/vhost-net", 10, 238, 0o600, "root"),
    ("/dev/watchdog", 10, 130, 0o600, "root"),
    ("/dev/zero", 1, 5, 0o666, "root"),
];

/// Names of all programs in `/usr/bin` and `/usr/sbin` of the shipped image.
pub(crate) fn program_names() -> impl Iterator<Item = &'static str> {
    let image = Image::debian_12();
    let folders = ["/usr/bin", "/usr/sbin"].into_iter().filter_map(|path| image.find(path));
    folders.flat_map(|folder| image.children(folder).map(|(name, _)| name))
}

/// Adds what this machine has to the tree of its image.
pub(super) fn add(tree: &mut Tree, now: SystemTime) {
    let identity = tree.identity.clone();
    let (installed, booted) = (identity.installed, identity.boot_time);
    for (path, mode, group) in NEEDED {
        let node = Node::new(Content::empty_dir(), 0, identity.group_id(group), *mode, installed);
        tree.put_missing(path, node);
    }
    for (path, mode, group) in BOOTED {
        tree.put(path, Node::new(Content::empty_dir(), 0, identity.group_id(group), *mode, booted));
    }
    for (path, target) in LINKS {
        tree.put(path, Node::new(Content::Link((*target).into()), 0, 0, 0o777, booted));
    }
    for (number, name) in identity.programs.iter().enumerate() {
        let content = Content::Blank(18_000_000 + number as u32 * 1_234_577);
        tree.put_missing(&format!("/usr/bin/{name}"), Node::new(content, 0, 0, 0o755, installed));
    }
    for path in &identity.directories {
        tree.put_missing(path, Node::new(Content::empty_dir(), 0, 0, 0o755, installed));
    }
    for (number, name) in identity.piped_mail.iter().enumerate() {
        let content = Content::Blank(26_000 + number as u32 * 4_096);
        tree.put_missing(&format!("/usr/local/bin/{name}"), Node::new(content, 0, 0, 0o755, installed));
    }
    devices(tree, &identity, booted);
    for path in [
        "/run/systemd/journal/dev-log",
        "/run/systemd/journal/stdout",
        "/run/systemd/journal/socket",
        "/run/systemd/notify",
        "/run/systemd/private",
        "/run/dbus/system_bus_socket",
    ] {
        tree.put(path, Node::new(Content::Socket, 0, 0, 0o666, booted));
    }
    settings(tree, &identity);
    boot(tree, &identity);
    records(tree, &identity, now);
    homes(tree, &identity);
}

fn devices(tree: &mut Tree, identity: &Identity, booted: SystemTime) {
    for (path, major, minor, mode, group) in DEVICES {
        let node = Node::new(Content::Char(*major, *minor), 0, identity.group_id(group), *mode, booted);
        tree.put(path, node);
    }
    let tty = identity.group_id("tty");
    for number in 0..64 {
        let mode = if number == 0 || number > 6 { 0o620 } else { 0o600 };
        let path = format!("/dev/tty{number}");
        tree.put(&path, Node::new(Content::Char(4, number), 0, tty, mode, booted));
    }
    let disk = identity.disk.trim_end_matches(char::is_numeric);
    let major = if disk == "vda" { 254 } else { 8 };
    let mut names = vec![(disk.to_owned(), 0), (identity.disk.to_owned(), 1)];
    if identity.swap_bytes > 0 {
        names.extend([(format!("{disk}2"), 2), (format!("{disk}5"), 5)]);
        let swap = Content::Link(format!("../../{disk}5").into());
        tree.put(&format!("/dev/disk/by-uuid/{}", identity.swap_uuid), Node::new(swap, 0, 0, 0o777, booted));
    }
    for (name, minor) in names {
        let node = Node::new(Content::Block(major, minor), 0, identity.group_id("disk"), 0o660, booted);
        tree.put(&format!("/dev/{name}"), node);
    }
    let disc = Node::new(Content::Block(11, 0), 0, identity.group_id("cdrom"), 0o660, booted);
    tree.put("/dev/sr0", disc);
    tree.put("/dev/cdrom", Node::new(Content::Link("sr0".into()), 0, 0, 0o777, booted));
    let root = Content::Link(format!("../../{}", identity.disk).into());
    tree.put(&format!("/dev/disk/by-uuid/{}", identity.disk_uuid), Node::new(root, 0, 0, 0o777, booted));
    for number in 0..8 {
        let node = Node::new(Content::Block(7, number), 0, identity.group_id("disk"), 0o660, booted);
        tree.put(&format!("/dev/loop{number}"), node);
    }
}

/// Settings that name this machine or follow from it; what else an image lacks is left missing.
fn settings(tree: &mut Tree, identity: &Identity) {
    let line = |text: &str| format!("{text}\n");
    let shadow = identity.group_id("shadow");
    let image = std::sync::Arc::clone(&tree.image);
    let of_image = |path: &str| image.text(path).unwrap_or_default();
    let etc: Vec<(&str, String, u32, u32)> = vec![
        ("passwd", etc::passwd(identity), 0o644, 0),
        ("passwd-", etc::passwd(identity), 0o644, 0),
        ("shadow", etc::shadow(identity), 0o640, shadow),
        ("shadow-", etc::shadow(identity), 0o640, shadow),
        ("group", etc::group(identity), 0o644, 0),
        ("group-", etc::group(identity), 0o644, 0),
        ("gshadow", etc::gshadow(identity), 0o640, shadow),
        ("gshadow-", etc::gshadow(identity), 0o640, shadow),
        ("subuid", etc::subordinates(identity), 0o644, 0),
        ("subgid", etc::subordinates(identity), 0o644, 0),
        ("hostname", line(&identity.hostname), 0o644, 0),
        ("hosts", etc::hosts(identity), 0o644, 0),
        ("mailname", line(&identity.mail_domain), 0o644, 0),
        ("machine-id", line(&identity.machine_id), 0o444, 0),
        ("resolv.conf", etc::resolv_conf(identity), 0o644, 0),
        ("fstab", etc::fstab(identity), 0o644, 0),
        ("network/interfaces", etc::interfaces(identity), 0o644, 0),
        // As administrators of servers with keys write it: `sudo` asks nobody for a password.
        ("sudoers.d/administrators", "%sudo ALL=(ALL) NOPASSWD: ALL\n".into(), 0o440, 0),
        ("default/locale", "LANG=C.UTF-8\n".into(), 0o644, 0),
        ("adjtime", "0.0 0 0.0\n0\nUTC\n".into(), 0o644, 0),
    ];
    let mut add = |path: &str, text: String, mode: u32, gid: u32| {
        tree.put(path, Node::new(Content::Text(text.into()), 0, gid, mode, identity.installed));
    };
    for (name, text, mode, gid) in etc {
        add(&format!("/etc/{name}"), text, mode, gid);
    }
    // Programs that serve are set up: what their packages bring, with what an administrator changed.
    if image.find("/usr/sbin/vsftpd").is_some() {
        add("/etc/vsftpd.conf", etc::vsftpd(&of_image("/etc/vsftpd.conf")), 0o644, 0);
    }
    if image.find("/usr/sbin/postfix").is_some() {
        add("/etc/postfix/main.cf", etc::postfix_main(identity), 0o644, 0);
        add("/etc/postfix/main.cf.proto", of_image("/usr/share/postfix/main.cf.debian"), 0o644, 0);
        add("/etc/postfix/master.cf", of_image("/usr/share/postfix/master.cf.dist"), 0o644, 0);
        add("/etc/aliases", etc::aliases(identity), 0o644, 0);
    }
    if image.find("/usr/sbin/telnetd").is_some() {
        add("/etc/inetd.conf", etc::inetd(&of_image("/etc/inetd.conf")), 0o644, 0);
    }
    if image.find("/usr/bin/apt").is_some() {
        add("/etc/apt/sources.list", etc::SOURCES.into(), 0o644, 0);
    }
    for key in &identity.host_keys {
        let (public, private) = (etc::public_key(identity, key), etc::private_key(identity, key));
        add(&format!("/etc/ssh/ssh_host_{}_key.pub", key.kind), public, 0o644, 0);
        add(&format!("/etc/ssh/ssh_host_{}_key", key.kind), private, 0o600, 0);
    }
    if !identity.certificate.is_empty() {
        add("/etc/ssl/certs/ssl-cert-snakeoil.pem", identity.certificate.clone(), 0o644, 0);
    }
}

/// `/boot` and the modules of an image without a kernel, as one made from a container is.
fn boot(tree: &mut Tree, identity: &Identity) {
    let (at, release) = (identity.installed, &identity.kernel_release);
    for (name, size) in
        [("vmlinuz", 8_221_344), ("initrd.img", 38_220_112), ("System.map", 83), ("config", 259_521)]
    {
        let path = format!("/boot/{name}-{release}");
        tree.put_missing(&path, Node::new(Content::Blank(size), 0, 0, 0o644, at));
        if name == "vmlinuz" || name == "initrd.img" {
            let target = format!("boot/{name}-{release}");
            tree.put(&format!("/{name}"), Node::new(Content::Link(target.into()), 0, 0, 0o777, at));
        }
    }
    let modules = if tree.image.find("/usr/lib").is_some() { "/usr/lib/modules" } else { "/lib/modules" };
    tree.put_missing(&format!("{modules}/{release}"), Node::new(Content::empty_dir(), 0, 0, 0o755, at));
}

fn records(tree: &mut Tree, identity: &Identity, now: SystemTime) {
    let dpkg = logs::dpkg(identity, &tree.image);
    let (adm, utmp) = (identity.group_id("adm"), identity.group_id("utmp"));
    let mut add = |path: &str, bytes: Vec<u8>, mode: u32, gid: u32, at: SystemTime| {
        tree.put(path, Node::new(Content::Text(bytes.into()), 0, gid, mode, at));
    };
    let at = identity.installed;
    add("/var/log/faillog", Vec::new(), 0o644, 0, at);
    for (name, mode, gid) in [
        ("vsftpd.log", 0o600, 0),
        ("kern.log", 0o640, adm),
        ("user.log", 0o640, adm),
        ("nginx/error.log", 0o640, adm),
        ("alternatives.log", 0o644, 0),
    ] {
        add(&format!("/var/log/{name}"), Vec::new(), mode, gid, now);
    }
    add("/var/log/dpkg.log", dpkg.into(), 0o644, 0, identity.boot_time);
    // Records that show the visitor to themselves.
    let own: [(&str, super::tree::Own, u32, u32); 10] = [
        ("/run/utmp", guests::utmp, 0o664, utmp),
        ("/var/log/wtmp", guests::wtmp, 0o664, utmp),
        ("/var/log/btmp", |_| Vec::new(), 0o660, utmp),
        ("/var/log/lastlog", guests::lastlog, 0o664, utmp),
        ("/var/log/auth.log", logs::auth, 0o640, adm),
        ("/var/log/cron.log", logs::cron, 0o640, adm),
        ("/var/log/mail.log", logs::mail, 0o640, adm),
        ("/var/log/syslog", logs::syslog, 0o640, adm),
        ("/var/log/nginx/access.log", logs::access, 0o640, adm),
        ("/var/log/nginx/access.log.1", logs::access_before, 0o640, adm),
    ];
    for (path, text, mode, gid) in own {
        tree.put(path, Node::new(Content::Made(Writer::Own(text)), 0, gid, mode, now));
    }
}

fn homes(tree: &mut Tree, identity: &Identity) {
    let image = std::sync::Arc::clone(&tree.image);
    let skeleton = [".bashrc", ".profile", ".bash_logout"]
        .map(|name| (name, image.find(&format!("/etc/skel/{name}")).map(Content::Image)));
    for user in identity.users.iter().filter(|user| identity.account(&user.name).is_some() && user.uid != 0) {
        let (uid, gid) = (user.uid, user.gid);
        let mode = if user.uid >= 1000 { 0o700 } else { 0o755 };
        tree.put(&user.home, Node::new(Content::empty_dir(), uid, gid, mode, identity.installed));
        if user.uid >= 1000 {
            for (name, content) in &skeleton {
                if let Some(content) = content {
                    let node = Node::new(content.clone(), uid, gid, 0o644, identity.installed);
                    tree.put(&format!("{}/{name}", user.home), node);
                }
            }
        }
    }
}
