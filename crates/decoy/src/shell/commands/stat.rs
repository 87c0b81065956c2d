//! `stat`, as GNU coreutils 9.1 prints it.

use chrono::{DateTime, Utc};

use super::{Call, Said};
use crate::machine::{Attributes, files::Kind};

pub(super) fn stat(call: &Call<'_>) -> Said {
    let args = super::users::joined(call.args, &["printf", "format"]);
    let options = super::Options::of(&args, "c");
    if let Some(letter) = options.unknown("fLt") {
        let text = format!("stat: invalid option -- '{letter}'\nTry 'stat --help' for more information.\n");
        return Said::err(text, 1);
    }
    let printf = options.long.iter().any(|long| long.starts_with("printf="));
    let format = options.value('c').map(str::to_owned).or_else(|| {
        options.long.iter().find_map(|long| {
            long.strip_prefix("format=").or_else(|| long.strip_prefix("printf=")).map(str::to_owned)
        })
    });
    if options.operands.is_empty() {
        return Said::err("stat: missing operand\nTry 'stat --help' for more information.\n", 1);
    }
    let mut said = Said::default();
    for operand in &options.operands {
        let path = call.path(operand);
        let node = if options.has('L') { call.files().stat(&path) } else { call.files().lstat(&path) };
        match node {
            Ok(node) => {
                let text = match &format {
                    Some(format) if printf => {
                        let format = format.replace("\\n", "\n").replace("\\t", "\t");
                        formatted(call, &format, operand, &node)
                    }
                    Some(format) => formatted(call, format, operand, &node) + "\n",
                    None => whole(call, operand, &path, &node),
                };
                said.out.extend(text.bytes());
            }
            Err(error) => {
                said.err.extend(format!("stat: cannot statx '{operand}': {}\n", error.errno_text()).bytes());
                said.status = 1;
            }
        }
    }
    said
}

fn kind(node: &Attributes) -> &'static str {
    match node.kind {
        Kind::File if node.size == 0 => "regular empty file",
        Kind::File => "regular file",
        Kind::Dir => "directory",
        Kind::Symlink => "symbolic link",
        Kind::CharDevice => "character special file",
        Kind::BlockDevice => "block special file",
        Kind::Fifo => "fifo",
        Kind::Socket => "socket",
    }
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
    let (major, minor) = if call.identity().disk.starts_with("vda") { (254, 1) } else { (8, 1) };
    format!(
        "  File: {operand}{link}\n  Size: {:<10}\tBlocks: {:<10} IO Block: {:<6} {}\nDevice: {major},{minor}\tInode: {:<11} Links: {}{device}\nAccess: ({:04o}/{})  Uid: ({:>5}/{user:>8})   Gid: ({:>5}/{group:>8})\nAccess: {}\nModify: {}\nChange: {}\n Birth: {}\n",
        node.size,
        blocks(node),
        4096,
        kind(node),
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
    let seconds = |at: std::time::SystemTime| {
        at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs().to_string()
    };
    let mut text = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('a') => text += &format!("{:o}", node.mode),
            Some('A') => text += &node.mode_text(),
            Some('b') => text += &blocks(node).to_string(),
            Some('B') => text += "512",
            Some('F') => text += kind(node),
            Some('g') => text += &node.gid.to_string(),
            Some('G') => text += &group,
            Some('h') => text += &node.nlink.to_string(),
            Some('i') => text += &node.inode.to_string(),
            Some('n') => text += operand,
            Some('N') if node.kind == Kind::Symlink => {
                let target = call.files().read_link(&call.path(operand)).unwrap_or_default();
                text += &format!("'{operand}' -> '{target}'");
            }
            Some('N') => text += &format!("'{operand}'"),
            Some('s') => text += &node.size.to_string(),
            Some('u') => text += &node.uid.to_string(),
            Some('U') => text += &user,
            Some('x') => text += &time(node.atime),
            Some('X') => text += &seconds(node.atime),
            Some('y') => text += &time(node.mtime),
            Some('Y') => text += &seconds(node.mtime),
            Some('z') => text += &time(node.ctime),
            Some('Z') => text += &seconds(node.ctime),
            Some('%') => text.push('%'),
            Some(_) => text.push('?'),
            None => text.push('%'),
        }
    }
    text
}
