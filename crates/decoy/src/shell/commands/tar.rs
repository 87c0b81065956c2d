//! `tar`: GNU tar 1.34 over the machine's files; archives are ustar, plain or gzip.

use std::io::{Read as _, Write as _};

use chrono::{DateTime, Utc};

use super::{Call, Said, removing, usage};
use crate::machine::{Access, Attributes, FileError, files::Kind};

/// The most that an archive may unpack to.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// Members that one call handles.
const MOST_MEMBERS: usize = 20_000;
/// One record of an archive.
const BLOCK: usize = 512;

/// What is to be done.
#[derive(Default)]
struct Order {
    mode: Option<char>,
    file: Option<String>,
    verbose: bool,
    gzip: bool,
    other_filter: Option<&'static str>,
    to_stdout: bool,
    strip: usize,
    folder: Option<String>,
    names: Vec<String>,
}

fn complain(text: &str, status: i32) -> Said {
    Said::err(format!("tar: {text}\nTry 'tar --help' or 'tar --usage' for more information.\n"), status)
}

fn fatal(text: &str) -> Said {
    Said::err(format!("tar: {text}\ntar: Error is not recoverable: exiting now\n"), 2)
}

/// Reads the arguments, the first word perhaps without a dash.
fn order(args: &[String]) -> Result<Order, Said> {
    let mut order = Order::default();
    let mut args = args.iter();
    let mut first = true;
    while let Some(arg) = args.next() {
        let old = first && !arg.starts_with('-');
        first = false;
        if let Some(long) = arg.strip_prefix("--").filter(|long| !long.is_empty()) {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value.to_owned())));
            let mut value = || value.clone().or_else(|| args.next().cloned());
            match name {
                "extract" | "get" => set_mode(&mut order, 'x')?,
                "create" => set_mode(&mut order, 'c')?,
                "list" => set_mode(&mut order, 't')?,
                "file" => order.file = value(),
                "directory" => order.folder = value(),
                "verbose" => order.verbose = true,
                "gzip" | "gunzip" => order.gzip = true,
                "to-stdout" => order.to_stdout = true,
                "strip-components" => order.strip = value().and_then(|value| value.parse().ok()).unwrap_or(0),
                "exclude" | "owner" | "group" | "mode" => drop(value()),
                "overwrite"
                | "no-same-owner"
                | "same-owner"
                | "preserve-permissions"
                | "absolute-names"
                | "wildcards"
                | "no-same-permissions"
                | "warning"
                | "touch"
                | "numeric-owner" => {}
                _ => return Err(complain(&format!("unrecognized option '--{long}'"), 64)),
            }
        } else if old || arg.starts_with('-') && arg.len() > 1 {
            let letters: Vec<char> = arg.trim_start_matches('-').chars().collect();
            let mut at = 0;
            while let Some(letter) = letters.get(at).copied() {
                at += 1;
                match letter {
                    'x' | 'c' | 't' | 'r' | 'u' | 'A' | 'd' => set_mode(&mut order, letter)?,
                    'v' => order.verbose = true,
                    'z' => order.gzip = true,
                    'j' => order.other_filter = Some("bzip2"),
                    'J' => order.other_filter = Some("xz"),
                    'O' => order.to_stdout = true,
                    'f' | 'C' | 'T' | 'X' | 'b' => {
                        let rest: String = letters.get(at..).unwrap_or_default().iter().collect();
                        let value = if old || rest.is_empty() {
                            args.next().cloned()
                        } else {
                            at = letters.len();
                            Some(rest)
                        };
                        let Some(value) = value else {
                            let text = if old {
                                format!("Old option '{letter}' requires an argument.")
                            } else {
                                format!("option requires an argument -- '{letter}'")
                            };
                            return Err(complain(&text, if old { 2 } else { 64 }));
                        };
                        match letter {
                            'f' => order.file = Some(value),
                            'C' => order.folder = Some(value),
                            _ => {}
                        }
                    }
                    'p' | 'P' | 'k' | 'm' | 'o' | 'a' | 'h' | 'U' | 'w' | 'W' | 'S' | 's' | 'i' | 'B'
                    | 'l' | 'n' | 'R' => {}
                    other => return Err(complain(&format!("invalid option -- '{other}'"), 64)),
                }
            }
        } else {
            order.names.push(arg.clone());
        }
    }
    Ok(order)
}

