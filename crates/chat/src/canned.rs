//! Nobody on the line: for no key at all, and for tests with a script.

use std::{collections::VecDeque, time::Duration};

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{ChatError, ChatService, Conversation, Reply, Usd, guarded::Priced};

/// How many conversations are remembered for a test to look at.
const REMEMBERED: usize = 1000;

type Answerer = dyn Fn(&Conversation) -> Result<String, ChatError> + Send + Sync;

/// Answers from a script, or not at all.
pub struct Canned {
    answer: Box<Answerer>,
    asked: Mutex<VecDeque<Conversation>>,
}

impl Canned {
    /// Never answers: [`ChatError::NoKey`], so that every question gets its own `otherwise`.
    pub fn silent() -> Self {
        Self::answering(|_| Err(ChatError::NoKey { provider: "canned".to_owned() }))
    }

    /// Gives these answers one after the other, then [`ChatError::NoKey`].
    pub fn scripted(answers: impl IntoIterator<Item = Result<String, ChatError>>) -> Self {
        let answers = Mutex::new(answers.into_iter().collect::<VecDeque<_>>());
        Self::answering(move |_| {
            let next = answers.lock().pop_front();
            next.unwrap_or_else(|| Err(ChatError::NoKey { provider: "canned".to_owned() }))
        })
    }

    /// Asks a function.
    pub fn answering(
        answer: impl Fn(&Conversation) -> Result<String, ChatError> + Send + Sync + 'static,
    ) -> Self {
        Self { answer: Box::new(answer), asked: Mutex::default() }
    }

    /// The conversations so far, oldest first; the last thousand of them.
    pub fn asked(&self) -> Vec<Conversation> {
        self.asked.lock().iter().cloned().collect()
    }
}

#[async_trait]
impl ChatService for Canned {
    async fn send_message(&self, conversation: &Conversation) -> Result<Reply, ChatError> {
        {
            let mut asked = self.asked.lock();
            if asked.len() == REMEMBERED {
                asked.pop_front();
            }
            asked.push_back(conversation.clone());
        }
        Ok(Reply {
            text: (self.answer)(conversation)?,
            model: "canned".to_owned(),
            tokens_in: 0,
            tokens_out: 0,
            cost_usd: 0.0,
            elapsed: Duration::ZERO,
            cached: false,
        })
    }

    fn name(&self) -> &str {
        "canned"
    }
}

impl Priced for Canned {
    fn cost_at_most(&self, _: &Conversation) -> Option<Usd> {
        Some(Usd::ZERO)
    }
}
