//! Processes: `ps`, `top`, `pgrep`, `pkill`, `killall`.

use chrono::{DateTime, Utc};

use super::{
    Call, Said, activity,
    complaint::{self, Known},
};
use crate::machine::{
    files::memory,
    processes::{self, Process, SHELL_PID},
};

/// The machine's processes with the visitor's own.
fn all(call: &Call<'_>) -> Vec<Process> {
    let mut list = processes::list(call.identity());
    let Some(listener) =
        list.iter().find(|process| process.command.contains("sshd -D")).map(|process| process.pid)
    else {
        return list;
    };
    let who = call.session.who();
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
    };
    let session = own(
        SHELL_PID - 7,
        listener,
        format!("sshd: {user}@{}", if tty == "?" { "notty" } else { tty }),
        "Ss",
        10_800,
        "?",
    );
    list.push(Process { uid: 0, user: "root", ..session });
    list.push(own(
        SHELL_PID,
        SHELL_PID - 7,
        if tty == "?" { "bash".to_owned() } else { "-bash".to_owned() },
        "Ss",
        4_900,
        tty,
    ));
    let words =
        std::iter::once(call.name).chain(call.args.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    list.push(own(processes::newest_pid(call.identity(), call.now()), SHELL_PID, words, "R+", 4_600, tty));
    list
}

fn user_name(call: &Call<'_>, process: &Process) -> String {
    let known = call.identity().account_by_uid(process.uid).map(|user| user.name.clone());
    match known {
        Some(name) if name.len() > 8 => format!("{}+", name.get(..7).unwrap_or("user")),
        Some(name) => name,
        None => process.uid.to_string(),
    }
}

fn start(call: &Call<'_>, process: &Process) -> DateTime<Utc> {
    if process.pid >= SHELL_PID - 7 { call.session.started.into() } else { call.identity().boot_time.into() }
}

/// procps 4.0.2.
pub(super) fn ps(call: &Call<'_>) -> Said {
    if call.applet {
        return applet(call);
    }
    let letters: String = call
        .args
        .iter()
        .filter(|arg| !arg.starts_with("--"))
        .map(|arg| arg.trim_start_matches('-'))
        .collect();
    let dashed = call.args.first().is_some_and(|arg| arg.starts_with('-'));
    let full = letters.contains('f');
    let (every, bsd_user) = (
        dashed && letters.contains(['e', 'A']) || !dashed && letters.contains('a') && letters.contains('x'),
        !dashed && letters.contains('u') || letters.contains("aux"),
    );
    let has_x = letters.contains('x');
    let who = call.session.who();
    let shown: Vec<Process> = all(call)
        .into_iter()
        .filter(|process| {
            every
                || letters.contains("aux")
                || (has_x && process.uid == who.uid)
                || (process.tty != "?" && process.uid == who.uid && process.tty != "tty1")
        })
        .collect();
    let days = call.identity().uptime(call.now()).as_secs() / 86_400;
    let mut text = String::new();
    let now: DateTime<Utc> = call.now().into();
    let started = |process: &Process| {
        let at = start(call, process);
        if now.signed_duration_since(at).num_hours() < 24 {
            at.format("%H:%M").to_string()
        } else {
            at.format("%b%d").to_string()
        }
    };
    let cut = |line: String| {
        let width = call.session.window().0.max(20) as usize;
        if call.to_terminal && !letters.contains('w') { line.chars().take(width).collect() } else { line }
    };
    if bsd_user {
        text += "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n";
        for process in &shown {
            let seconds = process.seconds_per_day * days;
            let share = process.resident_kib * 1000 / (call.identity().memory_bytes / 1024).max(1);
            let line = format!(
                "{:<8} {:>7}  0.0 {:>2}.{} {:>6} {:>5} {:<8} {:<4} {:>5} {:>3}:{:02} {}",
                user_name(call, process),
                process.pid,
                share / 10,
                share % 10,
                process.virtual_kib,
                process.resident_kib,
                process.tty,
                process.state,
                started(process),
                seconds / 60,
                seconds % 60,
                process.command
            );
            text += &(cut(line) + "\n");
        }
    } else if full {
        text += "UID          PID    PPID  C STIME TTY          TIME CMD\n";
        for process in &shown {
            let seconds = process.seconds_per_day * days;
            let line = format!(
                "{:<8} {:>7} {:>7}  0 {:>5} {:<8} {:02}:{:02}:{:02} {}",
                user_name(call, process),
                process.pid,
                process.parent,
                started(process),
                process.tty,
                seconds / 3600,
                seconds / 60 % 60,
                seconds % 60,
                process.command
            );
            text += &(cut(line) + "\n");
        }
    } else if has_x {
        text += "    PID TTY      STAT   TIME COMMAND\n";
        for process in &shown {
            let seconds = process.seconds_per_day * days;
            let line = format!(
                "{:>7} {:<8} {:<4} {:>3}:{:02} {}",
                process.pid,
                process.tty,
                process.state,
                seconds / 60,
                seconds % 60,
                process.command
            );
            text += &(cut(line) + "\n");
        }
    } else {
        text += "    PID TTY          TIME CMD\n";
        for process in &shown {
            let seconds = process.seconds_per_day * days;
            text += &format!(
                "{:>7} {:<8} {:02}:{:02}:{:02} {}\n",
                process.pid,
                process.tty,
                seconds / 3600,
                seconds / 60 % 60,
                seconds % 60,
                process.name()
            );
        }
    }
    Said::out(text)
}

