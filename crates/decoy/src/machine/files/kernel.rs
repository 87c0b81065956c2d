//! The tree of `/proc`: which files there are, and those of each process.

use std::time::SystemTime;

use super::{
    Kind, proc,
    tables::{
        devices, diskstats, filesystems, interrupts, modules, net_arp, net_dev, net_route, partitions, swaps,
    },
    tree::{Content, Node, Tree, Writer},
};
use crate::machine::{
    Identity, guests,
    guests::Scene,
    processes::{self, Process},
};

/// Name under which the visitor's own process is built, before it is taken out for each visitor to see as theirs.
pub(super) const OWN: &str = ".own";

type Public = fn(&Identity, SystemTime) -> Vec<u8>;

/// Files at the top of `/proc`: name, mode, text.
const TOP: &[(&str, u32, Public)] = &[
    ("buddyinfo", 0o400, nothing),
    ("cgroups", 0o444, |_, _| {
        b"#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t0\t74\t1\ncpu\t0\t74\t1\ncpuacct\t0\t74\t1\nblkio\t0\t74\t1\nmemory\t0\t74\t1\ndevices\t0\t74\t1\nfreezer\t0\t74\t1\nnet_cls\t0\t74\t1\nperf_event\t0\t74\t1\nnet_prio\t0\t74\t1\nhugetlb\t0\t74\t1\npids\t0\t74\t1\nrdma\t0\t74\t1\nmisc\t0\t74\t1\n".to_vec()
    }),
    ("cmdline", 0o444, proc::cmdline),
    ("consoles", 0o444, |_, _| b"tty0                 -WU (EC p  )    4:1\n".to_vec()),
    ("cpuinfo", 0o444, proc::cpuinfo),
    ("crypto", 0o444, nothing),
    ("devices", 0o444, devices),
    ("diskstats", 0o444, diskstats),
    ("dma", 0o444, |_, _| b" 4: cascade\n".to_vec()),
    ("execdomains", 0o444, |_, _| b"0-0\tLinux           \t[kernel]\n".to_vec()),
    ("fb", 0o444, nothing),
    ("filesystems", 0o444, filesystems),
    ("interrupts", 0o444, interrupts),
    ("iomem", 0o444, nothing),
    ("ioports", 0o444, nothing),
    ("kallsyms", 0o444, nothing),
    ("kcore", 0o400, nothing),
    ("key-users", 0o444, nothing),
    ("keys", 0o444, nothing),
    ("kmsg", 0o400, |identity, _| super::logs::kernel(identity).into()),
    ("kpagecgroup", 0o400, nothing),
    ("kpagecount", 0o400, nothing),
    ("kpageflags", 0o400, nothing),
    ("loadavg", 0o444, proc::loadavg),
    ("locks", 0o444, nothing),
    ("meminfo", 0o444, proc::meminfo),
    ("misc", 0o444, |_, _| {
        b"124 cpu_dma_latency\n231 snapshot\n236 device-mapper\n144 nvram\n228 hpet\n235 autofs\n183 hw_random\n237 loop-control\n227 mcelog\n229 fuse\n".to_vec()
    }),
    ("modules", 0o444, modules),
    ("mtrr", 0o644, nothing),
    ("pagetypeinfo", 0o400, nothing),
    ("partitions", 0o444, partitions),
    ("schedstat", 0o444, nothing),
    ("slabinfo", 0o400, nothing),
    ("softirqs", 0o444, nothing),
    ("stat", 0o444, proc::stat),
    ("swaps", 0o444, swaps),
    ("sysrq-trigger", 0o200, nothing),
    ("timer_list", 0o400, nothing),
    ("uptime", 0o444, proc::uptime),
    ("version", 0o444, proc::version),
    ("vmallocinfo", 0o400, nothing),
    ("vmstat", 0o444, vmstat),
    ("zoneinfo", 0o444, nothing),
    ("pressure/cpu", 0o644, pressure),
    ("pressure/io", 0o644, pressure),
    ("pressure/memory", 0o644, pressure),
    ("sysvipc/msg", 0o444, nothing),
    ("sysvipc/sem", 0o444, nothing),
    ("sysvipc/shm", 0o444, nothing),
    ("tty/drivers", 0o444, nothing),
    ("bus/pci/devices", 0o444, nothing),
    ("fs/ext4/options", 0o444, nothing),
    ("irq/default_smp_affinity", 0o644, nothing),
    ("driver/rtc", 0o444, nothing),
    ("sys/kernel/hostname", 0o644, |identity, _| line(&identity.hostname)),
    ("sys/kernel/domainname", 0o644, |_, _| line("(none)")),
    ("sys/kernel/osrelease", 0o444, |identity, _| line(&identity.kernel_release)),
    ("sys/kernel/ostype", 0o444, |_, _| line("Linux")),
    ("sys/kernel/version", 0o444, |identity, _| line(&identity.kernel_version)),
    ("sys/kernel/arch", 0o444, |identity, _| line(identity.arch)),
    ("sys/kernel/random/boot_id", 0o444, |identity, _| line(&identity.boot_id)),
    ("sys/kernel/random/uuid", 0o444, |identity, now| line(&identity.random_uuid(now))),
    ("sys/kernel/random/entropy_avail", 0o444, |_, _| line("256")),
    ("sys/kernel/random/poolsize", 0o444, |_, _| line("256")),
    ("sys/kernel/core_pattern", 0o644, |_, _| line("core")),
    ("sys/kernel/core_uses_pid", 0o644, |_, _| line("0")),
    ("sys/kernel/dmesg_restrict", 0o644, |_, _| line("1")),
    ("sys/kernel/kptr_restrict", 0o644, |_, _| line("0")),
    ("sys/kernel/modprobe", 0o644, |_, _| line("/sbin/modprobe")),
    ("sys/kernel/modules_disabled", 0o644, |_, _| line("0")),
    ("sys/kernel/ngroups_max", 0o444, |_, _| line("65536")),
    ("sys/kernel/panic", 0o644, |_, _| line("0")),
    ("sys/kernel/perf_event_paranoid", 0o644, |_, _| line("3")),
    ("sys/kernel/pid_max", 0o644, |_, _| line("4194304")),
    ("sys/kernel/printk", 0o644, |_, _| line("4\t4\t1\t7")),
    ("sys/kernel/randomize_va_space", 0o644, |_, _| line("2")),
    ("sys/kernel/sysrq", 0o644, |_, _| line("438")),
    ("sys/kernel/threads-max", 0o644, |identity, _| line(&(identity.memory_bytes / 131_072).to_string())),
    ("sys/kernel/unprivileged_userns_clone", 0o644, |_, _| line("1")),
    ("sys/kernel/yama/ptrace_scope", 0o644, |_, _| line("0")),
    ("sys/vm/drop_caches", 0o200, |_, _| line("0")),
    ("sys/vm/max_map_count", 0o644, |_, _| line("65530")),
    ("sys/vm/min_free_kbytes", 0o644, |_, _| line("45056")),
    ("sys/vm/nr_hugepages", 0o644, |_, _| line("0")),
    ("sys/vm/overcommit_memory", 0o644, |_, _| line("0")),
    ("sys/vm/overcommit_ratio", 0o644, |_, _| line("50")),
    ("sys/vm/panic_on_oom", 0o644, |_, _| line("0")),
    ("sys/vm/swappiness", 0o644, |_, _| line("60")),
    ("sys/vm/vfs_cache_pressure", 0o644, |_, _| line("100")),
    ("sys/fs/file-max", 0o644, |_, _| line("9223372036854775807")),
    ("sys/fs/file-nr", 0o444, |_, _| line("1088\t0\t9223372036854775807")),
    ("sys/fs/inotify/max_user_watches", 0o644, |_, _| line("15134")),
    ("sys/fs/nr_open", 0o644, |_, _| line("1048576")),
    ("sys/fs/suid_dumpable", 0o644, |_, _| line("0")),
    ("sys/net/core/rmem_max", 0o644, |_, _| line("212992")),
    ("sys/net/core/somaxconn", 0o644, |_, _| line("4096")),
    ("sys/net/core/wmem_max", 0o644, |_, _| line("212992")),
    ("sys/net/ipv4/icmp_echo_ignore_all", 0o644, |_, _| line("0")),
    ("sys/net/ipv4/ip_forward", 0o644, |_, _| line("0")),
    ("sys/net/ipv4/ip_local_port_range", 0o644, |_, _| line("32768\t60999")),
    ("sys/net/ipv4/tcp_congestion_control", 0o644, |_, _| line("cubic")),
    ("sys/net/ipv4/tcp_fin_timeout", 0o644, |_, _| line("60")),
    ("sys/net/ipv4/tcp_syncookies", 0o644, |_, _| line("1")),
    ("sys/net/ipv4/tcp_tw_reuse", 0o644, |_, _| line("2")),
    ("sys/net/ipv6/conf/all/disable_ipv6", 0o644, |_, _| line("0")),
    ("sys/user/max_user_namespaces", 0o644, |_, _| line("7567")),
];

