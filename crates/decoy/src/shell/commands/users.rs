//! Accounts made and changed: `useradd`, `userdel`, `usermod`, `groupadd`, `groupdel`, `adduser`, `deluser` (passwd 4.13).
//!
//! The files are the truth: `/etc/passwd`, `/etc/shadow`, `/etc/group` of the visitor's layer.

use super::{
    Call, Options, Said,
    aging::{Row, date, misused},
    memberships::drop_member,
    usage,
};
use crate::machine::files::Owner;

/// One row of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) gecos: String,
    pub(super) home: String,
    pub(super) shell: String,
}

pub(super) fn lines(call: &Call<'_>, path: &str) -> Vec<String> {
    let bytes = call.files().read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).lines().take(5000).map(str::to_owned).collect()
}

pub(super) fn save(call: &Call<'_>, path: &str, lines: &[String]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    // A full disk leaves the file as it was; the program itself would say nothing more useful.
    let _ = call.files().write(path, text.as_bytes(), &Owner::ROOT, 0o644);
}

fn user_of(line: &str) -> Option<User> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, gecos, home, shell] = fields[..] else { return None };
    Some(User {
        name: name.to_owned(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        gecos: gecos.to_owned(),
        home: home.to_owned(),
        shell: shell.to_owned(),
    })
}

/// Everybody in `/etc/passwd` as this visitor has it.
pub(super) fn all(call: &Call<'_>) -> Vec<User> {
    lines(call, "/etc/passwd").iter().filter_map(|line| user_of(line)).collect()
}

/// Somebody by name.
pub(super) fn named(call: &Call<'_>, name: &str) -> Option<User> {
    all(call).into_iter().find(|user| user.name == name)
}

/// Groups: name, number, members.
pub(super) fn groups(call: &Call<'_>) -> Vec<(String, u32, Vec<String>)> {
    let rows = lines(call, "/etc/group");
    let rows = rows.iter().filter_map(|line| {
        let mut fields = line.split(':');
        let (name, _, gid, members) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let members = members.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        Some((name.to_owned(), gid.parse().ok()?, members))
    });
    rows.collect()
}

fn group_of(call: &Call<'_>, text: &str) -> Option<u32> {
    groups(call)
        .into_iter()
        .find(|(name, gid, _)| name == text || text.parse() == Ok(*gid))
        .map(|(_, gid, _)| gid)
}

/// Writes a new password into `/etc/shadow`, in yescrypt's form.
pub(super) fn set_password(call: &Call<'_>, name: &str, password: &str) {
    use sha2::{Digest as _, Sha512};
    const ALPHABET: &[u8] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digest = Sha512::digest(format!("{name}:{password}:{:?}", call.now()));
    let letters: String = digest
        .iter()
        .chain(digest.iter().rev())
        .map(|byte| ALPHABET.get(usize::from(byte & 63)).copied().map_or('.', char::from))
        .collect();
    let hash = format!(
        "$y$j9T${}${}",
        letters.get(..22).unwrap_or_default(),
        letters.get(22..65).unwrap_or_default()
    );
    change_shadow(call, name, &hash);
}

pub(super) fn change_shadow(call: &Call<'_>, name: &str, hash: &str) {
    let mut rows = lines(call, "/etc/shadow");
    let begin = format!("{name}:");
    let today = call.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs() / 86_400;
    for row in rows.iter_mut().filter(|row| row.starts_with(&begin)) {
        let rest: Vec<&str> = row.split(':').skip(3).collect();
        *row = format!("{name}:{hash}:{today}:{}", rest.join(":"));
    }
    save(call, "/etc/shadow", &rows);
}

pub(super) fn denied(call: &Call<'_>, status: i32) -> Option<Said> {
    (!call.is_root()).then(|| {
        Said::err(
            format!("{0}: Permission denied.\n{0}: cannot lock /etc/passwd; try again later.\n", call.name),
            status,
        )
    })
}

fn is_name(name: &str) -> bool {
    name.len() <= 32
        && !name.starts_with(['-', '+', '~'])
        && !name.is_empty()
        && !name.chars().all(|c| c.is_ascii_digit())
        && !name.contains([
            ':', ',', '/', ' ', '\t', '\n', '"', '\'', '!', '#', '*', '?', '[', ']', '(', ')', ';', '&', '|',
        ])
}

