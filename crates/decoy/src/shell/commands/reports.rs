//! Reports on the whole machine: `vmstat`, `hostnamectl`, `timedatectl`, `lastb`.

use chrono::{DateTime, Utc};

use super::{Call, Said, usage};
use crate::machine::files::memory;

/// An option that a program of procps does not know: it says so, and how it is used.
pub(super) fn refused(call: &Call<'_>, letters: &str, valued: &str, operands: bool) -> Option<Said> {
    let options = call.options(valued);
    let long = options.long.iter().find(|word| {
        !usage::of(call.name, &["--help".to_owned()], false).is_some_and(|help| {
            String::from_utf8_lossy(&help.out)
                .contains(&format!("--{}", word.split('=').next().unwrap_or_default()))
        })
    });
    let what = match (options.unknown(letters), long) {
        (Some(letter), _) => format!("{}: invalid option -- '{letter}'\n", call.name),
        (None, Some(word)) => format!("{}: unrecognized option '--{word}'\n", call.name),
        (None, None) if !operands && !options.operands.is_empty() => String::new(),
        (None, None) => return None,
    };
    let help = usage::of(call.name, &["--help".to_owned()], false).unwrap_or_default();
    Some(Said::err([what.into_bytes(), help.out].concat(), 1))
}

/// procps 4.0.2: one row, which tells of the time since the machine was started.
pub(super) fn vmstat(call: &Call<'_>) -> Said {
    let options = call.options("pS");
    if let Some(said) = refused(call, "afmnsdDtwVS", "pS", true) {
        return said;
    }
    if let Some(operand) = options.operands.iter().find(|operand| operand.parse::<u32>().is_err()) {
        return Said::err(format!("vmstat: failed to parse argument: '{operand}'\n"), 1);
    }
    if options.has('s') {
        return Said::out(sums(call));
    }
    if options.has('d') || options.has('D') {
        return Said::out(disks(call, options.has('D')));
    }
    let m = memory(call.identity(), call.now());
    let seed = call.identity().seed;
    let (read, written) = (3 + seed % 40, 11 + seed % 60);
    let count =
        options.operands.get(1).and_then(|count| count.parse::<usize>().ok()).unwrap_or(1).clamp(1, 20);
    let mut text = "procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----\n r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st\n".to_owned();
    for row in 0..count {
        let (read, written) = if row == 0 { (read, written) } else { (0, written % 9) };
        text += &format!(
            " {}  0 {:>6} {:>6} {:>6} {:>6} {:>4} {:>4} {read:>5} {written:>5} {:>4} {:>4} {:>2} {:>2} {:>2} {:>2} {:>2}\n",
            u8::from(row == 0),
            m.swap_total - m.swap_free,
            m.free,
            m.buffers,
            m.cached + m.reclaimable,
            0,
            0,
            41 + seed % 50 + row as u64,
            63 + seed % 80 + row as u64 * 2,
            u8::from(row == 0),
            0,
            if row == 0 { 99 } else { 100 },
            0,
            0
        );
    }
    Said::out(text)
}

