//! Making an archive, and changing one.

use std::collections::HashMap;

use super::{
    super::{Call, Said, compressing, sources},
    BLOCK, MOST_BYTES, MOST_MEMBERS, Member, header,
    order::{Filter, Order, complain, fatal},
};
use crate::machine::{Attributes, FileError, files::Kind};

/// One record of tape, to which archives are filled up.
const RECORD: usize = 20 * BLOCK;
/// How many names of directories are taken away with `--remove-files`.
type Gone = Vec<(String, bool)>;

/// `c`, `r`, `u`, `A` and `--delete`.
pub(super) fn change(call: &Call<'_>, order: &Order) -> Said {
    let mode = order.mode.unwrap_or('c');
    let mut said = Said::default();
    let names = match names(call, order) {
        Ok(names) => names,
        Err(said) => return said,
    };
    if names.is_empty() && order.lists.is_empty() && mode == 'c' {
        return complain("Cowardly refusing to create an empty archive", 2);
    }
    let to_stdout = order.file.as_deref().is_none_or(|file| file == "-");
    if mode != 'c' && order.filter.is_some() {
        return fatal("Cannot update compressed archives");
    }
    let mut bytes = match (mode, order.file.as_deref()) {
        ('c', _) | (_, None | Some("-")) => Vec::new(),
        (_, Some(file)) => match sources::file(call, file) {
            Ok(old) if compressing::is_packed(&old) => return fatal("Cannot update compressed archives"),
            Ok(old) => members(&old),
            Err(FileError::NotFound) if matches!(mode, 'r' | 'u') => Vec::new(),
            Err(error) => return fatal(&format!("{file}: Cannot open: {}", error.errno_text())),
        },
    };
    let mut gone = Gone::new();
    match mode {
        'A' => {
            for name in &names {
                match sources::file(call, name) {
                    Ok(other) => bytes.extend(members(&other)),
                    Err(error) => {
                        return fatal(&format!("{name}: Cannot open: {}", error.errno_text()));
                    }
                }
            }
        }
        'D' => delete(&mut bytes, &names, &mut said),
        _ => gather(call, order, &names, &mut bytes, &mut said, &mut gone),
    }
    if said.status != 0 {
        said.err.extend_from_slice(b"tar: Exiting with failure status due to previous errors\n");
    }
    // Two empty records, then filled up to a whole tape record.
    bytes.resize((bytes.len() + 2 * BLOCK).div_ceil(RECORD) * RECORD, 0);
    let packed = match order.filter {
        None => bytes,
        Some(filter) => compressing::packed(&bytes, filter_kind(filter)),
    };
    if to_stdout {
        said.out.extend_from_slice(&packed);
    } else {
        let file = order.file.as_deref().unwrap_or_default();
        if let Err(error) = sources::write(call, file, &packed) {
            return fatal(&format!("{file}: Cannot open: {}", error.errno_text()));
        }
    }
    for (path, _) in gone.iter().rev() {
        // What is not empty stays, as it does for the real one.
        let _ = call.files().remove(path);
    }
    said
}

pub(super) fn filter_kind(filter: Filter) -> compressing::Kind {
    match filter {
        Filter::Gzip => compressing::Kind::Gzip,
        Filter::Bzip2 => compressing::Kind::Bzip2,
        Filter::Xz => compressing::Kind::Xz,
    }
}

/// The operands, and the lines of the files that list more.
fn names(call: &Call<'_>, order: &Order) -> Result<Vec<String>, Said> {
    let mut names = order.names.clone();
    for list in &order.lists {
        let bytes = sources::read(call, list).map_err(|error| match error {
            FileError::NotFound => fatal(&format!("{list}: Cannot stat: {}", error.errno_text())),
            error => fatal(&format!("{list}: Cannot open: {}", error.errno_text())),
        })?;
        let lines = String::from_utf8_lossy(&bytes).into_owned();
        names.extend(lines.lines().filter(|line| !line.is_empty()).take(MOST_MEMBERS).map(str::to_owned));
    }
    Ok(names)
}

/// An archive without its end.
fn members(bytes: &[u8]) -> Vec<u8> {
    let mut at = 0;
    while let Some(member) = bytes.get(at..at + BLOCK).and_then(header) {
        at = end_of(at, &member).min(bytes.len());
    }
    bytes.get(..at).unwrap_or_default().to_vec()
}

fn end_of(at: usize, member: &Member) -> usize {
    (at + BLOCK).saturating_add(member.size.div_ceil(BLOCK).saturating_mul(BLOCK))
}

