//! From the facts of a bucket to a text: a language model's, or our own when none can be asked.

mod local;
mod prompt;

use std::sync::Arc;

use chat::{ChatService, Purse, Usd};

use crate::config::{self, Provider};
use crate::store::Facts;
use crate::time::now_ms;

/// A text longer than this is cut; a model that rambles must not fill the table.
const TEXT_LIMIT: usize = 64 * 1024;
const DAY_MS: i64 = 86_400_000;

/// Writes analyses.
pub struct Analyst {
    provider: Provider,
    service: Option<Arc<dyn ChatService>>,
    purse: Option<Arc<Purse>>,
    max_tokens: u32,
}

/// What came of asking.
#[derive(Debug)]
pub struct Written {
    /// The text.
    pub text: String,
    /// `local` when no model wrote it.
    pub provider: &'static str,
    /// The model's name.
    pub model: String,
    /// Tokens read.
    pub tokens_in: u64,
    /// Tokens written.
    pub tokens_out: u64,
    /// US dollars.
    pub cost_usd: f64,
}

/// Nothing came of asking.
#[derive(Debug, thiserror::Error)]
#[error("the model did not write the analysis: {reason}")]
pub struct NotWritten {
    /// Why; neither prompt nor key is part of it.
    pub reason: String,
    /// What the attempt may have cost, US dollars.
    pub cost_usd: f64,
}

impl Analyst {
    /// As the settings say; warns of what is missing.
    pub fn new(settings: &config::Analysis) -> Self {
        let (provider, max_tokens) = (settings.provider, settings.max_tokens);
        if provider == Provider::Local {
            return Self { provider, service: None, purse: None, max_tokens };
        }
        let (service, purse, warnings) = chat::assembly::build_with_purse(&settings.chat);
        for warning in warnings {
            tracing::warn!("analyses: {warning}");
        }
        Self { provider, service: Some(service), purse, max_tokens }
    }

    /// With a service of the caller's: for tests.
    pub fn with(service: Arc<dyn ChatService>, provider: Provider, max_tokens: u32) -> Self {
        Self { provider, service: Some(service), purse: None, max_tokens }
    }

    /// Midnight (UTC) of today in milliseconds: the budget's day.
    pub fn today() -> i64 {
        now_ms() / DAY_MS * DAY_MS
    }

    /// What this database has spent today counts, whichever process spent it.
    pub fn count_spent(&self, dollars: f64) {
        if let (Some(purse), Some(spent)) = (&self.purse, Usd::from_dollars(dollars)) {
            purse.restore(u64::try_from(now_ms() / DAY_MS).unwrap_or(0), spent);
        }
    }

    fn spent(&self) -> f64 {
        self.purse.as_ref().map_or(0.0, |purse| purse.spent().1.dollars())
    }

    /// Writes the analysis of one bucket. `samples` are visits, line by line; like the facts they hold visitors' text.
    pub async fn write(
        &self,
        bucket: &str,
        facts: &Facts,
        samples: &[Vec<String>],
    ) -> Result<Written, NotWritten> {
        let Some(service) = &self.service else {
            return Ok(Self::write_locally(bucket, facts, "the settings say `local`"));
        };
        let before = self.spent();
        match service.send_message(&prompt::conversation(bucket, facts, samples, self.max_tokens)).await {
            Ok(reply) => Ok(Written {
                text: printable(&reply.text),
                provider: self.provider.as_str(),
                model: reply.model,
                tokens_in: reply.tokens_in,
                tokens_out: reply.tokens_out,
                cost_usd: reply.cost_usd,
            }),
            Err(error) if matches!(error.kind(), "no_key" | "budget") => {
                Ok(Self::write_locally(bucket, facts, &error.to_string()))
            }
            Err(error) => {
                Err(NotWritten { reason: error.to_string(), cost_usd: (self.spent() - before).max(0.0) })
            }
        }
    }

    /// Writes the facts as text and says that no model was asked, and why.
    pub fn write_locally(bucket: &str, facts: &Facts, why: &str) -> Written {
        Written {
            text: printable(&local::text(bucket, facts, why)),
            provider: Provider::Local.as_str(),
            model: String::new(),
            tokens_in: 0,
            tokens_out: 0,
            cost_usd: 0.0,
        }
    }
}

