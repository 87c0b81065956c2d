//! The tree of a Debian 12 server with SSH, Telnet, FTP, mail and a web server.

use std::time::{Duration, SystemTime};

use super::{
    etc, logs, proc,
    tree::{Content, Listed, Node, Tree},
};
use crate::machine::Identity;

/// Programs and links of `/usr/bin` and `/usr/sbin`: `PATH MODE SIZE [#!INTERPRETER]` or `PATH > TARGET`.
const PROGRAMS: &str = include_str!("image/programs.txt");

/// Directories: path, mode, group.
const DIRS: &[(&str, u32, u32)] = &[
    ("/boot", 0o755, 0),
    ("/boot/grub", 0o755, 0),
    ("/dev", 0o755, 0),
    ("/dev/pts", 0o755, 0),
    ("/dev/shm", 0o1777, 0),
    ("/dev/mqueue", 0o1777, 0),
    ("/etc", 0o755, 0),
    ("/etc/alternatives", 0o755, 0),
    ("/etc/apt/sources.list.d", 0o755, 0),
    ("/etc/cron.d", 0o755, 0),
    ("/etc/cron.daily", 0o755, 0),
    ("/etc/cron.hourly", 0o755, 0),
    ("/etc/cron.monthly", 0o755, 0),
    ("/etc/cron.weekly", 0o755, 0),
    ("/etc/default", 0o755, 0),
    ("/etc/init.d", 0o755, 0),
    ("/etc/ld.so.conf.d", 0o755, 0),
    ("/etc/logrotate.d", 0o755, 0),
    ("/etc/network/interfaces.d", 0o755, 0),
    ("/etc/nginx/conf.d", 0o755, 0),
    ("/etc/nginx/sites-available", 0o755, 0),
    ("/etc/nginx/sites-enabled", 0o755, 0),
    ("/etc/pam.d", 0o755, 0),
    ("/etc/profile.d", 0o755, 0),
    ("/etc/rc0.d", 0o755, 0),
    ("/etc/rc3.d", 0o755, 0),
    ("/etc/rc5.d", 0o755, 0),
    ("/etc/security", 0o755, 0),
    ("/etc/skel", 0o755, 0),
    ("/etc/ssh/sshd_config.d", 0o755, 0),
    ("/etc/ssl/certs", 0o755, 0),
    ("/etc/ssl/private", 0o710, 0),
    ("/etc/sudoers.d", 0o750, 0),
    ("/etc/systemd/system", 0o755, 0),
    ("/home", 0o755, 0),
    ("/lost+found", 0o700, 0),
    ("/media", 0o755, 0),
    ("/mnt", 0o755, 0),
    ("/opt", 0o755, 0),
    ("/root", 0o700, 0),
    ("/run", 0o755, 0),
    ("/run/lock", 0o1777, 0),
    ("/run/sshd", 0o755, 0),
    ("/run/systemd", 0o755, 0),
    ("/run/user/0", 0o700, 0),
    ("/srv", 0o755, 0),
    ("/srv/ftp", 0o755, 0),
    ("/tmp", 0o1777, 0),
    ("/tmp/.ICE-unix", 0o1777, 0),
    ("/tmp/.X11-unix", 0o1777, 0),
    ("/tmp/.XIM-unix", 0o1777, 0),
    ("/tmp/.font-unix", 0o1777, 0),
    ("/usr/games", 0o755, 0),
    ("/usr/include", 0o755, 0),
    ("/usr/lib/systemd/system", 0o755, 0),
    ("/usr/lib/modules", 0o755, 0),
    ("/usr/lib/x86_64-linux-gnu", 0o755, 0),
    ("/usr/lib64", 0o755, 0),
    ("/usr/libexec", 0o755, 0),
    ("/usr/local/bin", 0o755, 0),
    ("/usr/local/etc", 0o755, 0),
    ("/usr/local/games", 0o755, 0),
    ("/usr/local/include", 0o755, 0),
    ("/usr/local/lib", 0o755, 0),
    ("/usr/local/sbin", 0o755, 0),
    ("/usr/local/share", 0o755, 0),
    ("/usr/local/src", 0o755, 0),
    ("/usr/share/doc", 0o755, 0),
    ("/usr/share/man", 0o755, 0),
    ("/usr/share/zoneinfo/Etc", 0o755, 0),
    ("/usr/src", 0o755, 0),
    ("/var/backups", 0o755, 0),
    ("/var/cache/apt/archives", 0o755, 0),
    ("/var/cache/man", 0o755, 0),
    ("/var/lib/apt/lists", 0o755, 0),
    ("/var/lib/dpkg/info", 0o755, 0),
    ("/var/lib/misc", 0o755, 0),
    ("/var/lib/systemd", 0o755, 0),
    ("/var/local", 0o2775, 50),
    ("/var/log", 0o755, 0),
    ("/var/log/apt", 0o755, 0),
    ("/var/log/journal", 0o2755, 999),
    ("/var/log/nginx", 0o755, 4),
    ("/var/log/private", 0o700, 0),
    ("/var/mail", 0o2775, 8),
    ("/var/opt", 0o755, 0),
    ("/var/spool/cron/crontabs", 0o1730, 105),
    ("/var/spool/postfix", 0o755, 0),
    ("/var/spool/rsyslog", 0o755, 0),
    ("/var/tmp", 0o1777, 0),
    ("/var/www/html", 0o755, 0),
];