fn set_mode(order: &mut Order, mode: char) -> Result<(), Said> {
    if order.mode.is_some_and(|known| known != mode) {
        return Err(complain(
            "You may not specify more than one '-Acdtrux', '--delete' or  '--test-label' option",
            2,
        ));
    }
    order.mode = Some(mode);
    Ok(())
}

pub(super) fn tar(call: &Call<'_>) -> Said {
    if let Some(said) = usage::said(call) {
        return said;
    }
    let order = match order(call.args) {
        Ok(order) => order,
        Err(said) => return said,
    };
    match order.mode {
        None => complain("You must specify one of the '-Acdtrux', '--delete' or '--test-label' options", 2),
        Some('c') => create(call, &order),
        Some('x' | 't') => read(call, &order),
        Some(_) => Said::nothing(0),
    }
}

/// The archive's bytes, unpacked, or what tar and its filter say.
fn archive(call: &Call<'_>, order: &Order) -> Result<Vec<u8>, Said> {
    let filtered = order.gzip || order.other_filter.is_some();
    let packed = match order.file.as_deref() {
        None | Some("-") => {
            if call.stdin.is_none() && call.to_terminal {
                return Err(fatal("Refusing to read archive contents from terminal (missing -f option?)"));
            }
            call.stdin.unwrap_or_default().to_vec()
        }
        Some(name) => {
            let (path, who) = (call.path(name), call.session.who());
            let bytes = call.files().stat(&path).and_then(|node| {
                if node.is_dir() {
                    return Err(FileError::IsADirectory);
                }
                call.files().may(who.uid, who.gid, &path, Access::Read)?;
                call.files().read(&path)
            });
            match bytes {
                Ok(bytes) => bytes.to_vec(),
                Err(FileError::IsADirectory) => {
                    return Err(fatal(&format!(
                        "{name}: Cannot read: Is a directory\ntar: At beginning of tape, quitting now"
                    )));
                }
                Err(error) if filtered => {
                    return Err(Said::err(
                        format!(
                            "tar (child): {name}: Cannot open: {}\ntar (child): Error is not recoverable: exiting now\ntar: Child returned status 2\ntar: Error is not recoverable: exiting now\n",
                            error.errno_text()
                        ),
                        2,
                    ));
                }
                Err(error) => return Err(fatal(&format!("{name}: Cannot open: {}", error.errno_text()))),
            }
        }
    };
    let is_gzip = packed.starts_with(b"\x1f\x8b");
    let child = |text: &str| {
        Said::err(
            format!("{text}tar: Child returned status 1\ntar: Error is not recoverable: exiting now\n"),
            2,
        )
    };
    if order.other_filter == Some("bzip2") {
        return Err(child("bzip2: (stdin) is not a bzip2 file.\n"));
    }
    if order.other_filter == Some("xz") {
        return Err(child("xz: (stdin): File format not recognized\n"));
    }
    if order.gzip && !is_gzip {
        return Err(child("\ngzip: stdin: not in gzip format\n"));
    }
    if !is_gzip {
        return Ok(packed);
    }
    let mut bytes = Vec::new();
    let done = flate2::read::MultiGzDecoder::new(packed.as_slice()).take(MOST_BYTES).read_to_end(&mut bytes);
    if done.is_err() && bytes.is_empty() {
        return Err(child("\ngzip: stdin: unexpected end of file\n"));
    }
    Ok(bytes)
}

/// One member of an archive.
struct Member {
    name: String,
    mode: u32,
    uid: u32,
    gid: u32,
    size: usize,
    mtime: u64,
    kind: u8,
    link: String,
}

