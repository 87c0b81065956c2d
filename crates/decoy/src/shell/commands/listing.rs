//! `ls`, as GNU coreutils 9.1 prints it.

use chrono::{DateTime, Utc};

use super::{Call, Options, Said};
use crate::machine::{Access, Attributes, Identity, files::Kind};

/// A name to be shown.
struct Row {
    shown: String,
    name: String,
    attributes: Attributes,
    link: Option<String>,
}

const LETTERS: &str = "1aAlhrtSRdgGinopqQsucCfFHLNUvXxkmTZwbB";

pub(super) fn ls(call: &Call<'_>) -> Said {
    let options = call.options("wTI");
    let mut said = Said::default();
    if let Some(letter) = options.unknown(LETTERS) {
        return Said::err(
            format!("ls: invalid option -- '{letter}'\nTry 'ls --help' for more information.\n"),
            2,
        );
    }
    if let Some(long) = options.long.iter().find(|long| !is_known_long(long)) {
        return Said::err(
            format!("ls: unrecognized option '--{long}'\nTry 'ls --help' for more information.\n"),
            2,
        );
    }
    let operands = if options.operands.is_empty() { vec![".".to_owned()] } else { options.operands.clone() };
    let (mut files, mut directories) = (Vec::new(), Vec::new());
    let long = is_long(&options);
    for operand in &operands {
        let path = call.path(operand);
        let follow =
            !long && !options.has('d') || operand.ends_with('/') || options.has('L') || options.has('H');
        let found = if follow {
            call.files().stat(&path).or_else(|_| call.files().lstat(&path))
        } else {
            call.files().lstat(&path)
        };
        match found {
            Ok(attributes) if attributes.is_dir() && !options.has('d') => {
                directories.push((operand.clone(), path))
            }
            Ok(attributes) => {
                let link = call.files().read_link(&path).ok().filter(|_| attributes.kind == Kind::Symlink);
                files.push(Row { shown: operand.clone(), name: operand.clone(), attributes, link });
            }
            Err(error) => {
                said.err.extend(
                    if call.applet {
                        format!("ls: {operand}: {}\n", error.errno_text())
                    } else {
                        format!(
                            "{}: cannot access {}: {}\n",
                            call.name,
                            super::quoting::quoted(operand),
                            error.errno_text()
                        )
                    }
                    .bytes(),
                );
                said.status = if call.applet { 1 } else { 2 };
            }
        }
    }
    sort(&mut files, &options);
    let mut text = String::new();
    if !files.is_empty() {
        text += &show(call, &options, &files);
    }
    directories.sort();
    let headed = operands.len() > 1 || options.has('R');
    let mut todo: Vec<(String, String)> = directories.into_iter().rev().collect();
    let mut visited = 0;
    while let Some((shown, path)) = todo.pop() {
        visited += 1;
        if visited > 2000 {
            break;
        }
        let who = call.session.who();
        let listed =
            call.files().may(who.uid, who.gid, &path, Access::Read).and_then(|()| call.files().list(&path));
        let entries = match listed {
            Ok(entries) => entries,
            Err(error) => {
                said.err
                    .extend(format!("ls: cannot open directory '{shown}': {}\n", error.errno_text()).bytes());
                said.status = 2;
                continue;
            }
        };
        if headed {
            if !text.is_empty() {
                text.push('\n');
            }
            text += &format!("{shown}:\n");
        }
        let mut rows: Vec<Row> = Vec::with_capacity(entries.len() + 2);
        let all = options.has('a') || options.has('f') || options.has_long("all");
        if all {
            for name in [".", ".."] {
                if let Ok(attributes) = call.files().stat(&call.files().resolve(&path, name)) {
                    rows.push(Row { shown: name.to_owned(), name: name.to_owned(), attributes, link: None });
                }
            }
        }
        let hidden = all || options.has('A') || options.has_long("almost-all");
        for entry in entries {
            if entry.name.starts_with('.') && !hidden {
                continue;
            }
            let full = format!("{}/{}", path.trim_end_matches('/'), entry.name);
            let link = if entry.attributes.kind == Kind::Symlink && long {
                call.files().read_link(&full).ok()
            } else {
                None
            };
            rows.push(Row {
                shown: quoted(call, &entry.name),
                name: entry.name,
                attributes: entry.attributes,
                link,
            });
        }
        sort(&mut rows, &options);
        if long || options.has('s') {
            // Blocks of 1 KiB in use.
            let blocks: u64 = rows.iter().map(|row| blocks(&row.attributes)).sum();
            text += &format!(
                "total {}\n",
                if options.has('h') { human(blocks * 1024) } else { blocks.to_string() }
            );
        }
        text += &show(call, &options, &rows);
        if options.has('R') {
            for row in
                rows.iter().rev().filter(|row| row.attributes.is_dir() && row.name != "." && row.name != "..")
            {
                let join = |base: &str| format!("{}/{}", base.trim_end_matches('/'), row.name);
                todo.push((join(&shown), join(&path)));
            }
        }
    }
    said.out = text.into();
    said
}

