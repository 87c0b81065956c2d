//! dash, Debian's `sh`: its text becomes text of bash that does the same, and what dash refuses is refused in its words.
//!
//! The library runs bash only. So a script for dash is read as dash reads it (parser.c of dash 0.5.12): a syntax error is
//! found where dash finds it, behind the commands before it, and whatever bash has and dash has not becomes the plain
//! word or the failure that it is there.

mod call;
mod grammar;
mod names;
mod phrases;
mod tokens;
mod trace;
mod words;

pub(super) use call::{Invocation, invocation};
pub(super) use phrases::{is_fatal, phrase};
pub(super) use trace::trace;

use grammar::Reader;

/// A script longer than this is left to the library as it is.
const LONGEST: usize = 512 * 1024;
/// Constructs inside constructs; the library has its own bound on what is left.
const DEEPEST: usize = 60;

/// What dash finds wrong.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    line: u32,
    text: String,
}

/// Where a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a script or an argument.
    Script,
    /// Typed at a prompt of dash, as the line of this number.
    Typed(u32),
}

/// A script of dash as bash has to read it; `None` when nothing can be said about it.
pub(super) fn translated(text: &str, place: Place) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    // What is traced is shown as it was written.
    let mut reader = Reader::new(text, !traces(text));
    if let Place::Typed(line) = place {
        reader.line = line;
    }
    let fault = reader.script();
    let mut out = reader.out;
    if let Some(fault) = fault {
        // dash runs what stands in the lines before.
        out.truncate(reader.complete);
        let said = format!("{}: Syntax error: {}", fault.line, fault.text).replace('\'', "'\\''");
        let end = if place == Place::Script { "exit 2" } else { "(exit 2)" };
        out.push_str(&format!("printf '%s: %s\\n' \"$0\" '{said}' >&2; {end}"));
    }
    Some(out)
}

/// Whether a script shows what it runs.
pub(super) fn traces(text: &str) -> bool {
    ["set -x", "set -v", "set -ex", "set -xe", "set -o xtrace"].iter().any(|sign| text.contains(sign))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> String {
        let out = translated(text, Place::Script).unwrap();
        let at = out.rfind("\"$0\" '").unwrap_or_else(|| panic!("{text:?} is no error: {out}"));
        out[at + 6..].split("' >&2").next().unwrap().replace("'\\''", "'")
    }

    #[test]
    fn errors_are_those_of_dash() {
        for (text, said) in [
            ("echo (", "1: Syntax error: end of file unexpected (expecting \")\")"),
            ("echo a\nfoo\necho (\n", "4: Syntax error: newline unexpected (expecting \")\")"),
            ("if true; then echo a", "1: Syntax error: end of file unexpected (expecting \"fi\")"),
            ("for i in 1 2; do\necho $i\n", "3: Syntax error: end of file unexpected (expecting \"done\")"),
            ("fi", "1: Syntax error: \"fi\" unexpected"),
            ("echo \"abc", "1: Syntax error: Unterminated quoted string"),
            ("a=(1 2)", "1: Syntax error: \"(\" unexpected"),
            ("cat <<< hi", "1: Syntax error: redirection unexpected"),
            ("cat <(echo a)", "1: Syntax error: \"(\" unexpected"),
            ("for ((i=0;i<3;i++)); do :; done", "1: Syntax error: Bad for loop variable"),
            ("function f { echo a; }; f", "1: Syntax error: \"}\" unexpected"),
            ("function f() { echo a; }", "1: Syntax error: \"(\" unexpected"),
            ("case x in x) echo m;& y) :;; esac", "1: Syntax error: \"&\" unexpected"),
            ("echo a >& /tmp/o2", "1: Syntax error: Bad fd number"),
            ("select x in a; do break; done", "1: Syntax error: \"do\" unexpected"),
            ("if true; fi", "1: Syntax error: \"fi\" unexpected (expecting \"then\")"),
            ("echo >\n", "2: Syntax error: newline unexpected"),
            ("echo ${x", "1: Syntax error: Missing '}'"),
        ] {
            assert_eq!(fault(text), said, "{text:?}");
        }
    }

    #[test]
    fn what_dash_lacks_is_a_plain_word() {
        for (text, bash) in [
            ("ls -l | wc", "ls -l | wc"),
            ("echo {a,b}", "\u{2}echo \\{a,b}"),
            ("\n[[ a ]]", "\n\u{2}none 2 '[[' a ]]"),
            ("x+=2", "x'+'=2"),
            ("[ 1 = 1 ]", "\u{2}[ 1 1 = 1 ]"),
            ("source /x", "\u{2}none 1 'source' /x"),
            ("echo $RANDOM ${UID} $LINENO", "\u{2}echo $RANDOM_ ${UID_} $LINENO_"),
            ("echo ${a:0:1}", "\u{2}echo ${dash!}"),
            ("x=1 y='a b' ls \"$x\"", "x=1 y='a b' ls \"$x\""),
            ("cat <<E; ls\n$x (\nE\nls", "cat <<E; ls\n$x (\nE\nls"),
            ("ls &> /tmp/o", "ls & > /tmp/o"),
            ("f() { local x=1; }; f", "f() { local x=1; }; f"),
            ("case $1 in a|b) ls;; (*) w;; esac", "case $1 in a|b) ls;; (*) w;; esac"),
            ("while read l; do wc; done < /x", "while read l; do wc; done < /x"),
            ("a=`ls \\`pwd\\``", "a=$(ls $(pwd))"),
            (
                "if a; then b; elif c; then d; else e; fi >x 2>&1",
                "if a; then b; elif c; then d; else e; fi >x 2>&1",
            ),
            ("ls $((1+RANDOM))", "ls $((1+RANDOM_))"),
            ("echo $'a'", "\u{2}echo \\$'a'"),
            ("find . -exec ls {} \\;", "find . -exec ls {} \\;"),
            ("! ls && (cd /; ls) || { ls; }", "! ls && (cd /; ls) || { ls; }"),
            ("# it's\nls # (\n", "# it's\nls # (\n"),
        ] {
            assert_eq!(translated(text, Place::Script).unwrap(), bash, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in "[a-z \\n\"'`$(){}\\[\\]<>|&;#=!\\\\*~0-9-]{0,60}") {
            let out = translated(&text, Place::Script).unwrap();
            prop_assert!(out.len() <= 40 * text.len() + 200);
        }
    }
}
