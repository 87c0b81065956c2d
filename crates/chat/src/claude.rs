//! Claude, by Anthropic's own interface (`POST /v1/messages`).

use std::time::Instant;

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::{
    ChatError, ChatService, Conversation, Reply, Secret, Usd,
    guarded::Priced,
    prices::Price,
    server::{self, Interface, Place, Server},
    settings::SettingsFault,
    transport::secret_header,
};

const NAME: &str = "claude";
const INTERFACE: Interface = Interface {
    name: NAME,
    section: ("anthropic", "anthropic.base_url"),
    strip: &["/messages"],
    version: Some("v1"),
    path: "/messages",
};
/// Where Claude answers.
pub const BASE_URL: &str = "https://api.anthropic.com/v1";
/// The model asked when settings name none: fast and cheap, which is what a shell's reply needs.
pub const MODEL: &str = "claude-haiku-5-5";
/// The interface version this file speaks.
const VERSION: &str = "2023-06-01";

/// Asks Claude.
pub struct Claude {
    server: Server,
    model: String,
    price: Option<Price>,
    habits: Habits,
}

/// What differs between models (platform.claude.com, migration guides).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Habits {
    /// Models from 4.7 on answer 400 to `temperature`.
    temperature: bool,
    /// Sonnet and Haiku from 5 on think unless told not to; Opus 5.5 and Fable always do and refuse to be told.
    thinks_unless_told: bool,
}

impl Habits {
    fn of(model: &str) -> Self {
        let old = ["claude-3", "claude-opus-4-2", "claude-sonnet-4-2", "claude-2"];
        let temperature = old.iter().any(|start| model.starts_with(start))
            || model.split_once("-4-").is_some_and(|(_, minor)| {
                minor.split('-').next().and_then(|n| n.parse::<u32>().ok()).is_some_and(|n| n <= 6)
            });
        let generation = ["claude-sonnet-", "claude-haiku-"]
            .iter()
            .find_map(|family| model.strip_prefix(family))
            .and_then(|rest| rest.split('-').next())
            .and_then(|n| n.parse::<u32>().ok());
        Self { temperature, thinks_unless_told: generation.is_some_and(|n| (5..1000).contains(&n)) }
    }
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    messages: Vec<Line<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Thinking>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
}

#[derive(Serialize)]
struct Block<'a> {
    r#type: &'static str,
    text: &'a str,
    /// The provider keeps everything up to here for the next question.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

#[derive(Serialize)]
struct CacheControl {
    r#type: &'static str,
}

/// Instructions shorter than this are below what Claude keeps (1024 tokens at least).
const WORTH_CACHING: usize = 4096;

#[derive(Serialize)]
struct Thinking {
    r#type: &'static str,
}

#[derive(Serialize)]
struct Line<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Default, Deserialize)]
struct Answer {
    #[serde(default)]
    model: String,
    content: Vec<Part>,
    stop_reason: Option<String>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Part {
    r#type: String,
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Usage {
    input_tokens: u64,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    output_tokens: u64,
}

impl Claude {
    /// A client of the server at this place.
    ///
    /// # Errors
    /// A URL that is none, a key with bytes that no header may carry, or no HTTPS client.
    pub fn new<'a>(
        place: impl Into<Place<'a>>,
        key: &Secret,
        model: &str,
        price: Option<Price>,
    ) -> Result<Self, SettingsFault> {
        let mut headers = HeaderMap::new();
        let key = secret_header(key.reveal())
            .ok_or_else(|| SettingsFault::new("anthropic.api_key", "it has characters that no key has"))?;
        headers.insert("x-api-key", key);
        headers.insert("anthropic-version", HeaderValue::from_static(VERSION));
        let server = Server::new(&INTERFACE, &place.into(), headers)?;
        Ok(Self { server, model: model.to_owned(), price, habits: Habits::of(model) })
    }
}

impl server::Answer for Answer {
    type Pieces = Self;

    fn take(answer: &mut Self, event: &serde_json::Value) -> Result<bool, u16> {
        take(answer, event)
    }

