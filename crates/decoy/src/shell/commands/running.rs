//! Processes as the visitor sees them, and `top`.

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
    // Numbers that jobs have are taken.
    let taken = list.iter().map(|process| process.pid + 1).max().unwrap_or_default();
    let first = (shell_pid(call.identity(), call.now()) + 12).max(taken);
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
