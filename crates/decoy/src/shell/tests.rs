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