fn delete(bytes: &mut Vec<u8>, names: &[String], said: &mut Said) {
    let (mut kept, mut at) = (Vec::with_capacity(bytes.len()), 0);
    let mut found = vec![false; names.len()];
    while let Some(member) = bytes.get(at..at + BLOCK).and_then(header) {
        let end = end_of(at, &member);
        let mut goes = false;
        for (name, found) in names.iter().zip(&mut found) {
            if super::is_within(&member.name, name) {
                (goes, *found) = (true, true);
            }
        }
        if !goes {
            kept.extend_from_slice(bytes.get(at..end.min(bytes.len())).unwrap_or_default());
        }
        at = end;
    }
    *bytes = kept;
    super::not_found(names, &found, said);
}

/// Adds what the names lead to.
fn gather(
    call: &Call<'_>,
    order: &Order,
    names: &[String],
    bytes: &mut Vec<u8>,
    said: &mut Said,
    gone: &mut Gone,
) {
    let to_stdout = order.file.as_deref().is_none_or(|file| file == "-");
    let base = order.folder.as_deref().map_or_else(|| call.cwd.to_owned(), |folder| call.path(folder));
    let archive = order.file.as_deref().map(|file| call.path(file));
    let (mut count, mut stripped) = (0, false);
    let mut linked: HashMap<u64, String> = HashMap::new();
    let ages = if order.mode == Some('u') { ages(bytes) } else { HashMap::new() };
    let mut todo: Vec<String> = names.iter().rev().cloned().collect();
    while let Some(name) = todo.pop() {
        let path = call.files().resolve(&base, &name);
        let found = if order.dereference { call.files().stat(&path) } else { call.files().lstat(&path) };
        let node = match found {
            Ok(node) => node,
            Err(error) => {
                said.err.extend(format!("tar: {name}: Cannot stat: {}\n", error.errno_text()).bytes());
                said.status = 2;
                continue;
            }
        };
        let known = ages.get(name.trim_start_matches('/').trim_end_matches('/'));
        if order.excludes(&name) || known.is_some_and(|age| *age >= seconds(&node)) {
            continue;
        }
        if archive.as_ref() == Some(&path) {
            said.err.extend(format!("tar: {name}: file is the archive; not dumped\n").bytes());
            continue;
        }
        count += 1;
        if count > MOST_MEMBERS || bytes.len() as u64 > MOST_BYTES {
            break;
        }
        if name.starts_with('/') && !stripped && !order.absolute {
            stripped = true;
            said.err.extend_from_slice(b"tar: Removing leading `/' from member names\n");
        }
        if node.kind == Kind::Socket {
            said.err.extend(format!("tar: {name}: socket ignored\n").bytes());
            continue;
        }
        let stored = if order.absolute { name.as_str() } else { name.trim_start_matches('/') };
        let stored = order.transformed(stored);
        let stored = if node.is_dir() { format!("{}/", stored.trim_end_matches('/')) } else { stored };
        if order.verbose {
            let slash = if node.is_dir() { "/" } else { "" };
            let shown =
                format!("{}{slash}\n", if node.is_dir() { name.trim_end_matches('/') } else { &name });
            if to_stdout { said.err.extend(shown.bytes()) } else { said.out.extend(shown.bytes()) }
        }
        // A second name of a file is stored as one.
        let other = linked.get(&node.inode).filter(|_| node.kind == Kind::File && node.nlink > 1).cloned();
        put(call, order, (&path, &stored), &node, other.as_deref(), bytes);
        if node.nlink > 1 {
            linked.insert(node.inode, stored);
        }
        if order.remove {
            gone.push((path.clone(), node.is_dir()));
        }
        if node.is_dir() && !order.alone {
            let entries = call.files().list(&path).unwrap_or_default();
            todo.extend(
                entries
                    .into_iter()
                    .rev()
                    .map(|entry| format!("{}/{}", name.trim_end_matches('/'), entry.name)),
            );
        }
    }
}

/// When the newest member of each name was changed.
fn ages(bytes: &[u8]) -> HashMap<String, u64> {
    let (mut at, mut ages) = (0, HashMap::new());
    while let Some(member) = bytes.get(at..at + BLOCK).and_then(header) {
        at = end_of(at, &member);
        ages.insert(member.name.trim_end_matches('/').to_owned(), member.mtime);
    }
    ages
}

