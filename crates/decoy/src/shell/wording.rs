//! The words of bash and dash, where the library has its own.

use std::borrow::Cow;

use bashkit::Error;

use super::{commands::connections, dash::phrase};

/// `bash --version` of Debian 12.
pub(super) const BASH_VERSION: &str = "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)
Copyright (C) 2022 Free Software Foundation, Inc.
License GPLv3+: GNU GPL version 3 or later <http://gnu.org/licenses/gpl.html>

This is free software; you are free to change and redistribute it.
There is NO WARRANTY, to the extent permitted by law.
";

/// `bash --help` of Debian 12.
pub(super) const BASH_HELP: &str = "GNU bash, version 5.2.15(1)-release-(x86_64-pc-linux-gnu)
Usage:\tbash [GNU long option] [option] ...
\tbash [GNU long option] [option] script-file ...
GNU long options:
\t--debug
\t--debugger
\t--dump-po-strings
\t--dump-strings
\t--help
\t--init-file
\t--login
\t--noediting
\t--noprofile
\t--norc
\t--posix
\t--pretty-print
\t--rcfile
\t--restricted
\t--verbose
\t--version
Shell options:
\t-ilrsD or -c command or -O shopt_option\t\t(invocation only)
\t-abefhkmnptuvxBCEHPT or -o option
Type `bash -c \"help set\"' for more information about shell options.
Type `bash -c help' for more information about shell builtin commands.
Use the `bashbug' command to report bugs.

bash home page: <http://www.gnu.org/software/bash>
General help using GNU software: <http://www.gnu.org/gethelp/>
";

/// What bash says about text that it cannot parse. `who` is its name, `line` is known to an interactive shell alone.
pub(super) fn syntax_error(error: &Error, who: &str, text: &str) -> String {
    let Error::Parse { message, line, .. } = error else { return String::new() };
    let line = (*line).max(1);
    let last = text.lines().count().max(1);
    let near = |token: &str, line: usize| {
        let source = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        format!(
            "{who}: line {line}: syntax error near unexpected token `{token}'\n{who}: line {line}: `{source}'\n"
        )
    };
    let missing = |sign: char, line: usize| {
        format!("{who}: line {line}: unexpected EOF while looking for matching `{sign}'\n")
    };
    match message.strip_prefix("syntax error: ").unwrap_or(message) {
        "expected word" | "expected delimiter after <<" | "coproc: missing command" => {
            let source = text.lines().nth(line - 1).unwrap_or_default();
            near(&after_redirection(source), line)
        }
        "unterminated command substitution" => missing(')', last + 1),
        "unterminated backtick substitution" => missing('`', last),
        "unexpected end of input in arithmetic command" => missing(')', last),
        "conditional binary operator expected" => {
            format!("{who}: line {line}: conditional binary operator expected\n")
        }
        "unexpected end of input in [[ ]]" => {
            format!("{who}: line {last}: unexpected token `newline', conditional binary operator expected\n")
        }
        message if message.starts_with("expected ") && !message.contains('\n') => near("newline", line),
        _ => error.syntax_report(who, text).unwrap_or_default(),
    }
}

/// The word that stands where the name of a file should: `newline` at the end.
fn after_redirection(source: &str) -> String {
    let mut rest = source;
    while let Some(at) = rest.find(['<', '>']) {
        rest = rest.get(at..).unwrap_or_default().trim_start_matches(['<', '>', '|', '&', '-']).trim_start();
        let Some(first) = rest.chars().next() else { break };
        if matches!(first, ';' | '|' | '&' | '(' | ')' | '<' | '>') {
            return rest.chars().take_while(|c| *c == first).take(2).collect();
        }
    }
    "newline".to_owned()
}

/// What bash says about text that ends where a command should follow, which the library takes as it is.
pub(super) fn early_end(text: &str, who: &str) -> Option<String> {
    if let Some(line) = open_brace(text) {
        return Some(format!("{who}: line {line}: unexpected EOF while looking for matching `}}'\n"));
    }
    let trimmed = text.trim_end();
    (trimmed.ends_with("&&") || trimmed.ends_with("||"))
        .then(|| format!("{who}: line {}: syntax error: unexpected end of file\n", text.lines().count() + 1))
}

/// The line of a `${` that nothing closes.
pub(super) fn open_brace(text: &str) -> Option<usize> {
    if !text.contains("${") || text.contains("<<") {
        return None;
    }
    let (mut open, mut doubled, mut line) = (Vec::new(), false, 1);
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => drop(signs.next()),
            '\n' => line += 1,
            '"' => doubled = !doubled,
            '\'' if !doubled => while signs.next().is_some_and(|sign| sign != '\'') {},
            '#' if open.is_empty() && !doubled => while signs.next_if(|sign| *sign != '\n').is_some() {},
            '$' if signs.next_if_eq(&'{').is_some() => open.push(line),
            '$' => drop(signs.next_if_eq(&'#')),
            '}' => drop(open.pop()),
            _ => {}
        }
    }
    open.first().copied()
}

