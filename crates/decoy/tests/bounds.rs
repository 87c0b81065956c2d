//! Lines that would take a real server down: each ends, says no more than a screenful of a loaded server, and leaves the
//! neighbours alone.
#![allow(clippy::unwrap_used)] // a test that cannot go on should fail

mod visit;

use std::time::Duration;

/// The most that a line may say, in bytes: the shell's own bound and a little, three times over because bytes that are
/// no text are counted as the sign for them.
const MOST_SAID: usize = 3 * (1024 * 1024 + 4096);
/// A line that has not ended by then is taken for one without an end; far above what any needs.
const LONGEST: Duration = Duration::from_secs(120);

fn lines() -> Vec<String> {
    let mut lines: Vec<String> = [
        ":(){ :|:& };:",
        "f(){ f | f; }; f",
        "yes | tr y n | head -c 100000000 | wc -c",
        "cat /dev/urandom",
        "cat /dev/zero | head -c 1000000000 | md5sum",
        "while :; do :; done",
        "i=0; while [ $i -lt 100000 ]; do echo x > /tmp/f$i; i=$((i+1)); done; ls /tmp | wc -l",
        "echo {1..1000000000}",
        "for i in {1..100000000}; do :; done",
        "printf %1000000000d 1",
        "x=a; while true; do x=$x$x; done",
        "a=(); for ((;;)); do a+=(x); done",
        "ln -s l1 l2; ln -s l2 l1; cat l1; cd l1; ls l1/l1/l1",
        "mkdir -p /tmp/a; cd /tmp/a; for i in {1..300}; do mkdir -p d; cd d; done; pwd | wc -c",
        "seq 1 1000000000 | sort | tail -n 1",
        "[[ aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa =~ (a*)*(a*)*(a*)*b ]]",
        "grep -E '((((((((a{1,100}){1,100}){1,100}){1,100}))))))' /etc/passwd",
        "echo hi | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat",
    ]
    .map(str::to_owned)
    .to_vec();
    lines.push(format!("echo {}", "x".repeat(10_000_000)));
    lines
}

#[test]
fn no_line_is_without_bounds() {
    for line in lines() {
        let shown: String = line.chars().take(80).collect();
        let said = visit::on_a_trap_thread(move |runtime| {
            let mut visit = visit::Visit::new("root", true);
            let run = async { tokio::time::timeout(LONGEST, visit.run(&line)).await };
            let (out, err, _) = runtime.block_on(run).unwrap();
            // The same visitor's next line is answered.
            let (after, _, finished) = runtime.block_on(visit.run("echo after | cat"));
            assert!(finished.exited || after.ends_with("after\n"), "{after}");
            out.len() + err.len()
        });
        assert!(said <= MOST_SAID, "{shown} said {said} bytes");
    }
}