fn line(text: &str) -> Vec<u8> {
    format!("{text}\n").into()
}

fn nothing(_: &Identity, _: SystemTime) -> Vec<u8> {
    Vec::new()
}

fn pressure(_: &Identity, _: SystemTime) -> Vec<u8> {
    b"some avg10=0.00 avg60=0.00 avg300=0.00 total=812031\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
        .to_vec()
}

fn vmstat(identity: &Identity, now: SystemTime) -> Vec<u8> {
    let m = proc::memory(identity, now);
    let up = identity.uptime(now).as_secs();
    format!(
        "nr_free_pages {}\nnr_inactive_file {}\nnr_active_file {}\npgpgin {}\npgpgout {}\npswpin 0\npswpout 0\npgfault {}\npgmajfault {}\noom_kill 0\n",
        m.free / 4, m.cached / 7, m.cached / 10, 1_200_400 + up / 3, up * 3, up * 190 + 811_204, 9_120 + up / 400
    )
    .into()
}

/// Adds `/proc`, and `/sys` after it.
pub(super) fn add(tree: &mut Tree, now: SystemTime) {
    let identity = tree.identity.clone();
    tree.put("/proc", dir(0, now));
    for (name, mode, text) in TOP {
        put(tree, &format!("/proc/{name}"), Content::Made(Writer::Public(*text)), *mode, now);
    }
    for name in [
        "acpi",
        "bus/input",
        "dynamic_debug",
        "scsi",
        "sys/abi",
        "sys/debug",
        "sys/dev",
        "sys/fs/binfmt_misc",
    ] {
        tree.put(&format!("/proc/{name}"), dir(0, now));
    }
    let folders = [
        "bus",
        "bus/pci",
        "driver",
        "fs",
        "fs/ext4",
        "irq",
        "pressure",
        "sys",
        "sys/fs",
        "sys/fs/inotify",
        "sys/kernel",
        "sys/kernel/random",
        "sys/kernel/yama",
        "sys/net",
        "sys/net/core",
        "sys/net/ipv4",
        "sys/net/ipv6",
        "sys/net/ipv6/conf",
        "sys/net/ipv6/conf/all",
        "sys/user",
        "sys/vm",
        "sysvipc",
        "tty",
    ];
    for name in folders {
        tree.put(&format!("/proc/{name}"), dir(0, now));
    }
    settings(tree, &identity, now);
    for process in processes::list(&identity) {
        of_process(tree, &process, now);
    }
    own_process(tree, now);
    for (name, target) in
        [("self", "1"), ("thread-self", "self/task"), ("mounts", "self/mounts"), ("net", "self/net")]
    {
        put(tree, &format!("/proc/{name}"), Content::Link(target.into()), 0o777, now);
    }
    super::sys::add(tree, now);
}

