//! What `sh -x` shows: dash writes the words as they are, bash writes them so that they could be typed again.

use std::borrow::Cow;

/// Lines of a trace as dash shows them.
pub(in crate::shell) fn trace(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.starts_with('+') && !text.contains("\n+") {
        return text;
    }
    let line = |line: &str| match line.trim_start_matches('+').strip_prefix(' ') {
        Some(words) if line.starts_with('+') => format!("+ {}", as_written(&unquoted(words))?).into(),
        _ => Some(line.to_owned()),
    };
    Cow::Owned(text.split_inclusive('\n').filter_map(line).collect())
}

/// A command that stands in for one of dash's, as the script has it; `None` when it calls another that is shown too.
fn as_written(words: &str) -> Option<String> {
    let rest = words.strip_prefix("\\002").or_else(|| words.strip_prefix('\u{2}'));
    match rest {
        None => Some(words.to_owned()),
        Some(rest) if rest.starts_with("echo") => Some(rest.to_owned()),
        Some(rest) => rest.strip_prefix("none ")?.split_once(' ').map(|(_, words)| words.to_owned()),
    }
}

/// Words without the quotation marks that bash puts around them.
fn unquoted(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    let mut signs = words.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => out.extend(signs.next()),
            '$' if signs.peek() == Some(&'\'') => {}
            '\'' => out.extend(signs.by_ref().take_while(|sign| *sign != '\'')),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dash_quotes_nothing() {
        for (bash, dash) in [
            ("+ echo 'a b' c\n", "+ echo a b c\n"),
            ("++ '[' -f /x ']'\n", "+ [ -f /x ]\n"),
            ("+ echo 'it'\\''s'\n", "+ echo it's\n"),
            ("+ $'\\002echo' 'a b'\n", "+ echo a b\n"),
            ("+ '\u{2}[' 1 -f x ']'\n+ '[' -f x ']'\n", "+ [ -f x ]\n"),
            ("a+ 'b'\n", "a+ 'b'\n"),
        ] {
            assert_eq!(trace(Cow::Borrowed(bash)), dash);
        }
    }
}
