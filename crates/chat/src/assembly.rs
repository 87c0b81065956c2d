//! From settings to one service, guards and all.

use std::{fmt, sync::Arc};

use crate::{
    Canned, ChatGpt, ChatService, ChatSettings, Claude, Ollama, Place, Purse, Secret, chatgpt, claude,
    guarded::{Breaker, Budgeted, Cached, Failover, Limited, Priced, Retried, Timed},
    ollama,
    prices::Price,
    settings::{Provider, SettingsFault},
};

/// The bytes of questions and answers the cache keeps.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// Something the operator should know at start; the program runs all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning(String);

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Puts together what the settings ask for. Never fails: a provider that cannot be used is left out with a warning, and
/// with none left every question fails with [`ChatError::NoKey`](crate::ChatError::NoKey).
///
/// Call [`ChatSettings::with_environment`] before.
pub fn build(settings: &ChatSettings) -> (Arc<dyn ChatService>, Vec<Warning>) {
    let (service, _, warnings) = build_with_purse(settings);
    (service, warnings)
}

/// As [`build`], with the purse of the day if there is one, so that a program can keep it over a restart.
pub fn build_with_purse(settings: &ChatSettings) -> (Arc<dyn ChatService>, Option<Arc<Purse>>, Vec<Warning>) {
    let Assembled { service, day, warnings } = assemble(settings);
    (service, day.into_iter().find(|purse| purse.unit() == crate::Unit::Usd), warnings)
}

/// What [`assemble`] puts together.
pub struct Assembled {
    /// The service with all its guards.
    pub service: Arc<dyn ChatService>,
    /// The purses of the day, in US dollars and in tokens, those that have a limit.
    pub day: Vec<Arc<Purse>>,
    /// What the operator should know.
    pub warnings: Vec<Warning>,
}

/// As [`build`], with the purses of the day, so that a program can keep them over a restart.
pub fn assemble(settings: &ChatSettings) -> Assembled {
    let mut warnings = Vec::new();
    let tokens = settings.chat.tokens_per_day.map(|limit| Arc::new(Purse::tokens_daily("day", limit)));
    let day = settings.chat.budget_per_day.map(|limit| Arc::new(Purse::daily("day", limit)));
    let (usable, keyless): (Vec<_>, Vec<_>) =
        settings.chosen().into_iter().partition(|provider| settings.usable(*provider));
    warnings.extend(missing_keys(settings.chat.providers.is_some(), &usable, &keyless));
    let share = settings.chat.timeout / u32::try_from(usable.len().max(1)).unwrap_or(u32::MAX);
    let mut services: Vec<Box<dyn ChatService>> = Vec::new();
    for provider in usable {
        let purses: Vec<_> = day.iter().chain(&tokens).cloned().collect();
        let parts = Parts { purses, share, limit: settings.chat.max_concurrent };
        let unpriced = settings.unpriced(provider);
        let price = settings.price(provider).or(settings.budgeted().then_some(Price::DEAREST));
        match service(settings, provider, price, parts) {
            Ok(service) => {
                services.push(service);
                warnings.extend(unpriced.map(|reason| {
                    Warning(format!(
                        "{}: {reason}; until then its tokens are counted at {} in and {} out per million",
                        provider.name(),
                        Price::DEAREST.input,
                        Price::DEAREST.output
                    ))
                }));
            }
            Err(fault) => warnings.push(Warning(format!("{} is left out: {fault}", provider.name()))),
        }
    }
    let answers = settings.chat.cache_entries;
    let service = Arc::new(Cached::new(Failover::new(services), answers, CACHE_BYTES));
    Assembled { service, day: day.into_iter().chain(tokens).collect(), warnings }
}

/// What one provider answered to a trial question.
pub struct Trial {
    /// Its name in settings.
    pub provider: &'static str,
    /// The model asked for.
    pub model: String,
    /// The answer, or why there is none.
    pub result: Result<crate::Reply, String>,
}

