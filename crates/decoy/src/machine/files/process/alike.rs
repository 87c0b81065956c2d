//! What all processes have alike: limits, mounts, the network, name spaces.

use std::{fmt::Write as _, sync::Arc, time::SystemTime};

use super::super::{
    kernel::{Public, dir, put},
    proc, recorded,
    tables::{net_arp, net_dev, net_route},
    tree::{Content, NodeId, Own, Tree, Writer},
};
use crate::machine::{Identity, guests};

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

/// What all processes have alike: names and nodes, which every folder shares.
pub(in crate::machine::files) fn add_shared(tree: &mut Tree, now: SystemTime) -> Vec<(Arc<str>, NodeId)> {
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
