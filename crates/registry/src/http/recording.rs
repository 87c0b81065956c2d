//! A terminal recording (asciicast, version 2) as text: what it showed, without what moved the cursor about.

use serde_json::Value;

/// The most text of one recording.
const LIMIT: usize = 512 * 1024;

/// What the terminal showed, in order. Anything that is no recording shows nothing.
pub fn shown(file: &str) -> String {
    let mut text = String::new();
    // The first line is about the recording.
    for line in file.lines().skip(1) {
        let Ok(Value::Array(piece)) = serde_json::from_str::<Value>(line) else { continue };
        if let [_, Value::String(kind), Value::String(output)] = piece.as_slice()
            && kind == "o"
        {
            text.push_str(output);
        }
        if text.len() > LIMIT {
            break;
        }
    }
    plain(&text)
}

/// Text without escape sequences (ECMA-48); a backspace takes a letter back, a bell is not heard.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut rest),
            // A line that the terminal was told to forget: concealed or drawn again.
            '\r' if rest.peek() != Some(&'\n') => {}
            '\r' | '\u{7}' | '\0' => {}
            '\u{8}' => {
                if out.chars().next_back().is_some_and(|last| last != '\n') {
                    out.pop();
                }
            }
            c => out.push(c),
        }
    }
    out
}

fn skip_sequence(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match rest.next() {
        // CSI: parameters, intermediates, one final byte.
        Some('[') => while rest.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
        // OSC, DCS, SOS, PM, APC: up to BEL or ST.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = rest.next() {
                if c == '\u{7}' || (c == '\u{1b}' && rest.next_if_eq(&'\\').is_some()) {
                    break;
                }
            }
        }
        // An intermediate and its final byte.
        Some(' '..='/') => drop(rest.next()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_shown_comes_back_without_what_moved_the_cursor() {
        let file = concat!(
            "{\"version\":2,\"width\":80}\n",
            "[0.1,\"o\",\"\\u001b]0;root@h: ~\\u0007\\u001b[?2004hroot@h:~# \"]\n",
            "[0.2,\"i\",\"typed\"]\nnonsense\n[1]\n",
            "[0.3,\"o\",\"lx\\b\\u001b[Ks\\r\\n\\u001b[01;34mdir\\u001b[0m\\r\\n<b>\\u001b(B\"]\n"
        );
        assert_eq!(shown(file), "root@h:~# ls\ndir\n<b>");
        assert_eq!(shown("not a recording\n{}\n"), "");
    }

    proptest! {
        #[test]
        fn no_escape_is_left(text in "[\\x00-\\x7fé]{0,60}") {
            let left = plain(&text).contains(['\u{1b}', '\r', '\u{8}', '\u{7}']);
            prop_assert!(!left, "something is left of {:?}", text);
        }
    }
}
