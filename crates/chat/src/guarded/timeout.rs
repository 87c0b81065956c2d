//! No answer later than this.

use std::time::Duration;

use async_trait::async_trait;

use crate::{ChatError, ChatService, Conversation, Reply};

/// Gives up after a while; the call is dropped.
pub struct Timed<S> {
    inner: S,
    after: Duration,
}

impl<S: ChatService> Timed<S> {
    /// Waits at most `after` for an answer.
    pub fn new(inner: S, after: Duration) -> Self {
        Self { inner, after }
    }
}

#[async_trait]
impl<S: ChatService> ChatService for Timed<S> {
    async fn send_message(&self, conversation: &Conversation) -> Result<Reply, ChatError> {
        match tokio::time::timeout(self.after, self.inner.send_message(conversation)).await {
            Ok(result) => result,
            Err(_) => Err(ChatError::Timeout { provider: self.name().to_owned(), after: self.after }),
        }
    }

    fn name(&self) -> &str {
        self.inner.name()
    }
}
