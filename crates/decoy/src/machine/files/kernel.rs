//! The tree of `/proc`: which files there are, and those of each process.

use std::time::SystemTime;

use super::{
    Kind, counters, proc, process, recorded,
    tables::{devices, filesystems, modules, partitions, swaps},
    tree::{Content, Node, Tree, Writer},
};
use crate::machine::{Identity, processes};

pub(super) type Public = fn(&Identity, SystemTime) -> Vec<u8>;

/// Files at the top of `/proc`: name, mode, text.
const TOP: &[(&str, u32, Public)] = &[
    ("buddyinfo", 0o400, counters::buddyinfo),
    ("cgroups", 0o444, |_, _| {
        b"#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t0\t74\t1\ncpu\t0\t74\t1\ncpuacct\t0\t74\t1\nblkio\t0\t74\t1\nmemory\t0\t74\t1\ndevices\t0\t74\t1\nfreezer\t0\t74\t1\nnet_cls\t0\t74\t1\nperf_event\t0\t74\t1\nnet_prio\t0\t74\t1\nhugetlb\t0\t74\t1\npids\t0\t74\t1\nrdma\t0\t74\t1\nmisc\t0\t74\t1\n".to_vec()
    }),
    ("cmdline", 0o444, proc::cmdline),
    ("consoles", 0o444, |_, _| b"tty0                 -WU (EC p  )    4:1\n".to_vec()),
    ("cpuinfo", 0o444, proc::cpuinfo),
    ("devices", 0o444, devices),
    ("diskstats", 0o444, counters::diskstats),
    ("execdomains", 0o444, |_, _| b"0-0\tLinux           \t[kernel]\n".to_vec()),
    ("fb", 0o444, |_, _| b"0 bochs-drmdrmfb\n".to_vec()),
    ("filesystems", 0o444, filesystems),
    ("interrupts", 0o444, counters::interrupts),
    ("kcore", 0o400, nothing),
    ("kmsg", 0o400, |identity, _| super::logs::kernel(identity).into()),
    ("kpagecgroup", 0o400, nothing),
    ("kpagecount", 0o400, nothing),
    ("kpageflags", 0o400, nothing),
    ("loadavg", 0o444, proc::loadavg),
    ("meminfo", 0o444, proc::meminfo),
    ("misc", 0o444, |_, _| {
        b"126 udmabuf\n231 snapshot\n124 cpu_dma_latency\n228 hpet\n235 autofs\n183 hw_random\n127 vga_arbiter\n242 rfkill\n236 device-mapper\n144 nvram\n237 loop-control\n227 mcelog\n229 fuse\n".to_vec()
    }),
    ("modules", 0o444, modules),
    ("pagetypeinfo", 0o400, counters::pagetypeinfo),
    ("partitions", 0o444, partitions),
    ("schedstat", 0o444, counters::schedstat),
    ("softirqs", 0o444, counters::softirqs),
    ("stat", 0o444, proc::stat),
    ("swaps", 0o444, swaps),
    ("sysrq-trigger", 0o200, nothing),
    ("timer_list", 0o400, counters::timer_list),
    ("uptime", 0o444, proc::uptime),
    ("version", 0o444, proc::version),
    ("vmstat", 0o444, counters::vmstat),
    ("zoneinfo", 0o444, counters::zoneinfo),
    ("pressure/cpu", 0o644, pressure),
    ("pressure/io", 0o644, pressure),
    ("pressure/memory", 0o644, pressure),
    ("irq/default_smp_affinity", 0o644, |identity, _| {
        line(&format!("{:x}", (1_u64 << identity.cpu_count.min(63)) - 1))
    }),
    ("driver/rtc", 0o444, |_, now| {
        let now: chrono::DateTime<chrono::Utc> = now.into();
        format!(
            "rtc_time\t: {}\nrtc_date\t: {}\nalrm_time\t: 00:00:00\nalrm_date\t: 1970-01-01\nalarm_IRQ\t: no\nalrm_pending\t: no\nupdate IRQ enabled\t: no\nperiodic IRQ enabled\t: no\nperiodic IRQ frequency\t: 1024\nmax user IRQ frequency\t: 64\n24hr\t\t: yes\nperiodic_IRQ\t: no\nupdate_IRQ\t: no\nHPET_emulated\t: yes\nBCD\t\t: yes\nDST_enable\t: no\nperiodic_freq\t: 1024\nbatt_status\t: okay\n",
            now.format("%H:%M:%S"),
            now.format("%Y-%m-%d")
        )
        .into()
    }),
    ("sys/kernel/hostname", 0o644, |identity, _| line(&identity.hostname)),
    ("sys/kernel/domainname", 0o644, |_, _| line("(none)")),
    ("sys/kernel/osrelease", 0o444, |identity, _| line(&identity.kernel_release)),
    ("sys/kernel/ostype", 0o444, |_, _| line("Linux")),
    ("sys/kernel/version", 0o444, |identity, _| line(&identity.kernel_version)),
    ("sys/kernel/random/boot_id", 0o444, |identity, _| line(&identity.boot_id)),
    ("sys/kernel/random/uuid", 0o444, |identity, now| line(&identity.random_uuid(now))),
    ("sys/kernel/random/entropy_avail", 0o444, |_, _| line("256")),
    ("sys/kernel/random/poolsize", 0o444, |_, _| line("256")),
    ("sys/kernel/random/urandom_min_reseed_secs", 0o644, |_, _| line("60")),
    ("sys/kernel/random/write_wakeup_threshold", 0o644, |_, _| line("256")),
    ("sys/kernel/ns_last_pid", 0o666, |identity, now| {
        line(&processes::newest_pid(identity, now).to_string())
    }),
    ("sys/kernel/pid_max", 0o644, |_, _| line("4194304")),
    ("sys/kernel/threads-max", 0o644, |identity, _| line(&(identity.memory_bytes / 131_072).to_string())),
    ("sys/kernel/watchdog_cpumask", 0o644, |identity, _| {
        line(&if identity.cpu_count > 1 { format!("0-{}", identity.cpu_count - 1) } else { "0".to_owned() })
    }),
];