/// Links: path, target.
const LINKS: &[(&str, &str)] = &[
    ("/bin", "usr/bin"),
    ("/sbin", "usr/sbin"),
    ("/lib", "usr/lib"),
    ("/lib64", "usr/lib64"),
    ("/var/lock", "/run/lock"),
    ("/var/run", "/run"),
    ("/var/spool/mail", "../mail"),
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/log", "/run/systemd/journal/dev-log"),
    ("/etc/localtime", "/usr/share/zoneinfo/Etc/UTC"),
    ("/etc/mtab", "../proc/self/mounts"),
    ("/etc/os-release", "../usr/lib/os-release"),
    ("/etc/rmt", "/usr/sbin/rmt"),
    ("/etc/nginx/sites-enabled/default", "/etc/nginx/sites-available/default"),
    ("/etc/alternatives/awk", "/usr/bin/mawk"),
    ("/etc/alternatives/nawk", "/usr/bin/mawk"),
    ("/etc/alternatives/vi", "/usr/bin/vim.tiny"),
    ("/etc/alternatives/view", "/usr/bin/vim.tiny"),
    ("/etc/alternatives/ex", "/usr/bin/vim.tiny"),
    ("/etc/alternatives/editor", "/bin/nano"),
    ("/etc/alternatives/pico", "/bin/nano"),
    ("/etc/alternatives/pager", "/usr/bin/less"),
    ("/etc/alternatives/which", "/usr/bin/which.debianutils"),
    ("/etc/alternatives/nc", "/bin/nc.openbsd"),
    ("/etc/alternatives/netcat", "/bin/nc.openbsd"),
    ("/etc/alternatives/ftp", "/usr/bin/tnftp"),
    ("/etc/alternatives/telnet", "/usr/bin/inetutils-telnet"),
    ("/etc/alternatives/traceroute", "/usr/bin/traceroute.db"),
    ("/etc/alternatives/iptables", "/usr/sbin/iptables-nft"),
    ("/etc/alternatives/iptables-save", "/usr/sbin/iptables-nft-save"),
    ("/etc/alternatives/iptables-restore", "/usr/sbin/iptables-nft-restore"),
    ("/etc/alternatives/ip6tables", "/usr/sbin/ip6tables-nft"),
    ("/lib/x86_64-linux-gnu/libm.so", "libm.so.6"),
    ("/usr/lib64/ld-linux-x86-64.so.2", "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
    ("/usr/tmp", "../var/tmp"),
];

/// Shared objects and daemons that are not in `PATH`: path, bytes.
const BINARIES: &[(&str, u32)] = &[
    ("/usr/lib/systemd/systemd", 92_632),
    ("/usr/lib/systemd/systemd-journald", 174_424),
    ("/usr/lib/systemd/systemd-logind", 269_184),
    ("/usr/lib/systemd/systemd-timesyncd", 59_944),
    ("/usr/lib/systemd/systemd-udevd", 0),
    ("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", 210_904),
    ("/usr/lib/x86_64-linux-gnu/libc.so.6", 1_922_136),
    ("/usr/lib/x86_64-linux-gnu/libm.so.6", 907_784),
    ("/usr/lib/x86_64-linux-gnu/libpthread.so.0", 14_480),
    ("/usr/lib/x86_64-linux-gnu/libselinux.so.1", 174_312),
    ("/usr/lib/x86_64-linux-gnu/libtinfo.so.6.4", 216_368),
    ("/usr/lib/openssh/sftp-server", 0),
    ("/usr/lib/postfix/sbin/master", 52_048),
    ("/usr/lib/postfix/sbin/smtpd", 179_568),
    ("/usr/lib/postfix/sbin/qmgr", 88_352),
    ("/usr/lib/postfix/sbin/pickup", 27_216),
];

/// Character devices: path, major, minor, mode, group.
const DEVICES: &[(&str, u32, u32, u32, u32)] = &[
    ("/dev/null", 1, 3, 0o666, 0),
    ("/dev/zero", 1, 5, 0o666, 0),
    ("/dev/full", 1, 7, 0o666, 0),
    ("/dev/random", 1, 8, 0o666, 0),
    ("/dev/urandom", 1, 9, 0o666, 0),
    ("/dev/kmsg", 1, 11, 0o644, 0),
    ("/dev/mem", 1, 1, 0o640, 15),
    ("/dev/tty", 5, 0, 0o666, 5),
    ("/dev/console", 5, 1, 0o600, 5),
    ("/dev/ptmx", 5, 2, 0o666, 5),
    ("/dev/tty0", 4, 0, 0o620, 5),
    ("/dev/tty1", 4, 1, 0o620, 5),
    ("/dev/tty2", 4, 2, 0o620, 5),
    ("/dev/tty3", 4, 3, 0o620, 5),
    ("/dev/ttyS0", 4, 64, 0o660, 20),
    ("/dev/ttyS1", 4, 65, 0o660, 20),
    ("/dev/fuse", 10, 229, 0o666, 0),
    ("/dev/hwrng", 10, 183, 0o600, 0),
    ("/dev/watchdog", 10, 130, 0o600, 0),
    ("/dev/pts/0", 136, 0, 0o620, 5),
    ("/dev/pts/ptmx", 5, 2, 0, 0),
];

/// Builds the tree.
pub(super) fn build(identity: &Identity, now: SystemTime) -> Tree {
    let mut tree = Tree::empty(identity);
    let released = SystemTime::UNIX_EPOCH + Duration::from_secs(1_681_862_400);
    let (installed, booted) = (identity.installed, identity.boot_time);
    for (path, mode, gid) in DIRS {
        let at = if path.starts_with("/dev") || path.starts_with("/run") || path.starts_with("/tmp") {
            booted
        } else {
            installed
        };
        tree.put(path, Node::new(Content::empty_dir(), 0, *gid, *mode, at));
    }
    for (path, target) in LINKS {
        let path = path.replacen("/lib/", "/usr/lib/", usize::from(path.starts_with("/lib/")));
        tree.put(&path, Node::new(Content::Link((*target).into()), 0, 0, 0o777, installed));
    }
    for (number, (path, size)) in BINARIES.iter().enumerate() {
        let size = if *size == 0 { 110_000 + number as u32 * 4096 } else { *size };
        tree.put(path, Node::new(Content::Program(size), 0, 0, 0o755, released));
    }
    programs(&mut tree, released);
    for (number, name) in identity.programs.iter().enumerate() {
        let size = 18_000_000 + number as u32 * 1_234_577;
        tree.put(&format!("/usr/bin/{name}"), Node::new(Content::Program(size), 0, 0, 0o755, released));
    }
    for (path, major, minor, mode, gid) in DEVICES {
        tree.put(path, Node::new(Content::Char(*major, *minor), 0, *gid, *mode, booted));
    }
    let disk = identity.disk.trim_end_matches(char::is_numeric);
    let major = if disk == "vda" { 254 } else { 8 };
    for (name, minor) in [(disk, 0), (identity.disk, 1)] {
        tree.put(&format!("/dev/{name}"), Node::new(Content::Block(major, minor), 0, 6, 0o660, booted));
    }
    for path in ["/run/systemd/journal/dev-log", "/run/systemd/notify", "/run/dbus/system_bus_socket"] {
        tree.put(path, Node::new(Content::Socket, 0, 0, 0o666, booted));
    }
    texts(&mut tree, identity, now);
    homes(&mut tree, identity);
    proc::add(&mut tree, now);
    tree
}

/// Names of all programs in `/usr/bin` and `/usr/sbin`.
pub(crate) fn program_names() -> impl Iterator<Item = &'static str> {
    PROGRAMS.lines().filter_map(|line| line.split(' ').next()?.split('/').nth(1))
}

