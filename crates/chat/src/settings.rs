//! The sections `[chat] [openai] [anthropic] [ollama]` of the settings, and what is wrong with them.

mod allowances;
mod provider;

use std::{path::PathBuf, time::Duration};

use ::settings::Section;

use crate::{
    Secret, Usd, chatgpt, claude, ollama,
    prices::{Price, Prices, usd},
    transport::{Network, base_url, is_local},
};

pub use allowances::Allowances;
pub use provider::Provider;

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
#[derive(Clone, Debug, Default)]
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

/// `[chat]`
#[derive(Clone, Debug)]
pub struct ChatSection {
    /// In this order. Unset: ChatGPT and Claude, those that have a key.
    pub providers: Option<Vec<Provider>>,
    /// For one answer, all providers together: `"8s"`, `"500ms"`, `"1m"`.
    pub timeout: Duration,
    /// US dollars one session may cost.
    pub budget_per_session: Option<Usd>,
    /// US dollars one source address may cost in a day.
    pub budget_per_source_per_day: Option<Usd>,
    /// US dollars all may cost in a day.
    pub budget_per_day: Option<Usd>,
    /// US dollars one network (IPv4: /24, IPv6: /48) may cost in a day.
    pub budget_per_network_per_day: Option<Usd>,
    /// Nobody set a budget, so these are the built-in ones: a model of unknown price is counted as the dearest then, and
    /// is no reason to refuse the settings.
    pub budget_by_default: bool,
    /// Tokens one session may take.
    pub tokens_per_session: Option<u64>,
    /// Tokens one source address may take in a day.
    pub tokens_per_source_per_day: Option<u64>,
    /// Tokens one network may take in a day.
    pub tokens_per_network_per_day: Option<u64>,
    /// Tokens all may take in a day.
    pub tokens_per_day: Option<u64>,
    /// A folder with texts of prompts, instead of the built-in ones of the same name.
    pub templates: Option<PathBuf>,
    /// About how many tokens the changing part of a prompt may have.
    pub prompt_tokens: usize,
    /// The most tokens of one answer.
    pub answer_tokens: u32,
    /// Answers come in pieces, so that a visitor who leaves stops the model.
    pub stream: bool,
    /// How providers are reached.
    pub network: Network,
    /// Questions under way at once, for each provider.
    pub max_concurrent: usize,
    /// Answers kept; 0 switches the cache off.
    pub cache_entries: usize,
    /// US dollars per million tokens: `[chat.prices."MODEL"] input=… output=…`.
    pub prices: Prices,
    /// The key of `prices` in the settings, for advice: `chat.prices` unless a program keeps them elsewhere.
    pub prices_key: &'static str,
}

impl Default for ChatSection {
    fn default() -> Self {
        Self {
            providers: None,
            timeout: Duration::from_secs(8),
            budget_per_session: None,
            budget_per_source_per_day: None,
            budget_per_day: None,
            budget_per_network_per_day: None,
            budget_by_default: false,
            tokens_per_session: None,
            tokens_per_source_per_day: None,
            tokens_per_network_per_day: None,
            tokens_per_day: None,
            templates: None,
            prompt_tokens: 1500,
            answer_tokens: 1200,
            stream: false,
            network: Network::default(),
            max_concurrent: 16,
            cache_entries: 10_000,
            prices: Prices::default(),
            prices_key: "chat.prices",
        }
    }
}

/// `[openai]`
#[derive(Clone, Debug, Default)]
pub struct OpenAiSection {
    /// Or `OPENAI_API_KEY`, or `CHATGPT_API_KEY`.
    pub api_key: Option<Secret>,
    /// Unset: [`chatgpt::MODEL`].
    pub model: Option<String>,
    /// Unset: [`chatgpt::BASE_URL`]. With or without `/v1`.
    pub base_url: Option<String>,
    /// `message1`, `message2` …: the first instructions of every conversation with this provider, by number.
    pub static_messages: Vec<String>,
}

