//! Files that are run by their path: what the kernel would make of them, and the text that the library runs instead.

use std::borrow::Cow;

use bashkit::parser::Parser;

use super::{bytes, commands, session::Session};
use crate::machine::files::program_names;

/// What execve(2) makes of a file, by its first bytes.
#[derive(Debug, PartialEq, Eq)]
enum Kind<'a> {
    /// A program for this machine.
    Native,
    /// A program for another machine, a part of one, or no program at all.
    Strange,
    /// A script that names its interpreter, with the one argument that it may be given (`man 2 execve`).
    Script(&'a str, &'a str),
    /// Text: the shell that was asked to run it reads it itself.
    Text,
}

fn kind(bytes: &[u8]) -> Kind<'_> {
    if bytes.starts_with(b"\x7fELF") {
        return if is_native(bytes) { Kind::Native } else { Kind::Strange };
    }
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if let Some(line) = first.strip_prefix(b"#!") {
        let line = std::str::from_utf8(line).unwrap_or_default().trim_matches([' ', '\t']);
        let (interpreter, argument) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        return Kind::Script(interpreter, argument.trim_matches([' ', '\t']));
    }
    // bash looks for a NUL in the first line of what the kernel has refused (check_binary_file of bash 5.2).
    if first.iter().take(80).any(|byte| *byte == 0) { Kind::Strange } else { Kind::Text }
}

/// An executable or a shared object for x86-64 or i386 with all of its program headers (elf(5)).
fn is_native(bytes: &[u8]) -> bool {
    let half = |at: usize| {
        bytes.get(at..at + 2).and_then(<[u8]>::first_chunk).map_or(0, |half| u16::from_le_bytes(*half))
    };
    let word = |at: usize| {
        bytes.get(at..at + 4).and_then(<[u8]>::first_chunk).map_or(0, |word| u32::from_le_bytes(*word))
    };
    let (machine, table, size, count) = match (bytes.get(4), bytes.get(5)) {
        (Some(2), Some(1)) => (62, u64::from(word(32)) | u64::from(word(36)) << 32, half(54), half(56)),
        (Some(1), Some(1)) => (3, u64::from(word(28)), half(42), half(44)),
        _ => return false,
    };
    matches!(half(16), 2 | 3)
        && half(18) == machine
        && count > 0
        && table.saturating_add(u64::from(size) * u64::from(count)) <= bytes.len() as u64
}

/// What is run when a file is run by its path.
pub(super) enum Run {
    /// A program that a visitor brought: it forks away.
    Program,
    /// This text, in the library's bash; its `$0` is the word that called the file.
    Text(Vec<u8>),
}

/// What running this file runs; `None` when the library may have it as it is.
pub(super) fn run(session: &Session, path: &str, bytes: &[u8]) -> Option<Run> {
    let text = match kind(bytes) {
        Kind::Native => match own_program(session, bytes) {
            Some(program) => format!("{program} \"$@\""),
            None => match commands::program_of_package(session, path) {
                Some(name) => format!("{} {name} \"$@\"", commands::PACKAGED),
                None => return Some(Run::Program),
            },
        },
        Kind::Strange => refusal(session, "cannot execute binary file: Exec format error", 126),
        Kind::Script(interpreter, argument) => {
            return script(session, path, bytes, interpreter, argument).map(Run::Text);
        }
        Kind::Text => return None,
    };
    Some(Run::Text(text.into_bytes()))
}

/// The machine's own program that this is a copy of.
fn own_program(session: &Session, bytes: &[u8]) -> Option<String> {
    let folders = ["/usr/bin/", "/usr/sbin/"];
    program_names().flat_map(|name| folders.map(|folder| format!("{folder}{name}"))).find(|path| {
        session.files().stat(path).is_ok_and(|node| node.size == bytes.len() as u64)
            && session.files().read(path).is_ok_and(|own| own[..] == *bytes)
    })
}

/// A script that only says why the file cannot be run.
fn refusal(session: &Session, why: &str, status: u8) -> String {
    let prefix = session.error_prefix().replace('\'', "'\\''");
    format!("printf '%s%s: %s\\n' '{prefix}' \"$0\" '{why}' >&2; exit {status}")
}