pub(super) fn add_to_group(call: &Call<'_>, group: &str, name: &str) {
    let mut rows = lines(call, "/etc/group");
    for row in rows.iter_mut().filter(|row| row.starts_with(&format!("{group}:"))) {
        let members = row.rsplit(':').next().unwrap_or_default();
        if !members.split(',').any(|member| member == name) {
            *row = if members.is_empty() { format!("{row}{name}") } else { format!("{row},{name}") };
        }
    }
    save(call, "/etc/group", &rows);
}

pub(super) fn append(call: &Call<'_>, path: &str, line: String) {
    let mut rows = lines(call, path);
    rows.push(line);
    save(call, path, &rows);
}

/// A value by its letter or its long name.
pub(super) fn value(options: &Options, letter: char, long: &str) -> Option<String> {
    let long =
        options.long.iter().find_map(|word| word.strip_prefix(long)?.strip_prefix('=').map(str::to_owned));
    options.value(letter).map(str::to_owned).or(long)
}

/// Long options with a value in the next word, joined to it.
pub(super) fn joined(args: &[String], valued: &[&str]) -> Vec<String> {
    let mut joined = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.strip_prefix("--") {
            Some(long) if valued.contains(&long) => {
                joined.push(format!("{arg}={}", args.next().map_or("", String::as_str)));
            }
            _ => joined.push(arg.clone()),
        }
    }
    joined
}

pub(super) const LONG_VALUED: &[&str] = &[
    "uid",
    "gid",
    "groups",
    "shell",
    "home-dir",
    "home",
    "comment",
    "password",
    "expiredate",
    "ingroup",
    "gecos",
    "login",
];

pub(super) fn useradd(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("useradd", call.args) {
        return said;
    }
    let options = Options::of(&joined(call.args, LONG_VALUED), "ugGsdcpekKbfRPZ");
    let Some(name) = options.operands.first() else {
        if options.has('D') {
            return defaults(call, &options);
        }
        return usage::of("useradd", &[], false).unwrap_or_default();
    };
    if let Some(said) = denied(call, 1) {
        return said;
    }
    if options.operands.len() > 1 {
        return misused("useradd", "", 2);
    }
    if !is_name(name) && !options.has_long("badname") {
        return Said::err(format!("useradd: invalid user name '{name}': use --badname to ignore\n"), 3);
    }
    if let Some(said) = useradd_refuses(call, &options) {
        return said;
    }
    let everybody = all(call);
    if everybody.iter().any(|user| user.name == *name) {
        return Said::err(format!("useradd: user '{name}' already exists\n"), 9);
    }
    let known = groups(call);
    let is_system = options.has('r') || options.has_long("system");
    let span = if is_system { 100..1000 } else { 1000..60_000 };
    let next = |used: Vec<u32>| {
        if is_system {
            span.clone().rev().find(|id| !used.contains(id)).unwrap_or(999)
        } else {
            used.into_iter().filter(|id| span.contains(id)).max().map_or(1000, |id| id + 1)
        }
    };
    let uid = match value(&options, 'u', "uid") {
        Some(text) => match text.parse::<u32>() {
            Ok(uid) => {
                if everybody.iter().any(|user| user.uid == uid)
                    && !options.has('o')
                    && !options.has_long("non-unique")
                {
                    return Said::err(format!("useradd: UID {uid} is not unique\n"), 4);
                }
                uid
            }
            Err(_) => return Said::err(format!("useradd: invalid user ID '{text}'\n"), 3),
        },
        None => next(everybody.iter().map(|user| user.uid).collect()),
    };
    let mut warning = String::new();
    if value(&options, 'u', "uid").is_some() && !span.contains(&uid) {
        let (least, most) = if is_system {
            ("SYS_UID_MIN 100", "SYS_UID_MAX 999")
        } else {
            ("UID_MIN 1000", "UID_MAX 60000")
        };
        warning = format!("useradd warning: {name}'s uid {uid} outside of the {least} and {most} range.\n");
    }
    let gid = match value(&options, 'g', "gid") {
        Some(text) => match group_of(call, &text) {
            Some(gid) => gid,
            None => return Said::err(format!("useradd: group '{text}' does not exist\n"), 6),
        },
        None if known.iter().any(|(group, ..)| group == name) => {
            return Said::err(
                format!(
                    "useradd: group {name} exists - if you want to add this user to that group, use -g.\n"
                ),
                9,
            );
        }
        None if options.has('N') => 100,
        None => {
            let gid = if known.iter().any(|(_, gid, _)| *gid == uid) {
                next(known.iter().map(|(_, gid, _)| *gid).collect())
            } else {
                uid
            };
            append(call, "/etc/group", format!("{name}:x:{gid}:"));
            append(call, "/etc/gshadow", format!("{name}:!::"));
            gid
        }
    };
    for group in
        value(&options, 'G', "groups").unwrap_or_default().split(',').filter(|group| !group.is_empty())
    {
        if !known.iter().any(|(known, ..)| known == group) {
            return Said::err(format!("useradd: group '{group}' does not exist\n"), 6);
        }
        add_to_group(call, group, name);
    }
    let home = value(&options, 'd', "home-dir").unwrap_or_else(|| format!("/home/{name}"));
    let given_shell = value(&options, 's', "shell");
    if let Some(shell) = given_shell.as_ref().filter(|shell| {
        !shell.is_empty() && !call.files().stat(&call.path(shell)).is_ok_and(|node| node.mode & 0o111 != 0)
    }) {
        warning = format!("useradd: Warning: missing or non-executable shell '{shell}'\n") + &warning;
    }
    let shell = given_shell.unwrap_or_else(|| default_shell(call));
    let gecos = value(&options, 'c', "comment").unwrap_or_default();
    append(call, "/etc/passwd", format!("{name}:x:{uid}:{gid}:{gecos}:{home}:{shell}"));
    let today = call.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs() / 86_400;
    let hash = value(&options, 'p', "password").unwrap_or_else(|| "!".to_owned());
    let ends = value(&options, 'e', "expiredate").and_then(|text| date(&text)).filter(|days| *days >= 0);
    let ends = ends.map_or_else(String::new, |days| days.to_string());
    append(call, "/etc/shadow", format!("{name}:{hash}:{today}:0:99999:7::{ends}:"));
    if options.has('m') || options.has_long("create-home") {
        make_home(call, &home, uid, gid);
    }
    Said::err(warning, 0)
}

