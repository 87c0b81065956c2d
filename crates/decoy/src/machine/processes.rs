//! The processes of the machine: a steady list that follows from the identity.

use std::time::SystemTime;

use super::Identity;

/// Number of a shell that was started at this time; its `sshd` or `login` is [`DOOR`] lower. Each visitor sees only
/// themselves, so two who come in the same second may have the same.
pub fn shell_pid(identity: &Identity, started: SystemTime) -> u32 {
    newest_pid(identity, started) + DOOR
}

/// How far the process that let a visitor in lies below their shell.
pub const DOOR: u32 = 7;

/// One process.
#[derive(Clone, Debug)]
pub struct Process {
    /// Process number.
    pub pid: u32,
    /// Its parent.
    pub parent: u32,
    /// Who runs it.
    pub uid: u32,
    /// Name of that user, as `ps` shows it.
    pub user: &'static str,
    /// Command line; kernel threads are in brackets.
    pub command: String,
    /// Virtual memory in KiB.
    pub virtual_kib: u64,
    /// Resident memory in KiB.
    pub resident_kib: u64,
    /// State letters of `ps`.
    pub state: &'static str,
    /// Processor time in seconds for each day of uptime.
    pub seconds_per_day: u64,
    /// Terminal, `?` for none.
    pub tty: &'static str,
    /// When it was started, if not at boot.
    pub since: Option<SystemTime>,
}

impl Process {
    /// What systemd runs for a unit of the visitor's own; `None` without a command.
    pub(super) fn of_service(pid: u32, command: &str, since: SystemTime) -> Option<Self> {
        let started = process(pid, 1, "root", 0, command, 14_300, 4_800, "Ssl", 0);
        (!command.is_empty()).then_some(Self { since: Some(since), ..started })
    }

    /// Whether it is a kernel thread.
    pub fn is_kernel(&self) -> bool {
        self.command.starts_with('[')
    }

    /// The short name (`comm`), at most 15 bytes.
    pub fn name(&self) -> String {
        if self.pid == 1 {
            return "systemd".to_owned();
        }
        let word = self.command.split([' ', ':']).next().unwrap_or_default();
        let name =
            word.trim_matches(['[', ']']).rsplit('/').next().unwrap_or_default().trim_start_matches('-');
        let full = if self.is_kernel() { self.command.trim_matches(['[', ']']) } else { name };
        full.chars().take(15).collect()
    }

    /// The program file, for those that have one.
    pub fn executable(&self) -> Option<&str> {
        if self.pid == 1 {
            return Some("/usr/lib/systemd/systemd");
        }
        let word = self.command.split(' ').next().filter(|word| word.starts_with('/'))?;
        Some(word.trim_end_matches(':'))
    }

    /// `/proc/PID/stat` (proc(5)), for a process that sleeps.
    pub fn stat_text(&self) -> String {
        let state = self.state.chars().next().unwrap_or('S');
        let (group, tty) =
            if self.is_kernel() { (0, 0) } else { (self.pid, if self.tty == "?" { 0 } else { 34_816 }) };
        format!(
            "{pid} ({}) {state} {} {group} {group} {tty} -1 {} 811 0 2 0 {} {} 0 0 20 0 1 0 {} {} {} 18446744073709551615 0 0 0 0 0 0 \
             0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
            self.name(),
            self.parent,
            if self.is_kernel() { 69_238_880 } else { 4_194_560 },
            self.seconds_per_day * 40,
            self.seconds_per_day * 60,
            self.pid / 3,
            self.virtual_kib * 1024,
            self.resident_kib / 4,
            pid = self.pid,
        )
    }

