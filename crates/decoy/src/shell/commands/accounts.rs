//! Passwords and other users: `passwd`, `chpasswd`, `su`, `sudo`, `nohup`.

use futures::{FutureExt as _, future::BoxFuture};

use super::{Call, Said, users};
use crate::{
    machine::Login,
    shell::io::{Input, Out},
};

/// Reads one line from the terminal without showing it.
async fn secret(input: &Input) -> Option<String> {
    input.set_echo(false);
    let mut line = Vec::new();
    let got = loop {
        match input.read().await {
            Some(bytes) => {
                let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                line.extend_from_slice(bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default());
                if let Some(end) = end {
                    let rest = bytes.get(end + 1..).unwrap_or_default();
                    input.push(rest, usize::MAX);
                    break true;
                }
                if line.len() > 4096 {
                    break true;
                }
            }
            None => break false,
        }
    };
    input.set_echo(true);
    got.then(|| String::from_utf8_lossy(&line).into_owned())
}

/// Lines that are piped in, or typed.
pub(super) struct Lines<'a> {
    piped: Option<std::str::Lines<'a>>,
    terminal: Option<(crate::shell::Output, Input)>,
    /// Whether that is a terminal; anything else gives lines too, and shows no answer that would need a line of its own.
    is_tty: bool,
}

impl<'a> Lines<'a> {
    pub(super) fn of(call: &'a Call<'_>, text: &'a str) -> Self {
        let piped = call.stdin.map(|_| text.lines());
        let terminal = if piped.is_none() { call.session.channels.lock().clone() } else { None };
        Self { piped, terminal, is_tty: call.session.launch.tty.is_some() }
    }

    /// Shows a question and takes the answer.
    pub(super) async fn answer(&mut self, question: &str, said: &mut Said) -> Option<String> {
        if let Some(lines) = &mut self.piped {
            said.err.extend(question.bytes());
            return lines.next().map(str::to_owned);
        }
        let (output, input) = self.terminal.as_ref()?;
        output(Out::Stderr, question.as_bytes());
        let line = secret(input).await;
        if self.is_tty {
            output(Out::Stderr, b"\n");
        }
        line
    }
}

/// Debian's passwd 4.13 over PAM: root is not asked for the old password.
pub(super) fn passwd<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let mut said = Said::default();
        let options = call.options("");
        let own = call.session.user_name();
        let name = options.operands.first().cloned().unwrap_or_else(|| own.clone());
        if users::named(call, &name).is_none() {
            return Said::err(format!("passwd: user '{name}' does not exist\n"), 1);
        }
        if name != own && !call.is_root() {
            return Said::err(
                format!("passwd: You may not view or modify password information for {name}.\n"),
                1,
            );
        }
        if options.has('l') || options.has('u') || options.has('d') || options.has('e') {
            return Said::out("passwd: password changed.\n");
        }
        let text = String::from_utf8_lossy(call.stdin.unwrap_or_default()).into_owned();
        let mut lines = Lines::of(call, &text);
        if !call.is_root() {
            said.out.extend(format!("Changing password for {name}.\n").bytes());
            let Some(_) = lines.answer("Current password: ", &mut said).await else { return failed(said) };
        }
        // pam_unix asks again after an empty password.
        for _ in 0..3 {
            let Some(first) = lines.answer("New password: ", &mut said).await else { return aborted(said) };
            let Some(second) = lines.answer("Retype new password: ", &mut said).await else {
                return aborted(said);
            };
            if first != second {
                said.err.extend_from_slice(b"Sorry, passwords do not match.\n");
                return failed(said);
            }
            if !first.is_empty() {
                change(call, &name, &first);
                said.err.extend_from_slice(b"passwd: password updated successfully\n");
                return said;
            }
            said.err.extend_from_slice(b"No password has been supplied.\n");
        }
        failed(said)
    }
    .boxed()
}

/// The new password holds on every port, and `/etc/shadow` shows it.
fn change(call: &Call<'_>, name: &str, password: &str) {
    users::set_password(call, name, password);
    call.session.contact.visitor.set_password(name, password);
}

fn aborted(mut said: Said) -> Said {
    said.err.extend_from_slice(b"Password change has been aborted.\n");
    failed(said)
}

fn failed(mut said: Said) -> Said {
    said.err
        .extend_from_slice(b"passwd: Authentication token manipulation error\npasswd: password unchanged\n");
    said.status = 10;
    said
}

pub(super) fn chpasswd<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        if !call.is_root() {
            return Said::err("chpasswd: Permission denied.\n", 1);
        }
        let text = match call.stdin {
            Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            None => {
                let Some((_, input)) = call.session.channels.lock().clone() else { return Said::nothing(0) };
                let mut text = Vec::new();
                while let Some(bytes) = input.read().await {
                    text.extend_from_slice(&bytes);
                    if text.len() > 65_536 {
                        break;
                    }
                }
                String::from_utf8_lossy(&text).into_owned()
            }
        };
        let mut said = Said::default();
        for (number, line) in text.lines().enumerate() {
            let problem = match line.split_once(':') {
                None => "missing new password",
                Some((name, _)) if users::named(call, name).is_none() => {
                    let text = format!("chpasswd: (user {name}) pam_chauthtok() failed, error:\nAuthentication token manipulation error\nchpasswd: (line {}, user {name}) password not changed\n", number + 1);
                    said.err.extend(text.bytes());
                    said.status = 1;
                    continue;
                }
                Some((name, password)) => {
                    change(call, name, password);
                    continue;
                }
            };
            said.err.extend(format!("chpasswd: line {}: {problem}\n", number + 1).bytes());
            said.status = 1;
        }
        said
    }
    .boxed()
}

