//! `stat`, as GNU coreutils 9.1 prints it.

use chrono::{DateTime, Utc};

use super::{Call, Said, disks, getopt, quoting::quoted, removing};
use crate::machine::{Attributes, files::Kind};

pub(super) fn stat(call: &Call<'_>) -> Said {
    let given = match getopt::cut(call, &[], 1) {
        Ok(given) => given,
        Err(said) => return said,
    };
    if given.operands.is_empty() {
        return getopt::misused(call, "missing operand", 1);
    }
    let last = given.last(&["format", "printf"]);
    let format = last
        .and_then(|option| given.value(option))
        .map(|format| if last == Some("printf") { unescaped(format) } else { format!("{format}\n") });
    let mut said = Said::default();
    for operand in &given.operands {
        let path = call.path(operand);
        let follow = given.has("dereference");
        let node = if follow { call.files().stat(&path) } else { call.files().lstat(&path) };
        match node {
            Ok(_) if given.has("file-system") => {
                let format = format.as_deref().unwrap_or(FILE_SYSTEM);
                said.out.extend(file_system(call, format, operand, &path).bytes());
            }
            Ok(node) => {
                let text = match &format {
                    Some(format) => formatted(call, format, operand, &node),
                    None if given.has("terse") => formatted(call, TERSE, operand, &node),
                    None => whole(call, operand, &path, &node),
                };
                said.out.extend(text.bytes());
            }
            Err(error) => {
                let what = if given.has("file-system") {
                    format!("cannot read file system information for {}", quoted(operand))
                } else {
                    format!("cannot statx {}", quoted(operand))
                };
                said.err.extend(format!("stat: {what}: {}\n", error.errno_text()).bytes());
                said.status = 1;
            }
        }
    }
    said
}

/// What `-t` prints.
const TERSE: &str = "%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o\n";
/// What `-f` prints.
const FILE_SYSTEM: &str = "  File: \"%n\"\n    ID: %-8i Namelen: %-7l Type: %T\nBlock size: %-10s Fundamental block size: %S\nBlocks: Total: %-10b Free: %-10f Available: %a\nInodes: Total: %-10c Free: %d\n";

/// The escapes of `--printf`.
fn unescaped(format: &str) -> String {
    let mut text = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('a') => text.push('\u{7}'),
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('v') => text.push('\u{b}'),
            Some('e') => text.push('\u{1b}'),
            Some(digit @ '0'..='7') => {
                let mut value = digit.to_digit(8).unwrap_or_default();
                for _ in 0..2 {
                    let Some(next) = chars.peek().and_then(|c| c.to_digit(8)) else { break };
                    value = value * 8 + next;
                    chars.next();
                }
                text.extend(char::from_u32(value & 0xff));
            }
            Some(other) => text.push(other),
            None => text.push('\\'),
        }
    }
    text
}

fn blocks(node: &Attributes) -> u64 {
    if matches!(node.kind, Kind::File | Kind::Dir) { node.size.div_ceil(4096) * 8 } else { 0 }
}

fn names(call: &Call<'_>, node: &Attributes) -> (String, String) {
    let identity = call.identity();
    let user = identity.account_by_uid(node.uid).map_or("UNKNOWN".to_owned(), |user| user.name.clone());
    let group = identity
        .groups()
        .into_iter()
        .find(|(_, gid, _)| *gid == node.gid)
        .map_or("UNKNOWN".to_owned(), |(name, _, _)| name);
    (user, group)
}

fn time(at: std::time::SystemTime) -> String {
    DateTime::<Utc>::from(at).format("%Y-%m-%d %H:%M:%S.%9f +0000").to_string()
}

fn whole(call: &Call<'_>, operand: &str, path: &str, node: &Attributes) -> String {
    let (user, group) = names(call, node);
    let link = if node.kind == Kind::Symlink {
        format!(" -> {}", call.files().read_link(path).unwrap_or_default())
    } else {
        String::new()
    };
    let device = if matches!(node.kind, Kind::CharDevice | Kind::BlockDevice) {
        format!("\tDevice type: {},{}", node.rdev.0, node.rdev.1)
    } else {
        String::new()
    };
    let (major, minor) = disk(call);
    format!(
        "  File: {operand}{link}\n  Size: {:<10}\tBlocks: {:<10} IO Block: {:<6} {}\nDevice: {major},{minor}\tInode: {:<11} Links: {}{device}\nAccess: ({:04o}/{})  Uid: ({:>5}/{user:>8})   Gid: ({:>5}/{group:>8})\nAccess: {}\nModify: {}\nChange: {}\n Birth: {}\n",
        node.size,
        blocks(node),
        4096,
        removing::described(node),
        node.inode,
        node.nlink,
        node.mode,
        node.mode_text(),
        node.uid,
        node.gid,
        time(node.atime),
        time(node.mtime),
        time(node.ctime),
        time(node.ctime.min(node.mtime)),
    )
}

