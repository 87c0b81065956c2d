//! No more than so many calls at once.

use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::{ChatError, ChatService, Conversation, Reply};

/// Refuses at once when its places are taken: a visitor who waits in a queue sees a slow machine, one who is answered
/// by the question's `otherwise` sees nothing.
pub struct Limited<S> {
    inner: S,
    places: Semaphore,
    limit: usize,
}

impl<S: ChatService> Limited<S> {
    /// At most `limit` calls at once.
    pub fn new(inner: S, limit: usize) -> Self {
        Self { inner, places: Semaphore::new(limit.min(Semaphore::MAX_PERMITS)), limit }
    }
}

#[async_trait]
impl<S: ChatService> ChatService for Limited<S> {
    async fn send_message(&self, conversation: &Conversation) -> Result<Reply, ChatError> {
        match self.places.try_acquire() {
            Ok(_place) => self.inner.send_message(conversation).await,
            Err(_) => Err(ChatError::Busy { provider: self.name().to_owned(), limit: self.limit }),
        }
    }

    fn name(&self) -> &str {
        self.inner.name()
    }
}