fn text_of(field: &[u8]) -> String {
    String::from_utf8_lossy(field.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = text_of(field);
    let text = text.trim();
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

fn header(block: &[u8]) -> Option<Member> {
    let field = |from: usize, length: usize| block.get(from..from + length);
    let sum: u64 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) })
        .sum();
    if octal(field(148, 8)?)? != sum {
        return None;
    }
    let prefix = if field(257, 5)? == b"ustar" && block.get(263) == Some(&b'0') {
        text_of(field(345, 155)?)
    } else {
        String::new()
    };
    let name = text_of(field(0, 100)?);
    Some(Member {
        name: if prefix.is_empty() { name } else { format!("{prefix}/{name}") },
        mode: octal(field(100, 8)?)? as u32 & 0o7777,
        uid: octal(field(108, 8)?)? as u32,
        gid: octal(field(116, 8)?)? as u32,
        size: octal(field(124, 12)?)? as usize,
        mtime: octal(field(136, 12)?)?,
        kind: *block.get(156)?,
        link: text_of(field(157, 100)?),
    })
}

/// `x` and `t`.
fn read(call: &Call<'_>, order: &Order) -> Said {
    let bytes = match archive(call, order) {
        Ok(bytes) => bytes,
        Err(said) => return said,
    };
    let mut said = Said::default();
    if let Some(folder) = &order.folder
        && !call.files().is_dir(&call.path(folder))
    {
        return fatal(&format!("{folder}: Cannot open: No such file or directory"));
    }
    let (mut at, mut count, mut long_name) = (0, 0, None::<String>);
    if bytes.is_empty() && order.file.as_deref().is_some_and(|file| file != "-") {
        return said;
    }
    loop {
        let Some(block) = bytes.get(at..at + BLOCK) else {
            if count == 0 {
                return Said::err(
                    "tar: This does not look like a tar archive\ntar: Exiting with failure status due to previous errors\n",
                    2,
                );
            }
            if at < bytes.len() {
                said.err.extend_from_slice(
                    b"tar: Unexpected EOF in archive\ntar: Error is not recoverable: exiting now\n",
                );
                said.status = 2;
            }
            return said;
        };
        if block.iter().all(|byte| *byte == 0) {
            let lone = bytes.get(at + BLOCK..at + 2 * BLOCK).is_none();
            if lone {
                said.err.extend(format!("tar: A lone zero block at {}\n", at / BLOCK + 1).bytes());
            }
            return said;
        }
        let Some(mut member) = header(block) else {
            let first = if count == 0 { "tar: This does not look like a tar archive\n" } else { "" };
            let text = format!(
                "{first}tar: Skipping to next header\ntar: Exiting with failure status due to previous errors\n"
            );
            said.err.extend(text.bytes());
            said.status = 2;
            return said;
        };
        let begin = at + BLOCK;
        let content = bytes.get(begin..begin.saturating_add(member.size));
        at = begin.saturating_add(member.size.div_ceil(BLOCK).saturating_mul(BLOCK));
        count += 1;
        if count > MOST_MEMBERS {
            return said;
        }
        if member.kind == b'L' {
            long_name = content.map(text_of);
            continue;
        }
        if matches!(member.kind, b'x' | b'g' | b'K') {
            continue;
        }
        if let Some(name) = long_name.take() {
            member.name = name;
        }
        let wanted = order.names.is_empty()
            || order.names.iter().any(|name| {
                let name = name.trim_end_matches('/');
                member.name.trim_end_matches('/') == name || member.name.starts_with(&format!("{name}/"))
            });
        if !wanted {
            continue;
        }
        if order.mode == Some('t') {
            said.out
                .extend(if order.verbose { listed(&member) } else { format!("{}\n", member.name) }.bytes());
            continue;
        }
        if order.to_stdout {
            said.out.extend_from_slice(content.unwrap_or_default());
            continue;
        }
        if order.verbose {
            said.out.extend(format!("{}\n", member.name).bytes());
        }
        if let Err((name, error)) = unpack(call, order, &member, content.unwrap_or_default()) {
            said.err.extend(format!("tar: {name}: Cannot open: {}\n", error.errno_text()).bytes());
            said.status = 2;
        }
        if content.is_none() {
            said.err.extend_from_slice(
                b"tar: Unexpected EOF in archive\ntar: Error is not recoverable: exiting now\n",
            );
            said.status = 2;
            return said;
        }
    }
}

