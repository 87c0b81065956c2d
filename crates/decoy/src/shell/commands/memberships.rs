//! Groups and what stands in a user's row: `gpasswd`, `groupmod`, `chsh`, `chfn`, `newgrp` (passwd 4.13).

use super::{
    Call, Said,
    aging::{Given, misused},
    usage,
    users::{self, add_to_group, denied, groups, lines, save},
};

fn help(name: &str) -> Said {
    usage::of(name, &["--help".to_owned()], false).unwrap_or_default()
}

/// Takes a member out of the rows of a group.
pub(super) fn drop_member(call: &Call<'_>, group: &str, name: &str) {
    for path in ["/etc/group", "/etc/gshadow"] {
        let mut rows = lines(call, path);
        for row in rows.iter_mut().filter(|row| row.split(':').next() == Some(group)) {
            if let Some((rest, members)) = row.rsplit_once(':') {
                let kept: Vec<&str> = members.split(',').filter(|member| *member != name).collect();
                *row = format!("{rest}:{}", kept.join(","));
            }
        }
        save(call, path, &rows);
    }
}

pub(super) fn gpasswd(call: &Call<'_>) -> Said {
    const LONG: [(&str, char); 8] = [
        ("add", 'a'),
        ("administrators", 'A'),
        ("delete", 'd'),
        ("help", 'h'),
        ("members", 'M'),
        ("remove-password", 'r'),
        ("restrict", 'R'),
        ("root", 'Q'),
    ];
    let given = match Given::of(call.args, "hrR", "aAdMQ", &LONG) {
        Ok(given) => given,
        Err(what) => return misused("gpasswd", &format!("gpasswd: {what}\n"), 2),
    };
    if given.has('h') {
        return help("gpasswd");
    }
    let [group] = &given.operands[..] else { return misused("gpasswd", "", 2) };
    let members = given.value('M').map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>());
    let added = given.value('a').map(str::to_owned);
    for name in added.iter().chain(members.iter().flatten()).filter(|name| !name.is_empty()) {
        if users::named(call, name).is_none() {
            return Said::err(format!("gpasswd: user '{name}' does not exist\n"), 3);
        }
    }
    let Some((_, _, known)) = groups(call).into_iter().find(|(name, ..)| name == group) else {
        return Said::err(format!("gpasswd: group '{group}' does not exist in /etc/group\n"), 3);
    };
    if !call.is_root() {
        return Said::err("gpasswd: Permission denied.\n", 1);
    }
    if let Some(name) = added {
        add_to_group(call, group, &name);
        return Said::out(format!("Adding user {name} to group {group}\n"));
    }
    if let Some(name) = given.value('d') {
        let mut said = Said::out(format!("Removing user {name} from group {group}\n"));
        if known.iter().any(|member| member == name) {
            drop_member(call, group, name);
        } else {
            said.err.extend(format!("gpasswd: user '{name}' is not a member of '{group}'\n").bytes());
            said.status = 3;
        }
        return said;
    }
    if let Some(members) = members {
        for path in ["/etc/group", "/etc/gshadow"] {
            let mut rows = lines(call, path);
            for row in rows.iter_mut().filter(|row| row.split(':').next() == Some(group)) {
                if let Some((rest, _)) = row.rsplit_once(':') {
                    *row = format!("{rest}:{}", members.join(","));
                }
            }
            save(call, path, &rows);
        }
    }
    Said::nothing(0)
}