/// Rewords what the library writes to standard error. `top` is what the shell's own errors begin with.
/// `dash_line` is where an inner dash on a terminal is; `script` is what dash runs.
pub(super) fn reword<'a>(
    text: &'a str,
    top: &str,
    dash_line: Option<u32>,
    is_dash: &dyn Fn(&str) -> bool,
    script: &str,
) -> Cow<'a, str> {
    let strange = [
        "command not found. ",
        "missing ]",
        "unavailable",
        "cannot copy '",
        "you must specify a list of fields",
        ": current: no such job",
        " limit",
        " exceeded",
        "\\002",
        "unexpected argument",
        "os error",
        "/dev/tcp/",
        "/dev/udp/",
    ]
    .iter()
    .any(|sign| text.contains(sign));
    let dash = text.split(": ").next().is_some_and(is_dash);
    if !strange && !dash {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 32);
    for line in text.split_inclusive('\n') {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        let body: Cow<'_, str> = match body {
            _ if is_of_the_library(body) => continue,
            _ if let Some(told) = connections::told(body) => told.into(),
            "missing ]" => format!("{top}[: missing `]'").into(),
            "user\tunavailable" => "user\t0m0.000s".into(),
            "sys\tunavailable" => "sys\t0m0.000s".into(),
            "cut: you must specify a list of fields" => {
                "cut: you must specify a list of bytes, characters, or fields\nTry 'cut --help' for more information."
                    .into()
            }
            _ if body.starts_with("cp: cannot copy '") && body.ends_with(": No such file or directory") => {
                body.replacen("cannot copy", "cannot stat", 1).into()
            }
            _ if body.ends_with(": current: no such job") && top.contains(": line ") => {
                body.replacen("current: no such job", "no job control", 1).into()
            }
            _ if body.contains("Resource temporarily unavailable (") => {
                body.split(" (").next().unwrap_or(body).into()
            }
            _ => match phrase(without_advice(body), dash_line, is_dash, script) {
                Some(None) => continue,
                Some(Some(reworded)) => reworded.into(),
                None => without_advice(body).into(),
            },
        };
        out.push_str(&body);
        out.push_str(end);
    }
    Cow::Owned(out)
}

/// A folder that is there and cannot be walked through.
pub(super) fn kept_out(text: &str, to: &str) -> String {
    let front = format!("cd: {to}: ");
    text.replace(&format!("{front}No such file or directory\n"), &format!("{front}Permission denied\n"))
}

/// Whether the library speaks of its own bounds, which no program of Debian has: better nothing than that.
fn is_of_the_library(line: &str) -> bool {
    let ends = ["exceeded; output truncated", "find: output size limit exceeded", "nesting depth exceeded"];
    ends.iter().any(|end| line.ends_with(end))
        || super::lasting::is_looking(line)
        || line.starts_with("awk: fatal: ") && line.contains(" iteration limit (")
        || line.contains(": printf: format ") && line.contains(" exceeds limit ")
        || line.starts_with("printf: format ") && line.contains(" exceeds limit ")
}

/// What follows "command not found" is the library's.
fn without_advice(line: &str) -> &str {
    const SAID: &str = ": command not found";
    match line.find(": command not found. ") {
        Some(at) => line.get(..at + SAID.len()).unwrap_or(line),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dash_has_its_own_words() {
        let is_dash = |name: &str| name.trim_end_matches(": -c") == "sh";
        for (bash, dash) in [
            ("sh: line 3: cd: /x: No such file or directory\n", "sh: 3: cd: can't cd to /x\n"),
            (
                "sh: -c: line 1: syntax error near unexpected token `)'\nsh: -c: line 1: `echo )'\n",
                "sh: 1: Syntax error: \")\" unexpected\n",
            ),
            ("sh: line 1: x: unbound variable\n", "sh: 1: x: parameter not set\n"),
            ("bash: line 1: x: unbound variable\n", "bash: line 1: x: unbound variable\n"),
            ("missing ]\n", "bash: line 1: [: missing `]'\n"),
            ("seq: line limit (100000) exceeded; output truncated\n", ""),
            ("awk: fatal: loop iteration limit (10000) exceeded\nx\n", "x\n"),
            ("ls: cannot access 'sh: line 1': x\n", "ls: cannot access 'sh: line 1': x\n"),
        ] {
            assert_eq!(reword(bash, "bash: line 1: ", None, &is_dash, ""), dash);
        }
    }

    #[test]
    fn an_open_brace_is_found() {
        for (text, line) in [
            ("echo ${", Some(1)),
            ("a\necho ${x", Some(2)),
            ("echo ${x} '${'", None),
            ("echo \"${x:-it's}\"", None),
            ("f() { echo ${#a}; }", None),
        ] {
            assert_eq!(open_brace(text), line, "{text}");
        }
    }

    #[test]
    fn the_token_behind_a_redirection_is_named() {
        for (source, token) in
            [("echo >", "newline"), ("a > > b", ">"), ("a < ;b", ";"), (">", "newline"), ("a >;; b", ";;")]
        {
            assert_eq!(after_redirection(source), token, "{source}");
        }
    }
}
