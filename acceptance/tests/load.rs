//! A crowd, and people who mean harm: ten thousand silent connections, endless lines, NULs, drips, uploads that never
//! end. Memory stays bounded, everybody else is served, and every event is there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::Ipv4Addr,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use acceptance::{
    Bucket,
    bucket::PASSWORD,
    clients::{Lines, Ssh, lines::stream_from},
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

/// What the registry calls itself with.
const TOKEN: &str = "acceptance-load-token-0123456789abcdef";
/// How many silent connections there should be in all.
const CROWD: usize = 10_000;
/// Silent connections that come from one address.
const PER_SOURCE: usize = 250;
/// `[limits] memory`, in MiB; a quarter of it is for uploads under way.
const MEMORY: u64 = 64;
/// What a silent connection may cost, in KiB; and the program itself with its caches, in MiB.
const EACH_KIB: u64 = 16;
const OWN_MIB: u64 = 96;
/// One endless line.
const LONG: usize = 1 << 20;
/// A guard against hanging, not a measurement.
const HANG: Duration = Duration::from_secs(240);

/// Connections made to trap ports, as this side counts them.
static MADE: AtomicU64 = AtomicU64::new(0);

async fn connect(source: Ipv4Addr, port: u16) -> io::Result<TcpStream> {
    let stream = stream_from(source, port).await?;
    MADE.fetch_add(1, Ordering::Relaxed);
    Ok(stream)
}

/// Files that this process and the bucket may open; as many as the crowd needs where the system allows it.
fn open_files() -> u64 {
    let wanted = 2 * CROWD as u64 + 4096;
    let now = getrlimit(Resource::Nofile);
    let hard = now.maximum.unwrap_or(u64::MAX).max(wanted);
    if setrlimit(Resource::Nofile, Rlimit { current: Some(hard), maximum: Some(hard) }).is_err() {
        // Only root may raise the hard limit.
        setrlimit(Resource::Nofile, Rlimit { current: now.maximum, maximum: now.maximum }).unwrap();
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// The most memory the program ever had (proc(5), VmHWM), in MiB.
fn peak_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// One of 127.0.0.0/8, told apart by the bucket.
fn source(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 20, u8::try_from(number / 250).unwrap(), u8::try_from(number % 250 + 1).unwrap())
}

/// A visitor of every port, and the registry: all are served.
async fn everybody_is_served(bucket: &Bucket, number: u8) {
    let (ports, me) = (&bucket.ports, Ipv4Addr::new(127, 9, 9, number));
    let served = async {
        MADE.fetch_add(4, Ordering::Relaxed);
        let mut ssh = Ssh::log_in_from(me, ports.ssh, "root", PASSWORD).await.unwrap().unwrap();
        assert_eq!(ssh.exec("echo $((40+2))").await.unwrap().out, "42\n");
        ssh.leave().await;
        let mut telnet = Lines::telnet_from(me, ports.telnet).await.unwrap();
        telnet.log_in("root", PASSWORD).await.unwrap();
        telnet.send_line("echo still $((40+2))").await.unwrap();
        telnet.until("still 42\r\n").await.unwrap();
        let mut ftp = Lines::connect_from(me, ports.ftp).await.unwrap();
        assert!(ftp.reply().await.unwrap().starts_with("220 "));
        assert!(ftp.ask("USER root").await.unwrap().starts_with("331 "));
        assert!(ftp.ask(&format!("PASS {PASSWORD}")).await.unwrap().starts_with("230 "));
        let mut smtp = Lines::connect_from(me, ports.smtp).await.unwrap();
        assert!(smtp.reply().await.unwrap().starts_with("220 "));
        assert!(smtp.ask("EHLO load.example").await.unwrap().starts_with("250"));
        assert_eq!(get(me, ports.http).await, 200);
        assert!(registry_is_answered(bucket).await > 0);
    };
    tokio::time::timeout(HANG, served).await.expect("everybody is served while others mean harm");
}

/// One page; gives its status.
async fn get(me: Ipv4Addr, port: u16) -> u16 {
    MADE.fetch_add(1, Ordering::Relaxed);
    let mut http = Lines::connect_from(me, port).await.unwrap();
    http.send("GET / HTTP/1.1\r\nHost: load\r\nConnection: close\r\n\r\n").await.unwrap();
    let head = http.until("\r\n\r\n").await.unwrap();
    head.split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("no status in {head:?}"))
}

