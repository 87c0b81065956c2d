//! How the kernel treats a process: `chrt`, `choom`, `renice`, `taskset -p`, `pmap`.

use super::{Call, Said, running, usage};
use crate::machine::processes::Process;

/// The process of a number as a program of util-linux is given it.
fn named(call: &Call<'_>, text: &str) -> Result<Process, Said> {
    let Ok(pid) = text.parse::<u32>() else {
        return Err(Said::err(format!("{}: invalid PID argument: '{text}'\n", call.name), 1));
    };
    let list = running::all(call);
    let own = call.session.shell_pid();
    let found = list.iter().find(|process| process.pid == pid || pid == 0).or_else(|| {
        // `$$` of a shell that left its place to a single program.
        list.last().filter(|_| pid == own)
    });
    found
        .cloned()
        .map(|process| Process { pid: if pid == 0 { process.pid } else { pid }, ..process })
        .ok_or_else(|| {
            let what = match call.name {
                "chrt" => format!("chrt: failed to get pid {pid}'s policy: No such process\n"),
                "taskset" => format!("taskset: failed to get pid {pid}'s affinity: No such process\n"),
                name => format!("{name}: failed to read OOM score value: No such file or directory\n"),
            };
            Said::err(what, 1)
        })
}

/// The last argument that is no option: the number of a process.
fn operand<'a>(call: &'a Call<'_>) -> Option<&'a str> {
    call.args.iter().rfind(|arg| !arg.starts_with('-')).map(String::as_str)
}

pub(super) fn chrt(call: &Call<'_>) -> Result<Vec<String>, Said> {
    if let Some(said) = usage::refusal("chrt", call.args) {
        return Err(said);
    }
    let options = call.options("TPD");
    if options.has('m') || options.has_long("max") {
        return Err(Said::out(
            "SCHED_OTHER min/max priority\t: 0/0\nSCHED_FIFO min/max priority\t: 1/99\nSCHED_RR min/max priority\t: 1/99\nSCHED_BATCH min/max priority\t: 0/0\nSCHED_IDLE min/max priority\t: 0/0\nSCHED_DEADLINE min/max priority\t: 0/0\n",
        ));
    }
    if options.has('p') || options.has_long("pid") {
        if options.operands.len() > 1 {
            return Err(Said::nothing(0));
        }
        let process = named(call, operand(call).unwrap_or_default())?;
        return Err(Said::out(format!(
            "pid {0}'s current scheduling policy: SCHED_OTHER\npid {0}'s current scheduling priority: 0\n",
            process.pid
        )));
    }
    match options.operands.split_first() {
        Some((_, rest)) if !rest.is_empty() => Ok(rest.to_vec()),
        _ => Err(Said::err("chrt: bad usage\nTry 'chrt --help' for more information.\n", 1)),
    }
}

pub(super) fn choom(call: &Call<'_>) -> Result<Vec<String>, Said> {
    if let Some(said) = usage::refusal("choom", call.args) {
        return Err(said);
    }
    let options = call.options("np");
    if let Some(pid) = options.value('p') {
        let process = named(call, pid)?;
        if let Some(adjust) = options.value('n') {
            return Err(Said::out(format!(
                "pid {}'s OOM score adjust value changed from 0 to {adjust}\n",
                process.pid
            )));
        }
        let adjust =
            if process.command.contains("sshd -D") || process.command.contains("udevd") { -1000 } else { 0 };
        return Err(Said::out(format!(
            "pid {0}'s current OOM score: {1}\npid {0}'s current OOM score adjust value: {adjust}\n",
            process.pid,
            if adjust < 0 { 0 } else { 666 }
        )));
    }
    if options.operands.is_empty() || options.value('n').is_none() {
        return Err(Said::err("choom: bad usage\nTry 'choom --help' for more information.\n", 1));
    }
    Ok(options.operands)
}

/// `taskset -p [MASK] PID`.
pub(super) fn affinity(call: &Call<'_>) -> Said {
    let of_list = call.args.iter().any(|arg| arg.starts_with('-') && arg.contains('c'));
    let operands: Vec<&String> = call.args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let process = match named(call, operands.last().map_or("", |pid| pid.as_str())) {
        Ok(process) => process,
        Err(said) => return said,
    };
    let count = call.identity().cpu_count.min(63);
    let (what, own) = if of_list {
        ("list", if count == 1 { "0".to_owned() } else { format!("0-{}", count - 1) })
    } else {
        ("mask", format!("{:x}", (1_u64 << count) - 1))
    };
    let own = if of_list && count == 2 { "0,1".to_owned() } else { own };
    let mut text = format!("pid {}'s current affinity {what}: {own}\n", process.pid);
    if let [mask, _] = operands.as_slice() {
        text += &format!("pid {}'s new affinity {what}: {}\n", process.pid, mask.trim_start_matches("0x"));
    }
    Said::out(text)
}

