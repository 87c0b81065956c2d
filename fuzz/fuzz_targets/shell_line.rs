//! Whole lines, whatever they are: the shell must come back from each. Run with a large stack, as the sensor does:
//! `RUST_MIN_STACK=67108864 cargo +nightly fuzz run shell_line -- -max_len=4096 -timeout=20`.
#![no_main]

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use decoy::{
    Contact, Limits, NoOracle,
    machine::{Clock, Identity, LoginPolicy, Machine},
    shell::{Input, Launch, Output, Shell},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|lines: &str| {
    let lines = lines.to_owned();
    let work = move || {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let policy = LoginPolicy { always: vec![], fewest_tries: 1, most_tries: 1, secret: 1 };
        let machine = Machine::new(Identity::draw(b"fuzz", now, None, None), policy, Clock::fixed(now), Default::default());
        let address: SocketAddr = ([192, 0, 2, 1], 22).into();
        let visitor = machine.visit(address.ip());
        let account = visitor.identity().account("root").expect("root is always there").clone();
        let contact =
            Contact { visitor, oracle: Arc::new(NoOracle), local: address, peer: address, limits: Limits::default() };
        let tty = Some("pts/0".to_owned());
        let launch = Launch { account, login: true, tty, env: vec![], window: (80, 24), notes: Arc::new(|_| {}) };
        let mut shell = Shell::new(&contact, launch);
        let output: Output = Arc::new(|_, _: &[u8]| {});
        let input = Input::default();
        input.end();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let _more = shell.wants_more(&lines);
            // A line that waits (`sleep`) is interrupted, as a visitor would.
            let _ended = tokio::time::timeout(Duration::from_secs(2), shell.run(&lines, &output, &input)).await;
        });
    };
    std::thread::Builder::new().stack_size(64 << 20).spawn(work).expect("a thread").join().expect("no panic");
});
