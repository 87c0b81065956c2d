//! Feeds captured traffic to the dialogues: nothing may panic, and everything must be noted.
//!
//! The captures are no part of the project: they are looked for in `RUSTBUCKET_CORPORA` or beside the repository, and
//! without them these tests say so and pass.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test that cannot go on should fail

use std::{
    net::Ipv4Addr,
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use decoy::{
    Contact, Dialogue, Ftp, Http, Limits, Machine, NoOracle, Plain, Smtp, Stage, Telnet,
    ftp::{DataConnections, DataFault, Received},
    machine::{Clock, Identity, LoginPolicy},
};
use wire::EventKind;

struct NoData;

#[async_trait]
impl DataConnections for NoData {
    async fn listen(&mut self) -> Option<u16> {
        None
    }
    async fn send(&mut self, _bytes: Bytes) -> Result<(), DataFault> {
        Err(DataFault::NotConnected)
    }
    async fn receive(
        &mut self,
        _limit: usize,
        _parcel: decoy::memory::Parcel,
    ) -> Result<Received, DataFault> {
        Err(DataFault::NotConnected)
    }
    fn close(&mut self) {}
}

fn read(name: &str) -> Option<Vec<serde_json::Value>> {
    let folder = std::env::var_os("RUSTBUCKET_CORPORA")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"));
    match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()),
        Err(_) => {
            eprintln!("skipped: no {name} in {}", folder.display());
            None
        }
    }
}

/// A visitor whom one machine has never seen before.
fn contact() -> Contact {
    static MACHINE: OnceLock<Arc<Machine>> = OnceLock::new();
    static VISITORS: AtomicU32 = AtomicU32::new(0);
    let machine = MACHINE.get_or_init(|| {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let identity = Identity::draw(b"corpora", now, None, None);
        let policy = LoginPolicy { always: vec![], fewest_tries: 3, most_tries: 3, secret: 1 };
        Machine::new(identity, policy, Clock::fixed(now), Default::default())
    });
    let source = Ipv4Addr::from(0x0A00_0000 + VISITORS.fetch_add(1, Ordering::Relaxed));
    Contact {
        visitor: machine.visit(source.into()),
        oracle: Arc::new(NoOracle),
        local: "203.0.113.5:80".parse().unwrap(),
        peer: (source, 40_000).into(),
        limits: Limits::default(),
    }
}

async fn visit(dialogue: &mut dyn Dialogue, pieces: &[Vec<u8>]) -> Vec<EventKind> {
    let stage = Stage::new();
    dialogue.open(&stage).await;
    for piece in pieces {
        dialogue.hear(piece, &stage).await;
    }
    dialogue.end(&stage).await;
    stage.drain().1
}

fn lines_of(item: &serde_json::Value) -> Vec<String> {
    item["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

/// How many of these lines the events hold, as an input, a login, or part of a mail.
fn noted_lines(noted: &[EventKind]) -> usize {
    let is_line = |kind: &&EventKind| {
        matches!(
            kind,
            EventKind::CommandInput { .. } | EventKind::LoginFailed { .. } | EventKind::LoginSuccess { .. }
        )
    };
    noted.iter().filter(is_line).count()
}

#[tokio::test]
async fn every_captured_ftp_line_is_noted() {
    for item in read("ftp_sessions_open.jsonl").unwrap_or_default() {
        let lines = lines_of(&item);
        let pieces: Vec<_> = lines.iter().map(|line| format!("{line}\r\n").into_bytes()).collect();
        let noted = visit(&mut Ftp::new(contact(), Box::new(NoData)), &[pieces.concat()]).await;
        // USER and PASS are one login event together.
        let pairs =
            lines.windows(2).filter(|two| two[0].starts_with("USER") && two[1].starts_with("PASS")).count();
        assert_eq!(noted_lines(&noted), lines.len() - pairs, "{lines:?}");
    }
}

#[tokio::test]
async fn every_captured_smtp_line_is_noted() {
    for item in read("smtp_sessions_open.jsonl").unwrap_or_default() {
        let lines = lines_of(&item);
        let pieces: Vec<_> = lines.iter().map(|line| format!("{line}\r\n").into_bytes()).collect();
        let noted = visit(&mut Smtp::new(contact()), &pieces).await;
        let typed = |line: &&String| {
            noted
                .iter()
                .any(|kind| matches!(kind, EventKind::CommandInput { input, .. } if input == line.as_str()))
        };
        // What stands behind the end of the connection in the capture is not heard by anybody.
        let heard = lines.iter().position(|line| line.starts_with("GET ")).map_or(lines.len(), |at| at + 1);
        for line in lines.iter().take(heard).filter(|line| !line.contains("\\r\\n") && !line.contains('\r')) {
            assert!(typed(&line), "{line:?} of {lines:?} is not noted");
        }
    }
}

#[tokio::test]
async fn every_captured_http_request_is_noted_once() {
    let items = read("http_requests_open.jsonl").unwrap_or_default();
    for item in &items {
        let text = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
        let version = if text("version").is_empty() { "HTTP/1.1".to_owned() } else { text("version") };
        let mut request = format!("{} {} {version}\r\n", text("method"), text("target"));
        let mut has_host = false;
        for header in item["headers"].as_array().into_iter().flatten() {
            let (name, value) =
                (header[0].as_str().unwrap_or_default(), header[1].as_str().unwrap_or_default());
            has_host |= name.eq_ignore_ascii_case("host");
            if !name.eq_ignore_ascii_case("content-length") && !name.eq_ignore_ascii_case("transfer-encoding")
            {
                request.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        let body = text("body");
        if !has_host {
            request.push_str("Host: 203.0.113.5\r\n");
        }
        if !body.is_empty() {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str(&format!("Connection: close\r\n\r\n{body}"));
        let noted = visit(&mut Http::new(contact()), &[request.clone().into_bytes()]).await;
        let requests = noted.iter().filter(|kind| matches!(kind, EventKind::HttpRequest { .. })).count();
        assert_eq!(requests, 1, "{request}");
    }
}

#[tokio::test]
async fn captured_probes_harm_no_dialogue() {
    for item in read("tcp_probes_open.jsonl").unwrap_or_default() {
        let hex = item["hex"].as_str().unwrap();
        let bytes: Vec<u8> =
            (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()).collect();
        let dialogues: [Box<dyn Dialogue>; 5] = [
            Box::new(Ftp::new(contact(), Box::new(NoData))),
            Box::new(Smtp::new(contact())),
            Box::new(Http::new(contact())),
            Box::new(Telnet::new(contact())),
            Box::new(Plain::new(contact(), "hello".to_owned())),
        ];
        for (name, mut dialogue) in ["ftp", "smtp", "http", "telnet", "plain"].into_iter().zip(dialogues) {
            let noted = visit(dialogue.as_mut(), std::slice::from_ref(&bytes)).await;
            let negotiation = bytes.iter().all(|&byte| !(32..240).contains(&byte));
            assert!(!noted.is_empty() || negotiation, "{hex} left no trace on {name}");
        }
    }
}
