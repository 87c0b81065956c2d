//! The processes that a name or a pattern means: `pgrep`, `pidof`, `pkill`, `killall`.

use super::{
    Call, Options, Said,
    running::{all, end},
    signals, usage, users,
};
use crate::machine::processes::Process;

/// The name that a process was started by.
fn called(process: &Process) -> &str {
    let first = process.command.split(' ').next().unwrap_or_default();
    first.rsplit('/').next().unwrap_or(first)
}

/// `pgrep`, and `pidof` that takes whole names.
pub(super) fn pgrep(call: &Call<'_>) -> Said {
    if call.name != "pidof" {
        return pgrep_of_procps(call);
    }
    let options = call.options("oS");
    let Some(name) = options.operands.first() else { return Said::nothing(1) };
    let list = call.session.contact.visitor.processes();
    if call.name == "pidof" {
        let pids: Vec<String> = list
            .iter()
            .rev()
            .filter(|process| process.name() == *name || called(process) == name)
            .map(|process| process.pid.to_string())
            .collect();
        // `-o %PPID` leaves out who asks, and the shell is no program that is asked for.
        if options.has('s') && !pids.is_empty() {
            return Said::out(format!("{}\n", pids.first().map_or("", String::as_str)));
        }
        return if pids.is_empty() { Said::nothing(1) } else { Said::out(pids.join(" ") + "\n") };
    }
    Said::nothing(1)
}

/// Which processes `pgrep` and `pkill` mean: by name, by owner, by parent.
fn matching<'p>(call: &Call<'_>, list: &'p [Process], options: &Options) -> Result<Vec<&'p Process>, Said> {
    let refused = |text: String| Err(Said::err(format!("{}: {text}\n", call.name), 2));
    let hint = format!("\nTry `{} --help' for more information.", call.name);
    if options.operands.len() > 1 {
        return refused(format!("only one pattern can be provided{hint}"));
    }
    let criteria = options.values.iter().any(|(letter, _)| "uUtPgGs".contains(*letter));
    if options.operands.is_empty() && !criteria {
        return refused(format!("no matching criteria specified{hint}"));
    }
    let mut owners: Vec<u32> = Vec::new();
    for name in
        ['u', 'U'].iter().filter_map(|letter| options.value(*letter)).flat_map(|names| names.split(','))
    {
        match name.parse().ok().or_else(|| users::named(call, name).map(|user| user.uid)) {
            Some(uid) => owners.push(uid),
            None => return refused(format!("invalid user name: {name}")),
        }
    }
    let parents: Option<Vec<u32>> =
        options.value('P').map(|list| list.split(',').filter_map(|pid| pid.parse().ok()).collect());
    let terminals: Option<Vec<&str>> = options.value('t').map(|list| list.split(',').collect());
    let pattern = options.operands.first().map_or("", String::as_str);
    let fits = |process: &&Process| {
        let text = if options.has('f') { process.command.clone() } else { process.name() };
        let (text, pattern) = if options.has('i') {
            (text.to_lowercase(), pattern.to_lowercase())
        } else {
            (text, pattern.to_owned())
        };
        let whole = options.has('x');
        let bare = pattern.trim_start_matches('^').trim_end_matches('$');
        let by_name = pattern.split('|').any(|one| {
            let one = if pattern.contains('|') { one } else { bare };
            match (whole || pattern.starts_with('^') && pattern.ends_with('$'), pattern.starts_with('^')) {
                (true, _) => text == one,
                (false, true) => text.starts_with(one),
                (false, false) => text.contains(one),
            }
        });
        let chosen = by_name
            && (owners.is_empty() || owners.contains(&process.uid))
            && parents.as_ref().is_none_or(|parents| parents.contains(&process.parent))
            && terminals.as_ref().is_none_or(|terminals| terminals.contains(&process.tty));
        chosen != options.has('v')
    };
    let mut found: Vec<&Process> = list.iter().filter(fits).collect();
    if options.has('n') {
        found = found.last().copied().into_iter().collect();
    }
    if options.has('o') {
        found.truncate(1);
    }
    Ok(found)
}

