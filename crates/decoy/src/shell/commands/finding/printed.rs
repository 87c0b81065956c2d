//! What `find` prints of a file: the fields of `-printf`, the line of `-ls`.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

use super::{
    expression::{Field, Owners},
    mounts,
    visit::Visited,
};
use crate::{
    machine::{Attributes, Kind},
    shell::commands::{dates, quoting::curled},
};

/// The widest field.
const WIDEST: usize = 1024;
/// A file older than half a year is shown with its year.
const RECENT: u64 = 15_778_476;

/// A part of a format.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    /// `\c`: nothing of this format follows.
    Stop,
    Field {
        flags: String,
        width: usize,
        precision: Option<usize>,
        letter: char,
        time: Option<char>,
    },
}

/// Cuts a format; what it does not know is warned of and printed as it is.
pub(super) fn pieces(format: &str, warned: &mut String) -> Result<Vec<Piece>, String> {
    let mut all = Vec::new();
    let mut text = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('a') => text.push('\u{7}'),
                Some('b') => text.push('\u{8}'),
                Some('f') => text.push('\u{c}'),
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('t') => text.push('\t'),
                Some('v') => text.push('\u{b}'),
                Some('\\') => text.push('\\'),
                Some('c') => {
                    all.extend([Piece::Text(std::mem::take(&mut text)), Piece::Stop]);
                    return Ok(all);
                }
                Some(digit @ '0'..='7') => {
                    let mut value = digit.to_digit(8).unwrap_or_default();
                    for _ in 0..2 {
                        let Some(next) = chars.peek().and_then(|c| c.to_digit(8)) else { break };
                        value = value * 8 + next;
                        chars.next();
                    }
                    text.extend(char::from_u32(value & 0xff));
                }
                Some(other) => {
                    warned.push_str(&format!("find: warning: unrecognized escape `\\{other}'\n"));
                    text.extend(['\\', other]);
                }
                None => {
                    warned.push_str("find: warning: escape `\\' followed by nothing at all\n");
                    text.push('\\');
                }
            },
            '%' => {
                let mut flags = String::new();
                while let Some(flag) = chars.next_if(|c| "-+ #0'".contains(*c)) {
                    flags.push(flag);
                }
                let mut number = |first: bool| {
                    let mut digits = String::new();
                    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                        digits.push(digit);
                    }
                    let value = digits.parse::<usize>().unwrap_or(0).min(WIDEST);
                    let dot = first && chars.next_if_eq(&'.').is_some();
                    (value, dot)
                };
                let (width, dot) = number(true);
                let precision = dot.then(|| number(false).0);
                let Some(letter) = chars.next() else {
                    return Err("find: error: % at end of format string\n".to_owned());
                };
                let time = match letter {
                    'A' | 'B' | 'C' | 'T' => match chars.next() {
                        Some(time) => Some(time),
                        None => {
                            warned.push_str(&format!("find: warning: format directive `%{letter}' should be followed by another character\n"));
                            text.extend(['%', letter]);
                            break;
                        }
                    },
                    _ => None,
                };
                if letter == '%' {
                    text.push('%');
                } else if "aAbBcCdDfFgGhHiklmMnpPsStTuUyYZ".contains(letter) {
                    all.push(Piece::Text(std::mem::take(&mut text)));
                    all.push(Piece::Field { flags, width, precision, letter, time });
                } else {
                    warned.push_str(&format!("find: warning: unrecognized format directive `%{letter}'\n"));
                    text.extend(['%', letter]);
                }
            }
            c => text.push(c),
        }
    }
    all.push(Piece::Text(text));
    Ok(all)
}

/// The file by a format; what cannot be told is added to `complaints`.
pub(super) fn formatted(
    pieces: &[Piece],
    file: &Visited,
    owners: &Owners,
    complaints: &mut String,
) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out += text,
            Piece::Stop => break,
            Piece::Field { flags, width, precision, letter, time } => {
                if *letter == 'Z' {
                    complaints.push_str(&format!(
                        "find: getfilecon failed: {}: No data available\n",
                        curled(&file.shown)
                    ));
                }
                let mut shown = field(*letter, *time, file, owners, flags.contains('#'));
                let numeric = matches!(letter, 'm' | 'd');
                if let Some(most) = precision.filter(|_| !numeric) {
                    shown = shown.chars().take(most).collect();
                }
                let missing = width.saturating_sub(shown.chars().count());
                if flags.contains('-') {
                    out += &shown;
                    out += &" ".repeat(missing);
                } else {
                    out += &(if flags.contains('0') && numeric { "0" } else { " " }).repeat(missing);
                    out += &shown;
                }
            }
        }
    }
    out
}