/// Settings of each interface: name, value of `all`, value of the others.
const OF_INTERFACES: [(&str, &str, &str); 12] = [
    ("accept_local", "0", "0"),
    ("accept_redirects", "1", "1"),
    ("accept_source_route", "0", "1"),
    ("arp_announce", "0", "0"),
    ("arp_ignore", "0", "0"),
    ("forwarding", "0", "0"),
    ("log_martians", "0", "0"),
    ("promote_secondaries", "0", "1"),
    ("proxy_arp", "0", "0"),
    ("rp_filter", "0", "2"),
    ("secure_redirects", "1", "1"),
    ("send_redirects", "1", "1"),
];

fn settings(tree: &mut Tree, identity: &Identity, now: SystemTime) {
    for interface in ["all", "default", "lo", identity.interface] {
        for (name, all, other) in OF_INTERFACES {
            let value = if interface == "all" { all } else { other };
            let path = format!("/proc/sys/net/ipv4/conf/{interface}/{name}");
            put(tree, &path, Content::Text(format!("{value}\n").into()), 0o644, now);
        }
        tree.put(&format!("/proc/sys/net/ipv4/conf/{interface}"), dir(0, now));
    }
    tree.put("/proc/sys/net/ipv4/conf", dir(0, now));
}

pub(super) fn dir(uid: u32, now: SystemTime) -> Node {
    Node::new(Content::empty_dir(), uid, uid, 0o555, now)
}

