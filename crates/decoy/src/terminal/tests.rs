//! The terminal over a shell: lines, constructs, keys while a program runs, exec.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    Turn,
    testing::{self, Done, contact, inputs, visit},
};

fn interactive(term: &str) -> Terminal {
    let contact = contact();
    let account = contact.visitor.identity().account("root").unwrap().clone();
    let env = vec![("TERM".to_owned(), term.to_owned())];
    Terminal::new(
        contact,
        account,
        TerminalMode::Interactive { tty: "pts/0".to_owned(), window: (80, 24), env },
    )
}

fn exec(contact: &Contact, command: &str) -> Terminal {
    let account = contact.visitor.identity().account("root").unwrap().clone();
    Terminal::new(
        contact.clone(),
        account,
        TerminalMode::Exec { command: command.as_bytes().to_vec(), env: vec![], terminal: None },
    )
}

#[tokio::test]
async fn a_session_is_greeted_prompted_and_ended() {
    let done = visit(&mut interactive("dumb"), &[b"echo hi\r", b"nosuchthing\nexit\r\n"]).await;
    let said = done.text();
    assert!(said.starts_with("Linux web01 6.1.0-"), "{said}");
    assert!(said.contains("permitted by applicable law.\r\n"), "{said}");
    assert!(said.contains("root@web01:~# echo hi\r\nhi\r\nroot@web01:~# nosuchthing\r\n-bash: nosuchthing: command not found\r\n"), "{said}");
    assert!(said.ends_with("root@web01:~# exit\r\nlogout\r\n"), "{said}");
    assert_eq!(inputs(&done.noted), ["echo hi", "nosuchthing", "exit"]);
    let failed = done
        .noted
        .iter()
        .filter(|kind| matches!(kind, EventKind::CommandFailed { input, .. } if input == "nosuchthing"));
    assert_eq!(failed.count(), 1);
    assert!(done.hung_up.is_some());
}

#[tokio::test]
async fn the_last_login_is_remembered() {
    let contact = contact();
    let account = contact.visitor.identity().account("root").unwrap().clone();
    let first = greeting(&contact, &account, "pts/0", Greeter::Sshd);
    let second = greeting(&contact, &account, "pts/0", Greeter::Sshd);
    assert!(!first.contains("from 198.51.100.7"));
    assert!(second.ends_with("Last login: Mon Sep 21 14:13:20 2026 from 198.51.100.7\n"), "{second}");
}

#[tokio::test]
async fn a_construct_over_several_lines_is_noted_line_by_line() {
    let done = visit(&mut interactive("dumb"), &[b"for i in 1 2\rdo echo n$i\rdone\recho 'a\rb'\r"]).await;
    assert_eq!(inputs(&done.noted), ["for i in 1 2", "do echo n$i", "done", "echo 'a", "b'"]);
    let said = done.text();
    assert!(said.contains("for i in 1 2\r\n> do echo n$i\r\n> done\r\nn1\r\nn2\r\n"), "{said}");
    assert!(said.contains("echo 'a\r\n> b'\r\na\r\nb\r\n"), "{said}");
}

#[tokio::test]
async fn end_of_file_on_an_empty_line_logs_out() {
    let done = visit(&mut interactive("xterm"), &[b"\x04"]).await;
    assert!(
        done.text().ends_with("\x1b[?2004hroot@web01:~# \x1b[?2004l\r\r\nlogout\r\n"),
        "{:?}",
        done.text()
    );
    assert_eq!(done.hung_up, Some(0));
}

#[tokio::test]
async fn what_is_typed_behind_a_command_is_its_input_and_noted() {
    let done =
        visit(&mut interactive("dumb"), &[b"cat > /tmp/f\rline one\rline two\r\x04cat /tmp/f\r"]).await;
    assert_eq!(inputs(&done.noted), ["cat > /tmp/f", "line one", "line two", "cat /tmp/f"]);
    assert!(done.text().contains("cat /tmp/f\r\nline one\r\nline two\r\n"), "{}", done.text());
}

