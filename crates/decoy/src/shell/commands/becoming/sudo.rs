//! `sudo` 1.9.13: who may, as whom, and what it says about itself.

use super::super::{Call, Said, is_installed, program_file, usage, users};
use super::{as_user, enter, quoted, variables};

/// What `sudo -V` says to root; the machine's addresses come after it.
const VERSION: &str = include_str!("sudo.txt");

/// How sudo is called.
#[derive(Default)]
struct Sudo {
    user: Option<String>,
    group: Option<String>,
    other: Option<String>,
    list: bool,
    login: bool,
    shell: bool,
    edit: bool,
    validate: bool,
    forget: bool,
    version: bool,
    help: bool,
    /// An option that the rules do not let anybody use.
    barred: Option<char>,
    vars: Vec<(String, String)>,
    command: Vec<String>,
}

/// Long options, each with its letter.
const LONG: [(&str, char); 27] = [
    ("askpass", 'A'),
    ("background", 'b'),
    ("bell", 'B'),
    ("chdir", 'D'),
    ("chroot", 'R'),
    ("close-from", 'C'),
    ("command-timeout", 'T'),
    ("edit", 'e'),
    ("group", 'g'),
    ("help", 'h'),
    ("host", 'H'),
    ("list", 'l'),
    ("login", 'i'),
    ("non-interactive", 'n'),
    ("other-user", 'U'),
    ("preserve-env", 'E'),
    ("preserve-groups", 'P'),
    ("prompt", 'p'),
    ("remove-timestamp", 'K'),
    ("reset-timestamp", 'k'),
    ("role", 'r'),
    ("set-home", 'H'),
    ("shell", 's'),
    ("stdin", 'S'),
    ("user", 'u'),
    ("validate", 'v'),
    ("version", 'V'),
];

fn misused(what: &str) -> Said {
    let help = usage::of("sudo", &["-h".to_owned()], false).unwrap_or_default();
    let text = String::from_utf8_lossy(&help.out).into_owned();
    let lines =
        text.lines().skip_while(|line| !line.starts_with("usage:")).take_while(|line| !line.is_empty());
    Said::err(what.to_owned() + &lines.map(|line| format!("{line}\n")).collect::<String>(), 1)
}

impl Sudo {
    fn of(args: &[String]) -> Result<Self, Said> {
        let mut sudo = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.clone().next() {
            let Some(option) = arg.strip_prefix('-').filter(|option| !option.is_empty()) else {
                match arg.split_once('=') {
                    Some((name, value)) if !name.is_empty() && !name.contains('/') => {
                        sudo.vars.push((name.to_owned(), value.to_owned()));
                        args.next();
                        continue;
                    }
                    _ => break,
                }
            };
            args.next();
            if option == "-" {
                break;
            }
            if let Some(long) = option.strip_prefix('-') {
                let (name, value) =
                    long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
                let Some((_, letter)) = LONG.iter().find(|(known, _)| known.starts_with(name)) else {
                    return Err(misused(&format!("sudo: unrecognized option '--{name}'\n")));
                };
                let value = match value {
                    Some(value) => Some(value.to_owned()),
                    None if "uUgpCDRTrt".contains(*letter) => args.next().cloned(),
                    None => None,
                };
                sudo.take(*letter, value);
                continue;
            }
            let mut letters = option.chars();
            while let Some(letter) = letters.next() {
                if "uUgpCDRTrt".contains(letter) || letter == 'h' && !letters.as_str().is_empty() {
                    let rest: String = letters.by_ref().collect();
                    let value = if rest.is_empty() { args.next().cloned() } else { Some(rest) };
                    if value.is_none() {
                        return Err(misused(&format!("sudo: option requires an argument -- '{letter}'\n")));
                    }
                    sudo.take(letter, value);
                } else if "AbBEeHhiKklnPsSvV".contains(letter) {
                    sudo.take(letter, None);
                } else {
                    return Err(misused(&format!("sudo: invalid option -- '{letter}'\n")));
                }
            }
        }
        sudo.command = args.cloned().collect();
        Ok(sudo)
    }

