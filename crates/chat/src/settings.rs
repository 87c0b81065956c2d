//! The sections `[chat] [openai] [anthropic] [ollama]` of the settings, and what is wrong with them.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Deserializer, de};

use crate::{
    Purse, Purses, Secret, Usd, chatgpt, claude, ollama,
    prices::{Price, Prices},
    transport::base_url,
};

/// How many sources have a purse of their own; the rest share one.
const PURSES_MOST: usize = 50_000;

/// One thing that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct SettingsFault {
    /// The key, for example `openai.base_url`.
    pub key: &'static str,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl SettingsFault {
    pub(crate) fn new(key: &'static str, reason: impl Into<String>) -> Self {
        Self { key, reason: reason.into() }
    }
}

/// All that `build` needs. A program's settings hold the sections one by one, because they stand beside its own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChatSettings {
    /// `[chat]`
    pub chat: ChatSection,
    /// `[openai]`
    pub openai: OpenAiSection,
    /// `[anthropic]`
    pub anthropic: AnthropicSection,
    /// `[ollama]`
    pub ollama: OllamaSection,
}

/// The providers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// `[openai]`
    ChatGpt,
    /// `[anthropic]`
    Claude,
    /// `[ollama]`
    Ollama,
    /// Nobody: every question gets its own `otherwise`.
    Canned,
}

/// `[chat]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChatSection {
    /// In this order. Unset: ChatGPT and Claude, those that have a key.
    pub providers: Option<Vec<Provider>>,
    /// For one answer, all providers together: `"8s"`, `"500ms"`, `"1m"`.
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    /// US dollars one session may cost.
    pub budget_per_session: Option<Usd>,
    /// US dollars one source address may cost in a day.
    pub budget_per_source_per_day: Option<Usd>,
    /// US dollars all may cost in a day.
    pub budget_per_day: Option<Usd>,
    /// Questions under way at once, for each provider.
    pub max_concurrent: usize,
    /// Answers kept; 0 switches the cache off.
    pub cache_entries: usize,
    /// US dollars per million tokens: `[chat.prices."MODEL"] input=… output=…`.
    pub prices: Prices,
}

impl Default for ChatSection {
    fn default() -> Self {
        Self {
            providers: None,
            timeout: Duration::from_secs(8),
            budget_per_session: None,
            budget_per_source_per_day: None,
            budget_per_day: None,
            max_concurrent: 16,
            cache_entries: 10_000,
            prices: Prices::default(),
        }
    }
}

/// `[openai]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenAiSection {
    /// Or `OPENAI_API_KEY`, or `CHATGPT_API_KEY`.
    pub api_key: Option<Secret>,
    /// Unset: [`chatgpt::MODEL`].
    pub model: Option<String>,
    /// Unset: [`chatgpt::BASE_URL`]. With or without `/v1`.
    pub base_url: Option<String>,
    /// `message1`, `message2` …: the first instructions of every conversation with this provider, by number.
    #[serde(deserialize_with = "static_messages")]
    pub static_messages: Vec<String>,
}

/// `[anthropic]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnthropicSection {
    /// Or `ANTHROPIC_API_KEY`, or `CLAUDE_API_KEY`.
    pub api_key: Option<Secret>,
    /// Unset: [`claude::MODEL`].
    pub model: Option<String>,
    /// Unset: [`claude::BASE_URL`]. With or without `/v1`.
    pub base_url: Option<String>,
}

/// `[ollama]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OllamaSection {
    /// Unset: [`ollama::BASE_URL`].
    pub base_url: Option<String>,
    /// Unset: [`ollama::MODEL`].
    pub model: Option<String>,
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let (number, unit) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let scale = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => 0,
    };
    match number.parse::<u64>().ok().and_then(|n| n.checked_mul(scale)) {
        Some(millis @ 1..=3_600_000) => Ok(Duration::from_millis(millis)),
        _ => {
            Err(de::Error::custom(format!("`{text}` is not a time up to an hour, write for example \"8s\"")))
        }
    }
}

fn static_messages<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let named = BTreeMap::<String, String>::deserialize(deserializer)?;
    let mut numbered = BTreeMap::new();
    for (name, text) in named {
        let number = name.strip_prefix("message").and_then(|n| n.parse::<u32>().ok());
        let number = number.ok_or_else(|| {
            de::Error::custom(format!("`{name}`: static messages are named message1, message2 and so on"))
        })?;
        if numbered.insert(number, text).is_some() {
            return Err(de::Error::custom(format!("static message {number} is there twice")));
        }
    }
    Ok(numbered.into_values().collect())
}

