//! The folder of each process in `/proc`: those that run since boot, the visitor's shell, and the program that looks.

use std::{fmt::Write as _, sync::Arc, time::SystemTime};

use super::{
    kernel::{Public, dir, put},
    proc, recorded,
    tables::{net_arp, net_dev, net_route},
    tree::{Content, NodeId, Own, Tree, Writer},
};
use crate::machine::{
    Identity, guests,
    guests::Scene,
    processes::{self, Process},
};

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

const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max file size             unlimited            unlimited            bytes     
Max data size             unlimited            unlimited            bytes     
Max stack size            8388608              unlimited            bytes     
Max core file size        0                    unlimited            bytes     
Max resident set          unlimited            unlimited            bytes     
Max processes             7567                 7567                 processes 
Max open files            1024                 1048576              files     
Max locked memory         252698624            252698624            bytes     
Max address space         unlimited            unlimited            bytes     
Max file locks            unlimited            unlimited            locks     
Max pending signals       7567                 7567                 signals   
Max msgqueue size         819200               819200               bytes     
Max nice priority         0                    0                    
Max realtime priority     0                    0                    
Max realtime timeout      unlimited            unlimited            us        
";

/// Files that say the same of every process: name, text, mode (Linux 6.1).
const ALIKE: &[(&str, &str, u32)] = &[
    ("arch_status", "AVX512_elapsed_ms:\t-1\n", 0o444),
    ("attr/apparmor/current", "unconfined\n", 0o666),
    ("attr/apparmor/exec", "", 0o666),
    ("attr/apparmor/prev", "", 0o444),
    ("attr/current", "unconfined\n", 0o666),
    ("attr/exec", "", 0o666),
    ("attr/fscreate", "", 0o666),
    ("attr/keycreate", "", 0o666),
    ("attr/prev", "", 0o444),
    ("attr/sockcreate", "", 0o666),
    ("auxv", "", 0o400),
    ("clear_refs", "", 0o200),
    ("coredump_filter", "00000033\n", 0o644),
    ("cpu_resctrl_groups", "res:\nmon:\n", 0o444),
    ("cpuset", "/\n", 0o444),
    ("gid_map", "         0          0 4294967295\n", 0o644),
    ("limits", LIMITS, 0o444),
    ("mem", "", 0o600),
    ("numa_maps", "", 0o444),
    ("oom_adj", "0\n", 0o644),
    ("oom_score", "666\n", 0o444),
    ("oom_score_adj", "0\n", 0o644),
    ("pagemap", "", 0o400),
    ("patch_state", "-1\n", 0o444),
    ("personality", "00000000\n", 0o400),
    ("projid_map", "", 0o644),
    ("setgroups", "allow\n", 0o644),
    (
        "stack",
        "[<0>] do_wait+0x160/0x2f0\n[<0>] kernel_wait4+0xa6/0x130\n[<0>] __do_sys_wait4+0x8a/0x90\n[<0>] do_syscall_64+0x55/0xb0\n[<0>] entry_SYSCALL_64_after_hwframe+0x6e/0xd8\n",
        0o400,
    ),
    ("timens_offsets", "monotonic           0         0\nboottime            0         0\n", 0o644),
    ("timers", "", 0o444),
    ("timerslack_ns", "50000\n", 0o666),
    ("uid_map", "         0          0 4294967295\n", 0o644),
];