fn line(text: &str) -> Vec<u8> {
    format!("{text}\n").into()
}

fn nothing(_: &Identity, _: SystemTime) -> Vec<u8> {
    Vec::new()
}

fn pressure(identity: &Identity, now: SystemTime) -> Vec<u8> {
    let up = identity.uptime(now).as_secs();
    format!(
        "some avg10=0.00 avg60=0.00 avg300=0.00 total={}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total={}\n",
        up * 37 + 812_031,
        up * 21 + 311_044
    )
    .into()
}

/// Adds `/proc`, and `/sys` after it.
pub(super) fn add(tree: &mut Tree, now: SystemTime) {
    let identity = tree.identity.clone();
    tree.put("/proc", dir(0, now));
    recorded::add(tree, now);
    recorded::add_settings(tree, &identity, now);
    for (name, mode, text) in TOP {
        put(tree, &format!("/proc/{name}"), Content::Made(Writer::Public(*text)), *mode, now);
    }
    let disk = identity.disk;
    put(tree, &format!("/proc/fs/ext4/{disk}/options"), Content::Text(EXT4.into()), 0o444, now);
    put(tree, &format!("/proc/fs/jbd2/{disk}-8/info"), Content::Text("".into()), 0o444, now);
    const FOLDERS: &[&str] = &[
        "acpi",
        "acpi/ac_adapter",
        "acpi/button",
        "acpi/fan",
        "acpi/processor",
        "acpi/thermal_zone",
        "bus/pci/00",
        "dynamic_debug",
        "irq/0",
        "irq/1",
        "irq/8",
        "irq/9",
        "irq/12",
        "sys/abi",
        "sys/fs/binfmt_misc",
    ];
    for name in FOLDERS {
        tree.put(&format!("/proc/{name}"), dir(0, now));
    }
    tree.set_folders_below("/proc", 0o555);
    let shared = process::add_shared(tree, now);
    for process in processes::list(&identity) {
        process::add(tree, &process, &shared, now);
    }
    process::add_own(tree, process::OWN, &shared, now);
    process::add_own(tree, process::READER, &shared, now);
    for (name, target) in
        [("self", "1"), ("thread-self", "1/task/1"), ("mounts", "self/mounts"), ("net", "self/net")]
    {
        put(tree, &format!("/proc/{name}"), Content::Link(target.into()), 0o777, now);
    }
    super::sys::add(tree, now);
}

/// Options of the root file system as ext4 has them.
const EXT4: &str = "rw\nbsddf\nnogrpid\nblock_validity\ndioread_nolock\nnodiscard\ndelalloc\nnowarn_on_error\njournal_checksum\nbarrier\nauto_da_alloc\nuser_xattr\nacl\nnoquota\nresuid=0\nresgid=0\nerrors=remount-ro\ncommit=5\nmin_batch_time=0\nmax_batch_time=15000\nstripe=0\ndata=ordered\ninode_readahead_blks=32\ninit_itable=10\nmax_dir_size_kb=0\n";

pub(super) fn dir(uid: u32, now: SystemTime) -> Node {
    Node::new(Content::empty_dir(), uid, uid, 0o555, now)
}

pub(super) fn put(tree: &mut Tree, path: &str, content: Content, mode: u32, now: SystemTime) {
    let mode = if content.kind() == Kind::Symlink { 0o777 } else { mode };
    tree.put(path, Node::new(content, 0, 0, mode, now));
}
