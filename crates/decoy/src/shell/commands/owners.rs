//! Whose files are: `chown` and `chgrp` (GNU coreutils 9.1, busybox 1.35).

use super::{
    Call, Said,
    getopt::{self, Given},
    nodes,
    quoting::{curled, quoted},
};
use crate::machine::{Attributes, FileError, files::Kind};

pub(super) fn chown(call: &Call<'_>) -> Said {
    match work(call) {
        Ok(said) | Err(said) => said,
    }
}

/// Who is to have it: numbers, and the words for them.
#[derive(Default)]
struct Owner {
    uid: Option<u32>,
    gid: Option<u32>,
    shown: String,
}

fn group_of(call: &Call<'_>, text: &str) -> Option<u32> {
    let groups = call.identity().groups();
    groups.iter().find(|(known, ..)| known == text).map(|(_, gid, _)| *gid).or_else(|| text.parse().ok())
}

fn user_of(call: &Call<'_>, text: &str) -> Option<u32> {
    call.identity().user(text).map(|user| user.uid).or_else(|| text.parse().ok())
}

/// What `USER`, `USER:GROUP`, `USER:`, `:GROUP` mean; `.` is an old way of writing the colon.
fn owner(call: &Call<'_>, text: &str, said: &mut Said) -> Result<Owner, Said> {
    let invalid = |what: &str| Said::err(format!("{}: invalid {what}: {}\n", call.name, curled(text)), 1);
    if call.name == "chgrp" {
        let gid =
            if text.is_empty() { None } else { Some(group_of(call, text).ok_or_else(|| invalid("group"))?) };
        return Ok(Owner { gid, uid: None, shown: text.to_owned() });
    }
    let dotted = !text.contains(':') && user_of(call, text).is_none();
    let (user, group) = match text.split_once(if dotted { '.' } else { ':' }) {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let uid = match user {
        "" => None,
        user => Some(user_of(call, user).ok_or_else(|| invalid("user"))?),
    };
    let gid = match (group, uid) {
        (None, _) | (Some(""), None) => None,
        // The group that they have when they log in.
        (Some(""), Some(uid)) => match call.identity().account_by_uid(uid).map(|user| user.gid) {
            Some(gid) => Some(gid),
            None => return Err(invalid("spec")),
        },
        (Some(group), _) => Some(group_of(call, group).ok_or_else(|| invalid("group"))?),
    };
    if dotted && group.is_some() && !call.applet {
        said.err.extend(format!("{}: warning: '.' should be ':': {}\n", call.name, curled(text)).bytes());
    }
    let shown = match (group, gid) {
        (Some(""), Some(gid)) => format!("{user}:{}", group_name(call, gid)),
        (Some(group), _) => format!("{user}:{group}"),
        (None, _) => user.to_owned(),
    };
    Ok(Owner { uid, gid, shown })
}

fn group_name(call: &Call<'_>, gid: u32) -> String {
    let groups = call.identity().groups();
    groups.into_iter().find(|(_, id, _)| *id == gid).map_or_else(|| gid.to_string(), |(name, ..)| name)
}

fn user_name(call: &Call<'_>, uid: u32) -> String {
    call.session.name_of(uid).unwrap_or_else(|| uid.to_string())
}

fn work(call: &Call<'_>) -> Result<Said, Said> {
    let given = getopt::cut(call, &["--no-preserve-root"], 1)?;
    let name = call.name;
    let mut said = Said::default();
    let (wanted, operands) = match (given.value("reference"), given.operands.as_slice()) {
        (None, []) | (Some(_), []) => return Err(getopt::misused(call, "missing operand", 1)),
        (None, [whom]) => {
            return Err(getopt::misused(call, &format!("missing operand after {}", curled(whom)), 1));
        }
        (Some(reference), operands) => {
            let node = call.files().stat(&call.path(reference)).map_err(|error| {
                let what = format!("failed to get attributes of {}", quoted(reference));
                Said::err(format!("{name}: {what}: {}\n", error.errno_text()), 1)
            })?;
            let (user, group) = (user_name(call, node.uid), group_name(call, node.gid));
            let owner = if name == "chgrp" {
                Owner { uid: None, gid: Some(node.gid), shown: group }
            } else {
                Owner { uid: Some(node.uid), gid: Some(node.gid), shown: format!("{user}:{group}") }
            };
            (owner, operands)
        }
        (None, [whom, operands @ ..]) => (owner(call, whom, &mut said)?, operands),
    };
    let from = given.value("from").map(|text| owner(call, text, &mut said)).transpose()?;
    for operand in operands {
        one(call, &given, &wanted, from.as_ref(), operand, &mut said);
    }
    Ok(said)
}

fn one(call: &Call<'_>, given: &Given, wanted: &Owner, from: Option<&Owner>, operand: &str, said: &mut Said) {
    let (name, path) = (call.name, call.path(operand));
    let follows = !given.has("no-dereference");
    let silent = given.has("silent");
    let found = if follows { call.files().stat(&path) } else { call.files().lstat(&path) };
    if let Err(error) = found {
        let dangling = call.files().lstat(&path).is_ok();
        let text = if call.applet {
            format!("{name}: {operand}: {}\n", error.errno_text())
        } else {
            let what = if dangling { "dereference" } else { "access" };
            format!("{name}: cannot {what} {}: {}\n", quoted(operand), error.errno_text())
        };
        if !silent {
            said.err.extend(text.bytes());
        }
        said.status = 1;
        return;
    }
    if given.has("recursive") && path == "/" && !given.has("no-preserve-root") && given.has("preserve-root") {
        said.err.extend(
            format!("{name}: it is dangerous to operate recursively on '/'\n{name}: use --no-preserve-root to override this failsafe\n")
                .bytes(),
        );
        said.status = 1;
        return;
    }
    // From the bottom up.
    let mut paths = if given.has("recursive") { nodes::below(call, &path) } else { vec![path.clone()] };
    paths.reverse();
    for each in paths {
        let Ok(node) = call.files().lstat(&each) else { continue };
        if node.kind == Kind::Symlink && given.has("recursive") {
            continue;
        }
        let node = if follows { call.files().stat(&each).unwrap_or(node) } else { node };
        let shown = if each == path {
            operand.to_owned()
        } else {
            let rest = each.strip_prefix(&path).unwrap_or(&each);
            format!("{}/{}", operand.trim_end_matches('/'), rest.trim_start_matches('/'))
        };
        let is_from = |from: &Owner| {
            from.uid.is_none_or(|uid| uid == node.uid) && from.gid.is_none_or(|gid| gid == node.gid)
        };
        if !from.is_none_or(is_from) {
            if given.has("verbose") {
                said.out.extend(told(call, wanted, &shown, &node).bytes());
            }
            continue;
        }
        // A link itself keeps its owner here: nothing follows it.
        let is_link = node.kind == Kind::Symlink && !follows;
        let done = if is_link {
            Ok(())
        } else if call.is_root() {
            call.files().set_owner(&each, wanted.uid, wanted.gid)
        } else {
            Err(FileError::NotPermitted)
        };
        match done {
            Err(error) => {
                let what = if name == "chgrp" { "group" } else { "ownership" };
                if !silent {
                    said.err.extend(
                        format!("{name}: changing {what} of {}: {}\n", quoted(&shown), error.errno_text())
                            .bytes(),
                    );
                }
                said.status = 1;
            }
            Ok(()) => {
                let changed = wanted.uid.is_some_and(|uid| uid != node.uid)
                    || wanted.gid.is_some_and(|gid| gid != node.gid);
                if given.has("verbose") || given.has("changes") && changed {
                    said.out.extend(told(call, wanted, &shown, &node).bytes());
                }
            }
        }
    }
}

/// What `-v` says of one file.
fn told(call: &Call<'_>, wanted: &Owner, shown: &str, node: &Attributes) -> String {
    let (user, group) = (user_name(call, node.uid), group_name(call, node.gid));
    let (what, old) = match (wanted.uid, wanted.gid) {
        (Some(_), Some(_)) => ("ownership", format!("{user}:{group}")),
        (None, Some(_)) if call.name == "chgrp" => ("group", group),
        // Only the group of both is to change: both are shown.
        (None, Some(_)) => ("ownership", format!("{user}:{group}")),
        (_, None) => ("ownership", user),
    };
    let changed =
        wanted.uid.is_some_and(|uid| uid != node.uid) || wanted.gid.is_some_and(|gid| gid != node.gid);
    if changed {
        format!("changed {what} of {} from {old} to {}\n", quoted(shown), wanted.shown)
    } else {
        format!("{what} of {} retained as {old}\n", quoted(shown))
    }
}