/// `/update_bucket` and `/extract_logs`, as the registry asks; gives the last sequence number.
async fn registry_is_answered(bucket: &Bucket) -> u64 {
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build().unwrap();
    let base = format!("https://127.0.0.1:{}", bucket.ports.management);
    let update = client.get(format!("{base}/update_bucket")).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(update.status(), 200);
    let update: Value = serde_json::from_str(&update.text().await.unwrap()).unwrap();
    assert_eq!(update["status"], "ok", "{update}");
    // Nothing is acknowledged: the log stays whole for this test.
    let logs = client
        .get(format!("{base}/extract_logs?after=0&limit=100000"))
        .bearer_auth(TOKEN)
        .send()
        .await
        .unwrap();
    assert_eq!(logs.status(), 200);
    let last = logs.headers()["x-rustbucket-last-seq"].to_str().unwrap().parse().unwrap();
    assert!(!logs.bytes().await.unwrap().is_empty());
    last
}

/// Says so much and then nothing, for as long as the stream is kept. Who is closed on has said enough.
async fn say(stream: &mut TcpStream, bytes: &[u8]) {
    // The bucket may close, or stop reading: both are its right.
    let _said = tokio::time::timeout(Duration::from_secs(20), stream.write_all(bytes)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_and_those_who_mean_harm_hurt_nobody_else() {
    acceptance::init();
    let files = open_files();
    let mut bucket = Bucket::new();
    std::fs::write(bucket.home().join("token.txt"), format!("{TOKEN}\n")).unwrap();
    // The bucket wants two files a connection (FTP's data), and some for itself; we have one.
    let crowd = CROWD.min(usize::try_from(files.saturating_sub(2048) / 2).unwrap());
    println!("{files} files may be open: a crowd of {crowd}");
    let connections = i64::try_from(crowd + 600).unwrap();
    for (key, value) in
        [("connections", connections), ("per_source", PER_SOURCE as i64 + 50), ("per_second", 100_000)]
    {
        bucket.set(&["limits", key], value);
    }
    bucket.set(&["limits", "memory"], format!("{MEMORY}MiB"));
    bucket.set(&["limits", "idle_timeout"], "20m");
    bucket.start().await;
    let pid = bucket.process().id();
    let ports = bucket.ports.clone();
    let traps = [ports.ssh, ports.telnet, ports.ftp, ports.smtp, ports.http];
    everybody_is_served(&bucket, 1).await;

    // More than one address may have, while the house has room.
    let mut many = Vec::new();
    for _ in 0..2 * PER_SOURCE {
        many.push(connect(source(80), ports.smtp).await.unwrap());
    }
    drop(many);
    everybody_is_gone(&bucket).await;

    // Connected, and silent: on all five ports alike.
    let mut silent = Vec::with_capacity(crowd);
    let began = Instant::now();
    for number in 0..crowd {
        let stream = connect(source(number / PER_SOURCE), traps[number % traps.len()]).await;
        silent.push(stream.unwrap_or_else(|error| panic!("connection {number}: {error}")));
        assert!(began.elapsed() < HANG, "{number} of {crowd} connections, and it hangs");
    }
    everybody_is_served(&bucket, 2).await;
    bucket.assert_sound();
    println!("{crowd} silent connections: {} MiB at most", peak_mib(pid));

    // One line without an end, and nothing but NULs, on every port; and one who drips.
    let mut rude = Vec::new();
    for (kind, byte) in [(0, b'A'), (1, 0)] {
        for (number, port) in traps.iter().cycle().take(30).enumerate() {
            let port = *port;
            rude.push(tokio::spawn(async move {
                let mut stream = connect(source(60 + kind), port).await.unwrap();
                let mut line = vec![byte; LONG];
                if number % 2 == 0 {
                    line.extend_from_slice(b"\r\n");
                }
                say(&mut stream, &line).await;
                stream
            }));
        }
    }
    let drips = traps.map(|port| {
        tokio::spawn(async move {
            let mut stream = connect(source(62), port).await.unwrap();
            for byte in b"USER nobody\r\nGET / HTTP/1.1\r\nHost: drip\r\n".iter().cycle().take(2000) {
                if stream.write_all(&[*byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
    });
    let mut ssh = Ssh::log_in_from(source(63), ports.ssh, "root", PASSWORD).await.unwrap().unwrap();
    MADE.fetch_add(1, Ordering::Relaxed);
    let mut shell = ssh.shell().await.unwrap();
    shell.type_bytes(vec![b'x'; LONG]).await.expect("a line without an end is taken");
    everybody_is_served(&bucket, 3).await;
    let mut still = Vec::new();
    for task in rude {
        still.push(tokio::time::timeout(HANG, task).await.expect("no hang").unwrap());
    }
    everybody_is_served(&bucket, 4).await;
    bucket.assert_sound();

    // Bodies that never end, from eight addresses: together five times what there is memory for.
    let mut bodies = Vec::new();
    for number in 0..100 {
        let mut stream = connect(source(70 + number % 8), ports.http).await.unwrap();
        say(&mut stream, b"POST /x HTTP/1.1\r\nHost: load\r\nContent-Length: 1000000\r\n\r\n").await;
        say(&mut stream, &[b'x'; 800_000]).await;
        bodies.push(stream);
    }
    everybody_is_served(&bucket, 5).await;
    assert!(hits(&bucket.events(), "memory") > 0, "the memory for uploads was not used up");
    drop(bodies);

    // More than the house holds.
    let mut full = false;
    for number in 0..crowd {
        still.push(connect(source(81 + number / PER_SOURCE), ports.ftp).await.unwrap());
        // Those who said nothing for long may have been sent away by now: how many more fit is not known.
        if number % 600 == 599 {
            full = hits(&bucket.events(), "connections") > 0;
        }
        if full {
            break;
        }
    }
    drop((silent, still, shell, ssh));
    for drip in drips {
        drip.abort();
    }
    everybody_is_gone(&bucket).await;
    everybody_is_served(&bucket, 6).await;
    let peak = peak_mib(pid);
    let bound = OWN_MIB + MEMORY + crowd as u64 * EACH_KIB / 1024;
    println!("{} connections in all: {peak} MiB at most, bound {bound} MiB", MADE.load(Ordering::Relaxed));
    assert!(peak < bound, "{peak} MiB resident at the worst moment, and {bound} MiB are the bound");
    bucket.assert_sound();
    bucket.stop();
    assert_everything_is_told(&bucket.events());
}

/// How many events say that this limit was reached.
fn hits(events: &[Value], limit: &str) -> usize {
    events
        .iter()
        .filter(|event| event["eventid"] == "rustbucket.limit.hit" && event["limit"] == limit)
        .count()
}

/// Waits until every session that began is closed.
async fn everybody_is_gone(bucket: &Bucket) {
    let since = Instant::now();
    loop {
        let events = bucket.events();
        let count = |id: &str| events.iter().filter(|event| event["eventid"] == id).count();
        let (begun, closed) = (count("cowrie.session.connect"), count("cowrie.session.closed"));
        if begun == closed {
            return;
        }
        assert!(since.elapsed() < HANG, "{} of {begun} sessions do not close", begun - closed);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_floods_the_log_or_the_files_is_stopped_and_others_are_not() {
    acceptance::init();
    let mut bucket = Bucket::new();
    bucket.set(&["limits", "events_per_hour"], 400);
    bucket.set(&["limits", "artifacts_per_hour"], "100KiB");
    bucket.start().await;
    let (ports, flooder) = (bucket.ports.clone(), Ipv4Addr::new(127, 30, 0, 1));
    let mut ftp = Lines::connect_from(flooder, ports.ftp).await.unwrap();
    ftp.reply().await.unwrap();
    let flood = async { while ftp.ask("NOOP").await.is_ok() {} };
    tokio::time::timeout(HANG, flood).await.expect("the flood is stopped");
    let mut again = Lines::connect_from(flooder, ports.ftp).await.unwrap();
    let refused = again.reply().await.unwrap();
    assert!(refused.starts_with("421 "), "{refused}");

    let bringer = Ipv4Addr::new(127, 30, 0, 2);
    for number in 0..3 {
        let mut http = Lines::connect_from(bringer, ports.http).await.unwrap();
        let body = format!("{number}").repeat(60 * 1024);
        http.send(format!(
            "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await
        .unwrap();
        http.rest(Duration::from_secs(20)).await.unwrap();
    }
    let mut other = Lines::connect_from(Ipv4Addr::new(127, 30, 0, 3), ports.smtp).await.unwrap();
    assert!(other.reply().await.unwrap().starts_with("220 "), "others are served");
    let events = bucket.events();
    assert!(
        hits(&events, "events_per_hour") >= 2 && hits(&events, "artifacts_per_hour") == 2,
        "{:?}",
        events.last()
    );
    let files = std::fs::read_dir(bucket.home().join("state/artifacts")).unwrap().count();
    assert_eq!(files, 1, "what is more than the share is told and not kept");
    bucket.assert_sound();
    bucket.stop();
}

fn assert_everything_is_told(events: &[Value]) {
    let seqs: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    let whole: Vec<u64> = (1..=seqs.len() as u64).collect();
    assert!(seqs == whole, "a gap, or a line twice, among {} events", seqs.len());
    assert!(events.iter().all(|event| event["eventid"] != "rustbucket.log.gap"));

    // Everybody who connected has an event: of their own, or among those whom one event tells together.
    let mut sessions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for event in events.iter().filter(|event| event["protocol"] != "rustbucket") {
        let ids = sessions.entry(event["session"].as_str().unwrap()).or_default();
        ids.insert(event["eventid"].as_str().unwrap());
    }
    for (session, ids) in &sessions {
        assert!(
            ids.contains("cowrie.session.connect") && ids.contains("cowrie.session.closed"),
            "{session}: {ids:?}"
        );
    }
    let of_door =
        |limit: &Value| ["connections", "per_source", "per_second"].iter().any(|door| limit == door);
    let told: Vec<u64> = events
        .iter()
        .filter(|event| event["eventid"] == "rustbucket.limit.hit" && of_door(&event["limit"]))
        .map(|event| event["value"].as_u64().unwrap())
        .collect();
    let turned_away: u64 = told.iter().sum();
    let admitted = sessions.len() as u64 - told.len() as u64;
    println!("{admitted} were let in, {turned_away} turned away, told by {} events", told.len());
    assert_eq!(admitted + turned_away, MADE.load(Ordering::Relaxed), "every connection has its event");
    for limit in ["per_source", "connections", "line_bytes", "memory"] {
        assert!(hits(events, limit) > 0, "nobody reached {limit}");
    }
    let protocols: BTreeSet<&str> = events.iter().map(|event| event["protocol"].as_str().unwrap()).collect();
    for protocol in ["ssh", "telnet", "ftp", "smtp", "http"] {
        assert!(protocols.contains(protocol), "nothing was told of {protocol}");
    }
}
