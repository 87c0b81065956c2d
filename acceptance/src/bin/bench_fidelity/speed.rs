//! Speed and memory: an answer in an open session, ten thousand sessions at a prompt, one visitor's layer.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use acceptance::{
    Bucket,
    bucket::PASSWORD,
    clients::{Lines, Ssh, at_prompt},
    cost::resident_mib,
    report::{Figure, Target, figure},
};

use rustix::process::{Resource, getrlimit};

/// The figures of this group.
pub async fn measure(quick: bool) -> Vec<Figure> {
    let mut figures = vec![answer(quick).await];
    figures.extend(neighbours(quick).await);
    figures.extend(memory(quick).await);
    figures
}

/// `uname -a` less an empty line: what is ours beyond transport and prompt.
async fn answer(quick: bool) -> Figure {
    let mut bucket = Bucket::new();
    bucket.start().await;
    let mut ssh = Ssh::log_in(bucket.ports.ssh, "root", PASSWORD).await.expect("SSH").expect("a login");
    let mut shell = ssh.shell().await.expect("a shell");
    let rounds = if quick { 200 } else { 2000 };
    let (mut asked, mut empty) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        for (line, times) in [("uname -a", &mut asked), ("", &mut empty)] {
            let since = Instant::now();
            shell.line(line, Duration::from_secs(10)).await.expect("a prompt");
            times.push(since.elapsed().as_secs_f64() * 1000.0);
        }
    }
    bucket.assert_sound();
    bucket.stop();
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let (asked, empty) = (median(&mut asked), median(&mut empty));
    let note = format!("median of {rounds}; {asked:.2} ms in all, an empty line {empty:.2} ms");
    figure("uname_p50_ms", (asked - empty).max(0.0), "ms", Some(Target::Below(1.0)), note)
}

/// Lines that would take a real server down; each visitor of this kind begins again when it is stopped.
const ABUSE: [&str; 5] = [
    ":(){ :|:& };:",
    "yes | tr y n > /dev/null",
    "while :; do :; done",
    "cat /dev/urandom | head -c 1000000000 | md5sum",
    "seq 1 1000000000 | sort | tail -n 1",
];

/// What a quiet visitor notices of others who do all of that.
async fn neighbours(quick: bool) -> Vec<Figure> {
    let mut bucket = Bucket::new();
    bucket.start().await;
    let port = bucket.ports.ssh;
    let rounds = if quick { 100 } else { 1000 };
    let quiet = slowest_hundredth(port, rounds).await;
    let abuse = ABUSE.iter().enumerate().map(|(number, line)| {
        let source = Ipv4Addr::new(127, 66, 0, u8::try_from(number + 1).expect("a number"));
        tokio::spawn(async move {
            loop {
                let Ok(Some(mut ssh)) = Ssh::log_in_from(source, port, "root", PASSWORD).await else {
                    continue;
                };
                // However it ends: it begins again.
                let _said = ssh.exec_within(line, Duration::from_secs(60)).await;
                ssh.leave().await;
            }
        })
    });
    let abuse: Vec<_> = abuse.collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let loaded = slowest_hundredth(port, rounds).await;
    for task in abuse {
        task.abort();
    }
    bucket.assert_sound();
    bucket.stop();
    let note =
        format!("{rounds} times `uname -a` in one session while {} others do their worst", ABUSE.len());
    vec![
        figure(
            "neighbour_quiet_p99_ms",
            quiet,
            "ms",
            None,
            format!("{rounds} times `uname -a`, nobody else there"),
        ),
        figure("neighbour_p99_ms", loaded, "ms", None, note),
    ]
}

async fn slowest_hundredth(port: u16, rounds: usize) -> f64 {
    let mut ssh = Ssh::log_in(port, "root", PASSWORD).await.expect("SSH").expect("a login");
    let mut shell = ssh.shell().await.expect("a shell");
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let since = Instant::now();
        shell.line("uname -a", Duration::from_secs(60)).await.expect("a prompt");
        times.push(since.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    times[(rounds * 99 / 100).min(rounds - 1)]
}

/// Telnet sessions at a prompt, each of a visitor of its own; first without, then with one command each.
async fn memory(quick: bool) -> Vec<Figure> {
    // The bucket wants two open files for each visitor and some for itself; what the system grants less is reckoned.
    let files = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    let granted = usize::try_from(files.saturating_sub(600) / 2).unwrap_or(usize::MAX);
    let wanted = if quick { 1000 } else { granted.min(10_000) };
    let mut bucket = Bucket::new();
    bucket.set(&["limits", "idle_timeout"], "1h");
    bucket.start().await;
    let pid = bucket.process().id();
    let mut held = Vec::with_capacity(wanted);
    for number in 0..wanted {
        let source = Ipv4Addr::from(0x7f02_0001_u32 + u32::try_from(number).expect("a number"));
        held.push(at_a_prompt(source, bucket.ports.telnet).await);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let all = resident_mib(pid);
    let note = format!("from {wanted} sessions of as many visitors at a prompt, {all:.0} MiB in all");
    let scaled = all * 10_000.0 / wanted as f64;
    let mut figures = vec![figure("sessions_10000_mib", scaled, "MiB", Some(Target::Below(1024.0)), note)];
    // The first line makes what a visitor needs beyond the prompt; the first visitors' lines make what the program needs.
    let (first, tenth) = (wanted / 100, wanted / 10);
    let mut before = all;
    for (number, visitor) in held.iter_mut().take(first + tenth).enumerate() {
        if number == first {
            tokio::time::sleep(Duration::from_secs(1)).await;
            before = resident_mib(pid);
        }
        visitor.send("cd /tmp; ls; id\r\n").await.expect("a line");
        visitor.read_until(at_prompt).await.expect("a prompt");
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let grown = (resident_mib(pid) - before).max(0.0) * 1024.0 / tenth as f64;
    let note = format!("added by a first line that writes nothing, mean of {tenth} after {first} others");
    figures.push(figure("layer_kib", grown, "KiB", Some(Target::Below(40.0)), note));
    drop(held);
    bucket.assert_sound();
    bucket.stop();
    figures
}

async fn at_a_prompt(source: Ipv4Addr, port: u16) -> Lines {
    let mut visitor = Lines::telnet_from(source, port).await.expect("Telnet");
    visitor.until("login: ").await.expect("a login");
    visitor.send("root\r\n").await.expect("a name");
    visitor.until("assword: ").await.expect("a password prompt");
    visitor.send(&format!("{PASSWORD}\r\n")).await.expect("a password");
    visitor.read_until(at_prompt).await.expect("a prompt");
    visitor
}
