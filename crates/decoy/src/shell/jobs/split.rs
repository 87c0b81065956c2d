//! Cuts a typed line at the signs that put something into the background.

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::shell) struct Part {
    /// Its commands, without the sign.
    pub(in crate::shell) text: String,
    /// It goes into the background.
    pub(in crate::shell) background: bool,
}

/// One sign of the top level, by where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Background,
    End,
    Pipe,
}

/// The parts of a line; `None` when nothing of it goes into the background, or it is too strange to tell.
pub(in crate::shell) fn parts(line: &str) -> Option<Vec<Part>> {
    if !line.contains('&') || line.contains("<<") {
        return None;
    }
    let signs = signs(line)?;
    if !signs.iter().any(|(_, sign)| *sign == Sign::Background) {
        return None;
    }
    let (mut parts, mut from, mut begun): (Vec<Part>, usize, usize) = (Vec::new(), 0, 0);
    let mut push = |text: &str, background: bool| {
        let text = text.trim();
        if !text.is_empty() {
            parts.push(Part { text: text.to_owned(), background });
        }
    };
    for (at, sign) in signs {
        match sign {
            Sign::Pipe => {}
            Sign::End => begun = at + 1,
            Sign::Background => {
                push(line.get(from..begun)?.trim_end_matches([';', '\n', ' ']), false);
                push(line.get(begun..at)?, true);
                from = at + 1;
                begun = from;
            }
        }
    }
    push(line.get(from..)?, false);
    Some(parts)
}

/// Whether something inside a part goes into the background by itself; rather too often than too rarely.
pub(in crate::shell) fn is_nested(part: &str) -> bool {
    let harmless = ["&&", ">&", "<&", "&>", "|&"];
    harmless.iter().fold(part.to_owned(), |text, sign| text.replace(sign, "")).contains('&')
}

/// The first pipeline of a line: what ^Z stops.
pub(in crate::shell) fn first_pipeline(line: &str) -> &str {
    let end = signs(line).and_then(|signs| signs.into_iter().find(|(_, sign)| *sign != Sign::Pipe));
    end.and_then(|(at, _)| line.get(..at)).unwrap_or(line).trim()
}

/// Where commands of the top level end; `None` when a construct is not closed.
fn signs(line: &str) -> Option<Vec<(usize, Sign)>> {
    let mut signs = Vec::new();
    let (mut depth, mut parens, mut word, mut first) = (0_i32, 0_i32, String::new(), true);
    let mut chars = line.char_indices().peekable();
    let mut previous = ' ';
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, c)| *c);
        let ends_word = matches!(c, ' ' | '\t' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>');
        if ends_word && !word.is_empty() {
            if first {
                match word.as_str() {
                    "if" | "while" | "until" | "for" | "case" | "select" | "{" => depth += 1,
                    "fi" | "done" | "esac" | "}" => depth -= 1,
                    _ => {}
                }
            }
            let opens = matches!(
                word.as_str(),
                "then" | "do" | "else" | "elif" | "if" | "while" | "until" | "{" | "!"
            );
            first = first && opens;
            word.clear();
        }
        match c {
            '\\' => {
                chars.next();
                word.push('x');
            }
            '\'' => {
                word.push('\'');
                while chars.next().map(|(_, c)| c)? != '\'' {}
            }
            '"' => {
                word.push('"');
                loop {
                    match chars.next().map(|(_, c)| c)? {
                        '"' => break,
                        '\\' => drop(chars.next()),
                        _ => {}
                    }
                }
            }
            '`' => while chars.next().map(|(_, c)| c)? != '`' {},
            '#' if word.is_empty() && matches!(previous, ' ' | '\t' | '\n' | ';' | '&' | '|') => {
                while chars.next_if(|(_, c)| *c != '\n').is_some() {}
            }
            '(' => {
                parens += 1;
                first = true;
            }
            ')' => {
                parens -= 1;
                first = false;
            }
            '&' if next == Some('&') => {
                chars.next();
                first = true;
            }
            '|' if next == Some('|') => {
                chars.next();
                first = true;
            }
            '&' if matches!(previous, '>' | '<') || next == Some('>') => {}
            ';' | '\n' | '&' | '|' => {
                first = true;
                if depth == 0 && parens == 0 && !(c == '&' && previous == '|') {
                    let sign = match c {
                        '&' => Sign::Background,
                        '|' => Sign::Pipe,
                        _ => Sign::End,
                    };
                    signs.push((at, sign));
                }
            }
            _ if ends_word => {}
            c => word.push(c),
        }
        previous = c;
    }
    if first && matches!(word.as_str(), "fi" | "done" | "esac" | "}") {
        depth -= 1;
    }
    (depth == 0 && parens == 0).then_some(signs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_the_sign() {
        let cut = |line: &str| {
            parts(line).map(|parts| {
                let shown = |part: &Part| format!("{}{}", part.text, if part.background { " &" } else { "" });
                parts.iter().map(shown).collect::<Vec<_>>().join(" | ")
            })
        };
        for (line, want) in [
            ("sleep 1 &", Some("sleep 1 &")),
            ("cd /tmp; ./x & ls", Some("cd /tmp | ./x & | ls")),
            ("a && b & c", Some("a && b & | c")),
            ("a & b &", Some("a & | b &")),
            ("for i in 1; do x; done &", Some("for i in 1; do x; done &")),
            ("{ a; b; } & c", Some("{ a; b; } & | c")),
            ("ls 2>&1 | cat", None),
            ("ls &> x", None),
            ("a && b", None),
            ("echo 'a & b'", None),
            ("for i in 1; do x & done", None),
            ("(a &)", None),
            ("nohup ./x >/dev/null 2>&1 &", Some("nohup ./x >/dev/null 2>&1 &")),
            ("echo \"a & b\" # & c", None),
        ] {
            assert_eq!(cut(line).as_deref(), want, "{line}");
        }
        assert!(is_nested("(a & b)") && !is_nested("a && b 2>&1 &>/dev/null"));
        assert_eq!(first_pipeline("sleep 9 | cat; ls"), "sleep 9 | cat");
    }
}
