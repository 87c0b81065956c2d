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
    Said::out(format!(
        "               Local time: {0} UTC\n           Universal time: {0} UTC\n                 RTC time: {0}\n                Time zone: Etc/UTC (UTC, +0000)\nSystem clock synchronized: yes\n              NTP service: active\n          RTC in local TZ: no\n",
        now.format("%a %Y-%m-%d %H:%M:%S")
    ))
}

/// Nobody was refused since the file was begun.
pub(super) fn lastb(call: &Call<'_>) -> Said {
    if !call.is_root() {
        return Said::err("lastb: cannot open /var/log/btmp: Permission denied\n", 1);
    }
    let booted: DateTime<Utc> = call.identity().boot_time.into();
    Said::out(format!("\nbtmp begins {}\n", booted.format("%a %b %e %H:%M:%S %Y")))
}