/// `su -c LINE` for who one is already: the line alone is run.
pub(super) fn su_command(call: &Call<'_>) -> Option<Vec<String>> {
    let options = call.options("cs");
    let name = options.operands.iter().find(|name| *name != "-").map_or("root", String::as_str);
    let line = options.value('c')?.to_owned();
    let user = users::named(call, name)?;
    (user.uid == call.session.who().uid).then(|| vec!["bash".to_owned(), "-c".to_owned(), line])
}

pub(super) fn su<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let options = call.options("cs");
        let name = options.operands.iter().find(|name| *name != "-").map_or("root", String::as_str).to_owned();
        let Some(user) = users::named(call, &name) else {
            return Said::err(format!("su: user {name} does not exist or the user entry does not contain all the required fields\n"), 1);
        };
        if !call.is_root() {
            let mut said = Said::default();
            let text = String::from_utf8_lossy(call.stdin.unwrap_or_default()).into_owned();
            let password = Lines::of(call, &text).answer("Password: ", &mut said).await.unwrap_or_default();
            if !matches!(call.session.contact.visitor.log_in(&name, &password), Login::Accepted(_)) {
                said.err.extend_from_slice(b"su: Authentication failure\n");
                said.status = 1;
                return said;
            }
        }
        if user.shell.ends_with("/nologin") || user.shell.ends_with("/false") {
            return Said::err("This account is currently not available.\n", 1);
        }
        call.session.become_user(user.uid, user.gid);
        Said::nothing(0)
    }
    .boxed()
}

/// sudo 1.9.13p3: members of the group `sudo` may do anything once they have given their password; the machine was
/// set up without asking for it.
pub(super) fn sudo(call: &Call<'_>) -> Result<Vec<String>, Said> {
    let mut args = call.args.iter();
    let mut words: Vec<String> = Vec::new();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-u" | "-g" | "-p" | "-h" | "-C" | "-U" => {
                args.next();
            }
            "-l" | "--list" => {
                let host = &call.identity().hostname;
                let user = call.session.user_name();
                let text = format!(
                    "Matching Defaults entries for {user} on {host}:\n    env_reset, mail_badpass, secure_path=/usr/local/sbin\\:/usr/local/bin\\:/usr/sbin\\:/usr/bin\\:/sbin\\:/bin\n\nUser {user} may run the following commands on {host}:\n    (ALL : ALL) ALL\n"
                );
                return Err(Said::out(text));
            }
            "-V" | "--version" => {
                return Err(Said::out(
                    "Sudo version 1.9.13p3\nSudoers policy plugin version 1.9.13p3\nSudoers file grammar version 50\nSudoers I/O plugin version 1.9.13p3\nSudoers audit plugin version 1.9.13p3\n",
                ));
            }
            "-i" | "-s" | "-n" | "-S" | "-E" | "-H" | "-k" | "-K" | "-v" | "-b" | "--" => {}
            assignment if words.is_empty() && assignment.contains('=') && !assignment.starts_with('-') => {}
            _ => {
                words.push(arg.clone());
                words.extend(args.cloned());
                break;
            }
        }
    }
    if !call.is_root()
        && !call
            .identity()
            .groups()
            .iter()
            .any(|(name, _, members)| name == "sudo" && members.contains(&call.session.user_name()))
    {
        return Err(Said::err(format!("{} is not in the sudoers file.\n", call.session.user_name()), 1));
    }
    if words.is_empty() {
        if call.args.is_empty() {
            return Err(Said::err(
                "usage: sudo -h | -K | -k | -V\nusage: sudo -v [-ABkNnS] [-g group] [-h host] [-p prompt] [-u user]\nusage: sudo -l [-ABkNnS] [-g group] [-h host] [-p prompt] [-U user] [-u user] [command [arg ...]]\nusage: sudo [-ABbEHkNnPS] [-r role] [-t type] [-C num] [-D directory] [-g group] [-h host] [-p prompt] [-R directory] [-T timeout] [-u user] [VAR=value] [-i | -s] [command [arg ...]]\nusage: sudo -e [-ABkNnS] [-r role] [-t type] [-C num] [-D directory] [-g group] [-h host] [-p prompt] [-R directory] [-T timeout] [-u user] file ...\n",
                1,
            ));
        }
        call.session.become_user(0, 0);
        return Err(Said::nothing(0));
    }
    // sudo finds files, not what the shell has built in.
    let only_built_in = |name: &str| {
        matches!(
            name,
            "history"
                | "cd"
                | "export"
                | "source"
                | "alias"
                | "exit"
                | "ulimit"
                | "set"
                | "unset"
                | "type"
                | "help"
                | "jobs"
        )
    };
    if let Some(name) = words.first().filter(|name| only_built_in(name)) {
        return Err(Said::err(format!("sudo: {name}: command not found\n"), 1));
    }
    Ok(words)
}

pub(super) fn nohup(call: &Call<'_>) -> Result<Vec<String>, Said> {
    let words: Vec<String> = call.args.iter().skip_while(|arg| *arg == "--").cloned().collect();
    if words.is_empty() {
        return Err(Said::err("nohup: missing operand\nTry 'nohup --help' for more information.\n", 125));
    }
    Ok(words)
}