fn programs(tree: &mut Tree, released: SystemTime) {
    for line in PROGRAMS.lines() {
        let mut words = line.splitn(4, ' ');
        let (Some(path), Some(mode), Some(size)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let path = format!("/usr/{path}");
        if mode == ">" {
            tree.put(&path, Node::new(Content::Link(size.into()), 0, 0, 0o777, released));
            continue;
        }
        let mode = u32::from_str_radix(mode, 8).unwrap_or(0o755);
        // Packages are not all of one day.
        let spread = path.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let at = released.checked_sub(Duration::from_secs(spread % 15_000_000)).unwrap_or(released);
        let gid = match path.as_str() {
            "/usr/bin/crontab" => 105,
            "/usr/bin/screen" => 43,
            "/usr/bin/ssh-agent" => 111,
            "/usr/bin/chage" | "/usr/bin/expiry" | "/usr/sbin/unix_chkpwd" => 42,
            _ => 0,
        };
        let content = match words.next() {
            Some(shebang) => script(&path, shebang, size),
            None => Content::Program(size.parse().unwrap_or(35_000)),
        };
        tree.put(&path, Node::new(content, 0, gid, mode, at));
    }
}

/// A script of the distribution: short ones word by word, of longer ones only the listing and the first line.
fn script(path: &str, shebang: &str, size: &str) -> Content {
    let text = match path {
        "/usr/bin/egrep" => "#!/bin/sh\nexec grep -E \"$@\"\n",
        "/usr/bin/fgrep" => "#!/bin/sh\nexec grep -F \"$@\"\n",
        "/usr/bin/rgrep" => "#!/bin/sh\nexec grep -r \"$@\"\n",
        _ => {
            let size = size.parse().unwrap_or(1024);
            let listed = Listed { path: path.to_owned(), size, head: shebang.to_owned() };
            return Content::Listed(std::sync::Arc::new(listed));
        }
    };
    Content::Text(text.into())
}

fn texts(tree: &mut Tree, identity: &Identity, now: SystemTime) {
    let line = |text: &str| format!("{text}\n");
    let at = identity.installed;
    let mut add = |path: &str, text: String, mode: u32, gid: u32, at: SystemTime| {
        tree.put(path, Node::new(Content::Text(text.into()), 0, gid, mode, at));
    };
    let etc: Vec<(&str, String, u32, u32)> = vec![
        ("passwd", etc::passwd(identity), 0o644, 0),
        ("passwd-", etc::passwd(identity), 0o644, 0),
        ("shadow", etc::shadow(identity), 0o640, 42),
        ("shadow-", etc::shadow(identity), 0o640, 42),
        ("group", etc::group(identity), 0o644, 0),
        ("group-", etc::group(identity), 0o644, 0),
        ("gshadow", etc::gshadow(identity), 0o640, 42),
        ("hostname", line(&identity.hostname), 0o644, 0),
        ("hosts", etc::hosts(identity), 0o644, 0),
        ("host.conf", "multi on\n".into(), 0o644, 0),
        ("hosts.allow", "# /etc/hosts.allow: list of hosts that are allowed to access the system.\n".into(), 0o644, 0),
        ("hosts.deny", "# /etc/hosts.deny: list of hosts that are _not_ allowed to access the system.\n".into(), 0o644, 0),
        ("mailname", line(&identity.mail_domain), 0o644, 0),
        ("machine-id", line(&identity.machine_id), 0o444, 0),
        ("debian_version", line(identity.debian_version), 0o644, 0),
        ("issue", "Debian GNU/Linux 12 \\n \\l\n\n".into(), 0o644, 0),
        ("issue.net", "Debian GNU/Linux 12\n".into(), 0o644, 0),
        ("motd", etc::MOTD.into(), 0o644, 0),
        ("resolv.conf", etc::resolv_conf(identity), 0o644, 0),
        ("fstab", etc::fstab(identity), 0o644, 0),
        ("network/interfaces", etc::interfaces(identity), 0o644, 0),
        ("crontab", etc::CRONTAB.into(), 0o644, 0),
        ("shells", etc::SHELLS.into(), 0o644, 0),
        ("environment", String::new(), 0o644, 0),
        ("timezone", "Etc/UTC\n".into(), 0o644, 0),
        ("adjtime", "0.0 0 0.0\n0\nUTC\n".into(), 0o644, 0),
        ("profile", include_str!("image/profile").into(), 0o644, 0),
        ("bash.bashrc", include_str!("image/bash.bashrc").into(), 0o644, 0),
        ("nsswitch.conf", include_str!("image/nsswitch.conf").into(), 0o644, 0),
        ("ssh/sshd_config", include_str!("image/sshd_config").into(), 0o644, 0),
        ("vsftpd.conf", etc::VSFTPD.into(), 0o644, 0),
        ("ftpusers", "# /etc/ftpusers: list of users disallowed FTP access. See ftpusers(5).\n\nroot\ndaemon\nbin\nsys\nsync\ngames\nman\nlp\nmail\nnews\nuucp\nnobody\n".into(), 0o644, 0),
        ("postfix/main.cf", etc::postfix_main(identity), 0o644, 0),
        ("aliases", "# See man 5 aliases for format\npostmaster:    root\n".into(), 0o644, 0),
        ("nginx/nginx.conf", "user www-data;\nworker_processes auto;\npid /run/nginx.pid;\nerror_log /var/log/nginx/error.log;\ninclude /etc/nginx/modules-enabled/*.conf;\n\nevents {\n\tworker_connections 768;\n}\n\nhttp {\n\tsendfile on;\n\ttcp_nopush on;\n\ttypes_hash_max_size 2048;\n\n\tinclude /etc/nginx/mime.types;\n\tdefault_type application/octet-stream;\n\n\taccess_log /var/log/nginx/access.log;\n\n\tgzip on;\n\n\tinclude /etc/nginx/conf.d/*.conf;\n\tinclude /etc/nginx/sites-enabled/*;\n}\n".into(), 0o644, 0),
        ("nginx/sites-available/default", etc::NGINX_SITE.into(), 0o644, 0),
        ("inetd.conf", "telnet\t\tstream\ttcp\tnowait\troot\t/usr/sbin/tcpd\t/usr/sbin/telnetd\n".into(), 0o644, 0),
        ("sudoers", etc::SUDOERS.into(), 0o440, 0),
        ("apt/sources.list", etc::SOURCES.into(), 0o644, 0),
        ("ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n\n".into(), 0o644, 0),
        ("sysctl.conf", "#\n# /etc/sysctl.conf - Configuration file for setting system variables\n# See /etc/sysctl.d/ for additional system variables.\n# See sysctl.conf (5) for information.\n#\n".into(), 0o644, 0),
        ("subuid", String::new(), 0o644, 0),
        ("subgid", String::new(), 0o644, 0),
        ("skel/.bashrc", include_str!("image/skel.bashrc").into(), 0o644, 0),
        ("skel/.profile", include_str!("image/skel.profile").into(), 0o644, 0),
        ("skel/.bash_logout", include_str!("image/skel.bash_logout").into(), 0o644, 0),
        ("rc.local", "#!/bin/sh -e\nexit 0\n".into(), 0o755, 0),
    ];
    for (name, text, mode, gid) in etc {
        add(&format!("/etc/{name}"), text, mode, gid, at);
    }
    for name in [
        "cron",
        "dbus",
        "nginx",
        "postfix",
        "rsyslog",
        "ssh",
        "sudo",
        "udev",
        "vsftpd",
        "procps",
        "networking",
    ] {
        add(
            &format!("/etc/init.d/{name}"),
            format!("#!/bin/sh\n### BEGIN INIT INFO\n# Provides:          {name}\n### END INIT INFO\n"),
            0o755,
            0,
            at,
        );
    }
    for (name, mode, gid) in [
        ("wtmp", 0o664, 43),
        ("btmp", 0o660, 43),
        ("lastlog", 0o664, 43),
        ("faillog", 0o644, 0),
        ("mail.log", 0o640, 4),
        ("vsftpd.log", 0o600, 0),
        ("cron.log", 0o640, 4),
        ("kern.log", 0o640, 4),
        ("nginx/error.log", 0o640, 4),
    ] {
        add(&format!("/var/log/{name}"), String::new(), mode, gid, now);
    }
    add("/var/log/auth.log", logs::auth(identity, now), 0o640, 4, now);
    add("/var/log/syslog", logs::syslog(identity, now), 0o640, 4, now);
    add("/var/log/dpkg.log", logs::dpkg(identity), 0o644, 0, at);
    add("/var/log/alternatives.log", String::new(), 0o644, 0, at);
    add("/usr/lib/os-release", etc::OS_RELEASE.into(), 0o644, 0, at);
    add(
        "/var/www/html/index.nginx-debian.html",
        include_str!("image/index.nginx-debian.html").into(),
        0o644,
        0,
        at,
    );
    for (name, size) in
        [("vmlinuz", 8_221_344), ("initrd.img", 38_220_112), ("System.map", 83), ("config", 259_521)]
    {
        let path = format!("/boot/{name}-{}", identity.kernel_release);
        tree.put(&path, Node::new(Content::Program(size), 0, 0, 0o644, at));
        if name == "vmlinuz" || name == "initrd.img" {
            let target = format!("boot/{name}-{}", identity.kernel_release);
            tree.put(&format!("/{name}"), Node::new(Content::Link(target.into()), 0, 0, 0o777, at));
        }
    }
    tree.put(
        &format!("/usr/lib/modules/{}", identity.kernel_release),
        Node::new(Content::empty_dir(), 0, 0, 0o755, at),
    );
}

fn homes(tree: &mut Tree, identity: &Identity) {
    let at = identity.installed;
    let text = |text: &'static str, uid, gid| Node::new(Content::Text(text.into()), uid, gid, 0o644, at);
    tree.put("/root/.bashrc", text(include_str!("image/root.bashrc"), 0, 0));
    tree.put("/root/.profile", text(include_str!("image/root.profile"), 0, 0));
    tree.put("/root/.ssh", Node::new(Content::empty_dir(), 0, 0, 0o700, at));
    for user in identity.users.iter().filter(|user| identity.account(&user.name).is_some() && user.uid != 0) {
        let (uid, gid) = (user.uid, user.gid);
        let mode = if user.uid >= 1000 { 0o700 } else { 0o755 };
        tree.put(&user.home, Node::new(Content::empty_dir(), uid, gid, mode, at));
        if user.uid >= 1000 {
            tree.put(&format!("{}/.bashrc", user.home), text(include_str!("image/skel.bashrc"), uid, gid));
            tree.put(&format!("{}/.profile", user.home), text(include_str!("image/skel.profile"), uid, gid));
            tree.put(
                &format!("{}/.bash_logout", user.home),
                text(include_str!("image/skel.bash_logout"), uid, gid),
            );
        }
    }
}
