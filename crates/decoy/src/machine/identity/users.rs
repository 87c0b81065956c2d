//! The users of a Debian 12 server: those of its packages, and a handful of people and services.

use super::{Account, draw::Lot};

/// Users that base-passwd makes, in its order: name, uid, gid, full name, home, shell.
const BASE: &[(&str, u32, u32, &str, &str, &str)] = &[
    ("root", 0, 0, "root", "/root", "/bin/bash"),
    ("daemon", 1, 1, "daemon", "/usr/sbin", NOLOGIN),
    ("bin", 2, 2, "bin", "/bin", NOLOGIN),
    ("sys", 3, 3, "sys", "/dev", NOLOGIN),
    ("sync", 4, 65534, "sync", "/bin", "/bin/sync"),
    ("games", 5, 60, "games", "/usr/games", NOLOGIN),
    ("man", 6, 12, "man", "/var/cache/man", NOLOGIN),
    ("lp", 7, 7, "lp", "/var/spool/lpd", NOLOGIN),
    ("mail", 8, 8, "mail", "/var/mail", NOLOGIN),
    ("news", 9, 9, "news", "/var/spool/news", NOLOGIN),
    ("uucp", 10, 10, "uucp", "/var/spool/uucp", NOLOGIN),
    ("proxy", 13, 13, "proxy", "/bin", NOLOGIN),
    ("www-data", 33, 33, "www-data", "/var/www", NOLOGIN),
    ("backup", 34, 34, "backup", "/var/backups", NOLOGIN),
    ("list", 38, 38, "Mailing List Manager", "/var/list", NOLOGIN),
    ("irc", 39, 39, "ircd", "/run/ircd", NOLOGIN),
    ("_apt", 42, 65534, "", "/nonexistent", NOLOGIN),
    ("nobody", 65534, 65534, "nobody", "/nonexistent", NOLOGIN),
    ("systemd-network", 998, 998, "systemd Network Management", "/", NOLOGIN),
    ("systemd-timesync", 997, 997, "systemd Time Synchronization", "/", NOLOGIN),
    ("messagebus", 100, 107, "", "/nonexistent", NOLOGIN),
    ("sshd", 101, 65534, "", "/run/sshd", NOLOGIN),
    ("postfix", 102, 108, "", "/var/spool/postfix", NOLOGIN),
    ("ftp", 103, 110, "ftp daemon,,,", "/srv/ftp", NOLOGIN),
];

const NOLOGIN: &str = "/usr/sbin/nologin";

/// Groups that base-passwd and the installed packages make.
const GROUPS: &[(&str, u32)] = &[
    ("root", 0),
    ("daemon", 1),
    ("bin", 2),
    ("sys", 3),
    ("adm", 4),
    ("tty", 5),
    ("disk", 6),
    ("lp", 7),
    ("mail", 8),
    ("news", 9),
    ("uucp", 10),
    ("man", 12),
    ("proxy", 13),
    ("kmem", 15),
    ("dialout", 20),
    ("fax", 21),
    ("voice", 22),
    ("cdrom", 24),
    ("floppy", 25),
    ("tape", 26),
    ("sudo", 27),
    ("audio", 29),
    ("dip", 30),
    ("www-data", 33),
    ("backup", 34),
    ("operator", 37),
    ("list", 38),
    ("irc", 39),
    ("src", 40),
    ("shadow", 42),
    ("utmp", 43),
    ("video", 44),
    ("sasl", 45),
    ("plugdev", 46),
    ("staff", 50),
    ("games", 60),
    ("users", 100),
    ("nogroup", 65534),
    ("systemd-journal", 999),
    ("systemd-network", 998),
    ("systemd-timesync", 997),
    ("input", 101),
    ("sgx", 102),
    ("kvm", 103),
    ("render", 104),
    ("crontab", 105),
    ("netdev", 106),
    ("messagebus", 107),
    ("postfix", 108),
    ("postdrop", 109),
    ("ftp", 110),
    ("_ssh", 111),
];

/// Names with a real shell that a server may have beside root.
const PEOPLE: &[&str] = &[
    "admin", "debian", "ubuntu", "user", "test", "deploy", "dev", "pi", "guest", "ftpuser", "support",
    "server",
];
/// Services whose packages or installers give them a real shell.
const SERVICES: &[&str] = &["postgres", "oracle", "git", "hadoop", "jenkins", "minecraft", "nagios", "steam"];

/// The list of `/etc/passwd`: the standard users, then `chosen` or a drawn handful.
pub(super) fn draw(lot: &Lot<'_>, chosen: Option<Vec<String>>) -> Vec<Account> {
    let mut users: Vec<Account> = BASE
        .iter()
        .map(|&(name, uid, gid, gecos, home, shell)| Account {
            name: name.into(),
            uid,
            gid,
            home: home.into(),
            shell: shell.into(),
            gecos: gecos.into(),
        })
        .collect();
    let names = chosen.unwrap_or_else(|| draw_names(lot));
    let (mut person, mut service) = (1000, 104);
    for name in names {
        if users.iter().any(|user| user.name == name) || !is_user_name(&name) {
            continue;
        }
        let postgres = name == "postgres";
        let uid = if postgres { &mut service } else { &mut person };
        let (home, gecos) = match name.as_str() {
            "postgres" => ("/var/lib/postgresql".to_owned(), "PostgreSQL administrator,,,"),
            _ => (format!("/home/{name}"), if SERVICES.contains(&name.as_str()) { "" } else { ",,," }),
        };
        let gid = if postgres { 112 } else { *uid };
        users.push(Account { name, uid: *uid, gid, home, shell: "/bin/bash".into(), gecos: gecos.into() });
        *uid += 1;
    }
    users
}

/// The first is who installed the machine; then another person and one or two services.
fn draw_names(lot: &Lot<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for (label, from) in [("first", PEOPLE), ("second", PEOPLE), ("service", SERVICES), ("other", SERVICES)] {
        if label == "other" && lot.below("has-other", 2) == 0 {
            continue;
        }
        if let Some(name) = lot.pick(label, from).map(|name| (*name).to_owned())
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

/// As `useradd` accepts them: nothing that could break a line of `/etc/passwd` or a path.
fn is_user_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.'))
}

/// The list of `/etc/group` for these users.
pub(super) fn groups(users: &[Account]) -> Vec<(String, u32, Vec<String>)> {
    let first = users.iter().find(|user| user.uid == 1000).map(|user| user.name.clone());
    let mut groups: Vec<(String, u32, Vec<String>)> = GROUPS
        .iter()
        .map(|&(name, gid)| {
            let has_first = matches!(
                name,
                "cdrom" | "floppy" | "sudo" | "audio" | "dip" | "video" | "plugdev" | "users" | "netdev"
            );
            (name.to_owned(), gid, first.iter().filter(|_| has_first).cloned().collect())
        })
        .collect();
    for user in users.iter().filter(|user| user.uid >= 104) {
        if !groups.iter().any(|(_, gid, _)| *gid == user.gid) {
            groups.push((user.name.clone(), user.gid, Vec::new()));
        }
    }
    groups
}
