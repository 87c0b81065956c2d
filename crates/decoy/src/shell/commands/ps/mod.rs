//! `ps`: procps 4.0.2 with its three kinds of options.

mod columns;
pub(super) mod company;
mod forest;

use super::{Call, Said, running, usage};
use crate::machine::processes::Process;
use columns::{Column, Shown, cell, named};

/// What is asked for.
#[derive(Default)]
struct Asked {
    every: bool,
    /// BSD `a` and `x`.
    others: bool,
    without_tty: bool,
    bsd: bool,
    /// With a terminal, but not session leaders (`-a`).
    dash_a: bool,
    columns: Option<Vec<Shown>>,
    users: Vec<String>,
    pids: Vec<u32>,
    names: Vec<String>,
    by_list: bool,
    wide: bool,
    headings: bool,
    forest: bool,
    /// `-H`: the tree without its branches.
    indents: bool,
    sort: Vec<String>,
    style: Style,
    threads: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Style {
    #[default]
    Plain,
    Bsd,
    BsdUser,
    BsdLong,
    BsdJobs,
    Full,
    ExtraFull,
    Long,
    Jobs,
}

fn refusal(text: &str) -> Said {
    let usage = "\nUsage:\n ps [options]\n\n Try 'ps --help <simple|list|output|threads|misc|all>'\n  or 'ps --help <s|l|o|t|m|a>'\n for additional help text.\n\nFor more details see ps(1).\n";
    Said::err(format!("error: {text}\n{usage}"), 1)
}

/// Columns of `-o`.
fn listed(text: &str) -> Result<Vec<Shown>, Said> {
    let mut columns = Vec::new();
    // Each with a heading of its own: commas part them as ever.
    let parts: Vec<&str> = text.split(',').collect();
    let of_its_own = |part: &&str| {
        part.split_once('=').is_some_and(|(name, _)| named(&name.to_lowercase(), None).is_some())
    };
    if parts.len() > 1 && parts.iter().all(of_its_own) {
        for part in parts {
            columns.extend(listed(part)?);
        }
        return Ok(columns);
    }
    let (names, heading) =
        text.split_once('=').map_or((text, None), |(names, heading)| (names, Some(heading)));
    let words: Vec<&str> = names.split([',', ' ']).filter(|word| !word.is_empty()).collect();
    for (at, word) in words.iter().enumerate() {
        let heading = heading.filter(|_| at + 1 == words.len());
        match named(&word.to_lowercase(), heading) {
            Some(column) => columns.push(column),
            None => return Err(refusal(&format!("unknown user-defined format specifier \"{word}\""))),
        }
    }
    Ok(columns)
}

fn read(call: &Call<'_>) -> Result<Asked, Said> {
    let mut asked = Asked { headings: true, ..Asked::default() };
    let mut args = call.args.iter().peekable();
    while let Some(arg) = args.next() {
        if let Some(long) = arg.strip_prefix("--") {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value.to_owned())));
            let mut value = || value.clone().or_else(|| args.next().cloned()).unwrap_or_default();
            match name {
                "sort" => asked.sort = value().split(',').map(str::to_owned).collect(),
                "no-headers" | "no-headings" | "no-heading" | "noheader" => asked.headings = false,
                "headers" | "deselect" | "cumulative" => {}
                "forest" => asked.forest = true,
                "pid" | "ppid" => asked.pids.extend(numbers(&value())),
                "user" | "User" => asked.users.extend(value().split(',').map(str::to_owned)),
                "format" => asked.columns.get_or_insert_default().extend(listed(&value())?),
                "cols" | "columns" | "width" | "rows" | "lines" | "tty" | "group" => drop(value()),
                "version" | "help" => {}
                _ => return Err(refusal("unknown gnu long option")),
            }
            continue;
        }
        let word = arg.trim_start_matches('-');
        // `-aux`: there is no user `x`, so that it is meant as BSD options (procps(1)).
        let is_bsd = word.contains("ux") && word.chars().all(|letter| "auxwfe".contains(letter));
        let dashed = arg.starts_with('-') && !is_bsd;
        let letters: Vec<char> = word.chars().collect();
        if !dashed && letters.iter().all(char::is_ascii_digit) && !letters.is_empty() {
            asked.pids.extend(arg.parse::<u32>());
            asked.by_list = true;
            asked.style = Style::Bsd;
            continue;
        }
        let mut at = 0;
        while let Some(letter) = letters.get(at).copied() {
            at += 1;
            let takes = if dashed { "oOpuUCtgGsqN" } else { "oOpUtk" };
            let value = if takes.contains(letter) {
                let rest: String = letters.get(at..).unwrap_or_default().iter().collect();
                at = letters.len();
                if rest.is_empty() { args.next().cloned() } else { Some(rest) }
            } else {
                None
            };
            option(&mut asked, dashed, letter, value)?;
        }
    }
    Ok(asked)
}

