//! `groupadd`, `groupdel`, and Debian's `adduser` and `deluser` (passwd 4.13, adduser 3.134).

use super::{
    Call, Options, Said, usage,
    users::{
        LONG_VALUED, add_to_group, append, denied, groups, joined, lines, named, save, useradd, userdel,
        value,
    },
};

pub(super) fn groupadd(call: &Call<'_>) -> Said {
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
    let gid = value(&options, 'g', "gid").and_then(|text| text.parse().ok()).unwrap_or(next);
    append(call, "/etc/group", format!("{name}:x:{gid}:"));
    append(call, "/etc/gshadow", format!("{name}:!::"));
    Said::nothing(0)
}

pub(super) fn groupdel(call: &Call<'_>) -> Said {
    let Some(name) = call.args.iter().find(|arg| !arg.starts_with('-')) else {
        return usage::of("groupdel", &[], false).unwrap_or_default();
    };
    if !groups(call).iter().any(|(known, ..)| known == name) {
        return Said::err(format!("groupdel: group '{name}' does not exist\n"), 6);
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
        add_to_group(call, group, name);
        return Said::out(format!("Adding user `{name}' to group `{group}' ...\nDone.\n"));
    }
    if named(call, name).is_some() {
        return Said::err(format!("adduser: The user `{name}' already exists.\n"), 1);
    }
    let args = [name.clone(), "-m".to_owned(), "-s".to_owned(), "/bin/bash".to_owned()];
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

pub(super) fn deluser(call: &Call<'_>) -> Said {
    let Some(name) = call.args.iter().find(|arg| !arg.starts_with('-')) else {
        return Said::err("deluser: Only one or two names allowed.\n", 1);
    };
    if named(call, name).is_none() {
        return Said::err(format!("deluser: The user `{name}' does not exist.\n"), 2);
    }
    let args = [name.clone()];
    userdel(&Call { name: "userdel", args: &args, ..*call });
    Said::out(format!("Removing crontab ...\nRemoving user `{name}' ...\nDone.\n"))
}
