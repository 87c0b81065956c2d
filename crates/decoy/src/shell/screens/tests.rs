//! Programs that fill the screen, driven by keys.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::{
    machine::Owner,
    shell::{Input, Output, Shell, tests::shell},
};

/// Runs a line while these keys are typed; what was drawn.
async fn driven(shell: &mut Shell, line: &str, keys: &[u8]) -> String {
    let drawn = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&drawn);
    let output: Output = Arc::new(move |_, bytes: &[u8]| sink.lock().extend_from_slice(bytes));
    let input = Input::default();
    for key in keys.split_inclusive(|&key| key == 0x1b) {
        input.push(key, 10_000);
    }
    input.end();
    shell.run(line, &output, &input).await;
    assert!(!input.is_raw(), "{line} left the terminal raw");
    String::from_utf8_lossy(&drawn.lock()).into_owned()
}

fn content(shell: &Shell, path: &str) -> String {
    String::from_utf8_lossy(&shell.session.files().read(path).unwrap_or_default()).into_owned()
}

#[tokio::test]
async fn editors_write_what_was_typed() {
    let mut shell = shell("root");
    driven(&mut shell, "vi /root/a", b"ione\rtwo\x1b:wq\r").await;
    assert_eq!(content(&shell, "/root/a"), "one\ntwo\n");
    driven(&mut shell, "vi a", b"ggddp:x\r").await;
    assert_eq!(content(&shell, "/root/a"), "two\none\n");
    driven(&mut shell, "vi a", b"xxx:q!\r").await;
    assert_eq!(content(&shell, "/root/a"), "two\none\n");
    let drawn = driven(&mut shell, "vi a", b"x:q\r:q!\r").await;
    assert!(drawn.contains("E37: No write since last change"));
    driven(&mut shell, "nano b", b"hello\rworld\x0f\r\x18").await;
    assert_eq!(content(&shell, "/root/b"), "hello\nworld\n");
    driven(&mut shell, "nano b", b"x\x18n").await;
    assert_eq!(content(&shell, "/root/b"), "hello\nworld\n");
    driven(&mut shell, "nano b", b"x\x18y\r").await;
    assert_eq!(content(&shell, "/root/b"), "xhello\nworld\n");
}

#[tokio::test]
async fn pagers_show_pages_and_end() {
    let mut shell = shell("root");
    let text: String = (1..=100).map(|n| format!("line {n}\n")).collect();
    shell.session.files().write("/root/long", text.as_bytes(), &Owner::ROOT, 0o644).unwrap();
    let drawn = driven(&mut shell, "less long", b" Gq").await;
    for shown in ["line 1\n", "line 24\n", "line 100\n", "(END)", "\x1b[?1049l"] {
        assert!(drawn.contains(shown), "{shown:?}");
    }
    let drawn = driven(&mut shell, "more long", b"\rq").await;
    assert!(drawn.contains("line 24\n") && !drawn.contains("line 25\n") && drawn.contains("--More--("));
    assert!(driven(&mut shell, "less nothere", b"").await.contains("nothere: No such file or directory"));
    assert_eq!(driven(&mut shell, "less long | head -n 1", b"").await, "line 1\n");
}

#[tokio::test]
async fn top_ends_when_it_is_told() {
    let mut shell = shell("root");
    let drawn = driven(&mut shell, "top", b"q").await;
    assert!(drawn.contains("load average") && drawn.contains("\x1b[7m"), "{drawn}");
}
