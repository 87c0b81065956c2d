//! `nproc`, `dmesg`, `getconf`.

use super::{Call, Said};
use crate::machine::files;

pub(super) fn nproc(call: &Call<'_>) -> Said {
    Said::out(format!("{}\n", call.identity().cpu_count))
}

/// Names and values of glibc 2.36 on x86-64; those after `@` are the machine's own.
const SETTINGS: &str = include_str!("getconf.txt");

pub(super) fn getconf(call: &Call<'_>) -> Said {
    let identity = call.identity();
    let limit = || {
        let text = call.files().read("/proc/self/limits").unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let row = text.lines().find_map(|line| line.strip_prefix("Max processes")).map(str::to_owned);
        row.and_then(|row| row.split_whitespace().next().map(str::to_owned)).unwrap_or_default()
    };
    let value = |text: &str| match text {
        "@CPUS" => identity.cpu_count.to_string(),
        "@PAGES" => (identity.memory_bytes / 4096).to_string(),
        "@AVAILABLE" => (files::memory(identity, call.now()).free / 4).to_string(),
        "@CHILDREN" => limit(),
        "@L1" => (identity.cpu.l1_kib * 1024).to_string(),
        "@L2" => (identity.cpu.l2_kib * 1024).to_string(),
        "@L3" => (identity.cpu.l3_kib * 1024).to_string(),
        text => text.to_owned(),
    };
    let mut rows = SETTINGS.lines().filter_map(|line| line.split_once('\t'));
    match call.args.first().map(String::as_str) {
        Some("-a") => {
            Said::out(rows.map(|(name, text)| format!("{name:<35}{}\n", value(text))).collect::<String>())
        }
        Some(name) => match rows.find(|(known, _)| *known == name) {
            Some((_, "")) => Said::out("undefined\n"),
            Some((_, text)) => Said::out(value(text) + "\n"),
            None => Said::err(format!("getconf: Unrecognized variable `{name}'\n"), 2),
        },
        None => Said::err(
            "Usage: getconf [-v specification] variable_name [pathname]\n       getconf -a [pathname]\n",
            2,
        ),
    }
}

/// util-linux 2.38.1: the kernel's words.
pub(super) fn dmesg(call: &Call<'_>) -> Said {
    if !call.is_root() {
        return Said::err("dmesg: read kernel buffer failed: Operation not permitted\n", 1);
    }
    if call.options("").has('c') || call.options("").has('C') {
        return Said::nothing(0);
    }
    let options = call.options("DfFlns");
    let text = files::kernel_log(call.identity());
    let level = options.value('l').or(options.long.iter().find_map(|long| long.strip_prefix("level=")));
    // All of it is what the kernel says in passing.
    if level.is_some_and(|level| !level.split(',').any(|word| matches!(word, "info" | "notice" | "debug"))) {
        return Said::nothing(0);
    }
    let has = |letter, long: &str| options.has(letter) || options.has_long(long);
    if has('t', "notime") {
        let bare = text.lines().map(|line| line.split_once("] ").map_or(line, |(_, rest)| rest));
        return Said::out(bare.map(|line| format!("{line}\n")).collect::<String>());
    }
    if has('T', "ctime") {
        let booted: chrono::DateTime<chrono::Utc> = call.identity().boot_time.into();
        let shown = |line: &str| {
            let (stamp, rest) = line.trim_start_matches('[').split_once("] ").unwrap_or(("0", line));
            let seconds: f64 = stamp.trim().parse().unwrap_or(0.0);
            let at = booted + chrono::Duration::milliseconds((seconds * 1000.0) as i64);
            format!("[{}] {rest}\n", at.format("%a %b %e %H:%M:%S %Y"))
        };
        return Said::out(text.lines().map(shown).collect::<String>());
    }
    Said::out(text)
}
