//! The programs whose every byte is looked at: one table, one file per subject.

mod accounts;
mod activity;
mod aging;
mod answers;
mod applets;
mod asking;
mod attributes;
mod becoming;
mod blocks;
mod busybox;
mod calc;
mod call;
mod complaint;
mod compressing;
mod configured;
pub(super) mod connections;
mod copying;
mod counting;
mod crontab;
mod curl;
mod cutting;
pub(super) mod dash;
mod dates;
mod dd;
mod describing;
mod diff;
mod digests;
mod disks;
mod dmidecode;
mod dumps;
mod encoding;
mod facts;
pub(super) mod finding;
mod firewall;
mod getopt;
mod git;
mod groups;
mod hardware;
mod heads;
mod history;
mod input;
mod inspecting;
mod interpreters;
mod ip;
mod kernel_lists;
mod keygen;
mod libraries;
mod linking;
mod listing;
mod locking;
mod lookups;
mod making;
mod memberships;
mod mounting;
mod multiplexers;
mod namei;
mod names;
mod network;
mod nodes;
mod opened;
mod openssl;
mod outward;
mod owners;
mod packages;
mod patch;
mod paths;
mod patterns;
mod pci;
mod ping;
mod priorities;
mod processors;
mod ps;
mod pstree;
mod quoting;
mod refusal;
mod registry;
mod removing;
mod reports;
mod repository;
mod reversing;
mod running;
mod signals;
mod sizing;
mod smartcols;
mod sockets;
mod sources;
mod space;
mod starting;
mod stat;
mod suggestions;
mod systemd;
mod table;
mod tar;
mod targets;
mod tee;
mod tftp;
mod topics;
mod touching;
mod transfer;
mod translating;
mod unheard;
mod unzip;
mod usage;
mod usage_of_disk;
mod users;
mod uuencode;
mod wget;
mod whereis;
mod working;
mod wrapping;

use call::Options;
pub(in crate::shell) use call::{Call, Run, Said, learn};
pub(super) use packages::program_of_package;
pub(super) use refusal::awk as awk_refusal;
pub(super) use registry::{PACKAGED, REGISTRY, Unknown, beyond_the_image, session_of};
pub(super) use running::top as top_once;
use table::COMMANDS;
pub(super) use topics::of_builtin;

use super::{environment, session::Session};

/// Programs that bash has built in: they need no file.
const BUILT_IN: &[&str] = &["enable", "fc", "help", "history"];

/// The program of this name, if it is one of ours.
pub(super) fn find(name: &str) -> Option<Run> {
    let index = COMMANDS.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    COMMANDS.get(index).map(|(_, run)| *run)
}

/// The program of this name that is meant by a path or by busybox: the shell may have its own of that name.
fn by_path(name: &str) -> Option<Run> {
    match name {
        "kill" => Some(Run::Now(signals::kill)),
        name => find(name),
    }
}

/// Programs that begin their messages with the word they were called by, path and all.
const NAMED_AS_CALLED: &[&str] = &[
    "arch",
    "base64",
    "basename",
    "cat",
    "chgrp",
    "chmod",
    "chown",
    "cp",
    "cut",
    "date",
    "df",
    "dir",
    "dirname",
    "du",
    "env",
    "find",
    "groups",
    "head",
    "hostid",
    "id",
    "install",
    "kill",
    "ln",
    "ls",
    "md5sum",
    "mkdir",
    "mkfifo",
    "mktemp",
    "mv",
    "nohup",
    "nproc",
    "od",
    "readlink",
    "realpath",
    "rm",
    "rmdir",
    "seq",
    "sha1sum",
    "sha256sum",
    "sleep",
    "sort",
    "stat",
    "tail",
    "tar",
    "tee",
    "touch",
    "tr",
    "truncate",
    "tty",
    "uname",
    "uniq",
    "unlink",
    "uptime",
    "wc",
    "who",
    "whoami",
    "xargs",
    "yes",
];

/// Messages of a program that was called by its path.
pub(super) fn as_called(mut said: Said, name: &str, called: &str) -> Said {
    if called == name || said.err.is_empty() || !NAMED_AS_CALLED.contains(&name) {
        return said;
    }
    let text = String::from_utf8_lossy(&said.err).into_owned();
    let (begin, try_begin) = (format!("{name}: "), format!("Try '{name} "));
    said.err = text
        .split_inclusive('\n')
        .map(|line| match (line.strip_prefix(&begin), line.strip_prefix(&try_begin)) {
            (Some(rest), _) => format!("{called}: {rest}"),
            (None, Some(rest)) => format!("Try '{called} {rest}"),
            (None, None) => line.to_owned(),
        })
        .collect::<String>()
        .into_bytes();
    said
}

