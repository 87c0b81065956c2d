//! The users of a Debian 12 server: those of its packages, and a handful of people and services.

use super::{Account, draw::Lot};
use crate::machine::Image;

/// Users of an image that says nothing of its own: name, uid, gid, full name, home, shell.
const FEWEST: &str =
    "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
/// Its groups.
const FEWEST_GROUPS: &str = "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n";

/// A group: name, number, members.
pub(super) type Group = (String, u32, Vec<String>);

/// Names with a real shell that a server may have beside root.
const PEOPLE: &[&str] = &[
    "admin", "debian", "ubuntu", "user", "test", "deploy", "dev", "pi", "guest", "ftpuser", "support",
    "server",
];
/// Services whose packages or installers give them a real shell.
const SERVICES: &[&str] = &["postgres", "oracle", "git", "hadoop", "jenkins", "minecraft", "nagios", "steam"];

/// The list of `/etc/passwd`: the users that the image's packages made, then `chosen` or a drawn handful.
pub(super) fn draw(lot: &Lot<'_>, chosen: Option<Vec<String>>, image: &Image) -> Vec<Account> {
    let text = image.text("/etc/passwd");
    let mut users: Vec<Account> = text.as_deref().unwrap_or(FEWEST).lines().filter_map(account).collect();
    if !users.iter().any(|user| user.uid == 0) {
        users = FEWEST.lines().filter_map(account).collect();
    }
    let groups = base_groups(image);
    let shell = if image.find("/usr/bin/bash").or(image.find("/bin/bash")).is_some() {
        "/bin/bash"
    } else {
        "/bin/sh"
    };
    let names = chosen.unwrap_or_else(|| draw_names(lot));
    let highest = |ids: &mut dyn Iterator<Item = u32>, least: u32, most: u32| {
        ids.filter(|id| (least..most).contains(id)).max().map_or(least, |id| id + 1)
    };
    let mut person = highest(&mut users.iter().map(|user| user.uid), 1000, 60_000);
    let mut service = highest(&mut users.iter().map(|user| user.uid), 100, 990);
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
        let gid = if postgres { highest(&mut groups.iter().map(|group| group.1), 100, 990) } else { *uid };
        users.push(Account { name, uid: *uid, gid, home, shell: shell.into(), gecos: gecos.into() });
        *uid += 1;
    }
    users
}

/// One line of passwd(5).
fn account(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let mut next = || fields.next();
    let (name, _, uid, gid) = (next()?, next()?, next()?.parse().ok()?, next()?.parse().ok()?);
    let (gecos, home, shell) = (next()?, next()?, next()?);
    Some(Account { name: name.into(), uid, gid, home: home.into(), shell: shell.into(), gecos: gecos.into() })
}

/// The groups that the image's packages made.
pub(super) fn base_groups(image: &Image) -> Vec<Group> {
    let text = image.text("/etc/group");
    let group = |line: &str| {
        let mut fields = line.split(':');
        let (name, _, gid) = (fields.next()?, fields.next()?, fields.next()?.parse().ok()?);
        let members = fields.next().unwrap_or("").split(',').filter(|name| !name.is_empty());
        Some((name.to_owned(), gid, members.map(str::to_owned).collect()))
    };
    text.as_deref().unwrap_or(FEWEST_GROUPS).lines().filter_map(group).collect()
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
pub(super) fn groups(base: &[Group], users: &[Account]) -> Vec<Group> {
    let first = users.iter().find(|user| user.uid == 1000).map(|user| user.name.clone());
    let mut groups: Vec<Group> = base
        .iter()
        .map(|(name, gid, members)| {
            // What Debian's installer puts the first user into.
            let has_first = matches!(
                name.as_str(),
                "cdrom" | "floppy" | "sudo" | "audio" | "dip" | "video" | "plugdev" | "users" | "netdev"
            );
            let mut members = members.clone();
            members.extend(first.iter().filter(|_| has_first).cloned());
            (name.clone(), *gid, members)
        })
        .collect();
    for user in users.iter().filter(|user| user.uid >= 100) {
        if !groups.iter().any(|(_, gid, _)| *gid == user.gid) {
            groups.push((user.name.clone(), user.gid, Vec::new()));
        }
    }
    groups
}