fn is_known_long(long: &str) -> bool {
    let name = long.split('=').next().unwrap_or(long);
    [
        "all",
        "almost-all",
        "color",
        "full-time",
        "human-readable",
        "time-style",
        "sort",
        "time",
        "group-directories-first",
        "inode",
        "reverse",
        "recursive",
        "directory",
        "format",
        "classify",
        "size",
        "si",
        "no-group",
        "show-control-chars",
        "literal",
    ]
    .contains(&name)
}

fn is_long(options: &Options) -> bool {
    options.letters.iter().any(|letter| matches!(letter, 'l' | 'g' | 'n' | 'o'))
        || options.has_long("full-time")
}

/// A terminal gets names in quotes where a shell would need them.
fn quoted(call: &Call<'_>, name: &str) -> String {
    let plain = |c: char| {
        c.is_alphanumeric()
            || matches!(
                c,
                '.' | '_' | '-' | '+' | ',' | ':' | '@' | '%' | '/' | '=' | '#' | '~' | ']' | '{' | '}'
            )
    };
    if !call.to_terminal || name.chars().all(plain) && !name.starts_with(['#', '~']) {
        return name.to_owned();
    }
    if name.contains('\'') { format!("\"{name}\"") } else { format!("'{name}'") }
}

fn sort(rows: &mut [Row], options: &Options) {
    if options.has('f') || options.has('U') {
        return;
    }
    if options.has('S') {
        rows.sort_by(|a, b| {
            b.attributes.size.cmp(&a.attributes.size).then_with(|| collation(&a.name).cmp(collation(&b.name)))
        });
    } else if options.has('t') {
        rows.sort_by(|a, b| {
            b.attributes
                .mtime
                .cmp(&a.attributes.mtime)
                .then_with(|| collation(&a.name).cmp(collation(&b.name)))
        });
    } else {
        rows.sort_by(|a, b| collation(&a.name).cmp(collation(&b.name)));
    }
    if options.has('r') {
        rows.reverse();
    }
}

/// C.UTF-8 sorts by code point, as bytes do.
fn collation(name: &str) -> &str {
    name
}

fn blocks(attributes: &Attributes) -> u64 {
    match attributes.kind {
        Kind::File => attributes.size.div_ceil(4096) * 4,
        Kind::Dir => attributes.size.div_ceil(4096) * 4,
        _ => 0,
    }
}

fn show(call: &Call<'_>, options: &Options, rows: &[Row]) -> String {
    if is_long(options) {
        return long(call, options, rows);
    }
    let mark = |row: &Row| mark(options, row.attributes.kind, row.attributes.mode);
    let name = |row: &Row| {
        let inode = if options.has('i') { format!("{} ", row.attributes.inode) } else { String::new() };
        let size = if options.has('s') { format!("{} ", blocks(&row.attributes)) } else { String::new() };
        format!("{inode}{size}{}{}", row.shown, mark(row))
    };
    let names: Vec<String> = rows.iter().map(name).collect();
    if !call.to_terminal && !options.has('C') && !options.has('x') || options.has('1') {
        return names.iter().map(|name| format!("{name}\n")).collect();
    }
    columns(&names, call.session.window().0.max(20) as usize)
}

/// What `-F` and `-p` put behind a name.
fn mark(options: &Options, kind: Kind, mode: u32) -> &'static str {
    match kind {
        Kind::Dir if options.has('F') || options.has('p') => "/",
        Kind::Symlink if options.has('F') => "@",
        Kind::Fifo if options.has('F') => "|",
        Kind::Socket if options.has('F') => "=",
        Kind::File if options.has('F') && mode & 0o111 != 0 => "*",
        _ => "",
    }
}

/// Names in columns, filled downwards, as few rows as fit.
fn columns(names: &[String], width: usize) -> String {
    let lengths: Vec<usize> = names.iter().map(|name| name.chars().count()).collect();
    let most = names.len().min(width / 3).max(1);
    for count in (1..=most).rev() {
        let rows = names.len().div_ceil(count);
        let widths: Vec<usize> =
            lengths.chunks(rows.max(1)).map(|column| column.iter().copied().max().unwrap_or(0) + 2).collect();
        let is_too_wide = widths.iter().sum::<usize>().saturating_sub(2) > width.saturating_sub(1);
        if count > 1 && (is_too_wide || widths.len() < count) {
            continue;
        }
        let mut text = String::new();
        for row in 0..rows {
            for (column, width) in widths.iter().enumerate() {
                let index = column * rows + row;
                let Some(name) = names.get(index) else { continue };
                text += name;
                let begin: usize = widths.iter().take(column).sum();
                if names.get(index + rows).is_some() {
                    let length = lengths.get(index).copied().unwrap_or(0);
                    text += &indent(begin + length, begin + width);
                }
            }
            text.push('\n');
        }
        return text;
    }
    String::new()
}

