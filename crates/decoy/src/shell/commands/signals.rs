//! `kill` as a program and as busybox' applet (procps 4.0.2, busybox 1.35). The shell's own `kill` is the library's.

use super::{Call, Said, running};

/// Names of signals by number, from 1 (signal(7), x86).
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "POLL", "PWR", "SYS",
];

/// The signal that is sent when none is named.
pub(super) const TERM: u8 = 15;

/// The number of a signal as it is written behind `-`; [`TERM`] for what is none.
pub(super) fn number(arg: &str) -> u8 {
    let name = arg.trim_start_matches('-').to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    let at = NAMES.iter().position(|known| *known == name).and_then(|at| u8::try_from(at + 1).ok());
    name.parse().ok().or(at).unwrap_or(TERM)
}

/// Whether it ends a process that does nothing about it (signal(7)).
pub(super) fn ends(signal: u8) -> bool {
    !matches!(signal, 0 | 17..=23 | 28)
}

pub(super) fn is_signal(text: &str) -> bool {
    let name = text.strip_prefix("SIG").unwrap_or(text);
    text.parse::<u32>().is_ok_and(|number| number <= 64)
        || NAMES.contains(&name.to_ascii_uppercase().as_str())
        || matches!(name, "EXIT" | "IO" | "CLD")
}

/// `kill -l`, with or without a signal to be named.
fn listed(call: &Call<'_>, signal: Option<&str>) -> Said {
    if call.applet {
        let rows = NAMES.iter().zip(1..).map(|(name, number)| format!("{number:>2}) {name}\n"));
        return Said::out(rows.collect::<String>());
    }
    let Some(signal) = signal else { return Said::out(NAMES.join(" ") + "\n") };
    if let Ok(number) = signal.parse::<usize>() {
        return match number.checked_sub(1).and_then(|at| NAMES.get(at)) {
            Some(name) => Said::out(format!("{name}\n")),
            None => Said::err(format!("kill: unknown signal name {signal}\n"), 1),
        };
    }
    if is_signal(signal) {
        return Said::out(format!("{}\n", number(signal)));
    }
    Said::err(format!("kill: unknown signal name {signal}\n"), 1)
}

pub(super) fn kill(call: &Call<'_>) -> Said {
    let (mut pids, mut wanted) = (Vec::new(), TERM);
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-l" | "-L" => return listed(call, args.next().map(String::as_str)),
            "-s" | "-n" => wanted = args.next().map_or(TERM, |name| number(name)),
            "--" => {}
            text if text.starts_with('-') && pids.is_empty() && text.len() > 1 => {
                let signal = text.trim_start_matches('-');
                if !is_signal(signal) {
                    return if call.applet {
                        Said::err(
                            format!("kill: invalid option -- '{}'\n", signal.chars().next().unwrap_or('?')),
                            1,
                        )
                    } else {
                        // The letters are options that it does not have, the last of them without an end.
                        let first = signal.chars().next().unwrap_or('?');
                        let help =
                            super::usage::of("kill", &["--help".to_owned()], false).unwrap_or_default();
                        let text = format!("kill: invalid argument {first}\n");
                        Said::err([text.as_bytes(), &help.out].concat(), 1)
                    };
                }
                wanted = number(signal);
            }
            text => pids.push(text),
        }
    }
    if pids.is_empty() {
        return if call.applet {
            Said::err("kill: you need to specify whom to kill\n", 1)
        } else {
            let help = super::usage::of("kill", &["--help".to_owned()], false).unwrap_or_default();
            Said::err(help.out, 1)
        };
    }
    let mut said = Said::default();
    for pid in pids {
        let text = match pid.parse::<i64>() {
            Ok(number) if running::exists(call, number.unsigned_abs()) => {
                running::end(call, &[u32::try_from(number.unsigned_abs()).unwrap_or(0)], wanted);
                continue;
            }
            Ok(number) if call.applet => format!("kill: can't kill pid {number}: No such process\n"),
            Ok(number) => format!("kill: ({number}): No such process\n"),
            Err(_) if call.applet => format!("kill: invalid number '{pid}'\n"),
            Err(_) => format!("kill: failed to parse argument: '{pid}'\n"),
        };
        said.err.extend(text.bytes());
        said.status = 1;
    }
    said
}
