//! Claude, by Anthropic's own interface (`POST /v1/messages`).

use std::time::Instant;

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    ChatError, ChatService, Conversation, Reply, Secret, Usd,
    guarded::Priced,
    prices::Price,
    settings::SettingsFault,
    transport::{Transport, base_url, endpoint, secret_header},
};

const NAME: &str = "claude";
/// Where Claude answers.
pub const BASE_URL: &str = "https://api.anthropic.com/v1";
/// The model asked when settings name none: fast and cheap, which is what a shell's reply needs.
pub const MODEL: &str = "claude-haiku-5-5";
/// The interface version this file speaks.
const VERSION: &str = "2023-06-01";

/// Asks Claude.
pub struct Claude {
    transport: Transport,
    url: Url,
    headers: HeaderMap,
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
}

#[derive(Serialize)]
struct Block<'a> {
    r#type: &'static str,
    text: &'a str,
}

#[derive(Serialize)]
struct Thinking {
    r#type: &'static str,
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
    /// A client of the server at `base`.
    ///
    /// # Errors
    /// A URL that is none, a key with bytes that no header may carry, or no HTTPS client.
    pub fn new(base: &str, key: &Secret, model: &str, price: Option<Price>) -> Result<Self, SettingsFault> {
        let base = base_url(base).map_err(|reason| SettingsFault::new("anthropic.base_url", reason))?;
        let url = endpoint(&base, &["/messages"], Some("v1"), "/messages");
        let mut headers = HeaderMap::new();
        let key = secret_header(key.reveal())
            .ok_or_else(|| SettingsFault::new("anthropic.api_key", "it has characters that no key has"))?;
        headers.insert("x-api-key", key);
        headers.insert("anthropic-version", HeaderValue::from_static(VERSION));
        let transport = Transport::new(NAME).map_err(|e| SettingsFault::new("anthropic", e.to_string()))?;
        Ok(Self { transport, url, headers, model: model.to_owned(), price, habits: Habits::of(model) })
    }
}

#[async_trait]
impl ChatService for Claude {
    async fn send_message(&self, conversation: &Conversation) -> Result<Reply, ChatError> {
        let asked = Instant::now();
        if conversation.messages.is_empty() {
            return Err(ChatError::Empty);
        }
        // An empty text block is refused with 400.
        let system = conversation.system.iter().filter(|text| !text.trim().is_empty());
        let request = Request {
            model: &self.model,
            max_tokens: conversation.max_tokens,
            system: system.map(|text| Block { r#type: "text", text }).collect(),
            messages: conversation
                .messages
                .iter()
                .map(|m| Line { role: m.role.as_str(), content: &m.content })
                .collect(),
            temperature: conversation.temperature.filter(|_| self.habits.temperature),
            thinking: self.habits.thinks_unless_told.then_some(Thinking { r#type: "disabled" }),
        };
        let answer: Answer = self.transport.post(&self.url, &self.headers, &request).await?;
        let bound = self.cost_at_most(conversation);
        let (tokens_in, tokens_out, cost) = match &answer.usage {
            Some(usage) => {
                let cached = usage.cache_creation_input_tokens.unwrap_or(0)
                    + usage.cache_read_input_tokens.unwrap_or(0);
                let tokens_in = usage.input_tokens + cached;
                let cost = self.price.map_or(Usd::ZERO, |p| p.cost(tokens_in, usage.output_tokens));
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
            return Err(self.transport.malformed("an empty text"));
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
        self.price.map(|p| p.cost_at_most(conversation.tokens_at_most(), u64::from(conversation.max_tokens)))
    }
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
