//! Stand-ins for the models' servers on loopback: they answer what the test says, in every dialect, well or badly, and keep
//! what they were asked.

mod shapes;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use shapes::{Said, model, tokens};

/// Which interface is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `POST …/messages`.
    Claude,
    /// `POST …/chat/completions`.
    OpenAi,
    /// `POST …/api/chat`.
    Ollama,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::OpenAi, Self::Claude, Self::Ollama];

    /// The provider's name in settings.
    pub fn provider(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::OpenAi => "chatgpt",
            Self::Ollama => "ollama",
        }
    }

    /// The section of the settings.
    pub fn section(self) -> &'static str {
        match self {
            Self::Claude => "anthropic",
            Self::OpenAi => "openai",
            Self::Ollama => "ollama",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Claude => "/v1/messages",
            Self::OpenAi => "/chat/completions",
            Self::Ollama => "/api/chat",
        }
    }
}

type Answer = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// What a server does with a question.
#[derive(Clone)]
pub enum Way {
    /// Answers by the last message, so long after it was asked; in pieces when it is asked for a stream.
    Says(Duration, Answer),
    /// Refuses with this status line; with these further header lines (`Name: value\r\n`) and this error code.
    Refuses(&'static str, &'static str, &'static str),
    /// Takes it and says nothing.
    Silent,
    /// One byte a second, for ever.
    Drips,
    /// Status 200 and a page of another server.
    Garbage,
    /// Status 200 and JSON with a byte that is no UTF-8.
    NotUtf8,
    /// Half an answer.
    Cut,
    /// Half a stream, however it was asked.
    CutStream,
}

impl Way {
    /// Answers always the same, at once.
    pub fn says(text: &str) -> Self {
        let text = text.to_owned();
        Self::Says(Duration::ZERO, Arc::new(move |_| text.clone()))
    }

    /// Answers what a function makes of the last message, after a while.
    pub fn after(latency: Duration, answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::Says(latency, Arc::new(answer))
    }

    /// Everything that can be wrong with a server, by name.
    pub fn faults() -> Vec<(&'static str, Self)> {
        vec![
            ("wrong key", Self::Refuses("401 Unauthorized", "", "invalid_api_key")),
            ("bad request", Self::Refuses("400 Bad Request", "", "invalid_request_error")),
            ("no such model", Self::Refuses("404 Not Found", "", "model_not_found")),
            ("too large", Self::Refuses("413 Payload Too Large", "", "request_too_large")),
            ("too many", Self::Refuses("429 Too Many Requests", "Retry-After: 60\r\n", "rate_limit_error")),
            ("ill", Self::Refuses("500 Internal Server Error", "", "api_error")),
            ("overloaded", Self::Refuses("529 Overloaded", "", "overloaded_error")),
            ("cut", Self::Cut),
            ("stream cut", Self::CutStream),
            ("not UTF-8", Self::NotUtf8),
            ("garbage", Self::Garbage),
            ("silent", Self::Silent),
            ("drips", Self::Drips),
        ]
    }
}

/// A model's server; ends with the runtime.
pub struct StandIn {
    /// Up to and without the version: `http://127.0.0.1:PORT`.
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    dialect: Dialect,
    way: Mutex<Way>,
    asked: Mutex<Vec<Value>>,
    heads: Mutex<Vec<String>>,
    /// Questions whose asker went away before the answer.
    left: AtomicUsize,
}

impl StandIn {
    /// Starts to answer always the same on a free port.
    pub async fn start(dialect: Dialect, answer: &str) -> Self {
        Self::doing(dialect, Way::says(answer)).await
    }

    /// Starts to do this with every question, on a free port.
    pub async fn doing(dialect: Dialect, way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let shared = Arc::new(Shared {
            dialect,
            way: Mutex::new(way),
            asked: Mutex::default(),
            heads: Mutex::default(),
            left: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                // A client that hangs up early is its own affair.
                tokio::spawn(async move { serve(stream, &shared).await.ok() });
            }
        });
        Self { url, shared }
    }

    /// Does something else from now on.
    pub fn change(&self, way: Way) {
        *self.shared.way.lock().unwrap() = way;
    }

    /// Every request body so far.
    pub fn asked(&self) -> Vec<Value> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// How often it was asked.
    pub fn count(&self) -> usize {
        self.shared.asked.lock().unwrap().len()
    }