/// `useradd -D`: what holds for new users, which it can change.
fn defaults(call: &Call<'_>, options: &Options) -> Said {
    if let Some(shell) = value(options, 's', "shell") {
        let mut rows = lines(call, "/etc/default/useradd");
        rows.retain(|row| !row.starts_with("SHELL="));
        rows.push(format!("SHELL={shell}"));
        save(call, "/etc/default/useradd", &rows);
        return Said::nothing(0);
    }
    Said::out(format!(
        "GROUP=100\nHOME=/home\nINACTIVE=-1\nEXPIRE=\nSHELL={}\nSKEL=/etc/skel\nCREATE_MAIL_SPOOL=no\nLOG_INIT=yes\n",
        default_shell(call)
    ))
}

fn default_shell(call: &Call<'_>) -> String {
    let rows = lines(call, "/etc/default/useradd");
    let shell = rows.iter().find_map(|row| row.strip_prefix("SHELL="));
    shell.unwrap_or("/bin/sh").to_owned()
}

/// Values that useradd does not take.
fn useradd_refuses(call: &Call<'_>, options: &Options) -> Option<Said> {
    if let Some(text) = value(options, 'c', "comment").filter(|text| text.contains([':', '\n'])) {
        return Some(Said::err(format!("useradd: invalid comment '{text}'\n"), 3));
    }
    if let Some(text) =
        value(options, 'd', "home-dir").filter(|text| !text.starts_with('/') || text.contains([':', '\n']))
    {
        return Some(Said::err(format!("useradd: invalid home directory '{text}'\n"), 3));
    }
    if let Some(text) = value(options, 'e', "expiredate").filter(|text| date(text).is_none()) {
        return Some(Said::err(format!("useradd: invalid date '{text}'\n"), 3));
    }
    if let Some(text) = value(options, 's', "shell")
        .filter(|text| text.contains([':', '\n']) || !text.is_empty() && !text.starts_with(['/', '*']))
    {
        return Some(Said::err(format!("useradd: invalid shell '{text}'\n"), 3));
    }
    let makes_home = options.has('m') || options.has_long("create-home");
    if value(options, 'k', "skel").is_some() && !makes_home && call.is_root() {
        return Some(misused("useradd", "useradd: -k flag is only allowed with the -m flag\n", 2));
    }
    None
}

