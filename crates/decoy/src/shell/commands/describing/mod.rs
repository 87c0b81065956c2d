//! `file`: what a file is (file 5.44).

mod binary;
mod elf;
mod text;

use super::{
    Call, Said,
    getopt::{self, Given},
    sources,
};
use crate::machine::{FileError, files::Kind};

/// PATH_MAX.
const LONGEST_PATH: usize = 4096;
/// The most names of one call.
const MOST: usize = 10_000;
/// How much of a file is looked at.
const LOOKED_AT: usize = 1024 * 1024;

const USAGE: &str = "Usage: file [-bcCdEhikLlNnprsSvzZ0] [--apple] [--extension] [--mime-encoding]\n            [--mime-type] [-e <testname>] [-F <separator>]  [-f <namefile>]\n            [-m <magicfiles>] [-P <parameter=value>] [--exclude-quiet]\n            <file> ...\n       file -C [-m <magicfiles>]\n       file [--help]\n";

/// What a file is: in words, as a media type, in which encoding.
struct Found {
    words: String,
    media: String,
    charset: &'static str,
}

impl Found {
    fn binary(words: impl Into<String>, media: &str) -> Self {
        Self { words: words.into(), media: media.to_owned(), charset: "binary" }
    }
}

pub(super) fn file(call: &Call<'_>) -> Said {
    let given = match getopt::cut(call, &[], 1) {
        Ok(given) => given,
        Err(said) if said.status == 0 => return said,
        Err(mut said) => {
            // The first line is getopt's; what follows it is file's own.
            let line = said.err.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default().to_vec();
            said.err = [line.as_slice(), USAGE.as_bytes()].concat();
            return said;
        }
    };
    let mut operands = given.operands.clone();
    for (_, list) in given.options.iter().filter(|(option, _)| option == "files-from") {
        let list = list.as_deref().unwrap_or_default();
        match sources::read(call, list) {
            Ok(bytes) => {
                let lines = String::from_utf8_lossy(&bytes).into_owned();
                operands.extend(lines.lines().take(MOST).map(str::to_owned));
            }
            Err(error) => {
                return Said::err(format!("file: Cannot open `{list}' ({})\n", error.errno_text()), 1);
            }
        }
    }
    if operands.is_empty() {
        return Said::err(USAGE, 1);
    }
    // `format!` panics on a width beyond 65535; no path that leads anywhere is longer than this.
    let shown = |operand: &str| if operand == "-" { "/dev/stdin".to_owned() } else { operand.to_owned() };
    let longest = operands.iter().map(|operand| shown(operand).len()).max().unwrap_or(0).min(LONGEST_PATH);
    let width = if given.has("no-pad") { 0 } else { longest + 1 };
    let sign = given.value("separator").unwrap_or(":");
    let mut text = String::new();
    for operand in &operands {
        let what = said_of(&given, describe(call, &given, operand));
        text += &if given.has("brief") {
            format!("{what}\n")
        } else {
            format!("{:<width$} {what}\n", format!("{}{sign}", shown(operand)))
        };
    }
    Said::out(text)
}

/// The part that is asked for.
fn said_of(given: &Given, found: Result<Found, String>) -> String {
    let found = match found {
        Ok(found) => found,
        Err(text) => return text,
    };
    if given.has("mime-type") {
        found.media
    } else if given.has("mime-encoding") {
        found.charset.to_owned()
    } else if given.has("mime") {
        format!("{}; charset={}", found.media, found.charset)
    } else {
        found.words
    }
}

fn describe(call: &Call<'_>, given: &Given, operand: &str) -> Result<Found, String> {
    if operand == "-" {
        return Ok(contents(call.stdin.unwrap_or_default(), true));
    }
    let path = call.path(operand);
    let follows = given.last(&["dereference", "no-dereference"]) == Some("dereference");
    let node = if follows { call.files().stat(&path) } else { call.files().lstat(&path) };
    let node = match node {
        Ok(node) => node,
        Err(error) => return Err(format!("cannot open `{operand}' ({})", error.errno_text())),
    };
    let set_id: String = [(0o4000, "setuid "), (0o2000, "setgid "), (0o1000, "sticky ")]
        .iter()
        .filter(|(bit, _)| node.mode & bit != 0)
        .map(|(_, name)| *name)
        .collect();
    let set_id = set_id.trim_end();
    let comma = if set_id.is_empty() { String::new() } else { format!("{set_id}, ") };
    let special = given.has("special-files");
    Ok(match node.kind {
        Kind::Dir => Found::binary(format!("{comma}directory"), "inode/directory"),
        Kind::Symlink => {
            let target = call.files().read_link(&path).unwrap_or_default();
            let broken = if call.files().exists(&path) { "" } else { "broken " };
            Found::binary(format!("{broken}symbolic link to {target}"), "inode/symlink")
        }
        Kind::CharDevice if !special => {
            Found::binary(format!("character special ({}/{})", node.rdev.0, node.rdev.1), "inode/chardevice")
        }
        Kind::BlockDevice if !special => {
            Found::binary(format!("block special ({}/{})", node.rdev.0, node.rdev.1), "inode/blockdevice")
        }
        Kind::Fifo => Found::binary("fifo (named pipe)", "inode/fifo"),
        Kind::Socket => Found::binary("socket", "inode/socket"),
        _ => {
            let bytes = match sources::file(call, operand) {
                Ok(bytes) => bytes,
                Err(FileError::Denied) => {
                    return Err("regular file, no read permission".to_owned());
                }
                Err(error) => return Err(format!("cannot open `{operand}' ({})", error.errno_text())),
            };
            let mut found = contents(&bytes, false);
            found.words = format!("{comma}{}", found.words);
            found
        }
    })
}

/// What these bytes are; `piped`: how many there are is not known.
fn contents(bytes: &[u8], piped: bool) -> Found {
    if bytes.is_empty() {
        return Found::binary("empty", "inode/x-empty");
    }
    if let Some(found) = binary::found(bytes, piped) {
        return found;
    }
    text::found(bytes.get(..LOOKED_AT).unwrap_or(bytes))
        .unwrap_or_else(|| Found::binary("data", "application/octet-stream"))
}
