//! The folder of each process in `/proc`: those that run since boot, the visitor's shell, and the program that looks.

mod alike;
mod memory;

use std::{fmt::Write as _, sync::Arc, time::SystemTime};

use super::{
    kernel::{dir, put},
    tree::{Content, NodeId, Own, Tree, Writer},
};
use crate::machine::{
    guests::Scene,
    processes::{self, Process},
};
pub(super) use alike::add_shared;
use memory::{maps, smaps};

/// Names under which the folders of the visitor's shell and of the program that looks are built, before they are taken
/// out for each visitor to see as theirs.
pub(super) const OWN: &str = ".own";
pub(super) const READER: &str = ".reader";
/// The same for their threads.
pub(super) const THREAD: &str = ".thread";

/// Texts that follow from a process of the visitor's, each written for whoever looks.
macro_rules! own_texts {
    ($who:ident) => {
        [
            ("autogroup", |_| b"/autogroup-84 nice 0\n".to_vec(), 0o644),
            ("cgroup", |scene| cgroup(&$who(scene)).into(), 0o444),
            ("cmdline", |scene| cmdline(&$who(scene)).into(), 0o444),
            ("comm", |scene| format!("{}\n", $who(scene).name()).into(), 0o644),
            ("io", |_| b"rchar: 5192\nwchar: 0\nsyscr: 11\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n".to_vec(), 0o400),
            ("ksm_merging_pages", |_| b"0\n".to_vec(), 0o400),
            ("ksm_stat", |_| b"ksm_rmap_items 0\n".to_vec(), 0o400),
            ("maps", |scene| maps(&program_of(scene, &$who(scene))).into(), 0o444),
            ("sched", |scene| sched(&$who(scene)).into(), 0o644),
            ("schedstat", |_| b"1811337 91203 6\n".to_vec(), 0o444),
            ("smaps", |scene| smaps(&program_of(scene, &$who(scene))).into(), 0o444),
            ("smaps_rollup", |scene| {
                let kib = $who(scene).resident_kib;
                format!("55d0c4a00000-7ffc2b401000 ---p 00000000 00:00 0                          [rollup]\nRss:            {kib:>8} kB\nPss:            {:>8} kB\n", kib / 3).into()
            }, 0o444),
            ("stat", |scene| $who(scene).stat_text().into(), 0o444),
            ("statm", |_| b"1992 1210 812 206 0 262 0\n".to_vec(), 0o444),
            ("status", |scene| $who(scene).status_text().into(), 0o444),
            ("syscall", |scene| if $who(scene).state.starts_with('R') {
                b"0 0x3 0x7f3a1c5d2000 0x20000 0x22 0x0 0x0 0x7ffd5e3c11d8 0x7f3a1c6ed1ad\n".to_vec()
            } else {
                b"61 0xffffffffffffffff 0x7ffd5e3c11d0 0xa 0x0 0x0 0x1 0x7ffd5e3c11d8 0x7f3a1c6c0c17\n".to_vec()
            }, 0o400),
            ("wchan", |scene| if $who(scene).state.starts_with('R') { b"0".to_vec() } else { b"do_wait".to_vec() }, 0o444),
        ]
    };
}

/// `/proc/PID/sched`: its head.
fn sched(process: &Process) -> String {
    let ran = f64::from(process.pid % 977) / 31.0 + process.seconds_per_day as f64;
    let switches = process.pid % 400 + 12;
    let mut text = format!("{} ({}, #threads: 1)\n{}\n", process.name(), process.pid, "-".repeat(67));
    let mut row = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<45}:{value:>21}");
    };
    row("se.exec_start", format!("{:.6}", f64::from(process.pid) * 911.37));
    row("se.vruntime", format!("{:.6}", ran * 3.1));
    row("se.sum_exec_runtime", format!("{ran:.6}"));
    row("se.nr_migrations", format!("{}", switches / 9));
    row("nr_switches", format!("{switches}"));
    row("nr_voluntary_switches", format!("{}", switches - switches / 7));
    row("nr_involuntary_switches", format!("{}", switches / 7));
    for (name, value) in [
        ("se.load.weight", 1_048_576),
        ("se.avg.load_sum", 4_512),
        ("se.avg.runnable_sum", 4_620_411),
        ("se.avg.util_sum", 4_620_411),
        ("se.avg.load_avg", 97),
        ("se.avg.runnable_avg", 97),
        ("se.avg.util_avg", 97),
        ("se.avg.last_update_time", 1_022_411_776),
        ("se.avg.util_est.ewma", 10),
        ("se.avg.util_est.enqueued", 0),
        ("uclamp.min", 0),
        ("uclamp.max", 1024),
        ("effective uclamp.min", 0),
        ("effective uclamp.max", 1024),
        ("policy", 0),
        ("prio", 120),
        ("clock-delta", 58),
        ("mm->numa_scan_seq", 0),
        ("numa_pages_migrated", 0),
    ] {
        row(name, value.to_string());
    }
    row("numa_preferred_nid", "-1".to_owned());
    row("total_numa_faults", "0".to_owned());
    text.push_str("current_node=0, numa_group_id=0\nnuma_faults node=0 task_private=0 task_shared=0 group_private=0 group_shared=0\n");
    text
}