/// `[anthropic]`
#[derive(Clone, Debug, Default)]
pub struct AnthropicSection {
    /// Or `ANTHROPIC_API_KEY`, or `CLAUDE_API_KEY`.
    pub api_key: Option<Secret>,
    /// Unset: [`claude::MODEL`].
    pub model: Option<String>,
    /// Unset: [`claude::BASE_URL`]. With or without `/v1`.
    pub base_url: Option<String>,
}

/// `[ollama]`
#[derive(Clone, Debug, Default)]
pub struct OllamaSection {
    /// Unset: [`ollama::BASE_URL`].
    pub base_url: Option<String>,
    /// Unset: [`ollama::MODEL`].
    pub model: Option<String>,
}

impl ChatSection {
    /// Reads the section; what is wrong is reported to the tree of the file.
    pub fn read(mut section: Section<'_>) -> Self {
        let default = Self::default();
        let providers = section.texts("providers").map(|names| {
            let mut providers = Vec::new();
            for name in names {
                match Provider::ALL.into_iter().find(|provider| provider.name() == name.value) {
                    None => section.fault(
                        "providers",
                        name.origin,
                        format!(
                            "no provider is called `{}`; there are chatgpt, claude, ollama, canned",
                            name.value
                        ),
                    ),
                    Some(provider) if providers.contains(&provider) => {
                        section.fault("providers", name.origin, format!("`{}` is named twice", name.value));
                    }
                    Some(provider) => providers.push(provider),
                }
            }
            providers
        });
        let tokens = |section: &mut Section<'_>, key: &str| section.number::<u64>(key, 1..=1_000_000_000_000);
        let network = Network {
            ca_file: section.found_text("ca_file").map(|found| {
                let network = Network { ca_file: Some(found.value.clone().into()), direct: false };
                if let Err(reason) = network.authorities() {
                    section.fault("ca_file", found.origin, reason);
                }
                found.value.into()
            }),
            direct: !section.flag("proxy_from_environment").unwrap_or(true),
        };
        let mut read = Self {
            providers,
            timeout: section.time_above_zero("timeout").unwrap_or(default.timeout),
            budget_per_session: usd(&mut section, "budget_per_session"),
            budget_per_source_per_day: usd(&mut section, "budget_per_source_per_day"),
            budget_per_day: usd(&mut section, "budget_per_day"),
            budget_per_network_per_day: usd(&mut section, "budget_per_network_per_day"),
            budget_by_default: false,
            tokens_per_session: tokens(&mut section, "tokens_per_session"),
            tokens_per_source_per_day: tokens(&mut section, "tokens_per_source_per_day"),
            tokens_per_network_per_day: tokens(&mut section, "tokens_per_network_per_day"),
            tokens_per_day: tokens(&mut section, "tokens_per_day"),
            templates: section.text("templates").map(PathBuf::from),
            prompt_tokens: section.number("prompt_tokens", 200..=50_000).unwrap_or(default.prompt_tokens),
            answer_tokens: section.number("answer_tokens", 16..=20_000).unwrap_or(default.answer_tokens),
            stream: section.flag("stream").unwrap_or(true),
            network,
            max_concurrent: section.number("max_concurrent", 1..=10_000).unwrap_or(default.max_concurrent),
            cache_entries: section.number("cache_entries", 0..=10_000_000).unwrap_or(default.cache_entries),
            prices: Prices::read(section.section("prices")),
            prices_key: default.prices_key,
        };
        if !read.budgeted() {
            let cents = |cents: u64| Some(Usd::from_nanos(cents * 10_000_000));
            read.budget_by_default = true;
            read.budget_per_session = cents(10);
            read.budget_per_source_per_day = cents(25);
            read.budget_per_network_per_day = cents(100);
            read.budget_per_day = cents(500);
        }
        read
    }

    fn budgeted(&self) -> bool {
        [
            self.budget_per_day,
            self.budget_per_session,
            self.budget_per_source_per_day,
            self.budget_per_network_per_day,
        ]
        .iter()
        .any(Option::is_some)
    }
}

/// An error with everything that caused it, on one line.
pub(crate) fn with_cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn key(section: &mut Section<'_>) -> Option<Secret> {
    section.text("api_key").map(Secret::new).filter(|key| !key.is_empty())
}

