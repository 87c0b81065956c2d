//! The port from outside: a TLS client that trusts anything, and requests as the registry makes them.

use std::io::Read as _;
use std::sync::atomic::AtomicUsize;

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wire::{EventKind, UpdateBucketAnswer};

use super::*;
use crate::event_log::{Options, system_clock};

struct Port {
    management: Management,
    deps: Deps,
    folder: tempfile::TempDir,
}

fn port() -> Port {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let birth = Birth::open(&state, folder.path()).unwrap();
    let log = EventLog::open(Options {
        log_directory: folder.path().join("logs"),
        state_directory: state.clone(),
        retention_days: 30,
        max_bytes: 1 << 30,
        registry: true,
        sensor: birth.name.as_str().into(),
        uuid: Arc::clone(&birth.uuid),
        clock: system_clock(),
    })
    .unwrap();
    let deps = Deps {
        vitals: Vitals::new(folder.path().to_owned(), Arc::new(AtomicUsize::new(2))),
        artifacts: Arc::new(Artifacts::open(&state.join("artifacts"), 1 << 20).unwrap()),
        birth,
        log,
        ip_address: Some("192.0.2.7".parse().unwrap()),
        chat_metrics: Arc::new(String::new),
        listeners: vec!["ssh:22".to_owned()],
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    Port { management: Management::start(listener, deps.clone()).unwrap(), deps, folder }
}

fn client() -> Client {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        drop(rustls::crypto::ring::default_provider().install_default());
    }
    Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build().unwrap()
}

impl Port {
    fn stranger(&self, path: &str) -> RequestBuilder {
        client().get(format!("https://{}{path}", self.management.address()))
    }
    fn request(&self, path: &str) -> RequestBuilder {
        self.stranger(path).bearer_auth(self.deps.birth.token.reveal())
    }
    async fn get(&self, path: &str) -> Response {
        self.request(path).send().await.unwrap()
    }
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).unwrap_or_else(|| panic!("{name} is missing")).to_str().unwrap()
}

