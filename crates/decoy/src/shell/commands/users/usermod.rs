//! `usermod`: what is changed of an account, and where else its name stands (passwd 4.13).

use super::super::{
    Call, Options, Said,
    aging::{Row, date, misused},
    memberships::drop_member,
    usage,
};
use super::{
    LONG_VALUED, User, add_to_group, all, change_shadow, denied, group_of, groups, is_name, joined, lines,
    named, save, value,
};

pub(in crate::shell::commands) fn usermod(call: &Call<'_>) -> Said {
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