pub(super) fn put(tree: &mut Tree, path: &str, content: Content, mode: u32, now: SystemTime) {
    let mode = if content.kind() == Kind::Symlink { 0o777 } else { mode };
    tree.put(path, Node::new(content, 0, 0, mode, now));
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

fn of_process(tree: &mut Tree, process: &Process, now: SystemTime) {
    let top = format!("/proc/{}", process.pid);
    tree.put(&top, dir(process.uid, now));
    let mut words = process.command.replace(' ', "\0");
    if process.is_kernel() {
        words.clear();
    } else {
        words.push('\0');
    }
    let pages = (process.virtual_kib / 4, process.resident_kib / 4);
    let texts = [
        ("cmdline", words, 0o444),
        ("comm", format!("{}\n", process.name()), 0o644),
        ("stat", process.stat_text(), 0o444),
        ("statm", format!("{} {} {} 60 0 {} 0\n", pages.0, pages.1, pages.1 / 2, pages.1 / 3), 0o444),
        ("status", process.status_text(), 0o444),
    ];
    for (name, text, mode) in texts {
        put(tree, &format!("{top}/{name}"), Content::Text(text.into()), mode, now);
    }
    for (name, text, mode) in [
        ("limits", LIMITS, 0o444),
        ("environ", "", 0o400),
        ("maps", "", 0o444),
        ("oom_score_adj", "0\n", 0o644),
    ] {
        put(tree, &format!("{top}/{name}"), Content::Text(text.into()), mode, now);
    }
    put(tree, &format!("{top}/mounts"), Content::Made(Writer::Public(proc::mounts)), 0o444, now);
    for name in ["fd", "ns", "task"] {
        tree.put(&format!("{top}/{name}"), dir(process.uid, now));
    }
    let links = [("cwd", Some("/")), ("root", Some("/")), ("exe", process.executable())];
    for (name, target) in links.into_iter().filter_map(|(name, target)| Some((name, target?))) {
        put(tree, &format!("{top}/{name}"), Content::Link(target.into()), 0o777, now);
    }
}

const MAPS: &str = "55d0c4a00000-55d0c4a2f000 r--p 00000000 fe:01 1835 /usr/bin/bash\n\
55d0c4a2f000-55d0c4af2000 r-xp 0002f000 fe:01 1835 /usr/bin/bash\n\
55d0c4af2000-55d0c4b2a000 r--p 000f2000 fe:01 1835 /usr/bin/bash\n\
55d0c4b2b000-55d0c4b2f000 r--p 0012a000 fe:01 1835 /usr/bin/bash\n\
55d0c4b2f000-55d0c4b38000 rw-p 0012e000 fe:01 1835 /usr/bin/bash\n\
55d0c61f7000-55d0c6380000 rw-p 00000000 00:00 0 [heap]\n\
7f2ab2600000-7f2ab2626000 r--p 00000000 fe:01 2210 /usr/lib/x86_64-linux-gnu/libc.so.6\n\
7f2ab2626000-7f2ab277b000 r-xp 00026000 fe:01 2210 /usr/lib/x86_64-linux-gnu/libc.so.6\n\
7ffc2b3d9000-7ffc2b3fa000 rw-p 00000000 00:00 0 [stack]\n\
7ffc2b3fb000-7ffc2b3ff000 r--p 00000000 00:00 0 [vvar]\n\
7ffc2b3ff000-7ffc2b401000 r-xp 00000000 00:00 0 [vdso]\n";

/// The visitor's shell as a process.
fn own(scene: &Scene<'_>) -> Process {
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

fn own_process(tree: &mut Tree, now: SystemTime) {
    let top = format!("/proc/{OWN}");
    tree.put(&top, dir(0, now));
    let own_texts: [(&str, super::tree::Own, u32); 5] = [
        ("stat", |scene| own(scene).stat_text().into(), 0o444),
        ("status", |scene| own(scene).status_text().into(), 0o444),
        (
            "cgroup",
            |scene| {
                let uid = scene.guests.last().map_or(0, |guest| guest.uid);
                format!("0::/user.slice/user-{uid}.slice/session-1.scope\n").into()
            },
            0o444,
        ),
        ("net/tcp", guests::net_tcp, 0o444),
        ("loginuid", |scene| scene.guests.last().map_or(0, |guest| guest.uid).to_string().into(), 0o644),
    ];
    for (name, text, mode) in own_texts {
        put(tree, &format!("{top}/{name}"), Content::Made(Writer::Own(text)), mode, now);
    }
    let public: [(&str, Public); 9] = [
        ("mounts", proc::mounts),
        ("net/dev", net_dev),
        ("net/route", net_route),
        ("net/arp", net_arp),
        ("net/udp", |_, _| {
            b"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops             \n".to_vec()
        }),
        ("net/tcp6", |_, _| {
            b"  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n".to_vec()
        }),
        ("net/unix", |_, _| b"Num       RefCount Protocol Flags    Type St Inode Path\n".to_vec()),
        ("net/if_inet6", |identity, _| {
            format!(
                "00000000000000000000000000000001 01 80 10 80       lo\n{} 02 40 20 80 {:>8}\n",
                identity.link_local_hex(),
                identity.interface
            )
            .into()
        }),
        ("net/sockstat", |_, _| {
            b"sockets: used 131\nTCP: inuse 6 orphan 0 tw 0 alloc 9 mem 1\nUDP: inuse 0 mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n".to_vec()
        }),
    ];
    for (name, text) in public {
        put(tree, &format!("{top}/{name}"), Content::Made(Writer::Public(text)), 0o444, now);
    }
    let texts = [
        ("cmdline", "-bash\0", 0o444),
        ("comm", "bash\n", 0o644),
        (
            "environ",
            "LANG=C.UTF-8\0USER=root\0LOGNAME=root\0HOME=/root\0SHELL=/bin/bash\0TERM=xterm\0",
            0o400,
        ),
        ("limits", LIMITS, 0o444),
        ("maps", MAPS, 0o444),
        ("oom_adj", "0\n", 0o644),
        ("oom_score", "666\n", 0o444),
        ("oom_score_adj", "0\n", 0o644),
        ("sessionid", "1", 0o444),
        ("statm", "1992 1210 812 206 0 262 0\n", 0o444),
        ("wchan", "do_wait", 0o444),
        ("uid_map", "         0          0 4294967295\n", 0o644),
        ("gid_map", "         0          0 4294967295\n", 0o644),
    ];
    for (name, text, mode) in texts {
        put(tree, &format!("{top}/{name}"), Content::Text(text.into()), mode, now);
    }
    for name in ["fd", "fdinfo", "net", "ns", "task", "attr", "map_files"] {
        tree.put(&format!("{top}/{name}"), dir(0, now));
    }
    for name in ["0", "1", "2", "255"] {
        put(tree, &format!("{top}/fd/{name}"), Content::Link("/dev/pts/0".into()), 0o777, now);
    }
    for (name, target) in [("exe", "/usr/bin/bash"), ("cwd", "/root"), ("root", "/")] {
        put(tree, &format!("{top}/{name}"), Content::Link(target.into()), 0o777, now);
    }
}
