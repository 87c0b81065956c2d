//! Options of busybox's applets, and how it refuses others. The letters are those that Debian's busybox 1.35.0 takes, asked
//! one after the other; its own help names fewer.

mod letters;

use super::{Said, usage};
use letters::{LETTERS, OWN_WAY, SHORT_ONLY, STARTERS, STOPS, TROUBLE, USAGE_ALONE};

/// How an applet refuses its arguments, if it does.
pub(super) fn refusal(name: &str, args: &[String]) -> Option<Said> {
    if matches!(name, "ash" | "sh")
        && let Some(first) = args.first().and_then(|first| first.strip_prefix('-'))
    {
        // Long options it takes for nothing at all.
        let strange = first.chars().find(|letter| !"abcefilmnopstuvxCEIV-".contains(*letter));
        return match strange {
            _ if first.starts_with('-') && first.len() > 1 => Some(Said::nothing(0)),
            Some(letter) => Some(Said::err(format!("{name}: illegal option -{letter}\n"), 2)),
            None => None,
        };
    }
    if OWN_WAY.contains(&name) {
        return of_its_own(name, args);
    }
    let help = usage::applet(name)?;
    if matches!(name, "egrep" | "fgrep" | "grep") && args.iter().all(|arg| arg == "-h") {
        return Some(Said::err(help, 2));
    }
    let known = LETTERS.iter().find(|(applet, _)| *applet == name).map(|(_, letters)| *letters);
    let status = if TROUBLE.contains(&name) { 2 } else { 1 };
    let refuse = |what: String| {
        let first = if USAGE_ALONE.contains(&name) { String::new() } else { format!("{name}: {what}\n") };
        Some(Said::err(format!("{first}{help}"), status))
    };
    // The first word of tar is options, with a dash or without.
    let dashed = args
        .first()
        .filter(|first| name == "tar" && !first.starts_with('-'))
        .map(|first| format!("-{first}"));
    let mut words = dashed.iter().chain(args.iter().skip(dashed.iter().len()));
    while let Some(word) = words.next() {
        let Some(rest) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            if STOPS.contains(&name) {
                break;
            }
            continue;
        };
        if word == "--" {
            break;
        }
        if let Some(long) = rest.strip_prefix('-').filter(|_| name != "find") {
            if SHORT_ONLY.contains(&name) {
                return refuse("invalid option -- '-'".to_owned());
            }
            let long = long.split('=').next().unwrap_or(long);
            let gnus = !matches!(long, "help" | "version") && usage::names_option(name, &format!("--{long}"));
            if !help.contains(&format!("--{long}")) && !gnus {
                return refuse(format!("unrecognized option '{word}'"));
            }
            continue;
        }
        // What looks like an option and is none: predicates of find, numbers.
        if matches!(name, "find" | "dd" | "ip" | "seq" | "factor") {
            let number = rest.starts_with(|c: char| c.is_ascii_digit());
            if number {
                continue;
            }
            if name == "find" {
                if help.split_whitespace().any(|known| known.trim_start_matches('[') == word) {
                    continue;
                }
                return Some(Said::err(format!("find: unrecognized: {word}\n{help}"), 1));
            }
        }
        let mut letters = rest.chars();
        while let Some(letter) = letters.next() {
            let takes = match known {
                Some(known) => known.find(letter).filter(|_| letter != ':').map(|at| {
                    let after = known.get(at + letter.len_utf8()..).unwrap_or_default();
                    (after.starts_with(':'), after.starts_with("::"))
                }),
                None => usage::mentions(&help, letter).then_some((false, false)),
            };
            match takes {
                None => return refuse(format!("invalid option -- '{letter}'")),
                Some((true, optional)) => {
                    let written = !letters.as_str().is_empty();
                    if !written && !optional && words.next().is_none() {
                        return refuse(format!("option requires an argument -- '{letter}'"));
                    }
                    break;
                }
                Some(_) => {}
            }
        }
    }
    None
}