/// Writes a file of a process.
type Text = fn(&Process) -> String;

/// What differs between processes: name, mode, text.
const EACH: &[(&str, u32, Text)] = &[
    ("autogroup", 0o644, |process| format!("/autogroup-{} nice 0\n", process.pid % 90 + 2)),
    ("cgroup", 0o444, cgroup),
    ("cmdline", 0o444, cmdline),
    ("comm", 0o644, |process| format!("{}\n", process.name())),
    ("io", 0o400, |process| {
        let read = u64::from(process.pid) * 733 + 4_096;
        format!(
            "rchar: {read}\nwchar: {}\nsyscr: {}\nsyscw: {}\nread_bytes: {}\nwrite_bytes: 0\ncancelled_write_bytes: 0\n",
            read / 40,
            read / 2_000 + 6,
            read / 90_000,
            if process.tty == "?" { read / 4096 * 4096 } else { 0 },
        )
    }),
    ("ksm_merging_pages", 0o400, |_| "0\n".to_owned()),
    ("ksm_stat", 0o400, |_| "ksm_rmap_items 0\n".to_owned()),
    ("maps", 0o444, |process| process.executable().map(maps).unwrap_or_default()),
    ("sched", 0o644, sched),
    ("schedstat", 0o444, |process| {
        format!("{} {} {}\n", u64::from(process.pid) * 911_337, process.pid * 41, process.pid % 400 + 12)
    }),
    ("smaps_rollup", 0o444, |process| {
        let kib = process.resident_kib;
        format!(
            "55d0c4a00000-7ffc2b401000 ---p 00000000 00:00 0                          [rollup]\nRss:            {kib:>8} kB\nPss:            {:>8} kB\n",
            kib / 3
        )
    }),
    ("stat", 0o444, Process::stat_text),
    ("statm", 0o444, |process| {
        let pages = (process.virtual_kib / 4, process.resident_kib / 4);
        format!("{} {} {} 60 0 {} 0\n", pages.0, pages.1, pages.1 / 2, pages.1 / 3)
    }),
    ("status", 0o444, Process::status_text),
    ("syscall", 0o400, |process| match process.state.starts_with('R') {
        true => "0 0x3 0x7f3a1c5d2000 0x20000 0x22 0x0 0x0 0x7ffd5e3c11d8 0x7f3a1c6ed1ad\n".to_owned(),
        false => {
            "61 0xffffffffffffffff 0x7ffd5e3c11d0 0xa 0x0 0x0 0x1 0x7ffd5e3c11d8 0x7f3a1c6c0c17\n".to_owned()
        }
    }),
    ("wchan", 0o444, |process| if process.state.starts_with('R') { "0" } else { "do_epoll_wait" }.to_owned()),
];

fn cmdline(process: &Process) -> String {
    if process.is_kernel() { String::new() } else { process.command.replace(' ', "\0") + "\0" }
}

fn cgroup(process: &Process) -> String {
    if process.is_kernel() {
        return "0::/\n".to_owned();
    }
    match process.pid {
        1 => "0::/init.scope\n".to_owned(),
        _ if process.tty.starts_with("pts/") => {
            format!("0::/user.slice/user-{}.slice/session-1.scope\n", process.uid)
        }
        _ => format!(
            "0::/system.slice/{}.service\n",
            crate::machine::services::unit_of_command(&process.command)
        ),
    }
}

/// The folder of a process that runs since boot.
pub(super) fn add(tree: &mut Tree, process: &Process, shared: &[(Arc<str>, NodeId)], now: SystemTime) {
    let top = format!("/proc/{}", process.pid);
    let folder = tree.put(&top, dir(process.uid, now));
    tree.share_names(folder, shared);
    for (name, mode, text) in EACH {
        put(tree, &format!("{top}/{name}"), Content::Text(text(process).into()), *mode, now);
    }
    for (name, text, mode) in [
        ("environ", "", 0o400),
        ("smaps", "", 0o444),
        ("loginuid", "4294967295", 0o644),
        ("sessionid", "4294967295", 0o444),
    ] {
        put(tree, &format!("{top}/{name}"), Content::Text(text.into()), mode, now);
    }
    for name in ["fd", "task"] {
        tree.put(&format!("{top}/{name}"), dir(process.uid, now));
    }
    let links = [("cwd", Some("/")), ("root", Some("/")), ("exe", process.executable())];
    for (name, target) in links.into_iter().filter_map(|(name, target)| Some((name, target?))) {
        put(tree, &format!("{top}/{name}"), Content::Link(target.into()), 0o777, now);
    }
    add_thread(tree, &top, &process.pid.to_string(), process.uid, now);
}

