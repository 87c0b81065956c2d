//! The run: server by server, three rounds, medians, a table, a JSON file and the page for people.

use std::{collections::BTreeMap, process::Command, time::Duration};

use acceptance::{
    Bucket,
    bucket::Ports,
    cost, ports,
    process::Process,
    report::{self, Figure, Target, figure},
};

use super::{bare, script, visits};

/// Share of the bare server's rate that is aimed at.
const OF_LIMIT: [(&str, f64); 5] =
    [("ssh", 0.6), ("telnet", 0.4), ("ftp", 0.6), ("smtp", 0.55), ("http", 0.5)];
/// Connections that are held idle.
const IDLE: usize = 5000;
/// Rounds; the median counts.
const ROUNDS: usize = 3;

/// Measures everything and writes it down.
pub async fn measure(quick: bool, prefix: Vec<String>) {
    let mut figures = Vec::new();
    memory(&prefix, &mut figures).await;

    let mut bucket = Bucket::new();
    bucket.prefix.clone_from(&prefix);
    bucket.start().await;
    let pid = bucket.process().id();
    eprintln!("recording one visit of each protocol");
    let mut answers = BTreeMap::new();
    for protocol in script::NAMES {
        let recorded = script::record(protocol, port_of(&bucket.ports, protocol)).await;
        answers.insert(protocol.to_owned(), recorded.unwrap_or_else(|error| panic!("{error}")));
    }
    let home = tempfile::tempdir().expect("a folder");
    let (mut bare, bare_ports) = start_bare(&prefix, home.path(), &answers).await;
    let time = Duration::from_millis(if quick { 1000 } else { 4000 });
    let mut rates: BTreeMap<&str, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    for round in 1..=ROUNDS {
        for (protocol, _) in OF_LIMIT {
            eprintln!("round {round} of {ROUNDS}: {protocol}");
            let limit = visits::per_core_second(protocol, bare_ports[protocol], bare.id(), time).await;
            let ours = visits::per_core_second(protocol, port_of(&bucket.ports, protocol), pid, time).await;
            let rate = rates.entry(protocol).or_default();
            rate.0.push(ours);
            rate.1.push(limit);
        }
    }
    bare.assert_alive();
    for (protocol, target) in OF_LIMIT {
        let (ours, limit) = &rates[protocol];
        let (ours, limit) = (median(ours), median(limit));
        let note = format!("bare server {limit:.0}");
        figures.push(figure(format!("{protocol}_per_core_s"), ours, "visits/core s", None, note));
        let note = "share of the bare server's rate".to_owned();
        figures.push(figure(
            format!("{protocol}_of_limit"),
            ours / limit,
            "",
            Some(Target::AtLeast(target)),
            note,
        ));
    }

    eprintln!("commands in an open SSH session");
    let count = if quick { 400 } else { 4000 };
    let times = visits::command_times(bucket.ports.ssh, count).await;
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let note = format!("{count} commands in one session");
    figures.push(figure("ssh_command_p50_ms", at(0.5), "ms", Some(Target::Below(0.8)), note.clone()));
    figures.push(figure("ssh_command_p99_ms", at(0.99), "ms", None, note));
    bucket.assert_sound();
    bucket.stop();
    report::write("visit", "bench visit", &figures, quick);
}

/// A fresh bucket: at rest, and with idle visitors.
async fn memory(prefix: &[String], figures: &mut Vec<Figure>) {
    let mut bucket = Bucket::new();
    bucket.prefix = prefix.to_vec();
    bucket.set(&["limits", "idle_timeout"], "1h");
    bucket.start().await;
    let pid = bucket.process().id();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let note = "one second after the start".to_owned();
    figures.push(figure("rss_start_mib", cost::resident_mib(pid), "MiB", Some(Target::Below(25.0)), note));
    eprintln!("{IDLE} idle connections");
    let ports = &bucket.ports;
    let held = visits::idle(
        &[
            (ports.ssh, true),
            (ports.telnet, true),
            (ports.ftp, true),
            (ports.smtp, true),
            (ports.http, false),
        ],
        IDLE,
    )
    .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let note = format!("resident in all, {} connections on each of five ports", held.len() / 5);
    figures.push(figure("idle_5000_mib", cost::resident_mib(pid), "MiB", None, note));
    drop(held);
    bucket.assert_sound();
    bucket.stop();
}

async fn start_bare(
    prefix: &[String],
    home: &std::path::Path,
    answers: &BTreeMap<String, Vec<(usize, Vec<u8>)>>,
) -> (Process, BTreeMap<String, u16>) {
    let names = OF_LIMIT.iter().map(|(name, _)| (*name).to_owned());
    let bare_ports: BTreeMap<String, u16> = names.zip(ports::free(OF_LIMIT.len())).collect();
    let path = home.join("script.json");
    bare::write(&path, &bare_ports, answers);
    let ourselves = std::env::current_exe().expect("our own path");
    let words: Vec<&std::ffi::OsStr> = prefix
        .iter()
        .map(AsRef::as_ref)
        .chain([ourselves.as_os_str(), "bare".as_ref(), path.as_os_str()])
        .collect();
    let mut process = Process::start(Command::new(words[0]).args(&words[1..]), home);
    let all_open = async || bare_ports.values().all(|port| ports::is_listening(*port)).then_some(());
    process.wait_for("the bare server", all_open).await;
    (process, bare_ports)
}

fn port_of(ports: &Ports, protocol: &str) -> u16 {
    match protocol {
        "ssh" => ports.ssh,
        "telnet" => ports.telnet,
        "ftp" => ports.ftp,
        "smtp" => ports.smtp,
        _ => ports.http,
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
