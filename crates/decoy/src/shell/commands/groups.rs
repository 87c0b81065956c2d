//! `groupadd`, `groupdel`, and Debian's `adduser` and `deluser` (passwd 4.13, adduser 3.134).

use super::{
    Call, Options, Said, usage,
    users::{
        LONG_VALUED, add_to_group, append, denied, groups, joined, lines, named, save, useradd, userdel,
        value,
    },
};

pub(super) fn groupadd(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("groupadd", call.args) {
        return said;
    }
    let options = Options::of(&joined(call.args, LONG_VALUED), "gKpRP");
    let Some(name) = options.operands.first() else {
        return usage::of("groupadd", &[], false).unwrap_or_default();
    };
    if let Some(said) = denied(call, 10) {
        return said;
    }
    let known = groups(call);
    if known.iter().any(|(group, ..)| group == name) {
        if options.has('f') {
            return Said::nothing(0);
        }
        return Said::err(format!("groupadd: group '{name}' already exists\n"), 9);
    }
    let next = known
        .iter()
        .map(|(_, gid, _)| *gid)
        .filter(|gid| (1000..60_000).contains(gid))
        .max()
        .map_or(1000, |gid| gid + 1);
    let gid = match value(&options, 'g', "gid") {
        Some(text) => match text.parse::<u32>() {
            Ok(gid) if known.iter().any(|(_, known, _)| *known == gid) && !options.has('o') => {
                return Said::err(format!("groupadd: GID '{gid}' already exists\n"), 4);
            }
            Ok(gid) => gid,
            Err(_) => return Said::err(format!("groupadd: invalid group ID '{text}'\n"), 3),
        },
        None if options.has('r') || options.has_long("system") => {
            let used = |gid: &u32| known.iter().any(|(_, known, _)| known == gid);
            (100..1000).rev().find(|gid| !used(gid)).unwrap_or(999)
        }
        None => next,
    };
    append(call, "/etc/group", format!("{name}:x:{gid}:"));
    append(call, "/etc/gshadow", format!("{name}:!::"));
    Said::nothing(0)
}

pub(super) fn groupdel(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("groupdel", call.args) {
        return said;
    }
    let Some(name) = call.args.iter().find(|arg| !arg.starts_with('-')) else {
        return usage::of("groupdel", &[], false).unwrap_or_default();
    };
    if !groups(call).iter().any(|(known, ..)| known == name) {
        return Said::err(format!("groupdel: group '{name}' does not exist\n"), 6);
    }
    let gid = groups(call).into_iter().find(|(known, ..)| known == name).map(|(_, gid, _)| gid);
    if let Some(user) = super::users::all(call).into_iter().find(|user| Some(user.gid) == gid) {
        return Said::err(format!("groupdel: cannot remove the primary group of user '{}'\n", user.name), 8);
    }
    for path in ["/etc/group", "/etc/gshadow"] {
        let mut rows = lines(call, path);
        rows.retain(|row| !row.starts_with(&format!("{name}:")));
        save(call, path, &rows);
    }
    Said::nothing(0)
}

