//! What programs are linked with: `ldd`, `ldconfig` (glibc 2.36).

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::LazyLock,
};

use rand::RngExt as _;

use super::{Call, Said, usage};
use crate::machine::{Access, Kind};

/// Each program and library of the image with its own name and those that it needs, one a line: `PATH[*] NAME NEEDED…`,
/// the star where the kernel starts it with ld.so; zstd. Recorded by `cargo xtask usage`.
const RECORDED: &[u8] = include_bytes!("libraries.zst");

/// One file.
struct Linked {
    starts: bool,
    name: &'static str,
    needs: Vec<&'static str>,
}

static TABLE: LazyLock<HashMap<&'static str, Linked>> = LazyLock::new(|| {
    // The data is our own: if it were damaged, nothing would be linked.
    let text =
        zstd::decode_all(RECORDED).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let text: &'static str = Box::leak(text.into_boxed_str());
    let rows = text.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let path = words.next()?;
        let starts = path.ends_with('*');
        Some((path.trim_end_matches('*'), Linked { starts, name: words.next()?, needs: words.collect() }))
    });
    rows.collect()
});

const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";
const FOLDERS: [&str; 2] = ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu"];

/// The file of the table behind a name in the folders that are searched.
fn library(name: &str) -> Option<&'static Linked> {
    FOLDERS
        .iter()
        .find_map(|folder| TABLE.get(format!("{folder}/{name}").as_str()))
        .or_else(|| TABLE.values().find(|linked| linked.name == name && !linked.starts))
}

/// All libraries that a file of the image is loaded with, in the order of ld.so.
pub(super) fn needed(real_path: &str) -> Option<Vec<&'static str>> {
    let own = TABLE.get(real_path)?;
    let mut waiting: VecDeque<&'static str> = own.needs.iter().copied().collect();
    let (mut all, mut seen) = (Vec::new(), HashSet::new());
    while let Some(name) = waiting.pop_front() {
        if !seen.insert(name) {
            continue;
        }
        all.push(name);
        waiting.extend(library(name).into_iter().flat_map(|linked| linked.needs.iter().copied()));
    }
    if !all.iter().any(|name| name.starts_with("ld-linux")) {
        all.push("ld-linux-x86-64.so.2");
    }
    Some(all)
}

/// What a visitor's own file needs: what stands in it, as far as the kernel would start it with ld.so.
fn of_own(bytes: &[u8]) -> Option<Vec<&'static str>> {
    let word = |at: usize, length: usize| {
        let bytes = bytes.get(at..at.checked_add(length)?)?;
        Some(bytes.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)))
    };
    // ELF, 64 bits, little-endian, x86-64.
    if bytes.get(..6)? != b"\x7fELF\x02\x01" || word(18, 2)? != 62 {
        return None;
    }
    let (first, size, count) = (word(32, 8)?, word(54, 2)?, word(56, 2)?);
    const INTERPRETER: u64 = 3;
    let starts = (0..count.min(64)).any(|number| {
        let at = first.saturating_add(number * size);
        usize::try_from(at).ok().and_then(|at| word(at, 4)) == Some(INTERPRETER)
    });
    starts.then(|| vec!["libc.so.6", "ld-linux-x86-64.so.2"])
}

pub(super) fn ldd(call: &Call<'_>) -> Said {
    let mut files = call.args;
    while let Some((option, rest)) = files.split_first().filter(|(word, _)| word.starts_with('-')) {
        let long = |full: &str, least: usize| option.len() >= least && full.starts_with(option.as_str());
        files = rest;
        match option.as_str() {
            "--" => break,
            "-v" | "-u" | "-d" | "-r" => {}
            "--v" | "--ve" | "--ver" => {
                return Said::err(format!("ldd: option `{option}' is ambiguous\n"), 1);
            }
            _ if long("--version", 6) => return usage::exactly("ldd", "--version").unwrap_or_default(),
            _ if long("--help", 3) => return usage::exactly("ldd", "--help").unwrap_or_default(),
            _ if long("--verbose", 6)
                || long("--unused", 3)
                || long("--data-relocs", 3)
                || long("--function-relocs", 3) => {}
            _ => {
                return Said::err(
                    format!("ldd: unrecognized option `{option}'\nTry `ldd --help' for more information.\n"),
                    1,
                );
            }
        }
    }
    let unused = call.args.iter().any(|arg| arg == "-u" || arg.starts_with("--un"));
    if files.is_empty() {
        return Said::err("ldd: missing file arguments\nTry `ldd --help' for more information.\n", 1);
    }
    let mut said = Said::default();
    for file in files {
        if files.len() > 1 {
            said.out.extend(format!("{file}:\n").bytes());
        }
        let shown = if file.contains('/') { file.clone() } else { format!("./{file}") };
        match one(call, &shown) {
            // None of Debian's is linked with what it does not use.
            Ok(_) if unused => {}
            Ok(text) => said.out.extend(text.bytes()),
            Err(text) => {
                said.err.extend(text.bytes());
                said.status = 1;
            }
        }
    }
    said
}