/// A row of `tar tv`.
fn listed(member: &Member) -> String {
    let kind = match member.kind {
        b'5' => 'd',
        b'2' => 'l',
        b'1' => 'h',
        _ => '-',
    };
    let bits: String = (0..9)
        .rev()
        .map(|bit| if member.mode >> bit & 1 == 0 { '-' } else { ['x', 'w', 'r'][bit % 3] })
        .collect();
    let time = DateTime::<Utc>::from_timestamp(member.mtime as i64, 0).unwrap_or_default();
    let owner =
        if member.uid == 0 { "root/root".to_owned() } else { format!("{}/{}", member.uid, member.gid) };
    let width = 19_usize.saturating_sub(owner.len() + 1);
    let link = if member.kind == b'2' { format!(" -> {}", member.link) } else { String::new() };
    format!(
        "{kind}{bits} {owner} {:>width$} {} {}{link}\n",
        member.size,
        time.format("%Y-%m-%d %H:%M"),
        member.name
    )
}

fn unpack(
    call: &Call<'_>,
    order: &Order,
    member: &Member,
    content: &[u8],
) -> Result<(), (String, FileError)> {
    // Members never leave the folder: tar strips leading slashes and refuses `..`.
    let parts: Vec<&str> =
        member.name.split('/').filter(|part| !part.is_empty() && *part != ".").skip(order.strip).collect();
    if parts.is_empty() || parts.contains(&"..") {
        return Ok(());
    }
    let relative = parts.join("/");
    let base = call.path(order.folder.as_deref().unwrap_or("."));
    let path = format!("{}/{relative}", base.trim_end_matches('/'));
    let (files, who) = (call.files(), call.session.who());
    let fail = |error| (member.name.clone(), error);
    let parent = removing::parent_of(&path).to_owned();
    if !files.is_dir(&parent) {
        files.make_dir_all(&parent, &who, 0o755).map_err(fail)?;
    }
    removing::may_change_name(call, &path).map_err(fail)?;
    match member.kind {
        b'5' => match files.make_dir(&path, &who, member.mode) {
            Err(FileError::Exists) if files.is_dir(&path) => {}
            other => other.map_err(fail)?,
        },
        b'2' => {
            // One that is in the way is replaced.
            let _ = files.remove(&path);
            return files.symlink(&member.link, &path, &who).map_err(fail);
        }
        b'1' => {
            let target = format!("{}/{}", base.trim_end_matches('/'), member.link.trim_start_matches("./"));
            let _ = files.remove(&path); // as above
            return files.link(&target, &path).map_err(fail);
        }
        _ => {
            if files.lstat(&path).is_ok_and(|node| node.kind == Kind::Symlink) {
                let _ = files.remove(&path); // as above
            }
            files.write(&path, content, &who, member.mode & 0o777).map_err(fail)?;
            files.set_mode(&path, member.mode).map_err(fail)?;
        }
    }
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(member.mtime.min(u64::from(u32::MAX)));
    files.set_times(&path, None, Some(time)).map_err(fail)?;
    if who.uid == 0 {
        files.set_owner(&path, Some(member.uid), Some(member.gid)).map_err(fail)?;
    }
    Ok(())
}