/// Debian's adduser 3.134, without its questions.
pub(super) fn adduser(call: &Call<'_>) -> Said {
    const LONG: &[&str] = &[
        "add-extra-groups",
        "add_extra_groups",
        "allow-all-names",
        "allow-bad-names",
        "allow-badname",
        "comment",
        "conf",
        "debug",
        "disabled-login",
        "disabled-password",
        "encrypt-home",
        "extra-groups",
        "firstgid",
        "firstuid",
        "force-badname",
        "gecos",
        "gid",
        "group",
        "help",
        "home",
        "ingroup",
        "lastgid",
        "lastuid",
        "no-create-home",
        "quiet",
        "shell",
        "system",
        "uid",
        "verbose",
        "version",
    ];
    let unknown = call.args.iter().filter_map(|arg| arg.strip_prefix("--")).find(|word| {
        let name = word.split('=').next().unwrap_or_default();
        !LONG.iter().any(|known| known.starts_with(name))
    });
    if let Some(name) = unknown {
        let mut said = usage::of("adduser", &["--help".to_owned()], false).unwrap_or_default();
        said.err = format!("Unknown option: {name}\n").into();
        said.status = 1;
        return said;
    }
    if call.args.iter().any(|arg| arg == "--group") && !call.args.iter().any(|arg| arg == "--system") {
        return super::memberships::addgroup(call);
    }
    let options = Options::of(&joined(call.args, LONG_VALUED), "");
    let [name, group @ ..] = options.operands.as_slice() else {
        return Said::err("adduser: Only one or two names allowed.\n", 1);
    };
    if !call.is_root() {
        return Said::err("adduser: Only root may add a user or group to the system.\n", 1);
    }
    if let [group] = group {
        if named(call, name).is_none() {
            return Said::err(format!("adduser: The user `{name}' does not exist.\n"), 1);
        }
        let Some((_, _, members)) = groups(call).into_iter().find(|(known, ..)| known == group) else {
            return Said::err(format!("adduser: The group `{group}' does not exist.\n"), 1);
        };
        if members.contains(name) {
            return Said::err(format!("adduser: The user `{name}' is already a member of `{group}'.\n"), 0);
        }
        add_to_group(call, group, name);
        return Said::out(format!("Adding user `{name}' to group `{group}' ...\nDone.\n"));
    }
    if named(call, name).is_some() {
        return Said::err(format!("adduser: The user `{name}' already exists.\n"), 1);
    }
    if options.has_long("system") {
        return system_user(call, name, &options);
    }
    let words = ["-m", "-s", "/bin/bash", "-c", ",,,", "-G", "users"].map(str::to_owned);
    let args: Vec<String> = std::iter::once(name.clone()).chain(words).collect();
    let made = useradd(&Call { name: "useradd", args: &args, ..*call });
    if made.status != 0 {
        return Said::err(
            "adduser: Please enter a username matching the regular expression\n            configured via the NAME_REGEX configuration variable.  Use the\n            `--allow-bad-names' option to relax this check or reconfigure\n            NAME_REGEX in configuration.\n",
            1,
        );
    }
    let uid = named(call, name).map_or(1000, |user| user.uid);
    Said::out(format!(
        "Adding user `{name}' ...\nAdding new group `{name}' ({uid}) ...\nAdding new user `{name}' ({uid}) with group `{name} ({uid})' ...\nCreating home directory `/home/{name}' ...\nCopying files from `/etc/skel' ...\nAdding new user `{name}' to supplemental / extra groups `users' ...\nAdding user `{name}' to group `users' ...\n"
    ))
}

/// `adduser --system`: of the group nogroup, without a home unless one is named.
fn system_user(call: &Call<'_>, name: &str, options: &Options) -> Said {
    let home = value(options, '\0', "home");
    let shell = value(options, '\0', "shell").unwrap_or_else(|| "/usr/sbin/nologin".to_owned());
    let grouped = options.has_long("group");
    let place = home.clone().unwrap_or_else(|| "/nonexistent".to_owned());
    let mut words = vec!["-r", "-d", &place, "-s", &shell];
    if !grouped {
        words.extend(["-g", "nogroup"]);
    }
    if home.is_some() {
        words.push("-m");
    }
    let args: Vec<String> = words.into_iter().chain([name]).map(str::to_owned).collect();
    let made = useradd(&Call { name: "useradd", args: &args, ..*call });
    if made.status != 0 {
        return made;
    }
    let uid = named(call, name).map_or(100, |user| user.uid);
    let group = if grouped { format!("Adding new group `{name}' (GID {uid}) ...\n") } else { String::new() };
    let of = if grouped { name } else { "nogroup" };
    let end = match home {
        Some(home) => format!("Creating home directory `{home}' ...\n"),
        None => "Not creating `/nonexistent'.\n".to_owned(),
    };
    Said::out(format!(
        "Adding system user `{name}' (UID {uid}) ...\n{group}Adding new user `{name}' (UID {uid}) with group `{of}' ...\n{end}"
    ))
}

pub(super) fn deluser(call: &Call<'_>) -> Said {
    let names: Vec<&String> = call.args.iter().filter(|arg| !arg.starts_with('-')).collect();
    if let [user, group] = names[..] {
        return super::memberships::leave(call, user, group);
    }
    let Some(name) = names.first().copied() else {
        return Said::err("deluser: Only one or two names allowed.\n", 1);
    };
    if named(call, name).is_some_and(|user| user.uid == 0)
        && !call.args.iter().any(|arg| arg == "--no-preserve-root")
    {
        return Said {
            status: 9,
            ..Said::out(
                "WARNING: You are just about to delete the root account (uid 0)\nUsually this is never required as it may render the whole system unusable\nIf you really want this, call deluser with parameter --no-preserve-root\nStopping now without having performed any action\n",
            )
        };
    }
    if named(call, name).is_none() {
        return Said::err(format!("deluser: The user `{name}' does not exist.\n"), 2);
    }
    let args = [name.clone()];
    userdel(&Call { name: "userdel", args: &args, ..*call });
    Said::out(format!("Removing crontab ...\nRemoving user `{name}' ...\nDone.\n"))
}