    /// Request line and headers of every question so far.
    pub fn heads(&self) -> Vec<String> {
        self.shared.heads.lock().unwrap().clone()
    }

    /// How many askers went away before they had their answer.
    pub fn left(&self) -> usize {
        self.shared.left.load(Ordering::SeqCst)
    }
}

/// Answers requests on one connection until it closes.
async fn serve(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut length, mut head, mut line) = (0, String::new(), String::new());
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
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let request: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let path = head.split_ascii_whitespace().nth(1).unwrap_or_default();
        if !path.ends_with(shared.dialect.path()) {
            let error = json!({"error": {"type": "not_found_error", "message": path}}).to_string();
            stream.write_all(&whole("404 Not Found", "", error.as_bytes())).await?;
            continue;
        }
        shared.asked.lock().unwrap().push(request.clone());
        shared.heads.lock().unwrap().push(head);
        let way = shared.way.lock().unwrap().clone();
        if !act(&mut stream, shared, &way, &request).await? {
            return Ok(());
        }
    }
}

fn whole(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Does one thing; whether the connection is still good for another question.
async fn act(
    stream: &mut BufReader<TcpStream>,
    shared: &Shared,
    way: &Way,
    request: &Value,
) -> std::io::Result<bool> {
    let dialect = shared.dialect;
    match way {
        Way::Says(latency, answer) => {
            let messages = request["messages"].as_array().cloned().unwrap_or_default();
            let last = messages.last().and_then(|message| message["content"].as_str()).unwrap_or_default();
            // Whoever asks says nothing more until it has an answer: what can be read is the end.
            let mut byte = [0];
            let gone = tokio::time::timeout(*latency, stream.read(&mut byte)).await.is_ok();
            if gone && !latency.is_zero() {
                shared.left.fetch_add(1, Ordering::SeqCst);
                return Ok(false);
            }
            let said = Said { text: answer(last), tokens_in: tokens(request), model: model(request) };
            if request["stream"] == true {
                let kind =
                    if dialect == Dialect::Ollama { "application/x-ndjson" } else { "text/event-stream" };
                let events = said.events(dialect).concat();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
                    events.len()
                );
                stream.write_all(format!("{head}{events}").as_bytes()).await?;
            } else {
                stream.write_all(&whole("200 OK", "", said.whole(dialect).to_string().as_bytes())).await?;
            }
            Ok(true)
        }
        Way::Refuses(status, headers, code) => {
            let error = match dialect {
                Dialect::Ollama => json!({"error": code}),
                _ => {
                    json!({"error": {"type": code, "code": code, "message": "your key sk-secret is in here"}})
                }
            };
            stream.write_all(&whole(status, headers, error.to_string().as_bytes())).await?;
            Ok(true)
        }
        Way::Silent => {
            let mut byte = [0];
            let _closed = stream.read(&mut byte).await;
            shared.left.fetch_add(1, Ordering::SeqCst);
            Ok(false)
        }
        Way::Drips => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").await?;
            let mut byte = [0];
            while tokio::time::timeout(Duration::from_secs(1), stream.read(&mut byte)).await.is_err() {
                stream.write_all(b"d").await?;
            }
            shared.left.fetch_add(1, Ordering::SeqCst);
            Ok(false)
        }
        Way::Garbage => {
            stream.write_all(&whole("200 OK", "", b"<p>It works!</p>")).await?;
            Ok(true)
        }
        Way::NotUtf8 => {
            let said = Said { text: "BYTE".to_owned(), tokens_in: 1, model: "m".to_owned() };
            let text = said.whole(dialect).to_string();
            let (before, after) = text.split_once("BYTE").expect("the text");
            let body = [before.as_bytes(), b"\xff\xfe", after.as_bytes()].concat();
            stream.write_all(&whole("200 OK", "", &body)).await?;
            Ok(true)
        }
        Way::Cut => {
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{\"model\":";
            stream.write_all(head.as_bytes()).await?;
            Ok(false)
        }
        Way::CutStream => {
            let said = Said { text: "half of it".to_owned(), tokens_in: 1, model: "m".to_owned() };
            let events = said.events(dialect);
            let half = events.get(..events.len() / 2).unwrap_or_default().concat();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
            stream.write_all(format!("{head}{half}").as_bytes()).await?;
            Ok(false)
        }
    }
}
