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
            text.push_str(&control(c));
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

/// What stands for a sign that cannot be printed, as in C.
fn control(c: char) -> String {
    let letter = match c {
        '\n' => 'n',
        '\t' => 't',
        '\r' => 'r',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        c => return format!("\\{:03o}", u32::from(c)),
    };
    format!("\\{letter}")
}

/// What a letter behind a backslash stands for, as in C; the other way round than `control`.
pub(super) fn control_of(letter: u8) -> Option<u8> {
    Some(match letter {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        _ => return None,
    })
}

/// `‘name’`: the style of `quote()` in a UTF-8 locale.
pub(super) fn curled(name: &str) -> String {
    format!("\u{2018}{}\u{2019}", name.replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r"))
}

/// How `ls` may write names (quotearg's styles).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Style {
    Literal,
    /// In single quotation marks where a shell needs them; `true`: always.
    Shell(bool),
    /// The same, with `$'…'` for what cannot be printed.
    ShellEscape(bool),
    /// In double quotation marks; `true`: only where something is escaped.
    C(bool),
    /// Backslashes and no quotation marks.
    Escape,
    /// In the quotation marks of the locale.
    Locale,
}

impl Style {
    pub(super) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "literal" => Self::Literal,
            "shell" => Self::Shell(false),
            "shell-always" => Self::Shell(true),
            "shell-escape" => Self::ShellEscape(false),
            "shell-escape-always" => Self::ShellEscape(true),
            "c" => Self::C(false),
            "c-maybe" => Self::C(true),
            "escape" => Self::Escape,
            "locale" | "clocale" => Self::Locale,
            _ => return None,
        })
    }

    /// The name in this style.
    pub(super) fn write(self, name: &str) -> String {
        match self {
            Self::Literal => name.to_owned(),
            Self::Shell(always) | Self::ShellEscape(always) if !always && !needs_quotes(name) => {
                name.to_owned()
            }
            Self::Shell(_) => quoted(&name.replace(|c: char| c.is_control(), "?")),
            Self::ShellEscape(_) => quoted(name),
            Self::C(maybe) => {
                let inner = escaped(name, "\"");
                if maybe && inner == name { inner } else { format!("\"{inner}\"") }
            }
            Self::Escape => escaped(name, " "),
            Self::Locale => format!("\u{2018}{}\u{2019}", escaped(name, "\u{2019}")),
        }
    }
}

/// Whether a shell would read something else.
fn needs_quotes(name: &str) -> bool {
    name.is_empty()
        || matches!(name, "{" | "}")
        || name.starts_with(['#', '~'])
        || name.chars().any(|c| c.is_control() || " !\"$&'()*;<=>?[\\^`|".contains(c))
}

fn escaped(name: &str, also: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            c if c.is_control() => text.push_str(&control(c)),
            c if also.contains(c) => {
                text.push('\\');
                text.push(c);
            }
            c => text.push(c),
        }
    }
    text
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
