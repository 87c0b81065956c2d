//! ChatGPT, and every server that speaks its interface (`POST /v1/chat/completions`).

use std::time::Instant;

use async_trait::async_trait;
use parking_lot::Mutex;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    ChatError, ChatService, Conversation, Reply, Secret, Usd,
    error::EMPTY_TEXT,
    guarded::Priced,
    prices::Price,
    server::{self, Interface, Place, Server},
    settings::SettingsFault,
    transport::secret_header,
};

const NAME: &str = "chatgpt";
const INTERFACE: Interface = Interface {
    name: NAME,
    section: ("openai", "openai.base_url"),
    strip: &["/chat/completions"],
    version: Some("v1"),
    path: "/chat/completions",
};
/// Where ChatGPT itself answers.
pub const BASE_URL: &str = "https://api.openai.com/v1";
/// The model asked when settings name none: fast and cheap, which is what a shell's reply needs.
pub const MODEL: &str = "gpt-5.6-luna";

/// Asks ChatGPT or a compatible server.
pub struct ChatGpt {
    server: Server,
    model: String,
    static_messages: Vec<String>,
    price: Option<Price>,
    /// As the server was found to speak.
    dialect: Mutex<Dialect>,
}

/// How often one question is put in other words to a server that refuses a parameter.
const REWORDINGS: usize = 3;

/// What a request may contain: OpenAI's own server refuses what compatible servers need, and the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Dialect {
    /// `max_completion_tokens` instead of `max_tokens`.
    completion_tokens: bool,
    /// Whether `temperature` is accepted.
    temperature: bool,
    /// The least thinking that the model knows: a shell's reply has seconds, not minutes.
    effort: Option<&'static str>,
}

impl Dialect {
    fn of(url: &Url, model: &str) -> Self {
        let own = url
            .host_str()
            .is_some_and(|host| host == "api.openai.com" || host.ends_with(".openai.azure.com"));
        if !own {
            return Self { completion_tokens: false, temperature: true, effort: None };
        }
        let generation = model.strip_prefix("gpt-").unwrap_or_default();
        let effort = match generation.split(['-', '.']).next().and_then(|n| n.parse::<u32>().ok()) {
            Some(5) if !generation.starts_with("5.") => Some("minimal"),
            Some(5..) => Some("none"),
            _ if model.starts_with('o') => Some("low"),
            _ => None,
        };
        Self { completion_tokens: true, temperature: effort.is_none(), effort }
    }

    /// The dialect after the server has refused this parameter; `None` when there is nothing else to try. Servers in
    /// front of OpenAI's have names of their own, so it cannot be told from the address what stands behind them.
    fn after_refusal_of(self, code: &str) -> Option<Self> {
        let (_, parameter) = code.split_once(' ').filter(|(code, _)| code.starts_with("unsupported_"))?;
        let other = match parameter {
            "max_tokens" => Self { completion_tokens: true, ..self },
            "max_completion_tokens" => Self { completion_tokens: false, ..self },
            "temperature" => Self { temperature: false, ..self },
            "reasoning_effort" => {
                let effort = match self.effort {
                    Some("none") => Some("minimal"),
                    Some("minimal") => Some("low"),
                    _ => None,
                };
                Self { effort, ..self }
            }
            _ => return None,
        };
        (other != self).then_some(other)
    }
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: Vec<Line<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
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
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
}

impl ChatGpt {
    /// A client of the server at this place; `static_messages` come before every conversation's own instructions.
    ///
    /// # Errors
    /// A URL that is none, a key with bytes that no header may carry, or no HTTPS client.
    pub fn new<'a>(
        place: impl Into<Place<'a>>,
        key: Option<&Secret>,
        model: &str,
        static_messages: Vec<String>,
        price: Option<Price>,
    ) -> Result<Self, SettingsFault> {
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            let value = secret_header(&format!("Bearer {}", key.reveal()))
                .ok_or_else(|| SettingsFault::new("openai.api_key", "it has characters that no key has"))?;
            headers.insert(AUTHORIZATION, value);
        }
        let server = Server::new(&INTERFACE, &place.into(), headers)?;
        let dialect = Mutex::new(Dialect::of(server.url(), model));
        Ok(Self { server, model: model.to_owned(), static_messages, price, dialect })
    }
}

/// An answer that comes in pieces.
#[derive(Default)]
struct Pieces {
    model: String,
    text: String,
    refusal: Option<String>,
    finish_reason: Option<String>,
    usage: Option<Usage>,
}

impl server::Answer for Answer {
    type Pieces = Pieces;

    fn take(pieces: &mut Pieces, event: &serde_json::Value) -> Result<bool, u16> {
        if let Some(error) = event.get("error").filter(|error| !error.is_null()) {
            return Err(status_of(error));
        }
        if let Some(model) = event.get("model").and_then(serde_json::Value::as_str) {
            model.clone_into(&mut pieces.model);
        }
        if let Some(usage) = event.get("usage").and_then(|usage| Usage::deserialize(usage).ok()) {
            pieces.usage = Some(usage);
        }
        let Some(choice) = event.get("choices").and_then(|choices| choices.get(0)) else {
            return Ok(pieces.finish_reason.is_some());
        };
        let delta = |name: &str| {
            choice.get("delta").and_then(|delta| delta.get(name)).and_then(serde_json::Value::as_str)
        };
        pieces.text.push_str(delta("content").unwrap_or_default());
        if let Some(refusal) = delta("refusal") {
            pieces.refusal.get_or_insert_default().push_str(refusal);
        }
        if let Some(reason) = choice.get("finish_reason").and_then(serde_json::Value::as_str) {
            pieces.finish_reason = Some(reason.to_owned());
        }
        Ok(pieces.finish_reason.is_some())
    }

