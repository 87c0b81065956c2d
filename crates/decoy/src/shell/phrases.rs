//! What the library's programs say, in the words of GNU's.

use std::borrow::Cow;

use super::{builtins, commands, mawk, operators};

/// Programs of coreutils and findutils: they end a complaint with where there is help.
const HELPFUL: &[&str] = &[
    "basename", "comm", "cut", "date", "dirname", "du", "expand", "expr", "factor", "fmt", "fold", "head",
    "install", "join", "mkfifo", "mktemp", "nl", "numfmt", "paste", "printenv", "readlink", "realpath",
    "seq", "shuf", "sort", "split", "tac", "tr", "truncate", "tsort", "unexpand", "uniq", "xargs", "yes",
];

/// Complaints that end so.
const COMPLAINTS: &[&str] = &[
    "missing operand",
    "missing file operand",
    "missing destination file operand",
    "extra operand ",
    "invalid option -- ",
    "unrecognized option ",
    "option requires an argument -- ",
];

/// Complaints that name a word in the quotation marks of the locale.
const QUOTING: &[&str] = &[
    "invalid number of columns: '",
    "invalid body numbering style: '",
    "invalid input range: '",
    "multi-character tab '",
    "invalid argument '",
    "invalid number: '",
    "invalid mode '",
    "extra operand '",
    "missing operand after '",
    "invalid date '",
    "invalid time interval '",
    "invalid maximum depth '",
    "too few X's in template '",
    "via template '",
    "argument: '",
    "argument to -maxdepth, but got '",
    "argument to -mindepth, but got '",
];

/// A program with its arguments.
type Call = (String, Vec<String>);

/// The text as the real programs say it. `latest` are the programs that were started last, `cwd` is where they are.
pub(super) fn of_programs<'a>(text: Cow<'a, str>, latest: &[Call], cwd: &str) -> Cow<'a, str> {
    let known = |line: &str| {
        line.split_once(": ").is_some_and(|(name, _)| {
            HELPFUL.binary_search(&name).is_ok()
                || matches!(
                    name,
                    "cmp" | "awk" | "env" | "timeout" | "sed" | "grep" | "error" | "bash" | "-bash" | "Usage"
                )
        })
    };
    if !text.lines().any(known) {
        return text;
    }
    let text = mawk::reworded(text);
    let mut out = String::with_capacity(text.len() + 64);
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        let Some((name, said)) = body.split_once(": ").filter(|_| known(body)) else {
            out.push_str(line);
            continue;
        };
        let args =
            latest.iter().find(|(called, _)| called == name).map_or(&[] as &[String], |(_, args)| args);
        // The library's own words about options.
        if name == "error"
            && let Some(option) =
                said.strip_prefix("unexpected argument '").and_then(|rest| rest.split('\'').next())
        {
            while lines.next_if(|next| !next.starts_with("For more information, try")).is_some() {}
            lines.next();
            let refused = match option.strip_prefix("--") {
                Some(_) => format!("unrecognized option '{option}'"),
                None => format!("invalid option -- '{}'", option.trim_start_matches('-')),
            };
            out.push_str(&format!("cat: {refused}\nTry 'cat --help' for more information.\n"));
            continue;
        }
        if name == "grep" && said == format!("unrecognized option '{}'", operators::MATCHERS) {
            while lines.next_if(|next| next.starts_with("Usage: ") || next.starts_with("Try '")).is_some() {}
            out.push_str("grep: conflicting matchers specified\n");
            continue;
        }
        if said.ends_with("write error: Bad file descriptor") && matches!(name, "bash" | "-bash") {
            let writer = latest.first().map_or("", |(name, _)| name.trim_start_matches("busybox/"));
            let front = if builtins::is_one(writer) {
                body.trim_end_matches("write error: Bad file descriptor")
            } else {
                ""
            };
            out.push_str(&format!("{front}{writer}: write error: Bad file descriptor{end}"));
            continue;
        }
        if name == "Usage" && said.starts_with("sed [OPTION]") {
            while lines.next_if(|next| !next.starts_with("  --version")).is_some() {}
            lines.next();
            out.push_str(&commands::usage_of_sed());
            continue;
        }
        out.push_str(&phrase(name, said, args, cwd));
        out.push_str(end);
        let complains = COMPLAINTS.iter().any(|sign| said.starts_with(sign));
        let helped =
            lines.peek().is_some_and(|next| next.starts_with("Usage") || next.starts_with("BusyBox "))
                || lines.clone().any(|next| next.starts_with("Try '"));
        if complains && !helped && !end.is_empty() {
            if HELPFUL.binary_search(&name).is_ok() {
                out.push_str(&format!("Try '{name} --help' for more information.\n"));
            } else if name == "sed" {
                out.push_str(&commands::usage_of_sed());
            } else if name == "cmp" {
                out.push_str(&format!("{name}: Try '{name} --help' for more information.\n"));
            }
        }
    }
    Cow::Owned(out)
}

