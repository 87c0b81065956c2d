//! `file`: what a file is.

use super::{Call, Said};
use crate::machine::files::Kind;

/// PATH_MAX.
const LONGEST_PATH: usize = 4096;

/// file 5.44.
pub(super) fn file(call: &Call<'_>) -> Said {
    let options = call.options("mfF");
    if options.operands.is_empty() {
        return Said::err(
            "Usage: file [-bcCdEhikLlNnprsSvzZ0] [--apple] [--extension] [--mime-encoding]\n            [--mime-type] [-e <testname>] [-F <separator>]  [-f <namefile>]\n            [-m <magicfiles>] [-P <parameter=value>] [--exclude-quiet]\n            <file> ...\n       file -C [-m <magicfiles>]\n       file [--help]\n",
            1,
        );
    }
    // `format!` panics on a width beyond 65535; no path that leads anywhere is longer than this.
    let width = options.operands.iter().map(String::len).max().unwrap_or(0).min(LONGEST_PATH);
    let mut text = String::new();
    for operand in &options.operands {
        let what = describe(call, operand);
        text += &if options.has('b') {
            format!("{what}\n")
        } else {
            format!("{:<1$} {what}\n", format!("{operand}:"), width + 1)
        };
    }
    Said::out(text)
}

/// The number in the note that the linker leaves (`NT_GNU_BUILD_ID`, elf(5)).
fn build_id(bytes: &[u8]) -> Option<String> {
    const NOTE: &[u8] = b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0";
    let at = memchr::memmem::find(bytes, NOTE)? + NOTE.len();
    Some(hex(bytes.get(at..at + 20)?))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn describe(call: &Call<'_>, operand: &str) -> String {
    if operand == "-" {
        let bytes = call.stdin.unwrap_or_default();
        return if bytes.is_empty() { "empty".to_owned() } else { contents(bytes, "") };
    }
    let path = call.path(operand);
    let node = match call.files().lstat(&path) {
        Ok(node) => node,
        Err(error) => return format!("cannot open `{operand}' ({})", error.errno_text()),
    };
    match node.kind {
        Kind::Dir if node.mode & 0o1000 != 0 => "sticky, directory".to_owned(),
        Kind::Dir => "directory".to_owned(),
        Kind::Symlink => format!("symbolic link to {}", call.files().read_link(&path).unwrap_or_default()),
        Kind::CharDevice => format!("character special ({}/{})", node.rdev.0, node.rdev.1),
        Kind::BlockDevice => format!("block special ({}/{})", node.rdev.0, node.rdev.1),
        Kind::Fifo => "fifo (named pipe)".to_owned(),
        Kind::Socket => "socket".to_owned(),
        Kind::File => {
            let bytes = call.files().read(&path).unwrap_or_default();
            let set_uid = if node.mode & 0o4000 != 0 { "setuid, " } else { "" };
            contents(&bytes, set_uid)
        }
    }
}

/// What a file of these bytes is.
fn contents(bytes: &[u8], set_uid: &str) -> String {
    if bytes.is_empty() {
        "empty".to_owned()
    } else if bytes.starts_with(b"\x7fELF\x02\x01\x01") {
        format!(
            "{set_uid}ELF 64-bit LSB pie executable, x86-64, version 1 (SYSV), dynamically linked, interpreter /lib64/ld-linux-x86-64.so.2, {}for GNU/Linux 3.2.0, stripped",
            build_id(bytes).map(|id| format!("BuildID[sha1]={id}, ")).unwrap_or_default()
        )
    } else if bytes.starts_with(b"\x7fELF") {
        "ELF 32-bit LSB executable, Intel 80386, version 1 (SYSV), statically linked, stripped".to_owned()
    } else if bytes.starts_with(b"#!/bin/sh") {
        "POSIX shell script, ASCII text executable".to_owned()
    } else if bytes.starts_with(b"#!/bin/bash") {
        "Bourne-Again shell script, ASCII text executable".to_owned()
    } else if bytes.starts_with(&[0x1f, 0x8b]) {
        "gzip compressed data".to_owned()
    } else if bytes.is_ascii() && !bytes.contains(&0) {
        "ASCII text".to_owned()
    } else if std::str::from_utf8(bytes).is_ok() {
        "Unicode text, UTF-8 text".to_owned()
    } else {
        "data".to_owned()
    }
}
