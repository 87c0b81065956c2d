//! Processes: `ps`, `top`, `pgrep`, `pkill`, `killall`.

use chrono::{DateTime, Utc};

use super::{
    Call, Said, activity,
    complaint::{self, Known},
    ps::company,
    signals,
};
use crate::machine::{
    files::memory,
    processes::{DOOR, Process, shell_pid},
};
use crate::shell::jobs::State;

/// The machine's processes with the visitor's own.
pub(super) fn all(call: &Call<'_>) -> Vec<Process> {
    let mut list = call.session.contact.visitor.processes();
    // A listener that was stopped leaves its sessions to init.
    let listener = list.iter().find(|process| process.command.contains("sshd -D"));
    let listener = listener.map_or(1, |process| process.pid);
    let who = call.session.who();
    let shell = shell_pid(call.identity(), call.session.started);
    let user = call.session.launch.account.name.clone();
    let tty: &'static str = if call.session.launch.tty.is_some() { "pts/0" } else { "?" };
    let own = |pid, parent, command: String, state, kib, tty| Process {
        pid,
        parent,
        uid: who.uid,
        user: if who.uid == 0 { "root" } else { "user" },
        command,
        virtual_kib: kib * 3,
        resident_kib: kib,
        state,
        seconds_per_day: 0,
        tty,
        since: None,
    };
    let session = own(
        shell - DOOR,
        listener,
        format!("sshd: {user}@{}", if tty == "?" { "notty" } else { tty }),
        "Ss",
        10_800,
        "?",
    );
    list.push(Process { uid: 0, user: "root", ..session });
    let line = call.session.line.lock().clone();
    // sshd has a line run by `bash -c`, which leaves its place to a single command.
    let (by_line, alone) = (!call.session.launch.login, company::is_simple(&line));
    if !by_line || !alone {
        let command =
            if by_line { format!("bash -c {}", line.replace('\n', " ")) } else { "-bash".to_owned() };
        list.push(own(shell, shell - DOOR, command, "Ss", 4_900, tty));
    }
    for started in call.session.contact.visitor.dropped().list() {
        let process = own(started.pid, 1, started.command, "Ssl", 5_300, "?");
        list.push(Process { uid: started.uid, since: Some(started.at), ..process });
    }
    let now = call.now();
    call.session.jobs.lock().tick(now);
    for job in call.session.jobs.lock().all() {
        let state = match job.state {
            State::Running(_) => "S",
            State::Stopped => "T",
            State::Ended(_) => continue,
        };
        list.push(own(job.pid, shell, job.text.clone(), state, 2_100, tty));
    }
    let words =
        std::iter::once(call.name).chain(call.args.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    let running = if tty == "?" { "R" } else { "R+" };
    if by_line && alone {
        list.push(own(shell, shell - DOOR, words, "Rs", 4_600, tty));
        return list;
    }
    let waiting = if tty == "?" { "S" } else { "S+" };
    let is_program = |name: &str| {
        super::is_installed(call.session, name)
            && !matches!(name, "echo" | "printf" | "test" | "[" | "kill" | "true" | "false" | "pwd")
    };
    let (before, behind) = company::others(&line, call.name, is_program);
    let first = shell_pid(call.identity(), call.now()) + 12;
    let company = before
        .into_iter()
        .map(|command| (command, waiting, 2_100))
        .chain(std::iter::once((words, running, 4_600)))
        .chain(behind.into_iter().map(|command| (command, waiting, 2_200)));
    for (number, (command, state, kib)) in (first..).zip(company) {
        list.push(own(number, shell, command, state, kib, tty));
    }
    list
}

pub(super) fn user_name(call: &Call<'_>, process: &Process) -> String {
    let known = call.identity().account_by_uid(process.uid).map(|user| user.name.clone());
    match known {
        Some(name) if name.len() > 8 => format!("{}+", name.get(..7).unwrap_or("user")),
        Some(name) => name,
        None => process.uid.to_string(),
    }
}

pub(super) fn start(call: &Call<'_>, process: &Process) -> DateTime<Utc> {
    let shell = shell_pid(call.identity(), call.session.started);
    if let Some(since) = process.since {
        return since.into();
    }
    if process.pid >= shell - DOOR { call.session.started.into() } else { call.identity().boot_time.into() }
}

/// `top -bn1`; without a terminal of its own it shows one screen and ends.
pub(in crate::shell) fn top(call: &Call<'_>) -> Said {
    let batch = call.args.iter().any(|arg| arg.contains(['b', 'v', 'h']) && !arg.starts_with("--"));
    if !call.applet && !batch && !super::names::knows_terminal(call) {
        // top fails without a word, htop with ncurses'.
        let text = if call.name == "htop" { "Error opening terminal: unknown.\n" } else { "" };
        return Said::err(text, 1);
    }
    let list = all(call);
    let m = memory(call.identity(), call.now());
    let mib = |kib: u64| format!("{}.{}", kib / 1024, kib % 1024 * 10 / 1024);
    let used = m.total.saturating_sub(m.available);
    let mut text = format!("top -{}", activity::top_line(call));
    text += &format!(
        "Tasks: {:>3} total,   1 running, {:>3} sleeping,   0 stopped,   0 zombie\n%Cpu(s):  0.0 us,  3.1 sy,  0.0 ni, 96.9 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st \nMiB Mem : {:>8} total, {:>8} free, {:>8} used, {:>8} buff/cache     \nMiB Swap: {:>8} total, {:>8} free, {:>8} used. {:>8} avail Mem \n\n    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND\n",
        list.len(),
        list.len() - 1,
        mib(m.total),
        mib(m.free),
        mib(used),
        mib(m.buffers + m.cached + m.reclaimable),
        mib(m.swap_total),
        mib(m.swap_free),
        mib(m.swap_total - m.swap_free),
        mib(m.available)
    );
    let days = call.identity().uptime(call.now()).as_secs() / 86_400;
    let rows = (call.session.window().1.max(10) as usize).saturating_sub(8);
    for process in list.iter().take(if call.to_terminal { rows } else { usize::MAX }) {
        let seconds = process.seconds_per_day * days;
        let share = process.resident_kib * 1000 / m.total.max(1);
        text += &format!(
            "{:>7} {:<8}  20   0 {:>7} {:>6} {:>6} {}   0.0 {:>3}.{} {:>3}:{:02}.{:02} {}\n",
            process.pid,
            user_name(call, process),
            process.virtual_kib,
            process.resident_kib,
            process.resident_kib * 7 / 10,
            process.state.get(..1).unwrap_or("S"),
            share / 10,
            share % 10,
            seconds / 60,
            seconds % 60,
            process.pid % 100,
            process.name()
        );
    }
    Said::out(text)
}

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
fn matching<'p>(
    call: &Call<'_>,
    list: &'p [Process],
    options: &super::Options,
) -> Result<Vec<&'p Process>, Said> {
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
        match name.parse().ok().or_else(|| super::users::named(call, name).map(|user| user.uid)) {
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
    let options = super::Options::of(&args, "uUtPgGsFO");
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
    let uid = match owner.map(|name| super::users::named(call, name).map(|user| user.uid).ok_or(name)) {
        Some(Err(name)) => return Said::err(format!("Cannot find user {name}\n"), 1),
        Some(Ok(uid)) => Some(uid),
        None => None,
    };
    if operands.is_empty() {
        return super::usage::of("killall", &[], false).unwrap_or_else(|| {
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

/// Sends a signal to processes: those the visitor has started, and the machine's services.
pub(super) fn end(call: &Call<'_>, pids: &[u32], signal: u8) {
    let visitor = &call.session.contact.visitor;
    if signals::ends(signal) {
        visitor.dropped().end(|started| pids.contains(&started.pid));
    }
    for pid in pids {
        call.session.jobs.lock().signal(*pid, signal);
    }
    if call.is_root() {
        visitor.signal(pids, signal);
    }
}

/// Whether a process of this number runs.
pub(super) fn exists(call: &Call<'_>, pid: u64) -> bool {
    all(call).iter().any(|process| u64::from(process.pid) == pid)
}

/// busybox' own list (1.35, without `CONFIG_DESKTOP`'s options).
pub(super) fn applet(call: &Call<'_>) -> Said {
    if let Some(said) = complaint::of(call, &Known { letters: "aT", long: &[] }, "o") {
        return said;
    }
    let mut text = "PID   USER     COMMAND\n".to_owned();
    let width = call.session.window().0.max(20) as usize;
    for process in all(call) {
        let line = format!("{:>5} {:<8.8} {}", process.pid, user_name(call, &process), process.command);
        text.extend(line.chars().take(if call.to_terminal { width } else { usize::MAX }));
        text.push('\n');
    }
    Said::out(text)
}

/// Whether a process belongs to the visitor's own session.
pub(super) fn is_own(call: &Call<'_>, process: &Process) -> bool {
    start(call, process) == DateTime::<Utc>::from(call.session.started)
        && !process.command.starts_with("sshd:")
}
