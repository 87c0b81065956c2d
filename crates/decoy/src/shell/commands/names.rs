//! Who and what the machine is: `uname`, `hostname`, `whoami`, `id` and the like.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt as _, future::BoxFuture};

use super::{Call, Said, usage, users};
use crate::shell::io::Out;

pub(super) fn arch(call: &Call<'_>) -> Said {
    let options = call.options("");
    let wrong = options.unknown("").map(|letter| format!("invalid option -- '{letter}'"));
    let wrong = wrong
        .or_else(|| options.operands.first().map(|word| format!("extra operand \u{2018}{word}\u{2019}")));
    match wrong {
        Some(wrong) => Said::err(format!("arch: {wrong}\nTry 'arch --help' for more information.\n"), 1),
        None => Said::out("x86_64\n"),
    }
}

/// Whether programs find `TERM` in their environment. Without a terminal bash sets it to `dumb`, for itself alone.
pub(super) fn knows_terminal(call: &Call<'_>) -> bool {
    let launch = &call.session.launch;
    launch.tty.is_some()
        || launch.env.iter().any(|(name, _)| name == "TERM")
        || call.vars.and_then(|vars| vars.get("TERM")).is_some_and(|term| !term.is_empty() && term != "dumb")
}

pub(super) fn clear(call: &Call<'_>) -> Said {
    if !knows_terminal(call) {
        return Said::err("TERM environment variable not set.\n", 1);
    }
    Said::out("\x1b[H\x1b[2J\x1b[3J")
}

/// Waits; not when something was put into the background, since the library waits for all of its jobs.
pub(super) fn sleep<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let mut seconds = 0.0;
        for arg in call.args {
            let (digits, scale) = match arg.chars().last() {
                Some('s') => (arg.trim_end_matches('s'), 1.0),
                Some('m') => (arg.trim_end_matches('m'), 60.0),
                Some('h') => (arg.trim_end_matches('h'), 3600.0),
                Some('d') => (arg.trim_end_matches('d'), 86_400.0),
                _ => (arg.as_str(), 1.0),
            };
            match digits.parse::<f64>() {
                Ok(number) if number >= 0.0 => seconds += number * scale,
                _ if arg.starts_with('-') && arg.len() > 1 => {
                    let letter = arg.chars().nth(1).unwrap_or('-');
                    let what = if letter == '-' {
                        format!("unrecognized option '{arg}'")
                    } else {
                        format!("invalid option -- '{letter}'")
                    };
                    return Said::err(format!("sleep: {what}\nTry 'sleep --help' for more information.\n"), 1);
                }
                _ => {
                    let text = format!("sleep: invalid time interval \u{2018}{arg}\u{2019}\nTry 'sleep --help' for more information.\n");
                    return Said::err(text, 1);
                }
            }
        }
        if call.args.is_empty() {
            return Said::err("sleep: missing operand\nTry 'sleep --help' for more information.\n", 1);
        }
        let time = Duration::from_secs_f64(seconds.min(86_400.0 * 365.0));
        if call.session.has_background() {
            *call.session.slept.lock() += time;
        } else {
            call.session.contact.visitor.clock().pass(time).await;
        }
        Said::nothing(0)
    }
    .boxed()
}

/// Says the same for as long as anybody listens: nobody can be shown all of it.
pub(super) fn yes<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    /// What is read by another program, or fills a screen.
    const ENOUGH: usize = 128 * 1024;
    const FOR_EVER: Duration = Duration::from_secs(86_400);
    async move {
        let words = call.args.strip_prefix(&["--".to_owned()]).unwrap_or(call.args);
        if let Some(option) = words.first().filter(|word| word.starts_with('-') && word.len() > 1) {
            let what = match option.strip_prefix("--") {
                Some(_) => format!("unrecognized option '{option}'"),
                None => format!("invalid option -- '{}'", option.chars().nth(1).unwrap_or('-')),
            };
            return Said::err(format!("yes: {what}\nTry 'yes --help' for more information.\n"), 1);
        }
        let line = if words.is_empty() { "y\n".to_owned() } else { words.join(" ") + "\n" };
        let text = line.repeat(ENOUGH.div_ceil(line.len()));
        if call.session.feeds() {
            return Said::out(text);
        }
        if call.session.has_background() {
            *call.session.slept.lock() += FOR_EVER;
            return Said::nothing(141);
        }
        let output = call.session.channels.lock().as_ref().map(|(output, _)| Arc::clone(output));
        if let Some(output) = output.filter(|_| !call.session.is_piped()) {
            output(Out::Stdout, text.as_bytes());
        }
        call.session.contact.visitor.clock().pass(FOR_EVER).await;
        Said::nothing(141)
    }
    .boxed()
}

