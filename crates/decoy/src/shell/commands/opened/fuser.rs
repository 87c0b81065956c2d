//! `fuser` (psmisc 23.6).

use super::{cwd, executable, port_name, sockets};
use crate::{
    machine::processes::Process,
    shell::commands::{Call, Said, running, signals, usage},
};

pub(in crate::shell::commands) fn fuser(call: &Call<'_>) -> Said {
    let (mut space, mut kills, mut silent, mut verbose, mut mounted) = ("file", false, false, false, false);
    let (mut names, mut signal) = (Vec::new(), 9);
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            names.push((space, arg.as_str()));
            continue;
        };
        if signals::is_signal(letters)
            && letters.starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit())
            && !matches!(letters, "4" | "6")
        {
            signal = signals::number(arg);
            continue;
        }
        for letter in letters.chars() {
            match letter {
                'n' => match args.next().map(String::as_str) {
                    Some(word @ ("file" | "tcp" | "udp")) => {
                        space = if word == "file" {
                            "file"
                        } else if word == "tcp" {
                            "tcp"
                        } else {
                            "udp"
                        }
                    }
                    _ => return usage_of("Invalid namespace name\n"),
                },
                'k' => kills = true,
                's' => silent = true,
                'v' => verbose = true,
                'm' | 'c' | 'M' => mounted = true,
                'a' | 'i' | 'I' | 'u' | 'w' | 'f' | '4' | '6' => {}
                'V' => return usage::exactly("fuser", "-V").unwrap_or_default(),
                'l' => return Said::out(SIGNALS),
                other if other.is_ascii_uppercase() => {
                    return Said::err(format!("{letters}: unknown signal; fuser -l lists signals.\n"), 1);
                }
                other => return usage_of(&format!("Invalid option {other}\n")),
            }
        }
    }
    if names.is_empty() {
        return usage_of("No process specification given\n");
    }
    let list = running::all(call);
    let sockets = sockets(call, &list);
    let (mut said, mut found_any, mut headed) = (Said::default(), false, false);
    for (space, name) in names {
        let port = name.strip_suffix("/tcp").or((space == "tcp").then_some(name));
        let label =
            if port.is_some() && !name.contains('/') { format!("{name}/tcp") } else { name.to_owned() };
        let found: Vec<(&Process, String)> = if let Some(port) = port {
            let port = port.split(',').next().unwrap_or_default();
            let number = port
                .parse()
                .ok()
                .or_else(|| (1..=1024).find(|number| port_name(call, *number, false) == port));
            let Some(number) = number else {
                said.err.extend(
                    format!("Cannot resolve local port {port}: Servname not supported for ai_socktype\n")
                        .bytes(),
                );
                continue;
            };
            let holds =
                |process: &&Process| sockets.iter().any(|one| one.pid == process.pid && one.port == number);
            list.iter().filter(holds).map(|process| (process, String::new())).collect()
        } else if space == "udp" || name.ends_with("/udp") {
            Vec::new()
        } else {
            let path = call.path(name);
            let Ok(real) = call.files().real_path(&path) else {
                said.err.extend(format!("Specified filename {name} does not exist.\n").bytes());
                continue;
            };
            let uses = |process: &Process| {
                let mut letters = String::new();
                if process.is_kernel() && !mounted {
                    return letters;
                }
                if real == "/" {
                    letters.push('r');
                }
                if cwd(call, process) == real || mounted && real == "/" {
                    letters.push('c');
                }
                if executable(process) == real {
                    letters.push('e');
                }
                if mounted && real == "/" && !process.is_kernel() {
                    letters.push('m');
                }
                letters
            };
            list.iter()
                .map(|process| (process, uses(process)))
                .filter(|(_, letters)| !letters.is_empty())
                .collect()
        };
        found_any |= !found.is_empty();
        if found.is_empty() || silent {
            continue;
        }
        if verbose {
            if !std::mem::replace(&mut headed, true) {
                said.err.extend(format!("{:21}USER        PID ACCESS COMMAND\n", "").bytes());
            }
            for (number, (process, letters)) in found.iter().enumerate() {
                let label = if number == 0 { format!("{label}:") } else { String::new() };
                let user = call.session.name_of(process.uid).unwrap_or_else(|| process.uid.to_string());
                let access: String = if port.is_some() {
                    "F....".to_owned()
                } else {
                    "frcem"
                        .chars()
                        .map(|letter| if letters.contains(letter) { letter } else { '.' })
                        .collect()
                };
                said.err.extend(
                    format!("{label:<21}{user:<8} {:>6} {access} {}\n", process.pid, process.name()).bytes(),
                );
            }
        } else {
            said.err.extend(format!("{:<20}", format!("{label}:")).bytes());
            for (process, letters) in &found {
                said.out.extend(format!(" {:>5}", process.pid).bytes());
                said.err.extend(letters.bytes());
            }
            said.err.push(b'\n');
        }
        if kills {
            let pids: Vec<u32> = found.iter().map(|(process, _)| process.pid).collect();
            running::end(call, &pids, signal);
        }
    }
    said.status = i32::from(!found_any);
    said
}

fn usage_of(first: &str) -> Said {
    let help = usage::exactly("fuser", "").unwrap_or_default();
    let help = String::from_utf8_lossy(&help.err).into_owned();
    Said::err(format!("{first}{}", help.strip_prefix("No process specification given\n").unwrap_or(&help)), 1)
}

const SIGNALS: &str = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT\nCHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH POLL PWR SYS\n";
