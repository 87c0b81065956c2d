//! Patterns of `find`: those of names (fnmatch(3)) and the dialects of `-regextype`, as the regex library reads them.

use regex::{Regex, RegexBuilder};

/// The most memory that one pattern may take.
const MOST: usize = 1 << 20;

/// The names that `-regextype` takes (findutils 4.9).
pub(super) const DIALECTS: [&str; 13] = [
    "findutils-default",
    "ed",
    "emacs",
    "gnu-awk",
    "grep",
    "posix-awk",
    "awk",
    "posix-basic",
    "posix-egrep",
    "egrep",
    "posix-extended",
    "posix-minimal-basic",
    "sed",
];

/// How the signs of a dialect are written.
#[derive(Clone, Copy, PartialEq)]
enum Syntax {
    /// `\(`, `\|`, and `+` and `?` as they are.
    Emacs,
    /// `\(`, `\{`, `\+`, `\|`.
    Basic,
    /// `(`, `{`, `+`, `|`.
    Extended,
}

fn syntax(dialect: &str) -> Syntax {
    match dialect {
        "findutils-default" | "emacs" => Syntax::Emacs,
        "ed" | "grep" | "posix-basic" | "posix-minimal-basic" | "sed" => Syntax::Basic,
        _ => Syntax::Extended,
    }
}

fn build(text: &str, fold: bool) -> Option<Regex> {
    let whole = format!("^(?:{text})$");
    let mut builder = RegexBuilder::new(&whole);
    builder.case_insensitive(fold).dot_matches_new_line(true).size_limit(MOST).nest_limit(64);
    builder.build().ok()
}

/// A pattern of a shell; one that cannot be read matches itself.
pub(super) fn glob(pattern: &str, fold: bool) -> Option<Regex> {
    let mut text = String::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' => text.push_str(".*"),
            '?' => text.push('.'),
            '\\' => text += &regex::escape(&rest.next().map_or("\\".to_owned(), String::from)),
            '[' => match bracket(rest.as_str(), true) {
                Some((set, taken)) => {
                    text += &set;
                    rest = rest.as_str().get(taken..).unwrap_or_default().chars();
                }
                None => text.push_str("\\["),
            },
            c => text += &regex::escape(c.encode_utf8(&mut [0; 4])),
        }
    }
    build(&text, fold)
}

/// What follows a `[`, and how long it is; `None` when nothing closes it.
fn bracket(rest: &str, escapes: bool) -> Option<(String, usize)> {
    let mut set = "[".to_owned();
    let mut at = 0;
    if rest.starts_with('^') || escapes && rest.starts_with('!') {
        set.push('^');
        at = 1;
    }
    let begin = at;
    loop {
        let here = rest.get(at..)?;
        let c = here.chars().next()?;
        if c == ']' && at > begin {
            set.push(']');
            return Some((set, at + 1));
        }
        if let Some(class) =
            here.strip_prefix("[:").and_then(|class| class.split_once(":]")).map(|(name, _)| name)
            && class.chars().all(|c| c.is_ascii_lowercase())
        {
            set += &format!("[:{class}:]");
            at += class.len() + 4;
            continue;
        }
        if c == '\\' && escapes {
            let next = here.chars().nth(1)?;
            set += &format!("\\{next}");
            at += 1 + next.len_utf8();
            continue;
        }
        // A line in the middle is a range, at an edge a line.
        let edge = at == begin || here.get(1..).is_some_and(|next| next.starts_with(']'));
        if matches!(c, '[' | ']' | '\\' | '^' | '&' | '~') || c == '-' && edge {
            set.push('\\');
        }
        set.push(c);
        at += c.len_utf8();
    }
}

