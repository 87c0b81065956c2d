//! Ollama, on a machine of our own (`POST /api/chat`).

use std::time::Instant;

use async_trait::async_trait;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    ChatError, ChatService, Conversation, Reply, Usd,
    guarded::Priced,
    prices::Price,
    settings::{SettingsFault, with_cause},
    transport::{Network, Transport, base_url, endpoint},
};

const NAME: &str = "ollama";
/// Where Ollama listens when nobody told it otherwise.
pub const BASE_URL: &str = "http://127.0.0.1:11434";
/// The model asked when settings name none.
pub const MODEL: &str = "llama3.2";

/// Asks Ollama.
pub struct Ollama {
    transport: Transport,
    url: Url,
    model: String,
    price: Price,
    stream: bool,
}

fn transport(url: &Url, network: &Network) -> Result<Transport, SettingsFault> {
    Transport::new(NAME, url, network).map_err(|error| SettingsFault::new("ollama", with_cause(&error)))
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: Vec<Line<'a>>,
    stream: bool,
    options: Options,
}

#[derive(Serialize)]
struct Options {
    num_predict: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
}

#[derive(Serialize)]
struct Line<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    model: String,
    message: Said,
    #[serde(default)]
    prompt_eval_count: u64,
    #[serde(default)]
    eval_count: u64,
}

#[derive(Deserialize)]
struct Said {
    content: String,
}

impl Ollama {
    /// A client of the server at `base`. `price` is [`Price::FREE`] for a machine of our own.
    ///
    /// # Errors
    /// A URL that is none, or no HTTPS client.
    pub fn new(base: &str, model: &str, price: Price) -> Result<Self, SettingsFault> {
        let base = base_url(base).map_err(|reason| SettingsFault::new("ollama.base_url", reason))?;
        let url = endpoint(&base, &["/chat", "/api", "/v1"], None, "/api/chat");
        let transport = transport(&url, &Network::default())?;
        Ok(Self { transport, url, model: model.to_owned(), price, stream: false })
    }

    /// The same, reached this way.
    ///
    /// # Errors
    /// No HTTPS client.
    pub fn through(mut self, network: &Network) -> Result<Self, SettingsFault> {
        self.transport = transport(&self.url, network)?;
        Ok(self)
    }

    /// The same; answers come in pieces, so that the model stops when whoever asked hangs up.
    #[must_use]
    pub fn streaming(mut self, stream: bool) -> Self {
        self.stream = stream;
        self
    }

    async fn answer(&self, request: &Request<'_>) -> Result<Answer, ChatError> {
        if !self.stream {
            return self.transport.post(&self.url, &HeaderMap::new(), request).await;
        }
        let mut text = String::new();
        let mut last = None;
        let take = |event: serde_json::Value| {
            let piece = event.get("message").and_then(|message| message.get("content"));
            text.push_str(piece.and_then(serde_json::Value::as_str).unwrap_or_default());
            let done = event.get("done").and_then(serde_json::Value::as_bool) == Some(true);
            if done {
                last = Answer::deserialize(event).ok();
            }
            Ok(done)
        };
        let whole: Option<Answer> =
            self.transport.post_streamed(&self.url, &HeaderMap::new(), request, take).await?;
        if let Some(whole) = whole {
            return Ok(whole);
        }
        let mut answer = last.ok_or_else(|| self.transport.malformed("a stream cut short"))?;
        answer.message.content = text;
        Ok(answer)
    }
}

#[async_trait]
impl ChatService for Ollama {
    async fn send_message(&self, conversation: &Conversation) -> Result<Reply, ChatError> {
        let asked = Instant::now();
        if conversation.messages.is_empty() {
            return Err(ChatError::Empty);
        }
        let system = conversation.system.iter().map(|content| Line { role: "system", content });
        let turns = conversation.messages.iter().map(|m| Line { role: m.role.as_str(), content: &m.content });
        let request = Request {
            model: &self.model,
            messages: system.chain(turns).collect(),
            stream: self.stream,
            options: Options { num_predict: conversation.max_tokens, temperature: conversation.temperature },
        };
        let answer = self.answer(&request).await?;
        if answer.message.content.is_empty() {
            return Err(self.transport.malformed("an empty text"));
        }
        Ok(Reply {
            text: answer.message.content,
            model: if answer.model.is_empty() { self.model.clone() } else { answer.model },
            tokens_in: answer.prompt_eval_count,
            tokens_out: answer.eval_count,
            cost_usd: self.price.cost(answer.prompt_eval_count, answer.eval_count).dollars(),
            elapsed: asked.elapsed(),
            cached: false,
        })
    }

    fn name(&self) -> &str {
        NAME
    }
}

impl Priced for Ollama {
    fn cost_at_most(&self, conversation: &Conversation) -> Option<Usd> {
        let tokens_out = u64::from(conversation.max_tokens);
        Some(self.price.cost_at_most(conversation.tokens_at_most(), tokens_out))
    }
}
