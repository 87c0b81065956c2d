//! `su` and `runuser` of util-linux 2.38.

use futures::{FutureExt as _, future::BoxFuture};

use super::super::{
    Call, Said,
    accounts::Lines,
    usage,
    users::{self, User},
};
use super::{as_user, enter, quoted, variables};
use crate::machine::Login;

/// How `su` and `runuser` are called.
#[derive(Default)]
struct Su {
    name: Option<String>,
    line: Option<String>,
    shell: Option<String>,
    login: bool,
    keeps: bool,
    /// `runuser -u`: the words are a command.
    direct: Option<String>,
    words: Vec<String>,
}

impl Su {
    fn of(call: &Call<'_>) -> Result<Self, Said> {
        const LONG: [(&str, char); 11] = [
            ("command", 'c'),
            ("fast", 'f'),
            ("group", 'g'),
            ("login", 'l'),
            ("preserve-environment", 'p'),
            ("pty", 'P'),
            ("session-command", 'c'),
            ("shell", 's'),
            ("supp-group", 'G'),
            ("user", 'u'),
            ("whitelist-environment", 'w'),
        ];
        let known = if call.name == "runuser" { "cfgGlmpPsuw" } else { "cfgGlmpPsw" };
        let refusal = |what: String| {
            Said::err(format!("{0}: {what}\nTry '{0} --help' for more information.\n", call.name), 1)
        };
        let mut su = Self::default();
        let mut args = call.args.iter();
        let mut operands: Vec<String> = Vec::new();
        while let Some(arg) = args.next() {
            if arg == "-" {
                su.login = true;
                continue;
            }
            // Behind the user of `runuser -u` comes the command.
            let Some(option) = arg.strip_prefix('-').filter(|_| su.direct.is_none() || operands.is_empty())
            else {
                operands.push(arg.clone());
                if su.direct.is_some() {
                    operands.extend(args.by_ref().cloned());
                }
                continue;
            };
            if option == "-" {
                operands.extend(args.by_ref().cloned());
                break;
            }
            let mut found: Vec<(char, Option<String>)> = Vec::new();
            if let Some(long) = option.strip_prefix('-') {
                let (name, value) =
                    long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
                let Some((_, letter)) = LONG.iter().find(|(known, _)| known.starts_with(name)) else {
                    return Err(refusal(format!("unrecognized option '--{name}'")));
                };
                let value = value.map(str::to_owned);
                let value =
                    if "cgGsuw".contains(*letter) { value.or_else(|| args.next().cloned()) } else { None };
                found.push((*letter, value));
            } else {
                let mut letters = option.chars();
                while let Some(letter) = letters.next() {
                    if !known.contains(letter) {
                        return Err(refusal(format!("invalid option -- '{letter}'")));
                    }
                    if "cgGsuw".contains(letter) {
                        let rest: String = letters.by_ref().collect();
                        let value = if rest.is_empty() { args.next().cloned() } else { Some(rest) };
                        if value.is_none() {
                            return Err(refusal(format!("option requires an argument -- '{letter}'")));
                        }
                        found.push((letter, value));
                    } else {
                        found.push((letter, None));
                    }
                }
            }
            for (letter, value) in found {
                match letter {
                    'c' => su.line = value,
                    's' => su.shell = value,
                    'u' => su.direct = value,
                    'l' => su.login = true,
                    'm' | 'p' => su.keeps = true,
                    _ => {}
                }
            }
        }
        if su.direct.is_some() {
            su.words = operands;
        } else {
            let mut operands = operands.into_iter();
            su.name = operands.next();
            su.words = operands.collect();
        }
        Ok(su)
    }

    fn user(&self, call: &Call<'_>) -> Result<User, Said> {
        let name = self.direct.as_deref().or(self.name.as_deref()).unwrap_or("root");
        users::named(call, name).ok_or_else(|| {
            let text = format!(
                "{}: user {name} does not exist or the user entry does not contain all the required fields\n",
                call.name
            );
            Said::err(text, 1)
        })
    }

