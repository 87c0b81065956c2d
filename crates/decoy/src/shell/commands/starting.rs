//! Programs that start another one in other circumstances: `nice`, `setsid`, `ionice`, `stdbuf`, `taskset`, `chroot`.

use super::{Call, Said, priorities, usage};

/// The words behind the options; `valued` letters take a value.
fn command(call: &Call<'_>, valued: &str, letters: &str) -> Result<Vec<String>, Said> {
    let mut args = call.args.iter();
    while let Some(arg) = args.clone().next() {
        let Some(option) = arg.strip_prefix('-').filter(|option| !option.is_empty()) else { break };
        args.next();
        if option == "-" {
            break;
        }
        if option.starts_with('-') {
            continue;
        }
        // `nice -19` is a number.
        if option.chars().all(|c| c.is_ascii_digit() || c == '-') && call.name == "nice" {
            continue;
        }
        let mut rest = option.chars();
        while let Some(letter) = rest.next() {
            if valued.contains(letter) {
                if rest.as_str().is_empty() && args.next().is_none() {
                    return Err(refusal(call, &format!("option requires an argument -- '{letter}'")));
                }
                break;
            }
            if !letters.contains(letter) {
                return Err(refusal(call, &format!("invalid option -- '{letter}'")));
            }
        }
    }
    Ok(args.cloned().collect())
}

fn refusal(call: &Call<'_>, what: &str) -> Said {
    let status = if matches!(call.name, "nice" | "stdbuf" | "chroot") { 125 } else { 1 };
    Said::err(format!("{0}: {what}\nTry '{0} --help' for more information.\n", call.name), status)
}

/// coreutils 9.1.
pub(super) fn nice(call: &Call<'_>) -> Result<Vec<String>, Said> {
    let words = command(call, "n", "")?;
    if !words.is_empty() {
        return Ok(words);
    }
    if call.args.is_empty() {
        return Err(Said::out("0\n"));
    }
    Err(Said::err(
        "nice: a command must be given with an adjustment\nTry 'nice --help' for more information.\n",
        125,
    ))
}

/// util-linux 2.38.
pub(super) fn setsid(call: &Call<'_>) -> Result<Vec<String>, Said> {
    let words = command(call, "", "cfwhV")?;
    if words.is_empty() {
        return Err(usage::of("setsid", &[], false).unwrap_or_else(|| {
            Said::err("setsid: no command specified\nTry 'setsid --help' for more information.\n", 1)
        }));
    }
    Ok(words)
}

/// util-linux 2.38.
pub(super) fn ionice(call: &Call<'_>) -> Result<Vec<String>, Said> {
    let words = command(call, "cnpPu", "t")?;
    if !words.is_empty() {
        return Ok(words);
    }
    Err(if call.args.is_empty() || call.args.iter().any(|arg| arg == "-p") && call.args.len() == 2 {
        Said::out("none: prio 0\n")
    } else {
        Said::nothing(0)
    })
}

/// coreutils 9.1.
pub(super) fn stdbuf(call: &Call<'_>) -> Result<Vec<String>, Said> {
    let words = command(call, "ioe", "")?;
    if words.is_empty() {
        return Err(refusal(call, "missing operand"));
    }
    Ok(words)
}

/// util-linux 2.38: the first operand is a mask, or the list of processors with `-c`.
pub(super) fn taskset(call: &Call<'_>) -> Result<Vec<String>, Said> {
    let words = command(call, "", "apchV")?;
    let of_process = call.args.iter().any(|arg| arg.starts_with('-') && arg.contains('p'));
    let rest = words.get(1..).unwrap_or_default();
    if words.is_empty() {
        return Err(usage::of("taskset", &[], false).unwrap_or_else(|| refusal(call, "bad usage")));
    }
    if of_process {
        return Err(priorities::affinity(call));
    }
    if rest.is_empty() {
        return Err(Said::err("taskset: bad usage\nTry 'taskset --help' for more information.\n", 1));
    }
    Ok(rest.to_vec())
}

/// coreutils 9.1; every other root than this one has no program in it.
pub(super) fn chroot(call: &Call<'_>) -> Result<Vec<String>, Said> {
    let words = command(call, "", "")?;
    let Some((root, rest)) = words.split_first() else { return Err(refusal(call, "missing operand")) };
    if !call.is_root() {
        let text = format!("chroot: cannot change root directory to '{root}': Operation not permitted\n");
        return Err(Said::err(text, 125));
    }
    let path = call.path(root);
    if !call.files().is_dir(&path) {
        let why = if call.files().exists(&path) { "Not a directory" } else { "No such file or directory" };
        return Err(Said::err(format!("chroot: cannot change root directory to '{root}': {why}\n"), 125));
    }
    if path != "/" {
        let program = rest.first().map_or("/bin/bash", String::as_str);
        let text =
            format!("chroot: failed to run command \u{2018}{program}\u{2019}: No such file or directory\n");
        return Err(Said::err(text, 127));
    }
    Ok(if rest.is_empty() { vec!["bash".to_owned()] } else { rest.to_vec() })
}