pub(super) fn whoami(call: &Call<'_>) -> Said {
    let options = call.options("");
    let wrong = options.unknown("").map(|letter| format!("invalid option -- '{letter}'"));
    let wrong = wrong.or_else(|| {
        options.operands.first().map(|operand| format!("extra operand \u{2018}{operand}\u{2019}"))
    });
    if let Some(wrong) = wrong.filter(|_| !call.applet) {
        return Said::err(format!("whoami: {wrong}\nTry 'whoami --help' for more information.\n"), 1);
    }
    Said::out(call.session.user_name() + "\n")
}

/// GNU coreutils 9.1.
pub(super) fn uname(call: &Call<'_>) -> Said {
    let identity = call.identity();
    let options = call.options("");
    if let Some(letter) = options.unknown("asnrvmpio") {
        let text = format!("uname: invalid option -- '{letter}'\nTry 'uname --help' for more information.\n");
        return Said::err(text, 1);
    }
    const LONG: [&str; 10] = [
        "all",
        "kernel-name",
        "nodename",
        "kernel-release",
        "kernel-version",
        "machine",
        "processor",
        "hardware-platform",
        "operating-system",
        "release",
    ];
    if let Some(word) =
        options.long.iter().find(|word| !LONG.iter().any(|known| known.starts_with(word.as_str())))
    {
        let text =
            format!("uname: unrecognized option '--{word}'\nTry 'uname --help' for more information.\n");
        return Said::err(text, 1);
    }
    if let Some(operand) = options.operands.first() {
        let text = format!(
            "uname: extra operand \u{2018}{operand}\u{2019}\nTry 'uname --help' for more information.\n"
        );
        return Said::err(text, 1);
    }
    let all = options.has('a') || options.has_long("all");
    let fields = [
        ('s', "kernel-name", "Linux"),
        ('n', "nodename", identity.hostname.as_str()),
        ('r', "kernel-release", &identity.kernel_release),
        ('v', "kernel-version", &identity.kernel_version),
        ('m', "machine", identity.arch),
        ('p', "processor", "unknown"),
        ('i', "hardware-platform", "unknown"),
        ('o', "operating-system", "GNU/Linux"),
    ];
    let mut words: Vec<&str> = fields
        .iter()
        .filter(|(letter, long, value)| {
            options.has(*letter) || options.has_long(long) || (all && *value != "unknown")
        })
        .map(|(_, _, value)| *value)
        .collect();
    if words.is_empty() {
        words.push("Linux");
    }
    Said::out(words.join(" ") + "\n")
}

/// Debian's hostname 3.23.
pub(super) fn hostname(call: &Call<'_>) -> Said {
    let identity = call.identity();
    let options = call.options("F");
    if let Some(letter) = options.unknown("aAbdfiIsyhV") {
        let help = usage::of("hostname", &["-h".to_owned()], false).unwrap_or_default();
        return Said {
            out: help.out,
            err: format!("hostname: invalid option -- '{letter}'\n").into(),
            status: 255,
        };
    }
    let asks = options.letters.iter().any(|letter| "aAdfiIsy".contains(*letter));
    if options.operands.len() > usize::from(!asks) {
        let help = usage::of("hostname", &["-h".to_owned()], false).unwrap_or_default();
        return Said::err([help.out, help.err].concat(), 255);
    }
    let name = match options.letters.first() {
        Some('f' | 'A') => identity.full_name(),
        Some('d') => identity.domain.clone(),
        Some('i') => "127.0.1.1".to_owned(),
        Some('h') => return usage::of("hostname", &["-h".to_owned()], false).unwrap_or_default(),
        Some('a') => String::new(),
        Some('y') => {
            return Said { status: 1, ..Said::out("hostname: Local domain name not set\n") };
        }
        _ if options.value('F').is_some_and(|file| !call.files().exists(&call.path(file))) => {
            return Said::err("hostname: No such file or directory\n", 1);
        }
        Some('I') => format!("{} ", identity.address),
        _ if !options.operands.is_empty() && !call.is_root() => {
            return Said::err("hostname: you must be root to change the host name\n", 1);
        }
        _ if !options.operands.is_empty() => return Said::nothing(0),
        _ => identity.hostname.clone(),
    };
    Said::out(name + "\n")
}