/// The mapped files of a program (proc(5)); `inode` tells the program's file from others.
fn maps(program: &str) -> String {
    let spot = program.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let base = 0x5500_0000_0000 + (spot % 0xff_ffff) * 0x1000;
    let libc = 0x7f00_0000_0000 + (spot % 0xf_ffff) * 0x10_0000;
    let stack = 0x7ffc_0000_0000 + (spot % 0xff_ffff) * 0x100;
    let inode = 131_073 + spot % 90_000;
    let mut text = String::new();
    let mut row = |from: u64, pages: u64, rights: &str, offset: u64, inode: u64, name: &str| {
        let place = if inode == 0 { "00:00" } else { "fe:01" };
        let head = format!("{from:08x}-{:08x} {rights} {offset:08x} {place} {inode} ", from + pages * 0x1000);
        let _ = writeln!(text, "{head:<73}{name}");
    };
    row(base, 2, "r--p", 0, inode, program);
    row(base + 0x2000, 5, "r-xp", 0x2000, inode, program);
    row(base + 0x7000, 2, "r--p", 0x7000, inode, program);
    row(base + 0x9000, 1, "r--p", 0x8000, inode, program);
    row(base + 0xa000, 1, "rw-p", 0x9000, inode, program);
    row(base + 0x1_f3a_000, 33, "rw-p", 0, 0, "[heap]");
    const LIBC: &str = "/usr/lib/x86_64-linux-gnu/libc.so.6";
    row(libc, 38, "r--p", 0, 135_942, LIBC);
    row(libc + 0x26_000, 341, "r-xp", 0x26_000, 135_942, LIBC);
    row(libc + 0x17b_000, 83, "r--p", 0x17b_000, 135_942, LIBC);
    row(libc + 0x1ce_000, 4, "r--p", 0x1ce_000, 135_942, LIBC);
    row(libc + 0x1d2_000, 2, "rw-p", 0x1d2_000, 135_942, LIBC);
    const LINKER: &str = "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
    row(libc + 0x1f0_000, 1, "r--p", 0, 135_939, LINKER);
    row(libc + 0x1f1_000, 37, "r-xp", 0x1000, 135_939, LINKER);
    row(libc + 0x216_000, 10, "r--p", 0x26_000, 135_939, LINKER);
    row(libc + 0x220_000, 2, "r--p", 0x30_000, 135_939, LINKER);
    row(libc + 0x222_000, 2, "rw-p", 0x32_000, 135_939, LINKER);
    row(stack, 33, "rw-p", 0, 0, "[stack]");
    row(stack + 0x30_000, 4, "r--p", 0, 0, "[vvar]");
    row(stack + 0x34_000, 2, "r-xp", 0, 0, "[vdso]");
    text
}

/// The same with what each mapping holds.
fn smaps(program: &str) -> String {
    let mut text = String::new();
    for line in maps(program).lines() {
        let range = line.split(' ').next().and_then(|range| range.split_once('-'));
        let number = |text: &str| u64::from_str_radix(text, 16).unwrap_or_default();
        let size = range.map_or(0, |(from, to)| (number(to) - number(from)) / 1024);
        let resident = size / 2;
        let _ = writeln!(text, "{line}");
        for (name, kib) in [
            ("Size", size),
            ("KernelPageSize", 4),
            ("MMUPageSize", 4),
            ("Rss", resident),
            ("Pss", resident / 3),
            ("Pss_Dirty", 0),
            ("Shared_Clean", resident),
            ("Shared_Dirty", 0),
            ("Private_Clean", 0),
            ("Private_Dirty", 0),
            ("Referenced", resident),
            ("Anonymous", 0),
            ("LazyFree", 0),
            ("AnonHugePages", 0),
            ("ShmemPmdMapped", 0),
            ("FilePmdMapped", 0),
            ("Shared_Hugetlb", 0),
            ("Private_Hugetlb", 0),
            ("Swap", 0),
            ("SwapPss", 0),
            ("Locked", 0),
        ] {
            let _ = writeln!(text, "{:<16}{kib:>8} kB", format!("{name}:"));
        }
        text.push_str("THPeligible:    0\nVmFlags: rd mr mw me sd \n");
    }
    text
}

/// `/proc/PID/mountinfo` (proc(5)).
fn mountinfo(identity: &Identity, _: SystemTime) -> Vec<u8> {
    let mut text = String::new();
    for (number, (device, at, kind, options)) in proc::mount_table(identity).into_iter().enumerate() {
        let number = number as u32;
        let (id, parent) = (22 + number, if at == "/" { 1 } else { 27 });
        let own = options
            .split(',')
            .take_while(|option| matches!(*option, "rw" | "ro" | "nosuid" | "nodev" | "noexec" | "relatime"));
        let own: Vec<&str> = own.collect();
        let rest = options.split(',').filter(|option| !own.contains(option));
        let rest: Vec<&str> = ["rw"].into_iter().chain(rest).collect();
        let place = if at == "/" { "254:1".to_owned() } else { format!("0:{}", 20 + number) };
        let _ = writeln!(
            text,
            "{id} {parent} {place} / {at} {} shared:{} - {kind} {device} {}",
            own.join(","),
            if at == "/" { 1 } else { number + 2 },
            rest.join(",")
        );
    }
    text.into()
}