/// The home directory with what `/etc/skel` holds.
fn make_home(call: &Call<'_>, home: &str, uid: u32, gid: u32) {
    let owner = Owner { uid, gid };
    // What is there already stays.
    let _ = call.files().make_dir_all(home, &owner, 0o755);
    for entry in call.files().list("/etc/skel").unwrap_or_default() {
        let to = format!("{home}/{}", entry.name);
        if let Ok(bytes) = call.files().read(&format!("/etc/skel/{}", entry.name)) {
            let _ = call.files().write(&to, &bytes, &owner, entry.attributes.mode); // as above
        }
    }
}

pub(super) fn userdel(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("userdel", call.args) {
        return said;
    }
    let options = Options::of(call.args, "RP");
    let Some(name) = options.operands.first() else {
        return usage::of("userdel", &[], false).unwrap_or_default();
    };
    if let Some(said) = denied(call, 1) {
        return said;
    }
    let Some(user) = named(call, name) else {
        return Said::err(format!("userdel: user '{name}' does not exist\n"), 6);
    };
    let forced = options.has('f') || options.has_long("force");
    let runs = call.session.contact.visitor.processes().into_iter().find(|process| process.uid == user.uid);
    if let Some(process) = runs.filter(|_| !forced) {
        return Said::err(format!("userdel: user {name} is currently used by process {}\n", process.pid), 8);
    }
    let begin = format!("{name}:");
    for path in ["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow"] {
        let mut rows = lines(call, path);
        rows.retain(|row| !row.starts_with(&begin));
        if path.contains("group") || path.contains("gshadow") {
            for row in &mut rows {
                let Some((rest, members)) = row.rsplit_once(':') else { continue };
                let kept: Vec<&str> = members.split(',').filter(|member| member != name).collect();
                *row = format!("{rest}:{}", kept.join(","));
            }
        }
        save(call, path, &rows);
    }
    if options.has('r') || options.has_long("remove") {
        let mut said = Said::default();
        if !call.files().exists(&format!("/var/mail/{name}")) {
            said.err.extend(format!("userdel: {name} mail spool (/var/mail/{name}) not found\n").bytes());
        }
        let owned = call.files().stat(&user.home).is_ok_and(|node| node.uid == user.uid);
        if call.files().exists(&user.home) && !owned {
            let text = format!("userdel: {} not owned by {name}, not removing\n", user.home);
            said.err.extend(text.bytes());
            said.status = 12;
            return said;
        }
        if call.files().remove_all(&user.home).is_err() {
            said.err.extend(format!("userdel: {name} home directory ({}) not found\n", user.home).bytes());
        }
        return said;
    }
    Said::nothing(0)
}

pub(super) fn usermod(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("usermod", call.args) {
        return said;
    }
    let options = Options::of(&joined(call.args, LONG_VALUED), "ugGsdcplefRPZvVwW");
    let Some(name) = options.operands.first() else {
        return usage::of("usermod", &[], false).unwrap_or_default();
    };
    if let Some(said) = denied(call, 1) {
        return said;
    }
    let Some(mut user) = named(call, name) else {
        return Said::err(format!("usermod: user '{name}' does not exist\n"), 6);
    };
    let old_home = user.home.clone();
    if let Some(said) = usermod_refuses(call, &options, &user) {
        return said;
    }
    if let Some(list) = value(&options, 'G', "groups") {
        let wanted: Vec<&str> = list.split(',').filter(|group| !group.is_empty()).collect();
        let known = groups(call);
        for group in &wanted {
            if !known.iter().any(|(known, ..)| known == group) {
                return Said::err(format!("usermod: group '{group}' does not exist\n"), 6);
            }
        }
        // Without -a these are all.
        if !options.has('a') && !options.has_long("append") {
            let left = known
                .iter()
                .filter(|(group, _, members)| !wanted.contains(&group.as_str()) && members.contains(name));
            for (group, ..) in left {
                drop_member(call, group, name);
            }
        }
        for group in wanted {
            add_to_group(call, group, name);
        }
    }
    if let Some(text) = value(&options, 'g', "gid") {
        match group_of(call, &text) {
            Some(gid) => user.gid = gid,
            None => return Said::err(format!("usermod: group '{text}' does not exist\n"), 6),
        }
    }
    if let Some(text) = value(&options, 'u', "uid") {
        match text.parse() {
            Ok(uid) => user.uid = uid,
            Err(_) => return Said::err(format!("usermod: invalid user ID '{text}'\n"), 3),
        }
    }
    user.shell = value(&options, 's', "shell").unwrap_or(user.shell);
    user.home = value(&options, 'd', "home").unwrap_or(user.home);
    user.gecos = value(&options, 'c', "comment").unwrap_or(user.gecos);
    let new_name = value(&options, 'l', "login").unwrap_or_else(|| name.clone());
    let mut rows = lines(call, "/etc/passwd");
    for row in rows.iter_mut().filter(|row| row.starts_with(&format!("{name}:"))) {
        *row = format!("{new_name}:x:{}:{}:{}:{}:{}", user.uid, user.gid, user.gecos, user.home, user.shell);
    }
    save(call, "/etc/passwd", &rows);
    if let Some(hash) = value(&options, 'p', "password") {
        change_shadow(call, name, &hash);
    }
    if let Some(mut row) = Row::of(call, name) {
        if options.has('L') || options.has_long("lock") {
            row.set(1, format!("!{}", row.hash().trim_start_matches('!')));
        }
        if options.has('U') || options.has_long("unlock") {
            row.set(1, row.hash().trim_start_matches('!').to_owned());
        }
        let none_below = |days: i64| if days < 0 { String::new() } else { days.to_string() };
        if let Some(days) = value(&options, 'e', "expiredate").and_then(|text| date(&text)) {
            row.set(7, none_below(days));
        }
        if let Some(days) = value(&options, 'f', "inactive").and_then(|text| text.parse().ok()) {
            row.set(6, none_below(days));
        }
        row.save(call);
    }
    if new_name != *name {
        rename(call, name, &new_name);
    }
    let moves = (options.has('m') || options.has_long("move-home")) && user.home != old_home;
    if moves && call.files().is_dir(&old_home) && call.files().rename(&old_home, &user.home).is_err() {
        return Said::err(format!("usermod: cannot rename directory {old_home} to {}\n", user.home), 12);
    }
    Said::nothing(0)
}

