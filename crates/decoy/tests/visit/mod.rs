//! A visitor with a shell, for tests: lines in, bytes out.
#![allow(clippy::unwrap_used)] // a test that cannot be set up shall fail loudly
#![allow(dead_code)] // each test program uses its own part

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use decoy::{
    Contact, Limits, NoOracle,
    machine::{Clock, Identity, LoginPolicy, Machine},
    shell::{Finished, Input, Launch, Out, Output, Shell},
};
use wire::EventKind;

/// A shell and what it said.
pub struct Visit {
    pub shell: Shell,
    pub notes: Arc<Mutex<Vec<EventKind>>>,
    said: Arc<Mutex<(Vec<u8>, Vec<u8>)>>,
    output: Output,
}

impl Visit {
    /// Logs `user` in on a machine that is the same in every test.
    pub fn new(user: &str, tty: bool) -> Self {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let identity =
            Identity::draw(b"cases", now, Some("srv1".into()), Some(vec!["admin".into(), "oracle".into()]));
        let policy = LoginPolicy { always: vec![], fewest_tries: 1, most_tries: 1, secret: 1 };
        let machine = Machine::new(identity, policy, Clock::hurried(now), Default::default());
        let peer: SocketAddr = "203.0.113.9:40022".parse().unwrap();
        let contact = Contact {
            visitor: machine.visit(peer.ip()),
            oracle: Arc::new(NoOracle),
            local: "192.0.2.1:22".parse().unwrap(),
            peer,
            limits: Limits::default(),
        };
        let account = contact.visitor.identity().account(user).unwrap().clone();
        let notes = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&notes);
        let launch = Launch {
            account,
            login: tty,
            tty: tty.then(|| "pts/0".to_owned()),
            env: vec![],
            window: (80, 24),
            notes: Arc::new(move |event| noted.lock().unwrap().push(event)),
        };
        let said = Arc::new(Mutex::new((Vec::new(), Vec::new())));
        let sink = Arc::clone(&said);
        let output: Output = Arc::new(move |out, bytes: &[u8]| {
            let mut said = sink.lock().unwrap();
            match out {
                Out::Stdout => said.0.extend_from_slice(bytes),
                Out::Stderr => said.1.extend_from_slice(bytes),
            }
        });
        Self { shell: Shell::new(&contact, launch), notes, said, output }
    }

    /// Runs a line: standard output, standard error, how it ended.
    pub async fn run(&mut self, line: &str) -> (String, String, Finished) {
        let input = Input::default();
        input.end();
        let finished = self.shell.run(line, &self.output.clone(), &input).await;
        let (out, err) = std::mem::take(&mut *self.said.lock().unwrap());
        (String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned(), finished)
    }
}

/// Runs work on a stack as large as the sensor's threads have.
pub fn on_a_trap_thread<T: Send + 'static>(
    work: impl FnOnce(&tokio::runtime::Runtime) -> T + Send + 'static,
) -> T {
    let run = move || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().thread_stack_size(64 << 20).enable_all().build();
        work(&runtime.unwrap())
    };
    std::thread::Builder::new().stack_size(64 << 20).spawn(run).unwrap().join().unwrap()
}