#[tokio::test]
async fn strangers_learn_nothing() {
    let port = port();
    for path in ["/update_bucket", "/extract_logs", "/metrics", "/artifacts/x", "/nothing", "/"] {
        for request in [
            port.stranger(path),
            port.stranger(path).bearer_auth("0123456789abcdef0123456789abcdef"),
            port.stranger(path).header("authorization", port.deps.birth.token.reveal()),
        ] {
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(response.bytes().await.unwrap().len(), 0);
        }
        if path == "/artifacts/x" {
            break; // further ones would be answered late
        }
    }
    let response = port.stranger("/healthz").send().await.unwrap();
    assert_eq!((response.status(), header(&response, "connection")), (StatusCode::OK, "close"));
    assert!(!port.get("/healthz").await.headers().contains_key("connection"), "the registry may stay");
    let token = format!("Token {}", port.deps.birth.token.reveal());
    let response = port.stranger("/update_bucket").header("authorization", token).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(port.get("/nothing").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn update_bucket_tells_the_state() {
    let port = port();
    port.deps.log.append_own(EventKind::Start { version: "1".to_owned(), listeners: vec![] }).unwrap();
    let answer: UpdateBucketAnswer = port.get("/update_bucket").await.json().await.unwrap();
    assert_eq!((answer.status.as_str(), answer.updates.len()), ("ok", 1));
    let state = &answer.updates[0];
    assert_eq!(state.name, port.deps.birth.name.as_str());
    assert_eq!((state.ip_address.as_str(), state.connections.as_str()), ("192.0.2.7", "2"));
    assert_eq!((state.first_seq, state.last_seq), (1, 1));
    assert_eq!(state.listeners, ["ssh:22"]);
    assert!(state.cpu_usage.ends_with('%') && state.uptime.parse::<u64>().is_ok());
}

#[tokio::test]
async fn the_log_is_handed_over_piece_by_piece() {
    let port = port();
    let response = port.get("/extract_logs").await;
    assert_eq!(
        (response.status(), header(&response, "x-rustbucket-last-seq")),
        (StatusCode::NO_CONTENT, "0")
    );
    for n in 0..200 {
        port.deps.log.append_own(EventKind::command_input(format!("echo {n}").as_bytes())).unwrap();
    }
    let (mut after, mut whole, mut round) = (0u64, Vec::new(), 0);
    loop {
        let coding = ["identity", "gzip", "zstd, gzip"][round % 3];
        let path = format!("/extract_logs?after={after}&limit=20000");
        let response = port.request(&path).header("accept-encoding", coding).send().await.unwrap();
        if response.status() == StatusCode::NO_CONTENT {
            break;
        }
        assert_eq!(response.status(), StatusCode::OK);
        assert!(header(&response, "content-disposition").contains("logs.txt"));
        assert_eq!(header(&response, "x-rustbucket-first-seq"), (after + 1).to_string());
        let last: u64 = header(&response, "x-rustbucket-last-seq").parse().unwrap();
        assert_eq!(header(&response, "x-rustbucket-more") == "true", last < 200);
        let digest = header(&response, "x-rustbucket-sha256").to_owned();
        let encoding =
            response.headers().get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
        let body = response.bytes().await.unwrap().to_vec();
        let plain = match encoding.as_deref() {
            None => body,
            Some("gzip") => {
                let mut plain = Vec::new();
                flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain).unwrap();
                plain
            }
            Some("zstd") => zstd::decode_all(&body[..]).unwrap(),
            Some(other) => panic!("{other}"),
        };
        assert_eq!(encoding.as_deref().unwrap_or("identity"), coding.split(',').next().unwrap());
        assert_eq!(hex::encode(Sha256::digest(&plain)), digest);
        assert!(plain.len() <= 20_000 && plain.ends_with(b"\n"));
        whole.extend(plain);
        // What was handed over last is acknowledged by asking for what follows, not by handing it over.
        assert_eq!(port.deps.log.positions().acknowledged, after);
        after = last;
        round += 1;
    }
    assert!(round >= 3, "{round}");
    assert_eq!(port.deps.log.positions().acknowledged, 200);
    let text = std::fs::read_dir(port.folder.path().join("logs")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::read(text).unwrap(), whole);
}

#[tokio::test]
async fn bad_questions_are_named_and_acknowledge_nothing() {
    let port = port();
    port.deps.log.append_own(EventKind::Stop { reason: "test".to_owned() }).unwrap();
    let response = port.get("/extract_logs?after=1&limit=many").await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(response.text().await.unwrap().contains("limit must be"));
    assert_eq!(port.deps.log.positions().acknowledged, 0);
    let response = port.get("/extract_logs?after=999").await;
    assert_eq!(
        (response.status(), header(&response, "x-rustbucket-last-seq")),
        (StatusCode::NO_CONTENT, "1")
    );
    assert_eq!(port.deps.log.positions().acknowledged, 0);
    assert_eq!(port.request("/extract_logs?after=0&limit=1").send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn artifacts_and_figures_are_given() {
    let port = port();
    let sha256 = hex::encode(Sha256::digest(b"\x7fELF"));
    port.deps.artifacts.keep(&sha256, b"\x7fELF").unwrap();
    let response = port.get(&format!("/artifacts/{sha256}")).await;
    assert_eq!(header(&response, "content-type"), "application/octet-stream");
    assert_eq!(&response.bytes().await.unwrap()[..], b"\x7fELF");
    assert_eq!(port.get(&format!("/artifacts/{}", "0".repeat(64))).await.status(), StatusCode::NOT_FOUND);
    for name in ["x", "..%2Fidentity.json", "%2e%2e%2fidentity.json"] {
        assert_eq!(port.get(&format!("/artifacts/{name}")).await.status(), StatusCode::BAD_REQUEST, "{name}");
    }
    let text = port.get("/metrics").await.text().await.unwrap();
    for line in ["rustbucket_connections 2\n", "rustbucket_artifact_bytes 4\n"] {
        assert!(text.contains(line), "{text}");
    }
}

#[tokio::test]
async fn rubbish_hurts_nobody_and_the_port_stops() {
    let port = port();
    let address = port.management.address();
    let mut idle = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut rubbish = tokio::net::TcpStream::connect(address).await.unwrap();
    rubbish.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // A TLS alert or a closed connection, but no HTTP.
    if rubbish.read_to_end(&mut answer).await.is_ok() {
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    }
    let long = format!("/{}", "a".repeat(64 * 1024));
    if let Ok(response) = port.request(&long).send().await {
        assert!(response.status().is_client_error(), "{}", response.status());
    }
    assert_eq!(port.get("/update_bucket").await.status(), StatusCode::OK);
    tokio::task::spawn_blocking(move || port.management.stop()).await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    assert_eq!(idle.read(&mut [0; 16]).await.unwrap_or(0), 0);
}
