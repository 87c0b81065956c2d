//! Keys in, lines and the bytes of the screen out; the bytes are those of bash 5.2 on an `xterm-256color` of 80 columns.

use proptest::prelude::*;

use super::*;

const PROMPT: &str = "root@srv1:~# ";

fn editor(limit: usize, able: bool) -> Editor {
    let mut editor = Editor::new(limit, able);
    editor.begin(PROMPT.to_owned());
    editor
}

fn type_in(editor: &mut Editor, keys: &[u8]) -> (Vec<u8>, Vec<Press>) {
    let mut out = Vec::new();
    let mut keys: VecDeque<u8> = keys.iter().copied().collect();
    let mut pressed = Vec::new();
    while !keys.is_empty() {
        match editor.press(&mut keys, &mut out) {
            Press::Nothing => {}
            Press::Entered(line) => {
                editor.remember(&line);
                editor.begin(PROMPT.to_owned());
                pressed.push(Press::Entered(line));
            }
            other => pressed.push(other),
        }
    }
    (out, pressed)
}

fn entered(keys: &[u8]) -> String {
    let (_, pressed) = type_in(&mut editor(100, true), keys);
    pressed
        .iter()
        .map(|press| match press {
            Press::Entered(line) => format!("{}|", String::from_utf8_lossy(line)),
            other => format!("{other:?}|"),
        })
        .collect()
}

#[test]
fn keys_edit_the_line() {
    for (keys, want) in [
        ("ab\r", "ab|"),
        ("ab\r\ncd\n", "ab|cd|"),
        ("a\r\r\n", "a||"),
        ("ecjo\x7f\x7fho\r", "echo|"),
        ("abc\x15x\r", "x|"),
        ("one two \x17x\r", "one x|"),
        ("ab\x1b[DX\r", "aXb|"),
        ("ab\x01X\x05Y\r", "XabY|"),
        ("one\rtwo\r\x1b[A\x1b[A\r", "one|two|one|"),
        ("one\rdraft\x1b[A\x1b[B\r", "one|draft|"),
        ("abc\x02\x02\x0b\r", "a|"),
        ("abc\x01\x04\r", "bc|"),
        ("\x04", "End|"),
        ("ab\x03c\r", "Interrupt|c|"),
        ("\x1b[200~pasted\x1b[201~\r", "pasted|"),
        ("\x1b[200~a\rb\x1b[201~\r", "a\nb|"),
        ("é\x7fe\r", "e|"),
        ("aé\x02\x04b\r", "ab|"),
        ("one two\x1bb\x1bdx\r", "one x|"),
        ("one two\x17\x17\x19\r", "one two|"),
        ("one two\x01\x1bf-\r", "one- two|"),
        ("ab\x14\r", "ba|"),
        ("ls /etc\rcat \x1b.\r", "ls /etc|cat /etc|"),
        ("echo one\rls\r\x12on\r", "echo one|ls|echo one|"),
        ("echo one\rx\x12on\x07y\r", "echo one|xy|"),
        ("abc def\x1f\r", "|"),
        ("abc\x1b\x7fd\r", "d|"),
        ("word\x01\x1bu\r", "WORD|"),
        ("a\x16\x01b\r", "a\u{1}b|"),
    ] {
        assert_eq!(entered(keys.as_bytes()), want, "{keys:?}");
    }
}