fn phrase(name: &str, said: &str, args: &[String], cwd: &str) -> String {
    let mut said = as_typed(said, args, cwd).into_owned();
    if QUOTING.iter().any(|sign| said.contains(sign)) || name == "env" && said.starts_with('\'') {
        said = curled(&said);
    }
    let missing = said.strip_suffix(": No such file or directory").map(str::to_owned);
    let folder = said.strip_suffix(": Is a directory").map(str::to_owned);
    let said = match (name, missing, folder) {
        ("sort", ..) if said.starts_with("invalid field specification '") => {
            let rest = said.trim_start_matches("invalid field specification '");
            let (key, what) = rest.split_once("': ").unwrap_or((rest, "stray character in field spec"));
            if what.starts_with("invalid number at") {
                format!("{what}: invalid count at start of \u{2018}{key}\u{2019}")
            } else {
                format!("{what}: invalid field specification \u{2018}{key}\u{2019}")
            }
        }
        _ if said.contains("io error: ") && said.ends_with(')') && said.contains(" (os error ") => {
            let said = said.replacen("io error: ", "", 1);
            let said = said.split(" (os error ").next().unwrap_or_default();
            match said.split_once('\'').and_then(|(front, rest)| Some((front, rest.split_once('\'')?))) {
                Some((front, (path, after))) if name == "install" => {
                    format!("{front}\u{2018}{path}\u{2019}{after}")
                }
                _ => said.to_owned(),
            }
        }
        ("bash" | "-bash", ..) => unprintable(&said),
        ("sort", Some(file), _) if !file.contains(": ") => {
            format!("cannot read: {file}: No such file or directory")
        }
        ("sort", _, Some(file)) if !file.contains(": ") => format!("read failed: {file}: Is a directory"),
        ("tac", Some(file), _) if !file.contains('\'') => {
            format!("failed to open '{file}' for reading: No such file or directory")
        }
        ("awk", Some(rest), _) => {
            match rest.strip_prefix("fatal: cannot open file `").and_then(|rest| rest.split('\'').next()) {
                Some(file) => format!("cannot open {file} (No such file or directory)"),
                None => said,
            }
        }
        ("date", Some(rest), _) if rest.starts_with("cannot stat '") => {
            let file = rest.trim_start_matches("cannot stat '").trim_end_matches('\'');
            format!("{file}: No such file or directory")
        }
        ("sed", ..) if said.contains("Bashkit") => {
            // What GNU's says where it may start nothing (`--sandbox`).
            let place = said.split(": ").next().unwrap_or_default();
            format!("{place}: e/r/w commands disabled in sandbox mode")
        }
        ("sed", ..) if said.contains(": unknown option to `s': `") => {
            said.split(": `").next().unwrap_or_default().to_owned()
        }
        ("sed", ..) if said.contains("invalid pattern: regex parse error") => {
            let place = said.split(": ").next().unwrap_or_default();
            let what = if said.contains("unclosed group") {
                "Unmatched ( or \\("
            } else if said.contains("unopened group") {
                "Unmatched ) or \\)"
            } else if said.contains("repetition") {
                "Invalid content of \\{\\}"
            } else if said.contains("unclosed character class") {
                "unterminated address regex"
            } else {
                "Invalid preceding regular expression"
            };
            format!("{place}: {what}")
        }
        ("factor", ..) if said.ends_with("is too large (bashkit factors up to 2^64-1)") => {
            said.replace(" (bashkit factors up to 2^64-1)", "")
        }
        ("cmp", ..) => said.replacen(" differ: char ", " differ: byte ", 1),
        ("seq", ..) if said == "zero increment" => {
            "invalid Zero increment value: \u{2018}0\u{2019}".to_owned()
        }
        ("tr", ..) if said == "missing operand after SET1" => {
            let first = args.iter().find(|arg| !arg.starts_with('-')).map_or("", String::as_str);
            format!(
                "missing operand after \u{2018}{first}\u{2019}\nTwo strings must be given when translating."
            )
        }
        _ => said,
    };
    format!("{name}: {said}")
}