    /// `/proc/PID/status` (Linux 6.1).
    pub fn status_text(&self) -> String {
        let (uid, pid, parent) = (self.uid, self.pid, self.parent);
        let gid = if uid == 0 { 0 } else { uid };
        let runs = self.state.starts_with('R');
        let state = match self.state.chars().next() {
            Some('R') => "R (running)",
            Some('I') => "I (idle)",
            _ => "S (sleeping)",
        };
        let group = if self.is_kernel() { 0 } else { pid };
        let session = if runs { parent } else { group };
        let mut text = format!(
            "Name:\t{}\nUmask:\t0022\nState:\t{state}\nTgid:\t{pid}\nNgid:\t0\nPid:\t{pid}\nPPid:\t{parent}\nTracerPid:\t0\n\
             Uid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t{gid}\t{gid}\t{gid}\t{gid}\nFDSize:\t{}\nGroups:\t{} \n\
             NStgid:\t{pid}\nNSpid:\t{pid}\nNSpgid:\t{group}\nNSsid:\t{session}\n",
            self.name(),
            if self.tty.starts_with("pts") { 256 } else { 64 },
            if self.tty.starts_with("pts") { gid.to_string() } else { String::new() },
        );
        if !self.is_kernel() {
            let (size, resident) = (self.virtual_kib, self.resident_kib);
            for (name, kib) in [
                ("VmPeak", size + if runs { 0 } else { 64 }),
                ("VmSize", size),
                ("VmLck", 0),
                ("VmPin", 0),
                ("VmHWM", resident),
                ("VmRSS", resident),
                ("RssAnon", resident / 4),
                ("RssFile", resident - resident / 4),
                ("RssShmem", 0),
                ("VmData", size / 20),
                ("VmStk", 132),
                ("VmExe", size / 100 + 16),
                ("VmLib", 1_748),
                ("VmPTE", 52),
                ("VmSwap", 0),
                ("HugetlbPages", 0),
            ] {
                text.push_str(&format!("{name}:\t{kib:>8} kB\n"));
            }
            text.push_str("CoreDumping:\t0\nTHP_enabled:\t1\n");
        }
        let caught = if runs || self.is_kernel() { 0 } else { 0x0000_0001_4b81_7efb_u64 };
        let held: u64 = if uid == 0 { 0x01ff_ffff_ffff } else { 0 };
        let switches = u64::from(pid % 400);
        text.push_str(&format!(
            "Threads:\t1\nSigQ:\t0/7567\nSigPnd:\t{none:016x}\nShdPnd:\t{none:016x}\nSigBlk:\t{none:016x}\nSigIgn:\t{none:016x}\n\
             SigCgt:\t{caught:016x}\nCapInh:\t{none:016x}\nCapPrm:\t{held:016x}\nCapEff:\t{held:016x}\nCapBnd:\t{:016x}\nCapAmb:\t{none:016x}\n\
             NoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0\nSpeculation_Store_Bypass:\tthread vulnerable\n\
             SpeculationIndirectBranch:\tconditional enabled\nCpus_allowed:\t1\nCpus_allowed_list:\t0\nMems_allowed:\t{}00000001\n\
             Mems_allowed_list:\t0\nvoluntary_ctxt_switches:\t{}\nnonvoluntary_ctxt_switches:\t{}\n",
            0x01ff_ffff_ffff_u64,
            "00000000,".repeat(31),
            if runs { 0 } else { switches + 12 },
            if runs { 1 } else { switches / 7 },
            none = 0,
        ));
        text
    }
}