/// Whether a process of this number runs; a signal that ends it ends what the visitor has started.
pub(super) fn process_exists(session: &Session, pid: u64, signal: u8) -> bool {
    let call = Call {
        session,
        name: "kill",
        args: &[],
        cwd: "/",
        vars: None,
        stdin: None,
        to_terminal: false,
        applet: false,
    };
    let exists = running::exists(&call, pid);
    if exists && !matches!(signal, 0 | 17 | 18) {
        running::end(&call, &[u32::try_from(pid).unwrap_or(0)], signal);
    }
    exists
}

/// Programs of ours that refuse an option in exactly the words that are recorded.
const STRICT: &[&str] = &[
    "apt-cache",
    "chfn",
    "chsh",
    "free",
    "hostname",
    "hostnamectl",
    "journalctl",
    "killall",
    "lastlog",
    "locale",
    "lsblk",
    "lscpu",
    "modinfo",
    "modprobe",
    "mount",
    "pgrep",
    "pkill",
    "rmmod",
    "sysctl",
    "systemctl",
    "timedatectl",
    "top",
    "umount",
    "uptime",
    "vmstat",
    "w",
    "wget",
];

/// What a call says that only asks what the program is, or asks for what it does not have.
pub(super) fn help(call: &Call<'_>) -> Option<Said> {
    if call.applet {
        let asks = matches!(call.args, [only] if only == "--help" || only == "--version");
        return if asks { usage::said(call) } else { None };
    }
    match call.args {
        [] => return None,
        [only] if only == "--help" || only == "--version" => return usage::said(call),
        [only] if only == "-V" || only == "-v" => {
            let (asked, version) =
                (usage::exactly(call.name, only)?, usage::exactly(call.name, "--version")?);
            if asked.out == version.out && !asked.out.is_empty() {
                return Some(asked);
            }
        }
        _ => {}
    }
    if matches!(call.name, "getconf" | "kill" | "killall" | "locale" | "ps" | "top")
        && let Some(said) = usage::exactly(call.name, &call.args.join(" "))
    {
        return Some(said);
    }
    let strict = call.args.iter().any(|arg| arg.starts_with('-')) && STRICT.contains(&call.name);
    if strict { usage::refusal(call.name, call.args) } else { None }
}

/// What a program says to `--help` or `--version` on standard output.
pub(super) fn about(name: &str, option: &str) -> Option<Vec<u8>> {
    usage::of(name, &[option.to_owned()], false).map(|said| said.out)
}

/// What sed says that is given no script, or an option that it does not have.
pub(super) fn usage_of_sed() -> String {
    let said = usage::exactly("sed", "").unwrap_or_default();
    String::from_utf8_lossy(&[said.out, said.err].concat()).into_owned()
}

/// Whether the file of a program is (still) there.
pub(super) fn is_installed(session: &Session, name: &str) -> bool {
    BUILT_IN.contains(&name)
        || ["/usr/bin/", "/usr/sbin/"]
            .iter()
            .any(|dir| session.files().lstat(&format!("{dir}{name}")).is_ok())
}

/// Whether the shell finds a program of this name along `path`, its `PATH`; `None`: the one that it started with.
pub(super) fn is_reachable(session: &Session, name: &str, path: Option<&str>) -> bool {
    let first = environment::path_of(session.launch.account.uid);
    let mut path = path.unwrap_or(first);
    // `sudo` has a path of its own.
    if path == first && session.who().uid == 0 {
        path = environment::path_of(0);
    }
    let cwd = session.cwd.lock().clone();
    BUILT_IN.contains(&name)
        || path.split(':').take(64).any(|dir| {
            session.files().lstat(&session.files().resolve(&cwd, &format!("{dir}/{name}"))).is_ok()
        })
}

/// The file behind the name of a program.
pub(super) fn program_file(session: &Session, name: &str) -> String {
    let files = session.files();
    let candidate =
        ["/usr/bin/", "/usr/sbin/"].iter().map(|dir| format!("{dir}{name}")).find(|path| files.exists(path));
    candidate.and_then(|path| files.real_path(&path).ok()).unwrap_or_else(|| "/usr/bin/bash".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_searched() {
        assert!(COMMANDS.is_sorted_by_key(|(name, _)| *name));
    }
}
