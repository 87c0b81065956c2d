//! Names in error messages, as GNU's quotearg writes them.

/// `'name'`: the style of `rm`, `cp` and most of coreutils ("shell-escape-always").
pub(super) fn quoted(name: &str) -> String {
    let is_odd = |c: char| c.is_control();
    if !name.chars().any(is_odd) {
        if !name.contains('\'') {
            return format!("'{name}'");
        }
        if !name.contains(['"', '$', '`', '\\', '!']) {
            return format!("\"{name}\"");
        }
        return format!("'{}'", name.replace('\'', "'\\''"));
    }
    // Runs of odd characters stand in $'…' of their own.
    let mut text = String::from("'");
    let mut inside = false;
    for c in name.chars() {
        if is_odd(c) {
            if !inside {
                text.push_str("'$'");
                inside = true;
            }
            match c {
                '\n' => text.push_str("\\n"),
                '\t' => text.push_str("\\t"),
                '\r' => text.push_str("\\r"),
                '\u{7}' => text.push_str("\\a"),
                '\u{8}' => text.push_str("\\b"),
                '\u{b}' => text.push_str("\\v"),
                '\u{c}' => text.push_str("\\f"),
                c => text.push_str(&format!("\\{:03o}", u32::from(c))),
            }
        } else {
            if inside {
                text.push_str("''");
                inside = false;
            }
            if c == '\'' { text.push_str("'\\''") } else { text.push(c) }
        }
    }
    text.push('\'');
    text
}

/// `‘name’`: the style of `quote()` in a UTF-8 locale.
pub(super) fn curled(name: &str) -> String {
    format!("\u{2018}{}\u{2019}", name.replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn names_are_quoted_as_coreutils_does() {
        for (name, shown) in [
            ("x", "'x'"),
            ("a b", "'a b'"),
            ("a'b", "\"a'b\""),
            ("a\nb", "'a'$'\\n''b'"),
            ("$a'b", "'$a'\\''b'"),
            ("*", "'*'"),
        ] {
            assert_eq!(quoted(name), shown);
        }
    }
}