/// From one column of the terminal to another: tabs as far as they go, then spaces.
fn indent(mut from: usize, to: usize) -> String {
    let mut text = String::new();
    while from < to {
        if to / 8 > (from + 1) / 8 {
            text.push('\t');
            from += 8 - from % 8;
        } else {
            text.push(' ');
            from += 1;
        }
    }
    text
}

fn long(call: &Call<'_>, options: &Options, rows: &[Row]) -> String {
    let identity = call.identity();
    let numeric = options.has('n');
    let groups = identity.groups();
    let minor = rows.iter().map(|row| row.attributes.rdev.1.to_string().len()).max().unwrap_or(1);
    let size = |attributes: &Attributes| match attributes.kind {
        Kind::CharDevice | Kind::BlockDevice => {
            format!("{}, {:>minor$}", attributes.rdev.0, attributes.rdev.1)
        }
        _ if options.has('h') => human(attributes.size),
        _ => attributes.size.to_string(),
    };
    let cells: Vec<[String; 5]> = rows
        .iter()
        .map(|row| {
            let a = &row.attributes;
            [
                a.inode.to_string(),
                a.nlink.to_string(),
                user(identity, a.uid, numeric),
                group(&groups, a.gid, numeric),
                size(a),
            ]
        })
        .collect();
    let width =
        |index: usize| cells.iter().filter_map(|cell| cell.get(index)).map(String::len).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3), width(4)];
    let now: DateTime<Utc> = call.now().into();
    let blocks_width = rows.iter().map(|row| blocks(&row.attributes).to_string().len()).max().unwrap_or(1);
    let mut text = String::new();
    for (row, [inode, links, owner, group, size]) in rows.iter().zip(&cells) {
        if options.has('i') {
            text += &format!("{inode:>0$} ", widths[0]);
        }
        if options.has('s') {
            text += &format!("{:>1$} ", blocks(&row.attributes), blocks_width);
        }
        text += &format!("{} {links:>1$} ", row.attributes.mode_text(), widths[1]);
        if !options.has('g') {
            text += &format!("{owner:<0$} ", widths[2]);
        }
        if !options.has('o') && !options.has('G') {
            text += &format!("{group:<0$} ", widths[3]);
        }
        let time: DateTime<Utc> = row.attributes.mtime.into();
        text += &format!("{size:>0$} {1} {2}", widths[4], date(time, now, options), row.shown);
        match &row.link {
            Some(target) => text += &format!(" -> {target}"),
            None => text += mark(options, row.attributes.kind, row.attributes.mode),
        }
        text.push('\n');
    }
    text
}

/// Month, day and time; the year instead when it is half a year away or in the future.
fn date(time: DateTime<Utc>, now: DateTime<Utc>, options: &Options) -> String {
    if options.has_long("full-time") || options.has_long("time-style=full-iso") {
        return time.format("%Y-%m-%d %H:%M:%S.%9f +0000").to_string();
    }
    let age = now.signed_duration_since(time).num_seconds();
    let recent = (0..15_778_476).contains(&age);
    time.format(if recent { "%b %e %H:%M" } else { "%b %e  %Y" }).to_string()
}

fn user(identity: &Identity, uid: u32, numeric: bool) -> String {
    let found = identity.account_by_uid(uid).filter(|_| !numeric);
    found.map_or_else(|| uid.to_string(), |user| user.name.clone())
}

fn group(groups: &[(String, u32, Vec<String>)], gid: u32, numeric: bool) -> String {
    let found = groups.iter().find(|(_, id, _)| *id == gid).filter(|_| !numeric);
    found.map_or_else(|| gid.to_string(), |(name, _, _)| name.clone())
}

/// As `-h`: one decimal below ten, rounded up.
pub(super) fn human(size: u64) -> String {
    const UNITS: [&str; 6] = ["", "K", "M", "G", "T", "P"];
    let (mut unit, mut scale) = (0, 1_u64);
    while size.div_ceil(scale) >= 1024 && unit + 1 < UNITS.len() {
        unit += 1;
        scale *= 1024;
    }
    let name = UNITS.get(unit).copied().unwrap_or("");
    if unit == 0 {
        return size.to_string();
    }
    let tenths = (size * 10).div_ceil(scale);
    if tenths < 100 {
        format!("{}.{}{name}", tenths / 10, tenths % 10)
    } else {
        format!("{}{name}", size.div_ceil(scale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_for_people() {
        // Measured with ls -lh of coreutils 9.1.
        for (size, text) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1.0K"),
            (1025, "1.1K"),
            (10_240, "10K"),
            (151_344, "148K"),
            (1_048_576, "1.0M"),
            (1_265_648, "1.3M"),
        ] {
            assert_eq!(human(size), text);
        }
    }
}