/// The text of a script, with something the library can count in place of its `#!` line: the library drops that line
/// and would number the others one too low. For dash it is the mark of `hooks`.
fn script(session: &Session, path: &str, bytes: &[u8], interpreter: &str, argument: &str) -> Option<Vec<u8>> {
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let base = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let at = session.files().resolve(&session.cwd.lock(), interpreter);
    match session.files().stat(&at) {
        Err(_) => {
            return Some(refusal(session, "cannot execute: required file not found", 127).into_bytes());
        }
        Ok(node) if node.mode & 0o111 == 0 => {
            // bash tells of this without a line (`sys_error` of execute_cmd.c).
            let name = session.shell_name();
            let said = format!("{interpreter}: bad interpreter: Permission denied").replace('\'', "'\\''");
            return Some(
                format!("printf '%s: %s: %s\\n' '{name}' \"$0\" '{said}' >&2; exit 126").into_bytes(),
            );
        }
        Ok(_) => {}
    }
    let mut words = argument.split_whitespace();
    let (name, options) = match base(interpreter).as_str() {
        "env" => (base(words.find(|word| *word != "-S")?), words.next().unwrap_or_default()),
        name => (name.to_owned(), argument),
    };
    // Whatever sets the shell up: `-e`, `-eu`. What else there may be is nothing that changes what is seen.
    let letters: String = options.strip_prefix('-').map_or(String::new(), |letters| {
        letters.chars().filter(|letter| "abefhkmnuvxC".contains(*letter)).collect()
    });
    let set = if letters.is_empty() { String::new() } else { format!("set -{letters}") };
    let body = bytes.get(end..)?;
    match name.as_str() {
        "bash" => {
            if !parses(body) {
                // Called by its name the library's bash runs what comes before a fault, and says it in bash's words.
                return Some(b"bash \"$0\" \"$@\"".to_vec());
            }
            session.note_script(&String::from_utf8_lossy(body));
            Some([if set.is_empty() { b":" } else { set.as_bytes() }, body].concat())
        }
        "sh" | "dash" | "ash" => {
            session.add_dash(path);
            let text = bytes::to_text(body).into_owned();
            session.note_script(&text);
            let text = session.translated(&text).unwrap_or(text);
            let set = if set.is_empty() { set } else { format!("; {set}") };
            Some(format!("set -o posix{set}{text}").into_bytes())
        }
        _ => None,
    }
}

fn parses(body: &[u8]) -> bool {
    Parser::with_max_depth(&String::from_utf8_lossy(body), 64).parse().is_ok()
}

/// Whether what is said by commands of this text may go anywhere but to the visitor. Where nobody looks does not count.
pub(super) fn hides_errors(text: &str) -> bool {
    let mut seen = Cow::Borrowed(text);
    for nowhere in [">/dev/null 2>&1", "> /dev/null 2>&1", "2>/dev/null", "2> /dev/null", "&>/dev/null"] {
        if seen.contains(nowhere) {
            seen = Cow::Owned(seen.replace(nowhere, ""));
        }
    }
    ["2>", ">&", "&>", "|&", "exec "].iter().any(|sign| seen.contains(sign)) || runs_made_text(&seen)
}

/// Whether it runs text that is put together first: what that does cannot be told.
fn runs_made_text(text: &str) -> bool {
    let given = ["| sh", "|sh", "| bash", "|bash", "| dash", "|dash"].iter().any(|sign| text.contains(sign));
    let made = ["eval", "sh -c", "sh -s", "sh <"].iter().any(|sign| text.contains(sign));
    given || made && text.contains(['$', '`', '<'])
}

/// Whether a shell refuses to read this as a script.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    matches!(kind(bytes), Kind::Native | Kind::Strange)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_something(start in 0..3_usize, rest in proptest::collection::vec(any::<u8>(), 0..120)) {
            let bytes = [[&b"\x7fELF"[..], b"#!", b""][start], &rest].concat();
            let native = kind(&bytes) == Kind::Native;
            prop_assert!(!native || bytes.len() >= 52, "{} bytes are no program", bytes.len());
        }
    }

    fn elf(class: u8, machine: u8, count: u8) -> Vec<u8> {
        let mut bytes = vec![0; 200];
        bytes[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, 1]);
        bytes[16] = 2;
        bytes[18] = machine;
        let (table, size, number) = if class == 2 { (32, 54, 56) } else { (28, 42, 44) };
        bytes[table] = 64;
        bytes[size] = 56;
        bytes[number] = count;
        bytes
    }

    #[test]
    fn the_kernel_looks_at_the_first_bytes() {
        for (bytes, want) in [
            (elf(2, 62, 2), Kind::Native),
            (elf(1, 3, 2), Kind::Native),
            (elf(2, 62, 3), Kind::Strange),
            (elf(1, 40, 2), Kind::Strange),
            (elf(1, 8, 1), Kind::Strange),
            (b"\x7fELF bot".to_vec(), Kind::Strange),
            (b"a\0b\n".to_vec(), Kind::Strange),
            (b"a\n\0b\n".to_vec(), Kind::Text),
            (b"#!/bin/sh\r\nls\r\n".to_vec(), Kind::Script("/bin/sh\r", "")),
            (b"#! /bin/sh -e \nls".to_vec(), Kind::Script("/bin/sh", "-e")),
            (b"#!/usr/bin/env bash".to_vec(), Kind::Script("/usr/bin/env", "bash")),
            (b"".to_vec(), Kind::Text),
        ] {
            assert_eq!(kind(&bytes), want, "{bytes:?}");
        }
    }

    #[test]
    fn errors_are_hidden_by_what_takes_them_elsewhere() {
        for (text, want) in [
            ("ls 2>/dev/null; cat >/dev/null 2>&1 x", false),
            ("./x.sh; sh y.sh; bash -c nosuch", false),
            ("ls 2>err", true),
            ("ls 2>&1 | wc", true),
            ("eval $x", true),
            ("echo x | sh", true),
            ("sh -c \"$x\"", true),
        ] {
            assert_eq!(hides_errors(text), want, "{text}");
        }
    }
}
