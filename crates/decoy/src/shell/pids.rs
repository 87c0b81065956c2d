//! `$$`: the library's shell is process 1, ours is the one that `ps` shows.

/// The text with the shell's number in place of each `$$` that is not quoted; `None` when there is none.
///
/// `$-` is what an interactive bash has. `last` is the process of the last job, which the library does not know either: it stands for `$!`.
pub(super) fn with_own(text: &str, pid: u32, last: Option<u32>, interactive: bool) -> Option<String> {
    let has_own =
        text.contains("$$") || interactive && text.contains("$-") || last.is_some() && text.contains("$!");
    if !has_own {
        return None;
    }
    let mut out = String::with_capacity(text.len() + 8);
    let (mut single, mut double) = (false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if !single => {
                out.push(c);
                out.extend(chars.next());
                continue;
            }
            '\'' if !double => single = !single,
            '"' if !single => double = !double,
            '$' if !single && chars.next_if_eq(&'$').is_some() => {
                out.push_str(&pid.to_string());
                continue;
            }
            '$' if !single && interactive && chars.next_if_eq(&'-').is_some() => {
                out.push_str("himBHs");
                continue;
            }
            '$' if !single
                && let Some(last) = last
                && chars.next_if_eq(&'!').is_some() =>
            {
                out.push_str(&last.to_string());
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    Some(out)
}

/// The signal by which `kill` with these arguments ends the shell itself: an interactive bash ignores all but two.
pub(super) fn ends_the_shell(args: &[String], pid: u32, interactive: bool) -> Option<u8> {
    // Process 0 is everybody in the shell's own group, -1 everybody at all: sshd's part of the session too.
    let own = |arg: &String| *arg == pid.to_string() || arg == "0" || arg == "-1";
    if !args.iter().skip(1).chain(args.first().filter(|arg| args.len() == 1 && *arg != "-1")).any(own) {
        return None;
    }
    let mut args = args.iter();
    let name = match args.next().map(String::as_str) {
        Some("-s" | "-n") => args.next()?.as_str(),
        Some(text) => text.strip_prefix('-').unwrap_or("TERM"),
        None => return None,
    };
    // signal(7): those that end a process.
    let signal = match name.strip_prefix("SIG").unwrap_or(name) {
        "HUP" | "1" => 1,
        "INT" | "2" => 2,
        "QUIT" | "3" => 3,
        "ABRT" | "6" => 6,
        "KILL" | "9" => 9,
        "USR1" | "10" => 10,
        "SEGV" | "11" => 11,
        "USR2" | "12" => 12,
        "PIPE" | "13" => 13,
        "ALRM" | "14" => 14,
        "TERM" | "15" | "-" => 15,
        _ => return None,
    };
    (!interactive || matches!(signal, 1 | 9)).then_some(signal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_shell_would_expand_is_replaced() {
        let own = "4711";
        for (text, want) in [
            ("echo $$", Some(format!("echo {own}"))),
            ("echo \"a$$\" '$$' \\$$", Some(format!("echo \"a{own}\" '$$' \\$$"))),
            ("echo $PATH", None),
            ("kill $!", Some("kill 12".to_owned())),
        ] {
            assert_eq!(with_own(text, 4711, Some(12), true), want, "{text}");
        }
    }

    #[test]
    fn a_shell_dies_by_its_own_hand() {
        let args = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (line, script, terminal) in [
            ("-9 4711", Some(9), Some(9)),
            ("-s HUP 4711", Some(1), Some(1)),
            ("-SIGTERM 4711", Some(15), None),
            ("4711", Some(15), None),
            ("-0 4711", None, None),
            ("-9 1", None, None),
            ("-9 0", Some(9), Some(9)),
            ("-9 -1", Some(9), Some(9)),
            ("-1", None, None),
        ] {
            assert_eq!(ends_the_shell(&args(line), 4711, false), script, "{line}");
            assert_eq!(ends_the_shell(&args(line), 4711, true), terminal, "{line}");
        }
    }
}