fn seconds(node: &Attributes) -> u64 {
    node.mtime.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The name and number that an owner is stored as: `bob`, `bob:1000`, `0`.
fn owner(given: Option<&str>, number: u32, name: &str) -> (u32, String) {
    match given {
        None => (number, name.to_owned()),
        Some(text) => match text.split_once(':') {
            Some((name, id)) => (id.parse().unwrap_or(number), name.to_owned()),
            None => match text.strip_prefix('+').unwrap_or(text).parse::<u32>() {
                Ok(0) => (0, "root".to_owned()),
                Ok(id) => (id, String::new()),
                Err(_) => (number, text.to_owned()),
            },
        },
    }
}

/// Adds one member.
fn put(
    call: &Call<'_>,
    order: &Order,
    (path, name): (&str, &str),
    node: &Attributes,
    other: Option<&str>,
    bytes: &mut Vec<u8>,
) {
    let content = if node.kind == Kind::File && other.is_none() {
        call.files().read(path).unwrap_or_default()
    } else {
        bytes::Bytes::new()
    };
    let (kind, link) = match node.kind {
        Kind::File if other.is_some() => (b'1', other.unwrap_or_default().to_owned()),
        Kind::Dir => (b'5', String::new()),
        Kind::Symlink => (b'2', call.files().read_link(path).unwrap_or_default()),
        Kind::CharDevice => (b'3', String::new()),
        Kind::BlockDevice => (b'4', String::new()),
        Kind::Fifo => (b'6', String::new()),
        _ => (b'0', String::new()),
    };
    for (text, kind) in [(&link, b'K'), (&name.to_owned(), b'L')] {
        if text.len() > 100 {
            // GNU's way with long names: a member before, which holds the name.
            let body = [text.as_bytes(), b"\0"].concat();
            let head = Head { name: "././@LongLink", mode: 0o644, kind, ..Head::default() };
            head.write(body.len(), bytes);
            bytes.extend_from_slice(&body);
            bytes.resize(bytes.len().div_ceil(BLOCK) * BLOCK, 0);
        }
    }
    let user = call.identity().account_by_uid(node.uid).map_or("", |user| user.name.as_str());
    let groups = call.identity().groups();
    let group = groups.iter().find(|(_, gid, _)| *gid == node.gid).map_or("", |(name, _, _)| name.as_str());
    let (uid, user) = owner(order.owner.as_deref(), node.uid, user);
    let (gid, group) = owner(order.group.as_deref(), node.gid, group);
    let (user, group) = if order.numeric { (String::new(), String::new()) } else { (user, group) };
    Head {
        name,
        mode: node.mode,
        uid,
        gid,
        time: seconds(node),
        kind,
        link: &link,
        user: &user,
        group: &group,
        device: matches!(kind, b'3' | b'4').then_some(node.rdev),
    }
    .write(content.len(), bytes);
    bytes.extend_from_slice(&content);
    bytes.resize(bytes.len().div_ceil(BLOCK) * BLOCK, 0);
}

/// What the header of a member says.
#[derive(Default)]
struct Head<'a> {
    name: &'a str,
    mode: u32,
    uid: u32,
    gid: u32,
    time: u64,
    kind: u8,
    link: &'a str,
    user: &'a str,
    group: &'a str,
    device: Option<(u32, u32)>,
}

impl Head<'_> {
    fn write(&self, size: usize, bytes: &mut Vec<u8>) {
        let mut block = [0_u8; BLOCK];
        let mut field = |from: usize, text: &[u8], most: usize| {
            let length = text.len().min(most);
            if let (Some(to), Some(text)) = (block.get_mut(from..from + length), text.get(..length)) {
                to.copy_from_slice(text);
            }
        };
        field(0, self.name.as_bytes(), 100);
        field(100, format!("{:07o}", self.mode).as_bytes(), 8);
        field(108, format!("{:07o}", self.uid).as_bytes(), 8);
        field(116, format!("{:07o}", self.gid).as_bytes(), 8);
        field(124, format!("{size:011o}").as_bytes(), 12);
        field(136, format!("{:011o}", self.time).as_bytes(), 12);
        field(148, b"        ", 8);
        field(156, &[self.kind], 1);
        field(157, self.link.as_bytes(), 100);
        field(257, b"ustar  ", 8);
        field(265, self.user.as_bytes(), 31);
        field(297, self.group.as_bytes(), 31);
        if let Some((major, minor)) = self.device {
            field(329, format!("{major:07o}").as_bytes(), 8);
            field(337, format!("{minor:07o}").as_bytes(), 8);
        }
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        if let Some(to) = block.get_mut(148..156) {
            to.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        bytes.extend_from_slice(&block);
    }
}