/// All processes but the visitor's own, by number.
pub fn list(identity: &Identity) -> Vec<Process> {
    let mut all = vec![process(1, 0, "root", 0, "/sbin/init", 168_000, 12_400, "Ss", 4)];
    let per_cpu = 5 * (identity.cpu_count - 1);
    let kernel: &[(u32, &str, &str)] = &[
        (2, "kthreadd", "S"),
        (3, "rcu_gp", "I<"),
        (4, "rcu_par_gp", "I<"),
        (5, "slub_flushwq", "I<"),
        (6, "netns", "I<"),
        (8, "kworker/0:0H-events_highpri", "I<"),
        (10, "mm_percpu_wq", "I<"),
        (11, "rcu_tasks_kthread", "I"),
        (12, "rcu_tasks_rude_kthread", "I"),
        (13, "rcu_tasks_trace_kthread", "I"),
        (14, "ksoftirqd/0", "S"),
        (15, "rcu_preempt", "I"),
        (16, "migration/0", "S"),
        (18, "cpuhp/0", "S"),
        (24, "kdevtmpfs", "S"),
        (25, "inet_frag_wq", "I<"),
        (26, "kauditd", "S"),
        (27, "khungtaskd", "S"),
        (28, "oom_reaper", "S"),
        (31, "writeback", "I<"),
        (32, "kcompactd0", "S"),
        (33, "ksmd", "SN"),
        (34, "khugepaged", "SN"),
        (35, "kintegrityd", "I<"),
        (36, "kblockd", "I<"),
        (37, "blkcg_punt_bio", "I<"),
        (38, "tpm_dev_wq", "I<"),
        (39, "edac-poller", "I<"),
        (40, "devfreq_wq", "I<"),
        (43, "kswapd0", "S"),
        (49, "kthrotld", "I<"),
        (51, "acpi_thermal_pm", "I<"),
        (53, "mld", "I<"),
        (54, "ipv6_addrconf", "I<"),
        (59, "kstrp", "I<"),
        (64, "zswap-shrink", "I<"),
        (109, "ata_sff", "I<"),
        (110, "scsi_eh_0", "S"),
        (111, "scsi_tmf_0", "I<"),
        (142, "jbd2/DISK-8", "S"),
        (143, "ext4-rsv-conver", "I<"),
    ];
    for cpu in 1..identity.cpu_count {
        let first = 14 + 5 * cpu;
        for (offset, name, state) in
            [(0, "cpuhp/", "S"), (1, "migration/", "S"), (2, "ksoftirqd/", "S"), (4, "kworker/", "I<")]
        {
            let end = if offset == 4 { ":0H-events_highpri" } else { "" };
            let name = format!("[{name}{cpu}{end}]");
            all.push(process(first + offset, 2, "root", 0, &name, 0, 0, state, 0));
        }
    }
    for (pid, name, state) in kernel {
        let pid = &(if *pid > 18 { pid + per_cpu } else { *pid });
        let name = name.replace("DISK", identity.disk);
        let parent = if *pid == 2 { 0 } else { 2 };
        let mut thread = process(*pid, parent, "root", 0, &format!("[{name}]"), 0, 0, state, 0);
        thread.seconds_per_day = if *pid == 15 { 6 } else { u64::from(name.starts_with("jbd2")) };
        all.push(thread);
    }
    let base = 180 + per_cpu + (identity.seed % 60) as u32;
    let services: &[(&'static str, u32, &str, u64, u64, &'static str, u64)] = &[
        ("root", 0, "/lib/systemd/systemd-journald", 49_600, 14_200, "Ss", 5),
        ("root", 0, "/lib/systemd/systemd-udevd", 27_100, 6_400, "Ss", 1),
        ("systemd+", 997, "/lib/systemd/systemd-timesyncd", 90_100, 6_700, "Ssl", 1),
        (
            "message+",
            100,
            "/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation --syslog-only",
            9_200,
            4_600,
            "Ss",
            1,
        ),
        ("root", 0, "/usr/sbin/cron -f", 6_600, 2_700, "Ss", 1),
        ("root", 0, "/usr/sbin/rsyslogd -n -iNONE", 222_200, 5_900, "Ssl", 2),
        ("root", 0, "/lib/systemd/systemd-logind", 17_000, 7_900, "Ss", 1),
        ("root", 0, "/usr/sbin/vsftpd /etc/vsftpd.conf", 9_700, 3_700, "Ss", 0),
        ("root", 0, "/sbin/agetty -o -p -- \\u --noclear - linux", 5_900, 1_100, "Ss+", 0),
        ("root", 0, "/usr/sbin/inetutils-inetd", 2_700, 1_900, "Ss", 0),
        ("root", 0, "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", 15_500, 9_400, "Ss", 3),
        (
            "root",
            0,
            "nginx: master process /usr/sbin/nginx -g daemon on; master_process on;",
            10_400,
            1_800,
            "Ss",
            0,
        ),
    ];
    let mut pid = base;
    for (number, (user, uid, command, virtual_kib, resident_kib, state, rate)) in services.iter().enumerate()
    {
        pid += 7 + ((identity.seed >> number) % 31) as u32;
        let mut service = process(pid, 1, user, *uid, command, *virtual_kib, *resident_kib, state, *rate);
        if command.contains("agetty") {
            service.tty = "tty1";
        }
        all.push(service);
    }
    let nginx = pid;
    for cpu in 0..identity.cpu_count {
        let worker =
            process(nginx + 1 + cpu, nginx, "www-data", 33, "nginx: worker process", 11_200, 4_100, "S", 0);
        all.push(worker);
    }
    pid += 20 + identity.cpu_count;
    all.push(process(pid + 90, 1, "root", 0, "/usr/lib/postfix/sbin/master -w", 42_800, 4_700, "Ss", 1));
    all.push(process(pid + 92, pid + 90, "postfix", 102, "qmgr -l -t unix -u", 43_300, 7_000, "S", 0));
    let recent = newest_pid(identity, identity.boot_time) + 2_000 + (identity.seed >> 7) as u32 % 9_000;
    all.push(process(recent, pid + 90, "postfix", 102, "pickup -l -t unix -u -c", 43_100, 6_900, "S", 0));
    all.extend(daemons_of(identity, pid + 120));
    for (pid, name) in [
        (211, "kworker/u4:1-events_unbound"),
        (307, "kworker/0:1-events"),
        (402, "kworker/0:2-cgroup_destroy"),
    ] {
        let pid = recent + pid + (identity.seed >> 11) as u32 % 90;
        all.push(process(pid, 2, "root", 0, &format!("[{name}]"), 0, 0, "I", 0));
    }
    for process in all.iter_mut().filter(|process| process.uid != 0) {
        // Names are cut at seven letters; the numbers are those of `/etc/passwd`.
        let name = process.user.trim_end_matches('+');
        let known = identity.user(name).or_else(|| {
            let begins = |user: &&super::Account| user.name.starts_with(name) && process.user.ends_with('+');
            let by_number = identity.account_by_uid(process.uid).filter(|user| user.name.starts_with(name));
            by_number.or_else(|| identity.users.iter().find(begins))
        });
        process.uid = known.map_or(process.uid, |user| user.uid);
    }
    all.sort_by_key(|process| process.pid);
    all
}