#[tokio::test]
async fn an_interrupt_ends_a_program_that_waits() {
    let mut terminal = interactive("dumb");
    let stage = Stage::new();
    terminal.open(&stage).await;
    let typist = {
        let stage = stage.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            stage.type_ahead(b"some");
            tokio::time::sleep(Duration::from_millis(50)).await;
            stage.type_ahead(b"\x03echo after\r");
        }
    };
    tokio::join!(terminal.hear(b"cat\r", &stage), typist);
    let done = Done::take(&stage);
    assert!(
        done.text().contains("cat\r\nsome^C\r\nroot@web01:~# echo after\r\nafter\r\n"),
        "{}",
        done.text()
    );
    assert_eq!(inputs(&done.noted), ["cat", "some", "echo after"]);
}

#[tokio::test]
async fn exec_has_two_channels_a_status_and_standard_input() {
    let contact = contact();
    let stage = Stage::new();
    stage.type_ahead(b"\x7fELF payload");
    stage.type_end();
    exec(&contact, "cat > /tmp/bot; echo out; echo err >&2; exit 3").open(&stage).await;
    let (mut out, mut err, mut status, mut noted) = (Vec::new(), Vec::new(), None, Vec::new());
    while let Some(turn) = stage.next_turn() {
        match turn {
            Turn::Say(bytes) => out.extend_from_slice(&bytes),
            Turn::SayError(bytes) => err.extend_from_slice(&bytes),
            Turn::HangUp(code) => status = Some(code),
            Turn::Note(kind) => noted.push(kind),
            _ => {}
        }
    }
    assert_eq!((out.as_slice(), err.as_slice(), status), (&b"out\n"[..], &b"err\n"[..], Some(3)));
    assert_eq!(testing::inputs(&noted), ["cat > /tmp/bot; echo out; echo err >&2; exit 3"]);
    assert!(noted.iter().any(|kind| matches!(kind, EventKind::FileUpload { size: 12, .. })));
    assert_eq!(&contact.visitor.files().read("/tmp/bot").unwrap()[..], b"\x7fELF payload");
}

#[tokio::test]
async fn a_line_that_is_too_long_is_cut_and_said_to_be() {
    let mut terminal = interactive("dumb");
    terminal.editor = Editor::new(20, false);
    let done = visit(&mut terminal, &[b"echo ", &[b'x'; 100], b"\r"]).await;
    assert_eq!(inputs(&done.noted), ["echo xxxxxxxxxxxxxxx"]);
    assert_eq!(done.noted.iter().filter(|kind| matches!(kind, EventKind::LimitHit { .. })).count(), 1);
}

#[tokio::test]
async fn a_program_gets_all_that_was_typed_behind_it() {
    let text = format!("{}\r", "a pasted line ".repeat(12)).repeat(300);
    let done =
        visit(&mut interactive("dumb"), &[format!("cat > /tmp/f\r{text}\x04wc -l /tmp/f\r").as_bytes()])
            .await;
    assert!(done.text().contains("\r\n300 /tmp/f\r\n"), "{}", done.text());
    assert_eq!(inputs(&done.noted).len(), 302);
    let done = visit(&mut interactive("dumb"), &[b"cat\rx\r\x03echo after\r"]).await;
    assert!(done.text().ends_with("root@web01:~# echo after\r\nafter\r\nroot@web01:~# "), "{}", done.text());
}

#[tokio::test]
async fn what_finds_no_room_is_noted() {
    let mut terminal = interactive("dumb");
    let stage = Stage::new();
    terminal.open(&stage).await;
    let typist = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        for _ in 0..3 {
            stage.type_ahead(format!("{}\r", "x".repeat(1023)).repeat(64).as_bytes());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stage.type_ahead(b"\x03");
    };
    tokio::join!(terminal.hear(b"sleep 100\r", &stage), typist);
    let done = Done::take(&stage);
    assert_eq!(inputs(&done.noted).len(), 1 + 3 * 64);
    assert!(
        done.noted
            .iter()
            .any(|kind| matches!(kind, EventKind::LimitHit { limit, .. } if limit == "input_bytes"))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn lines_do_not_depend_on_how_the_network_cut_them(
        lines in proptest::collection::vec("(echo [a-z]{0,5}|true|:|\"[a-z]\"|cd /[a-z]{0,3}|x=[0-9]{1,3})", 0..6),
        piece in 1usize..20,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let input: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\r").into_bytes()).collect();
        let pieces: Vec<&[u8]> = input.chunks(piece).collect();
        let whole = runtime.block_on(visit(&mut interactive("dumb"), &[&input]));
        let cut = runtime.block_on(visit(&mut interactive("dumb"), &pieces));
        prop_assert_eq!(whole.text(), cut.text());
        prop_assert_eq!(inputs(&whole.noted), lines.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(inputs(&whole.noted), inputs(&cut.noted));
    }
}

/// How much ever waits to be sent while `work` goes on and the visitor reads slowly.
async fn most_backlog(stage: &Stage, work: impl Future<Output = ()>) -> usize {
    let mut most = 0;
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            () = &mut work => return most,
            () = tokio::task::yield_now() => {
                most = most.max(stage.backlog());
                let _ = stage.next_turn(); // the slow visitor: one turn, whichever it is
            }
        }
    }
}

