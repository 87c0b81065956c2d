//! One provider after the other, until one answers.

use async_trait::async_trait;

use crate::{ChatError, ChatService, Conversation, Reply};

/// Asks in order; the first answer counts.
pub struct Failover {
    providers: Vec<Box<dyn ChatService>>,
}

impl Failover {
    /// In this order. With none, every question fails with [`ChatError::NoKey`].
    pub fn new(providers: Vec<Box<dyn ChatService>>) -> Self {
        Self { providers }
    }
}

#[async_trait]
impl ChatService for Failover {
    async fn send_message(&self, conversation: &Conversation) -> Result<Reply, ChatError> {
        let mut attempts = Vec::new();
        for provider in &self.providers {
            match provider.send_message(conversation).await {
                Ok(reply) => return Ok(reply),
                // The other providers are paid from the same purses, but may be cheaper: the next one is asked all the same.
                Err(error) => attempts.push(error),
            }
        }
        match (attempts.len(), attempts.pop()) {
            (_, None) => Err(ChatError::NoKey { provider: self.name().to_owned() }),
            (1, Some(only)) => Err(only),
            (_, Some(last)) => {
                attempts.push(last);
                Err(ChatError::AllFailed { attempts })
            }
        }
    }

    fn name(&self) -> &str {
        self.providers.first().map_or("none", |provider| provider.name())
    }
}
