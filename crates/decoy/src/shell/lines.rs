//! Whether what is typed is a whole command yet.

/// An open quote, a here-document, a compound command without its end, a trailing backslash, pipe or `&&`.
pub(super) fn is_unfinished(typed: &str) -> bool {
    scan(typed).is_some_and(|open| open) || super::wording::open_brace(typed).is_some()
}

/// `None` when the text is too strange to tell: then the interpreter shall say what it thinks.
fn scan(typed: &str) -> Option<bool> {
    let mut chars = typed.chars().peekable();
    let mut depth: i32 = 0;
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut here: Vec<(String, bool)> = Vec::new();
    let mut open_ended = false;
    let mut command_position = true;
    let mut quoted = false;
    // `for NAME in …` wants `do` next, whatever line that is on.
    let (mut wants_do, mut misses_do) = (false, false);
    let mut finish = |word: &mut String,
                      quoted: &mut bool,
                      command_position: &mut bool,
                      depth: &mut i32,
                      wants_do: &mut bool| {
        if word.is_empty() && !*quoted {
            return;
        }
        if *command_position && std::mem::take(wants_do) && !matches!(word.as_str(), "do" | "{") {
            misses_do = true;
        }
        if *command_position && !*quoted {
            *wants_do |= matches!(word.as_str(), "for" | "select");
            match word.as_str() {
                "if" | "while" | "until" | "for" | "case" | "select" | "{" => *depth += 1,
                "fi" | "done" | "esac" | "}" => *depth -= 1,
                _ => {}
            }
        }
        let keyword = matches!(
            word.as_str(),
            "then" | "do" | "else" | "elif" | "if" | "while" | "until" | "{" | "!" | "time"
        );
        *command_position = *command_position && keyword && !*quoted;
        words.push(std::mem::take(word));
        *quoted = false;
    };
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                None | Some('\n') if chars.peek().is_none() => return Some(true),
                Some(next) => {
                    word.push(next);
                    quoted = true;
                    open_ended = false;
                }
                None => return Some(true),
            },
            '\'' => {
                quoted = true;
                open_ended = false;
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(other) => word.push(other),
                        None => return Some(true),
                    }
                }
            }
            '"' => {
                quoted = true;
                open_ended = false;
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => {
                            chars.next();
                        }
                        Some(other) => word.push(other),
                        None => return Some(true),
                    }
                }
            }
            '#' if word.is_empty() && !quoted => while chars.next_if(|c| *c != '\n').is_some() {},
            '<' if chars.peek() == Some(&'<') => {
                chars.next();
                if chars.next_if_eq(&'<').is_some() {
                    continue;
                }
                let strip = chars.next_if_eq(&'-').is_some();
                while chars.next_if(|c| *c == ' ').is_some() {}
                let mut end = String::new();
                while let Some(c) =
                    chars.next_if(|c| !c.is_whitespace() && !matches!(c, ';' | '|' | '&' | '<' | '>' | ')'))
                {
                    if !matches!(c, '\'' | '"' | '\\') {
                        end.push(c);
                    }
                }
                here.push((end, strip));
                open_ended = false;
            }
            '\n' => {
                finish(&mut word, &mut quoted, &mut command_position, &mut depth, &mut wants_do);
                command_position = true;
                for (end, strip) in here.drain(..) {
                    let mut found = false;
                    let mut line = String::new();
                    while let Some(c) = chars.next() {
                        if c != '\n' {
                            line.push(c);
                            if chars.peek().is_some() {
                                continue;
                            }
                        }
                        if (if strip { line.trim_start_matches('\t') } else { line.as_str() }) == end {
                            found = true;
                            break;
                        }
                        line.clear();
                    }
                    if !found {
                        return Some(true);
                    }
                }
            }
            ' ' | '\t' | '\r' => {
                finish(&mut word, &mut quoted, &mut command_position, &mut depth, &mut wants_do)
            }
            ';' | '&' | '|' => {
                finish(&mut word, &mut quoted, &mut command_position, &mut depth, &mut wants_do);
                let doubled = chars.next_if_eq(&c).is_some();
                command_position = true;
                open_ended = c == '|' || (c == '&' && doubled);
            }
            '(' => {
                wants_do = false;
                finish(&mut word, &mut quoted, &mut command_position, &mut depth, &mut wants_do);
                depth += 1;
                command_position = true;
                open_ended = false;
            }
            ')' => {
                finish(&mut word, &mut quoted, &mut command_position, &mut depth, &mut wants_do);
                depth -= 1;
                open_ended = false;
            }
            other => {
                word.push(other);
                open_ended = false;
            }
        }
    }
    finish(&mut word, &mut quoted, &mut command_position, &mut depth, &mut wants_do);
    if misses_do {
        return Some(false);
    }
    // An end without a beginning is the interpreter's to complain about; `case x in a)` has more `)` than `(`.
    let case = words.iter().any(|word| word == "case");
    if case {
        let open = words.iter().filter(|word| *word == "case").count();
        let closed = words.iter().filter(|word| *word == "esac").count();
        return Some(open > closed || open_ended);
    }
    Some(depth > 0 || open_ended || !here.is_empty())
}

#[cfg(test)]
mod tests {
    use super::is_unfinished;

    #[test]
    fn unfinished_commands_want_more() {
        for typed in [
            "echo 'a",
            "echo \"a",
            "if true; then",
            "while true; do echo",
            "for i in 1 2",
            "for i in 1 2\n",
            "for i in 1\ndo",
            "for ((i=0;i<3;i++))",
            "for i\ndo echo",
            "cat <<EOF",
            "cat <<EOF\nx",
            "a &&",
            "a |",
            "a ||",
            "(echo",
            "f() {",
            "echo \\",
            "case x in",
            "case x in a) echo;;",
            "$(echo",
            "cat <<-E\n\tx",
            "echo ${x",
        ] {
            assert!(is_unfinished(typed), "{typed:?}");
        }
    }

    #[test]
    fn whole_commands_do_not() {
        for typed in [
            "",
            "ls",
            "echo 'a'",
            "if true; then echo; fi",
            "while true; do echo; done",
            "cat <<EOF\nx\nEOF",
            "a && b",
            "a | b",
            "(echo)",
            "f() { echo; }",
            "case x in a) echo;; esac",
            "echo $(ls)",
            "a &",
            "a;",
            "echo if",
            "echo )",
            "# it's",
            "echo it\\'s",
            "cat <<-E\n\tx\n\tE",
            "echo \"a'b\"",
            "cat <<<x",
            "fi",
            "echo \"$(echo 'x')\"",
            "for i in 1 2\necho $i",
            "for i in 1; echo",
        ] {
            assert!(!is_unfinished(typed), "{typed:?}");
        }
    }
}