fn one(call: &Call<'_>, shown: &str) -> Result<String, String> {
    let (files, path, who) = (call.files(), call.path(shown), call.session.who());
    let Ok(node) = files.stat(&path) else {
        return Err(format!("ldd: {shown}: No such file or directory\n"));
    };
    if node.kind != Kind::File {
        return Err(format!("ldd: {shown}: not regular file\n"));
    }
    if files.may(who.uid, who.gid, &path, Access::Read).is_err() {
        return Err(format!("ldd: error: you do not have read permission for `{shown}'\n"));
    }
    let real = files.real_path(&path).unwrap_or(path);
    let known = if files.is_of_image(&real) { needed(&real) } else { None };
    let names = match known {
        Some(names) => Some(names),
        None => files.read(&real).ok().and_then(|bytes| of_own(&bytes)),
    };
    let Some(names) = names else { return Err("\tnot a dynamic executable\n".to_owned()) };
    Ok(loaded(call, &names))
}

/// The libraries with their places: the loader on top, each further one below the one before.
fn loaded(call: &Call<'_>, names: &[&str]) -> String {
    const PAGE: u64 = 4096;
    let loader =
        0x7f00_0000_0000 + rand::rng().random_range(0x1000_0000..0xff00_0000_u64 / 2) * 16 / PAGE * PAGE;
    let kernel = loader - 2 * PAGE;
    let mut place = kernel - rand::rng().random_range(8..24) * PAGE;
    let mut text = format!("\tlinux-vdso.so.1 (0x{kernel:016x})\n");
    for name in names {
        if name.starts_with("ld-linux") {
            text += &format!("\t{LOADER} (0x{loader:016x})\n");
            continue;
        }
        let Some(path) =
            FOLDERS.iter().map(|folder| format!("{folder}/{name}")).find(|path| call.files().exists(path))
        else {
            text += &format!("\t{name} => not found\n");
            continue;
        };
        let size = call.files().stat(&path).map_or(PAGE, |node| node.size);
        place -= size.next_multiple_of(PAGE) + 6 * PAGE;
        text += &format!("\t{name} => {path} (0x{place:016x})\n");
    }
    text
}

pub(super) fn ldconfig(call: &Call<'_>) -> Said {
    let has = |letter: char, long: &str| {
        call.args
            .iter()
            .any(|arg| arg == long || arg.starts_with('-') && !arg.starts_with("--") && arg.contains(letter))
    };
    if let Some(said) = usage::refusal("ldconfig", call.args) {
        return said;
    }
    if has('V', "--version") {
        return usage::exactly("ldconfig", "--version").unwrap_or_default();
    }
    if has('p', "--print-cache") {
        return Said::out(cache(call));
    }
    if !call.is_root() && !has('N', "-N") {
        return Said::err(
            "ldconfig: Can't create temporary cache file /etc/ld.so.cache~: Permission denied\n",
            1,
        );
    }
    if has('v', "--verbose") {
        return Said { out: folders(call).into_bytes(), ..warned() };
    }
    Said::nothing(0)
}

/// Libraries whose file is there still: own name and path, the last name first.
fn present(call: &Call<'_>) -> Vec<(&'static str, String, &'static str)> {
    let rows = TABLE.iter().filter(|(_, linked)| linked.name != "-");
    let mut all: Vec<(&str, String, &str)> = rows
        .filter_map(|(path, linked)| {
            let (folder, file) = path.rsplit_once('/')?;
            let shown = match folder {
                "/usr/lib/x86_64-linux-gnu" => "/lib/x86_64-linux-gnu",
                "/usr/lib" | "/usr/lib64" => "/lib64",
                _ => return None,
            };
            let path = format!("{shown}/{}", linked.name);
            call.files().exists(&path).then_some((linked.name, path, file))
        })
        .collect();
    all.sort_by(|a, b| newer(b.0, a.0));
    all.dedup_by(|a, b| a.0 == b.0);
    all
}