/// The daemons that the operator's further programs talk to.
fn daemons_of(identity: &Identity, first: u32) -> Vec<Process> {
    /// Its clients, who runs it, command line, virtual and resident memory in KiB.
    type Daemon = (&'static [&'static str], &'static str, u32, &'static str, u64, u64);
    let known: &[Daemon] = &[
        (&["docker"], "root", 0, "/usr/bin/containerd", 1_800_000, 42_000),
        (
            &["docker"],
            "root",
            0,
            "/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock",
            2_100_000,
            71_000,
        ),
        (&["kubectl"], "root", 0, "/usr/local/bin/k3s agent", 5_300_000, 92_000),
        (&["mysql", "mariadb"], "mysql", 113, "/usr/sbin/mariadbd", 1_300_000, 98_000),
        (
            &["psql"],
            "postgres",
            114,
            "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main",
            218_000,
            30_000,
        ),
        (&["redis-cli"], "redis", 115, "/usr/bin/redis-server 127.0.0.1:6379", 66_000, 8_100),
    ];
    let wanted = known
        .iter()
        .filter(|(clients, ..)| clients.iter().any(|name| identity.programs.iter().any(|p| p == name)));
    wanted
        .zip(0..)
        .map(|((_, user, uid, command, virtual_kib, resident_kib), number)| {
            process(first + number * 3, 1, user, *uid, command, *virtual_kib, *resident_kib, "Ssl", 40)
        })
        .collect()
}

#[allow(clippy::too_many_arguments)] // one row of the table above
fn process(
    pid: u32,
    parent: u32,
    user: &'static str,
    uid: u32,
    command: &str,
    virtual_kib: u64,
    resident_kib: u64,
    state: &'static str,
    seconds_per_day: u64,
) -> Process {
    Process {
        pid,
        parent,
        uid,
        user,
        command: command.to_owned(),
        virtual_kib,
        resident_kib,
        state,
        seconds_per_day,
        tty: "?",
        since: None,
    }
}

/// The number that the next process gets: a server starts one every few seconds (cron, logins, mail).
pub fn newest_pid(identity: &Identity, now: SystemTime) -> u32 {
    let pace = 9 + identity.seed % 37;
    let started = identity.uptime(now).as_millis() / u128::from(pace * 1000);
    (900 + identity.seed % 150 + (started % 4_000_000) as u64) as u32
}
