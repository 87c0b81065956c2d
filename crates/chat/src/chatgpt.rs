//! ChatGPT, and every server that speaks its interface (`POST /v1/chat/completions`).

use std::time::Instant;

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    ChatError, ChatService, Conversation, Reply, Secret, Usd,
    guarded::Priced,
    prices::Price,
    settings::{SettingsFault, with_cause},
    transport::{Network, Transport, base_url, endpoint, secret_header},
};

const NAME: &str = "chatgpt";
/// Where ChatGPT itself answers.
pub const BASE_URL: &str = "https://api.openai.com/v1";
/// The model asked when settings name none: fast and cheap, which is what a shell's reply needs.
pub const MODEL: &str = "gpt-5.6-luna";

/// Asks ChatGPT or a compatible server.
pub struct ChatGpt {
    transport: Transport,
    url: Url,
    headers: HeaderMap,
    model: String,
    static_messages: Vec<String>,
    price: Option<Price>,
    dialect: Dialect,
    stream: bool,
}

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
    /// A client of the server at `base`; `static_messages` come before every conversation's own instructions.
    ///
    /// # Errors
    /// A URL that is none, a key with bytes that no header may carry, or no HTTPS client.
    pub fn new(
        base: &str,
        key: Option<&Secret>,
        model: &str,
        static_messages: Vec<String>,
        price: Option<Price>,
    ) -> Result<Self, SettingsFault> {
        let base = base_url(base).map_err(|reason| SettingsFault::new("openai.base_url", reason))?;
        let url = endpoint(&base, &["/chat/completions"], Some("v1"), "/chat/completions");
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            let value = secret_header(&format!("Bearer {}", key.reveal()))
                .ok_or_else(|| SettingsFault::new("openai.api_key", "it has characters that no key has"))?;
            headers.insert(AUTHORIZATION, value);
        }
        let transport = transport(&url, &Network::default())?;
        let dialect = Dialect::of(&url, model);
        let (model, stream) = (model.to_owned(), false);
        Ok(Self { transport, url, headers, model, static_messages, price, dialect, stream })
    }

    /// The same, reached this way.
    ///
    /// # Errors
    /// No HTTPS client.
    pub fn through(mut self, network: &Network) -> Result<Self, SettingsFault> {
        self.transport = transport(&self.url, network)?;
        Ok(self)
    }

    /// The same; answers come in pieces, so that whoever hangs up stops paying.
    #[must_use]
    pub fn streaming(mut self, stream: bool) -> Self {
        self.stream = stream;
        self
    }

    async fn answer(&self, request: &Request<'_>) -> Result<Answer, ChatError> {
        if !self.stream {
            return self.transport.post(&self.url, &self.headers, request).await;
        }
        let mut pieces = Pieces::default();
        let take = |event: serde_json::Value| {
            if let Some(error) = event.get("error").filter(|error| !error.is_null()) {
                let status = error
                    .get("code")
                    .and_then(serde_json::Value::as_u64)
                    .and_then(|code| u16::try_from(code).ok());
                let status = status.filter(|status| *status >= 500).unwrap_or(500);
                return Err(ChatError::Failed { provider: NAME.to_owned(), status, retry_after: None });
            }
            pieces.take(&event);
            Ok(pieces.finish_reason.is_some())
        };
        let whole = self.transport.post_streamed(&self.url, &self.headers, request, take).await?;
        Ok(whole.unwrap_or_else(|| pieces.whole()))
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

impl Pieces {
    fn take(&mut self, event: &serde_json::Value) {
        if let Some(model) = event.get("model").and_then(serde_json::Value::as_str) {
            model.clone_into(&mut self.model);
        }
        if let Some(usage) = event.get("usage").and_then(|usage| Usage::deserialize(usage).ok()) {
            self.usage = Some(usage);
        }
        let Some(choice) = event.get("choices").and_then(|choices| choices.get(0)) else { return };
        let delta = |name: &str| {
            choice.get("delta").and_then(|delta| delta.get(name)).and_then(serde_json::Value::as_str)
        };
        self.text.push_str(delta("content").unwrap_or_default());
        if let Some(refusal) = delta("refusal") {
            self.refusal.get_or_insert_default().push_str(refusal);
        }
        if let Some(reason) = choice.get("finish_reason").and_then(serde_json::Value::as_str) {
            self.finish_reason = Some(reason.to_owned());
        }
    }

    fn whole(self) -> Answer {
        let message = Said { content: Some(self.text), refusal: self.refusal };
        let choice = Choice { message, finish_reason: self.finish_reason };
        Answer { model: self.model, choices: vec![choice], usage: self.usage }
    }
}

fn transport(url: &Url, network: &Network) -> Result<Transport, SettingsFault> {
    Transport::new(NAME, url, network).map_err(|error| SettingsFault::new("openai", with_cause(&error)))
}

#[async_trait]
impl ChatService for ChatGpt {
    async fn send_message(&self, conversation: &Conversation) -> Result<Reply, ChatError> {
        let asked = Instant::now();
        if conversation.messages.is_empty() {
            return Err(ChatError::Empty);
        }
        let system = self.static_messages.iter().chain(&conversation.system);
        let lines = system
            .map(|content| Line { role: "system", content })
            .chain(conversation.messages.iter().map(|m| Line { role: m.role.as_str(), content: &m.content }));
        let own = self.dialect.completion_tokens;
        let request = Request {
            model: &self.model,
            messages: lines.collect(),
            max_tokens: (!own).then_some(conversation.max_tokens),
            max_completion_tokens: own.then_some(conversation.max_tokens),
            temperature: conversation.temperature.filter(|_| self.dialect.temperature),
            reasoning_effort: self.dialect.effort,
            stream: self.stream,
            stream_options: self.stream.then_some(StreamOptions { include_usage: true }),
        };
        let answer = self.answer(&request).await?;
        let bound = self.cost_at_most(conversation);
        let (tokens_in, tokens_out, cost) = match (&answer.usage, self.price) {
            (Some(usage), price) => {
                let cost = price.map_or(Usd::ZERO, |p| p.cost(usage.prompt_tokens, usage.completion_tokens));
                (usage.prompt_tokens, usage.completion_tokens, cost)
            }
            (None, _) => (0, 0, bound.unwrap_or_default()),
        };
        let choice =
            answer.choices.into_iter().next().ok_or_else(|| self.transport.malformed("no choice"))?;
        if choice.message.refusal.is_some() || choice.finish_reason.as_deref() == Some("content_filter") {
            return Err(ChatError::Declined { provider: NAME.to_owned(), cost });
        }
        let text = choice.message.content.filter(|text| !text.is_empty());
        Ok(Reply {
            text: text.ok_or_else(|| self.transport.malformed("an empty text"))?,
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
