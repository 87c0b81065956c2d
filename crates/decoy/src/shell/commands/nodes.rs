//! Changing and naming files: `chmod`, `which`.

use super::{Call, Options, Said, is_installed, quoting::quoted};
use crate::machine::{FileError, files::Kind};

/// Every path below a directory, itself first; a bounded number.
pub(super) fn below(call: &Call<'_>, path: &str) -> Vec<String> {
    let (mut all, mut todo) = (Vec::new(), vec![path.to_owned()]);
    while let Some(path) = todo.pop() {
        if call.files().lstat(&path).is_ok_and(|node| node.is_dir()) {
            let entries = call.files().list(&path).unwrap_or_default();
            todo.extend(
                entries.into_iter().map(|entry| format!("{}/{}", path.trim_end_matches('/'), entry.name)),
            );
        }
        all.push(path);
        if all.len() > 5000 {
            break;
        }
    }
    all
}

/// The mode that `text` (octal or symbolic, chmod(1)) makes of another; `None` when it is no mode.
pub(super) fn mode_from(text: &str, old: u32, is_dir: bool, umask: u32) -> Option<u32> {
    if text.chars().all(|c| c.is_digit(8)) && !text.is_empty() {
        // A directory keeps its set-ID bits unless five digits say otherwise (modechange.c).
        let kept = if is_dir && text.len() < 5 { old & 0o6000 } else { 0 };
        let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
        return mode.map(|mode| mode | kept);
    }
    let mut mode = old;
    for clause in text.split(',') {
        let split = clause.find(['+', '-', '='])?;
        let (whom, mut rest) = clause.split_at(split);
        let mut mask = 0;
        for letter in whom.chars() {
            mask |= match letter {
                'u' => 0o4700,
                'g' => 0o2070,
                'o' => 0o1007,
                'a' => 0o7777,
                _ => return None,
            };
        }
        let by_umask = if whom.is_empty() { !umask } else { !0 };
        let mask = if whom.is_empty() { 0o7777 } else { mask };
        while let Some(sign) = rest.chars().next() {
            let body = rest.get(1..)?;
            let end = body.find(['+', '-', '=']).unwrap_or(body.len());
            let mut bits = 0;
            for letter in body.get(..end)?.chars() {
                bits |= match letter {
                    'r' => 0o444,
                    'w' => 0o222,
                    'x' => 0o111,
                    'X' if is_dir || mode & 0o111 != 0 => 0o111,
                    'X' => 0,
                    's' => 0o6000,
                    't' => 0o1000,
                    'u' => (mode >> 6 & 7) * 0o111,
                    'g' => (mode >> 3 & 7) * 0o111,
                    'o' => (mode & 7) * 0o111,
                    _ => return None,
                };
            }
            let bits = bits & mask & by_umask;
            match sign {
                '+' => mode |= bits,
                '-' => mode &= !bits,
                // A folder keeps its special bits.
                '=' => mode = mode & !(mask & if is_dir { 0o777 } else { 0o7777 }) | bits,
                _ => return None,
            }
            rest = body.get(end..)?;
        }
    }
    Some(mode)
}

pub(super) fn chmod(call: &Call<'_>) -> Said {
    // `-x file` is a mode, not an option.
    let is_option = |arg: &&String| {
        arg.starts_with("--")
            || arg
                .strip_prefix('-')
                .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| "Rvcf".contains(c)))
    };
    if let Some(long) = call.args.iter().find(|arg| {
        let known = [
            "--recursive",
            "--verbose",
            "--changes",
            "--silent",
            "--quiet",
            "--preserve-root",
            "--no-preserve-root",
            "--reference",
            "--help",
            "--version",
        ];
        arg.len() > 2
            && arg.starts_with("--")
            && !known.iter().any(|name| name.starts_with(arg.split('=').next().unwrap_or(arg)))
    }) {
        return Said::err(
            format!("chmod: unrecognized option '{long}'\nTry 'chmod --help' for more information.\n"),
            1,
        );
    }
    // Letters of options and of modes (`-x`); any other is neither.
    let strange = call.args.iter().take_while(|arg| *arg != "--").find_map(|arg| {
        let letters = arg.strip_prefix('-').filter(|rest| !rest.starts_with('-'))?;
        letters.chars().find(|c| !"Rcvfrwxstugoa,+=01234567X-".contains(*c))
    });
    if let Some(letter) = strange {
        return Said::err(
            format!("chmod: invalid option -- '{letter}'\nTry 'chmod --help' for more information.\n"),
            1,
        );
    }
    let options = Options::of(&call.args.iter().filter(is_option).cloned().collect::<Vec<_>>(), "");
    let mut words = call.args.iter().filter(|arg| !is_option(arg));
    let reference = options.long.iter().find_map(|long| long.strip_prefix("reference="));
    let reference = match reference.map(|name| (name, call.files().stat(&call.path(name)))) {
        None => None,
        Some((_, Ok(node))) => Some(format!("{:05o}", node.mode & 0o7777)),
        Some((name, Err(error))) => {
            let what = format!("failed to get attributes of {}", quoted(name));
            return Said::err(format!("chmod: {what}: {}\n", error.errno_text()), 1);
        }
    };
    let Some(text) = reference.as_ref().or_else(|| words.next()) else {
        return Said::err("chmod: missing operand\nTry 'chmod --help' for more information.\n", 1);
    };
    let operands: Vec<&String> = words.collect();
    if operands.is_empty() {
        return Said::err(
            format!(
                "chmod: missing operand after \u{2018}{text}\u{2019}\nTry 'chmod --help' for more information.\n"
            ),
            1,
        );
    }
    if mode_from(text, 0, false, 0o022).is_none() {
        return Said::err(
            format!(
                "chmod: invalid mode: \u{2018}{text}\u{2019}\nTry 'chmod --help' for more information.\n"
            ),
            1,
        );
    }
    let mut said = Said::default();
    for operand in operands {
        let path = call.path(operand);
        let node = match call.files().stat(&path) {
            Ok(_) => call.files().stat(&path),
            Err(error) => Err(error),
        };
        if let Err(error) = node {
            if !options.has('f') {
                let text = if call.applet {
                    format!("chmod: {operand}: {}\n", error.errno_text())
                } else if call.files().lstat(&path).is_ok() {
                    format!("chmod: cannot operate on dangling symlink {}\n", quoted(operand))
                } else {
                    format!("chmod: cannot access {}: {}\n", quoted(operand), error.errno_text())
                };
                said.err.extend(text.bytes());
            }
            said.status = 1;
            continue;
        }
        let paths = if options.has('R') { below(call, &path) } else { vec![path.clone()] };
        for each in paths {
            let Ok(node) = call.files().lstat(&each) else { continue };
            if node.kind == Kind::Symlink && options.has('R') {
                continue;
            }
            let node = call.files().stat(&each).unwrap_or(node);
            let Some(mode) = mode_from(text, node.mode, node.is_dir(), call.session.umask()) else {
                continue;
            };
            let shown = if each == path {
                operand.clone()
            } else {
                format!("{operand}{}", each.strip_prefix(&path).unwrap_or(&each))
            };
            let who = call.session.who();
            let done = if who.uid != 0 && who.uid != node.uid {
                Err(FileError::NotPermitted)
            } else {
                call.files().set_mode(&each, mode)
            };
            if let Err(error) = done {
                said.err.extend(
                    format!("chmod: changing permissions of '{shown}': {}\n", error.errno_text()).bytes(),
                );
                said.status = 1;
            } else if options.has('v') || options.has('c') && node.mode & 0o7777 != mode {
                let (old, new) = (rights(node.mode), rights(mode));
                let text = if node.mode & 0o7777 == mode {
                    format!("mode of '{shown}' retained as {new}\n")
                } else {
                    format!("mode of '{shown}' changed from {old} to {new}\n")
                };
                said.out.extend(text.bytes());
            }
        }
    }
    said
}

