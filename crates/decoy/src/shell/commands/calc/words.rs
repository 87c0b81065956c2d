//! The words of a `bc` program.

/// One word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    /// A number as it is written: its base is known when it is reckoned with.
    Number(String),
    /// A name: letters in lower case, digits, `_`.
    Name(String),
    /// A text between quotes.
    Text(String),
    /// An operator or a bracket.
    Sign(&'static str),
    /// The end of a line.
    Line,
    /// Something that is no word of bc.
    Bad(char),
    /// The end of everything.
    End,
}

/// Longest first.
const SIGNS: [&str; 38] = [
    "+=", "-=", "*=", "/=", "%=", "^=", "==", "<=", ">=", "!=", "++", "--", "&&", "||", "+", "-", "*", "/",
    "%", "^", "=", "<", ">", "!", "(", ")", "{", "}", "[", "]", ";", ",", "&", "|", ":", "?", "~", "@",
];

/// Whether a text ends in the middle of a comment, a text or a line.
pub(super) fn is_cut(text: &str) -> bool {
    let (mut rest, mut inside) = (text, "");
    while !rest.is_empty() {
        let (end, taken) = match inside {
            "" => (None, rest.chars().next().map_or(1, char::len_utf8)),
            end => (rest.find(end), end.len()),
        };
        if !inside.is_empty() {
            let Some(at) = end else { return true };
            rest = rest.get(at + taken..).unwrap_or_default();
            inside = "";
            continue;
        }
        inside = match rest {
            _ if rest.starts_with("/*") => "*/",
            _ if rest.starts_with('"') => "\"",
            _ if rest.starts_with('#') => "\n",
            _ => "",
        };
        rest = rest.get(if inside == "*/" { 2 } else { taken }..).unwrap_or_default();
    }
    matches!(inside, "*/" | "\"") || text.ends_with("\\\n")
}

/// The words of a text with the line each stands in.
pub(super) fn of(text: &str) -> Vec<(Word, usize)> {
    let (mut words, mut rest, mut line) = (Vec::new(), text, 1);
    while let Some(sign) = rest.chars().next() {
        let taken = match sign {
            '\n' => {
                words.push((Word::Line, line));
                line += 1;
                1
            }
            ' ' | '\t' | '\r' => 1,
            '\\' => {
                let continued = rest.get(1..).is_some_and(|rest| rest.starts_with('\n'));
                if continued {
                    line += 1;
                    2
                } else {
                    words.push((Word::Bad('\\'), line));
                    1
                }
            }
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => {
                let end = rest.get(2..).and_then(|rest| rest.find("*/")).map_or(rest.len(), |at| at + 4);
                line += rest.get(..end).unwrap_or_default().matches('\n').count();
                end
            }
            '"' => {
                let inside = rest.get(1..).unwrap_or_default();
                let end = inside.find('"');
                let text = inside.get(..end.unwrap_or(inside.len())).unwrap_or_default();
                words.push((Word::Text(text.to_owned()), line));
                line += text.matches('\n').count();
                1 + text.len() + usize::from(end.is_some())
            }
            'a'..='z' => {
                let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                words.push((Word::Name(rest.get(..end).unwrap_or_default().to_owned()), line));
                end
            }
            '0'..='9' | 'A'..='Z' | '.' => {
                let (number, end) = number(rest);
                let name = if number == "." { Word::Name("last".to_owned()) } else { Word::Number(number) };
                words.push((name, line));
                end
            }
            other => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => {
                    words.push((Word::Sign(sign), line));
                    sign.len()
                }
                None => {
                    words.push((Word::Bad(other), line));
                    other.len_utf8()
                }
            },
        };
        rest = rest.get(taken.max(1)..).unwrap_or_default();
    }
    words.push((Word::End, line));
    words
}

/// A number at the beginning and how much of the text it takes; a backslash may continue it on the next line.
fn number(text: &str) -> (String, usize) {
    let (mut number, mut at) = (String::new(), 0);
    while let Some(rest) = text.get(at..) {
        match rest.chars().next() {
            Some(sign) if sign.is_ascii_digit() || sign.is_ascii_uppercase() => number.push(sign),
            Some('.') if !number.contains('.') => number.push('.'),
            Some('\\') if rest.starts_with("\\\n") => at += 1,
            _ => break,
        }
        at += 1;
    }
    (number, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_continuations_are_no_words() {
        let words: Vec<Word> = of("1 /* \" */ \\\n+ 2 # x\n").into_iter().map(|(word, _)| word).collect();
        let number = |text: &str| Word::Number(text.to_owned());
        assert_eq!(words, [number("1"), Word::Sign("+"), number("2"), Word::Line, Word::End]);
        assert_eq!(of("a+=.5")[1].0, Word::Sign("+="));
        assert!(is_cut("1 /* 2") && is_cut("\"a") && is_cut("1 \\\n"));
        assert!(!is_cut("\"string/*\";9\n") && !is_cut("/* \" */ 1 # /*\n"));
    }
}