    fn whole(pieces: Pieces) -> Option<Self> {
        let message = Said { content: Some(pieces.text), refusal: pieces.refusal };
        let choice = Choice { message, finish_reason: pieces.finish_reason };
        Some(Self { model: pieces.model, choices: vec![choice], usage: pieces.usage })
    }
}

/// The status that goes with an error in the middle of a stream: servers give it as a number, or give a word.
fn status_of(error: &serde_json::Value) -> u16 {
    let code = error.get("code");
    let number = code.and_then(serde_json::Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let word = [code, error.get("type")].into_iter().flatten().filter_map(serde_json::Value::as_str);
    match number {
        Some(status) if status == 429 || status >= 500 => status,
        _ if word.into_iter().any(|word| word.contains("rate_limit")) => 429,
        _ => 500,
    }
}

impl ChatGpt {
    /// Asks, in other words where the server takes a parameter by another name or not at all.
    async fn answer(&self, conversation: &Conversation) -> Result<Answer, ChatError> {
        for _ in 0..REWORDINGS {
            let dialect = *self.dialect.lock();
            match self.server.ask(&self.request(conversation, dialect)).await {
                Err(ChatError::Refused { status: 400, code, provider }) => {
                    let Some(other) = dialect.after_refusal_of(&code) else {
                        return Err(ChatError::Refused { status: 400, code, provider });
                    };
                    tracing::debug!(code, "the server is asked in other words");
                    *self.dialect.lock() = other;
                }
                answer => return answer,
            }
        }
        let dialect = *self.dialect.lock();
        self.server.ask(&self.request(conversation, dialect)).await
    }

    fn request<'a>(&'a self, conversation: &'a Conversation, dialect: Dialect) -> Request<'a> {
        let system = self.static_messages.iter().chain(&conversation.system);
        let lines = system
            .map(|content| Line { role: "system", content })
            .chain(conversation.messages.iter().map(|m| Line { role: m.role.as_str(), content: &m.content }));
        let own = dialect.completion_tokens;
        Request {
            model: &self.model,
            messages: lines.collect(),
            max_tokens: (!own).then_some(conversation.max_tokens),
            max_completion_tokens: own.then_some(conversation.max_tokens),
            temperature: conversation.temperature.filter(|_| dialect.temperature),
            reasoning_effort: dialect.effort,
            stream: self.server.streams(),
            stream_options: self.server.streams().then_some(StreamOptions { include_usage: true }),
        }
    }
}

#[async_trait]
impl ChatService for ChatGpt {
    async fn send_message(&self, conversation: &Conversation) -> Result<Reply, ChatError> {
        let asked = Instant::now();
        if conversation.messages.is_empty() {
            return Err(ChatError::Empty);
        }
        let answer = self.answer(conversation).await?;
        let bound = self.cost_at_most(conversation);
        let (tokens_in, tokens_out, cost) = match (&answer.usage, self.price) {
            (Some(usage), price) => {
                let cost = price.map_or(Usd::ZERO, |p| p.cost(usage.prompt_tokens, usage.completion_tokens));
                (usage.prompt_tokens, usage.completion_tokens, cost)
            }
            (None, _) => (0, 0, bound.unwrap_or_default()),
        };
        let choice = answer.choices.into_iter().next().ok_or_else(|| self.server.malformed("no choice"))?;
        if choice.message.refusal.is_some() || choice.finish_reason.as_deref() == Some("content_filter") {
            return Err(ChatError::Declined { provider: NAME.to_owned(), cost });
        }
        let text = choice.message.content.filter(|text| !text.is_empty());
        Ok(Reply {
            text: text.ok_or_else(|| self.server.malformed(EMPTY_TEXT))?,
            model: if answer.model.is_empty() { self.model.clone() } else { answer.model },
            tokens_in,
            tokens_out,
            cost_usd: cost.dollars(),
            elapsed: asked.elapsed(),
            cached: false,
        })
    }

    fn name(&self) -> &str {
        NAME
    }
}

impl Priced for ChatGpt {
    fn cost_at_most(&self, conversation: &Conversation) -> Option<Usd> {
        let fixed: u64 = self.static_messages.iter().map(|text| text.len() as u64 + 16).sum();
        self.price.map(|p| {
            p.cost_at_most(conversation.tokens_at_most() + fixed, u64::from(conversation.max_tokens))
        })
    }

    fn tokens_at_most(&self, conversation: &Conversation) -> u64 {
        let fixed: u64 = self.static_messages.iter().map(|text| text.len() as u64 + 16).sum();
        conversation.tokens_at_most() + fixed + u64::from(conversation.max_tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_model_gets_only_what_it_accepts() {
        let own = Url::parse(BASE_URL).unwrap();
        for (model, temperature, effort) in [
            ("gpt-5.6-luna", false, Some("none")),
            ("gpt-6-astra", false, Some("none")),
            ("gpt-5-mini", false, Some("minimal")),
            ("o4-mini", false, Some("low")),
            ("gpt-4o-mini", true, None),
            ("gpt-4.1", true, None),
        ] {
            let dialect = Dialect::of(&own, model);
            assert_eq!(dialect, Dialect { completion_tokens: true, temperature, effort }, "{model}");
        }
        let other = Url::parse("http://127.0.0.1:8000/v1").unwrap();
        let plain = Dialect { completion_tokens: false, temperature: true, effort: None };
        assert_eq!(Dialect::of(&other, "gpt-5.6-luna"), plain);
    }
}
