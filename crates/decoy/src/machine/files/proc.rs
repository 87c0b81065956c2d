//! Texts of `/proc` that follow from the identity and the clock.

use std::{fmt::Write as _, time::SystemTime};

use crate::machine::{
    Identity,
    guests::Scene,
    mounts::{Mount, table},
    processes,
};

pub(super) fn cpuinfo(identity: &Identity, _: SystemTime) -> Vec<u8> {
    let (cpu, count) = (&identity.cpu, identity.cpu_count);
    let mut text = String::with_capacity(2048 * count as usize);
    let mhz = f64::from(cpu.khz) / 1000.0;
    for number in 0..count {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "processor\t: {number}\nvendor_id\t: {}\ncpu family\t: {}\nmodel\t\t: {}\nmodel name\t: {}\n\
             stepping\t: {}\nmicrocode\t: {}\ncpu MHz\t\t: {mhz:.3}\ncache size\t: {} KB\nphysical id\t: {number}\n\
             siblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\napicid\t\t: {number}\ninitial apicid\t: {number}\n\
             fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: {}\nwp\t\t: yes\nflags\t\t: {}\nbugs\t\t: {}\n\
             bogomips\t: {:.2}\n{}clflush size\t: 64\ncache_alignment\t: 64\n\
             address sizes\t: 40 bits physical, 48 bits virtual\npower management:\n\n",
            cpu.vendor,
            cpu.family,
            cpu.model,
            cpu.name,
            cpu.stepping,
            cpu.microcode,
            if cpu.vendor == "AuthenticAMD" { 512 } else { cpu.l3_kib },
            if cpu.vendor == "AuthenticAMD" { 16 } else { 13 },
            cpu.flags,
            cpu.bugs,
            mhz * 2.0,
            if cpu.vendor == "AuthenticAMD" { "TLB size\t: 1024 4K pages\n" } else { "" },
        );
    }
    text.into()
}

/// How memory is used now, in KiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) total: u64,
    pub(crate) free: u64,
    pub(crate) available: u64,
    pub(crate) shared: u64,
    pub(crate) buffers: u64,
    pub(crate) cached: u64,
    pub(crate) reclaimable: u64,
    pub(crate) swap_total: u64,
    pub(crate) swap_free: u64,
}

