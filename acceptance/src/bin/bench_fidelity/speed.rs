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

/// The figures of this group.
pub async fn measure(quick: bool) -> Vec<Figure> {
    let mut figures = vec![answer(quick).await];
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

/// Telnet sessions at a prompt, each of a visitor of its own; first without, then with one command each.
async fn memory(quick: bool) -> Vec<Figure> {
    let wanted = if quick { 1000 } else { 10_000 };
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
    let note = format!("resident in all with {wanted} sessions of as many visitors at a prompt");
    let scaled = if quick { all * 10.0 } else { all };
    let mut figures = vec![figure("sessions_10000_mib", scaled, "MiB", Some(Target::Below(1024.0)), note)];
    // The first line makes what a visitor needs beyond the prompt.
    let tenth = wanted / 10;
    for visitor in held.iter_mut().take(tenth) {
        visitor.send("cd /tmp; ls; id\r\n").await.expect("a line");
        visitor.read_until(at_prompt).await.expect("a prompt");
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let grown = (resident_mib(pid) - all).max(0.0) * 1024.0 / tenth as f64;
    let note = format!("added by a first line that writes nothing, mean of {tenth}");
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
