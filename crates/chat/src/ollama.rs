//! Ollama, on a machine of our own (`POST /api/chat`).

use std::time::Instant;

use async_trait::async_trait;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::{
    ChatError, ChatService, Conversation, Reply, Usd,
    guarded::Priced,
    prices::Price,
    server::{self, Interface, Place, Server},
    settings::SettingsFault,
};

const NAME: &str = "ollama";
const INTERFACE: Interface = Interface {
    name: NAME,
    section: ("ollama", "ollama.base_url"),
    strip: &["/chat", "/api", "/v1"],
    version: None,
    path: "/api/chat",
};
/// Where Ollama listens when nobody told it otherwise.
pub const BASE_URL: &str = "http://127.0.0.1:11434";
/// The model asked when settings name none.
pub const MODEL: &str = "llama3.2";

/// Asks Ollama.
pub struct Ollama {
    server: Server,
    model: String,
    price: Price,
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
    /// A client of the server at this place. `price` is [`Price::FREE`] for a machine of our own.
    ///
    /// # Errors
    /// A URL that is none, or no HTTPS client.
    pub fn new<'a>(place: impl Into<Place<'a>>, model: &str, price: Price) -> Result<Self, SettingsFault> {
        let server = Server::new(&INTERFACE, &place.into(), HeaderMap::new())?;
        Ok(Self { server, model: model.to_owned(), price })
    }
}

/// An answer that comes in pieces: text, and in the last line the counts.
#[derive(Default)]
struct Pieces {
    text: String,
    last: Option<Answer>,
}

impl server::Answer for Answer {
    type Pieces = Pieces;

    fn take(pieces: &mut Pieces, event: &serde_json::Value) -> Result<bool, u16> {
        // A model that is stopped or unloaded ends a stream that began well with a line of its own.
        if event.get("error").is_some_and(|error| !error.is_null()) {
            return Err(500);
        }
        let piece = event.get("message").and_then(|message| message.get("content"));
        pieces.text.push_str(piece.and_then(serde_json::Value::as_str).unwrap_or_default());
        let done = event.get("done").and_then(serde_json::Value::as_bool) == Some(true);
        if done {
            pieces.last = Self::deserialize(event).ok();
        }
        Ok(done)
    }

    fn whole(pieces: Pieces) -> Option<Self> {
        let mut answer = pieces.last?;
        answer.message.content = pieces.text;
        Some(answer)
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
            stream: self.server.streams(),
            options: Options { num_predict: conversation.max_tokens, temperature: conversation.temperature },
        };
        let answer: Answer = self.server.ask(&request).await?;
        if answer.message.content.is_empty() {
            return Err(self.server.malformed("an empty text"));
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