#[tokio::test]
async fn one_packet_of_many_commands_does_not_pile_up() {
    let packet = b"cat /dev/zero\r".repeat(200);
    let mut terminal = interactive("dumb");
    let stage = Stage::new();
    terminal.open(&stage).await;
    let most = most_backlog(&stage, terminal.hear(&packet, &stage)).await;
    assert!(most > 0 && most < 2 * 1024 * 1024, "{most}");

    let contact = contact();
    let account = contact.visitor.identity().account("root").unwrap().clone();
    let mut terminal = Terminal::new(contact, account, TerminalMode::Piped { env: vec![] });
    let stage = Stage::new();
    terminal.open(&stage).await;
    let most = most_backlog(&stage, terminal.hear(&b"uname -a\n".repeat(20_000), &stage)).await;
    assert!(most > 0 && most < 2 * 1024 * 1024, "{most}");
}

#[tokio::test]
async fn redrawing_a_long_line_does_not_pile_up() {
    let mut terminal = interactive("dumb");
    let stage = Stage::new();
    terminal.open(&stage).await;
    // Every key typed in front of a long line shows all of it again.
    let keys = [b"x".repeat(8000), b"\x01".to_vec(), b"\x01y\x0c".repeat(2000)].concat();
    let most = most_backlog(&stage, terminal.hear(&keys, &stage)).await;
    assert!(most > 0 && most < 2 * 1024 * 1024, "{most}");
}

#[tokio::test]
async fn programs_without_an_end_end() {
    let mut terminal = interactive("dumb");
    let stage = Stage::new();
    terminal.open(&stage).await;
    for line in ["cat /dev/zero\r", "yes | head -c 100000000\r", "while true; do cat /dev/zero; done\r"] {
        let most = most_backlog(&stage, terminal.hear(line.as_bytes(), &stage)).await;
        assert!(most < 3 * 1024 * 1024, "{line}: {most}");
    }
    // This one says it until it is interrupted.
    let interrupted = async {
        let typist = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            stage.type_ahead(b"\x03");
        };
        tokio::join!(terminal.hear(b"yes\r", &stage), typist);
    };
    let most = most_backlog(&stage, interrupted).await;
    assert!(most < 3 * 1024 * 1024, "yes: {most}");
}

#[tokio::test]
async fn a_shell_without_a_terminal_leaves_without_a_word() {
    let contact = contact();
    let account = contact.visitor.identity().account("root").unwrap().clone();
    for exit in ["exit\n", "logout\n", "exit 0; true\n", "true; exit\n"] {
        let mode = TerminalMode::Piped { env: vec![] };
        let mut terminal = Terminal::new(contact.clone(), account.clone(), mode);
        let done = visit(&mut terminal, &[exit.as_bytes()]).await;
        assert_eq!((done.text().as_str(), done.hung_up), ("", Some(0)), "{exit}");
    }
}

#[tokio::test]
async fn what_programs_are_sent_shares_one_memory() {
    let contact = testing::crowded();
    let stage = Stage::new();
    let mut terminal = exec(&contact, "cat > /tmp/x; wc -c < /tmp/x");
    for _ in 0..5 {
        stage.type_ahead(&[b'x'; 3000]);
    }
    stage.type_end();
    terminal.open(&stage).await;
    let done = Done::take(&stage);
    assert_eq!(testing::starvations(&done.noted), 1);
    assert!(done.hung_up.is_some(), "the program found an end");
    assert_eq!(contact.visitor.uploads().taken(), 0);
}