/// A mode in digits and letters.
fn rights(mode: u32) -> String {
    let letters: String = (0..9)
        .rev()
        .map(|bit| {
            let set = mode >> bit & 1 == 1;
            let special = match bit {
                6 => mode & 0o4000 != 0,
                3 => mode & 0o2000 != 0,
                0 => mode & 0o1000 != 0,
                _ => false,
            };
            match (bit % 3, special, set) {
                (0, true, true) => {
                    if bit == 0 {
                        't'
                    } else {
                        's'
                    }
                }
                (0, true, false) => {
                    if bit == 0 {
                        'T'
                    } else {
                        'S'
                    }
                }
                (_, _, false) => '-',
                (2, ..) => 'r',
                (1, ..) => 'w',
                _ => 'x',
            }
        })
        .collect();
    format!("{:04o} ({letters})", mode & 0o7777)
}

/// Debian's which (debianutils 5.7).
pub(super) fn which(call: &Call<'_>) -> Said {
    let options = call.options("");
    if !call.applet {
        let long = call.args.iter().take_while(|arg| *arg != "--").any(|arg| arg.starts_with("--"));
        if let Some(letter) = options.unknown("a").or_else(|| long.then_some('-')) {
            return Said {
                out: "Usage: /usr/bin/which [-a] args\n".into(),
                err: format!("Illegal option -{letter}\n").into(),
                status: 2,
            };
        }
    }
    let mut said = Said { status: i32::from(options.operands.is_empty()), ..Said::default() };
    let path = call.var("PATH").unwrap_or_default();
    for name in &options.operands {
        let mut found = false;
        for dir in path.split(':') {
            let candidate = if name.contains('/') { call.path(name) } else { format!("{dir}/{name}") };
            if call
                .files()
                .stat(&candidate)
                .is_ok_and(|node| node.kind == Kind::File && node.mode & 0o111 != 0)
            {
                let shown = if name.contains('/') { name.clone() } else { candidate };
                said.out.extend(format!("{shown}\n").bytes());
                found = true;
                if !options.has('a') || name.contains('/') {
                    break;
                }
            }
        }
        if !found {
            said.status = 1;
        }
    }
    // A program that was removed names nothing any more.
    if options.operands.iter().any(|name| !name.contains('/') && !is_installed(call.session, name))
        && said.out.is_empty()
    {
        said.status = 1;
    }
    said
}

#[cfg(test)]
mod tests {
    use super::mode_from;

    #[test]
    fn modes_are_read() {
        for (text, old, new) in [
            ("777", 0o644, 0o777),
            ("+x", 0o644, 0o755),
            ("u+s", 0o755, 0o4755),
            ("go=", 0o755, 0o700),
            ("a-w", 0o666, 0o444),
            ("u=rwx,g=rx,o=", 0o600, 0o750),
            ("0777", 0, 0o777),
            ("+t", 0o777, 0o1777),
            ("g=u", 0o740, 0o770),
        ] {
            assert_eq!(mode_from(text, old, false, 0o022), Some(new), "{text}");
        }
        assert_eq!(mode_from("nonsense", 0, false, 0o022), None);
        assert_eq!(mode_from("99999", 0, false, 0o022), None);
    }
}