/// Memory figures: a steady server. Much moves a little: no two looks give the same.
pub(crate) fn memory(identity: &Identity, now: SystemTime) -> Memory {
    let total = identity.memory_bytes / 1024;
    let since = identity.uptime(now);
    let mixed = |step: u64, salt: u64| {
        let state = step.wrapping_add(identity.seed >> salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (state ^ (state >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33
    };
    // Pages come in fours of KiB; half a minute's drift, and what a process more or less takes at this very moment.
    let wave = |salt: u64, span: u64| {
        let drift = mixed(since.as_secs() / 30, salt) % span.max(1);
        (drift + mixed((since.as_micros() / 700) as u64, salt + 1) % 400) & !3
    };
    // Two looks within a second see a difference, too.
    let ripple = (identity.uptime(now).as_millis() as u64 / 300).wrapping_mul(0x9e37_79b9) % 240;
    let used = 105_000 + total / 16 + identity.seed % (total / 24 + 1) + wave(3, 3000) + ripple;
    let cached = (total.saturating_sub(used)) * 52 / 100 + wave(7, 2000);
    let buffers = total / 52 + identity.seed % 4000;
    let reclaimable = total / 48;
    let free = total.saturating_sub(used + cached + buffers + reclaimable);
    let shared = 560 + identity.seed % 5000;
    Memory {
        total,
        free,
        available: free + cached + reclaimable - shared.min(cached),
        shared,
        buffers,
        cached,
        reclaimable,
        swap_total: identity.swap_bytes / 1024,
        swap_free: (identity.swap_bytes / 1024).saturating_sub(identity.seed % 900 * 4),
    }
}

pub(super) fn meminfo(identity: &Identity, now: SystemTime) -> Vec<u8> {
    let m = memory(identity, now);
    let anon = m.total.saturating_sub(m.free + m.cached + m.buffers + m.reclaimable) / 2;
    let active = m.cached * 4 / 10;
    let rows: [(&str, u64); 33] = [
        ("MemTotal", m.total),
        ("MemFree", m.free),
        ("MemAvailable", m.available),
        ("Buffers", m.buffers),
        ("Cached", m.cached),
        ("SwapCached", 0),
        ("Active", active + anon / 50),
        ("Inactive", m.cached - active + anon),
        ("Active(anon)", anon / 50),
        ("Inactive(anon)", anon),
        ("Active(file)", active),
        ("Inactive(file)", m.cached - active),
        ("Unevictable", 0),
        ("Mlocked", 0),
        ("SwapTotal", m.swap_total),
        ("SwapFree", m.swap_free),
        ("Zswap", 0),
        ("Zswapped", 0),
        ("Dirty", 120),
        ("Writeback", 0),
        ("AnonPages", anon),
        ("Mapped", anon * 6 / 10),
        ("Shmem", m.shared),
        ("KReclaimable", m.reclaimable),
        ("Slab", m.reclaimable * 17 / 10),
        ("SReclaimable", m.reclaimable),
        ("SUnreclaim", m.reclaimable * 7 / 10),
        ("KernelStack", 2128),
        ("PageTables", 2064),
        ("SecPageTables", 0),
        ("NFS_Unstable", 0),
        ("Bounce", 0),
        ("WritebackTmp", 0),
    ];
    let mut text = String::new();
    for (name, kib) in rows {
        let _ = writeln!(text, "{:<16}{kib:>8} kB", format!("{name}:"));
    }
    let _ = write!(
        text,
        "CommitLimit:    {:>8} kB\nCommitted_AS:   {:>8} kB\nVmallocTotal:   34359738367 kB\nVmallocUsed:       11960 kB\n\
         VmallocChunk:          0 kB\nPercpu:         {:>8} kB\nHardwareCorrupted:     0 kB\nAnonHugePages:         0 kB\n\
         ShmemHugePages:        0 kB\nShmemPmdMapped:        0 kB\nFileHugePages:         0 kB\nFilePmdMapped:         0 kB\n\
         HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\nHugePages_Surp:        0\n\
         Hugepagesize:       2048 kB\nHugetlb:               0 kB\nDirectMap4k:      {:>6} kB\nDirectMap2M:    {:>8} kB\n",
        m.total / 2 + m.swap_total,
        anon * 3,
        identity.cpu_count * 552,
        100_220,
        m.total / 2048 * 2048,
    );
    text.into()
}

pub(super) fn uptime(identity: &Identity, now: SystemTime) -> Vec<u8> {
    let up = identity.uptime(now).as_secs_f64();
    format!("{up:.2} {:.2}\n", up * f64::from(identity.cpu_count) * 0.987).into()
}

/// The load of one, five and fifteen minutes, in hundredths: an idle server with an occasional job.
pub(crate) fn load(identity: &Identity, now: SystemTime) -> [u64; 3] {
    let seconds = identity.uptime(now).as_secs();
    let at = |step: u64, salt: u64| {
        (seconds / step).wrapping_add(identity.seed >> salt).wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40
    };
    [at(15, 5) % 14, at(60, 9) % 9, at(240, 13) % 6]
}

pub(super) fn loadavg(identity: &Identity, now: SystemTime) -> Vec<u8> {
    let [one, five, fifteen] = load(identity, now);
    let tasks = processes::list(identity).len() + 12;
    let last = processes::newest_pid(identity, now);
    format!("0.{one:02} 0.{five:02} 0.{fifteen:02} 1/{tasks} {last}\n").into()
}

pub(super) fn version(identity: &Identity, _: SystemTime) -> Vec<u8> {
    format!(
        "Linux version {} (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0, GNU ld (GNU \
         Binutils for Debian) 2.40) {}\n",
        identity.kernel_release, identity.kernel_version
    )
    .into()
}

pub(super) fn cmdline(identity: &Identity, _: SystemTime) -> Vec<u8> {
    format!(
        "BOOT_IMAGE=/boot/vmlinuz-{} root=UUID={} ro quiet\n",
        identity.kernel_release, identity.disk_uuid
    )
    .into()
}

/// The file systems that are mounted at boot: device, directory, type, options. See [`crate::machine::mounts`].
pub(crate) fn mount_table(identity: &Identity) -> Vec<(String, &'static str, &'static str, String)> {
    let kib = identity.memory_bytes / 1024;
    let row = |device: &str, at, kind, options: String| (device.to_owned(), at, kind, options);
    vec![
        row("sysfs", "/sys", "sysfs", "rw,nosuid,nodev,noexec,relatime".into()),
        row("proc", "/proc", "proc", "rw,nosuid,nodev,noexec,relatime".into()),
        row(
            "udev",
            "/dev",
            "devtmpfs",
            format!("rw,nosuid,relatime,size={}k,nr_inodes={},mode=755,inode64", kib / 2 - 17_000, kib / 8),
        ),
        row("devpts", "/dev/pts", "devpts", "rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=000".into()),
        row(
            "tmpfs",
            "/run",
            "tmpfs",
            format!("rw,nosuid,nodev,noexec,relatime,size={}k,mode=755,inode64", kib / 10),
        ),
        row(&format!("/dev/{}", identity.disk), "/", "ext4", "rw,relatime,errors=remount-ro".into()),
        row("securityfs", "/sys/kernel/security", "securityfs", "rw,nosuid,nodev,noexec,relatime".into()),
        row("tmpfs", "/dev/shm", "tmpfs", "rw,nosuid,nodev,inode64".into()),
        row("tmpfs", "/run/lock", "tmpfs", "rw,nosuid,nodev,noexec,relatime,size=5120k,inode64".into()),
        row(
            "cgroup2",
            "/sys/fs/cgroup",
            "cgroup2",
            "rw,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot".into(),
        ),
        row("pstore", "/sys/fs/pstore", "pstore", "rw,nosuid,nodev,noexec,relatime".into()),
        row("bpf", "/sys/fs/bpf", "bpf", "rw,nosuid,nodev,noexec,relatime,mode=700".into()),
        row(
            "systemd-1",
            "/proc/sys/fs/binfmt_misc",
            "autofs",
            "rw,relatime,fd=30,pgrp=1,timeout=0,minproto=5,maxproto=5,direct,pipe_ino=13221".into(),
        ),
        row("hugetlbfs", "/dev/hugepages", "hugetlbfs", "rw,relatime,pagesize=2M".into()),
        row("mqueue", "/dev/mqueue", "mqueue", "rw,nosuid,nodev,noexec,relatime".into()),
        row("debugfs", "/sys/kernel/debug", "debugfs", "rw,nosuid,nodev,noexec,relatime".into()),
        row("tracefs", "/sys/kernel/tracing", "tracefs", "rw,nosuid,nodev,noexec,relatime".into()),
        row(
            "tmpfs",
            "/run/user/0",
            "tmpfs",
            format!("rw,nosuid,nodev,relatime,size={}k,nr_inodes={},mode=700,inode64", kib / 10, kib / 40),
        ),
    ]
}

pub(super) fn mounts(scene: &Scene<'_>) -> Vec<u8> {
    let mut text = String::new();
    for Mount { source, target, kind, options } in table(scene.identity, scene.mounts) {
        let _ = writeln!(text, "{source} {target} {kind} {options} 0 0");
    }
    text.into()
}

pub(super) fn stat(identity: &Identity, now: SystemTime) -> Vec<u8> {
    let up = identity.uptime(now).as_secs();
    let ticks = up * 100;
    let count = u64::from(identity.cpu_count);
    let mut text = String::new();
    let line = |name: &str, n: u64| {
        format!(
            "{name} {} {} {} {} {} 0 {} 0 0 0\n",
            n / 310,
            n / 9000,
            n / 420,
            n * 98 / 100,
            n / 3100,
            n / 21_000
        )
    };
    text.push_str(&line("cpu ", ticks * count));
    for number in 0..count {
        text.push_str(&line(&format!("cpu{number}"), ticks + number * 131));
    }
    let booted = identity.boot_time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let _ = write!(
        text,
        "intr {} 0 9 0 0 0 0 3 0 0 0 0 0 15 0 0 0\nctxt {}\nbtime {booted}\nprocesses {}\nprocs_running 1\nprocs_blocked 0\n",
        ticks / 2,
        ticks * 3,
        processes::newest_pid(identity, now)
    );
    text.into()
}
