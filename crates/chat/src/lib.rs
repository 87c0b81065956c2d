//! Asking a language model: one trait, several providers, guards as decorators.
//!
//! The HTTP side is plain `reqwest` and `serde`, about a hundred lines a provider, rather than a client library for
//! many models (`genai` 0.7 was weighed). The reasons: errors stay typed, so that a refused key, a rate limit with its
//! `Retry-After` and a cut body can be told apart, and so that no prompt and no key gets into a message; the money
//! spent must be bounded before a call and settled after it, which needs the usage figures and the certainty that
//! nothing is retried behind our back; a proxy named in the environment must not see what attackers type; operators
//! write base URLs with and without `/v1`; and it saves some fifty crates in a program that strangers talk to.

pub mod assembly;
pub mod canned;
pub mod chatgpt;
pub mod claude;
pub mod error;
pub mod guarded;
pub mod money;
pub mod ollama;
pub mod prices;
pub mod secret;
mod server;
pub mod settings;
mod stream;
mod transport;

use std::time::Duration;

use async_trait::async_trait;

pub use assembly::{Warning, build};
pub use canned::Canned;
pub use chatgpt::ChatGpt;
pub use claude::Claude;
pub use error::ChatError;
pub use guarded::{Purse, Purses, Unit, spending_from};
pub use money::Usd;
pub use ollama::Ollama;
pub use secret::Secret;
pub use server::Place;
pub use settings::{Allowances, AnthropicSection, ChatSection, ChatSettings, OllamaSection, OpenAiSection};
pub use transport::Network;

/// Somebody who answers conversations: a provider, or a guard around one.
#[async_trait]
pub trait ChatService: Send + Sync {
    /// Asks once. Nothing is retried unless a decorator says so.
    async fn send_message(&self, conversation: &Conversation) -> Result<Reply, ChatError>;

    /// The provider's name as it stands in settings, for example `claude`.
    fn name(&self) -> &str;
}

/// What is said to the model. `Debug` shows sizes only: a prompt carries what attackers typed.
#[derive(Clone, PartialEq)]
pub struct Conversation {
    /// Instructions, in order.
    pub system: Vec<String>,
    /// The turns so far; the last one is normally the user's.
    pub messages: Vec<Message>,
    /// The most tokens the answer may have.
    pub max_tokens: u32,
    /// Left to the provider when `None`; not sent to models that refuse it.
    pub temperature: Option<f32>,
}

impl Conversation {
    /// The bytes of all its texts.
    pub fn bytes(&self) -> usize {
        let system: usize = self.system.iter().map(String::len).sum();
        system + self.messages.iter().map(|message| message.content.len()).sum::<usize>()
    }

    /// A number of tokens that its texts cannot exceed: no tokeniser in use makes a token of less than one byte, and
    /// the wrapping around each message is a handful of tokens.
    pub fn tokens_at_most(&self) -> u64 {
        const WRAPPING: usize = 16;
        const PREAMBLE: usize = 64;
        let texts = self.system.len() + self.messages.len();
        u64::try_from(self.bytes() + texts * WRAPPING + PREAMBLE).unwrap_or(u64::MAX)
    }
}

impl std::fmt::Debug for Conversation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversation")
            .field("system", &self.system.len())
            .field("messages", &self.messages.len())
            .field("bytes", &self.bytes())
            .field("max_tokens", &self.max_tokens)
            .field("temperature", &self.temperature)
            .finish()
    }
}

/// One turn of a conversation.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({:?}, {} bytes)", self.role, self.content.len())
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// We do.
    User,
    /// The model did.
    Assistant,
}

impl Role {
    /// The name all three interfaces use.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// What came back.
#[derive(Clone, PartialEq)]
pub struct Reply {
    /// The answer; never empty.
    pub text: String,
    /// The model that answered, as the provider names it.
    pub model: String,
    /// Tokens of the conversation; 0 when the provider does not say.
    pub tokens_in: u64,
    /// Tokens of the answer, hidden reasoning included; 0 when the provider does not say.
    pub tokens_out: u64,
    /// What it cost in US dollars; 0 when served from the cache or when the price is unknown.
    pub cost_usd: f64,
    /// From asking to answer.
    pub elapsed: Duration,
    /// Served from the cache.
    pub cached: bool,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply")
            .field("bytes", &self.text.len())
            .field("model", &self.model)
            .field("tokens_in", &self.tokens_in)
            .field("tokens_out", &self.tokens_out)
            .field("cost_usd", &self.cost_usd)
            .field("elapsed", &self.elapsed)
            .field("cached", &self.cached)
            .finish()
    }
}