/// `vmstat -s`: counters of `/proc/meminfo` and `/proc/stat`.
fn sums(call: &Call<'_>) -> String {
    let read = |path: &str| {
        let bytes = call.files().read(path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let (info, stat, moved) = (read("/proc/meminfo"), read("/proc/stat"), read("/proc/vmstat"));
    let number = |text: &str, name: &str, at: usize| {
        let row = text.lines().find(|line| line.split_whitespace().next() == Some(name));
        row.and_then(|row| row.split_whitespace().nth(at)?.parse::<u64>().ok()).unwrap_or(0)
    };
    let m = memory(call.identity(), call.now());
    let ticks = |at: usize| number(&stat, "cpu", at);
    let rows = [
        (m.total, "K total memory"),
        (m.total.saturating_sub(m.available), "K used memory"),
        (number(&info, "Active:", 1), "K active memory"),
        (number(&info, "Inactive:", 1), "K inactive memory"),
        (m.free, "K free memory"),
        (m.buffers, "K buffer memory"),
        (m.cached + m.reclaimable, "K swap cache"),
        (m.swap_total, "K total swap"),
        (m.swap_total - m.swap_free, "K used swap"),
        (m.swap_free, "K free swap"),
        (ticks(1), "non-nice user cpu ticks"),
        (ticks(2), "nice user cpu ticks"),
        (ticks(3), "system cpu ticks"),
        (ticks(4), "idle cpu ticks"),
        (ticks(5), "IO-wait cpu ticks"),
        (ticks(6), "IRQ cpu ticks"),
        (ticks(7), "softirq cpu ticks"),
        (ticks(8), "stolen cpu ticks"),
        (ticks(9), "non-nice guest cpu ticks"),
        (ticks(10), "nice guest cpu ticks"),
        (number(&moved, "pgpgin", 1), "K paged in"),
        (number(&moved, "pgpgout", 1), "K paged out"),
        (number(&moved, "pswpin", 1), "pages swapped in"),
        (number(&moved, "pswpout", 1), "pages swapped out"),
        (number(&stat, "intr", 1), "interrupts"),
        (number(&stat, "ctxt", 1), "CPU context switches"),
        (number(&stat, "btime", 1), "boot time"),
        (number(&stat, "processes", 1), "forks"),
    ];
    let shown = rows.iter().map(|(value, what)| match what.strip_prefix("K ") {
        Some(what) => format!("{value:>13} K {what}\n"),
        None => format!("{value:>13} {what}\n"),
    });
    shown.collect()
}

/// `vmstat -d` and `-D`: `/proc/diskstats`.
fn disks(call: &Call<'_>, summed: bool) -> String {
    let bytes = call.files().read("/proc/diskstats").unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut rows: Vec<(String, Vec<u64>)> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip(2);
            Some((words.next()?.to_owned(), words.filter_map(|word| word.parse().ok()).collect()))
        })
        .collect();
    let all = rows.len();
    rows.retain(|(name, _)| {
        !name.starts_with(['v', 's']) || name == "sr0" || !name.ends_with(|c: char| c.is_ascii_digit())
    });
    let at = |row: &[u64], at: usize| row.get(at).copied().unwrap_or(0);
    if summed {
        let sum = |field: usize| rows.iter().map(|(_, row)| at(row, field)).sum::<u64>();
        let mut text = format!("{:>13} disks\n{:>13} partitions\n", rows.len(), all - rows.len());
        for (field, what) in [
            "total reads",
            "merged reads",
            "read sectors",
            "milli reading",
            "writes",
            "merged writes",
            "written sectors",
            "milli writing",
            "inprogress IO",
            "milli spent IO",
            "milli weighted IO",
        ]
        .iter()
        .enumerate()
        {
            text += &format!("{:>13} {what}\n", sum(field));
        }
        return text;
    }
    let mut text = "disk- ------------reads------------ ------------writes----------- -----IO------\n       total merged sectors      ms  total merged sectors      ms    cur    sec\n".to_owned();
    for (name, row) in &rows {
        text += &format!(
            "{name:<5} {:>6} {:>6} {:>7} {:>7} {:>6} {:>6} {:>7} {:>7} {:>6} {:>6}\n",
            at(row, 0),
            at(row, 1),
            at(row, 2),
            at(row, 3),
            at(row, 4),
            at(row, 5),
            at(row, 6),
            at(row, 7),
            at(row, 8),
            at(row, 9) / 1000
        );
    }
    text
}

