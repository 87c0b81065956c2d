//! The visitors: as many complete visits as fit into a time, latency of commands, idle connections.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use acceptance::{
    bucket::PASSWORD,
    clients::{Lines, Ssh},
    cost::cpu_seconds,
};

use super::script::{self, Step};

/// Commands of an open session, as attackers type them.
const COMMANDS: [&str; 4] = ["uname -a", "id", "cat /proc/cpuinfo | grep name | wc -l", "ls -la /tmp"];

/// Complete visits per second of the server's CPU time.
pub async fn per_core_second(protocol: &'static str, port: u16, pid: u32, time: Duration) -> f64 {
    let at_once = if protocol == "ssh" { 8 } else { 32 };
    let done = Arc::new(AtomicU64::new(0));
    let steps: Arc<Vec<Step>> = Arc::new(if protocol == "ssh" { Vec::new() } else { script::of(protocol) });
    one(protocol, &steps, port).await; // warm
    let cpu = cpu_seconds(pid);
    let end = Instant::now() + time;
    let visitors: Vec<_> = (0..at_once)
        .map(|_| {
            let (done, steps) = (Arc::clone(&done), Arc::clone(&steps));
            tokio::spawn(async move {
                while Instant::now() < end {
                    one(protocol, &steps, port).await;
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for visitor in visitors {
        visitor.await.expect("a visitor");
    }
    // What the server does after the last goodbye belongs to the visits too.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let used = cpu_seconds(pid) - cpu;
    done.load(Ordering::Relaxed) as f64 / used.max(0.01)
}

async fn one(protocol: &str, steps: &[Step], port: u16) {
    if protocol == "ssh" {
        let ssh = Ssh::log_in(port, "root", PASSWORD).await.expect("SSH");
        let mut ssh = ssh.expect("the password is accepted");
        let output = ssh.exec("uname -a").await.expect("a command");
        assert!(output.out.starts_with("Linux "), "{output:?}");
        ssh.leave().await;
        return;
    }
    script::visit(protocol, steps, port).await.unwrap_or_else(|error| panic!("{protocol}: {error}"));
}

/// Milliseconds of each command in one open SSH session, sorted.
pub async fn command_times(port: u16, count: usize) -> Vec<f64> {
    let mut ssh = Ssh::log_in(port, "root", PASSWORD).await.expect("SSH").expect("the password is accepted");
    let mut shell = ssh.shell().await.expect("a shell");
    let mut times = Vec::with_capacity(count);
    for (number, command) in COMMANDS.iter().cycle().take(count + COMMANDS.len()).enumerate() {
        let since = Instant::now();
        shell.line(command, Duration::from_secs(10)).await.unwrap_or_else(|| panic!("{command} hangs"));
        if number >= COMMANDS.len() {
            times.push(since.elapsed().as_secs_f64() * 1000.0);
        }
    }
    times.sort_by(f64::total_cmp);
    times
}

/// Opens connections and holds them, each after the server's first words where it speaks first.
pub async fn idle(ports: &[(u16, bool)], count: usize) -> Vec<Lines> {
    let mut held = Vec::with_capacity(count);
    for number in 0..count {
        let (port, speaks) = ports[number % ports.len()];
        let mut visitor =
            Lines::connect(port).await.unwrap_or_else(|error| panic!("connection {number}: {error}"));
        if speaks {
            visitor
                .read_until(|bytes| !bytes.is_empty())
                .await
                .unwrap_or_else(|error| panic!("connection {number}: {error}"));
        }
        held.push(visitor);
    }
    held
}