/// What `printf` of bash says to a conversion that it does not have: it names the sign.
fn unprintable(said: &str) -> String {
    const LIBRARYS: &str = ": invalid conversion specification";
    let Some((front, format)) = said
        .strip_suffix(LIBRARYS)
        .and_then(|rest| rest.split_once("printf: %").map(|(front, format)| (front, format.to_owned())))
    else {
        return said.to_owned();
    };
    let sign = format.trim_start_matches(|c: char| c.is_ascii_digit() || "-+ #.*'lhLjt".contains(c));
    // Where the library stops reading a letter of its own, bash stops behind it.
    let sign = match sign.chars().next() {
        Some('z') => sign.chars().nth(1),
        first => first,
    };
    match sign {
        Some(sign) => format!("{front}printf: `{sign}': invalid format character"),
        None => said.to_owned(),
    }
}

/// A path that the library has made absolute, as it was typed.
fn as_typed<'a>(said: &'a str, args: &[String], cwd: &str) -> Cow<'a, str> {
    let front = format!("{}/", cwd.trim_end_matches('/'));
    let Some((path, rest)) = said.split_once(": ").filter(|(path, _)| path.starts_with('/')) else {
        return Cow::Borrowed(said);
    };
    match path.strip_prefix(&front).filter(|short| args.iter().any(|arg| arg == short)) {
        Some(short) => Cow::Owned(format!("{short}: {rest}")),
        None => Cow::Borrowed(said),
    }
}

/// The first word in single quotation marks in those of the locale.
fn curled(said: &str) -> String {
    let Some((before, rest)) = said.split_once(" '").map_or_else(
        || said.strip_prefix('\'').map(|rest| (String::new(), rest)),
        |(before, rest)| Some((format!("{before} "), rest)),
    ) else {
        return said.to_owned();
    };
    match rest.split_once('\'') {
        Some((word, after)) => format!("{before}\u{2018}{word}\u{2019}{after}"),
        None => said.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_those_of_gnu() {
        assert!(HELPFUL.is_sorted());
        let args = ["sort", "cut"].map(|name| (name.to_owned(), vec!["nosuch".to_owned()]));
        for (library, gnu) in [
            (
                "sort: /root/nosuch: No such file or directory\n",
                "sort: cannot read: nosuch: No such file or directory\n",
            ),
            ("cut: /root/nosuch: No such file or directory\n", "cut: nosuch: No such file or directory\n"),
            ("tr: missing operand\n", "tr: missing operand\nTry 'tr --help' for more information.\n"),
            (
                "seq: extra operand '4'\n",
                "seq: extra operand \u{2018}4\u{2019}\nTry 'seq --help' for more information.\n",
            ),
            (
                "awk: fatal: cannot open file `nosuch' for reading: No such file or directory\n",
                "awk: cannot open nosuch (No such file or directory)\n",
            ),
            ("date: invalid date 'x'\n", "date: invalid date \u{2018}x\u{2019}\n"),
            (
                "ls: cannot access 'x': No such file or directory\n",
                "ls: cannot access 'x': No such file or directory\n",
            ),
        ] {
            assert_eq!(of_programs(Cow::Borrowed(library), &args, "/root"), gnu);
        }
    }
}
