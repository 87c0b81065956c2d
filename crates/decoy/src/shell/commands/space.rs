//! Memory and disks: `free`, `mount`.

use super::{Call, Said};
use crate::machine::files::{memory, mount_table};

/// procps 4.0.2.
pub(super) fn free(call: &Call<'_>) -> Said {
    let options = call.options("sc");
    for letter in ['s', 'c'] {
        let Some(text) = options.value(letter) else { continue };
        if text.is_empty() {
            let help = super::usage::of("free", &["--help".to_owned()], false).unwrap_or_default();
            let what = format!("free: option requires an argument -- '{letter}'\n");
            return Said::err([what.into_bytes(), help.out].concat(), 1);
        }
        let positive = text.parse::<f64>().is_ok_and(|number| number > 0.0);
        if letter == 's' && !positive {
            return Said::err(format!("free: seconds argument `{text}' is not positive number\n"), 1);
        }
        if letter == 'c' && !positive {
            let why = if text.parse::<f64>().is_ok() { ": Numerical result out of range" } else { "" };
            return Said::err(format!("free: failed to parse count argument: '{text}'{why}\n"), 1);
        }
    }
    if let Some(letter) = options.unknown("bkmghtwlv") {
        let text = format!("free: invalid option -- '{letter}'\n");
        let help = super::usage::of("free", &["--help".to_owned()], false).unwrap_or_default();
        return Said::err([text.into_bytes(), help.out].concat(), 1);
    }
    if let Some(said) = super::reports::refused(call, "bkmghtwlv", "sc", false) {
        return said;
    }
    let m = memory(call.identity(), call.now());
    let show = |kib: u64| {
        if options.has('h') {
            sized(kib)
        } else if options.has('m') {
            (kib / 1024).to_string()
        } else if options.has('g') {
            (kib / 1024 / 1024).to_string()
        } else if options.has('b') {
            (kib * 1024).to_string()
        } else {
            kib.to_string()
        }
    };
    let used = m.total.saturating_sub(m.available);
    let cache = m.buffers + m.cached + m.reclaimable;
    let row = |name: &str, values: &[u64]| {
        let cells: String = values.iter().map(|value| format!("{:>12}", show(*value))).collect();
        format!("{name:<8}{cells}\n")
    };
    let mut text = if options.has('w') {
        "               total        used        free      shared     buffers       cache   available\n"
    } else {
        "               total        used        free      shared  buff/cache   available\n"
    }
    .to_owned();
    if options.has('w') {
        let cached = m.cached + m.reclaimable;
        text += &row("Mem:", &[m.total, used, m.free, m.shared, m.buffers, cached, m.available]);
    } else {
        text += &row("Mem:", &[m.total, used, m.free, m.shared, cache, m.available]);
    }
    if options.has('l') {
        text += &row("Low:", &[m.total, m.total - m.free, m.free]);
        text += &row("High:", &[0, 0, 0]);
    }
    text += &row("Swap:", &[m.swap_total, m.swap_total - m.swap_free, m.swap_free]);
    if options.has('t') {
        text += &row(
            "Total:",
            &[m.total + m.swap_total, used + m.swap_total - m.swap_free, m.free + m.swap_free],
        );
    }
    if call.applet {
        // busybox has a blank less in front.
        text = text
            .lines()
            .map(|line| format!("{}{}\n", &line[..7.min(line.len())], line.get(8..).unwrap_or_default()))
            .collect();
    }
    Said::out(text)
}

/// As `free -h`: `512Mi`, `1.9Gi`.
fn sized(kib: u64) -> String {
    match kib {
        0 => "0B".to_owned(),
        1..1024 => format!("{kib}Ki"),
        1024..1_048_576 if kib < 10_240 => format!("{}.{}Mi", kib / 1024, kib % 1024 * 10 / 1024),
        1024..1_048_576 => format!("{}Mi", kib / 1024),
        _ if kib < 10_485_760 => format!("{}.{}Gi", kib / 1_048_576, kib % 1_048_576 * 10 / 1_048_576),
        _ => format!("{}Gi", kib / 1_048_576),
    }
}

pub(super) fn mount(call: &Call<'_>) -> Said {
    let options = call.options("otLU");
    if options.operands.is_empty() && !options.has('a') {
        let only = options.value('t');
        let rows =
            mount_table(call.identity()).into_iter().filter(|row| only.is_none_or(|kind| kind == row.2));
        return Said::out(
            rows.map(|(device, at, kind, options)| format!("{device} on {at} type {kind} ({})\n", options))
                .collect::<String>(),
        );
    }
    if !call.is_root() {
        return Said::err("mount: only root can do that\n", 1);
    }
    match options.operands.as_slice() {
        [at] => Said::err(format!("mount: {at}: can't find in /etc/fstab.\n"), 1),
        [_, at, ..] if !call.files().exists(&call.path(at)) => {
            Said::err(format!("mount: {at}: mount point does not exist.\n"), 32)
        }
        _ => Said::nothing(0),
    }
}