pub(super) fn id(call: &Call<'_>) -> Said {
    let options = call.options("");
    let chosen = ['u', 'g', 'G'].iter().filter(|letter| options.has(**letter)).count();
    let refused = if let Some(letter) = options.unknown("agGnruzZ") {
        Some(format!("invalid option -- '{letter}'\nTry 'id --help' for more information."))
    } else if options.has('Z') {
        Some("--context (-Z) works only on an SELinux-enabled kernel".to_owned())
    } else if chosen > 1 {
        Some("cannot print \"only\" of more than one choice".to_owned())
    } else if chosen == 0 && (options.has('n') || options.has('r')) {
        Some("cannot print only names or real IDs in default format".to_owned())
    } else if chosen == 0 && options.has('z') {
        Some("option --zero not permitted in default format".to_owned())
    } else {
        None
    };
    if let Some(refused) = refused.filter(|_| !call.applet) {
        return Said::err(format!("id: {refused}\n"), 1);
    }
    if options.operands.len() > 1 {
        let (mut all, mut said) = (call.args.to_vec(), Said::default());
        all.retain(|arg| arg.starts_with('-'));
        for operand in &options.operands {
            let args: Vec<String> = all.iter().chain([operand]).cloned().collect();
            let one = id(&Call { args: &args, ..*call });
            said.out.extend(one.out);
            said.err.extend(one.err);
            said.status |= one.status;
        }
        return said;
    }
    let user = match options.operands.first() {
        Some(name) => match users::named(call, name) {
            Some(user) => Some(user),
            None if call.applet => return Said::err(format!("id: unknown user {name}\n"), 1),
            None => return Said::err(format!("id: \u{2018}{name}\u{2019}: no such user\n"), 1),
        },
        None => users::all(call).into_iter().find(|user| user.uid == call.session.who().uid),
    };
    let who = call.session.who();
    let (uid, gid, name) =
        user.as_ref().map_or((who.uid, who.gid, ""), |user| (user.uid, user.gid, user.name.as_str()));
    let groups = users::groups(call);
    let group_name = |gid: u32| {
        groups
            .iter()
            .find(|(_, id, _)| *id == gid)
            .map_or_else(|| gid.to_string(), |(name, _, _)| name.clone())
    };
    let member: Vec<u32> = std::iter::once(gid)
        .chain(
            groups
                .iter()
                .filter(|(_, _, members)| members.iter().any(|member| member == name))
                .map(|(_, gid, _)| *gid),
        )
        .collect();
    let by_name = options.has('n');
    let text = if options.has('u') {
        if by_name { name.to_owned() } else { uid.to_string() }
    } else if options.has('g') {
        if by_name { group_name(gid) } else { gid.to_string() }
    } else if options.has('G') {
        let words: Vec<String> =
            member.iter().map(|gid| if by_name { group_name(*gid) } else { gid.to_string() }).collect();
        words.join(" ")
    } else {
        let list: Vec<String> = member.iter().map(|gid| format!("{gid}({})", group_name(*gid))).collect();
        format!("uid={uid}({name}) gid={gid}({}) groups={}", group_name(gid), list.join(","))
    };
    if options.has('z') {
        let text = if options.has('G') { text.replace(' ', "\0") } else { text };
        return Said::out(text + "\0");
    }
    Said::out(text + "\n")
}

/// `enable` without arguments lists the builtins of bash 5.2.
pub(super) fn enable(call: &Call<'_>) -> Said {
    const BUILTINS: &str = ". : [ alias bg bind break builtin caller cd command compgen complete compopt continue declare dirs \
disown echo enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd printf \
pushd pwd read readarray readonly return set shift shopt source suspend test times trap true type typeset ulimit umask unalias \
unset wait";
    if let Some(name) = call.options("f").operands.first() {
        if BUILTINS.split(' ').any(|known| known == name) {
            return Said::nothing(0);
        }
        return Said::err(format!("{}: enable: {name}: not a shell builtin\n", call.session.shell_name()), 1);
    }
    Said::out(BUILTINS.split(' ').map(|name| format!("enable {name}\n")).collect::<String>())
}

pub(super) fn locale(_: &Call<'_>) -> Said {
    let names = [
        "CTYPE",
        "NUMERIC",
        "TIME",
        "COLLATE",
        "MONETARY",
        "MESSAGES",
        "PAPER",
        "NAME",
        "ADDRESS",
        "TELEPHONE",
        "MEASUREMENT",
        "IDENTIFICATION",
    ];
    let rows: String = names.iter().map(|name| format!("LC_{name}=\"C.UTF-8\"\n")).collect();
    Said::out(format!("LANG=C.UTF-8\nLANGUAGE=\n{rows}LC_ALL=\n"))
}

pub(super) fn lsb_release(call: &Call<'_>) -> Said {
    let options = call.options("");
    if let Some(letter) = options.unknown("aidrcsvh") {
        let text = format!("Usage: lsb_release [options]\n\nlsb_release: error: no such option: -{letter}\n");
        return Said::err(text, 2);
    }
    let short = options.has('s') || options.has_long("short");
    let all = options.has('a') || options.has_long("all");
    let rows = [
        ('i', "Distributor ID", "Debian"),
        ('d', "Description", "Debian GNU/Linux 12 (bookworm)"),
        ('r', "Release", "12"),
        ('c', "Codename", "bookworm"),
    ];
    let mut text = String::new();
    for (letter, name, value) in rows {
        if all || options.has(letter) {
            text += &if short { format!("{value}\n") } else { format!("{name}:\t{value}\n") };
        }
    }
    let modules = if call.to_terminal { "No LSB modules are available.\n" } else { "" };
    Said { out: text.into(), err: modules.into(), status: 0 }
}
