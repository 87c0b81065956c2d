//! A provider that is none: takes requests on loopback, remembers them, answers what the test says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test may fail loudly
#![allow(dead_code)] // each test program uses its part

use std::{collections::VecDeque, sync::Arc, time::Duration};

use chat::{Conversation, Message, Role};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};

/// What the stand-in does with one request.
#[derive(Clone)]
pub enum Act {
    /// Status line, further headers, body.
    Answer(&'static str, Vec<(&'static str, String)>, String),
    /// A stream of events, exactly these bytes.
    StreamBytes(Vec<u8>),
    /// Promises more bytes than it sends.
    Cut(String),
    /// Reads and never answers.
    Silent,
    /// Sends without end.
    Endless,
}

impl Act {
    pub fn ok(body: impl Into<String>) -> Self {
        Self::Answer("200 OK", Vec::new(), body.into())
    }

    pub fn stream(events: impl Into<String>) -> Self {
        Self::StreamBytes(events.into().into_bytes())
    }

    pub fn status(line: &'static str) -> Self {
        Self::Answer(
            line,
            Vec::new(),
            r#"{"error":{"message":"the key sk-secret is wrong","type":"some_error"}}"#.to_owned(),
        )
    }
}

/// One request as it came.
pub struct Seen {
    pub head: String,
    pub body: serde_json::Value,
}

pub struct StandIn {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl StandIn {
    /// Does `acts` in order, then the last one again and again.
    pub async fn start(acts: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let acts = Arc::new(Mutex::new(acts.into_iter().collect::<VecDeque<_>>()));
        let remember = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acts.clone(), remember.clone()));
            }
        });
        Self { url, seen }
    }

    pub async fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().await)
    }
}

async fn serve(mut stream: TcpStream, acts: Arc<Mutex<VecDeque<Act>>>, seen: Arc<Mutex<Vec<Seen>>>) {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        let mut part = [0; 4096];
        let n = stream.read(&mut part).await.unwrap_or(0);
        if n == 0 {
            return;
        }
        bytes.extend_from_slice(&part[..n]);
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8(bytes.drain(..end + 4).collect()).unwrap().to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok())
                .unwrap();
            break (head, length);
        }
    };
    while bytes.len() < length {
        let mut part = [0; 4096];
        let n = stream.read(&mut part).await.unwrap();
        bytes.extend_from_slice(&part[..n]);
    }
    seen.lock().await.push(Seen { head, body: serde_json::from_slice(&bytes).unwrap() });
    let act = {
        let mut acts = acts.lock().await;
        if acts.len() > 1 { acts.pop_front() } else { acts.front().cloned() }
    };
    match act.unwrap_or(Act::Silent) {
        Act::Answer(status, headers, body) => {
            let headers: String =
                headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        Act::StreamBytes(body) => {
            let kind = if body.starts_with(b"{") { "application/x-ndjson" } else { "text/event-stream" };
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(&body).await.unwrap();
        }
        Act::Cut(body) => {
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len() + 100);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        Act::Silent => tokio::time::sleep(Duration::from_secs(600)).await,
        Act::Endless => {
            let start = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
            let mut going = stream.write_all(start).await.is_ok();
            while going {
                going = stream.write_all(chunk.as_bytes()).await.is_ok();
            }
        }
    }
}

pub fn openai_answer(text: &str, tokens_in: u64, tokens_out: u64) -> String {
    serde_json::json!({
        "id": "x", "object": "chat.completion", "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out},
    })
    .to_string()
}

pub fn claude_answer(text: &str, tokens_in: u64, tokens_out: u64) -> String {
    serde_json::json!({
        "id": "x", "type": "message", "role": "assistant", "model": "claude-haiku-5-5",
        "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": text}],
        "stop_reason": "end_turn", "usage": {"input_tokens": tokens_in, "output_tokens": tokens_out},
    })
    .to_string()
}

pub fn conversation() -> Conversation {
    let say = |role, content: &str| Message { role, content: content.to_owned() };
    Conversation {
        system: vec!["You are a server.".to_owned(), "Be brief.".to_owned()],
        messages: vec![
            say(Role::User, "uptime"),
            say(Role::Assistant, "up"),
            say(Role::User, "uname \u{1b}[0m"),
        ],
        max_tokens: 100,
        temperature: Some(0.5),
    }
}
