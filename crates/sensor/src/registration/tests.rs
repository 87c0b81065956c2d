//! Registration against stand-ins on loopback.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use wire::RegisterBucket;

use super::*;

const QUICK: Pace = Pace {
    first: Duration::from_millis(5),
    longest: Duration::from_millis(20),
    pending: Duration::from_millis(10),
    active: Duration::from_secs(3600),
    timeout: Duration::from_millis(1000),
};

/// What a stand-in does with one connection.
#[derive(Clone)]
enum Reply {
    Say(u16, &'static str),
    Silence,
    Hang,
}

/// Serves the replies in turn, the last one for ever; gives each request's head and body.
async fn stand_in(replies: Vec<Reply>) -> (String, mpsc::UnboundedReceiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (seen, receiver) = mpsc::unbounded_channel();
    let replies = Arc::new(Mutex::new(VecDeque::from(replies)));
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let reply = {
                let mut replies = replies.lock();
                if replies.len() > 1 { replies.pop_front() } else { replies.front().cloned() }
            };
            let seen = seen.clone();
            tokio::spawn(async move {
                let mut request = Vec::new();
                let (head, body) = loop {
                    let mut chunk = [0; 4096];
                    let count = stream.read(&mut chunk).await.unwrap();
                    if count == 0 {
                        return;
                    }
                    request.extend_from_slice(&chunk[..count]);
                    let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else {
                        continue;
                    };
                    let head = String::from_utf8(request[..end].to_vec()).unwrap().to_lowercase();
                    let length = head
                        .lines()
                        .find_map(|line| line.strip_prefix("content-length: "))
                        .map_or(0, |length| length.parse::<usize>().unwrap());
                    if request.len() >= end + 4 + length {
                        break (head, request[end + 4..].to_vec());
                    }
                };
                drop(seen.send((head, body)));
                match reply.unwrap() {
                    Reply::Say(status, body) => {
                        let answer = format!(
                            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                            body.len()
                        );
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                    Reply::Silence => std::future::pending::<()>().await,
                    Reply::Hang => {}
                }
            });
        }
    });
    (url, receiver)
}

fn bucket() -> (tempfile::TempDir, Birth, Vitals) {
    let folder = tempfile::tempdir().unwrap();
    let birth = Birth::open(&folder.path().join("state"), folder.path()).unwrap();
    let vitals = Vitals::new(folder.path().to_owned(), Arc::new(AtomicUsize::new(0)));
    (folder, birth, vitals)
}

fn settings(url: &str) -> Settings {
    let mut settings = Settings::new(url, None, 8443).unwrap();
    settings.pace = QUICK;
    settings
}