pub(super) fn renice(call: &Call<'_>) -> Said {
    let mut args = call.args.iter().map(String::as_str).peekable();
    if args.peek().is_none() {
        return Said::err("renice: not enough arguments\nTry 'renice --help' for more information.\n", 1);
    }
    let mut priority = None;
    let mut kind = "process ID";
    let mut operands = Vec::new();
    while let Some(arg) = args.next() {
        match arg {
            "-n" | "--priority" | "--relative" => priority = args.next(),
            "-p" | "--pid" => kind = "process ID",
            "-g" | "--pgrp" => kind = "process group ID",
            "-u" | "--user" => kind = "user ID",
            other if priority.is_none() => priority = Some(other),
            other => operands.push(other),
        }
    }
    let Some(new) = priority.and_then(|text| text.parse::<i32>().ok()) else {
        return Said::err(
            format!(
                "renice: invalid priority '{}'\nTry 'renice --help' for more information.\n",
                priority.unwrap_or_default()
            ),
            1,
        );
    };
    let new = new.clamp(-20, 19);
    let mut said = Said::default();
    let list = running::all(call);
    for operand in operands {
        let pid = operand.parse::<u32>().ok().or_else(|| call.identity().user(operand).map(|user| user.uid));
        let known = |pid: u32| {
            kind != "process ID" || pid == call.session.shell_pid() || list.iter().any(|one| one.pid == pid)
        };
        match pid {
            None => said.err.extend(format!("renice: bad {kind} value: {operand}\n").bytes()),
            Some(pid) if !known(pid) => {
                said.err.extend(
                    format!("renice: failed to get priority for {pid} ({kind}): No such process\n").bytes(),
                );
            }
            Some(pid) if new < 0 && !call.is_root() => {
                said.err.extend(
                    format!("renice: failed to set priority for {pid} ({kind}): Permission denied\n").bytes(),
                );
            }
            Some(pid) => {
                said.out.extend(format!("{pid} ({kind}) old priority 0, new priority {new}\n").bytes())
            }
        }
        said.status = i32::from(!said.err.is_empty());
    }
    said
}

/// procps 4.0.2: what `/proc/PID/maps` has.
pub(super) fn pmap(call: &Call<'_>) -> Said {
    let options = call.options("ANnc");
    if options.operands.is_empty() {
        let help = usage::of("pmap", &["--help".to_owned()], false).unwrap_or_default();
        return Said::err([&b"pmap: argument missing\n"[..], &help.out].concat(), 1);
    }
    let list = running::all(call);
    let mut said = Said::default();
    for operand in &options.operands {
        let Ok(pid) = operand.trim_start_matches("/proc/").parse::<u32>() else {
            return Said::err(format!("pmap: failed to parse argument: '{operand}'\n"), 1);
        };
        let Ok(maps) = call.files().read(&format!("/proc/{pid}/maps")) else {
            said.status = 42;
            continue;
        };
        let command = list
            .iter()
            .find(|one| one.pid == pid)
            .map_or_else(|| "-bash".to_owned(), |one| one.command.clone());
        let mut text = format!("{pid}:   {command}\n");
        let extended = options.has('x');
        if extended {
            text += "Address           Kbytes     RSS   Dirty Mode  Mapping\n";
        }
        let mut total = 0;
        for line in String::from_utf8_lossy(&maps).lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [range, mode, rest @ ..] = words.as_slice() else { continue };
            let Some((from, to)) = range.split_once('-') else { continue };
            let number = |text: &str| u64::from_str_radix(text, 16).unwrap_or(0);
            let kib = number(to).saturating_sub(number(from)) / 1024;
            total += kib;
            let name = match rest.get(3) {
                Some(path) if path.starts_with('/') => path.rsplit('/').next().unwrap_or_default().to_owned(),
                Some(&"[stack]") => "  [ stack ]".to_owned(),
                Some(_) | None => "  [ anon ]".to_owned(),
            };
            let mode = format!("{}-", mode.replace('p', "-"));
            text += &if extended {
                format!("{:016x} {kib:>7} {:>7} {:>7} {mode} {name}\n", number(from), kib * 3 / 4, kib / 9)
            } else {
                format!("{:016x} {kib:>6}K {mode} {name}\n", number(from))
            };
        }
        text += &if extended {
            format!(
                "---------------- ------- ------- ------- \ntotal kB {total:>16} {:>7} {:>7}\n",
                total * 3 / 4,
                total / 9
            )
        } else {
            format!(" total {total:>16}K\n")
        };
        said.out.extend(text.bytes());
    }
    said
}