pub(super) fn groupmod(call: &Call<'_>) -> Said {
    const LONG: [(&str, char); 9] = [
        ("append", 'a'),
        ("gid", 'g'),
        ("help", 'h'),
        ("new-name", 'n'),
        ("non-unique", 'o'),
        ("password", 'p'),
        ("prefix", 'P'),
        ("root", 'R'),
        ("users", 'U'),
    ];
    let given = match Given::of(call.args, "aho", "gnpPRU", &LONG) {
        Ok(given) => given,
        Err(what) => return misused("groupmod", &format!("groupmod: {what}\n"), 2),
    };
    if given.has('h') {
        return help("groupmod");
    }
    let [group] = &given.operands[..] else { return misused("groupmod", "", 2) };
    if let Some(said) = denied_group(call, "groupmod") {
        return said;
    }
    let known = groups(call);
    if !known.iter().any(|(name, ..)| name == group) {
        return Said::err(format!("groupmod: group '{group}' does not exist\n"), 6);
    }
    let gid = match given.value('g').map(|text| (text, text.parse::<u32>())) {
        Some((text, Err(_))) => return Said::err(format!("groupmod: invalid group ID '{text}'\n"), 3),
        Some((_, Ok(gid)))
            if known.iter().any(|(name, known, _)| *known == gid && name != group) && !given.has('o') =>
        {
            return Said::err(format!("groupmod: GID '{gid}' already exists\n"), 4);
        }
        Some((_, Ok(gid))) => Some(gid),
        None => None,
    };
    if let Some(name) = given.value('n').filter(|name| known.iter().any(|(known, ..)| known == name)) {
        return Said::err(format!("groupmod: group '{name}' already exists\n"), 9);
    }
    for path in ["/etc/group", "/etc/gshadow"] {
        let mut rows = lines(call, path);
        for row in rows.iter_mut().filter(|row| row.split(':').next() == Some(group)) {
            let mut fields: Vec<String> = row.split(':').map(str::to_owned).collect();
            if let (Some(name), Some(field)) = (given.value('n'), fields.first_mut()) {
                name.clone_into(field);
            }
            if let (Some(gid), Some(field), true) = (gid, fields.get_mut(2), path == "/etc/group") {
                *field = gid.to_string();
            }
            *row = fields.join(":");
        }
        save(call, path, &rows);
    }
    Said::nothing(0)
}

/// Only root changes groups.
pub(super) fn denied_group(call: &Call<'_>, name: &str) -> Option<Said> {
    (!call.is_root()).then(|| {
        Said::err(
            format!("{name}: Permission denied.\n{name}: cannot lock /etc/group; try again later.\n"),
            10,
        )
    })
}

/// Changes one field of a user's row.
pub(super) fn set_field(call: &Call<'_>, name: &str, at: usize, value: &str) {
    let mut rows = lines(call, "/etc/passwd");
    for row in rows.iter_mut().filter(|row| row.split(':').next() == Some(name)) {
        let mut fields: Vec<String> = row.split(':').map(str::to_owned).collect();
        if let Some(field) = fields.get_mut(at) {
            value.clone_into(field);
        }
        *row = fields.join(":");
    }
    save(call, "/etc/passwd", &rows);
}

pub(super) fn chsh(call: &Call<'_>) -> Said {
    let given = match Given::of(call.args, "h", "Rs", &[("help", 'h'), ("root", 'R'), ("shell", 's')]) {
        Ok(given) => given,
        Err(what) => return misused("chsh", &format!("chsh: {what}\n"), 1),
    };
    if given.has('h') {
        return help("chsh");
    }
    let own = call.session.user_name();
    let name = given.operands.first().unwrap_or(&own);
    let Some(user) = users::named(call, name) else {
        return Said::err(format!("chsh: user '{name}' does not exist\n"), 1);
    };
    if !call.is_root() && *name != own {
        return Said::err(format!("chsh: You may not change the shell for '{name}'.\n"), 1);
    }
    let Some(shell) = given.value('s') else {
        return Said::out(format!(
            "Changing the login shell for {name}\nEnter the new value, or press ENTER for the default\n\tLogin Shell [{}]: ",
            user.shell
        ));
    };
    if shell.contains([':', ',', '=', '\n']) {
        return Said::err(format!("chsh: Invalid entry: {shell}\n"), 1);
    }
    let listed = lines(call, "/etc/shells").iter().any(|line| line == shell);
    if !call.is_root() && !listed {
        return Said::err(format!("chsh: {shell} is an invalid shell\n"), 1);
    }
    let exists = call.files().exists(&call.path(shell));
    set_field(call, name, 6, shell);
    Said::err(if exists { String::new() } else { format!("chsh: Warning: {shell} does not exist\n") }, 0)
}