/// Asks every configured provider one short question, for `check --ask`. Costs a few tokens each.
pub async fn try_out(settings: &ChatSettings) -> Vec<Trial> {
    let mut trials = Vec::new();
    let hello = crate::Message { role: crate::Role::User, content: "Say: ready".to_owned() };
    let conversation = crate::Conversation {
        system: vec!["You answer with one word.".to_owned()],
        messages: vec![hello],
        max_tokens: 16,
        temperature: Some(0.0),
    };
    for provider in settings.chosen() {
        let model = settings.model(provider).to_owned();
        let result = if settings.usable(provider) {
            let parts = Parts { purses: Vec::new(), share: settings.chat.timeout, limit: 1 };
            match service(settings, provider, settings.price(provider), parts) {
                Ok(service) => {
                    let reply = service.send_message(&conversation).await;
                    reply.map_err(|error| crate::settings::with_cause(&error))
                }
                Err(fault) => Err(fault.to_string()),
            }
        } else {
            Err(format!("no key; set {}", keys(provider)))
        };
        trials.push(Trial { provider: provider.name(), model, result });
    }
    trials
}

/// One warning when nobody can be asked; otherwise one for each provider that was asked for by name and has no key.
fn missing_keys(named: bool, usable: &[Provider], keyless: &[Provider]) -> Vec<Warning> {
    if usable.is_empty() && !keyless.is_empty() {
        let keys: Vec<&str> = keyless.iter().map(|provider| keys(*provider)).collect();
        let text = format!(
            "no language model is asked, because there is no key; set {}, or choose \"ollama\"",
            keys.join("; or ")
        );
        return vec![Warning(text)];
    }
    let left_out = keyless.iter().filter(|_| named);
    left_out
        .map(|provider| {
            let (name, keys) = (provider.name(), keys(*provider));
            Warning(format!("{name} has no key and is left out; set {keys}"))
        })
        .collect()
}

/// What every provider is wrapped with.
struct Parts {
    purses: Vec<Arc<Purse>>,
    share: std::time::Duration,
    limit: usize,
}

impl Parts {
    fn around<S: ChatService + Priced + 'static>(self, provider: S) -> Box<dyn ChatService> {
        let inner = Timed::new(Retried::new(Budgeted::new(provider, self.purses)), self.share);
        Box::new(Limited::new(Breaker::new(inner), self.limit))
    }
}

fn service(
    settings: &ChatSettings,
    provider: Provider,
    price: Option<Price>,
    parts: Parts,
) -> Result<Box<dyn ChatService>, SettingsFault> {
    let model = settings.model(provider);
    let chat = &settings.chat;
    let at = |base| Place { base, network: chat.network.clone(), stream: chat.stream };
    Ok(match provider {
        Provider::ChatGpt => {
            let section = &settings.openai;
            let base = section.base_url.as_deref().unwrap_or(chatgpt::BASE_URL);
            let words = section.static_messages.clone();
            parts.around(ChatGpt::new(at(base), section.api_key.as_ref(), model, words, price)?)
        }
        Provider::Claude => {
            let section = &settings.anthropic;
            let base = section.base_url.as_deref().unwrap_or(claude::BASE_URL);
            let none = Secret::new("");
            parts.around(Claude::new(at(base), section.api_key.as_ref().unwrap_or(&none), model, price)?)
        }
        Provider::Ollama => {
            let base = settings.ollama.base_url.as_deref().unwrap_or(ollama::BASE_URL);
            parts.around(Ollama::new(at(base), model, price.unwrap_or(Price::FREE))?)
        }
        Provider::Canned => parts.around(Canned::silent()),
    })
}

fn keys(provider: Provider) -> &'static str {
    match provider {
        Provider::ChatGpt => "openai.api_key, OPENAI_API_KEY or CHATGPT_API_KEY",
        Provider::Claude => "anthropic.api_key, ANTHROPIC_API_KEY or CLAUDE_API_KEY",
        Provider::Ollama | Provider::Canned => "nothing",
    }
}