    fn whole(pieces: Self) -> Option<Self> {
        Some(pieces)
    }
}

/// One event of a stream (platform.claude.com, streaming messages); whether it was the last.
fn take(answer: &mut Answer, event: &serde_json::Value) -> Result<bool, u16> {
    let text = |value: Option<&serde_json::Value>| {
        value.and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    match event.get("type").and_then(serde_json::Value::as_str).unwrap_or_default() {
        "message_start" => {
            let message = event.get("message");
            answer.model = text(message.and_then(|message| message.get("model")));
            answer.usage = message.and_then(|message| Usage::deserialize(message.get("usage")?).ok());
        }
        "content_block_start" => {
            let block = event.get("content_block");
            let r#type = text(block.and_then(|block| block.get("type")));
            answer.content.push(Part { r#type, text: text(block.and_then(|block| block.get("text"))) });
        }
        "content_block_delta" => {
            if let Some(part) = answer.content.last_mut() {
                part.text.push_str(&text(event.get("delta").and_then(|delta| delta.get("text"))));
            }
        }
        "message_delta" => {
            let reason = text(event.get("delta").and_then(|delta| delta.get("stop_reason")));
            answer.stop_reason = (!reason.is_empty()).then_some(reason);
            // Counts are of the whole answer so far.
            let tokens = event
                .get("usage")
                .and_then(|usage| usage.get("output_tokens"))
                .and_then(serde_json::Value::as_u64);
            if let (Some(usage), Some(tokens)) = (&mut answer.usage, tokens) {
                usage.output_tokens = tokens;
            }
        }
        "message_stop" => return Ok(true),
        "error" => {
            let kind = text(event.get("error").and_then(|error| error.get("type")));
            return Err(match kind.as_str() {
                "overloaded_error" => 529,
                "rate_limit_error" => 429,
                _ => 500,
            });
        }
        _ => {}
    }
    Ok(false)
}

#[async_trait]
impl ChatService for Claude {
    async fn send_message(&self, conversation: &Conversation) -> Result<Reply, ChatError> {
        let asked = Instant::now();
        if conversation.messages.is_empty() {
            return Err(ChatError::Empty);
        }
        // An empty text block is refused with 400.
        let mut system: Vec<Block<'_>> = conversation
            .system
            .iter()
            .filter(|text| !text.trim().is_empty())
            .map(|text| Block { r#type: "text", text, cache_control: None })
            .collect();
        if is_cached(conversation)
            && let Some(last) = system.last_mut()
        {
            last.cache_control = Some(CacheControl { r#type: "ephemeral" });
        }
        let request = Request {
            model: &self.model,
            max_tokens: conversation.max_tokens,
            system,
            messages: conversation
                .messages
                .iter()
                .map(|m| Line { role: m.role.as_str(), content: &m.content })
                .collect(),
            temperature: conversation.temperature.filter(|_| self.habits.temperature),
            thinking: self.habits.thinks_unless_told.then_some(Thinking { r#type: "disabled" }),
            stream: self.server.streams(),
        };
        let answer: Answer = self.server.ask(&request).await?;
        let bound = self.cost_at_most(conversation);
        let (tokens_in, tokens_out, cost) = match &answer.usage {
            Some(usage) => {
                let written = usage.cache_creation_input_tokens.unwrap_or(0);
                let read = usage.cache_read_input_tokens.unwrap_or(0);
                let tokens_in = usage.input_tokens + written + read;
                // Writing costs a quarter more than reading afresh, reading from the cache a tenth.
                let counted = usage.input_tokens + (written * 5).div_ceil(4) + read.div_ceil(10);
                let cost = self.price.map_or(Usd::ZERO, |p| p.cost(counted, usage.output_tokens));
                (tokens_in, usage.output_tokens, cost)
            }
            None => (0, 0, bound.unwrap_or_default()),
        };
        if answer.stop_reason.as_deref() == Some("refusal") {
            return Err(ChatError::Declined { provider: NAME.to_owned(), cost });
        }
        let text: String =
            answer.content.into_iter().filter(|part| part.r#type == "text").map(|part| part.text).collect();
        if text.is_empty() {
            return Err(self.server.malformed("an empty text"));
        }
        Ok(Reply {
            text,
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

impl Priced for Claude {
    fn cost_at_most(&self, conversation: &Conversation) -> Option<Usd> {
        let most = conversation.tokens_at_most();
        let most = if is_cached(conversation) { (most * 5).div_ceil(4) } else { most };
        self.price.map(|p| p.cost_at_most(most, u64::from(conversation.max_tokens)))
    }
}

/// Whether the instructions are long enough for the provider to keep them.
fn is_cached(conversation: &Conversation) -> bool {
    conversation.system.iter().map(String::len).sum::<usize>() >= WORTH_CACHING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_model_gets_only_what_it_accepts() {
        for (model, temperature, thinks_unless_told) in [
            ("claude-haiku-5-5", false, true),
            ("claude-sonnet-5", false, true),
            ("claude-opus-5-5", false, false),
            ("claude-fable-5-1", false, false),
            ("claude-opus-4-7", false, false),
            ("claude-sonnet-4-6", true, false),
            ("claude-haiku-4-5-20251001", true, false),
            ("claude-sonnet-4-20250514", true, false),
            ("claude-3-5-haiku-latest", true, false),
            ("something-else", false, false),
        ] {
            assert_eq!(Habits::of(model), Habits { temperature, thinks_unless_told }, "{model}");
        }
    }
}
