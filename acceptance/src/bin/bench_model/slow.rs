//! A model's server of fixed latency: answers what a function says, and counts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

type Answer = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// The server; ends with the runtime.
pub struct Slow {
    /// Up to the version: `http://127.0.0.1:PORT/v1`.
    pub url: String,
    asked: Arc<AtomicUsize>,
}

impl Slow {
    /// Answers `answer(last message)` after `latency`, in OpenAI's dialect; a token is counted for each four bytes.
    pub async fn start(latency: Duration, answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("its address"));
        let asked = Arc::new(AtomicUsize::new(0));
        let (count, answer): (_, Answer) = (Arc::clone(&asked), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (count, answer) = (Arc::clone(&count), Arc::clone(&answer));
                // A client that hangs up early is its own affair.
                tokio::spawn(async move { serve(stream, latency, &answer, &count).await.ok() });
            }
        });
        Self { url, asked }
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn serve(
    stream: TcpStream,
    latency: Duration,
    answer: &Answer,
    count: &AtomicUsize,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        count.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(latency).await;
        let request: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let messages = request["messages"].as_array().cloned().unwrap_or_default();
        let bytes: usize = messages.iter().filter_map(|m| m["content"].as_str()).map(str::len).sum();
        let last = messages.last().and_then(|message| message["content"].as_str()).unwrap_or_default();
        let text = answer(last);
        let (tokens_in, tokens_out) = (bytes / 4 + 20, text.len() / 4 + 1);
        let body = json!({
            "id": "x", "object": "chat.completion", "model": request["model"],
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out},
        })
        .to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
    }
}