    fn take(&mut self, letter: char, value: Option<String>) {
        match letter {
            'u' => self.user = value,
            'g' => self.group = value,
            'U' => self.other = value,
            'l' => self.list = true,
            'i' => self.login = true,
            's' => self.shell = true,
            'e' => self.edit = true,
            'v' => self.validate = true,
            'k' | 'K' => self.forget = true,
            'V' => self.version = true,
            'h' if value.is_none() => self.help = true,
            'D' | 'R' | 'T' => self.barred = Some(letter),
            _ => {}
        }
    }
}

/// Whether the rules let this user do anything: root, and the group `sudo`.
fn may(call: &Call<'_>, name: &str) -> bool {
    users::named(call, name).is_some_and(|user| user.uid == 0)
        || users::groups(call)
            .iter()
            .any(|(group, _, members)| group == "sudo" && members.iter().any(|one| one == name))
}

/// sudo 1.9.13p3: members of the group `sudo` may do anything once they have given their password; the machine was
/// set up without asking for it.
pub(in crate::shell::commands) fn sudo(call: &Call<'_>) -> Result<Vec<String>, Said> {
    let sudo = Sudo::of(call.args)?;
    if sudo.help {
        return Err(usage::of("sudo", &["-h".to_owned()], false).unwrap_or_default());
    }
    if sudo.version {
        return Err(version(call));
    }
    let own = call.session.user_name();
    if sudo.list {
        return Err(list(call, &sudo, &own));
    }
    let idle = sudo.command.is_empty() && !sudo.shell && !sudo.login;
    if idle && (sudo.forget || sudo.validate) {
        return Err(Said::nothing(0));
    }
    if idle || sudo.edit && sudo.command.is_empty() {
        return Err(misused(""));
    }
    let no_one = |what: &str| {
        Said::err(format!("sudo: unknown {what}\nsudo: error initializing audit plugin sudoers_audit\n"), 1)
    };
    let target = match sudo.user.as_deref() {
        None => "root".to_owned(),
        Some(name) => match name.strip_prefix('#') {
            Some(number) => match users::all(call).into_iter().find(|user| number.parse() == Ok(user.uid)) {
                Some(user) => user.name,
                None => return Err(Said::err(format!("sudo: unknown user {name}\n"), 1)),
            },
            None => name.to_owned(),
        },
    };
    let Some(user) = users::named(call, &target) else { return Err(no_one(&format!("user {target}"))) };
    let group = match &sudo.group {
        Some(name) => {
            let known = users::groups(call).into_iter();
            let number = name.strip_prefix('#').and_then(|number| number.parse::<u32>().ok());
            match known.into_iter().find(|(group, gid, _)| group == name || number == Some(*gid)) {
                Some((_, gid, _)) => gid,
                None => return Err(no_one(&format!("group {name}"))),
            }
        }
        None => user.gid,
    };
    if !may(call, &own) {
        return Err(Said::err(format!("{own} is not in the sudoers file.\n"), 1));
    }
    let first = sudo.command.first().cloned().unwrap_or_default();
    let name = first.rsplit('/').next().unwrap_or_default();
    let file = if first.contains('/') { first.clone() } else { program_file(call.session, name) };
    match sudo.barred {
        Some('T') => return Err(Said::err("sudo: sorry, you are not allowed set a command timeout\n", 1)),
        Some(letter) => {
            let shown = if letter == 'R' { &first } else { &file };
            let text = format!("sudo: you are not permitted to use the -{letter} option with {shown}\n");
            return Err(Said::err(text, 1));
        }
        None => {}
    }
    if idle_shell(&sudo) {
        enter(call, &users::User { gid: group, ..user }, None, sudo.login);
        return Err(Said::nothing(0));
    }
    // sudo finds files, not what the shell has built in.
    const ONLY_BUILT_IN: [&str; 14] = [
        "alias", "bg", "cd", "exit", "export", "fg", "help", "history", "jobs", "set", "source", "type",
        "ulimit", "unset",
    ];
    if ONLY_BUILT_IN.contains(&first.as_str()) {
        return Err(Said::err(format!("sudo: {first}: command not found\n"), 1));
    }
    let who = call.session.who();
    let is_other = user.uid != who.uid || group != who.gid;
    let looks = matches!(name, "env" | "printenv" | "sh" | "bash" | "dash") && call.stdin.is_none();
    if !is_other && !looks && sudo.vars.is_empty() && !sudo.login && !sudo.shell {
        return Ok(sudo.command);
    }
    let words: Vec<String> = sudo.command.iter().map(|word| quoted(word)).collect();
    let command = words.join(" ");
    let line = if sudo.login || sudo.shell {
        let change = if sudo.login { format!("cd {} && ", quoted(&user.home)) } else { String::new() };
        format!("({change}{command})")
    } else {
        command
    };
    let told = [file].into_iter().chain(sudo.command.iter().skip(1).cloned()).collect::<Vec<_>>().join(" ");
    let mut more = vec![
        ("SUDO_COMMAND", told),
        ("SUDO_USER", own),
        ("SUDO_UID", who.uid.to_string()),
        ("SUDO_GID", who.gid.to_string()),
    ];
    more.extend(sudo.vars.iter().map(|(name, value)| (name.as_str(), value.clone())));
    let assignments = if line.starts_with('(') { String::new() } else { variables(&user, &more) };
    Ok(as_user(call, user.uid, group, &(assignments + &line)))
}