fn field(letter: char, time: Option<char>, file: &Visited, owners: &Owners, alternate: bool) -> String {
    let node = file.node();
    match letter {
        'p' => file.shown.clone(),
        'P' => file.below().to_owned(),
        'f' => file.base().to_owned(),
        'h' => file.folder().to_owned(),
        'H' => file.start.to_string(),
        'd' => file.depth.to_string(),
        's' => node.size.to_string(),
        'b' => blocks(node).to_string(),
        'k' => (blocks(node) / 2).to_string(),
        'm' if alternate && node.mode != 0 => format!("0{:o}", node.mode),
        'm' => format!("{:o}", node.mode),
        'M' => node.mode_text(),
        'n' => node.nlink.to_string(),
        'i' => node.inode.to_string(),
        'D' => (mounts::number(&file.path) + 2049).to_string(),
        'u' => owners.users.get(&node.uid).cloned().unwrap_or_else(|| node.uid.to_string()),
        'g' => owners.groups.get(&node.gid).cloned().unwrap_or_else(|| node.gid.to_string()),
        'U' => node.uid.to_string(),
        'G' => node.gid.to_string(),
        'l' => file.link.clone().unwrap_or_default(),
        'y' => kind(node.kind).to_string(),
        'Y' => match (file.entry.kind, &file.target) {
            (Kind::Symlink, Some(target)) => kind(target.kind).to_string(),
            (Kind::Symlink, None) if file.loops => "L".to_owned(),
            (Kind::Symlink, None) => "N".to_owned(),
            (other, _) => kind(other).to_string(),
        },
        'F' => mounts::kind(&file.path).to_owned(),
        'S' => sparse(node),
        'a' => stamp(node.atime),
        'c' => stamp(node.ctime),
        't' => stamp(node.mtime),
        'A' => timed(time, node.atime),
        'B' => timed(time, Field::Born.of(node)),
        'C' => timed(time, node.ctime),
        'T' => timed(time, node.mtime),
        _ => String::new(),
    }
}

/// How much of a file is on the disk, as `%g` writes it.
fn sparse(node: &Attributes) -> String {
    if node.size == 0 {
        return if blocks(node) == 0 { "1" } else { "inf" }.to_owned();
    }
    let value = blocks(node) as f64 * 512.0 / node.size as f64;
    let digits = if value >= 1.0 { 5 - value.log10().floor().clamp(0.0, 5.0) as usize } else { 6 };
    let text = format!("{value:.digits$}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if text.contains('.') { short.to_owned() } else { text }
}

/// The letter of `-type`.
pub(super) fn kind(kind: Kind) -> char {
    if kind == Kind::File { 'f' } else { kind.letter() }
}

/// Half kilobytes.
fn blocks(node: &Attributes) -> u64 {
    if matches!(node.kind, Kind::File | Kind::Dir) { node.size.div_ceil(4096) * 8 } else { 0 }
}

fn nanos(at: SystemTime) -> String {
    format!("{:09}0", at.duration_since(UNIX_EPOCH).unwrap_or_default().subsec_nanos())
}

/// As ctime(3), with the fraction.
fn stamp(at: SystemTime) -> String {
    dates::written(&format!("%a %b %e %H:%M:%S.{} %Y", nanos(at)), at.into())
}

fn timed(letter: Option<char>, at: SystemTime) -> String {
    let time: DateTime<Utc> = at.into();
    let fraction = nanos(at);
    let format = match letter.unwrap_or('@') {
        '@' => format!("%s.{fraction}"),
        'T' | 'X' => format!("%H:%M:%S.{fraction}"),
        'S' => format!("%S.{fraction}"),
        '+' => format!("%Y-%m-%d+%H:%M:%S.{fraction}"),
        letter
        @ ('a'..='e' | 'g'..='n' | 'p' | 'r'..='z' | 'A'..='I' | 'M' | 'R' | 'U'..='W' | 'Y' | 'Z') => {
            format!("%{letter}")
        }
        other => return format!("%{other}"),
    };
    dates::written(&format, time)
}

/// The line of `-ls`.
pub(super) fn listed(file: &Visited, owners: &Owners, now: SystemTime) -> String {
    let node = file.node();
    let name = |names: &std::collections::HashMap<u32, String>, id: u32| {
        names.get(&id).cloned().unwrap_or_else(|| id.to_string())
    };
    let size = match node.kind {
        Kind::CharDevice | Kind::BlockDevice => format!("{:>3}, {:>3}", node.rdev.0, node.rdev.1),
        _ => format!("{:>8}", node.size),
    };
    let recent = now.duration_since(node.mtime).is_ok_and(|age| age.as_secs() < RECENT);
    let time = dates::written(if recent { "%b %e %H:%M" } else { "%b %e  %Y" }, node.mtime.into());
    let target = match (&file.link, node.kind) {
        (Some(target), Kind::Symlink) => format!(" -> {}", escaped(target)),
        _ => String::new(),
    };
    format!(
        "{:>9} {:>6} {} {:>3} {:<8} {:<8} {size} {time} {}{target}\n",
        node.inode,
        blocks(node) / 2,
        node.mode_text(),
        node.nlink,
        name(&owners.users, node.uid),
        name(&owners.groups, node.gid),
        escaped(&file.shown),
    )
}

/// A name as `-ls` writes it.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        match c {
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            ' ' | '"' | '\\' => text.extend(['\\', c]),
            c if c.is_control() => text += &format!("\\{:03o}", u32::from(c)),
            c => text.push(c),
        }
    }
    text
}