/// procps 4.0.2.
pub(super) fn pgrep_of_procps(call: &Call<'_>) -> Said {
    let options = call.options("uUtPgGsdFO");
    let mut list = all(call);
    // It never finds itself.
    list.pop();
    let found = match matching(call, &list, &options) {
        Ok(found) => found,
        Err(said) => return said,
    };
    let status = i32::from(found.is_empty());
    if options.has('c') {
        return Said { status, ..Said::out(format!("{}\n", found.len())) };
    }
    let rows: Vec<String> = found
        .iter()
        .map(|process| match (options.has('l'), options.has('a')) {
            (_, true) => format!("{} {}", process.pid, process.command),
            (true, _) => format!("{} {}", process.pid, process.name()),
            _ => process.pid.to_string(),
        })
        .collect();
    let text = rows.join(options.value('d').unwrap_or("\n"));
    Said { status, ..Said::out(if text.is_empty() { text } else { text + "\n" }) }
}

/// procps 4.0.2.
pub(super) fn pkill(call: &Call<'_>) -> Said {
    let signal = |arg: &&String| {
        arg.strip_prefix('-')
            .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase()))
    };
    let wanted = call.args.iter().find(signal).map_or(signals::TERM, |arg| signals::number(arg));
    let args: Vec<String> = call.args.iter().filter(|arg| !signal(arg)).cloned().collect();
    let options = Options::of(&args, "uUtPgGsFO");
    let mut list = all(call);
    // Itself is the last of the list, and never meant.
    list.pop();
    let found = match matching(call, &list, &options) {
        Ok(found) => found,
        Err(said) => return said,
    };
    let pids: Vec<u32> = found.iter().map(|process| process.pid).collect();
    end(call, &pids, wanted);
    let mut text = String::new();
    if options.has('e') {
        found
            .iter()
            .for_each(|process| text.push_str(&format!("{} killed (pid {})\n", process.name(), process.pid)));
    }
    if options.has('c') {
        text.push_str(&format!("{}\n", pids.len()));
    }
    Said { status: i32::from(pids.is_empty()), ..Said::out(text) }
}

/// psmisc 23.6.
pub(super) fn killall(call: &Call<'_>) -> Said {
    let mut operands: Vec<&String> = Vec::new();
    let (mut owner, mut chosen) = (None, None);
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-s" | "--signal" => chosen = args.next(),
            "-u" | "--user" => owner = args.next(),
            "-o" | "-y" | "-n" | "-Z" => {
                args.next();
            }
            option if option.starts_with('-') => {
                let bare = option.trim_start_matches('-');
                let is_name =
                    bare.len() > 1 && bare.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
                if is_name && !signals::is_signal(bare) {
                    return Said::err(format!("{bare}: unknown signal; killall -l lists signals.\n"), 1);
                }
            }
            _ => operands.push(arg),
        }
    }
    if let Some(name) = chosen.filter(|name| !signals::is_signal(name)) {
        return Said::err(format!("{name}: unknown signal; killall -l lists signals.\n"), 1);
    }
    let uid = match owner.map(|name| users::named(call, name).map(|user| user.uid).ok_or(name)) {
        Some(Err(name)) => return Said::err(format!("Cannot find user {name}\n"), 1),
        Some(Ok(uid)) => Some(uid),
        None => None,
    };
    if operands.is_empty() {
        return usage::of("killall", &[], false).unwrap_or_else(|| {
            let text = "Usage: killall [OPTION]... [--] NAME...\n       killall -l, --list\n       killall -V, --version\n";
            Said::err(text, 1)
        });
    }
    let mut list = all(call);
    list.pop();
    let quiet = call.args.iter().any(|arg| arg == "-q");
    let signal =
        call.args.iter().find(|arg| arg.len() > 1 && arg.starts_with('-') && signals::is_signal(&arg[1..]));
    let wanted = signal.or(chosen).map_or(signals::TERM, |arg| signals::number(arg));
    let mut said = Said::default();
    for name in operands {
        let fits = |process: &&Process| process.name() == *name && uid.is_none_or(|uid| process.uid == uid);
        let found: Vec<u32> = list.iter().filter(fits).map(|process| process.pid).collect();
        end(call, &found, wanted);
        if found.is_empty() {
            if !quiet {
                let text = if call.applet {
                    format!("killall: {name}: no process killed\n")
                } else {
                    format!("{name}: no process found\n")
                };
                said.err.extend(text.bytes());
            }
            said.status = 1;
        }
    }
    said
}
