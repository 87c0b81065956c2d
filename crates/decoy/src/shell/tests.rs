//! The shell as its terminal sees it.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;

use super::*;
use crate::{
    dialogue::Limits,
    machine::{Clock, Identity, LoginPolicy, Machine},
    oracle::NoOracle,
};

pub(super) fn contact() -> Contact {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let identity = Identity::draw(b"tests", now, Some("srv1".into()), Some(vec!["admin".into()]));
    let policy = LoginPolicy { always: vec![], fewest_tries: 1, most_tries: 1, secret: 1 };
    let machine = Machine::new(identity, policy, Clock::fixed(now), Default::default());
    let address: SocketAddr = "192.0.2.1:22".parse().unwrap();
    Contact {
        visitor: machine.visit(address.ip()),
        oracle: Arc::new(NoOracle),
        local: address,
        peer: address,
        limits: Limits::default(),
    }
}

pub(super) fn shell(user: &str) -> Shell {
    let contact = contact();
    let account = contact.visitor.identity().account(user).unwrap().clone();
    let tty = Some("pts/0".to_owned());
    Shell::new(
        &contact,
        Launch { account, login: true, tty, env: vec![], window: (80, 24), notes: Arc::new(|_| {}) },
    )
}

pub(super) async fn said(shell: &mut Shell, line: &str) -> (String, Finished) {
    let text = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&text);
    let output: Output = Arc::new(move |_, bytes: &[u8]| sink.lock().extend_from_slice(bytes));
    let input = Input::default();
    input.end();
    let finished = shell.run(line, &output, &input).await;
    let text = String::from_utf8_lossy(&text.lock()).into_owned();
    (text, finished)
}

#[tokio::test]
async fn simple_lines_run() {
    let mut shell = shell("root");
    assert_eq!(shell.prompt(), "root@srv1:~# ");
    assert_eq!(said(&mut shell, "echo hello").await, ("hello\n".into(), Finished::default()));
    assert_eq!(said(&mut shell, "cd /tmp && pwd").await.0, "/tmp\n");
    assert_eq!(shell.prompt(), "root@srv1:/tmp# ");
    said(&mut shell, "echo one > f; echo two >> f").await;
    assert_eq!(said(&mut shell, "cat f").await.0, "one\ntwo\n");
    assert!(said(&mut shell, "exit 3").await.1.exited);
}

#[tokio::test]
async fn an_interrupted_line_leaves_a_usable_shell() {
    let mut shell = shell("root");
    for line in [
        "cd /tmp; sleep 1000",
        "sleep 1000 | cat",
        "while true; do sleep 1; done",
        "sh -c 'sleep 1000'",
        "f() { sleep 9; }; f",
        "passwd",
    ] {
        let output: Output = Arc::new(|_, _: &[u8]| {});
        let input = Input::default();
        let ended = tokio::time::timeout(Duration::from_millis(40), shell.run(line, &output, &input)).await;
        assert!(ended.is_err(), "{line} ended by itself");
        assert!(!input.is_awaited());
        assert_eq!(said(&mut shell, "echo still | cat; true").await.0, "still\n", "after {line}");
    }
}

#[tokio::test]
async fn a_program_reads_what_the_visitor_types() {
    let mut shell = shell("root");
    let text = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&text);
    let output: Output = Arc::new(move |_, bytes: &[u8]| sink.lock().extend_from_slice(bytes));
    let input = Input::default();
    input.push(b"one\n", 100);
    let typing = input.clone();
    let later = async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        typing.push(b"two\n", 100);
        typing.end();
    };
    tokio::join!(shell.run("cat > /tmp/typed", &output, &input), later);
    assert_eq!(said(&mut shell, "cat /tmp/typed").await.0, "one\ntwo\n");
    let secret = Input::default();
    secret.push(b"first\nfirst\n", 100);
    shell.run("passwd", &output, &secret).await;
    let said = String::from_utf8_lossy(&text.lock()).into_owned();
    assert_eq!(said, "New password: \nRetype new password: \npasswd: password updated successfully\n");
}

#[tokio::test]
async fn a_shell_that_only_answers_by_heart_has_no_interpreter() {
    let mut shell = shell("root");
    for line in [
        "uname -a",
        "ls -la /usr/bin",
        "/bin/busybox ECCHI",
        "system",
        "cat /etc/passwd",
        "enable",
        "sh",
        "exit",
        "ps",
    ] {
        said(&mut shell, line).await;
        assert!(shell.engine.is_none() || line == "/bin/busybox ECCHI", "{line}");
    }
}

#[tokio::test]
async fn no_width_and_no_precision_ends_the_process() {
    let contact = crate::testing::contact();
    let (long, digits) = ("x".repeat(70_000), "70000");
    let script = format!("{long}\n");
    contact
        .visitor
        .files()
        .write("/tmp/long", script.as_bytes(), &crate::machine::Owner::ROOT, 0o644)
        .unwrap();
    let account = contact.visitor.identity().account("root").unwrap().clone();
    let notes: Notes = Arc::new(|_| {});
    let launch = Launch { account, login: false, tty: None, env: vec![], window: (80, 24), notes };
    let mut shell = Shell::new(&contact, launch);
    for line in [
        "x=$(cat /tmp/long); file $x short; df $x; ls -l $x; stat $x".to_owned(),
        format!("file {}", "y".repeat(7000)),
        format!(
            "printf '%{digits}s' x; printf '%-{digits}d' 1; printf '%.{digits}f' 1; printf '%0{digits}x' 1"
        ),
        format!("printf '%*s' {digits} x; printf '%.*f' {digits} 1"),
        format!("awk 'BEGIN {{ printf \"%{digits}s %.{digits}f\", 1, 2 }}'"),
        format!(
            "echo a | nl -w {digits}; echo 'scale={digits}; 1/3' | bc; seq -f %{digits}g 2; seq -w 1 1e{digits}"
        ),
        format!("od -w{digits} /etc/hostname; xxd -c {digits} /etc/hostname; expand -t {digits} /etc/hosts"),
        format!("x=$(cat /tmp/long); echo {{1..2}}; wc /tmp/long; fold -w {digits} /tmp/long"),
    ] {
        let finished = shell.run(&line, &(Arc::new(|_, _: &[u8]| {}) as Output), &Input::default()).await;
        assert!(!finished.exited, "{line}");
    }
}
