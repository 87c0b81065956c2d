//! Recorded visits of real attackers, played again: nothing panics, nothing hangs, everything is logged once and in order.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    time::Duration,
};

use acceptance::{
    Bucket,
    bucket::PASSWORD,
    clients::{LEAVING, Lines, Ssh, at_prompt},
    corpora,
    standins::{Dialect, StandIn},
};
use base64::Engine as _;
use futures::{StreamExt as _, stream};
use serde_json::Value;

/// Visits at the same time.
const AT_ONCE: usize = 16;
/// Sessions over each of SSH with a terminal, SSH without one, and Telnet.
const SESSIONS: [(Way, usize); 3] = [(Way::Shell, 260), (Way::Exec, 120), (Way::Telnet, 140)];
/// How long a program may keep the terminal before Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(6);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Shell,
    Exec,
    Telnet,
}

/// Each visitor has an address of its own, so that nobody finds what another one left.
fn source(number: usize) -> Ipv4Addr {
    let [high, low] = u16::try_from(number).unwrap().to_be_bytes();
    Ipv4Addr::new(127, 20, high, low)
}

/// Sessions that can be typed: no control characters, which act on a terminal, and no empty lines.
fn typed_sessions() -> Option<Vec<(Way, Vec<String>)>> {
    let all: Vec<Vec<String>> = corpora::read("sessions_open.jsonl")?
        .iter()
        .map(|record| corpora::texts(record, "commands"))
        .filter(|lines| !lines.is_empty())
        .filter(|lines| {
            lines.iter().all(|line| !line.trim().is_empty() && !line.chars().any(char::is_control))
        })
        .collect();
    let wanted: usize = SESSIONS.iter().map(|(_, count)| count).sum();
    let step = all.len() / wanted;
    assert!(step > 0, "too few sessions");
    let ways = SESSIONS.iter().flat_map(|(way, count)| std::iter::repeat_n(*way, *count));
    Some(ways.zip(all.into_iter().step_by(step)).collect())
}