#[test]
fn the_screen_is_drawn_as_readline_does() {
    let cases: &[&[(&str, &str)]] = &[
        &[
            ("abc def", "abc def"),
            ("\x01", "\x08\x08\x08\x08\x08\x08\x08"),
            ("\x05", "\x1b[C\x1b[C\x1b[C\x1b[C\x1b[C\x1b[C\x1b[C"),
            ("\x1bb", "\x08\x08\x08"),
            ("\x1bf", "\x1b[C\x1b[C\x1b[C"),
            ("\x0b", ""),
            ("\x19", "\x07"),
        ],
        &[
            ("abc def ghi", "abc def ghi"),
            ("\x1bb", "\x08\x08\x08"),
            ("\x1bd", "\x1b[K"),
            ("\x19", "ghi"),
            ("\x17", "\x08\x08\x08\x1b[K"),
            ("\x15", "\x08\x08\x08\x08\x08\x08\x08\x08\x1b[K"),
            ("\x19", "abc def ghi"),
            ("\x14", "\x08\x08ih"),
        ],
        &[
            ("abcdef", "abcdef"),
            ("\x02\x02", "\x08\x08"),
            ("X", "Xef\x08\x08"),
            ("\x7f", "\x08\x1b[1Pef\x08\x08"),
            ("\x04", "\x1b[1Pf\x08"),
            ("\x1b[3~", "\x1b[K"),
            ("\x0c", "\x1b[H\x1b[2Jroot@srv1:~# abcd"),
        ],
        &[
            ("echo one\r", "echo one\r\n"),
            ("echo two\r", "echo two\r\n"),
            ("dra", "dra"),
            ("\x1b[A", "\x08\x08\x08echo two"),
            ("\x10", "\x08\x08\x08one"),
            ("\x0e", "\x08\x08\x08two"),
            ("\x0e", "\x08\x08\x08\x08\x08\x08\x08\x08\x1b[5Pdra"),
        ],
        &[
            ("echo one\r", "echo one\r\n"),
            ("\x12", "\r(reverse-i-search)`': "),
            ("o", "\x08\x08\x08o': echo \x1b[7mo\x1b[27mne\x08\x08\x08"),
            ("\r", "\r\x1b[10Proot@srv1:~# echo one\x08\x08\x08\r\n"),
        ],
        &[
            ("h\u{e9}\u{e9}", "h\u{e9}\u{e9}"),
            ("\x02", "\x08"),
            ("x", "x\u{e9}\x08"),
            ("\x7f", "\x08\x1b[1P\u{e9}\x08"),
            ("\x01", "\x08\x08"),
        ],
        &[("\u{65e5}\u{672c}", "\u{65e5}\u{672c}"), ("\x02", "\x08\x08"), ("x", "x\u{672c}\x08\x08")],
        &[
            ("echo aaa bbb", "echo aaa bbb"),
            ("\x02\x02\x02\x02", "\x08\x08\x08\x08"),
            ("X", "X bbb\x08\x08\x08\x08"),
            ("\x7f", "\x08\x1b[1P bbb\x08\x08\x08\x08"),
        ],
        &[("\x1b[200~ls\x1b[201~", "\x1b[7mls\x1b[27m"), ("\r", "\x08\x08ls\r\n")],
    ];
    for case in cases {
        let mut editor = editor(1000, true);
        for (keys, want) in *case {
            let out = type_in(&mut editor, keys.as_bytes()).0;
            assert_eq!(String::from_utf8_lossy(&out), *want, "{keys:?} of {case:?}");
        }
    }
}

#[test]
fn a_line_wraps_where_the_window_ends() {
    let mut editor = editor(1000, true);
    let a = "a".repeat(66);
    for (keys, want) in [
        (a.as_str(), a.as_str()),
        ("b", "b \r"),
        ("c", "c"),
        ("d", "d"),
        ("\x7f", "\x08\x1b[K"),
        ("\x7f", "\r\x1b[K"),
    ] {
        assert_eq!(String::from_utf8_lossy(&type_in(&mut editor, keys.as_bytes()).0), want, "{keys:?}");
    }
    let mut editor = self::editor(1000, true);
    type_in(&mut editor, "a".repeat(90).as_bytes());
    assert_eq!(type_in(&mut editor, b"\x02").0, b"\x08");
    assert_eq!(type_in(&mut editor, b"X").0, b"Xa\x08");
    assert_eq!(type_in(&mut editor, b"\x01").0, b"\x1b[A\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08");
}

#[test]
fn without_a_locale_bytes_are_drawn() {
    let mut editor = editor(100, true);
    editor.set_bytewise();
    for (keys, want) in [
        ("ecjo\x7f", "ecjo\x08 \x08"),
        ("\x01", "\x08\x08\x08"),
        ("\x05", "ecj"),
        ("\x15abcdef\x02\x02X", "\x08\x08\x08\x1b[Kabcdef\x08\x08\x1b[1@X"),
        ("\x7f", "\x08\x1b[1P"),
    ] {
        assert_eq!(String::from_utf8_lossy(&type_in(&mut editor, keys.as_bytes()).0), want, "{keys:?}");
    }
}

#[test]
fn a_dumb_terminal_is_only_written_on() {
    assert_eq!(type_in(&mut editor(100, false), b"ab\x15").0, b"ab\x08\x08  \x08\x08");
    assert_eq!(type_in(&mut editor(100, false), b"ab\x01\x05").0, b"ab\x08\x08ab");
}

#[test]
fn a_line_that_is_too_long_is_reported_once() {
    let (_, pressed) = type_in(&mut editor(3, true), b"abcdef\r");
    assert_eq!(pressed, [Press::Full, Press::Entered(b"abc".to_vec())]);
}

#[test]
fn the_history_is_bounded_by_bytes_too() {
    let mut editor = editor(8192, true);
    for n in 0..100 {
        type_in(&mut editor, format!("{n}{}\r", "x".repeat(8000)).as_bytes());
    }
    assert!(editor.past.bytes() <= 64 * 1024);
    assert!(editor.past.back(1).is_some_and(|line| line.starts_with(b"99x")));
}

proptest! {
    #[test]
    fn no_keys_harm_the_editor(keys in proptest::collection::vec(any::<u8>(), 0..400), columns in 0_u16..40) {
        let mut editor = editor(50, true);
        editor.set_columns(columns);
        let mut out = Vec::new();
        let mut keys: VecDeque<u8> = keys.into_iter().collect();
        while !keys.is_empty() {
            editor.press(&mut keys, &mut out);
            prop_assert!(editor.cursor <= editor.line.len() && editor.line.len() <= 50);
            prop_assert!(editor.escape.len() < LONGEST_ESCAPE && editor.killed.len() <= 50);
        }
    }
}
