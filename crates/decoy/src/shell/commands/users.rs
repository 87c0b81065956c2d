//! Accounts made and changed: `useradd`, `userdel`, `usermod`, `groupadd`, `groupdel`, `adduser`, `deluser` (passwd 4.13).
//!
//! The files are the truth: `/etc/passwd`, `/etc/shadow`, `/etc/group` of the visitor's layer.

mod useradd;
mod usermod;

use super::{Call, Options, Said, usage};
use crate::machine::files::Owner;
pub(super) use useradd::useradd;
pub(super) use usermod::usermod;

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
