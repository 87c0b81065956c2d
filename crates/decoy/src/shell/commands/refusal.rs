//! What mawk 1.3.4 says about programs it cannot read.

/// Functions of gawk that mawk does not have.
const GAWKS: &[&str] = &[
    "and", "asort", "asorti", "compl", "gensub", "isarray", "lshift", "or", "patsplit", "rshift", "strtonum",
    "typeof", "xor",
];

/// An awk program that says what mawk says about these arguments, if they are such that mawk would not begin.
///
/// Of programs, only what attackers' lines are full of is looked for: one cut off by a missing quote, and one that
/// another awk would understand.
pub(in crate::shell) fn awk(args: &[String], exists: &dyn Fn(&str) -> bool) -> Option<String> {
    let mut words = args.iter();
    let program = loop {
        let Some(word) = words.next() else { return Some(told("", USAGE, 0)) };
        match word.as_str() {
            "-F" | "-v" => drop(words.next()),
            "--" => break words.next()?.as_str(),
            "-f" => return None,
            "-W" if words.next().is_some_and(|word| word.starts_with("vers")) => return version(),
            "-Wv" | "-Wversion" => return version(),
            "-Wu" | "-Wusage" => return Some(told("", USAGE, 0)),
            option if option.starts_with("--") => {
                return complaint(&format!("awk: not an option: {option}"));
            }
            option if option.starts_with('-') && option.len() > 1 => {
                if !option.starts_with(['-']) || !"FvfWe".contains(option.chars().nth(1)?) {
                    return complaint(&format!("awk: not an option: {option}"));
                }
            }
            program => break program,
        }
    };
    let (mut depth, mut quoted, mut escaped, mut lines) = (0_i32, false, false, 1);
    let mut bare = String::with_capacity(program.len());
    for c in program.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '{' if !quoted => depth += 1,
            '}' if !quoted => depth -= 1,
            '\n' => lines += 1,
            _ => {}
        }
        bare.push(if quoted { ' ' } else { c });
    }
    if depth > 0 && !quoted {
        return complaint(&format!("awk: line {}: missing }} near end of file", lines + 1));
    }
    let called = |name: &&&str| {
        bare.match_indices(**name).any(|(at, _)| {
            let before = bare.get(..at).and_then(|text| text.chars().next_back());
            bare.get(at + name.len()..).is_some_and(|rest| rest.starts_with('('))
                && before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_' && c != '/')
        })
    };
    let defined = |name: &&&str| bare.contains(&format!("function {name}"));
    if let Some(name) = GAWKS.iter().find(|name| called(name) && !defined(name)) {
        return complaint(&format!("awk: line {}: function {name} never defined", lines + 1));
    }
    // A first file that is not there ends it before anything is read.
    let file = words.find(|word| !word.contains('='))?;
    (file != "-" && !bare.contains("BEGIN") && !exists(file))
        .then(|| complaint(&format!("awk: cannot open {file} (No such file or directory)")))?
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn complaint(text: &str) -> Option<String> {
    Some(format!("BEGIN {{ print \"{}\" > \"/dev/stderr\"; exit 2 }}", quoted(text)))
}

/// What mawk says when it is called without a program.
const USAGE: &str = include_str!("mawk_usage.txt");

/// A program that says this and ends.
fn told(out: &str, err: &str, status: i32) -> String {
    format!(
        "BEGIN {{ printf \"%s\", \"{}\"; printf \"%s\", \"{}\" > \"/dev/stderr\"; exit {status} }}",
        quoted(out),
        quoted(err),
    )
}

/// mawk of Debian 12.
fn version() -> Option<String> {
    let text = "mawk 1.3.4 20200120\nCopyright 2008-2019,2020, Thomas E. Dickey\nCopyright 1991-1996,2014, Michael D. Brennan\n\n";
    let limits = "random-funcs:       srandom/random\nregex-funcs:        internal\ncompiled limits:\nsprintf buffer      8192\nmaximum-integer     2147483647\n";
    Some(told(text, limits, 0))
}

#[cfg(test)]
mod tests {
    use super::awk;

    #[test]
    fn a_cut_program_is_refused() {
        let args = |text: &str| vec![text.to_owned()];
        assert!(awk(&args("{print"), &|_| true).is_some_and(|text| text.contains("line 2: missing }")));
        assert!(awk(&args("{print $1}"), &|_| true).is_none());
        assert!(awk(&args("BEGIN { print \"{\" }"), &|_| true).is_none());
        assert!(awk(&["-F".to_owned(), ":".to_owned(), "{".to_owned()], &|_| true).is_some());
    }
}
