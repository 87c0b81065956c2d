//! `$$`: the library's shell is process 1, ours is the one that `ps` shows.

/// The text with the shell's number in place of each `$$` that is not quoted; `None` when there is none.
pub(super) fn with_own(text: &str, pid: u32) -> Option<String> {
    if !text.contains("$$") {
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
            _ => {}
        }
        out.push(c);
    }
    Some(out)
}

/// Whether `kill` with these arguments ends the shell itself: an interactive bash ignores everything milder.
pub(super) fn ends_the_shell(args: &[String], pid: u32) -> bool {
    let own = pid.to_string();
    let deadly = args
        .windows(2)
        .any(|two| matches!(two, [s, name] if s == "-s" && matches!(name.as_str(), "KILL" | "9" | "HUP")))
        || args
            .iter()
            .any(|arg| matches!(arg.as_str(), "-9" | "-KILL" | "-SIGKILL" | "-1" | "-HUP" | "-SIGHUP"));
    deadly && args.contains(&own)
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
        ] {
            assert_eq!(with_own(text, 4711), want, "{text}");
        }
    }

    #[test]
    fn a_shell_dies_by_its_own_hand() {
        let args = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(ends_the_shell(&args("-9 4711"), 4711));
        assert!(!ends_the_shell(&args("4711"), 4711));
        assert!(!ends_the_shell(&args("-9 1"), 4711));
    }
}
