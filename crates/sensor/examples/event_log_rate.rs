//! Measures what one event costs: `cargo run --release -p sensor --example event_log_rate [EVENTS [THREADS]]`.

use std::sync::Arc;
use std::time::Instant;

use sensor::event_log::{EventLog, Options, system_clock};
use wire::{Event, EventKind, Protocol, Stamp};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let events: u64 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let threads: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let log = EventLog::open(Options {
        log_directory: folder.path().join("logs"),
        state_directory: folder.path().join("state"),
        retention_days: 30,
        max_bytes: 8 << 30,
        registry: true,
        sensor: "rustbucket-abcdefgh".into(),
        uuid: "6f9619ff-8b86-4d01-b42d-00cf4fc964ff".into(),
        clock: system_clock(),
    })?;
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| write(&log, events / threads));
        }
    });
    let spent = start.elapsed();
    let written = log.positions().last_seq;
    log.close()?;
    println!(
        "{written} events, {threads} thread(s): {:.2} us an event, {:.0} events/s, synced {:.1} s after the last",
        spent.as_secs_f64() * 1e6 / written as f64,
        written as f64 / spent.as_secs_f64(),
        (start.elapsed() - spent).as_secs_f64(),
    );
    let (start, mut after, mut bytes) = (Instant::now(), 0, 0);
    while let Some(extract) = log.read_after(after, 8 << 20)? {
        (after, bytes) = (extract.last_seq, bytes + extract.bytes.len());
    }
    println!(
        "read back {bytes} bytes, {:.0} bytes an event, in {:.2} s",
        bytes as f64 / written as f64,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// As a session does it: the stamp's parts are shared, the rest is made for each event.
fn write(log: &EventLog, count: u64) {
    let [sensor, uuid, session, visitor, address]: [Arc<str>; 5] = [
        "rustbucket-abcdefgh".into(),
        "6f9619ff-8b86-4d01-b42d-00cf4fc964ff".into(),
        "0123456789ab".into(),
        "203.0.113.9".into(),
        "198.51.100.7".into(),
    ];
    let boot_id = log.boot_id();
    for _ in 0..count {
        let kind = EventKind::command_input(b"cat /proc/cpuinfo | grep name | wc -l");
        let message = kind.message();
        log.append(|seq, timestamp| Event {
            kind,
            message,
            stamp: Stamp {
                timestamp: timestamp.to_owned(),
                sensor: Arc::clone(&sensor),
                uuid: Arc::clone(&uuid),
                session: Arc::clone(&session),
                src_ip: Arc::clone(&visitor),
                src_port: 40_022,
                dst_ip: Arc::clone(&address),
                dst_port: 22,
                protocol: Protocol::Ssh,
                seq,
                boot_id: Arc::clone(&boot_id),
                event_uuid: log.event_uuid(seq),
                schema: wire::event::SCHEMA,
            },
        });
    }
}