/// Plays one session; gives the lines that were really typed.
async fn play(
    bucket_ports: &acceptance::bucket::Ports,
    number: usize,
    way: Way,
    lines: &[String],
) -> Result<Vec<String>, String> {
    let from = source(number);
    let fault =
        |step: &str, error: &dyn std::fmt::Display| format!("session {number} ({way:?}), {step}: {error}");
    let mut typed = Vec::new();
    if way == Way::Telnet {
        let mut visitor =
            Lines::telnet_from(from, bucket_ports.telnet).await.map_err(|e| fault("connect", &e))?;
        visitor.log_in("root", PASSWORD).await.map_err(|e| fault("login", &e))?;
        for line in lines {
            if visitor.send_line(line).await.is_err() {
                break;
            }
            typed.push(line.clone());
            let prompt = tokio::time::timeout(PATIENCE, visitor.read_until(at_prompt)).await;
            match prompt {
                Ok(Ok(_)) => {}
                Ok(Err(_)) if visitor.is_closed() => break,
                Ok(Err(error)) => return Err(fault(line, &error)),
                Err(_) => {
                    let mut left = false;
                    for keys in LEAVING {
                        visitor.send(keys).await.map_err(|e| fault(line, &e))?;
                        let prompt = tokio::time::timeout(PATIENCE, visitor.read_until(at_prompt)).await;
                        left = matches!(prompt, Ok(Ok(_)));
                        if left {
                            break;
                        }
                    }
                    if !left {
                        return Err(fault(line, &"hangs, whatever is typed"));
                    }
                }
            }
        }
        return Ok(typed);
    }
    let mut ssh = Ssh::log_in_from(from, bucket_ports.ssh, "root", PASSWORD)
        .await
        .map_err(|e| fault("login", &e))?
        .ok_or_else(|| fault("login", &"refused"))?;
    if way == Way::Exec {
        for line in lines {
            typed.push(line.clone());
            match ssh.exec(line).await {
                Ok(_) => {}
                // A line may sleep for hours, here as on a real machine: its visitor goes.
                Err(russh::Error::ConnectionTimeout) => break,
                Err(error) => return Err(fault(line, &error)),
            }
        }
    } else {
        let mut shell = ssh.shell().await.map_err(|e| fault("shell", &e))?;
        for line in lines {
            typed.push(line.clone());
            if shell.line(line, PATIENCE).await.is_none() {
                if shell.has_ended() {
                    break;
                }
                return Err(fault(line, &"hangs, whatever is typed"));
            }
        }
    }
    ssh.leave().await;
    Ok(typed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_sessions_over_ssh_and_telnet() {
    acceptance::init();
    let Some(sessions) = typed_sessions() else { return };
    assert!(sessions.len() >= 500, "{} sessions", sessions.len());
    let model = StandIn::start(Dialect::OpenAi, "done").await;
    let mut bucket = Bucket::new();
    bucket.set(&["chat", "providers"], toml::Value::Array(vec!["chatgpt".into()]));
    bucket.set(&["openai", "base_url"], format!("{}/v1", model.url));
    bucket.start().await;
    let ports = bucket.ports.clone();
    let results: Vec<(usize, Result<Vec<String>, String>)> = stream::iter(sessions.iter().enumerate())
        .map(|(number, (way, lines))| {
            let ports = &ports;
            async move { (number, play(ports, number, *way, lines).await) }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    bucket.assert_sound();
    bucket.stop();

    let faults: Vec<&String> = results.iter().filter_map(|(_, result)| result.as_ref().err()).collect();
    assert!(faults.is_empty(), "{} of {} sessions failed: {faults:#?}", faults.len(), results.len());
    let events = bucket.events();
    let mut logged: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in events.iter().filter(|event| event["eventid"] == "cowrie.command.input") {
        // A line that goes on over several prompts may be logged as one.
        let input = event["input"].as_str().unwrap();
        logged
            .entry(event["src_ip"].as_str().unwrap().to_owned())
            .or_default()
            .extend(input.lines().map(str::to_owned));
    }
    let mut typed_lines = 0;
    for (number, typed) in &results {
        let typed = typed.as_ref().unwrap();
        typed_lines += typed.len();
        let found = logged.remove(&source(*number).to_string()).unwrap_or_default();
        assert_eq!(&found, typed, "session {number}: every line once, in order");
    }
    let ends = |eventid: &str| events.iter().filter(|event| event["eventid"] == eventid).count();
    assert_eq!(ends("cowrie.session.connect"), results.len(), "every session begins once");
    assert_eq!(ends("cowrie.session.closed"), results.len(), "every session ends once");
    assert!(logged.is_empty(), "lines that nobody typed: {logged:#?}");
    // What was asked once is a fact of the machine from then on: only the first time counts.
    let asked = model.asked().len();
    let known = 100.0 * (1.0 - asked as f64 / typed_lines as f64);
    println!(
        "replay: {} sessions, {typed_lines} lines, {known:.1} % answered without the model ({asked} questions)",
        results.len()
    );
    assert_contiguous(&events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_requests_probes_and_conversations() {
    acceptance::init();
    let Some(requests) = corpora::read("http_requests_open.jsonl") else { return };
    let ftp = corpora::read("ftp_sessions_open.jsonl").unwrap();
    let smtp = corpora::read("smtp_sessions_open.jsonl").unwrap();
    let probes = corpora::read("tcp_probes_open.jsonl").unwrap();
    let mut bucket = Bucket::new();
    bucket.start().await;
    let ports = bucket.ports.clone();

    // What is sent, where, and whether the server speaks first and answers each piece.
    let mut visits: Vec<(u16, Vec<Vec<u8>>, bool)> = Vec::new();
    visits.extend(requests.iter().map(|record| (ports.http, vec![request(record)], false)));
    for (port, records) in [(ports.ftp, &ftp), (ports.smtp, &smtp)] {
        let lines = |record| {
            corpora::texts(record, "lines").iter().map(|line| format!("{line}\r\n").into_bytes()).collect()
        };
        visits.extend(records.iter().map(|record| (port, lines(record), true)));
    }
    for record in &probes {
        let bytes = hex::decode(record["hex"].as_str().unwrap()).unwrap();
        for port in [ports.ssh, ports.telnet, ports.ftp, ports.smtp, ports.http, ports.plain] {
            visits.push((port, vec![bytes.clone()], false));
        }
    }
    let total = visits.len();
    let sent: Vec<Result<(), String>> = stream::iter(visits.into_iter().enumerate())
        .map(|(number, (port, pieces, talks))| async move {
            visit(source(10_000 + number), port, &pieces, talks)
                .await
                .map_err(|error| format!("visit {number} to port {port}: {error}"))
        })
        .buffer_unordered(AT_ONCE * 2)
        .collect()
        .await;
    let faults: Vec<&String> = sent.iter().filter_map(|result| result.as_ref().err()).collect();
    assert!(faults.is_empty(), "{} of {total} visits failed: {faults:#?}", faults.len());
    bucket.assert_sound();
    bucket.stop();

    let events = bucket.events();
    assert_contiguous(&events);
    let of = |eventid: &str| -> BTreeMap<String, Vec<&Value>> {
        let mut found: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
        for event in events.iter().filter(|event| event["eventid"] == eventid) {
            found.entry(event["src_ip"].as_str().unwrap().to_owned()).or_default().push(event);
        }
        found
    };
    let (connects, closes, answered) =
        (of("cowrie.session.connect"), of("cowrie.session.closed"), of("rustbucket.http.request"));
    let typed = of("cowrie.command.input");
    for number in 0..total {
        let from = source(10_000 + number).to_string();
        assert_eq!(connects.get(&from).map(Vec::len), Some(1), "visit {number} is logged once");
        assert_eq!(closes.get(&from).map(Vec::len), Some(1), "the end of visit {number} is logged once");
    }
    for (number, record) in requests.iter().enumerate() {
        let from = source(10_000 + number).to_string();
        let found = answered.get(&from).unwrap_or_else(|| panic!("request {number} is not logged: {record}"));
        assert_eq!(found.len(), 1, "request {number}");
        if found[0]["target"] != record["target"] || found[0]["method"] != record["method"] {
            // Not a request that the real daemon would take: refused, and kept byte for byte.
            assert_eq!(found[0]["status"], 400, "request {number}: {record}");
            let raw = found[0]["raw_b64"]
                .as_str()
                .unwrap_or_else(|| panic!("request {number} is not kept: {record}"));
            let raw = base64::engine::general_purpose::STANDARD.decode(raw).unwrap();
            let line = request(record).split(|byte| *byte == b'\n').next().unwrap().to_vec();
            assert!(raw.starts_with(&line), "request {number}: {:?}", String::from_utf8_lossy(&raw));
        }
    }
    for (number, record) in ftp.iter().enumerate() {
        let from = source(10_000 + requests.len() + number).to_string();
        let lines: BTreeSet<&str> =
            typed.get(&from).into_iter().flatten().map(|event| event["input"].as_str().unwrap()).collect();
        for line in corpora::texts(record, "lines").iter().filter(|line| !line.trim().is_empty()) {
            assert!(
                lines.contains(line.as_str()) || is_login(line),
                "FTP line {line:?} of session {number} is not logged: {lines:?}"
            );
        }
    }
    println!(
        "replay: {total} visits ({} requests, {} probes on six ports, {} FTP, {} SMTP)",
        requests.len(),
        probes.len(),
        ftp.len(),
        smtp.len()
    );
}

/// A line that is logged as a login, not as a command.
fn is_login(line: &str) -> bool {
    let verb = line.split_ascii_whitespace().next().unwrap_or_default();
    verb.eq_ignore_ascii_case("USER") || verb.eq_ignore_ascii_case("PASS")
}

/// One connection: sends its pieces, listens, and goes; a server that says nothing for long while we wait for its end hangs.
async fn visit(from: Ipv4Addr, port: u16, pieces: &[Vec<u8>], talks: bool) -> std::io::Result<()> {
    let mut visitor = Lines::connect_from(from, port).await?;
    let quiet = Duration::from_millis(400);
    if talks {
        visitor.rest(quiet).await?;
    }
    for piece in pieces {
        // The server may have hung up on what came before; that is an answer too.
        if visitor.send(piece).await.is_err() {
            return Ok(());
        }
        if talks {
            visitor.rest(quiet).await?;
        }
    }
    if visitor.finish().await.is_err() {
        return Ok(());
    }
    visitor.rest(Duration::from_secs(5)).await?;
    Ok(())
}

/// A recorded request as it goes over the wire; the length of its body is made true.
fn request(record: &Value) -> Vec<u8> {
    let text = |field: &str| record[field].as_str().unwrap_or_default();
    let body = match text("body_encoding") {
        "base64" => base64::engine::general_purpose::STANDARD.decode(text("body")).unwrap(),
        _ => text("body").as_bytes().to_vec(),
    };
    let version = Some(text("version")).filter(|version| !version.is_empty()).unwrap_or("HTTP/1.1");
    let mut head = format!("{} {} {version}\r\n", text("method"), text("target"));
    let headers = record["headers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut has_host = false;
    for header in headers {
        let (name, value) = (header[0].as_str().unwrap(), header[1].as_str().unwrap());
        has_host |= name.eq_ignore_ascii_case("host");
        if !["content-length", "transfer-encoding", "expect"].contains(&name.to_ascii_lowercase().as_str()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    if !has_host {
        head.push_str("Host: 192.0.2.1\r\n");
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    [head.as_bytes(), b"\r\n", &body].concat()
}

/// Sequence numbers have no gap and no double.
fn assert_contiguous(events: &[Value]) {
    let seqs: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    let expected: Vec<u64> = (1..=seqs.len() as u64).collect();
    assert_eq!(seqs, expected, "sequence numbers");
}