/// `c`.
fn create(call: &Call<'_>, order: &Order) -> Said {
    if order.names.is_empty() {
        return complain("Cowardly refusing to create an empty archive", 2);
    }
    let mut said = Said::default();
    let to_stdout = order.file.as_deref().is_none_or(|file| file == "-");
    let base = order.folder.as_deref().map_or_else(|| call.cwd.to_owned(), |folder| call.path(folder));
    let (mut bytes, mut count, mut stripped) = (Vec::new(), 0, false);
    let mut todo: Vec<String> = order.names.iter().rev().cloned().collect();
    while let Some(name) = todo.pop() {
        let path = call.files().resolve(&base, &name);
        let node = match call.files().lstat(&path) {
            Ok(node) => node,
            Err(error) => {
                said.err.extend(format!("tar: {name}: Cannot stat: {}\n", error.errno_text()).bytes());
                said.status = 2;
                continue;
            }
        };
        count += 1;
        if count > MOST_MEMBERS || bytes.len() as u64 > MOST_BYTES {
            break;
        }
        if name.starts_with('/') && !stripped {
            stripped = true;
            said.err.extend_from_slice(b"tar: Removing leading `/' from member names\n");
        }
        if order.verbose {
            let shown = if node.is_dir() {
                format!("{}/\n", name.trim_end_matches('/'))
            } else {
                format!("{name}\n")
            };
            if to_stdout { said.err.extend(shown.bytes()) } else { said.out.extend(shown.bytes()) }
        }
        put(call, &path, &name, &node, &mut bytes);
        if node.is_dir() {
            let entries = call.files().list(&path).unwrap_or_default();
            todo.extend(
                entries
                    .into_iter()
                    .rev()
                    .map(|entry| format!("{}/{}", name.trim_end_matches('/'), entry.name)),
            );
        }
    }
    if said.status != 0 {
        said.err.extend_from_slice(b"tar: Exiting with failure status due to previous errors\n");
    }
    // Two empty records, then filled up to a whole tape record.
    bytes.resize((bytes.len() + 2 * BLOCK).div_ceil(20 * BLOCK) * 20 * BLOCK, 0);
    if order.gzip {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        // Writing to memory cannot fail.
        let _ = encoder.write_all(&bytes);
        bytes = encoder.finish().unwrap_or_default();
    }
    if to_stdout {
        said.out.extend_from_slice(&bytes);
        return said;
    }
    let file = order.file.as_deref().unwrap_or_default();
    let (path, who) = (call.path(file), call.session.who());
    let written = call
        .files()
        .may(who.uid, who.gid, &path, Access::Write)
        .and_then(|()| call.files().write(&path, &bytes, &who, 0o666 & !call.session.umask()));
    match written {
        Ok(()) => said,
        Err(error) => fatal(&format!("{file}: Cannot open: {}", error.errno_text())),
    }
}

/// Adds one member.
fn put(call: &Call<'_>, path: &str, name: &str, node: &Attributes, bytes: &mut Vec<u8>) {
    let content = if node.kind == Kind::File {
        call.files().read(path).unwrap_or_default()
    } else {
        bytes::Bytes::new()
    };
    let shown = name.trim_start_matches('/');
    let shown = if node.is_dir() { format!("{}/", shown.trim_end_matches('/')) } else { shown.to_owned() };
    let (kind, link) = match node.kind {
        Kind::Dir => (b'5', String::new()),
        Kind::Symlink => (b'2', call.files().read_link(path).unwrap_or_default()),
        _ => (b'0', String::new()),
    };
    let mut block = [0_u8; BLOCK];
    let mut field = |from: usize, text: &[u8], most: usize| {
        let length = text.len().min(most);
        if let (Some(to), Some(text)) = (block.get_mut(from..from + length), text.get(..length)) {
            to.copy_from_slice(text);
        }
    };
    let time = node.mtime.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    field(0, shown.as_bytes(), 100);
    field(100, format!("{:07o}", node.mode).as_bytes(), 8);
    field(108, format!("{:07o}", node.uid).as_bytes(), 8);
    field(116, format!("{:07o}", node.gid).as_bytes(), 8);
    field(124, format!("{:011o}", content.len()).as_bytes(), 12);
    field(136, format!("{time:011o}").as_bytes(), 12);
    field(148, b"        ", 8);
    field(156, &[kind], 1);
    field(157, link.as_bytes(), 100);
    field(257, b"ustar  ", 8);
    let user = call.identity().account_by_uid(node.uid).map_or("", |user| user.name.as_str());
    field(265, user.as_bytes(), 31);
    field(297, user.as_bytes(), 31);
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    if let Some(to) = block.get_mut(148..156) {
        to.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    bytes.extend_from_slice(&block);
    bytes.extend_from_slice(&content);
    bytes.resize(bytes.len().div_ceil(BLOCK) * BLOCK, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_first_word_needs_no_dash() {
        let read = order(&words("xzvf a.tgz b")).unwrap_or_default();
        assert_eq!((read.mode, read.file.as_deref(), read.gzip), (Some('x'), Some("a.tgz"), true));
        assert_eq!(read.names, ["b"]);
        let odd = order(&words("-xfvz a.tgz")).unwrap_or_default();
        assert_eq!(odd.file.as_deref(), Some("vz"));
        assert_eq!(order(&words("Elena.zip")).err().map(|said| said.status), Some(64));
    }

    #[test]
    fn damaged_headers_are_no_headers() {
        assert!(header(&[1; BLOCK]).is_none());
        assert!(header(b"short").is_none());
    }
}