/// `sudo -i` and `sudo -s` without a command: a shell, which is the one that is there.
fn idle_shell(sudo: &Sudo) -> bool {
    sudo.command.is_empty() && (sudo.login || sudo.shell)
}

fn version(call: &Call<'_>) -> Said {
    if !call.is_root() {
        return Said::out(
            "Sudo version 1.9.13p3\nSudoers policy plugin version 1.9.13p3\nSudoers file grammar version 50\nSudoers I/O plugin version 1.9.13p3\nSudoers audit plugin version 1.9.13p3\n",
        );
    }
    let identity = call.identity();
    let addresses = format!(
        "Local IP address and netmask pairs:\n\t{}/255.255.255.0\n\t{}/ffff:ffff:ffff:ffff::\n",
        identity.address, identity.link_local
    );
    Said::out(VERSION.replacen("Local IP address and netmask pairs:\n", &addresses, 1))
}

/// `sudo -l`.
fn list(call: &Call<'_>, sudo: &Sudo, own: &str) -> Said {
    let host = &call.identity().hostname;
    let name = sudo.other.as_deref().unwrap_or(own);
    if users::named(call, name).is_none() {
        return Said::err(format!("sudo: unknown user {name}\n"), 1);
    }
    if !may(call, own) {
        return Said::err(format!("Sorry, user {own} may not run sudo on {host}.\n"), 1);
    }
    if let Some(command) = sudo.command.first() {
        let bare = command.rsplit('/').next().unwrap_or_default();
        if !command.contains('/') && !is_installed(call.session, bare) {
            return Said::err(format!("sudo: {command}: command not found\n"), 1);
        }
        let file = if command.contains('/') { command.clone() } else { program_file(call.session, bare) };
        let words: Vec<String> = [file].into_iter().chain(sudo.command.iter().skip(1).cloned()).collect();
        return Said::out(words.join(" ") + "\n");
    }
    if !may(call, name) {
        return Said::out(format!("User {name} is not allowed to run sudo on {host}.\n"));
    }
    // What `/etc/sudoers.d/administrators` gives them.
    let more = if name == "root" { "" } else { "    (ALL) NOPASSWD: ALL\n" };
    Said::out(format!(
        "Matching Defaults entries for {name} on {host}:\n    env_reset, mail_badpass, secure_path=/usr/local/sbin\\:/usr/local/bin\\:/usr/sbin\\:/usr/bin\\:/sbin\\:/bin, use_pty\n\nUser {name} may run the following commands on {host}:\n    (ALL : ALL) ALL\n{more}"
    ))
}
