//! Passwords: `passwd`, `chpasswd`; and `nohup`.

use futures::{FutureExt as _, future::BoxFuture};

use super::{
    Call, Said,
    aging::{self, Given, misused},
    openssl::passwords::{self, Scheme},
    usage, users,
};
use crate::shell::io::{Input, Out};

/// Reads one line from the terminal without showing it.
pub(super) async fn secret(input: &Input) -> Option<String> {
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
        let asked = match aging::passwd(call) {
            Ok(asked) => asked,
            Err(said) => return said,
        };
        let own = call.session.user_name();
        let name = asked.unwrap_or_else(|| own.clone());
        if users::named(call, &name).is_none() {
            return Said::err(format!("passwd: user '{name}' does not exist\n"), 1);
        }
        if name != own && !call.is_root() {
            return Said::err(
                format!("passwd: You may not view or modify password information for {name}.\n"),
                1,
            );
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
        const LONG: [(&str, char); 6] = [
            ("crypt-method", 'c'),
            ("encrypted", 'e'),
            ("help", 'h'),
            ("md5", 'm'),
            ("root", 'R'),
            ("sha-rounds", 's'),
        ];
        let given = match Given::of(call.args, "ehm", "cRs", &LONG) {
            Ok(given) => given,
            Err(what) => return misused("chpasswd", &format!("chpasswd: {what}\n"), 2),
        };
        if given.has('h') {
            return usage::of("chpasswd", &["--help".to_owned()], false).unwrap_or_default();
        }
        let method = given.value('c').map(str::to_ascii_uppercase);
        if let Some(method) = &method
            && !["NONE", "DES", "MD5", "SHA256", "SHA512", "YESCRYPT"].contains(&method.as_str())
        {
            return misused("chpasswd", &format!("chpasswd: unsupported crypt method: {method}\n"), 2);
        }
        if !call.is_root() {
            return Said::err("chpasswd: Permission denied.\n", 1);
        }
        let scheme = match method.as_deref() {
            Some("MD5") => Some(Scheme::Md5),
            Some("SHA256") => Some(Scheme::Sha256),
            Some("SHA512") => Some(Scheme::Sha512),
            _ => given.has('m').then_some(Scheme::Md5),
        };
        let plain = given.has('e') || method.as_deref() == Some("NONE");
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
                    if plain || scheme.is_some() {
                        let hash = scheme.filter(|_| !plain).map_or_else(
                            || password.to_owned(),
                            |scheme| passwords::hash(scheme, password.as_bytes(), &passwords::salt(&rand::random::<[u8; 16]>())),
                        );
                        users::change_shadow(call, name, &hash);
                        if !plain {
                            call.session.contact.visitor.set_password(name, password);
                        }
                    } else {
                        change(call, name, password);
                    }
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

pub(super) fn nohup(call: &Call<'_>) -> Result<Vec<String>, Said> {
    let words: Vec<String> = call.args.iter().skip_while(|arg| *arg == "--").cloned().collect();
    if words.is_empty() {
        return Err(Said::err("nohup: missing operand\nTry 'nohup --help' for more information.\n", 125));
    }
    // It tells what it does about a terminal (nohup.c): the keys are not read, the screen is not written to.
    if call.session.launch.tty.is_none() || call.applet {
        return Ok(words);
    }
    let exists = words.first().is_some_and(|program| match program.contains('/') {
        true => call.files().exists(&call.path(program)),
        false => super::is_reachable(call.session, program, call.var("PATH").as_deref()),
    });
    let (out, err) = call.session.redirected();
    let (said, to) = match (call.to_terminal && !out, err) {
        (true, false) => (" and appending output to 'nohup.out'", " >> nohup.out 2>&1"),
        (true, true) => (" and appending output to 'nohup.out'", " >> nohup.out"),
        (false, false) if out => (" and redirecting stderr to stdout", " 2>&1"),
        (false, _) => ("", ""),
    };
    let quoted = |word: &str| format!("'{}'", word.replace('\'', "'\\''"));
    let command: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    let said = quoted(&format!("nohup: ignoring input{said}"));
    let to = if exists { to } else { "" };
    Ok(vec!["eval".to_owned(), format!("printf '%s\\n' {said} >&2; {}{to}", command.join(" "))])
}