impl ChatSettings {
    /// Fills in keys that the settings do not have from environment variables, `OPENAI_API_KEY` before
    /// `CHATGPT_API_KEY` and `ANTHROPIC_API_KEY` before `CLAUDE_API_KEY`. `get` is normally `|name| std::env::var(name).ok()`.
    #[must_use]
    pub fn with_environment(mut self, get: impl Fn(&str) -> Option<String>) -> Self {
        let first =
            |names: [&str; 2]| names.into_iter().filter_map(&get).map(Secret::new).find(|k| !k.is_empty());
        let given = |key: Option<Secret>| key.filter(|key| !key.is_empty());
        let openai = given(self.openai.api_key.take());
        self.openai.api_key = openai.or_else(|| first(["OPENAI_API_KEY", "CHATGPT_API_KEY"]));
        let anthropic = given(self.anthropic.api_key.take());
        self.anthropic.api_key = anthropic.or_else(|| first(["ANTHROPIC_API_KEY", "CLAUDE_API_KEY"]));
        self
    }

    /// Everything that is wrong. A missing key is not among it: [`build`](crate::build) warns of that.
    pub fn faults(&self) -> Vec<SettingsFault> {
        let mut faults = Vec::new();
        for (key, url) in [
            ("openai.base_url", &self.openai.base_url),
            ("anthropic.base_url", &self.anthropic.base_url),
            ("ollama.base_url", &self.ollama.base_url),
        ] {
            if let Some(Err(reason)) = url.as_deref().map(base_url) {
                faults.push(SettingsFault::new(key, reason));
            }
        }
        for (key, model) in [
            ("openai.model", &self.openai.model),
            ("anthropic.model", &self.anthropic.model),
            ("ollama.model", &self.ollama.model),
        ] {
            if model.as_deref().is_some_and(|model| model.trim().is_empty()) {
                faults
                    .push(SettingsFault::new(key, "it must not be empty; leave the key out for the default"));
            }
        }
        if self.chat.max_concurrent == 0 {
            faults.push(SettingsFault::new("chat.max_concurrent", "it must be at least 1"));
        }
        let providers = self.chosen();
        let twice = providers.iter().enumerate().any(|(i, p)| providers.iter().take(i).any(|q| q == p));
        if twice {
            faults.push(SettingsFault::new("chat.providers", "a provider is named twice"));
        }
        for provider in providers {
            faults.extend(self.price_fault(provider));
        }
        faults
    }

    /// The providers that can be asked: named, and with what they need.
    pub(crate) fn usable(&self, provider: Provider) -> bool {
        match provider {
            // A server of our own may need no key.
            Provider::ChatGpt => self.openai.api_key.is_some() || self.openai.base_url.is_some(),
            Provider::Claude => self.anthropic.api_key.is_some(),
            Provider::Ollama | Provider::Canned => true,
        }
    }

    /// In the order of asking.
    pub(crate) fn chosen(&self) -> Vec<Provider> {
        self.chat.providers.clone().unwrap_or_else(|| vec![Provider::ChatGpt, Provider::Claude])
    }

    pub(crate) fn budgeted(&self) -> bool {
        let chat = &self.chat;
        [chat.budget_per_day, chat.budget_per_session, chat.budget_per_source_per_day]
            .iter()
            .any(Option::is_some)
    }

    /// The model a provider is asked for.
    pub(crate) fn model(&self, provider: Provider) -> &str {
        match provider {
            Provider::ChatGpt => self.openai.model.as_deref().unwrap_or(chatgpt::MODEL),
            Provider::Claude => self.anthropic.model.as_deref().unwrap_or(claude::MODEL),
            Provider::Ollama => self.ollama.model.as_deref().unwrap_or(ollama::MODEL),
            Provider::Canned => "canned",
        }
    }

    /// What a provider's tokens cost.
    pub(crate) fn price(&self, provider: Provider) -> Option<Price> {
        let price = self.chat.prices.of(self.model(provider));
        match provider {
            Provider::Ollama | Provider::Canned => price.or(Some(Price::FREE)),
            Provider::ChatGpt | Provider::Claude => price,
        }
    }

    /// A budget that cannot be kept, because nobody knows the price.
    pub(crate) fn price_fault(&self, provider: Provider) -> Option<SettingsFault> {
        if !self.budgeted() || !self.usable(provider) || self.price(provider).is_some() {
            return None;
        }
        let model = self.model(provider);
        let reason = format!(
            "a budget is set, but the price of `{model}` is unknown; add [chat.prices.\"{model}\"] with input and \
             output in US dollars per million tokens (0 for a machine of your own)"
        );
        Some(SettingsFault::new("chat.prices", reason))
    }

    /// A purse for one session, if sessions have a budget. For [`spending_from`](crate::spending_from).
    pub fn session_purse(&self) -> Option<Purse> {
        self.chat.budget_per_session.map(|limit| Purse::once("session", limit))
    }

    /// The purses of the sources, if sources have a budget. For [`spending_from`](crate::spending_from).
    pub fn source_purses(&self) -> Option<Purses> {
        self.chat.budget_per_source_per_day.map(|limit| Purses::new("source", limit, PURSES_MOST))
    }
}