/// Without control characters, which could move a terminal's cursor, and not longer than the limit.
fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(TEXT_LIMIT));
    for c in text.chars() {
        if clean.len() >= TEXT_LIMIT {
            clean.push('…');
            break;
        }
        if c == '\n'
            || c == '\t'
            || !(c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        {
            clean.push(c);
        }
    }
    clean.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use chat::{Canned, ChatError};

    use super::*;

    fn facts() -> Facts {
        Facts { events: 3, sessions: 1, ..Facts::default() }
    }

    #[tokio::test]
    async fn a_models_text_is_taken_without_its_control_characters() {
        let canned = Canned::scripted([Ok("Two \u{1b}[31mbots\u{202e}\nscanned.".to_owned())]);
        let analyst = Analyst::with(Arc::new(canned), Provider::Claude, 500);
        let written = analyst.write("rustbucket-aaaaaaaa", &facts(), &[]).await.unwrap();
        assert_eq!((written.text.as_str(), written.provider), ("Two [31mbots\nscanned.", "claude"));
        assert!(printable(&"é".repeat(TEXT_LIMIT)).len() <= TEXT_LIMIT + 3);
    }

    /// A server that answers every question as Anthropic's does, and counts nothing else.
    async fn stand_in() -> std::net::SocketAddr {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut asked = Vec::new();
                while !asked.ends_with(b"}") {
                    socket.read_buf(&mut asked).await.unwrap();
                }
                let body = "{\"model\":\"claude-stand-in\",\"content\":[{\"type\":\"text\",\"text\":\"One bot.\"}],\
                            \"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":1000,\"output_tokens\":10}}";
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn a_model_of_unknown_price_is_warned_of_and_a_priced_one_is_counted() {
        let settings = |url: &str, price: &str| {
            let text = format!(
                "[anthropic]\napi_key = \"k\"\nmodel = \"claude-stand-in\"\nbase_url = \"{url}\"\n{price}"
            );
            config::Config::parse("Registry.toml", &text, []).unwrap()
        };
        let config = settings("https://models.example", "");
        let (_, _, warnings) = chat::assembly::build_with_purse(&config.analysis.chat);
        let [warning] = warnings.as_slice() else { panic!("one warning: {warnings:?}") };
        assert!(warning.to_string().contains("[analysis.prices.\"claude-stand-in\"]"), "{warning}");
        // A model on this very machine costs nothing unless the settings say what.
        let address = stand_in().await;
        let price = "[analysis.prices.\"claude-stand-in\"]\ninput = 30\noutput = 150\n";
        let analyst = Analyst::new(&settings(&format!("http://{address}"), price).analysis);
        let written = analyst.write("rustbucket-aaaaaaaa", &facts(), &[]).await.unwrap();
        assert_eq!((written.text.as_str(), written.provider), ("One bot.", "claude"));
        assert!((written.cost_usd - 0.0315).abs() < 1e-9, "{}", written.cost_usd);
        assert!((analyst.spent() - 0.0315).abs() < 1e-9, "the day's budget counts it");
    }

    #[tokio::test]
    async fn without_key_or_budget_the_facts_are_written_and_other_failures_are_told() {
        let no_key = ChatError::NoKey { provider: "claude".into() };
        let broke = ChatError::Budget { purse: "day".into(), limit: Usd::from_dollars(1.0).unwrap() };
        let down = ChatError::Failed { provider: "claude".into(), status: 500, retry_after: None };
        let canned = Canned::scripted([Err(no_key), Err(broke), Err(down)]);
        let analyst = Analyst::with(Arc::new(canned), Provider::Claude, 500);
        for why in ["has no key", "budget"] {
            let written = analyst.write("rustbucket-aaaaaaaa", &facts(), &[]).await.unwrap();
            assert_eq!(written.provider, "local");
            assert!(
                written.text.contains("No model was asked") && written.text.contains(why),
                "{}",
                written.text
            );
        }
        assert!(
            analyst
                .write("rustbucket-aaaaaaaa", &facts(), &[])
                .await
                .unwrap_err()
                .to_string()
                .contains("status 500")
        );
    }
}
