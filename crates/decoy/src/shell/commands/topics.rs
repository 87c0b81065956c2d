//! `help` of bash 5.2: what it tells of its own commands.

use super::{Call, Said, call::Options, patterns::is_like, usage};

/// `help [-dms] [pattern ...]`.
pub(super) fn help(call: &Call<'_>) -> Said {
    let options = Options::of(call.args, "");
    let (shell, line) = match call.session.launch.tty {
        Some(_) => (call.session.shell_name(), ""),
        None => (call.session.shell_name(), "line 1: "),
    };
    if call.args.first().is_some_and(|arg| arg == "--help") {
        return of_builtin("help").unwrap_or_default();
    }
    if let Some(letter) = options.unknown("dms") {
        return Said::err(
            format!(
                "{shell}: {line}help: -{letter}: invalid option\nhelp: usage: help [-dms] [pattern ...]\n"
            ),
            2,
        );
    }
    if options.operands.is_empty() {
        let columns = if call.session.launch.tty.is_some() { call.session.window().0 as usize } else { 80 };
        return Said::out(help_text(columns));
    }
    let mut said = Said::default();
    for pattern in &options.operands {
        let is_pattern = pattern.contains(['*', '?']);
        if is_pattern {
            said.out.extend(format!("Shell commands matching keyword `{pattern}'\n\n").bytes());
        }
        // A word that is no whole name may be the beginning of one.
        let mut found: Vec<(&str, &str)> = match usage::topic(pattern) {
            Some(text) => vec![(pattern.as_str(), text)],
            None => usage::topics().filter(|(name, _)| is_like(name, pattern)).collect(),
        };
        if found.is_empty() {
            found = usage::topics().filter(|(name, _)| name.starts_with(pattern.as_str())).collect();
        }
        for (name, text) in &found {
            said.out.extend(told(name, text, &options).bytes());
        }
        if found.is_empty() {
            let text = format!(
                "{shell}: {line}help: no help topics match `{pattern}'.  Try `help help' or `man -k {pattern}' or `info {pattern}'.\n"
            );
            said.err.extend(text.bytes());
            said.status = 1;
        }
    }
    said
}

/// One topic in the way that is asked for.
fn told(name: &str, text: &str, options: &Options) -> String {
    let mut lines = text.lines();
    let synopsis = lines.next().unwrap_or_default();
    let description = lines.next().unwrap_or_default().trim();
    if options.has('d') {
        return format!("{name} - {description}\n");
    }
    if options.has('s') {
        return format!("{synopsis}\n");
    }
    if options.has('m') {
        let usage = synopsis.split_once(": ").map_or(synopsis, |(_, usage)| usage);
        let body: String = lines.map(|line| format!("{line}\n")).collect();
        return format!(
            "NAME\n    {name} - {description}\n\nSYNOPSIS\n    {usage}\n\nDESCRIPTION\n    {description}\n{body}\nSEE ALSO\n    bash(1)\n\nIMPLEMENTATION\n    GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n    Copyright (C) 2022 Free Software Foundation, Inc.\n    License GPLv3+: GNU GPL version 3 or later <http://gnu.org/licenses/gpl.html>\n\n"
        );
    }
    text.to_owned()
}

/// What `NAME --help` says, for a command that bash has built in; `None` for the few that know no options.
pub(in crate::shell) fn of_builtin(name: &str) -> Option<Said> {
    if matches!(name, "echo" | "test" | "[" | "true" | "false" | ":" | "time" | "if" | "for" | "while") {
        return None;
    }
    Some(Said { status: 2, ..Said::out(usage::topic(name)?.to_owned()) })
}

/// All the built-in commands, in two columns as wide as the terminal lets them be (bash, `show_builtin_command_help`).
fn help_text(columns: usize) -> String {
    let docs: Vec<&str> = HELP.lines().collect();
    let width = if columns / 2 > 128 { 128 } else { columns / 2 };
    let width = if width <= 4 { 40 } else { width };
    let rows = docs.len().div_ceil(2);
    // `>` stands behind whatever fills its column; the second column is one narrower (help.def: `dispcolumn`).
    let shown = |doc: &str, width: usize| {
        let text: String = std::iter::once(' ').chain(doc.chars()).take(width - 2).collect();
        if doc.chars().count() >= width - 3 { text + ">" } else { text }
    };
    let mut text = HELP_HEAD.to_owned();
    for row in 0..rows {
        let left = docs.get(row).map(|doc| shown(doc, width)).unwrap_or_default();
        match docs.get(row + rows) {
            Some(right) => text += &format!("{left:width$}{}\n", shown(right, width - 1)),
            None => text += &format!("{left}\n"),
        }
    }
    text
}

/// What bash's built-in commands are called with, in its order.
const HELP: &str = include_str!("help.txt");
const HELP_HEAD: &str = "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\nThese shell commands are defined internally.  Type `help' to see this list.\nType `help name' to find out more about the function `name'.\nUse `info bash' to find out more about the shell in general.\nUse `man -k' or `info' to find out more about commands not in this list.\n\nA star (*) next to a name means that the command is disabled.\n\n";
