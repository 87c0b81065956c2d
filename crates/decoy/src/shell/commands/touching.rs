//! `touch` by the machine's clock (GNU coreutils 9.1, busybox 1.35).

use std::time::SystemTime;

use super::{
    Call, Said, dates,
    getopt::{self, Given},
    quoting::{curled, quoted},
};
use crate::machine::Access;

pub(super) fn touch(call: &Call<'_>) -> Said {
    match work(call) {
        Ok(said) | Err(said) => said,
    }
}

/// The times of access and of change that files get; `None`: now.
type Times = (Option<SystemTime>, Option<SystemTime>);

fn times(call: &Call<'_>, given: &Given) -> Result<Times, Said> {
    let invalid = |text: &str| Said::err(format!("{}: invalid date format {}\n", call.name, curled(text)), 1);
    let (reference, stamp) = (given.value("reference"), given.value("t"));
    if stamp.is_some() && (reference.is_some() || given.has("date")) {
        return Err(getopt::misused(call, "cannot specify times from more than one source", 1));
    }
    let mut times = (None, None);
    if let Some(name) = reference {
        let node = call.files().stat(&call.path(name)).map_err(|error| {
            let text = format!(
                "{}: failed to get attributes of {}: {}\n",
                call.name,
                quoted(name),
                error.errno_text()
            );
            Said::err(text, 1)
        })?;
        times = (Some(node.atime), Some(node.mtime));
    }
    if let Some(text) = given.value("date") {
        let time: SystemTime = dates::moment(call, text).ok_or_else(|| invalid(text))?.into();
        times = (Some(time), Some(time));
    }
    if let Some(text) = stamp {
        let time: SystemTime = dates::stamped(call, text).ok_or_else(|| invalid(text))?.into();
        times = (Some(time), Some(time));
    }
    Ok(times)
}

fn work(call: &Call<'_>) -> Result<Said, Said> {
    let given = getopt::cut(call, &["-f"], 1)?;
    let mut which = (given.has("a"), given.has("m"));
    if let Some(word) = given.value("time") {
        const WORDS: &[&[&str]] = &[&["atime", "access", "use"], &["mtime", "modify"]];
        match getopt::choice(call, "--time", word, WORDS)? {
            "atime" => which.0 = true,
            _ => which.1 = true,
        }
    }
    if which == (false, false) {
        which = (true, true);
    }
    let times = times(call, &given)?;
    if given.operands.is_empty() {
        return Err(getopt::misused(call, "missing file operand", 1));
    }
    let (who, now, mut said) = (call.session.who(), call.now(), Said::default());
    for operand in &given.operands {
        let path = call.path(operand);
        let exists = call.files().exists(&path);
        if !exists && (given.has("no-create") || given.has("no-dereference")) {
            if given.has("no-dereference") && !given.has("no-create") {
                let text = format!(
                    "{}: setting times of {}: No such file or directory\n",
                    call.name,
                    quoted(operand)
                );
                said.err.extend(text.bytes());
                said.status = 1;
            }
            continue;
        }
        let done = call.files().may(who.uid, who.gid, &path, Access::Write).and_then(|()| {
            if !exists {
                call.files().write(&path, b"", &who, 0o666 & !call.session.umask())?;
            }
            call.files().set_times(
                &path,
                which.0.then(|| times.0.unwrap_or(now)),
                which.1.then(|| times.1.unwrap_or(now)),
            )
        });
        if let Err(error) = done {
            let text = if call.applet {
                format!("touch: {operand}: {}\n", error.errno_text())
            } else {
                format!("touch: cannot touch {}: {}\n", quoted(operand), error.errno_text())
            };
            said.err.extend(text.bytes());
            said.status = 1;
        }
    }
    Ok(said)
}