#[tokio::test]
async fn asks_until_it_is_known() {
    let (url, mut seen) = stand_in(vec![
        Reply::Say(429, r#"{"status":"too_many"}"#),
        Reply::Say(500, "oops"),
        Reply::Hang,
        Reply::Silence,
        Reply::Say(401, r#"{"status":"unauthorized"}"#),
        Reply::Say(200, r#"{"status":"pending"}"#),
        Reply::Say(200, r#"{"status":"pending"}"#),
        Reply::Say(200, r#"{"status":"active"}"#),
    ])
    .await;
    let (_folder, birth, vitals) = bucket();
    let mut settings = settings(&format!("{url}/fleet/"));
    settings.registration_key = Some("key-1".to_owned());
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(register_instance(settings, birth.clone(), vitals.clone(), shutdown.clone()));
    for n in 0..8 {
        let (head, body) = tokio::time::timeout(Duration::from_secs(30), seen.recv()).await.unwrap().unwrap();
        assert!(head.starts_with("post /fleet/register_bucket "), "{n}: {head}");
        assert!(head.contains("x-api-key: key-1"));
        let sent: RegisterBucket = serde_json::from_slice(&body).unwrap();
        assert_eq!((&sent.name, &sent.token), (&birth.name, &birth.token));
        assert_eq!(sent.certificate_sha256.as_ref(), Some(&birth.certificate_sha256));
        assert_eq!(sent.management_port.as_deref(), Some("8443"));
        assert!(sent.cpu_usage.is_some() && sent.ip_address.is_none());
    }
    // Active: the next time is tomorrow, and the end comes at once.
    assert!(seen.try_recv().is_err() && !task.is_finished());
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(10), task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_registry_that_never_answers_does_not_hold_the_end() {
    let (url, mut seen) = stand_in(vec![Reply::Silence]).await;
    let (_folder, birth, vitals) = bucket();
    let mut settings = settings(&url);
    settings.pace.timeout = Duration::from_secs(3600);
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(register_instance(settings, birth, vitals, shutdown.clone()));
    seen.recv().await.unwrap();
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(10), task).await.unwrap().unwrap();
}

async fn outcome_of(url: &str) -> Outcome {
    let (_folder, birth, vitals) = bucket();
    let settings = settings(url);
    let mut client = None;
    attempt(ready(&mut client, &settings).unwrap(), &settings, &birth, &vitals).await
}

#[tokio::test]
async fn every_answer_has_its_meaning() {
    const INVALID: &str = r#"{"status":"invalid","errors":["name too long","bad \u001b[31mport"]}"#;
    for (status, body, expected) in [
        (200, r#"{"status":"active"}"#, Outcome::Active),
        (200, r#"{"status":"pending"}"#, Outcome::Pending),
        (
            400,
            INVALID,
            Outcome::Invalid { errors: vec!["name too long".to_owned(), "bad  [31mport".to_owned()] },
        ),
        (401, "", Outcome::Unauthorized),
        (403, r#"{"status":"revoked"}"#, Outcome::Revoked),
        (409, r#"{"status":"name_taken"}"#, Outcome::NameTaken),
        (429, "", Outcome::Busy { retry_after: None }),
        (503, "<html>", Outcome::RegistryFault { status: 503 }),
        (200, "<html>hello", Outcome::NoRegistry { status: 200 }),
        (403, "<html>", Outcome::NoRegistry { status: 403 }),
        (302, "", Outcome::NoRegistry { status: 302 }),
    ] {
        let (url, _seen) = stand_in(vec![Reply::Say(status, body)]).await;
        assert_eq!(outcome_of(&url).await, expected, "{status} {body}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let flood: &'static str = Box::leak("x".repeat(1 << 20).into_boxed_str());
    let (url, _seen) = stand_in(vec![Reply::Say(200, flood)]).await;
    assert_eq!(outcome_of(&url).await, Outcome::NoRegistry { status: 200 });
}

#[tokio::test]
async fn failures_below_http_are_told_apart() {
    let (url, _seen) = stand_in(vec![Reply::Silence]).await;
    assert_eq!(outcome_of(&url).await, Outcome::TimedOut);
    let (url, _seen) = stand_in(vec![Reply::Hang]).await;
    assert!(matches!(outcome_of(&url).await, Outcome::Unreachable { .. }));
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert!(matches!(outcome_of(&format!("http://{free}")).await, Outcome::Unreachable { .. }));
    assert_eq!(outcome_of("http://registry.invalid").await, Outcome::UnknownHost);
}

/// A TLS server with the bucket's own kind of certificate, which nobody trusts unless told to.
#[tokio::test]
async fn only_a_trusted_certificate_is_talked_to() {
    let (folder, birth, vitals) = bucket();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::clone(&birth.tls));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut request = [0; 16 * 1024];
                let _count = stream.read(&mut request).await.unwrap();
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 19\r\nconnection: close\r\n\r\n{\"status\":\"active\"}";
                stream.write_all(answer).await.unwrap();
            }
        }
    });
    let url = format!("https://localhost:{port}");
    let ca = folder.path().join("state/management.pem");
    let mut client = None;
    let trusting = Settings { pace: QUICK, ..Settings::new(&url, Some(&ca), 8443).unwrap() };
    let outcome = attempt(ready(&mut client, &trusting).unwrap(), &trusting, &birth, &vitals).await;
    assert_eq!(outcome, Outcome::Active);
    let (_other_folder, other, _) = bucket();
    let other_ca = _other_folder.path().join("state/management.pem");
    assert_ne!(other.certificate_sha256, birth.certificate_sha256);
    let wary = Settings { pace: QUICK, ..Settings::new(&url, Some(&other_ca), 8443).unwrap() };
    let mut client = None;
    let outcome = attempt(ready(&mut client, &wary).unwrap(), &wary, &birth, &vitals).await;
    assert!(matches!(outcome, Outcome::Tls { .. }), "{outcome:?}");
    assert!(outcome.advice().contains("registry_ca"));
}

#[test]
fn addresses_are_completed_and_checked() {
    for (given, called) in [
        ("https://r.example", "https://r.example/register_bucket"),
        ("https://r.example/", "https://r.example/register_bucket"),
        ("https://r.example/register", "https://r.example/register"),
        ("https://r.example/register_bucket/", "https://r.example/register_bucket"),
        (" http://127.0.0.1:8000/a/b ", "http://127.0.0.1:8000/a/b/register_bucket"),
    ] {
        assert_eq!(endpoint(given).unwrap().as_str(), called);
    }
    for bad in ["", "r.example", "ftp://r.example", "https://", "file:///etc/passwd"] {
        assert!(matches!(Settings::new(bad, None, 1), Err(RegistrationError::BadUrl)), "{bad}");
    }
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let error = Settings::new("https://r.example", Some(&ca), 1).unwrap_err();
    assert!(matches!(error, RegistrationError::ReadCa { .. }));
    std::fs::write(&ca, "no certificate").unwrap();
    let error = Settings::new("https://r.example", Some(&ca), 1).unwrap_err().to_string();
    assert!(error.contains("ca.pem"), "{error}");
}

#[test]
fn pauses_grow_to_the_longest_and_heed_the_registry() {
    let pace = Pace::default();
    for failures in [1, 2, 10, u32::MAX] {
        for _ in 0..50 {
            let pause = pause_after(&Outcome::TimedOut, failures, pace);
            assert!(pause >= pace.first / 10 && pause <= pace.longest, "{pause:?}");
        }
    }
    let busy = Outcome::Busy { retry_after: Some(Duration::from_secs(40)) };
    assert!(pause_after(&busy, 1, pace) >= Duration::from_secs(40));
    let rude = Outcome::Busy { retry_after: Some(Duration::from_secs(1 << 40)) };
    assert_eq!(pause_after(&rude, 1, pace), pace.longest);
}

#[test]
fn secrets_are_not_in_debug() {
    let mut settings = Settings::new("https://user:hunter2@r.example", None, 1).unwrap();
    settings.registration_key = Some("key-1".to_owned());
    let text = format!("{settings:?}");
    assert!(!text.contains("hunter2") && !text.contains("key-1"), "{text}");
}