/// A pattern of `-regex`, which is for the whole path, or why it is none.
pub(super) fn expression(pattern: &str, dialect: &str, fold: bool) -> Result<Regex, &'static str> {
    let kind = syntax(dialect);
    let mut text = String::new();
    let mut rest = pattern;
    let (mut open, mut begins) = (0_u32, true);
    while let Some(c) = rest.chars().next() {
        let next = rest.get(c.len_utf8()..).and_then(|rest| rest.chars().next());
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        let (sign, escaped) = match (c, next) {
            ('\\', None) => return Err("Trailing backslash"),
            ('\\', Some(sign)) => {
                rest = rest.get(sign.len_utf8()..).unwrap_or_default();
                (sign, true)
            }
            (sign, _) => (sign, false),
        };
        let special = match (kind, sign) {
            (Syntax::Extended, '(' | ')' | '|' | '{' | '}' | '+' | '?') => !escaped,
            (Syntax::Basic, '(' | ')' | '|' | '{' | '}' | '+' | '?') => escaped,
            (Syntax::Emacs, '+' | '?') => !escaped,
            (Syntax::Emacs, '(' | ')' | '|') => escaped,
            (_, '*' | '.' | '[' | '^' | '$') => !escaped,
            (_, 'w' | 'W' | 's' | 'S' | 'b' | 'B' | '<' | '>' | '`' | '\'') => escaped,
            _ => false,
        };
        let repeats = matches!(sign, '*' | '+' | '?' | '{');
        if special && repeats && begins {
            if kind == Syntax::Extended && sign != '{' {
                continue;
            }
            text += &regex::escape(sign.encode_utf8(&mut [0; 4]));
            begins = false;
            continue;
        }
        begins = special && matches!(sign, '(' | '|' | '^');
        match sign {
            _ if !special => text += &regex::escape(sign.encode_utf8(&mut [0; 4])),
            '[' => {
                let (set, taken) = bracket(rest, false).ok_or("Invalid regular expression")?;
                text += &set;
                rest = rest.get(taken..).unwrap_or_default();
            }
            '(' => {
                open += 1;
                text.push('(');
            }
            ')' => {
                open = open.checked_sub(1).ok_or("Unmatched ) or \\)")?;
                text.push(')');
            }
            'w' | 'W' | 's' | 'S' | 'b' | 'B' => {
                text.push('\\');
                text.push(sign);
            }
            '<' => text.push_str("\\b{start}"),
            '>' => text.push_str("\\b{end}"),
            '`' => text.push_str("\\A"),
            '\'' => text.push_str("\\z"),
            sign => text.push(sign),
        }
    }
    if open > 0 {
        return Err("Unmatched ( or \\(");
    }
    build(&text, fold).ok_or("Invalid preceding regular expression")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_names() {
        for (pattern, name, fits) in [
            ("*.c", "a.c", true),
            ("*.c", "a.cc", false),
            ("a?[0-9]", "ab7", true),
            ("[!a]*", "abc", false),
            ("[]x]", "]", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("[[:upper:]]*", "Xa", true),
            ("[a", "[a", true),
            ("*", "a\nb", true),
            ("a+b", "a+b", true),
        ] {
            assert_eq!(glob(pattern, false).unwrap().is_match(name), fits, "{pattern} {name}");
        }
        assert!(glob("ABC*", true).unwrap().is_match("abcd"));
    }

    #[test]
    fn dialects_of_expressions() {
        let fits = |pattern: &str, dialect: &str, text: &str| {
            expression(pattern, dialect, false).unwrap().is_match(text)
        };
        assert!(fits(".*/f[0-9]+", "emacs", "./f12"));
        assert!(fits(".*/\\(f\\|g\\)1", "emacs", "./g1"));
        assert!(fits(".*/f[0-9]\\{2\\}", "posix-basic", "./f12"));
        assert!(fits(".*/(f|g){2}", "posix-extended", "./fg"));
        assert!(!fits(".*/(f|g)", "posix-basic", "./f"));
        assert_eq!(expression("[", "emacs", false).unwrap_err(), "Invalid regular expression");
        assert_eq!(expression("\\(", "emacs", false).unwrap_err(), "Unmatched ( or \\(");
    }
}
