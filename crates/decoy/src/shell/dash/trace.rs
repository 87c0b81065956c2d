//! What `sh -x` shows: dash writes the words as they are, bash writes them so that they could be typed again.

use std::borrow::Cow;

/// Lines of a trace as dash shows them.
pub(in crate::shell) fn trace(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.starts_with('+') && !text.contains("\n+") {
        return text;
    }
    let line = |line: &str| match line.trim_start_matches('+').strip_prefix(' ') {
        Some(words) if line.starts_with('+') => format!("+ {}", unquoted(words)),
        _ => line.to_owned(),
    };
    Cow::Owned(text.split_inclusive('\n').map(line).collect())
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
            ("a+ 'b'\n", "a+ 'b'\n"),
        ] {
            assert_eq!(trace(Cow::Borrowed(bash)), dash);
        }
    }
}
