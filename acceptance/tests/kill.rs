//! kill -9 of bucket and registry at random moments while visits go on: nothing the log had is missing from the tables, none doubled.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use acceptance::{
    Bucket, Registry,
    bucket::{PASSWORD, Ports},
    clients::{Lines, Ssh, at_prompt},
};
use rand::RngExt as _;
use serde_json::Value;

/// How often something is killed.
const KILLS: usize = 20;
/// Visitors at the same time.
const VISITORS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_event_is_lost_or_doubled() {
    acceptance::init();
    let mut registry = Registry::new();
    for (job, period) in [("update_buckets", "2s"), ("extract_logs", "1s"), ("parse_logs", "1s")] {
        registry.set(&["schedule", job], period);
    }
    registry.start().await;
    let mut bucket = Bucket::new();
    bucket.register_at(&registry.url, &registry.make_key());
    bucket.start().await;
    let name = bucket.name();
    registry.wait_until_active(&name).await;

    let stop = Arc::new(AtomicBool::new(false));
    let visits = Arc::new(AtomicUsize::new(0));
    let visitors: Vec<_> = (0..VISITORS)
        .map(|number| {
            tokio::spawn(visit_again_and_again(
                bucket.ports.clone(),
                number,
                Arc::clone(&stop),
                Arc::clone(&visits),
            ))
        })
        .collect();

    let mut seen: BTreeMap<u64, String> = BTreeMap::new();
    for kill in 0..KILLS {
        let moment = rand::rng().random_range(50..1500);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        // Both in turn, and every fifth time both at once.
        if kill % 2 == 0 || kill % 5 == 4 {
            bucket.kill();
            remember(&mut seen, &bucket);
            bucket.start().await;
        }
        if kill % 2 == 1 || kill % 5 == 4 {
            registry.kill();
            registry.start().await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for visitor in visitors {
        visitor.await.unwrap();
    }
    remember(&mut seen, &bucket);
    assert!(visits.load(Ordering::Relaxed) > VISITORS, "visits went on");

    let tables = registry.tables().await;
    let mut rows = Vec::new();
    for _ in 0..120 {
        registry.run_job("extract_logs");
        registry.run_job("parse_logs");
        rows = tables.logs(&name).await;
        if rows.len() >= seen.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let mut filed: BTreeMap<u64, usize> = BTreeMap::new();
    for row in &rows {
        *filed.entry(row["seq"].as_u64().unwrap()).or_default() += 1;
    }
    let doubled: Vec<_> = filed.iter().filter(|(_, count)| **count > 1).collect();
    assert!(doubled.is_empty(), "filed more than once: {doubled:?}");
    let missing: Vec<_> = seen.keys().filter(|seq| !filed.contains_key(seq)).collect();
    assert!(missing.is_empty(), "in the log and not in the tables: {missing:?}");
    let by_seq: BTreeMap<u64, &Value> = rows.iter().map(|row| (row["seq"].as_u64().unwrap(), row)).collect();
    for (seq, line) in &seen {
        let logged: Value = serde_json::from_str(line).unwrap();
        assert_eq!(*by_seq[seq], logged, "event {seq} is filed as it was logged");
    }
    println!(
        "kill: {KILLS} kills, {} visits, {} events, none lost, none doubled",
        visits.load(Ordering::Relaxed),
        seen.len()
    );
    bucket.assert_sound();
    bucket.stop();
    registry.stop();
}

/// Takes down what the log has now; a line that was there once may never change.
fn remember(seen: &mut BTreeMap<u64, String>, bucket: &Bucket) {
    let lines = bucket.lines();
    let mut present = BTreeMap::new();
    for line in lines {
        let event: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line}"));
        let seq = event["seq"].as_u64().unwrap();
        if let Some(earlier) = seen.get(&seq) {
            assert_eq!(*earlier, line, "event {seq} changed");
        }
        assert!(present.insert(seq, ()).is_none(), "event {seq} twice in the log");
        seen.insert(seq, line);
    }
}

/// Visits until told to stop; a server that dies in the middle is what this is about.
async fn visit_again_and_again(ports: Ports, number: usize, stop: Arc<AtomicBool>, visits: Arc<AtomicUsize>) {
    for round in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let visit = async {
            match (number + round) % 4 {
                0 => ssh_visit(&ports, round).await,
                1 => telnet_visit(&ports, round).await,
                2 => ftp_visit(&ports).await,
                _ => http_visit(&ports, round).await,
            }
        };
        match tokio::time::timeout(Duration::from_secs(20), visit).await {
            Ok(Some(())) => {
                visits.fetch_add(1, Ordering::Relaxed);
            }
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn ssh_visit(ports: &Ports, round: usize) -> Option<()> {
    let mut ssh = Ssh::log_in(ports.ssh, "root", PASSWORD).await.ok()??;
    ssh.exec(&format!("echo ssh {round}; uname -a")).await.ok()?;
    ssh.leave().await;
    Some(())
}

async fn telnet_visit(ports: &Ports, round: usize) -> Option<()> {
    let mut visitor = Lines::telnet(ports.telnet).await.ok()?;
    visitor.log_in("root", PASSWORD).await.ok()?;
    for line in [format!("echo telnet {round}"), "id".into(), "cat /proc/cpuinfo".into()] {
        visitor.send_line(&line).await.ok()?;
        visitor.read_until(at_prompt).await.ok()?;
    }
    Some(())
}

async fn ftp_visit(ports: &Ports) -> Option<()> {
    let mut visitor = Lines::connect(ports.ftp).await.ok()?;
    visitor.reply().await.ok()?;
    for line in
        ["USER root".to_owned(), format!("PASS {PASSWORD}"), "SYST".into(), "PWD".into(), "QUIT".into()]
    {
        visitor.ask(&line).await.ok()?;
    }
    Some(())
}

async fn http_visit(ports: &Ports, round: usize) -> Option<()> {
    let mut visitor = Lines::connect(ports.http).await.ok()?;
    visitor.send(format!("GET /{round} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await.ok()?;
    let answer = visitor.rest(Duration::from_secs(5)).await.ok()?;
    answer.starts_with(b"HTTP/1.1 ").then_some(())
}