fn formatted(call: &Call<'_>, format: &str, operand: &str, node: &Attributes) -> String {
    let (user, group) = names(call, node);
    let born = node.ctime.min(node.mtime);
    let device = disk(call);
    filled(format, &|letter, field| {
        Some(match letter {
            'a' if field.alternate && node.mode != 0 => format!("0{:o}", node.mode),
            'a' => format!("{:o}", node.mode),
            'A' => node.mode_text(),
            'b' => blocks(node).to_string(),
            'B' => "512".to_owned(),
            'C' => "?".to_owned(),
            'd' => (device.0 * 256 + device.1).to_string(),
            'D' => format!("{:x}", device.0 * 256 + device.1),
            'f' => format!("{:x}", node.mode | node.kind.bits()),
            'F' => removing::described(node).to_owned(),
            'g' => node.gid.to_string(),
            'G' => group.clone(),
            'h' => node.nlink.to_string(),
            'i' => node.inode.to_string(),
            'm' => disks::mounted_on(call, operand),
            'n' => operand.to_owned(),
            'N' if node.kind == Kind::Symlink => {
                let target = call.files().read_link(&call.path(operand)).unwrap_or_default();
                format!("{} -> {}", quoted(operand), quoted(&target))
            }
            'N' => quoted(operand),
            'o' => "4096".to_owned(),
            's' => node.size.to_string(),
            't' => format!("{:x}", node.rdev.0),
            'T' => format!("{:x}", node.rdev.1),
            'r' => (node.rdev.0 * 256 + node.rdev.1).to_string(),
            'R' => format!("{:x}", node.rdev.0 * 256 + node.rdev.1),
            'u' => node.uid.to_string(),
            'U' => user.clone(),
            'w' => time(born),
            'W' => seconds(born, field.precision),
            'x' => time(node.atime),
            'X' => seconds(node.atime, field.precision),
            'y' => time(node.mtime),
            'Y' => seconds(node.mtime, field.precision),
            'z' => time(node.ctime),
            'Z' => seconds(node.ctime, field.precision),
            _ => return None,
        })
    })
}

/// Seconds since 1970, with as many digits behind the point as are asked for.
fn seconds(at: std::time::SystemTime, digits: Option<usize>) -> String {
    let since = at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    match digits {
        None | Some(0) => since.as_secs().to_string(),
        Some(digits) => {
            let nanos = format!("{:09}", since.subsec_nanos());
            format!("{}.{:0<digits$}", since.as_secs(), nanos.get(..digits.min(9)).unwrap_or_default())
        }
    }
}

/// The numbers of the disk.
pub(super) fn disk(call: &Call<'_>) -> (u32, u32) {
    if call.identity().disk.starts_with("vda") { (254, 1) } else { (8, 1) }
}

fn file_system(call: &Call<'_>, format: &str, operand: &str, path: &str) -> String {
    let found = disks::facts(call, path);
    filled(format, &|letter, _| {
        Some(match letter {
            'a' => found.available.to_string(),
            'b' => found.blocks.to_string(),
            'c' => found.inodes.to_string(),
            'd' => found.free_inodes.to_string(),
            'f' => found.free.to_string(),
            'i' => found.id.clone(),
            'l' => "255".to_owned(),
            'n' => operand.to_owned(),
            's' | 'S' => "4096".to_owned(),
            't' => found.magic.to_owned(),
            'T' => found.kind.to_owned(),
            _ => return None,
        })
    })
}

/// The widest that a field is filled up to.
const WIDEST: usize = 1024;

/// How a field is asked for.
#[derive(Default)]
struct Field {
    alternate: bool,
    precision: Option<usize>,
}

/// A format with its fields filled in: `%10s`, `%-8i`, `%.2n`, `%04a`.
fn filled(format: &str, value: &dyn Fn(char, &Field) -> Option<String>) -> String {
    let mut text = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        text += rest.get(..at).unwrap_or_default();
        let spec = rest.get(at + 1..).unwrap_or_default();
        let flags = spec.len() - spec.trim_start_matches(['#', '0', '-', '+', ' ', '\'']).len();
        let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let number = |text: &str| text.parse::<usize>().ok().map(|number| number.min(WIDEST));
        let (signs, body) = spec.split_at(flags);
        let (width, body) = body.split_at(digits(body));
        let (precision, body) = match body.strip_prefix('.') {
            Some(body) => {
                let (precision, body) = body.split_at(digits(body));
                (Some(number(precision).unwrap_or(9)), body)
            }
            None => (None, body),
        };
        let mut letters = body.chars();
        // `%Hd` and `%Ld`: one half of a device's number.
        let letter = letters.next();
        rest = letters.as_str();
        let Some(letter) = letter else {
            text.push('%');
            break;
        };
        if letter == '%' {
            text.push('%');
            continue;
        }
        let field = Field { alternate: signs.contains('#'), precision };
        let is_time = "WXYZ".contains(letter);
        let is_word = "nNAFGUwxyzm".contains(letter);
        let Some(mut shown) = value(letter, &field) else {
            text.push('?');
            continue;
        };
        if let Some(most) = precision.filter(|_| is_word && !is_time) {
            shown = shown.chars().take(most).collect();
        }
        let missing = number(width).unwrap_or(0).saturating_sub(shown.chars().count());
        if signs.contains('-') {
            text += &shown;
            text += &" ".repeat(missing);
        } else {
            let pad = if signs.contains('0') && !is_word { "0" } else { " " };
            text += &pad.repeat(missing);
            text += &shown;
        }
        if text.len() > 1024 * 1024 {
            return text;
        }
    }
    text + rest
}