/// Applets that go on without looking at options.
fn of_its_own(name: &str, args: &[String]) -> Option<Said> {
    let first = args.first()?;
    let is_option = first.len() > 1 && first.starts_with('-');
    Some(match name {
        "[" if args.last().is_none_or(|last| last != "]") => Said::err("[: missing ]\n", 2),
        "[[" if args.last().is_none_or(|last| last != "]]") => Said::err("[[: missing ]]\n", 2),
        "arch" => Said::out("x86_64\n"),
        "realpath" if args.iter().any(|arg| arg.starts_with('-')) => {
            let lost = args.iter().map(|arg| format!("realpath: {arg}: No such file or directory\n"));
            Said::err(lost.collect::<String>(), 1)
        }
        "renice" if is_option && !matches!(first.as_str(), "-n" | "-p" | "-g" | "-u") => {
            Said::err(format!("renice: invalid number '{}'\n", first.get(1..)?), 1)
        }
        "insmod" if is_option => {
            Said::err(format!("insmod: can't insert '{first}': No such file or directory\n"), 254)
        }
        "brctl" if is_option => Said::err(format!("brctl: invalid argument '{first}' to 'brctl'\n"), 1),
        "chmod" if is_option && args.len() == 1 && !first.starts_with("--") => {
            Said::err(usage::applet(name)?, 1)
        }
        "clear" => Said::out("\x1b[H\x1b[J"),
        "dirname" if args.len() > 1 => Said::err(usage::applet(name)?, 1),
        "init" | "linuxrc" => Said::err("init: must be run as PID 1\n", 1),
        "chroot" if is_option => Said::err(
            format!("chroot: can't change root directory to '{first}': No such file or directory\n"),
            1,
        ),
        "freeramdisk" | "rpm2cpio" if is_option => {
            Said::err(format!("{name}: can't open '{first}': No such file or directory\n"), 1)
        }
        "kill" | "killall" if is_signal_name(first) => {
            Said::err(format!("{name}: bad signal name '{}'\n", first.get(1..)?), 1)
        }
        "nologin" => Said { status: 1, ..Said::out("This account is not available\n") },
        "resume" => Said::err(format!("resume: invalid resume device: {first}\n"), 1),
        "nuke" if is_option => Said::nothing(0),
        "mt" => Said::err(format!("mt: unrecognized opcode {first}\n"), 1),
        "mim" => Said::err("mim: line 7: can't open Mimfile: no such file\n", 1),
        "chmod" if is_option && first.starts_with("--") => {
            Said::err(format!("chmod: unrecognized option '{first}'\n{}", usage::applet(name)?), 1)
        }
        "sleep" | "usleep" if !first.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
            Said::err(format!("{name}: invalid number '{first}'\n"), 1)
        }
        "chvt" | "deallocvt" if is_option => Said::err(format!("{name}: invalid number '{first}'\n"), 1),
        "stty"
            if is_option
                && (first.len() == 2 || first.starts_with("--"))
                && !matches!(first.as_str(), "-a" | "-g" | "-F") =>
        {
            Said::err(format!("stty: invalid argument '{first}'\n"), 1)
        }
        _ => return None,
    })
}

/// The program that one applet is to start, if it starts one.
pub(super) fn started<'a>(name: &str, args: &'a [String]) -> Option<&'a str> {
    if !STARTERS.contains(&name) {
        return None;
    }
    let valued = LETTERS.iter().find(|(applet, _)| *applet == name).map_or("", |(_, letters)| *letters);
    let mut words = args.iter();
    loop {
        let word = words.next()?.as_str();
        match word.strip_prefix('-') {
            Some("-") => return words.next().map(String::as_str),
            Some(letters) => {
                // A value stands in the next word.
                let last = letters.chars().next_back()?;
                if valued.contains(&format!("{last}:")) {
                    words.next();
                }
            }
            None if name == "env" && word.contains('=') => {}
            None => return Some(word),
        }
    }
}

/// Whether this would have to be the name of a signal, and is none.
fn is_signal_name(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|name| {
        !name.is_empty()
            && !matches!(name, "l" | "L" | "q" | "s" | "o")
            && crate::shell::listings::signal_number(name).is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> String {
        let mut words = line.split(' ').map(str::to_owned);
        let name = words.next().unwrap();
        let said = refusal(&name, &words.collect::<Vec<_>>());
        let text = said.map(|said| String::from_utf8_lossy(&said.err).lines().next().map(str::to_owned));
        text.flatten().unwrap_or_default()
    }

    #[test]
    fn letters_are_refused_as_busybox_does() {
        const USAGE: &str = "BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary.";
        for (line, first) in [
            ("cat -Q", "cat: invalid option -- 'Q'"),
            ("cat -nQ /etc/passwd", "cat: invalid option -- 'Q'"),
            ("uname --foo", "uname: unrecognized option '--foo'"),
            ("head --foo", "head: invalid option -- '-'"),
            ("head -n", "head: option requires an argument -- 'n'"),
            ("whoami -x", USAGE),
            ("dirname a b", USAGE),
            ("head -n 3 x", ""),
            ("cut -d: -f1 x", ""),
            ("tar cf x y", ""),
            ("find / -name x", ""),
            ("xargs -n1 ls -Z", ""),
            ("ps -ef", ""),
            ("ps -h", "ps: invalid option -- 'h'"),
            ("wget -q -O - x", ""),
            ("kill -9 5", ""),
            ("find / -Q", "find: unrecognized: -Q"),
            ("kill -Q", "kill: bad signal name 'Q'"),
            ("sleep -x", "sleep: invalid number '-x'"),
        ] {
            assert_eq!(said(line), first, "{line}");
        }
    }
}
