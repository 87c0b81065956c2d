//! `useradd`: an account, its group and its home (passwd 4.13).

use super::super::{
    Call, Options, Said,
    aging::{date, misused},
    usage,
};
use super::{
    LONG_VALUED, add_to_group, all, append, denied, group_of, groups, is_name, joined, lines, save, value,
};
use crate::machine::files::Owner;

pub(in crate::shell::commands) fn useradd(call: &Call<'_>) -> Said {
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