/// systemd 252.
pub(super) fn hostnamectl(call: &Call<'_>) -> Said {
    let identity = call.identity();
    let verb = call.args.iter().find(|arg| !arg.starts_with('-')).map_or("status", String::as_str);
    match verb {
        "hostname" | "set-hostname" if call.args.len() > 1 => return Said::nothing(0),
        "hostname" => return Said::out(format!("{}\n", identity.hostname)),
        "status" => {}
        _ if call.args.len() > 1 => return Said::nothing(0),
        verb => return Said::err(format!("Unknown command verb {verb}.\n"), 1),
    }
    Said::out(format!(
        " Static hostname: {}\n       Icon name: computer-vm\n         Chassis: vm\n      Machine ID: {}\n         Boot ID: {}\n  Virtualization: {}\nOperating System: Debian GNU/Linux 12 (bookworm)\n          Kernel: Linux {}\n    Architecture: x86-64\n",
        identity.hostname,
        identity.machine_id,
        identity.boot_id.replace('-', ""),
        identity.hypervisor.to_lowercase(),
        identity.kernel_release,
    ))
}

/// systemd 252.
pub(super) fn timedatectl(call: &Call<'_>) -> Said {
    if call.args.iter().any(|arg| arg.starts_with("set-")) {
        return Said::nothing(0);
    }
    let now: DateTime<Utc> = call.now().into();
    match call.args.iter().find(|arg| !arg.starts_with('-')).map_or("status", String::as_str) {
        "show" => {
            let at = now.format("%a %Y-%m-%d %H:%M:%S UTC");
            let text = format!(
                "Timezone=Etc/UTC\nLocalRTC=no\nCanNTP=yes\nNTP=yes\nNTPSynchronized=yes\nTimeUSec={at}\nRTCTimeUSec={at}\n"
            );
            return super::systemd::properties(call, &text);
        }
        "list-timezones" => return Said::out(zones(call)),
        "timesync-status" => {
            return Said::out(
                "       Server: 2.debian.pool.ntp.org\nPoll interval: 34min 8s (min: 32s; max 34min 8s)\n         Leap: normal\n      Version: 4\n      Stratum: 2\n    Precision: 1us (-24)\n       Offset: +412us\n        Delay: 11.204ms\n       Jitter: 831us\n Packet count: 512\n    Frequency: -9.441ppm\n",
            );
        }
        "show-timesync" => {
            return Said::out(
                "SystemNTPServers=\nFallbackNTPServers=0.debian.pool.ntp.org 1.debian.pool.ntp.org 2.debian.pool.ntp.org 3.debian.pool.ntp.org\n",
            );
        }
        "status" => {}
        verb => return Said::err(format!("Unknown command verb {verb}.\n"), 1),
    }
    Said::out(format!(
        "               Local time: {0} UTC\n           Universal time: {0} UTC\n                 RTC time: {0}\n                Time zone: Etc/UTC (UTC, +0000)\nSystem clock synchronized: yes\n              NTP service: active\n          RTC in local TZ: no\n",
        now.format("%a %Y-%m-%d %H:%M:%S")
    ))
}

/// The zones that lie in folders of continents.
fn zones(call: &Call<'_>) -> String {
    const TOP: &str = "/usr/share/zoneinfo";
    let mut names = vec!["UTC".to_owned()];
    let mut folders: Vec<String> = [
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Etc",
        "Europe",
        "Indian",
        "Pacific",
    ]
    .map(str::to_owned)
    .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in call.files().list(&format!("{TOP}/{folder}")).unwrap_or_default() {
            let name = format!("{folder}/{}", entry.name);
            if call.files().is_dir(&format!("{TOP}/{name}")) && name.matches('/').count() < 4 {
                folders.push(name);
            } else {
                names.push(name);
            }
        }
    }
    names.sort_unstable();
    names.iter().map(|name| format!("{name}\n")).collect()
}

/// Nobody was refused since the file was begun.
pub(super) fn lastb(call: &Call<'_>) -> Said {
    if !call.is_root() {
        return Said::err("lastb: cannot open /var/log/btmp: Permission denied\n", 1);
    }
    let booted: DateTime<Utc> = call.identity().boot_time.into();
    Said::out(format!("\nbtmp begins {}\n", booted.format("%a %b %e %H:%M:%S %Y")))
}