/// `top -bn1`; without a terminal of its own it shows one screen and ends.
pub(super) fn top(call: &Call<'_>) -> Said {
    let asks = call.args.iter().any(|arg| arg.contains(['v', 'h']) && arg.starts_with('-'));
    if !call.applet && !asks && !super::names::knows_terminal(call) {
        let name = if call.name == "htop" {
            "Error opening terminal: unknown.\n"
        } else {
            "TERM environment variable not set.\n"
        };
        return Said::err(name, 1);
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

fn named<'p>(list: &'p [Process], name: &str, full: bool) -> Vec<&'p Process> {
    list.iter()
        .filter(|process| if full { process.command.contains(name) } else { process.name().contains(name) })
        .collect()
}

/// `pgrep`, and `pidof` that takes whole names.
pub(super) fn pgrep(call: &Call<'_>) -> Said {
    let options = call.options("uUtPgGs");
    let Some(name) = options.operands.first() else {
        return if call.name == "pidof" {
            Said::nothing(1)
        } else {
            Said::err("pgrep: no matching criteria specified\nTry `pgrep --help' for more information.\n", 2)
        };
    };
    let list = processes::list(call.identity());
    if call.name == "pidof" {
        let pids: Vec<String> = list
            .iter()
            .rev()
            .filter(|process| process.name() == *name)
            .map(|process| process.pid.to_string())
            .collect();
        return if pids.is_empty() { Said::nothing(1) } else { Said::out(pids.join(" ") + "\n") };
    }
    let found = named(&list, name, options.has('f'));
    let text: String = found
        .iter()
        .map(|process| match (options.has('l'), options.has('a')) {
            (_, true) => format!("{} {}\n", process.pid, process.command),
            (true, _) => format!("{} {}\n", process.pid, process.name()),
            _ => format!("{}\n", process.pid),
        })
        .collect();
    Said { status: i32::from(found.is_empty()), ..Said::out(text) }
}

/// Nothing is ever killed; what exists answers as if it had been.
pub(super) fn pkill(call: &Call<'_>) -> Said {
    let signal = |arg: &&String| {
        arg.strip_prefix('-')
            .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase()))
    };
    let args: Vec<String> = call.args.iter().filter(|arg| !signal(arg)).cloned().collect();
    let options = super::Options::of(&args, "uUtPgG");
    let Some(name) = options.operands.first() else {
        return Said::err(
            "pkill: no matching criteria specified\nTry `pkill --help' for more information.\n",
            2,
        );
    };
    let list = processes::list(call.identity());
    let found = named(&list, name, options.has('f'));
    Said::nothing(i32::from(found.is_empty()))
}

/// psmisc 23.6.
pub(super) fn killall(call: &Call<'_>) -> Said {
    let operands: Vec<&String> = call.args.iter().filter(|arg| !arg.starts_with('-')).collect();
    if operands.is_empty() {
        return Said::err(
            "Usage: killall [OPTION]... [--] NAME...\n       killall -l, --list\n       killall -V, --version\n",
            1,
        );
    }
    let list = processes::list(call.identity());
    let quiet = call.args.iter().any(|arg| arg == "-q");
    let mut said = Said::default();
    for name in operands {
        if !list.iter().any(|process| process.name() == *name) {
            if !quiet {
                said.err.extend(format!("{name}: no process found\n").bytes());
            }
            said.status = 1;
        }
    }
    said
}

/// Whether a process of this number runs.
pub(super) fn exists(call: &Call<'_>, pid: u64) -> bool {
    all(call).iter().any(|process| u64::from(process.pid) == pid)
}

/// busybox' own list (1.35, without `CONFIG_DESKTOP`'s options).
fn applet(call: &Call<'_>) -> Said {
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