/// Users that nobody knows, and keys that nothing can be sorted by.
fn unknown(call: &Call<'_>, asked: &Asked) -> Option<Said> {
    let known = |name: &String| name.parse::<u32>().is_ok() || super::users::named(call, name).is_some();
    if !asked.users.iter().filter(|name| !name.is_empty()).all(known) {
        return Some(refusal("user name does not exist"));
    }
    let sortable = |key: &String| columns::is_sortable(&key.trim_start_matches(['-', '+']).to_lowercase());
    (!asked.sort.iter().all(sortable)).then(|| refusal("unknown sort specifier"))
}

fn numbers(text: &str) -> impl Iterator<Item = u32> + '_ {
    text.split([',', ' ']).filter_map(|word| word.parse().ok())
}

fn option(asked: &mut Asked, dashed: bool, letter: char, value: Option<String>) -> Result<(), Said> {
    if matches!(letter, 'o' | 'O' | 'p' | 'C' | 't' | 'U') && value.is_none()
        || matches!(letter, 'u') && dashed && value.is_none()
    {
        return Err(refusal(match letter {
            'o' | 'O' => "format specification must follow -o",
            'p' => "list of process IDs must follow -p",
            'C' => "list of command names must follow -C",
            _ => "list must follow the option",
        }));
    }
    let value = value.unwrap_or_default();
    if letter == 't' && value.starts_with("pts/") && value != "pts/0" {
        return Err(refusal("TTY could not be found"));
    }
    match (dashed, letter) {
        (_, 'o') => asked.columns.get_or_insert_default().extend(listed(&value)?),
        (_, 'O') => {
            let list = asked.columns.get_or_insert_default();
            list.extend(named("pid", None));
            list.extend(listed(&value)?);
            for name in ["s", "tname", "time", "args"] {
                list.extend(named(name, None));
            }
        }
        (_, 'p' | 'q')
            if value.split([',', ' ']).any(|word| !word.is_empty() && word.parse::<u32>().is_err()) =>
        {
            return Err(refusal("process ID list syntax error"));
        }
        (_, 'p' | 'q') => {
            asked.pids.extend(numbers(&value));
            asked.by_list = true;
        }
        (true, 'u') | (_, 'U') => {
            asked.users.extend(value.split(',').map(str::to_owned));
            asked.by_list = true;
        }
        (true, 'C') => {
            asked.names.extend(value.split(',').map(str::to_owned));
            asked.by_list = true;
        }
        (_, 'k') => asked.sort = value.split(',').map(str::to_owned).collect(),
        (_, 't' | 'g' | 'G' | 's' | 'N') => {}
        (true, 'e' | 'A') => asked.every = true,
        (true, 'a' | 'd') => asked.dash_a = true,
        (true, 'f') => asked.style = Style::Full,
        (true, 'F') => asked.style = Style::ExtraFull,
        (true, 'l') => asked.style = Style::Long,
        (true, 'j') => asked.style = Style::Jobs,
        (true, 'H') | (false, 'f') => {
            asked.forest = true;
            asked.indents = dashed;
            asked.bsd |= !dashed;
        }
        (true, 'L' | 'T' | 'm') => asked.threads = true,
        (_, 'w') => {
            asked.wide = true;
            asked.bsd |= !dashed;
        }
        (true, 'y' | 'M' | 'Z' | 'c') | (false, 'e' | 'c' | 'n' | 'S' | 'r' | 'T' | 'm' | 'H' | 'L') => {
            asked.bsd |= !dashed
        }
        (_, 'h') => {
            asked.headings = false;
            asked.bsd |= !dashed;
        }
        (_, 'x') => (asked.without_tty, asked.bsd) = (true, true),
        (false, 'a') => {
            asked.others = true;
            asked.bsd = true;
        }
        (false, 'u') => (asked.style, asked.bsd) = (Style::BsdUser, true),
        (false, 'l') => (asked.style, asked.bsd) = (Style::BsdLong, true),
        (false, 'j') => (asked.style, asked.bsd) = (Style::BsdJobs, true),
        (false, 'v' | 'X') => asked.bsd = true,
        (true, _) => return Err(refusal("unsupported SysV option")),
        (false, _) => return Err(refusal("unsupported option (BSD syntax)")),
    }
    Ok(())
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read() {
        assert_eq!(
            listed("pid,comm=X").unwrap_or_default().last().map(|(heading, ..)| heading.as_str()),
            Some("X")
        );
        assert!(listed("nonsense").is_err());
        let mut asked = Asked::default();
        for letter in "aux".chars() {
            assert!(option(&mut asked, false, letter, None).is_ok());
        }
        assert!(asked.others && asked.without_tty && asked.style == Style::BsdUser);
    }
}
