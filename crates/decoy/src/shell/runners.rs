//! Programs that start others, and what each says when the other is not there.

use super::{commands, session::Session};

/// The program at work, if it starts others and the one it is given cannot be found.
pub(super) fn absent(session: &Session, name: &str, args: &[String]) -> Option<String> {
    let valued = match name {
        "xargs" => "adEILnPs",
        "timeout" => "ks",
        "nohup" | "setsid" => "",
        "nice" => "n",
        "sudo" => "ugpCDRTU",
        "flock" => "wE",
        _ => return None,
    };
    let mut words = args.iter();
    let mut skip = usize::from(matches!(name, "timeout" | "flock"));
    let command = loop {
        let word = words.next()?;
        match word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            // A script, which has words of its own.
            Some("c") if name == "flock" && skip == 0 => return None,
            Some(letters) if letters.starts_with('-') => {}
            Some(letters) => {
                if letters.len() == 1 && letters.chars().all(|letter| valued.contains(letter)) {
                    words.next();
                }
            }
            None if skip > 0 => skip -= 1,
            None => break word,
        }
    };
    is_absent(session, command).then(|| name.to_owned())
}

fn is_absent(session: &Session, command: &str) -> bool {
    !command.contains('/') && !commands::is_installed(session, command)
}

/// What the program says about a command that is not there, and its status then.
pub(super) fn words(runner: &str, command: &str) -> Option<(String, i32)> {
    let none = "No such file or directory";
    Some(match runner {
        "xargs" => (format!("xargs: {command}: {none}"), 127),
        "timeout" => (format!("timeout: failed to run command \u{2018}{command}\u{2019}: {none}"), 127),
        "nohup" => (format!("nohup: failed to run command '{command}': {none}"), 127),
        "nice" => (format!("nice: \u{2018}{command}\u{2019}: {none}"), 127),
        "setsid" => (format!("setsid: failed to execute {command}: {none}"), 127),
        "sudo" => (format!("sudo: {command}: command not found"), 1),
        "flock" => (format!("flock: failed to execute {command}: {none}"), 69),
        _ => return None,
    })
}
