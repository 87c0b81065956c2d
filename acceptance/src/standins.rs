//! Stand-ins for the models' servers on loopback: they answer what the test says and keep what they were asked.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// Which interface is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `POST …/messages`.
    Claude,
    /// `POST …/chat/completions`.
    OpenAi,
}

/// A model that always says the same.
pub struct StandIn {
    /// Up to and without the version: `http://127.0.0.1:PORT`.
    pub url: String,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl StandIn {
    /// Starts to answer on a free port; ends with the runtime.
    pub async fn start(dialect: Dialect, answer: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (Arc::clone(&asked), answer.to_owned());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, answer) = (Arc::clone(&kept), answer.clone());
                // A client that hangs up early is its own affair.
                tokio::spawn(async move { serve(stream, dialect, &answer, &kept).await.ok() });
            }
        });
        Self { url, asked }
    }

    /// Every request body so far.
    pub fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }
}

/// Answers requests on one connection until it closes.
async fn serve(
    stream: TcpStream,
    dialect: Dialect,
    text: &str,
    kept: &Mutex<Vec<Value>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut length, mut first, mut line) = (0, String::new(), String::new());
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if first.is_empty() {
                first.clone_from(&line);
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
        let request: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let path = first.split_ascii_whitespace().nth(1).unwrap_or_default();
        let wanted = match dialect {
            Dialect::Claude => "/v1/messages",
            Dialect::OpenAi => "/chat/completions",
        };
        let (status, answer) = if path.ends_with(wanted) {
            let answer = reply(dialect, &request, text);
            kept.lock().unwrap().push(request);
            ("200 OK", answer)
        } else {
            ("404 Not Found", json!({"error": {"type": "not_found_error", "message": path}}))
        };
        let body = answer.to_string();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
    }
}

/// The answer in the shape of each interface.
fn reply(dialect: Dialect, request: &Value, text: &str) -> Value {
    let model = request["model"].as_str().unwrap_or("stand-in");
    match dialect {
        Dialect::Claude => json!({
            "id": "msg_standin", "type": "message", "role": "assistant", "model": model,
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn", "stop_sequence": null,
            "usage": {"input_tokens": 100, "output_tokens": 20},
        }),
        Dialect::OpenAi => json!({
            "id": "chatcmpl-standin", "object": "chat.completion", "created": 1_700_000_000, "model": model,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        }),
    }
}
