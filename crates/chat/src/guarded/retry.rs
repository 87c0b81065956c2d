//! One more try after a short, uneven pause, when the failure may be over by then.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use async_trait::async_trait;

use crate::{ChatError, ChatService, Conversation, Reply};

/// The shortest pause; as much again is added at random, so that visitors who failed together do not come together.
const PAUSE: Duration = Duration::from_millis(150);
/// The longest that a provider may ask to wait for a second try to be worth it: a visitor is waiting.
const LONGEST_ASKED: Duration = Duration::from_secs(1);

/// Tries twice. Stands outside of the budget, so each try is paid for, and inside of the time limit.
pub struct Retried<S> {
    inner: S,
}

impl<S: ChatService> Retried<S> {
    /// Around this service.
    pub fn new(inner: S) -> Self {
        Self { inner }
    }
}

/// How long to wait before the second try; `None` when there is no point in one.
fn pause(error: &ChatError) -> Option<Duration> {
    let jitter = PAUSE.mul_f64((RandomState::new().hash_one(0) % 1000) as f64 / 1000.0);
    match error {
        ChatError::RateLimited { retry_after: Some(wait), .. } if *wait <= LONGEST_ASKED => {
            Some(*wait + jitter)
        }
        ChatError::Failed { status: 500 | 502 | 503 | 504 | 529, retry_after, .. } => {
            let wait = retry_after.unwrap_or(PAUSE);
            (wait <= LONGEST_ASKED).then_some(wait.max(PAUSE) + jitter)
        }
        ChatError::Interrupted { .. } | ChatError::BrokenOff { .. } => Some(PAUSE + jitter),
        _ => None,
    }
}

#[async_trait]
impl<S: ChatService> ChatService for Retried<S> {
    async fn send_message(&self, conversation: &Conversation) -> Result<Reply, ChatError> {
        let error = match self.inner.send_message(conversation).await {
            Ok(reply) => return Ok(reply),
            Err(error) => error,
        };
        let Some(pause) = pause(&error) else { return Err(error) };
        tokio::time::sleep(pause).await;
        self.inner.send_message(conversation).await
    }

    fn name(&self) -> &str {
        self.inner.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Canned, Message, Role};

    fn hello() -> Conversation {
        let message = Message { role: Role::User, content: "hello".to_owned() };
        Conversation { system: Vec::new(), messages: vec![message], max_tokens: 10, temperature: None }
    }

    fn failed(status: u16, retry_after: Option<u64>) -> ChatError {
        let retry_after = retry_after.map(Duration::from_secs);
        ChatError::Failed { provider: "p".to_owned(), status, retry_after }
    }

    #[tokio::test]
    async fn what_may_be_over_soon_is_tried_once_more() {
        for (error, answered) in [
            (failed(500, None), true),
            (failed(529, Some(1)), true),
            (failed(503, Some(30)), false),
            (failed(501, None), false),
            (ChatError::RateLimited { provider: "p".to_owned(), retry_after: Some(Duration::ZERO) }, true),
            (ChatError::RateLimited { provider: "p".to_owned(), retry_after: None }, false),
            (ChatError::Malformed { provider: "p".to_owned(), what: "x" }, false),
            (ChatError::Empty, false),
        ] {
            let shown = error.to_string();
            let retried = Retried::new(Canned::scripted([Err(error), Ok("x".to_owned())]));
            assert_eq!(retried.send_message(&hello()).await.is_ok(), answered, "{shown}");
        }
        let retried =
            Retried::new(Canned::scripted([Err(failed(500, None)), Err(failed(500, None)), Ok("x".into())]));
        assert!(retried.send_message(&hello()).await.is_err(), "twice and no more");
        assert_eq!(retried.inner.asked().len(), 2);
    }
}
