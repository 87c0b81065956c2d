//! `ps`: procps 4.0.2 with its three kinds of options.

mod asked;
mod columns;
pub(super) mod company;
mod forest;

use super::{Call, Said, running, usage};
use crate::machine::processes::Process;
use asked::{Asked, Style, read, unknown};
use columns::{Column, Shown, cell};

/// The heading and columns of a style.
fn layout(asked: &Asked) -> Vec<Shown> {
    let column = |heading: &str, width, column| (heading.to_owned(), width, column);
    match asked.style {
        _ if asked.columns.is_some() => asked.columns.clone().unwrap_or_default(),
        Style::BsdUser => vec![
            column("USER", -8, Column::User),
            column("PID", 7, Column::Pid),
            column("%CPU", 4, Column::Cpu),
            column("%MEM", 4, Column::Memory),
            column("VSZ", 6, Column::Virtual),
            column("RSS", 5, Column::Resident),
            column("TTY", -8, Column::Tty),
            column("STAT", -4, Column::State),
            column("START", 5, Column::Start),
            column("TIME", 6, Column::BsdTime),
            column("COMMAND", -27, Column::Command),
        ],
        Style::Full | Style::ExtraFull => {
            let mut list = vec![
                column("UID", -8, Column::User),
                column("PID", 7, Column::Pid),
                column("PPID", 7, Column::Parent),
                column("C", 2, Column::Zero),
            ];
            if asked.style == Style::ExtraFull {
                list.extend([
                    column("SZ", 5, Column::Pages),
                    column("RSS", 5, Column::Resident),
                    column("PSR", 3, Column::Zero),
                ]);
            }
            list.extend([
                column("STIME", 5, Column::Start),
                column("TTY", -8, Column::Tty),
                column("TIME", 8, Column::Time),
                column("CMD", -27, Column::Command),
            ]);
            list
        }
        Style::Long => vec![
            column("F", 1, Column::Flags),
            column("S", -1, Column::Letter),
            column("UID", 5, Column::Uid),
            column("PID", 7, Column::Pid),
            column("PPID", 7, Column::Parent),
            column("C", 2, Column::Zero),
            column("PRI", 3, Column::Priority),
            column("NI", 3, Column::Zero),
            column("ADDR SZ", -7, Column::Place),
            column("WCHAN", -6, Column::Dash),
            column("TTY", -8, Column::Tty),
            column("TIME", 8, Column::Time),
            column("CMD", -15, Column::Name),
        ],
        Style::BsdLong => vec![
            column("F", 1, Column::Flags),
            column("UID", 5, Column::Uid),
            column("PID", 7, Column::Pid),
            column("PPID", 7, Column::Parent),
            column("PRI", 3, Column::Priority),
            column("NI", 3, Column::Zero),
            column("VSZ", 6, Column::Virtual),
            column("RSS", 5, Column::Resident),
            column("WCHAN", -6, Column::Dash),
            column("STAT", -4, Column::State),
            column("TTY", -8, Column::Tty),
            column("TIME", 6, Column::BsdTime),
            column("COMMAND", -27, Column::Command),
        ],
        Style::Jobs => vec![
            column("PID", 7, Column::Pid),
            column("PGID", 7, Column::Pid),
            column("SID", 7, Column::Pid),
            column("TTY", -8, Column::Tty),
            column("TIME", 8, Column::Time),
            column("CMD", -15, Column::Name),
        ],
        Style::BsdJobs => vec![
            column("PPID", 7, Column::Parent),
            column("PID", 7, Column::Pid),
            column("PGID", 7, Column::Pid),
            column("SID", 7, Column::Pid),
            column("TTY", -8, Column::Tty),
            column("TPGID", 7, Column::Group),
            column("STAT", -4, Column::State),
            column("UID", 5, Column::Uid),
            column("TIME", 6, Column::BsdTime),
            column("COMMAND", -27, Column::Command),
        ],
        _ if asked.bsd || asked.style == Style::Bsd => vec![
            column("PID", 7, Column::Pid),
            column("TTY", -8, Column::Tty),
            column("STAT", -4, Column::State),
            column("TIME", 6, Column::BsdTime),
            column("COMMAND", -27, Column::Command),
        ],
        _ => vec![
            column("PID", 7, Column::Pid),
            column("TTY", -8, Column::Tty),
            column("TIME", 8, Column::Time),
            column("CMD", -15, Column::Name),
        ],
    }
}