/// As ld.so compares names: numbers count as numbers, and stand behind everything else (dl-cache.c).
fn newer(a: &str, b: &str) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let (Some(x), Some(y)) = (a.first(), b.first()) else { return a.len().cmp(&b.len()) };
        let (left, right) = (digits(a), digits(b));
        match (left, right) {
            (0, 0) if x == y => {
                a = a.get(1..).unwrap_or_default();
                b = b.get(1..).unwrap_or_default();
            }
            (0, 0) => return x.cmp(y),
            (0, _) => return Ordering::Less,
            (_, 0) => return Ordering::Greater,
            _ => {
                let number = |text: &[u8]| {
                    text.iter().fold(0_u64, |sum, d| sum.saturating_mul(10) + u64::from(d - b'0'))
                };
                let order = number(a.get(..left).unwrap_or_default())
                    .cmp(&number(b.get(..right).unwrap_or_default()));
                if order != Ordering::Equal {
                    return order;
                }
                a = a.get(left..).unwrap_or_default();
                b = b.get(right..).unwrap_or_default();
            }
        }
    }
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn cache(call: &Call<'_>) -> String {
    let all = present(call);
    let mut text = format!("{} libs found in cache `/etc/ld.so.cache'\n", all.len());
    for (name, path, _) in &all {
        text += &format!("\t{name} (libc6,x86-64) => {path}\n");
    }
    let version = usage::exactly("ldconfig", "--version").unwrap_or_default();
    let version = String::from_utf8_lossy(&version.out).into_owned();
    let first = version.lines().next().unwrap_or_default();
    let first = first.strip_prefix("ldconfig (").unwrap_or(first);
    let (package, number) = first.split_once(") ").unwrap_or((first, "2.36"));
    text + &format!("Cache generated by: ldconfig ({package}) stable release version {number}\n")
}

fn warned() -> Said {
    Said::err(
        "ldconfig: Can't stat /usr/local/lib/x86_64-linux-gnu: No such file or directory\nldconfig: Path `/usr/lib/x86_64-linux-gnu' given more than once\n(from /etc/ld.so.conf.d/x86_64-linux-gnu.conf:4 and /etc/ld.so.conf.d/x86_64-linux-gnu.conf:3)\nldconfig: Path `/lib/x86_64-linux-gnu' given more than once\n(from <builtin>:0 and /etc/ld.so.conf.d/x86_64-linux-gnu.conf:3)\nldconfig: Path `/usr/lib/x86_64-linux-gnu' given more than once\n(from <builtin>:0 and /etc/ld.so.conf.d/x86_64-linux-gnu.conf:3)\nldconfig: Path `/usr/lib' given more than once\n(from <builtin>:0 and <builtin>:0)\n",
        0,
    )
}

/// What `-v` lists.
fn folders(call: &Call<'_>) -> String {
    let all = present(call);
    let mut text = "/usr/local/lib: (from /etc/ld.so.conf.d/libc.conf:2)\n/lib/x86_64-linux-gnu: (from /etc/ld.so.conf.d/x86_64-linux-gnu.conf:3)\n".to_owned();
    for (name, _, file) in all.iter().filter(|(_, path, _)| path.starts_with("/lib/")) {
        text += &format!("\t{name} -> {file}\n");
    }
    text + "/lib: (from <builtin>:0)\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_come_in_the_order_of_the_loader() {
        assert_eq!(
            needed("/usr/bin/ls").unwrap(),
            ["libselinux.so.1", "libc.so.6", "libpcre2-8.so.0", "ld-linux-x86-64.so.2"]
        );
        assert!(needed("/etc/passwd").is_none());
        assert!(of_own(b"#!/bin/sh").is_none());
        assert_eq!(newer("libx.so.10", "libx.so.9"), std::cmp::Ordering::Greater);
        assert_eq!(newer("libzstd.so.1", "libz.so.1"), std::cmp::Ordering::Greater);
    }
}