fn model(section: &mut Section<'_>) -> Option<String> {
    section.parsed("model", "the name of a model; leave the key out for the default", |text| {
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    })
}

fn url(section: &mut Section<'_>) -> Option<String> {
    let found = section.found_text("base_url")?;
    match base_url(&found.value) {
        Ok(_) => Some(found.value),
        Err(reason) => {
            section.fault("base_url", found.origin, reason);
            None
        }
    }
}

impl OpenAiSection {
    /// Reads the section; what is wrong is reported to the tree of the file.
    pub fn read(mut section: Section<'_>) -> Self {
        let (api_key, model, base_url) = (key(&mut section), model(&mut section), url(&mut section));
        let mut messages = section.section("static_messages");
        for name in messages.keys() {
            let number = name.strip_prefix("message").map(str::as_bytes).unwrap_or_default();
            if number.is_empty() || !number.iter().all(u8::is_ascii_digit) {
                messages.fault(&name, None, "static messages are named message1, message2 and so on");
            }
        }
        let static_messages = messages.all_texts().into_iter().map(|(_, text)| text).collect();
        Self { api_key, model, base_url, static_messages }
    }
}

impl AnthropicSection {
    /// Reads the section; what is wrong is reported to the tree of the file.
    pub fn read(mut section: Section<'_>) -> Self {
        Self { api_key: key(&mut section), model: model(&mut section), base_url: url(&mut section) }
    }
}

impl OllamaSection {
    /// Reads the section; what is wrong is reported to the tree of the file.
    pub fn read(mut section: Section<'_>) -> Self {
        Self { base_url: url(&mut section), model: model(&mut section) }
    }
}

impl ChatSettings {
    /// Reads `[chat] [openai] [anthropic] [ollama]`; what is wrong is reported to the file's tree. A missing key is not
    /// wrong: [`build`](crate::build) warns of it. A budget for a provider that has its key but no known price is.
    pub fn read(top: &mut Section<'_>) -> Self {
        Self::read_beside(top, |name| std::env::var(name).ok())
    }

    /// As [`read`](Self::read), with the environment that [`with_environment`](Self::with_environment) will be given.
    pub fn read_beside(top: &mut Section<'_>, get: impl Fn(&str) -> Option<String>) -> Self {
        let settings = Self {
            chat: ChatSection::read(top.section("chat")),
            openai: OpenAiSection::read(top.section("openai")),
            anthropic: AnthropicSection::read(top.section("anthropic")),
            ollama: OllamaSection::read(top.section("ollama")),
        };
        let keyed = settings.clone().with_environment(get);
        // The built-in budgets hold for any model, counted as the dearest; a budget that somebody set is meant exactly.
        let asked = keyed.chosen().into_iter().filter(|provider| keyed.usable(*provider));
        for provider in asked.filter(|_| !keyed.chat.budget_by_default) {
            if let Some(reason) = keyed.unpriced(provider) {
                top.fault(settings.chat.prices_key, None, reason);
            }
        }
        settings
    }

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
        self.chat.budgeted()
    }

    /// Whether a provider is a machine of our own, which costs nothing unless a price is set.
    fn is_own(&self, provider: Provider) -> bool {
        let base = match provider {
            Provider::ChatGpt => self.openai.base_url.as_deref(),
            Provider::Claude => self.anthropic.base_url.as_deref(),
            Provider::Ollama | Provider::Canned => return true,
        };
        base.and_then(|base| base_url(base).ok()).is_some_and(|url| is_local(&url))
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
        if self.is_own(provider) { price.or(Some(Price::FREE)) } else { price }
    }

    /// A budget for a model whose price nobody knows: what is wrong, and the remedy.
    pub(crate) fn unpriced(&self, provider: Provider) -> Option<String> {
        if !self.budgeted() || self.price(provider).is_some() {
            return None;
        }
        let (model, key) = (self.model(provider), self.chat.prices_key);
        Some(format!(
            "a budget is set, but the price of `{model}` is unknown; add [{key}.\"{model}\"] with input and output in \
             US dollars per million tokens (0 for a machine of your own)"
        ))
    }
}