/// What a process has and its threads have not (Linux 6.1, `tid_base_stuff` of fs/proc/base.c).
const ONLY_OF_PROCESSES: &[&str] = &[
    "autogroup",
    "coredump_filter",
    "map_files",
    "mountstats",
    "task",
    "timens_offsets",
    "timers",
    "timerslack_ns",
];

/// The folder of the one thread of a process: the files are the same ones.
fn add_thread(tree: &mut Tree, top: &str, name: &str, uid: u32, now: SystemTime) {
    let mut names = tree.names(top);
    names.retain(|(name, _)| !ONLY_OF_PROCESSES.contains(&&**name));
    let path = format!("{top}/task/{name}");
    let folder = tree.put(&path, dir(uid, now));
    tree.share_names(folder, &names);
    put(tree, &format!("{path}/children"), Content::Text("".into()), 0o444, now);
}

/// The visitor's shell as a process.
fn shell(scene: &Scene<'_>) -> Process {
    let guest = scene.guests.last();
    Process {
        pid: scene.own_pid(),
        parent: scene.own_pid() - processes::DOOR,
        uid: guest.map_or(0, |guest| guest.uid),
        user: "root",
        command: "-bash".to_owned(),
        virtual_kib: 7_968,
        resident_kib: 4_840,
        state: "Ss",
        seconds_per_day: 0,
        tty: "pts/0",
        since: None,
    }
}

/// The program that looks, a child of the shell.
fn reader(scene: &Scene<'_>) -> Process {
    let shell = shell(scene);
    let Some(reader) = scene.reader else { return shell };
    Process {
        pid: reader.pid,
        parent: shell.pid,
        command: reader.words.join(" "),
        virtual_kib: 5_468,
        resident_kib: 1_640,
        state: "R+",
        ..shell
    }
}

/// The folder of one of the visitor's own processes.
pub(super) fn add_own(tree: &mut Tree, name: &str, shared: &[(Arc<str>, NodeId)], now: SystemTime) {
    let top = format!("/proc/{name}");
    let folder = tree.put(&top, dir(0, now));
    tree.share_names(folder, shared);
    let texts: &[(&str, Own, u32)] = if name == OWN { &own_texts!(shell) } else { &own_texts!(reader) };
    for (name, text, mode) in texts {
        put(tree, &format!("{top}/{name}"), Content::Made(Writer::Own(*text)), *mode, now);
    }
    let more: [(&str, Own, u32); 2] = [
        ("loginuid", |scene| scene.guests.last().map_or(0, |guest| guest.uid).to_string().into(), 0o644),
        ("environ", environment, 0o400),
    ];
    for (name, text, mode) in more {
        put(tree, &format!("{top}/{name}"), Content::Made(Writer::Own(text)), mode, now);
    }
    put(tree, &format!("{top}/sessionid"), Content::Text("1".into()), 0o444, now);
    for name in ["fd", "task"] {
        tree.put(&format!("{top}/{name}"), dir(0, now));
    }
    for number in ["0", "1", "2", if name == OWN { "255" } else { "3" }] {
        let target = if number == "3" { "/proc/self/fd" } else { "/dev/pts/0" };
        put(tree, &format!("{top}/fd/{number}"), Content::Link(target.into()), 0o777, now);
    }
    for (name, target) in [("exe", "/usr/bin/bash"), ("cwd", "/root"), ("root", "/")] {
        put(tree, &format!("{top}/{name}"), Content::Link(target.into()), 0o777, now);
    }
    add_thread(tree, &top, THREAD, 0, now);
}

/// The variables that a login gives.
fn environment(scene: &Scene<'_>) -> Vec<u8> {
    let guest = scene.guests.last();
    let user = guest.map_or("root", |guest| guest.user.as_str());
    let account = scene.identity.account(user);
    let (home, shell) = account.map_or(("/root", "/bin/bash"), |account| (&account.home, &account.shell));
    let mut vars = vec![
        format!("USER={user}"),
        format!("LOGNAME={user}"),
        format!("HOME={home}"),
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
        format!("SHELL={shell}"),
        "LANG=C.UTF-8".to_owned(),
    ];
    if let Some(guest) = guest.filter(|guest| guest.port == 22) {
        let (from, port) = (guest.peer.ip().to_canonical(), guest.peer.port());
        vars.push(format!("SSH_CLIENT={from} {port} 22"));
        vars.push(format!("SSH_CONNECTION={from} {port} {} 22", scene.identity.address));
        if let Some(tty) = &guest.tty {
            vars.push(format!("SSH_TTY=/dev/{tty}"));
        }
    }
    vars.push("TERM=xterm".to_owned());
    vars.iter().flat_map(|var| var.bytes().chain([0])).collect()
}

fn program_of(scene: &Scene<'_>, process: &Process) -> String {
    match scene.reader {
        Some(reader) if reader.pid == process.pid => reader.program.clone(),
        _ => "/usr/bin/bash".to_owned(),
    }
}
