//! Arguments of the library's programs that it would take otherwise than the real ones do.

/// Operators of `test` that look at a file.
const OF_FILES: &[&str] = &[
    "-b", "-c", "-d", "-e", "-f", "-g", "-G", "-h", "-k", "-L", "-N", "-O", "-p", "-r", "-s", "-S", "-u",
    "-w", "-x",
];

/// An option that the library's `grep` refuses, for one that takes two kinds of patterns.
pub(super) const MATCHERS: &str = "--conflicting-matchers";

/// A path that nothing can have.
const NOWHERE: &str = "/\u{1}/\u{1}";

/// The most signs that `[c*]` of `tr` is written out to.
const FILL: usize = 256;

/// Rewrites the arguments of a program before it starts.
pub(super) fn prepare(name: &str, args: &mut Vec<String>) {
    match name {
        "test" | "[" => name_nothing(args),
        "command" => part(args),
        "printenv" => args.retain(|arg| !is_null(arg)),
        "grep" | "egrep" | "fgrep" if has_two_matchers(name, args) => *args = vec![MATCHERS.to_owned()],
        "tr" => {
            if let Some(second) = args.last_mut() {
                *second = filled(second);
            }
        }
        _ => {}
    }
}

/// Whether an option asks for NUL instead of line ends.
pub(super) fn is_null(arg: &str) -> bool {
    matches!(arg, "-0" | "--null")
}

/// An empty name is no file; the library would look at the folder it is in.
fn name_nothing(args: &mut [String]) {
    for at in 1..args.len() {
        // Between two words `-a` is "and".
        let unary = at == 1 || args.get(at - 2).is_some_and(|before| before == "!");
        let follows = args
            .get(at - 1)
            .is_some_and(|before| OF_FILES.contains(&before.as_str()) || unary && before == "-a");
        if follows && let Some(arg) = args.get_mut(at).filter(|arg| arg.is_empty()) {
            NOWHERE.clone_into(arg);
        }
    }
}

/// GNU grep 3.8 takes one kind of pattern.
fn has_two_matchers(name: &str, args: &[String]) -> bool {
    let mut kind = match name {
        "egrep" => Some('E'),
        "fgrep" => Some('F'),
        _ => None,
    };
    let mut words = args.iter();
    while let Some(arg) = words.next().filter(|arg| *arg != "--") {
        let asked: Vec<char> = match arg.strip_prefix("--") {
            Some("extended-regexp") => vec!['E'],
            Some("fixed-strings") => vec!['F'],
            Some("basic-regexp") => vec!['G'],
            Some("perl-regexp") => vec!['P'],
            Some(_) => Vec::new(),
            None if arg.starts_with('-') => {
                let letters = arg.get(1..).unwrap_or_default();
                // What follows these letters is their value.
                let end = letters.find(|letter| "efmABCDdX".contains(letter));
                if end.is_some_and(|end| end + 1 == letters.len()) {
                    words.next();
                }
                letters.get(..end.unwrap_or(letters.len())).unwrap_or_default().chars().collect()
            }
            None => Vec::new(),
        };
        for letter in asked.into_iter().filter(|letter| "EFGP".contains(*letter)) {
            if kind.is_some_and(|kind| kind != letter) {
                return true;
            }
            kind = Some(letter);
        }
    }
    false
}

/// `command -pv` as the library reads it: one letter a word.
fn part(args: &mut Vec<String>) {
    let Some(letters) = args.first().and_then(|first| first.strip_prefix('-')) else { return };
    if letters.len() > 1 && letters.chars().all(|letter| "pvV".contains(letter)) {
        let words: Vec<String> =
            letters.chars().filter(|letter| *letter != 'p').map(|letter| format!("-{letter}")).collect();
        args.splice(0..1, words);
    }
}

/// A set of `tr` with `[c*]` and `[c*N]` written out.
fn filled(set: &str) -> String {
    let mut out = String::with_capacity(set.len());
    let mut rest = set;
    while let Some(at) = rest.find('[') {
        let (before, inner) = rest.split_at(at);
        out.push_str(before);
        let inner = inner.get(1..).unwrap_or_default();
        // One sign, perhaps written with a backslash.
        let mut signs = inner.chars();
        let sign = match signs.next() {
            Some('\\') => signs.next().map(|second| {
                let digits: String = signs.clone().take_while(char::is_ascii_digit).take(2).collect();
                let digits = if second.is_ascii_digit() { digits } else { String::new() };
                signs = signs.as_str().get(digits.len()..).unwrap_or_default().chars();
                format!("\\{second}{digits}")
            }),
            Some(':' | '=') | None => None,
            Some(first) => Some(first.to_string()),
        };
        let repeat = signs.as_str().strip_prefix('*').and_then(|rest| rest.split_once(']'));
        match (sign, repeat) {
            (Some(sign), Some((count, after))) if count.chars().all(|c| c.is_ascii_digit()) => {
                let radix = if count.starts_with('0') { 8 } else { 10 };
                let count = usize::from_str_radix(count, radix).unwrap_or(0);
                out.push_str(&sign.repeat(if count == 0 { FILL } else { count.min(FILL) }));
                rest = after;
            }
            _ => {
                out.push('[');
                rest = inner;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_name_is_no_file() {
        let prepared = |name: &str, args: &[&str]| {
            let mut args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
            prepare(name, &mut args);
            args.join(" ")
        };
        assert_eq!(prepared("[", &["-x", "", "]"]), format!("-x {NOWHERE} ]"));
        assert_eq!(prepared("[", &["", "=", "", "]"]), " =  ]");
        assert_eq!(prepared("command", &["-pv", "ls"]), "-v ls");
        assert_eq!(prepared("command", &["-p", "ls"]), "-p ls");
    }

    #[test]
    fn one_kind_of_pattern_is_taken() {
        let args = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (name, line, two) in [
            ("grep", "-E -E x", false),
            ("grep", "-iE x", false),
            ("egrep", "-F x", true),
            ("grep", "-e -F -E x", false),
            ("grep", "-F --extended-regexp x", true),
            ("grep", "x -- -E -F", false),
        ] {
            assert_eq!(has_two_matchers(name, &args(line)), two, "{name} {line}");
        }
    }

    #[test]
    fn sets_are_written_out() {
        assert_eq!(filled("[x*]").len(), FILL);
        for (set, whole) in
            [("[x*3]y", "xxxy"), ("[:alpha:]", "[:alpha:]"), ("a[b]", "a[b]"), ("[\\n*2]", "\\n\\n")]
        {
            assert_eq!(filled(set), whole, "{set}");
        }
    }
}
