//! `whereis` (util-linux 2.38) and `lastlog` (shadow 4.13).

use super::{Call, Said};

/// Where programs lie.
const BINARIES: [&str; 12] = [
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib",
    "/usr/lib64",
    "/etc",
    "/usr/games",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/local/etc",
    "/usr/local/games",
    "/usr/include",
];

pub(super) fn whereis(call: &Call<'_>) -> Said {
    let options = call.options("BMSg");
    if options.operands.is_empty() {
        return Said::err("whereis: not enough arguments\nTry 'whereis --help' for more information.\n", 1);
    }
    let all = !options.has('b') && !options.has('m') && !options.has('s');
    let mut out = String::new();
    for operand in &options.operands {
        let name = operand.rsplit('/').next().unwrap_or(operand);
        let mut found: Vec<String> = Vec::new();
        if all || options.has('b') {
            for folder in BINARIES {
                found.extend(named(call, folder, name).into_iter().filter(|path| !path.ends_with(".gz")));
            }
            if call.files().is_dir(&format!("/usr/share/{name}")) {
                found.push(format!("/usr/share/{name}"));
            }
        }
        if all || options.has('m') {
            for section in 1..=8 {
                let folder = format!("/usr/share/man/man{section}");
                found.extend(named(call, &folder, name).into_iter().filter(|path| path.ends_with(".gz")));
            }
        }
        out += &format!("{name}:{}\n", found.iter().map(|path| format!(" {path}")).collect::<String>());
    }
    Said::out(out)
}

/// What has this name in a folder, with any ending.
fn named(call: &Call<'_>, folder: &str, name: &str) -> Vec<String> {
    let entries = call.files().list(folder).unwrap_or_default();
    let fits = |entry: &str| {
        entry == name
            || entry
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|rest| !rest.contains('.') || rest.ends_with(".gz"))
    };
    entries.iter().filter(|entry| fits(&entry.name)).map(|entry| format!("{folder}/{}", entry.name)).collect()
}

/// Everybody, and when they were here last: only who is here now was.
pub(super) fn lastlog(call: &Call<'_>) -> Said {
    let mut out = format!("{:<16} {:<8} {:<42} {}\n", "Username", "Port", "From", "Latest");
    let passwd = call.files().read("/etc/passwd").unwrap_or_default();
    let since: chrono::DateTime<chrono::Utc> = call.session.started.into();
    let options = call.options("utb");
    if let Some(wanted) = options.value('u') {
        let text = String::from_utf8_lossy(&passwd);
        let is_range = wanted.chars().all(|c| c.is_ascii_digit() || c == '-');
        if !is_range && !text.lines().any(|line| line.split(':').next() == Some(wanted)) {
            return Said::err(format!("lastlog: Unknown user or range: {wanted}\n"), 1);
        }
    }
    for line in String::from_utf8_lossy(&passwd).lines() {
        let user = line.split(':').next().unwrap_or_default();
        if options.value('u').is_some_and(|wanted| wanted != user) {
            continue;
        }
        out += &match &call.session.launch.tty {
            Some(tty) if user == call.session.launch.account.name => format!(
                "{user:<16} {tty:<8} {:<42} {}\n",
                call.session.contact.peer.ip(),
                since.format("%a %b %e %H:%M:%S +0000 %Y")
            ),
            _ => format!("{user:<16} {:<8} {:<42} **Never logged in**\n", "", ""),
        };
    }
    Said::out(out)
}