fn mountstats(identity: &Identity, _: SystemTime) -> Vec<u8> {
    let rows = proc::mount_table(identity).into_iter();
    rows.map(|(device, at, kind, _)| format!("device {device} mounted on {at} with fstype {kind}\n"))
        .collect::<String>()
        .into()
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

/// What all processes have alike: names and nodes, which every folder shares.
pub(super) fn add_shared(tree: &mut Tree, now: SystemTime) -> Vec<(Arc<str>, NodeId)> {
    const PLACE: &str = "/proc/.shared";
    for (name, text, mode) in ALIKE {
        put(tree, &format!("{PLACE}/{name}"), Content::Text((*text).into()), *mode, now);
    }
    let made: [(&str, Public); 3] =
        [("mountinfo", mountinfo), ("mounts", proc::mounts), ("mountstats", mountstats)];
    for (name, text) in made {
        put(tree, &format!("{PLACE}/{name}"), Content::Made(Writer::Public(text)), 0o444, now);
    }
    for name in ["attr", "attr/apparmor", "map_files", "fdinfo"] {
        tree.put(&format!("{PLACE}/{name}"), dir(0, now));
    }
    add_net(tree, &format!("{PLACE}/net"), now);
    let links = [
        ("cgroup", "cgroup:[4026531835]"),
        ("ipc", "ipc:[4026531839]"),
        ("mnt", "mnt:[4026531841]"),
        ("net", "net:[4026531840]"),
        ("pid", "pid:[4026531836]"),
        ("pid_for_children", "pid:[4026531836]"),
        ("time", "time:[4026531834]"),
        ("time_for_children", "time:[4026531834]"),
        ("user", "user:[4026531837]"),
        ("uts", "uts:[4026531838]"),
    ];
    for (name, target) in links {
        put(tree, &format!("{PLACE}/ns/{name}"), Content::Link(target.into()), 0o777, now);
    }
    tree.put(&format!("{PLACE}/ns"), dir(0, now));
    let names = tree.names(PLACE);
    tree.forget_name("/proc", ".shared");
    names
}

fn add_net(tree: &mut Tree, folder: &str, now: SystemTime) {
    recorded::add_network(tree, folder, now);
    let public: [(&str, Public); 8] = [
        ("arp", net_arp),
        ("dev", net_dev),
        ("route", net_route),
        ("dev_mcast", |identity, _| {
            format!(
                "2    {:<15} 1     0     01005e000001\n2    {0:<15} 1     0     333300000001\n",
                identity.interface
            )
            .into()
        }),
        ("igmp", |identity, _| {
            format!(
                "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n2\t{:<10}:     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n",
                identity.interface
            )
            .into()
        }),
        ("if_inet6", |identity, _| {
            format!(
                "00000000000000000000000000000001 01 80 10 80       lo\n{} 02 40 20 80 {:>8}\n",
                identity.link_local_hex(),
                identity.interface
            )
            .into()
        }),
        ("ipv6_route", |identity, _| {
            let own = identity.link_local_hex();
            let none = "0".repeat(32);
            let row = |to: &str, length: &str, metric: &str, flags: &str, device: &str| {
                format!("{to} {length} {none} 00 {none} {metric} 00000002 00000000 {flags} {device:>8}\n")
            };
            [
                row(&format!("{}1", "0".repeat(31)), "80", "00000100", "00000001", "lo"),
                row(&format!("fe80{}", "0".repeat(28)), "40", "00000100", "00000001", identity.interface),
                row(&none, "00", "ffffffff", "00200200", "lo"),
                row(&format!("{}1", "0".repeat(31)), "80", "00000000", "80200001", "lo"),
                row(&own, "80", "00000000", "80200001", identity.interface),
                row(&format!("ff{}", "0".repeat(30)), "08", "00000100", "00000001", identity.interface),
            ]
            .concat()
            .into()
        }),
        ("fib_trie", |identity, _| {
            let [a, b, c, _] = identity.address.octets();
            format!(
                "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     +-- {a}.{b}.{c}.0/24 2 0 2\n        |-- {a}.{b}.{c}.0\n           /24 link UNICAST\n        |-- {}\n           /32 host LOCAL\n        |-- {a}.{b}.{c}.255\n           /32 link BROADCAST\n     +-- 127.0.0.0/8 2 0 2\n        +-- 127.0.0.0/31 1 0 0\n           |-- 127.0.0.0\n              /8 host LOCAL\n           |-- 127.0.0.1\n              /32 host LOCAL\n        |-- 127.255.255.255\n           /32 link BROADCAST\n",
                identity.address
            )
            .into()
        }),
    ];
    for (name, text) in public {
        put(tree, &format!("{folder}/{name}"), Content::Made(Writer::Public(text)), 0o444, now);
    }
    let own: [(&str, Own); 3] =
        [("tcp", guests::net_tcp), ("tcp6", guests::net_tcp6), ("unix", guests::net_unix)];
    for (name, text) in own {
        put(tree, &format!("{folder}/{name}"), Content::Made(Writer::Own(text)), 0o444, now);
    }
    for name in ["dev_snmp6", "netfilter", "stat"] {
        tree.put(&format!("{folder}/{name}"), dir(0, now));
    }
    tree.put(folder, dir(0, now));
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