pub(super) fn chfn(call: &Call<'_>) -> Said {
    const LONG: [(&str, char); 7] = [
        ("full-name", 'f'),
        ("help", 'u'),
        ("home-phone", 'h'),
        ("other", 'o'),
        ("room", 'r'),
        ("root", 'R'),
        ("work-phone", 'w'),
    ];
    let given = match Given::of(call.args, "u", "fhorRw", &LONG) {
        Ok(given) => given,
        Err(what) => return misused("chfn", &format!("chfn: {what}\n"), 1),
    };
    if given.has('u') {
        return help("chfn");
    }
    let own = call.session.user_name();
    let name = given.operands.first().unwrap_or(&own);
    let Some(user) = users::named(call, name) else {
        return Said::err(format!("chfn: user '{name}' does not exist\n"), 1);
    };
    if !call.is_root() {
        return Said::err("chfn: Permission denied.\n", 1);
    }
    let mut parts: Vec<String> = user.gecos.split(',').map(str::to_owned).collect();
    parts.resize(5, String::new());
    if given.options.is_empty() {
        return Said::out(format!(
            "Changing the user information for {name}\nEnter the new value, or press ENTER for the default\n\tFull Name [{}]: ",
            parts.first().map_or("", String::as_str)
        ));
    }
    for (letter, at) in [('f', 0), ('r', 1), ('w', 2), ('h', 3), ('o', 4)] {
        if let (Some(value), Some(part)) = (given.value(letter), parts.get_mut(at)) {
            if value.contains([':', ',', '=', '\n']) {
                let what = ["name", "room number", "work phone", "home phone", "other information"];
                return Said::err(
                    format!("chfn: invalid {}: '{value}'\n", what.get(at).unwrap_or(&"name")),
                    1,
                );
            }
            value.clone_into(part);
        }
    }
    if parts.last().is_some_and(String::is_empty) {
        parts.pop();
    }
    set_field(call, name, 4, &parts.join(","));
    Said::nothing(0)
}

/// A group that is there changes nothing that anybody would see here.
pub(super) fn newgrp(call: &Call<'_>) -> Said {
    let name = call.args.iter().find(|arg| !arg.starts_with('-'));
    match name.filter(|name| !groups(call).iter().any(|(known, ..)| known == *name)) {
        Some(name) => Said::err(format!("{}: group '{name}' does not exist\n", call.name), 1),
        None => Said::nothing(0),
    }
}

/// `addgroup`, and `adduser --group`.
pub(super) fn addgroup(call: &Call<'_>) -> Said {
    let names: Vec<&String> = call.args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let name = match names[..] {
        [name] => name,
        [] => return Said::err("addgroup: Only one or two names allowed.\n", 1),
        _ => return Said::err("addgroup: addgroup with two arguments is an unspecified operation.\n", 1),
    };
    if !call.is_root() {
        return Said::err("addgroup: Only root may add a user or group to the system.\n", 1);
    }
    if groups(call).iter().any(|(known, ..)| known == name) {
        return Said::err(format!("addgroup: The group `{name}' already exists.\n"), 1);
    }
    let args = [name.clone()];
    let made = super::groups::groupadd(&Call { name: "groupadd", args: &args, ..*call });
    if made.status != 0 {
        return made;
    }
    let gid = groups(call).into_iter().find(|(known, ..)| known == name).map_or(1000, |(_, gid, _)| gid);
    Said::out(format!("Adding group `{name}' (GID {gid}) ...\nDone.\n"))
}

pub(super) fn delgroup(call: &Call<'_>) -> Said {
    let names: Vec<&String> = call.args.iter().filter(|arg| !arg.starts_with('-')).collect();
    if let [user, group] = names[..] {
        return leave(call, user, group);
    }
    let [name] = names[..] else { return Said::err("delgroup: Only one or two names allowed.\n", 1) };
    if denied(call, 1).is_some() {
        return Said::err("delgroup: Only root may remove a user or group from the system.\n", 1);
    }
    if !groups(call).iter().any(|(known, ..)| known == name) {
        return Said::err(format!("delgroup: The group `{name}' does not exist.\n"), 3);
    }
    let args = [name.clone()];
    let mut said = super::groups::groupdel(&Call { name: "groupdel", args: &args, ..*call });
    said.out = format!("Removing group `{name}' ...\n").into();
    if said.status != 0 {
        let text =
            format!("delgroup: `/sbin/groupdel {name}' returned error code {}. Exiting.\n", said.status);
        said.err.extend(text.bytes());
    } else {
        said.out.extend_from_slice(b"Done.\n");
    }
    said
}

/// `deluser USER GROUP`.
pub(super) fn leave(call: &Call<'_>, user: &str, group: &str) -> Said {
    let Some(row) = users::named(call, user) else {
        return Said::err(format!("{}: The user `{user}' does not exist.\n", call.name), 2);
    };
    let Some((_, gid, members)) = groups(call).into_iter().find(|(known, ..)| known == group) else {
        return Said::err(format!("{}: The group `{group}' does not exist.\n", call.name), 3);
    };
    if row.gid == gid {
        return Said::err(
            format!("{}: You may not remove the user from their primary group.\n", call.name),
            7,
        );
    }
    if !members.iter().any(|member| member == user) {
        return Said::err(
            format!("{}: The user `{user}' is not a member of group `{group}'.\n", call.name),
            6,
        );
    }
    drop_member(call, group, user);
    Said::out(format!("Removing user `{user}' from group `{group}' ...\nDone.\n"))
}