/// The new name in the other files.
fn rename(call: &Call<'_>, old: &str, new: &str) {
    for path in ["/etc/shadow", "/etc/subuid", "/etc/subgid"] {
        let mut rows = lines(call, path);
        for row in rows.iter_mut() {
            if let Some(rest) = row.strip_prefix(&format!("{old}:")) {
                *row = format!("{new}:{rest}");
            }
        }
        save(call, path, &rows);
    }
    for (group, _, members) in groups(call) {
        if members.iter().any(|member| member == old) {
            drop_member(call, &group, old);
            add_to_group(call, &group, new);
        }
    }
}

/// What usermod does not do.
fn usermod_refuses(call: &Call<'_>, options: &Options, user: &User) -> Option<Said> {
    if options.letters.is_empty() && options.values.is_empty() && options.long.is_empty() {
        return Some(misused("usermod", "usermod: no options\n", 2));
    }
    let appends = options.has('a') || options.has_long("append");
    if appends && value(options, 'G', "groups").is_none() {
        return Some(misused("usermod", "usermod: -a flag is only allowed with the -G flag\n", 2));
    }
    if options.has('L') && options.has('U') {
        return Some(misused("usermod", "usermod: the -L, -p, and -U flags are exclusive\n", 2));
    }
    if options.has('m') && value(options, 'd', "home").is_none() {
        return Some(misused("usermod", "usermod: -m flag is only allowed with the -d flag\n", 2));
    }
    if let Some(text) = value(options, 'e', "expiredate").filter(|text| date(text).is_none()) {
        return Some(Said::err(format!("usermod: invalid date '{text}'\n"), 3));
    }
    if let Some(name) = value(options, 'l', "login").filter(|name| *name != user.name) {
        if !is_name(&name) {
            return Some(Said::err(
                format!("usermod: invalid user name '{name}': use --badname to ignore\n"),
                3,
            ));
        }
        if named(call, &name).is_some() {
            return Some(Said::err(format!("usermod: user '{name}' already exists\n"), 9));
        }
    }
    let uid = value(options, 'u', "uid").and_then(|text| text.parse::<u32>().ok());
    if let Some(uid) =
        uid.filter(|uid| *uid != user.uid && !options.has('o') && !options.has_long("non-unique"))
        && all(call).iter().any(|other| other.uid == uid)
    {
        return Some(Said::err(format!("usermod: UID '{uid}' already exists\n"), 4));
    }
    if let Some(home) = value(options, 'd', "home")
        && options.has('m')
        && home != user.home
        && call.files().exists(&home)
    {
        return Some(Said::err(format!("usermod: directory {home} exists\n"), 12));
    }
    None
}