fn chosen(call: &Call<'_>, asked: &Asked) -> Vec<Process> {
    let who = call.session.who();
    let on_terminal = call.session.launch.tty.is_some();
    let all = running::all(call);
    let mut list: Vec<Process> = all
        .into_iter()
        .filter(|process| {
            if asked.by_list || !asked.pids.is_empty() || !asked.users.is_empty() {
                let user = running::user_name(call, process);
                return asked.pids.contains(&process.pid)
                    || asked.users.iter().any(|name| *name == user || name.parse() == Ok(process.uid))
                    || asked.names.contains(&process.name());
            }
            let own = process.uid == who.uid;
            let tty = process.tty != "?";
            if asked.every {
                return true;
            }
            if asked.dash_a {
                return tty && !process.state.contains('s');
            }
            if asked.bsd {
                return (asked.others || own)
                    && (asked.without_tty || tty && (asked.others || process.tty != "tty1"));
            }
            // The same user on the same terminal: without one, what has none either and is ours.
            own && if on_terminal {
                tty && process.tty != "tty1"
            } else {
                !tty && running::is_own(call, process)
            }
        })
        .collect();
    for key in asked.sort.iter().rev() {
        let reverse = key.starts_with('-');
        let key = key.trim_start_matches(['-', '+']);
        match key {
            "rss" | "pmem" | "%mem" => list.sort_by_key(|process| process.resident_kib),
            "vsz" | "vsize" => list.sort_by_key(|process| process.virtual_kib),
            "time" | "cputime" | "pcpu" | "%cpu" => list.sort_by_key(|process| process.seconds_per_day),
            "comm" | "cmd" | "args" | "command" => list.sort_by_key(|process| process.command.clone()),
            "user" | "uid" => list.sort_by_key(|process| process.uid),
            _ => list.sort_by_key(|process| process.pid),
        }
        if reverse {
            list.reverse();
        }
    }
    list
}

pub(super) fn ps(call: &Call<'_>) -> Said {
    if call.applet {
        return running::applet(call);
    }
    if let Some(said) = usage::said(call).filter(|_| call.args.len() == 1) {
        return said;
    }
    let asked = match read(call) {
        Ok(asked) => asked,
        Err(said) => return said,
    };
    if let Some(said) = unknown(call, &asked) {
        return said;
    }
    let (columns, list) = (layout(&asked), chosen(call, &asked));
    let width = call.session.window().0.max(20) as usize;
    let is_cut = call.to_terminal && !asked.wide;
    let mut text = String::new();
    let row = |cells: Vec<String>| {
        let mut line = String::new();
        for (at, (cell, (_, width, _))) in cells.iter().zip(&columns).enumerate() {
            if at > 0 {
                line.push(' ');
            }
            let last = at + 1 == columns.len();
            let wide = width.unsigned_abs() as usize;
            if *width >= 0 {
                line += &format!("{cell:>wide$}");
            } else if last {
                line += cell;
            } else {
                line += &format!("{cell:<wide$}");
            }
        }
        let line: String = if is_cut { line.chars().take(width).collect() } else { line };
        line + "\n"
    };
    if asked.headings && columns.iter().any(|(heading, ..)| !heading.is_empty()) {
        text += &row(columns.iter().map(|(heading, ..)| heading.clone()).collect());
    }
    let is_empty = list.is_empty();
    let shown: Vec<_> = if asked.forest {
        forest::grown(list, asked.indents)
    } else {
        list.into_iter().map(|process| (String::new(), process)).collect()
    };
    for (before, process) in &shown {
        let told = |column: Column| {
            let branch = if matches!(column, Column::Command | Column::Name) { before } else { "" };
            format!("{branch}{}", cell(call, process, column))
        };
        text += &row(columns.iter().map(|(_, _, column)| told(*column)).collect());
    }
    Said { status: i32::from(is_empty), ..Said::out(text) }
}