    /// The shell that is started, and whether it lets anybody in.
    fn opens(&self, call: &Call<'_>, user: &User) -> bool {
        // Only root may choose another shell than a restricted one.
        let shell = match &self.shell {
            Some(shell) if call.is_root() => shell.as_str(),
            _ if self.keeps && call.is_root() => "/bin/bash",
            _ => user.shell.as_str(),
        };
        !(shell.ends_with("/nologin") || shell.ends_with("/false"))
    }

    /// What is run as that user.
    fn script(&self, call: &Call<'_>, user: &User, line: &str) -> Vec<String> {
        let vars = if self.keeps { String::new() } else { variables(user, &[]) };
        let shell = if self.shell.as_deref().or(Some(&user.shell)).is_some_and(|shell| shell.ends_with("/sh"))
        {
            "sh"
        } else {
            "bash"
        };
        let change = if self.login { format!("cd {} && ", quoted(&user.home)) } else { String::new() };
        let run = format!("{vars}{shell} -c {}", quoted(line));
        let run = if self.login { format!("({change}{run})") } else { run };
        as_user(call, user.uid, user.gid, &run)
    }
}

/// `su -c LINE` by root, or for who one is already: the line alone is run.
pub(in crate::shell::commands) fn su_command(call: &Call<'_>) -> Option<Vec<String>> {
    let su = Su::of(call).ok()?;
    let line = su.line.clone()?;
    let user = su.user(call).ok()?;
    let same = user.uid == call.session.who().uid;
    if same && !su.login && su.shell.is_none() {
        return Some(vec!["bash".to_owned(), "-c".to_owned(), line]);
    }
    ((same || call.is_root()) && su.opens(call, &user)).then(|| su.script(call, &user, &line))
}

pub(in crate::shell::commands) fn su<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let (su, user) = match Su::of(call).and_then(|su| su.user(call).map(|user| (su, user))) {
            Ok(both) => both,
            Err(said) => return said,
        };
        if !call.is_root() {
            let mut said = Said::default();
            let text = String::from_utf8_lossy(call.stdin.unwrap_or_default()).into_owned();
            let password = Lines::of(call, &text).answer("Password: ", &mut said).await.unwrap_or_default();
            if !matches!(call.session.contact.visitor.log_in(&user.name, &password), Login::Accepted(_)) {
                said.err.extend_from_slice(b"su: Authentication failure\n");
                said.status = 1;
                return said;
            }
        }
        if !su.opens(call, &user) {
            return Said { status: 1, ..Said::out("This account is currently not available.\n") };
        }
        enter(call, &user, su.shell.as_deref().filter(|_| call.is_root()), su.login);
        Said::nothing(0)
    }
    .boxed()
}

pub(in crate::shell::commands) fn runuser(call: &Call<'_>) -> Result<Vec<String>, Said> {
    if let [only] = call.args
        && matches!(only.as_str(), "-h" | "-V" | "--help" | "--version")
    {
        return Err(usage::said(call).unwrap_or_default());
    }
    let su = Su::of(call)?;
    if !call.is_root() {
        return Err(Said::err("runuser: may not be used by non-root users\n", 1));
    }
    let user = su.user(call)?;
    if su.direct.is_some() {
        if su.words.is_empty() {
            return Err(Said::err("runuser: no command was specified\n", 1));
        }
        let words: Vec<String> = su.words.iter().map(|word| quoted(word)).collect();
        return Ok(as_user(call, user.uid, user.gid, &words.join(" ")));
    }
    if !su.opens(call, &user) {
        return Err(Said { status: 1, ..Said::out("This account is currently not available.\n") });
    }
    match &su.line {
        Some(line) => Ok(su.script(call, &user, line)),
        None => {
            enter(call, &user, su.shell.as_deref(), su.login);
            Err(Said::nothing(0))
        }
    }
}
